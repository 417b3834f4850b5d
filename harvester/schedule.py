"""The scheduler: APScheduler ticks, the tables say which sources are due, due sources become queued runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, select

from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import sources
from harvester.settings import Settings
from harvester.sources import next_run
from harvester.worker import enqueue, expire, mode_for

log = logging.getLogger(__name__)


def utcnow() -> datetime:
    """The present instant; the only clock of the service."""
    return datetime.now(UTC)


def queue_due(engine: Engine, settings: Settings, now: datetime) -> int:
    """Queue a run for every source that is due, and set when each is due next; missed times count once."""
    queued = 0
    with writing(engine) as connection:
        expire(connection, now)
        due = connection.execute(select(sources).where(sources.c.next_run_at <= now)).all()
        for row in due:
            store.edit_source(connection, row.id, {"next_run_at": next_run(row.schedule, now)})
            queued += enqueue(connection, row.id, mode_for(row, settings, now), now) is not None
    return queued


def scheduler(engine: Engine, settings: Settings, now: Callable[[], datetime] = utcnow) -> BackgroundScheduler:
    """A scheduler that is not started yet; the truth is each source's row, so it keeps no jobs of its own."""
    ticking = BackgroundScheduler(timezone="UTC")
    ticking.add_job(
        lambda: queue_due(engine, settings, now()),
        "interval",
        seconds=settings.tick_seconds,
        max_instances=1,
        coalesce=True,
        next_run_time=now(),
    )
    return ticking
