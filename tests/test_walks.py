"""Walks end where the source ends, and say so when it lies, loops or chokes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harvester.connector import Page, Record
from harvester.errors import RecordError, SourceError, Unavailable
from harvester.walks import Slice, walk_links, walk_offsets


def make(item: Any) -> Record:
    if item is None:
        raise RecordError("no record", code="empty-record")
    return Record(str(item), {"n": item})


def guids(pages: list[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records]


class Portal:
    """A list read by offset and limit, with what a test makes go wrong."""

    def __init__(self, number: int, cap: int = 1000, broken: tuple[int, ...] = (), lies: int | None = None) -> None:
        self.items, self.cap, self.broken, self.lies = list(range(number)), cap, broken, lies
        self.asked: list[tuple[int, int]] = []

    def __call__(self, offset: int, limit: int) -> Slice:
        self.asked.append((offset, limit))
        limit = min(limit, self.cap)
        if any(offset <= position < offset + limit for position in self.broken):
            raise Unavailable("500", url="http://p.example/")
        return Slice(self.items[offset : offset + limit], len(self.items) if self.lies is None else self.lies)


@pytest.mark.parametrize("number", [0, 1, 9, 10, 11, 25])
@pytest.mark.parametrize("lies", [None, 0, 5, 1000])
def test_every_item_comes_once_whatever_the_total_says(number: int, lies: int | None) -> None:
    pages = list(walk_offsets(Portal(number, lies=lies), make, (10, 5, 1)))
    assert guids(pages) == [str(n) for n in range(number)]


def test_a_silent_cap_moves_the_offset_by_what_came() -> None:
    portal = Portal(25, cap=7)
    assert guids(list(walk_offsets(portal, make, (10,)))) == [str(n) for n in range(25)]


def test_a_page_that_fails_is_narrowed_down_to_its_record() -> None:
    portal = Portal(100, broken=(42,))
    pages = list(walk_offsets(portal, make, (50, 10, 1)))
    assert guids(pages) == [str(n) for n in range(100) if n != 42]
    problems = [problem for page in pages for problem in page.problems]
    assert [(p.code, p.value) for p in problems] == [("unreadable-record", 42)]
    assert (50, 50) in portal.asked


def test_a_portal_that_is_down_stops_the_walk() -> None:
    with pytest.raises(Unavailable):
        list(walk_offsets(Portal(100, broken=tuple(range(100))), make, (10, 1)))


def test_ignored_paging_parameters_are_noticed() -> None:
    with pytest.raises(SourceError) as caught:
        list(walk_offsets(lambda offset, limit: Slice([1, 2, 3], 9), make, (3, 1)))
    assert caught.value.code == "paging-ignored"


def test_a_walk_resumes_after_its_cursor() -> None:
    pages = list(walk_offsets(Portal(30), make, (10, 1)))
    assert pages[0].cursor == "10"
    assert guids(list(walk_offsets(Portal(30), make, (10, 1), start=10))) == [str(n) for n in range(10, 30)]


def test_items_that_are_no_records_are_reported() -> None:
    pages = list(walk_offsets(lambda offset, limit: Slice([1, None, 3][offset:], 3), make, (10, 1)))
    assert guids(pages) == ["1", "3"]
    assert [problem.code for problem in pages[0].problems] == ["empty-record"]


def linked(links: dict[str, str | None]) -> Callable[[str], Slice]:
    return lambda url: Slice([url], None, links[url])


def test_links_are_followed_to_the_last() -> None:
    assert guids(list(walk_links("a", linked({"a": "b", "b": "c", "c": None}), make))) == ["a", "b", "c"]


@pytest.mark.parametrize("links", [{"a": "a"}, {"a": "b", "b": "c", "c": "b"}])
def test_a_circle_of_links_is_an_error(links: dict[str, str | None]) -> None:
    with pytest.raises(SourceError) as caught:
        list(walk_links("a", linked(links), make))
    assert caught.value.code == "paging-loop"
