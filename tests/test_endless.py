"""A source that makes up records as it is asked: what it brought beyond its own count is not shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Engine, func, select

from harvester.catalogue.tables import datasets
from harvester.connector import Page, Record, Source, Walk
from harvester.http import Http
from harvester.settings import Settings
from tests.one_source import OneSource
from tests.programmable import Programmable, packages


class Endless(Programmable):
    """Lists its packages, and then, as long as it is asked, others that it makes up."""

    made = 0

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        yield from super().fetch(source, http, walk)
        while True:
            numbers = range(self.made, self.made + 1000)
            self.made += 1000
            yield Page(tuple(Record(f"x{n}", {"title": f"Rien {n}"}) for n in numbers), len(self.packages))


def shown(bench: OneSource) -> int:
    with bench.engine.connect() as connection:
        return int(connection.execute(select(func.count()).where(datasets.c.retired_at.is_(None))).scalar_one())


def test_made_up_records_do_not_stay(engine: Engine, settings: Settings) -> None:
    bench, connector = OneSource(engine, settings), Endless(packages(9), 3)
    result = bench.run(connector)
    assert (result.status, result.code) == ("failed", "paging-loop")
    assert bench.active() == {f"g{n}" for n in range(9)}
    assert shown(bench) == 9
    assert "the 11000 new ones beyond that count are not shown" in str(result.message)
    assert [problem.message for problem in bench.problems()] == [result.message]
    bench.now += timedelta(days=1)
    again = bench.run(connector)
    assert again.code == "paging-loop"
    assert "the 1500 new ones" in str(again.message)
    assert bench.active() == {f"g{n}" for n in range(9)}


def test_what_was_known_before_stays(engine: Engine, settings: Settings) -> None:
    bench = OneSource(engine, settings)
    bench.run(Programmable(packages(9), 3))
    bench.now += timedelta(days=1)
    connector = Endless(packages(10), 3)
    connector.packages["g2"]["title"] = "Autre"
    bench.run(connector)
    assert bench.active() == {f"g{n}" for n in range(10)}


def test_a_dry_run_tells_the_same(engine: Engine, settings: Settings) -> None:
    bench = OneSource(engine, settings)
    result = bench.run(Endless(packages(9), 3), dry=True)
    assert "the 11000 new ones beyond that count are not shown" in str(result.message)
