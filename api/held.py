"""Held runs: what would go, by name, and the decision on it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from api.auth import Who, allowed
from api.deps import After, Database, Limit, Number, Reading
from api.errors import documented
from api.links import link
from api.runs import run_out, run_row
from api.schemas import RunOut, Shape
from api.secrets import hidden_url
from harvester import held
from harvester.schedule import utcnow

router = APIRouter(prefix="/api/runs", tags=["runs"])
Decider = Annotated[Who, Depends(allowed("run"))]
REFUSED = documented(401, 403, 404, 409)


class HeldOut(Shape):
    """A record that a held run did not find."""

    id: int = Field(examples=[17])
    guid: str = Field(examples=["accidents-2024"])
    title: str | None = Field(description="Null: untitled.", examples=["Accidents"])
    url: str | None = Field(
        description="Its page at the source; null: none is known.", examples=["https://p.example/d"]
    )
    dataset: str | None = Field(description="Public key of its dataset.", examples=["k3vxq2m5dzr7ttq5"])


class HeldList(Shape):
    """A page of what confirming a held run retires."""

    total: int = Field(description="Of all pages.", examples=[250])
    records: list[HeldOut]
    next: str | None = Field(examples=["/api/runs/7/held?after=17"])


@router.get("/{id}/held", responses=documented(404, 409), summary="What would go if a held run were confirmed")
def would_go(id: Number, connection: Reading, after: After = 0, limit: Limit = 100) -> HeldList:
    """What a run did not find and no run has seen since; nothing is ever added to it."""
    row = held.held(connection, id)
    found = held.would_go(connection, row, after, limit)
    more = {"after": found[-1].id, "limit": limit} if len(found) == limit else None
    shown = [
        HeldOut(id=one.id, guid=one.guid, title=one.title, url=one.url and hidden_url(one.url), dataset=one.key)
        for one in found
    ]
    total = held.would_go_count(connection, row)
    return HeldList(total=total, records=shown, next=more and link(f"/api/runs/{id}/held", **more))


@router.post("/{id}/confirm", responses=REFUSED, summary="Retire what a held run did not find")
def confirm(id: Number, engine: Database, who: Decider) -> RunOut:
    """Retires just what `held` lists; when it was cut off, it goes on when it is asked for again."""
    held.confirm(engine, id, who.name, utcnow())
    return _shown(engine, id)


@router.post("/{id}/discard", responses=REFUSED, summary="Keep what a held run did not find")
def discard(id: Number, engine: Database, who: Decider) -> RunOut:
    """The answer of the portal was wrong: it counts no longer against what it did not show."""
    held.discard(engine, id, who.name)
    return _shown(engine, id)


def _shown(engine: Database, run_id: int) -> RunOut:
    with engine.connect() as connection:
        row = run_row(connection, run_id)
    return run_out(row, row.source)
