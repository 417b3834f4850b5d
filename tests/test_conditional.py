"""Feeds are asked for with the validators of their last answer, and what stands then stands as if it had been read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from connectors import dcat
from connectors.dcat.asking import validators
from harvester import sources, worker
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import bodies, records
from harvester.harvest import Harvest, Result
from harvester.http import Http
from harvester.run import run
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport
from harvester.settings import Settings
from tests.kinds import FEED, pod, pod_feed

ROOT = "http://127.0.0.1"
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FEEDS = ("/catalog.ttl", "/whole.ttl", "/data.json")


class Server:
    """A feed in one of three forms, that gives an ETag and heeds it; it counts what it sends."""

    def __init__(self, path: str, count: int = 25) -> None:
        self.path, self.sent, self.spared = path, 0, 0
        self.change(count)
        self.tag: Callable[[bytes], str] = lambda body: f'"{hash(body)}"'

    def change(self, count: int) -> None:
        blocks = [FEED.format(number) for number in range(count)]
        portals: dict[str, Portal] = {
            "/catalog.ttl": dcat_portal(blocks, title="P", page_size=10),
            "/whole.ttl": dcat_portal(blocks, title="P", hydra="", path="/whole"),
            "/data.json": pod_feed([pod(number) for number in range(count)]),
        }
        self.portal = portals[self.path]

    def __call__(self, request: Request) -> Reply:
        reply = self.portal(request)
        tag = self.tag(reply.body)
        if request.headers.get("if-none-match") == tag:
            self.spared += 1
            return Reply(304, headers={"ETag": tag})
        self.sent += 1
        return Reply(reply.status, reply.body, reply.content_type, {"ETag": tag} if tag else {})


class Bench:
    """A catalogue with one feed, and a clock that moves an hour a run."""

    def __init__(self, engine: Engine, settings: Settings, path: str) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW
        self.server = Server(path)
        with writing(engine) as connection:
            row = {"name": "one", "title": "One", "connector": "dcat", "url": ROOT + path, "options": {}}
            store.add_source(connection, row | {"created_at": NOW})

    def run(self, hours: float = 1) -> Result:
        self.now += timedelta(hours=hours)
        with writing(self.engine) as connection:
            row = sources.named(connection, "one")
            claim = worker.begin(connection, row, "full", self.now)
        with Http(self.settings, transport=as_transport(self.server)) as http:
            harvest = Harvest(self.engine, self.settings, http, lambda: self.now, connectors=lambda _: dcat)
            return run(harvest, row, claim)

    def active(self) -> int:
        with self.engine.connect() as connection:
            return len(connection.execute(select(records.c.id).where(records.c.status == "active")).all())


@pytest.fixture(params=FEEDS)
def bench(request: pytest.FixtureRequest, engine: Engine, settings: Settings) -> Bench:
    return Bench(engine, settings, request.param)


def counts(result: Result) -> dict[str, int]:
    return {name: number for name, number in result.tally.counts.items() if number}


def test_what_has_not_changed_is_not_sent_again(bench: Bench) -> None:
    assert counts(bench.run()) == {"created": 25}
    sent = bench.server.sent
    second = bench.run()
    assert (second.status, counts(second)) == ("succeeded", {"unchanged": 25})
    assert (bench.server.sent, bench.server.spared) == (sent, sent)
    assert bench.active() == 25


def test_a_change_is_seen_and_what_went_goes(bench: Bench) -> None:
    bench.run()
    bench.server.change(22)
    assert counts(bench.run()) == {"unchanged": 22, "retired": 3}
    assert bench.active() == 22
    sent = bench.server.sent
    assert counts(bench.run()) == {"unchanged": 22}
    assert bench.server.sent == sent


def test_nothing_is_asked_with_conditions_when_a_record_does_not_stand(bench: Bench) -> None:
    bench.run()
    with writing(bench.engine) as connection:
        connection.execute(records.update().where(records.c.id == 1).values(status="failed"))
    sent = bench.server.sent
    bench.run()
    assert bench.server.sent > sent


def test_a_portal_that_says_for_ever_that_nothing_changed_is_read_all_the_same(bench: Bench) -> None:
    bench.run()
    bench.server.tag = lambda body: '"v1"'
    bench.run(hours=24 * bench.settings.full_every_days)
    bench.server.change(24)
    assert counts(bench.run()) == {"unchanged": 25}
    assert counts(bench.run(hours=24 * bench.settings.full_every_days)) == {"unchanged": 24, "retired": 1}


def test_without_validators_the_same_bytes_are_read_no_further(bench: Bench) -> None:
    bench.server.tag = lambda body: ""
    bench.run()
    assert counts(bench.run()) == {"unchanged": 25}
    assert bench.server.spared == 0
    with bench.engine.connect() as connection:
        assert {row.etag for row in connection.execute(select(bodies))} == {None}


def test_another_way_of_asking_is_another_answer(bench: Bench) -> None:
    bench.run()
    with writing(bench.engine) as connection:
        row = sources.named(connection, "one")
        store.edit_source(connection, row.id, {"options": {"accept": "text/turtle"}})
    bench.run()
    assert bench.server.spared == 0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"etag": 'W/"x"'}, ('W/"x"', None)),
        ({"etag": ""}, (None, None)),
        ({"last-modified": "Fri, 01 May 2026 10:00:00 GMT"}, (None, None)),
        ({"last-modified": "Fri, 01 May 2026 10:00:00 GMT", "date": "Fri, 01 May 2026 10:00:30 GMT"}, (None, None)),
        (
            {"last-modified": "Fri, 01 May 2026 10:00:00 GMT", "date": "Fri, 01 May 2026 10:01:00 GMT"},
            (None, "Fri, 01 May 2026 10:00:00 GMT"),
        ),
        ({"last-modified": "yesterday", "date": "today"}, (None, None)),
    ],
)
def test_only_validators_that_can_be_relied_on_are_kept(headers: dict[str, str], expected: Any) -> None:
    assert validators(headers) == expected


def test_an_unasked_304_is_an_error(bench: Bench) -> None:
    bench.server.portal = lambda request: Reply(304)
    assert bench.run().status == "failed"


def test_a_data_json_with_a_lost_record_is_read_again(engine: Engine, settings: Settings) -> None:
    bench = Bench(engine, settings, "/data.json")
    document = {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": [pod(1), "no dataset"]}
    bench.server.portal = lambda request: Reply(200, json.dumps(document).encode(), "application/json")
    for _ in range(2):
        assert counts(bench.run())["failed"] == 1
    assert bench.server.spared == 0
