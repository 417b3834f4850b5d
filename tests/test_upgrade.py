"""Catalogues of earlier versions that are brought up to date: nothing is lost, and runs stay what they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Engine, MetaData, insert, select

from harvester.catalogue import claims
from harvester.catalogue.database import alembic_config, migrate, open_engine, writing
from harvester.catalogue.tables import runs, sources
from harvester.settings import Settings
from tests.databases import database_url

pytestmark = pytest.mark.usefixtures("database")

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
COUNTED = ("fetched", "created", "updated", "unchanged", "failed", "repeated", "retired", "restored", "warnings")
# The runs of a source each, as the version before runs could be resumed left them.
LEFT = {
    "done": ("succeeded", None),
    "held": ("held", None),
    "waiting": ("queued", None),
    "begun": ("running", "2000:0"),
}


@pytest.fixture
def earlier(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(Settings(data=tmp_path, database_url=database_url(tmp_path, migrated=False)))
    with writing(engine) as connection:
        command.upgrade(alembic_config(connection), "spaces")
    tables = MetaData()
    tables.reflect(engine, only=("sources", "runs"))
    with writing(engine) as connection:
        for number, (name, (status, cursor)) in enumerate(LEFT.items(), 1):
            connection.execute(insert(tables.tables["sources"]).values(source(number, name)))
            connection.execute(insert(tables.tables["runs"]).values(run(number, status, cursor)))
    yield engine
    engine.dispose()


def source(number: int, name: str) -> dict[str, Any]:
    url = f"https://{name}.example/data"
    return {"id": number, "name": name, "title": name, "connector": "ckan", "url": url, "options": {}} | {
        "created_at": NOW.replace(tzinfo=None)
    }


def run(number: int, status: str, cursor: str | None) -> dict[str, Any]:
    at = NOW.replace(tzinfo=None)
    begun = {} if status == "queued" else {"started_at": at, "heartbeat_at": at}
    counted = dict.fromkeys(COUNTED, 0)
    return {"source_id": number, "mode": "full", "status": status, "queued_at": at, "cursor": cursor} | begun | counted


def test_runs_of_an_earlier_version_end_wait_or_are_decided_on(earlier: Engine) -> None:
    migrate(earlier)
    with earlier.connect() as connection:
        rows = connection.execute(select(runs, sources.c.host).join(sources, sources.c.id == runs.c.source_id)).all()
    assert {row.host.partition(".")[0]: row.status for row in rows} == {
        "done": "succeeded",
        "held": "held",
        "waiting": "queued",
        "begun": "failed",
    }
    begun = next(row for row in rows if row.status == "failed")
    assert (begun.code, begun.cursor, begun.ended_at) == ("worker-lost", None, NOW)


def test_what_waited_before_is_harvested_after(earlier: Engine) -> None:
    migrate(earlier)
    with writing(earlier) as connection:
        claimed = [claims.claim(connection, NOW, claims.Terms()) for _ in range(2)]
    assert [found and found[0].name for found in claimed] == ["waiting", None]
