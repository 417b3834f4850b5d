"""Decisions on held runs: what would go, by name; confirmed, it is retired, discarded, it stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row

from harvester.catalogue import leaving, missing, queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import runs
from harvester.errors import UsageError

BATCH = 500
OUTDATED = "outdated-run"


def held(connection: Connection, run_id: int) -> Row[Any]:
    """A run that waits for a decision.  Raises `UsageError`: there is none, or a later one has walked the source."""
    row = queries.run_by_id(connection, run_id)
    if row is None:
        raise UsageError(f"there is no run {run_id}; `harvester runs` lists them", code="unknown-run")
    later = missing.walked_since(connection, row)
    if later is not None and (row.status == "held" or row.decided_by == f"run {later}"):
        raise UsageError(f"run {later} has walked {row.source} since; look at that one", code=OUTDATED)
    if row.status != "held":
        told = f"{row.status}, decided by {row.decided_by}" if row.decided_by else str(row.status)
        raise UsageError(f"run {run_id} is not held: it is {told}", code="not-held")
    return row


def would_go(connection: Connection, run: Row[Any], after: int = 0, limit: int = 100) -> list[Row[Any]]:
    """(id, guid, title, url, key) of what confirming a run retires, from record `after` (exclusive).

    What has been seen since the run is not among them, and nothing is ever added.
    """
    return missing.page(connection, run.source_id, run.id, after, limit)


def would_go_count(connection: Connection, run: Row[Any]) -> int:
    """How many records confirming a run retires."""
    return missing.count(connection, run.source_id, run.id)


def confirm(engine: Engine, run_id: int, by: str, now: datetime) -> int:
    """Retire what a held run did not show and nobody has seen since; answers how many.

    It goes in batches, each for itself: one that was cut off goes on when it is confirmed again.  Raises `UsageError`.
    """
    retired = 0
    while batch := _retire_some(engine, run_id, now):
        retired += batch
    with writing(engine) as connection:
        row = held(connection, run_id)
        told = f"confirmed by {by}: {row.retired} records were retired"
        values = {"status": _status(row), "code": None, "message": told, "decided_by": by[:100]}
        leaving.decide(connection, run_id, values)
        if row.sound:
            source = queries.source_by_id(connection, row.source_id)
            dates = {name: _later(source._mapping[name], row.started_at) for name in ("since_at", "complete_at")}
            store.edit_source(connection, row.source_id, dates)
    return retired


def discard(engine: Engine, run_id: int, by: str) -> None:
    """Keep what a held run did not show; its walk, and those before, no longer count against it.

    Raises `UsageError`.
    """
    with writing(engine) as connection:
        row = held(connection, run_id)
        told = f"{row.message or 'held'}; discarded by {by}: they stay"
        leaving.decide(connection, run_id, {"status": "partial", "message": told, "decided_by": by[:100]})
        leaving.doubt(connection, row.source_id, run_id)


def _retire_some(engine: Engine, run_id: int, now: datetime) -> int:
    with writing(engine) as connection:
        row = held(connection, run_id)
        ids = [found.id for found in would_go(connection, row, limit=BATCH)]
        ref = RunRef(row.id, row.source_id, row.source)
        gone = leaving.retire_unseen(connection, ref, ids, row.id, now)
        leaving.decide(connection, run_id, {"retired": runs.c.retired + len(gone)})
    return len(ids)


def _status(row: Row[Any]) -> str:
    return "partial" if row.failed else "succeeded"


def _later(known: datetime | None, instant: datetime) -> datetime:
    return instant if known is None else max(known, instant)
