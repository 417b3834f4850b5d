"""Work that only one process does at a time: a file lock beside SQLite, an advisory lock of PostgreSQL."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from sqlalchemy import BigInteger, Connection, Engine, bindparam, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from harvester.catalogue.database import writing

log = logging.getLogger(__name__)

# Any number will do that no other program of the same database takes.
SCHEDULER = 0x68617276_0010
# Before version 14 there was no idle_session_timeout.
_SET = text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name")
_TRY = select(func.pg_try_advisory_lock(bindparam("number", type_=BigInteger)))


class Office(Protocol):
    """A role that one process holds at a time."""

    def held(self) -> bool:
        """Whether this process holds it now; takes it when it is free."""

    def writing(self) -> Any:
        """A write transaction that fails once the role is lost; a context manager that gives a connection."""

    def leave(self) -> None:
        """Let somebody else have it."""


def office(engine: Engine, name: str, number: int, patience: float) -> Office:
    """The role of that name (of that number in PostgreSQL) for this catalogue.

    PostgreSQL takes it away from a process that does not ask for it for so many seconds: one that hangs.
    """
    if engine.dialect.name == "postgresql":
        return _Advisory(engine, number, patience)
    return FileOffice(engine, Path(f"{engine.url.database}.{name}"))


class FileOffice:
    """Held by a lock on a file, which ends with the process, however that ends."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine, self._path = engine, path
        self._file: IO[bytes] | None = None

    def held(self) -> bool:
        if self._file is not None:
            return True
        file = self._path.open("ab")
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with writing(self._engine) as connection:
            yield connection

    def leave(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


class _Advisory:
    """Held by a session of PostgreSQL of its own: when that is cut, the server lets go, and nothing can be written.

    The server notices within seconds that the holder's host has vanished, and cuts off a holder that hangs: the
    operating system of a process that is stopped goes on answering for it.
    """

    def __init__(self, engine: Engine, number: int, patience: float) -> None:
        self._engine, self._number = engine, number
        cut = f"{patience:.0f}s"
        self._session = {"tcp_keepalives_idle": "5s", "tcp_keepalives_interval": "2s"}
        self._session |= {"idle_session_timeout": cut, "idle_in_transaction_session_timeout": cut}
        self._connection: Connection | None = None

    def held(self) -> bool:
        if self._connection is not None and self._alive():
            return True
        try:
            self._connection = self._taken()
        except SQLAlchemyError as error:
            log.warning("the database does not answer: %s", error)
        return self._connection is not None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        if self._connection is None:
            raise RuntimeError("only who holds the role may write")
        with self._connection.begin():
            yield self._connection

    def leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _alive(self) -> bool:
        try:
            with self.writing() as connection:
                connection.execute(select(1))
        except SQLAlchemyError as error:
            log.warning("the connection that held the role is gone: %s", error)
            self.leave()
            return False
        return True

    def _taken(self) -> Connection | None:
        connection = self._engine.connect().execution_options(isolation_level="READ COMMITTED")
        try:
            # Not of the pool any longer: closing it ends the session, and the lock with it.
            connection.detach()
            with connection.begin():
                connection.execute(_SET, [{"name": name, "value": value} for name, value in self._session.items()])
                if connection.execute(_TRY, {"number": self._number}).scalar_one():
                    return connection
        except SQLAlchemyError:
            connection.close()
            raise
        connection.close()
        return None
