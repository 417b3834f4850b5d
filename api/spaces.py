"""Spaces: named parts of the catalogue, each defined by a search."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import Engine

from api.asking import space_named
from api.deps import PATIENCE, Database, Limit, Searching, The
from api.errors import documented
from api.formats import FORMATS
from api.links import link
from api.schemas import DumpOut, SpaceList, SpaceOut
from harvester import dumps, spaces
from harvester.dumpfile import Made
from harvester.search import Index, refresh
from harvester.settings import Settings

MOST = 100
router = APIRouter(prefix="/api/spaces", tags=["spaces"])
Name = Annotated[str, Path(description="Name of the space.", max_length=100, examples=["culture"])]
AfterName = Annotated[
    str, Query(description="Continue after this name (exclusive).", max_length=100, examples=["culture"])
]


@router.get("", responses=documented(), summary="Every space, by name")
def listed(engine: Database, index: Searching, settings: The, after: AfterName = "", limit: Limit = 100) -> SpaceList:
    """With the search that defines it and the number of its datasets."""
    found = page(engine, after, limit)
    refresh(engine, index, wait=PATIENCE)
    following = link("/api/spaces", after=found[-1].name, limit=limit) if len(found) == limit else None
    return SpaceList(spaces=[shown(space, index, settings) for space in found], next=following)


@router.get("/{name}", responses=documented(404), summary="One space")
def one(name: Name, engine: Database, index: Searching, settings: The) -> SpaceOut:
    """With the addresses of its page, its catalogue in every format, and its dumps."""
    with engine.connect() as connection:
        space = space_named(connection, name)
    refresh(engine, index, wait=PATIENCE)
    return shown(space, index, settings)


def page(engine: Engine, after: str = "", limit: int = MOST) -> list[spaces.Space]:
    """Spaces by name."""
    with engine.connect() as connection:
        return spaces.listed(connection, after.replace("\x00", ""), limit)


def shown(space: spaces.Space, index: Index, settings: Settings) -> SpaceOut:
    """A space as it is answered."""
    return SpaceOut(
        name=space.name,
        title=space.title,
        description=space.description,
        q=space.q,
        filters=space.filters,
        created_at=space.created_at,
        changed_at=space.changed_at,
        datasets=index.size([space.scope]),
        page=f"/spaces/{space.name}",
        search=link("/api/datasets", space=space.name),
        catalogue={form.media_type: link(f"/catalog.{form.suffix}", space=space.name) for form in FORMATS},
        dumps=[dump_out(made, settings) for made in dumps.made(settings) if made.parameters == {"space": space.name}],
    )


def dump_out(made: Made, settings: Settings) -> DumpOut:
    """A dump as it is answered."""
    facts: dict[str, Any] = {name: getattr(made, name) for name in DumpOut.model_fields if hasattr(made, name)}
    reason = dumps.stale(settings, made)
    return DumpOut(**facts, url=f"/dumps/{made.name}", stale=reason is not None, reason=reason)
