"""Executes claimed runs, each with a heartbeat; a pool of threads claims what is queued."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import SQLAlchemyError

from harvester import access, garbage, logs, registry
from harvester.catalogue import claims, store
from harvester.catalogue.claims import Claim, Terms
from harvester.catalogue.database import writing
from harvester.catalogue.store import RunRef
from harvester.errors import HarvesterError
from harvester.harvest import Change, Harvest, Result, Tally, problem_of
from harvester.http import Http
from harvester.notices import notify
from harvester.progress import progress
from harvester.run import run
from harvester.settings import Settings

log = logging.getLogger(__name__)

# A lease holds so many heartbeats: a few may be late.
BEATS = 6
# Seconds after which a run notices at the latest that it is wanted no longer.
NOTICE = 1.0
# Seconds between two lines of the log about one run.
TELL = 15.0
# Seconds, at least, between two runs after which memory is given back: it takes some milliseconds.
TIDY = 60.0


@dataclass(frozen=True, slots=True)
class Watch:
    """Who wants to hear of progress and of each change, and who may want the run to stop."""

    on_page: Callable[[Tally], None] = lambda tally: None
    on_change: Callable[[Change], None] = lambda change: None
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Means:
    """What asks portals, and the clock that tells how long ago a run gave a sign of life."""

    client: Callable[..., Http] = Http
    seconds: Callable[[], float] = time.monotonic


def begin(connection: Connection, row: Row[Any], mode: str, now: datetime, terms: Terms | None = None) -> Claim:
    """Claim a run of the source that starts now, as `claims.begin`."""
    return claims.begin(connection, row, mode, now, terms or Terms())


def mode_for(row: Row[Any], settings: Settings, now: datetime, full: bool = False) -> str:
    """Incremental where the connector can and that is safe: a complete walk has been made, not too long ago.

    Where complete walks have a schedule of their own, that says how often they are made.
    """
    if not getattr(registry.connector(row.connector), "INCREMENTAL", False):
        return "full"
    recent = row.full_schedule or now - (row.complete_at or now) < timedelta(days=settings.full_every_days)
    return "incremental" if row.complete_at is not None and recent and not full else "full"


def execute(
    engine: Engine,
    settings: Settings,
    row: Row[Any],
    claim: Claim,
    now: Callable[[], datetime],
    *,
    dry: bool = False,
    watch: Watch | None = None,
    means: Means | None = None,
) -> Result:
    """Execute a claimed run with a client of its own, beating all the while."""
    watch, means = watch or Watch(), means or Means()
    heart = Heart(engine, claim.ref, Terms.of(settings).lease, now, means.seconds)

    def stop() -> bool:
        return heart.lost or watch.stop()

    try:
        how = access.loaded(row.access)
        with (
            logs.about(source=row.name, run=claim.ref.id),
            means.client(settings, home=row.url, access=how, stop=stop) as http,
            heart.beating(not dry),
        ):
            harvest = Harvest(
                engine, settings, http, now, dry, registry.connector, watch.on_page, watch.on_change, stop
            )
            result = run(harvest, row, claim)
    except HarvesterError as error:
        result = _unstarted(engine, settings, row, claim, now(), dry, error)
    log.info("run left source=%s run=%s attempt=%s as=%s", row.name, claim.ref.id, claim.ref.attempt, result.status)
    return result


def _unstarted(
    engine: Engine, settings: Settings, row: Row[Any], claim: Claim, now: datetime, dry: bool, error: HarvesterError
) -> Result:
    """A run whose client cannot be made: a secret is missing, a certificate cannot be read."""
    result = Result(row.name, "failed", Tally(), error.code, error.message)
    log.error("run failed source=%s run=%s code=%s: %s", row.name, claim.ref.id, error.code, error.message)
    if not dry:
        values = {"status": "failed", "code": error.code, "message": error.message, "ended_at": now}
        with writing(engine) as connection:
            if claims.advance(connection, claim.ref, values):
                store.report(connection, claim.ref.id, [problem_of(error, "fetch")])
                store.edit_source(connection, row.id, {"failing_since": row.failing_since or claim.started_at})
                notify.run_ended(connection, settings, row, claim.ref.id, result, now)
    return result


class Heart:
    """Beats for a run, tells how far it has come, and notices when it is ours no longer.

    A run is lost too when its heartbeat could not be written for as long as the lease holds: by then another worker
    may have it.
    """

    def __init__(
        self,
        engine: Engine,
        ref: RunRef,
        lease: timedelta,
        now: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._ref, self._now, self._seconds = engine, ref, now, seconds
        self._lease = lease.total_seconds()
        self._ended, self._lost = threading.Event(), threading.Event()
        self._told = self._beaten = seconds()

    @property
    def lost(self) -> bool:
        """Whether the run was cancelled, or another worker may have it."""
        return self._lost.is_set()

    @contextmanager
    def beating(self, really: bool = True) -> Iterator[None]:
        """Beat until the block ends; a dry run has no row to beat in."""
        beat = contextvars.copy_context().run
        thread = threading.Thread(target=beat, args=(self._beat,), name=f"heart-{self._ref.id}", daemon=True)
        if really:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            if really:
                thread.join()

    def _beat(self) -> None:
        pause = min(NOTICE, self._lease / BEATS)
        while not self._ended.wait(pause) and not self.lost:
            try:
                self._look(self._seconds())
            except SQLAlchemyError as error:
                log.warning("no heartbeat source=%s run=%s: %s", self._ref.source, self._ref.id, error)
                if self._seconds() - self._beaten > self._lease:
                    self._lost.set()

    def _look(self, seconds: float) -> None:
        with self._engine.connect() as connection:
            row = claims.standing(connection, self._ref)
        if row is None:
            self._lost.set()
            return
        if seconds - self._beaten >= self._lease / BEATS:
            with writing(self._engine) as connection:
                claims.advance(connection, self._ref, {"heartbeat_at": self._now()})
            self._beaten = seconds
        if seconds - self._told >= TELL:
            text = progress(row._asdict(), self._now()).text
            log.info("running source=%s run=%s %s", self._ref.source, self._ref.id, text)
            self._told = seconds


class Pool:
    """Worker threads of one process; each claims a queued run, executes it, and looks for the next."""

    def __init__(
        self, engine: Engine, settings: Settings, now: Callable[[], datetime], means: Means | None = None
    ) -> None:
        self._engine, self._settings, self._now, self._means = engine, settings, now, means or Means()
        self._tidied = self._means.seconds()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True)
            for number in range(settings.workers)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 8.0) -> None:
        """Let each run finish the page in hand and give it back; waits so long at most."""
        self._stop.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        while not self._stop.wait(self._settings.tick_seconds):
            while not self._stop.is_set() and self._one():
                self._tidy()

    def _tidy(self) -> None:
        seconds = self._means.seconds()
        if seconds - self._tidied >= TIDY:
            self._tidied = seconds
            garbage.give_back()

    def _one(self) -> bool:
        """Whether a run was there to be executed.  A worker outlives whatever happens to one run."""
        try:
            with writing(self._engine) as connection:
                claimed = claims.claim(connection, self._now(), Terms.of(self._settings))
            if claimed is None:
                return False
            row, claim = claimed
            log.info("run claimed source=%s run=%s attempt=%s", row.name, claim.ref.id, claim.ref.attempt)
            watch = Watch(stop=self._stop.is_set)
            execute(self._engine, self._settings, row, claim, self._now, watch=watch, means=self._means)
        except Exception:
            log.exception("a worker stumbled; it goes on with the next run")
            return False
        return True
