"""Walks that go on after a list has changed behind them: nothing is lost, counts twice, or goes unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest
from sqlalchemy import Engine, select

from harvester.catalogue.tables import problems
from harvester.connector import Page, Record, Source, Walk
from harvester.http import Http
from harvester.settings import Settings
from harvester.walks import Slice, walk_links, walk_offsets
from tests.one_source import Killed, OneSource
from tests.programmable import Programmable, packages

MINUTE = timedelta(minutes=1)


def make(item: Any) -> Record:
    return Record(str(item), {"n": item})


def guids(pages: list[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records]


class Listed:
    """A list read by offset and limit, that counts nothing or itself."""

    def __init__(self, items: list[int], counts: bool = True) -> None:
        self.items, self.counts = items, counts
        self.asked: list[tuple[int, int]] = []

    def __call__(self, offset: int, limit: int) -> Slice:
        self.asked.append((offset, limit))
        return Slice(self.items[offset : offset + limit], len(self.items) if self.counts else None)


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize(("gone", "moved", "to"), [(3, 25, 9), (0, 29, 12), (11, 22, 0), (2, 24, 17)])
def test_what_moved_before_the_cursor_is_read_though_as_much_went_from_there(
    gone: int, moved: int, to: int, counts: bool
) -> None:
    first = list(islice(walk_offsets(Listed([*range(30)], counts), make, (5, 1)), 4))
    later = Listed([*range(30)], counts)
    for item in (gone, moved):
        later.items.remove(item)
    later.items.insert(to, moved)
    # The record before the cursor is where it was, and so are all after it.
    assert later.items[19] == 19
    rest = list(walk_offsets(later, make, (5, 1), first[-1].cursor))
    assert set(guids(first)) | set(guids(rest)) >= {str(item) for item in later.items}
    assert [page.anew for page in rest].index(True) == 0


def test_a_list_that_stands_is_asked_about_a_few_places_only() -> None:
    first = list(islice(walk_offsets(Listed([*range(1000)]), make, (10, 1)), 90))
    later = Listed([*range(1000)])
    rest = list(walk_offsets(later, make, (10, 1), first[-1].cursor))
    assert guids([*first, *rest]) == [str(number) for number in range(1000)]
    assert 1 <= len([limit for _, limit in later.asked if limit == 1]) <= 8
    assert not any(page.anew for page in rest)


def test_a_cursor_remembers_through_several_attempts() -> None:
    pages = list(islice(walk_offsets(Listed([*range(100)]), make, (10, 1)), 4))
    pages += islice(walk_offsets(Listed([*range(100)]), make, (10, 1), pages[-1].cursor), 2)
    later = Listed([*range(100)])
    for item in (3, 90):
        later.items.remove(item)
    later.items.insert(20, 90)
    rest = list(walk_offsets(later, make, (10, 1), pages[-1].cursor))
    assert "90" in guids(rest)
    assert rest[0].anew


def test_a_walk_along_links_says_that_it_begins_anew() -> None:
    def read(items: list[int]) -> Any:
        def page(url: str) -> Slice:
            number = int(url)
            return Slice(items[5 * number : 5 * number + 5], len(items), str(number + 1) if number < 3 else None)

        return page

    first = list(islice(walk_links("0", read([*range(20)]), make), 2))
    same = list(walk_links("0", read([*range(20)]), make, first[-1].cursor))
    assert (guids(same), [page.anew for page in same]) == ([str(n) for n in range(10, 20)], [False, False])
    rest = list(walk_links("0", read([*range(7), *range(8, 20)]), make, first[-1].cursor))
    assert [page.anew for page in rest] == [True, False, False, False]


class ByOffset(Programmable):
    """Lists its packages by offset; ends its process, or the walk, after so many pages."""

    killed_after: int | None = None
    counts = True

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        guids = list(self.packages)

        def read(offset: int, limit: int) -> Slice:
            part = [(guid, self.packages[guid]) for guid in guids[offset : offset + limit]]
            return Slice(part, len(guids) if self.counts else None)

        pages = walk_offsets(read, lambda item: Record(*item), (self.size, 1), walk.cursor)
        for number, page in enumerate(pages):
            if number == self.killed_after:
                raise Killed
            yield page


class Forgetful(ByOffset):
    """Begins at the start whatever the cursor is, and does not say so."""

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        return super().fetch(source, http, replace(walk, cursor=None))


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> OneSource:
    return OneSource(engine, settings)


@pytest.mark.parametrize("kind", [ByOffset, Forgetful])
def test_a_long_walk_that_begins_anew_is_no_loop(bench: OneSource, kind: type[ByOffset]) -> None:
    connector = kind(packages(100), 3)
    bench.killed(connector, 28, MINUTE)
    # One went, and another one moved, before the place where the run stopped.
    moved = {"g90": connector.packages.pop("g90")}
    del connector.packages["g2"]
    rest = list(connector.packages.items())
    connector.packages = dict([*rest[:50], *moved.items(), *rest[50:]])
    result = bench.run(connector)
    assert result.status == "succeeded", result.message
    assert bench.active() == {f"g{number}" for number in range(100)}
    with bench.engine.connect() as connection:
        assert connection.execute(select(problems.c.code)).all() == []


def test_what_comes_again_counts_once(bench: OneSource) -> None:
    connector = ByOffset(packages(60), 3)
    bench.killed(connector, 15, MINUTE)
    last = connector.packages.pop("g59")
    connector.packages = {"g59": last} | connector.packages
    result = bench.run(connector)
    assert (result.status, result.tally.fetched, result.tally.distinct) == ("succeeded", 60, 60)
    assert (result.tally.counts["created"], result.tally.counts["repeated"]) == (60, 0)


@pytest.mark.parametrize(("stands", "retired"), [(2 * MINUTE, 1), (60 * MINUTE, 0)])
def test_what_a_walk_with_a_long_rest_did_not_show_waits(bench: OneSource, stands: timedelta, retired: int) -> None:
    connector = ByOffset(packages(60), 5)
    connector.counts = False
    bench.run(connector)
    bench.now += timedelta(days=1)
    bench.killed(connector, 6, stands)
    # What was to come has moved into what had been read, and its neighbour there is gone: no place tells.
    del connector.packages["g5"]
    names = [name for name in connector.packages if name != "g50"]
    connector.packages = {name: connector.packages[name] for name in [*names[:5], "g50", *names[5:]]}
    result = bench.run(connector)
    assert result.tally.counts["retired"] == retired
    assert result.code == (None if retired else "total-changed")
    assert bench.active() >= ({f"g{n}" for n in range(60)} - {"g50"} if retired else {f"g{n}" for n in range(60)})
