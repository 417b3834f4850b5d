"""What every test shares: a catalogue of its own, a closed network, and the way to the reference data."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine

from harvester.catalogue.database import migrate, open_engine
from harvester.settings import Settings
from tests.catalogues import close_all

# Machines are noisy: no example is timed; in CI the examples are the same each time.
hypothesis.settings.register_profile(
    "project",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("project")

SHARED = Path(__file__).resolve().parents[2] / "shared"


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
def settings(tmp_path: Path) -> Settings:
    """Settings of a catalogue of its own, that may fetch from this machine and does not wait."""
    return Settings(data=tmp_path / "data", private_hosts=("127.0.0.1", "localhost"), tick_seconds=0.05)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An empty, migrated catalogue."""
    opened = open_engine(settings)
    migrate(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def shared() -> Path:
    """The folder of reference data beside the checkout; the test is skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"reference data not found: {SHARED} (put the folder `shared` beside the checkout)")
    return SHARED
