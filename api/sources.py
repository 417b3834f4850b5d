"""The harvested portals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection, Row

from api.deps import Limit, Reading
from api.errors import documented
from api.links import link
from api.runs import run_out, source_row
from api.schemas import SourceList, SourceOut
from api.secrets import hidden, hidden_url
from harvester.catalogue import queries

router = APIRouter(prefix="/api/sources", tags=["sources"])
Name = Annotated[str, Path(description="Name of the source.", examples=["paris"])]
AfterName = Annotated[
    str, Query(description="Continue after this name (exclusive).", max_length=100, examples=["paris"])
]


@router.get("", responses=documented(), summary="Every source, by name")
def sources(connection: Reading, after: AfterName = "", limit: Limit = 100) -> SourceList:
    """With the number of its active records and its last run."""
    rows = queries.source_list(connection, after.replace("\x00", ""), limit)
    last = link("/api/sources", after=rows[-1].name, limit=limit) if len(rows) == limit else None
    return SourceList(sources=_outs(connection, rows), next=last)


@router.get("/{name}", responses=documented(404), summary="One source")
def source(name: Name, connection: Reading) -> SourceOut:
    """By its name."""
    return _outs(connection, [source_row(connection, name)])[0]


def _outs(connection: Connection, rows: Sequence[Row[Any]]) -> list[SourceOut]:
    ids = [row.id for row in rows]
    counts, latest = queries.active_counts(connection, ids), queries.latest_runs(connection, ids)
    return [
        SourceOut(
            **{name: getattr(row, name) for name in ("name", "title", "connector", "schedule", "created_at")},
            url=hidden_url(row.url),
            options=hidden(row.options),
            next_run_at=row.next_run_at,
            complete_at=row.complete_at,
            records=counts.get(row.id, 0),
            last_run=run_out(latest[row.id], row.name) if row.id in latest else None,
        )
        for row in rows
    ]
