"""Claims runs and executes them: one live run per source, held by a heartbeat that expires with its worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from harvester import registry
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import runs, sources
from harvester.errors import UsageError
from harvester.harvest import Change, Harvest, Result, Tally
from harvester.http import Http
from harvester.run import run
from harvester.settings import Settings

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
BEAT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who wants to hear of progress and of each change."""

    on_page: Callable[[Tally], None] = lambda tally: None
    on_change: Callable[[Change], None] = lambda change: None


def begin(connection: Connection, row: Row[Any], mode: str, now: datetime) -> int:
    """Claim the source for a run that starts now.  Raises `UsageError` while another run of it is alive."""
    expire(connection, now)
    live = queries.live_run(connection, row.id)
    if live is not None and live.status == "running":
        message = f"source {row.name!r} is being harvested by run {live.id}, alive at {live.heartbeat_at:%H:%M:%S} UTC"
        raise UsageError(message, code="already-running")
    if live is not None:
        connection.execute(update(runs).where(runs.c.id == live.id).values(_started(mode, now)))
        return int(live.id)
    return store.add_run(connection, row.id, mode, "running", now)


def enqueue(connection: Connection, source_id: int, mode: str, now: datetime) -> int | None:
    """Queue a run, unless the source has a live one."""
    if queries.live_run(connection, source_id) is not None:
        return None
    return store.add_run(connection, source_id, mode, "queued", now)


def claim(connection: Connection, now: datetime) -> tuple[Row[Any], int, str] | None:
    """The oldest queued run, now ours: its source, id and mode; None when nothing waits."""
    statement = select(runs.c.id, runs.c.source_id, runs.c.mode).where(runs.c.status == "queued")
    waiting = connection.execute(statement.order_by(runs.c.id).limit(1).with_for_update(skip_locked=True)).one_or_none()
    if waiting is None:
        return None
    connection.execute(update(runs).where(runs.c.id == waiting.id).values(_started(waiting.mode, now)))
    source = connection.execute(select(sources).where(sources.c.id == waiting.source_id)).one()
    return source, int(waiting.id), str(waiting.mode)


def expire(connection: Connection, now: datetime) -> int:
    """Close the runs whose worker died: their heartbeat is older than the lease."""
    message = "the worker of this run died; what it had written stays, the next run goes over everything again"
    statement = update(runs).where(runs.c.status == "running", runs.c.heartbeat_at < now - LEASE)
    return connection.execute(
        statement.values(status="failed", code="worker-lost", message=message, ended_at=now, cursor=None)
    ).rowcount


def confirm(engine: Engine, run: Row[Any], now: datetime) -> int:
    """Retire the records that a held run did not find; answers how many."""
    ref, retired = store.RunRef(run.id, run.source_id, run.source), 0
    with writing(engine) as connection:
        while rows := queries.vanished_page(connection, run.id, run.source_id, 0, queries.CHUNK):
            store.retire(connection, ref, [row.id for row in rows], now)
            retired += len(rows)
        values = {"status": "succeeded", "retired": run.retired + retired, "message": "confirmed by hand"}
        connection.execute(update(runs).where(runs.c.id == run.id).values(**values))
    return retired


def mode_for(row: Row[Any], settings: Settings, now: datetime, full: bool = False) -> str:
    """Incremental where the connector can and that is safe: a complete walk has been made, not too long ago."""
    if not getattr(registry.connector(row.connector), "INCREMENTAL", False):
        return "full"
    recent = row.complete_at is not None and now - row.complete_at < timedelta(days=settings.full_every_days)
    return "incremental" if recent and not full else "full"


def execute(
    engine: Engine,
    settings: Settings,
    row: Row[Any],
    run_id: int,
    mode: str,
    now: Callable[[], datetime],
    *,
    dry: bool = False,
    watch: Watch | None = None,
) -> Result:
    """Execute a claimed run with a client of its own, beating all the while."""
    watch = watch or Watch()
    with Http(settings, home=row.url) as http, _beating(engine, run_id, now, dry):
        harvest = Harvest(engine, settings, http, now, dry, on_page=watch.on_page, on_change=watch.on_change)
        return run(harvest, row, run_id, mode)


@contextmanager
def _beating(engine: Engine, run_id: int, now: Callable[[], datetime], dry: bool) -> Iterator[None]:
    if dry:
        yield
        return
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_SECONDS):
            with writing(engine) as connection:
                store.advance(connection, run_id, {"heartbeat_at": now()})

    thread = threading.Thread(target=beat, name=f"heartbeat-{run_id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _started(mode: str, now: datetime) -> dict[str, Any]:
    return {"status": "running", "mode": mode, "started_at": now, "heartbeat_at": now}


class Pool:
    """Worker threads of one process; each claims a queued run, executes it, and looks for the next."""

    def __init__(self, engine: Engine, settings: Settings, now: Callable[[], datetime]) -> None:
        self._engine, self._settings, self._now = engine, settings, now
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(settings.workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Ask the threads to end after the run they are on, and wait a little for them."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)

    def _work(self) -> None:
        while not self._stop.wait(self._settings.tick_seconds):
            while not self._stop.is_set() and self._one():
                pass

    def _one(self) -> bool:
        with writing(self._engine) as connection:
            claimed = claim(connection, self._now())
        if claimed is None:
            return False
        execute(self._engine, self._settings, *claimed, self._now)
        return True
