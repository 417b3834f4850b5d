"""A dry run through the API: told while it goes on, ended when nobody reads, and the same as the real one."""

from __future__ import annotations

import asyncio
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, func, select

from api.rehearsing import Rehearsal
from harvester import tokens
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import records, runs
from harvester.harvest import Change, Result, Tally
from harvester.samples import CKAN
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.catalogues import application
from tests.one_source import OneSource
from tests.programmable import packages
from tests.test_resuming import Remembering


def told(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def test_what_a_run_would_do_is_told_line_by_line(settings: Settings, engine: Engine) -> None:
    with writing(engine) as connection:
        secret = tokens.create(connection, "who", "run", utcnow())
    with serve(CKAN.portal()) as server:
        with writing(engine) as connection:
            row = {"name": "one", "title": "One", "connector": "ckan", "url": f"{server.url}{CKAN.path}"}
            store.add_source(connection, row | {"options": {}, "created_at": utcnow()})
        with TestClient(application(settings)) as client:
            header = {"Authorization": f"Bearer {secret}"}
            answer = client.post("/api/sources/one/dry-run", headers=header)
            assert client.post("/api/sources/nobody/dry-run", headers=header).status_code == 404
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    found = told(answer.text)
    changes = [line["change"] for line in found if "change" in line]
    end = found[-1]["end"]
    assert (end["status"], end["created"]) == ("succeeded", len(changes))
    assert {change["action"] for change in changes} == {"created"}
    assert len(changes) >= 100
    assert any("progress" in line for line in found)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(records)).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(runs)).scalar_one() == 0


class Running:
    """Stands for the work: tells changes for ever, until it is told to stop."""

    def __init__(self) -> None:
        self.stopped, self.released = threading.Event(), threading.Event()
        self.made = 0

    def __call__(self, *_: Any, dry: bool, watch: Any) -> Result:
        assert dry
        while not watch.stop():
            self.made += 1
            watch.on_change(Change("created", f"g{self.made}", None))
        self.stopped.set()
        return Result("one", "cancelled", Tally(), "stopped", "stopped")


def rehearsal(engine: Engine, settings: Settings, work: Running, **more: Any) -> Rehearsal:
    row = OneSource(engine, settings).source()
    made = Rehearsal(engine, settings, row, "full", work.released.set, execute=work, **more)
    made.start()
    return made


def test_it_ends_when_nobody_reads_on(engine: Engine, settings: Settings) -> None:
    work = Running()
    running = rehearsal(engine, settings, work)

    async def read() -> bytes:
        lines = running.lines()
        first = await anext(lines)
        await lines.aclose()
        return first

    assert told(asyncio.run(read()).decode()) == [{"change": {"action": "created", "guid": "g1"}}]
    assert work.stopped.wait(20)
    assert work.released.wait(20)
    assert work.made <= 1100


def test_it_ends_when_its_time_is_over(engine: Engine, settings: Settings) -> None:
    work, clock = Running(), iter([0.0])
    running = rehearsal(engine, settings, work, seconds=lambda: next(clock, 4000.0))

    async def read() -> list[bytes]:
        return [line async for line in running.lines()]

    lines = told(b"".join(asyncio.run(read())).decode())
    assert lines[-1]["end"]["code"] == "run-time"
    assert work.released.wait(20)


def test_no_more_are_made_at_once_than_there_are_workers(settings: Settings, engine: Engine) -> None:
    with writing(engine) as connection:
        secret = tokens.create(connection, "who", "run", utcnow())
        row = {"name": "one", "title": "One", "connector": "ckan", "url": "http://one.example/"}
        store.add_source(connection, row | {"options": {}, "created_at": utcnow()})
    with TestClient(application(settings)) as client:
        client.app.state.dry_runs = threading.BoundedSemaphore(1)  # type: ignore[attr-defined]
        client.app.state.dry_runs.acquire()  # type: ignore[attr-defined]
        answer = client.post("/api/sources/one/dry-run", headers={"Authorization": f"Bearer {secret}"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-dry-runs")


@pytest.mark.parametrize("changed", [False, True])
def test_it_uses_what_is_known_of_answers_as_a_run_does(engine: Engine, settings: Settings, changed: bool) -> None:
    bench, connector = OneSource(engine, settings), Remembering(packages(12), 3)
    bench.run(connector)
    bench.now += timedelta(days=1)
    if changed:
        connector.packages["g4"]["title"] = "Autre"
        del connector.packages["g11"]
    heard: list[Change] = []
    dry = bench.run(connector, dry=True, on_change=heard.append)
    real: list[Change] = []
    done = bench.run(connector, on_change=real.append)
    assert (dry.status, dry.code, dry.tally.counts) == (done.status, done.code, done.tally.counts)
    assert dry.tally.warnings == done.tally.warnings
    assert sorted((c.action, c.guid) for c in heard) == sorted((c.action, c.guid) for c in real)
