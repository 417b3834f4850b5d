"""Opening and migrating the database: SQLite in the data directory, or what `database_url` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from harvester.settings import Settings

# WAL lets the API read while a run writes; NORMAL never corrupts, it may lose the last commits on a power cut.
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=60000",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=FILE",
)
_IMMEDIATE = "write"


def open_engine(settings: Settings) -> Engine:
    """The engine of the catalogue's database; the data directory is made if it is missing."""
    url = settings.database_url
    if not url:
        settings.data.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{(settings.data / 'catalogue.sqlite').absolute()}"
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def migrate(engine: Engine) -> None:
    """Bring the tables up to date; the migrations travel inside the package."""
    with engine.connect() as connection:
        command.upgrade(alembic_config(connection), "head")
        connection.commit()


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
    with engine.connect().execution_options(**{_IMMEDIATE: True}) as connection, connection.begin():
        yield connection


def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:
    # SQLAlchemy sends BEGIN itself (below); the driver must not guess when a transaction starts.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    # A write that first reads must lock at once, or two of them deadlock on the upgrade of the lock.
    write = connection.get_execution_options().get(_IMMEDIATE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
