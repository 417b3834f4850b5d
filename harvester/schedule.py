"""The scheduler: APScheduler ticks, the tables say which sources are due, due sources become queued runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Connection, Engine, Row, or_, select
from sqlalchemy.exc import SQLAlchemyError

from harvester.alone import SCHEDULER, office
from harvester.catalogue import claims, queries, store
from harvester.catalogue.claims import Terms
from harvester.catalogue.tables import sources
from harvester.errors import UsageError
from harvester.notices import notify
from harvester.settings import Settings
from harvester.sources import due
from harvester.worker import mode_for

log = logging.getLogger(__name__)

# After so many ticks that did not come, though not before so many seconds, a scheduler hangs and another takes over.
_MISSED_TICKS = 6
_LEAST_PATIENCE = 30.0


def utcnow() -> datetime:
    """The present instant; the only clock of the service."""
    return datetime.now(UTC)


def queue_due(connection: Connection, settings: Settings, now: datetime) -> int:
    """Queue a run for every source that is due, and set when each is due next; missed times count once."""
    _bury(connection, settings, now)
    soon = or_(sources.c.next_run_at <= now, sources.c.next_full_at <= now)
    rows = connection.execute(select(sources).where(sources.c.paused_at.is_(None), soon).order_by(sources.c.id)).all()
    return sum(_queued(connection, row, settings, now) for row in rows)


def _bury(connection: Connection, settings: Settings, now: datetime) -> None:
    """Take back the runs that lost their workers; who is to be told of failures is told of those that are given up."""
    terms = Terms.of(settings)
    claims.expire(connection, now, terms)
    for run in claims.give_up(connection, now, terms):
        source = connection.execute(select(sources).where(sources.c.id == run.source_id)).one()
        log.error("run given up source=%s run=%s", source.name, run.id)
        store.edit_source(connection, source.id, {"failing_since": source.failing_since or run.started_at})
        notify.run_ended(connection, settings, source, run.id, run, now)


def _queued(connection: Connection, row: Row[Any], settings: Settings, now: datetime) -> bool:
    """Whether a run was queued.  A tick that meets a live run is one with it, but for a complete walk that is due."""
    full = row.next_full_at is not None and row.next_full_at <= now
    mode = "full" if full else mode_for(row, settings, now)
    queued = claims.enqueue(connection, row.id, mode, now, origin="schedule") is not None
    times = _next_times(row, now)
    if full and not queued and not _is_full(queries.live_run(connection, row.id)):
        del times["next_full_at"]
    store.edit_source(connection, row.id, times)
    return queued


def _is_full(live: Row[Any] | None) -> bool:
    return live is not None and live.mode == "full"


def _next_times(row: Row[Any], now: datetime) -> dict[str, Any]:
    try:
        return {key: value for key, value in due(row._asdict(), now).items() if key.startswith("next_")}
    except UsageError as error:
        # Saved by hand, or a time zone that this machine does not know: the other sources go on.
        log.error("never due again source=%s: %s", row.name, error.message)
        return {"next_run_at": None, "next_full_at": None}


class Scheduler:
    """Ticks in the one process that holds the role, and waits for it in every other.

    The truth is each source's row, so APScheduler keeps no jobs but the tick.
    """

    def __init__(self, engine: Engine, settings: Settings, now: Callable[[], datetime] = utcnow) -> None:
        self._settings, self._now = settings, now
        self._office = office(
            engine, "scheduler", SCHEDULER, max(_LEAST_PATIENCE, settings.tick_seconds * _MISSED_TICKS)
        )
        self._leading = False
        self._ticking = BackgroundScheduler(timezone="UTC")
        # APScheduler's own clock is the machine's, whatever `now` says.
        options = {"max_instances": 1, "coalesce": True, "next_run_time": utcnow()}
        self._ticking.add_job(self.tick, "interval", seconds=settings.tick_seconds, **options)

    def start(self) -> None:
        """Start to tick."""
        self._ticking.start()

    def stop(self) -> None:
        """Stop, and let another process take over."""
        if self._ticking.running:
            self._ticking.shutdown(wait=True)
        self._office.leave()

    def tick(self) -> int:
        """Queue what is due, if the role is ours; answers how many runs were queued."""
        leading, before = self._office.held(), self._leading
        self._leading = leading
        if leading != before:
            log.info("this process is %s scheduler", "now the" if leading else "no longer the")
        if not leading:
            return 0
        try:
            with self._office.writing() as connection:
                return queue_due(connection, self._settings, self._now())
        except SQLAlchemyError as error:
            # The next tick does what this one could not: what is due stays due.
            log.error("the scheduler could not write: %s", error)
            return 0
