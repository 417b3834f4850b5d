"""Runs, their problems, their changes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Connection, Row

from api.deps import After, Limit, Number, Reading
from api.errors import documented, missing
from api.links import link
from api.schemas import ChangeList, ChangeOut, ProblemList, ProblemOut, RunList, RunOut
from api.secrets import hidden_url
from harvester.catalogue import queries
from harvester.codes import remedy
from harvester.progress import progress
from harvester.schedule import utcnow

router = APIRouter(prefix="/api/runs", tags=["runs"])
Status = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled", "held"]
Severity = Literal["error", "warning"]
OfSource = Annotated[str | None, Query(description="Only this source, by name.", max_length=100, examples=["paris"])]
Before = Annotated[
    int | None, Query(ge=1, lt=1 << 63, description="Continue before this run (exclusive).", examples=[7])
]


@router.get("", responses=documented(404), summary="Runs, newest first")
def runs(
    connection: Reading,
    source: OfSource = None,
    status: Annotated[Status | None, Query(description="Only this status.", examples=["failed"])] = None,
    before: Before = None,
    limit: Limit = 50,
) -> RunList:
    """Of all sources or of one, of any status or of one."""
    source_id = None if source is None else source_row(connection, source).id
    rows = queries.run_list(connection, source_id, status, before, limit)
    more = {"source": source, "status": status, "before": rows[-1].id, "limit": limit} if len(rows) == limit else None
    return RunList(runs=[run_out(row, row.source) for row in rows], next=more and link("/api/runs", **more))


@router.get("/{id}", responses=documented(404), summary="One run")
def run(id: Number, connection: Reading) -> RunOut:
    """With its counters and how it ended."""
    row = run_row(connection, id)
    return run_out(row, row.source)


@router.get("/{id}/problems", responses=documented(404), summary="What went wrong in a run")
def problems(
    id: Number,
    connection: Reading,
    severity: Annotated[Severity | None, Query(description="Only this severity.", examples=["error"])] = None,
    after: After = 0,
    limit: Limit = 100,
) -> ProblemList:
    """One line per record and reason, in the order they were met."""
    source = run_row(connection, id).source
    rows = queries.problem_list(connection, id, after, limit, severity)
    more = {"severity": severity, "after": rows[-1].id, "limit": limit} if len(rows) == limit else None
    shown = [problem_out(row, source) for row in rows]
    return ProblemList(problems=shown, next=more and link(f"/api/runs/{id}/problems", **more))


@router.get("/{id}/changes", responses=documented(404), summary="Every dataset a run changed")
def changes(id: Number, connection: Reading, after: After = 0, limit: Limit = 100) -> ChangeList:
    """Created, updated, retired, restored, joined: by name."""
    run_row(connection, id)
    rows = queries.change_list(connection, id, after, limit)
    more = {"after": rows[-1].seq, "limit": limit} if len(rows) == limit else None
    shown = [
        ChangeOut(seq=row.seq, action=row.action, at=row.at, dataset=row.key, guid=row.guid, title=row.title)
        for row in rows
    ]
    return ChangeList(changes=shown, next=more and link(f"/api/runs/{id}/changes", **more))


def run_out(row: Row[Any], source: str) -> RunOut:
    """A run as it is shown."""
    running = row.status == "running"
    more = {
        "source": source,
        "help": remedy(row.code),
        "progress": progress(row._asdict(), utcnow()) if running else None,
        "url": f"/runs/{row.id}",
    }
    return RunOut.model_validate({**row._mapping, **more})


def problem_out(row: Row[Any], source: str) -> ProblemOut:
    """A problem as it is shown, with what to do about it."""
    url = row.url and hidden_url(row.url)
    return ProblemOut.model_validate({**row._mapping, "url": url, "source": source, "help": remedy(row.code)})


def source_row(connection: Connection, name: str) -> Row[Any]:
    """The row of a source.  Raises `ProblemError` 404."""
    # PostgreSQL refuses NUL in any text.
    row = None if "\x00" in name else queries.source_named(connection, name)
    if row is None:
        raise missing("source", name)
    return row


def run_row(connection: Connection, run_id: int) -> Row[Any]:
    """The row of a run.  Raises `ProblemError` 404."""
    row = queries.run_by_id(connection, run_id)
    if row is None:
        raise missing("run", run_id)
    return row
