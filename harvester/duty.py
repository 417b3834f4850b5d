"""Whether scheduler and workers do their duty, as the rows of sources and runs tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from harvester.catalogue.tables import runs, sources

_GRACE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Duty:
    """Runs by status; how long the oldest queued run waits and the oldest heartbeat is silent; sources overdue."""

    queued: int
    running: int
    held: int
    waiting_seconds: float
    silent_seconds: float
    overdue: int


def duty(connection: Connection, now: datetime) -> Duty:
    """What waits, goes on and is overdue; a source is when it was due over a minute ago and is not queued."""
    statement: Select[Any] = select(
        runs.c.status,
        func.count().label("n"),
        func.min(runs.c.queued_at).label("queued_at"),
        func.min(runs.c.heartbeat_at).label("heartbeat_at"),
    )
    statement = statement.where(runs.c.status.in_(("queued", "running", "held"))).group_by(runs.c.status)
    rows = {row.status: row for row in connection.execute(statement)}
    due = or_(sources.c.next_run_at < now - _GRACE, sources.c.next_full_at < now - _GRACE)
    late = (due, sources.c.paused_at.is_(None))
    overdue = connection.execute(select(func.count()).select_from(sources).where(*late)).scalar_one()
    queued, running, held = (rows[status].n if status in rows else 0 for status in ("queued", "running", "held"))
    return Duty(
        queued,
        running,
        held,
        _age(rows["queued"].queued_at, now) if "queued" in rows else 0.0,
        _age(rows["running"].heartbeat_at, now) if "running" in rows else 0.0,
        int(overdue),
    )


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
