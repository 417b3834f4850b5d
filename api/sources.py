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
_PLAIN = (
    "name", "title", "connector", "schedule", "full_schedule", "timezone", "jitter", "paused_at", "failing_since",
    "created_at", "next_run_at", "next_full_at", "complete_at",
)  # fmt: skip


@router.get("", responses=documented(), summary="Every source, by name")
def sources(connection: Reading, after: AfterName = "", limit: Limit = 100) -> SourceList:
    """With the number of its active records and its last run."""
    rows = queries.source_list(connection, after.replace("\x00", ""), limit)
    last = link("/api/sources", after=rows[-1].name, limit=limit) if len(rows) == limit else None
    return SourceList(sources=source_outs(connection, rows), next=last)


@router.get("/{name}", responses=documented(404), summary="One source")
def source(name: Name, connection: Reading) -> SourceOut:
    """By its name."""
    return source_outs(connection, [source_row(connection, name)])[0]


def source_outs(connection: Connection, rows: Sequence[Row[Any]]) -> list[SourceOut]:
    """Sources as they are shown."""
    ids = [row.id for row in rows]
    latest = queries.latest_runs(connection, ids)
    kept = {key: run.accepted for key, run in latest.items() if _counted(run)}
    counts = kept | queries.active_counts(connection, [key for key in ids if key not in kept])
    return [
        SourceOut(
            **{name: getattr(row, name) for name in _PLAIN},
            url=hidden_url(row.url),
            options=hidden(row.options),
            records=counts.get(row.id, 0),
            last_run=run_out(latest[row.id], row.name) if row.id in latest else None,
        )
        for row in rows
    ]


def _counted(run: Row[Any]) -> bool:
    """Whether the run counted the active records, and nobody has retired any since: counting a million takes time."""
    return run.accepted is not None and run.decided_by is None and run.status != "held"
