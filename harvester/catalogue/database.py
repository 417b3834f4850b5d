"""Opening and migrating the database: SQLite in the data directory, or the PostgreSQL that `database_url` names.

Both behave alike: `engine.connect()` reads one state however many statements it takes, `writing` is the only way to
change anything, and transactions that change the catalogue itself come one after the other (`in_turn`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, BigInteger, Connection, Engine, bindparam, create_engine, event, func, make_url, select
from sqlalchemy.pool import ConnectionPoolEntry

from harvester.errors import UsageError
from harvester.settings import Settings

# WAL lets the API read while a run writes; NORMAL never corrupts, it may lose the last commits on a power cut.
PRAGMAS = (
    "PRAGMA busy_timeout=60000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=FILE",
)
_TRIES, _PAUSE = 100, 0.1
_IMMEDIATE = "write"

# Numbers of PostgreSQL's advisory locks; any will do that no other program of the same database takes.
_CATALOGUE, _MIGRATION = 0x68617276_0001, 0x68617276_0002
# A host that vanished without a word is noticed within a minute; a client that hangs in a transaction is cut off.
_POSTGRESQL = {
    "application_name": "harvester",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": "-c timezone=UTC -c idle_in_transaction_session_timeout=600000",
}
# Besides two connections for each worker (what it writes, and its heartbeat), one for each request that the API works
# on at once (its threads, as Starlette counts them); they are opened when they are needed and closed after.
_SPARE = 40
_LOCK = select(func.pg_advisory_xact_lock(bindparam("number", type_=BigInteger)))


def open_engine(settings: Settings) -> Engine:
    """The engine of the catalogue's database; the data directory is made if it is missing."""
    if settings.database_url:
        url = _completed(make_url(settings.database_url), settings.database_password_file)
    else:
        settings.data.mkdir(parents=True, exist_ok=True)
        url = make_url(f"sqlite:///{(settings.data / 'catalogue.sqlite').absolute()}")
    return _postgresql(url, settings) if url.get_backend_name() == "postgresql" else _sqlite(url)


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; the migrations travel inside the package.  Processes that start together wait."""
    if is_current(engine):
        return
    with writing(engine) as connection:
        _lock(connection, _MIGRATION)
        command.upgrade(alembic_config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether the tables are up to date."""
    with engine.connect() as connection:
        newest = ScriptDirectory.from_config(alembic_config(connection)).get_heads()
        return set(MigrationContext.configure(connection).get_current_heads()) == set(newest)


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for a connection that is open already."""
    config = Config()
    with resources.as_file(resources.files("migrations")) as scripts:
        config.set_main_option("script_location", str(Path(scripts)).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on any error."""
    options: dict[str, Any] = {_IMMEDIATE: True}
    if engine.dialect.name == "postgresql":
        # Each statement sees what was committed before it: what a lock was waited for is read anew.
        options["isolation_level"] = "READ COMMITTED"
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def in_turn(connection: Connection) -> None:
    """Wait until no other transaction changes the catalogue, and let none begin before this one ends.

    It comes before the first change: only then are identifiers committed in the order in which they are given out
    (readers that have read up to one never miss a smaller one), and no two runs found a dataset for the same key.
    On SQLite every write transaction waits for its turn anyway.
    """
    _lock(connection, _CATALOGUE)


def _lock(connection: Connection, number: int) -> None:
    """Take a lock of PostgreSQL that is let go when the transaction ends, however it does."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"number": number})


def _completed(url: URL, password_file: Path | None) -> URL:
    """The URL with the password from a file; `postgres://` and `postgresql://` mean the driver that is installed."""
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    return url if password_file is None else url.set(password=password_file.read_text().strip())


def _postgresql(url: URL, settings: Settings) -> Engine:
    engine = create_engine(
        url,
        # One state for all statements of a reading transaction, as on SQLite; `writing` says otherwise.
        isolation_level="REPEATABLE READ",
        connect_args={key: value for key, value in _POSTGRESQL.items() if key not in url.query},
        pool_pre_ping=True,
        pool_size=settings.workers * 2,
        max_overflow=_SPARE,
    )
    event.listen(engine, "connect", _require_unicode)
    return engine


def _require_unicode(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """Raises `UsageError` for a database that cannot keep what portals say, or not tell its letters."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        message = f"the database keeps text as {encoding}; make one with CREATE DATABASE ... ENCODING 'UTF8'"
        raise UsageError(f"{message} TEMPLATE template0", code="database-encoding")


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # SQLAlchemy sends BEGIN itself (below); the driver must not guess when a transaction starts.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        _patiently(cursor, pragma)
    cursor.close()


def _patiently(cursor: Any, statement: str) -> None:
    """SQLite does not wait, whatever its time-out, where processes that start together turn a new file to WAL."""
    for _ in range(_TRIES):
        try:
            cursor.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(_PAUSE)
        else:
            return
    cursor.execute(statement)


def _begin(connection: Connection) -> None:
    # A write that first reads must lock at once, or two of them deadlock on the upgrade of the lock.
    write = connection.get_execution_options().get(_IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
