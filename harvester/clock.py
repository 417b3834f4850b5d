"""The time that all workers of one catalogue agree on: leases compare what different machines write."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from harvester.schedule import utcnow

log = logging.getLogger(__name__)

# Seconds after which the database is asked again, and by which the clock of the machine may jump before that.
_AGAIN = 20.0
_JUMP = 1.0
_NOTABLE = timedelta(seconds=2)


def agreed(engine: Engine, local: Callable[[], datetime] = utcnow) -> Callable[[], datetime]:
    """The clock of the database where it is a server's, as this process reckons it; else the machine's own."""
    return ServerClock(engine, local) if engine.dialect.name == "postgresql" else local


class ServerClock:
    """The machine's clock put right by what it was off from the server's when that was asked last."""

    def __init__(
        self,
        engine: Engine,
        local: Callable[[], datetime] = utcnow,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._local, self._seconds = engine, local, seconds
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._asked: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """The present instant."""
        with self._lock:
            if self._is_due():
                self._ask()
            return self._local() + self._offset

    def _is_due(self) -> bool:
        if self._asked is None:
            return True
        passed = self._seconds() - self._asked[1]
        jump = (self._local() - self._asked[0]).total_seconds() - passed
        return passed >= _AGAIN or abs(jump) > _JUMP

    def _ask(self) -> None:
        """Measure the offset; while the server does not answer, the last one holds."""
        before = self._local()
        try:
            with self._engine.connect() as connection:
                there = connection.execute(select(func.clock_timestamp())).scalar_one().astimezone(UTC)
        except SQLAlchemyError as error:
            log.warning("the database was not asked for the time: %s", error)
        else:
            offset = there - (before + (self._local() - before) / 2)
            if abs(offset) > _NOTABLE and abs(offset - self._offset) > _NOTABLE:
                log.warning(
                    "the clock of this machine is %.0f s off from that of the database", -offset.total_seconds()
                )
            self._offset = offset
        self._asked = (self._local(), self._seconds())
