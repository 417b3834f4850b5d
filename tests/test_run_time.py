"""A run takes as long as it may, and no longer; the next one of its source goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select

from harvester import sources
from harvester.catalogue import claims, queries
from harvester.catalogue.database import writing
from harvester.catalogue.tables import runs
from harvester.connector import Page, Source, Walk
from harvester.http import Http
from harvester.settings import Settings
from tests.one_source import NOW, OneSource
from tests.programmable import Programmable, packages

HOUR = timedelta(hours=1)


class Slow(Programmable):
    """Takes an hour for each page; goes on after the page of a cursor."""

    bench: OneSource

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        for page in super().fetch(source, http, replace(walk, cursor=None)):
            if int(page.cursor or 0) > int(walk.cursor or 0):
                self.bench.now += HOUR
                yield page
        self.walks[-1] = walk


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> OneSource:
    return OneSource(engine, settings.model_copy(update={"run_hours": 4.5}))


def slow(bench: OneSource, number: int = 30) -> Slow:
    connector = Slow(packages(number), 3)
    connector.bench = bench
    return connector


def test_a_run_that_takes_too_long_ends_and_the_next_one_goes_on(bench: OneSource) -> None:
    connector = slow(bench)
    first = bench.run(connector)
    assert (first.status, first.code) == ("partial", "run-time")
    seen = len(bench.active())
    assert 0 < seen < 30
    assert (bench.source().complete_at, bench.source().since_at) == (None, None)
    assert [problem.code for problem in bench.problems()] == ["run-time"]
    while (last := bench.run(connector)).code == "run-time":
        assert len(bench.active()) > seen
        seen = len(bench.active())
    assert (last.status, last.tally.fetched, last.tally.distinct) == ("succeeded", 30, 30)
    assert bench.source().complete_at == NOW
    with bench.engine.connect() as connection:
        assert [tuple(row) for row in connection.execute(select(runs.c.id, runs.c.status))] == [(1, "succeeded")]


def test_what_it_had_not_seen_yet_is_not_taken_for_gone(bench: OneSource) -> None:
    connector = slow(bench)
    while bench.run(connector).code:
        pass
    del connector.packages["g1"]
    result = bench.run(connector)
    assert (result.code, result.tally.counts["retired"]) == ("run-time", 0)
    assert len(bench.active()) == 30


def test_without_a_limit_it_takes_what_it_takes(bench: OneSource) -> None:
    bench.settings = bench.settings.model_copy(update={"run_hours": 0.0})
    assert bench.run(slow(bench)).status == "succeeded"


@pytest.mark.parametrize(("mode", "goes_on"), [("full", True), ("incremental", True), ("replay", False)])
def test_who_goes_on(bench: OneSource, mode: str, goes_on: bool) -> None:
    bench.run(slow(bench))
    with writing(bench.engine) as connection:
        assert claims.enqueue(connection, bench.source().id, mode, bench.now) == (1 if goes_on else 2)
        live = queries.live_run(connection, bench.source().id)
        assert live is not None
        assert (live.status, live.code, live.ended_at) == ("queued", None, None)
        assert live.mode == ("full" if goes_on else mode)


def test_a_source_that_was_changed_begins_anew(bench: OneSource) -> None:
    bench.run(slow(bench))
    with writing(bench.engine) as connection:
        sources.edit(connection, "one", bench.now, connector="ckan", url="https://other.example/")
        assert claims.enqueue(connection, bench.source().id, "full", bench.now) == 2
