"""Held runs through the API: who may decide, on what, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from harvester import tokens
from harvester.catalogue.database import writing
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.catalogues import application
from tests.programmable import Programmable, packages
from tests.test_guard import Guarded, without


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> Guarded:
    made = Guarded(engine, settings)
    made.source()
    connector = Programmable(packages(30))
    made.run(connector)
    without(connector, 12)
    made.run(connector)
    return made


@pytest.fixture
def client(bench: Guarded, settings: Settings) -> Iterator[TestClient]:
    with TestClient(application(settings)) as found:
        yield found


def token(engine: Engine, scope: str) -> dict[str, str]:
    with writing(engine) as connection:
        return {"Authorization": f"Bearer {tokens.create(connection, f'my-{scope}', scope, utcnow())}"}


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_would_go_is_listed_by_name(client: TestClient) -> None:
    page = client.get("/api/runs/2/held?limit=5").json()
    assert (page["total"], page["records"][0]["guid"], page["records"][0]["title"]) == (12, "g0", "Jeu 0")
    seen = [record["guid"] for record in page["records"]]
    while page["next"]:
        page = client.get(page["next"]).json()
        seen += [record["guid"] for record in page["records"]]
    assert seen == [f"g{number}" for number in range(12)]


@pytest.mark.parametrize("decision", ["confirm", "discard"])
def test_only_those_who_may_decide(client: TestClient, bench: Guarded, decision: str) -> None:
    path = f"/api/runs/2/{decision}"
    assert told(client.post(path)) == (403, "closed")
    reader, runner = token(bench.engine, "read"), token(bench.engine, "run")
    assert told(client.post(path)) == (401, "no-token")
    assert told(client.post(path, headers=reader)) == (403, "scope")
    assert bench.visible() == 30
    body = client.post(path, headers=runner).json()
    status, left = ("succeeded", 18) if decision == "confirm" else ("partial", 30)
    assert (body["status"], body["decided_by"], bench.visible()) == (status, "my-run", left)
    assert told(client.post(path, headers=runner)) == (409, "not-held")
    assert told(client.get("/api/runs/2/held")) == (409, "not-held")


def test_what_cannot_be_decided(client: TestClient, bench: Guarded) -> None:
    runner = token(bench.engine, "run")
    assert told(client.post("/api/runs/9/confirm", headers=runner)) == (404, "unknown-run")
    assert told(client.post("/api/runs/1/confirm", headers=runner)) == (409, "not-held")
    bench.run(Programmable(packages(30)))
    assert told(client.post("/api/runs/2/confirm", headers=runner)) == (409, "outdated-run")
    assert told(client.get("/api/runs/2/held")) == (409, "outdated-run")
