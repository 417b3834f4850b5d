"""What runs beside the API: threads that are started and stopped together, and the signals that end them."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from harvester import dumps
from harvester.alone import FileOffice
from harvester.beside import Beside
from harvester.errors import HarvesterError, UsageError
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from harvester.settings import Settings
from harvester.timing import next_run

log = logging.getLogger(__name__)

DUMP = (sys.executable, "-m", "harvester", "dump", "--all")
_STEP = 60.0
_GLANCE = 0.2


class Service(Protocol):
    """Something that goes on in threads of its own."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End soon, and leave nothing half done that another process would not finish."""


@contextmanager
def running(services: Sequence[Service]) -> Iterator[None]:
    """Services that run as long as the block."""
    with ExitStack() as stack:
        for service in services:
            service.start()
            stack.callback(service.stop)
        yield


class Stopping:
    """Whether the process was told to end.  A plain flag: a signal may come while any lock is held."""

    told = False

    def wait(self) -> None:
        """Return when the process is told to end."""
        while not self.told:
            time.sleep(_GLANCE)


@contextmanager
def ending_with_signals() -> Iterator[Stopping]:
    """Notes that the process is told to end; a second signal ends it at once.

    A process manager sends SIGTERM, the terminal SIGINT; both mean the same.
    """
    stopping = Stopping()

    def end(number: int, frame: FrameType | None) -> None:
        if stopping.told:
            raise KeyboardInterrupt
        stopping.told = True

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def only_worker(engine: Engine) -> Iterator[None]:
    """On SQLite one worker process does it all.  Raises `UsageError` when there is one already."""
    if engine.dialect.name == "postgresql":
        yield
        return
    office = FileOffice(engine, Path(f"{engine.url.database}.worker"))
    if not office.held():
        message = (
            "another process harvests into this catalogue already (`harvester up` or `harvester worker`); "
            "several workers need PostgreSQL: set HARVESTER_DATABASE_URL"
        )
        raise UsageError(message, code="second-worker")
    try:
        yield
    finally:
        office.leave()


class Indexer(Beside):
    """Brings the index of this process's data directory up to date every few ticks, from the change log.

    Who wrote the changes, and on which host, does not matter: every host that serves the API has an index of its own.
    """

    def __init__(self, engine: Engine, settings: Settings) -> None:
        super().__init__("indexer")
        self._engine, self._settings = engine, settings

    def work(self) -> None:
        index = open_index(self._settings)
        while not self.ending.wait(self._settings.tick_seconds):
            try:
                refresh(self._engine, index)
            except (HarvesterError, SQLAlchemyError, OSError) as error:
                # Another process rebuilds it, or the database is away: the next time catches up.
                log.warning("the index is behind: %s", error)


class Nightly(Beside):
    """Writes the dumps when they are due, in a process of its own: it costs processor time and memory for a while.

    Raises `UsageError` for settings that cannot be.
    """

    def __init__(self, settings: Settings, command: Sequence[str] = DUMP) -> None:
        next_run(settings.dump_schedule, utcnow())
        for name in settings.dump_formats:
            dumps.checked(name)
        super().__init__("nightly")
        self._schedule, self._command = settings.dump_schedule, command

    def work(self) -> None:
        while due := next_run(self._schedule, utcnow()):
            # In short steps: a clock that is set, or a machine that slept, is noticed.
            while (left := (due - utcnow()).total_seconds()) > 0:
                if self.ending.wait(min(left, _STEP)):
                    return
            self.dump()

    def dump(self) -> None:
        """Write them now; ends early when it is stopped."""
        with subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            while process.poll() is None:
                if self.ending.wait(1.0):
                    process.terminate()
                    return
            told = process.stderr.read() if process.stderr else b""
        if process.returncode:
            log.error("dumps failed: %s", told.decode("utf-8", "replace").strip()[-2000:])
