"""Settings come from the environment, and lists may be written as people write them."""

from __future__ import annotations

import pytest

from harvester.settings import Settings


@pytest.mark.parametrize(
    ("written", "hosts"),
    [
        ("", ()),
        ("127.0.0.1", ("127.0.0.1",)),
        ("intranet.example, 10.0.0.0/8 ,localhost:8101", ("intranet.example", "10.0.0.0/8", "localhost:8101")),
        ('["127.0.0.1", "fd00::/8"]', ("127.0.0.1", "fd00::/8")),
    ],
)
def test_private_hosts(monkeypatch: pytest.MonkeyPatch, written: str, hosts: tuple[str, ...]) -> None:
    monkeypatch.setenv("HARVESTER_PRIVATE_HOSTS", written)
    assert Settings().private_hosts == hosts
