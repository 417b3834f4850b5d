"""What every test shares: a catalogue of its own, a closed network, and the way to the reference data.

Tests that open a catalogue run twice, on SQLite and on PostgreSQL: whoever asks for `settings` or `engine` does, and a
module that makes catalogues itself (`tests.catalogues.catalogue`, the command line) says so with
`pytestmark = pytest.mark.usefixtures("database")`; its module-scoped fixtures ask for `database` by name.  A process
that is started from a test finds its catalogue by `HARVESTER_DATA` and `HARVESTER_DATABASE_URL`, the latter from
`tests.databases.database_url(directory)`.  `@pytest.mark.one_database("sqlite", reason="...")` spares a test the other
one; `postgres_settings` and `postgres_engine` are for tests of what only PostgreSQL can do.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine

from harvester.catalogue.database import migrate, open_engine
from harvester.settings import Settings
from tests.catalogues import close_all
from tests.databases import CURRENT, database_url, started
from tests.misbehaving import clients, patience, serving

# Machines are noisy: no example is timed; in CI the examples are the same each time.
hypothesis.settings.register_profile(
    "project",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("project")

SHARED = Path(__file__).resolve().parents[2] / "shared"


DATABASES = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """The markers of this suite."""
    config.addinivalue_line("markers", "one_database(name, reason): runs on this database alone, for that reason")
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, _frame: object) -> None:
    """Whoever stops the suite stops its server too; no `except Exception` of what is tested may swallow that."""
    raise KeyboardInterrupt(f"terminated by signal {number}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever opens a catalogue runs on each database."""
    if "database" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("one_database")
        metafunc.parametrize("database", only.args if only else DATABASES, indirect=True, scope="module")


def pytest_unconfigure() -> None:
    """The server ends with the session."""
    CURRENT.end()


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the database that catalogues are in: "sqlite" or "postgresql"."""
    CURRENT.use(request.param)
    yield request.param
    close_all()
    CURRENT.leave()


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves this machine: any address but a loopback one is refused."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not ipaddress.ip_address(address[0]).is_loopback:
            raise AssertionError(f"a test tried to reach {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _closed_catalogues() -> Iterator[None]:
    """No test leaves a connection open."""
    yield
    close_all()


@pytest.fixture
def settings(tmp_path: Path, database: str) -> Settings:
    """Settings of a catalogue of its own, that may fetch from this machine and does not wait."""
    return _settings(tmp_path / "data", database_url(tmp_path / "data"))


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An empty, migrated catalogue."""
    yield from _opened(settings)


@pytest.fixture
def postgres_settings(tmp_path: Path) -> Settings:
    """The settings of a catalogue on PostgreSQL, for tests of what SQLite cannot do."""
    CURRENT.server = CURRENT.server or started()
    return _settings(tmp_path / "data", CURRENT.server.create())


@pytest.fixture
def postgres_engine(postgres_settings: Settings) -> Iterator[Engine]:
    """An empty, migrated catalogue on PostgreSQL."""
    yield from _opened(postgres_settings)


def _settings(data: Path, url: str) -> Settings:
    allowed = ("127.0.0.1", "localhost")
    return Settings(data=data, database_url=url, private_hosts=allowed, tick_seconds=0.05, max_crawl_delay=0)


def _opened(settings: Settings) -> Iterator[Engine]:
    opened = open_engine(settings)
    migrate(opened)
    yield opened
    opened.dispose()


serve = pytest.fixture(name="serve")(serving)
client = pytest.fixture(name="client")(clients)
patient = pytest.fixture(name="patient")(patience)


@pytest.fixture
def shared() -> Path:
    """The folder of reference data beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data not found: {SHARED} (put the folder `shared` beside the checkout)")
    return SHARED
