"""Walks end where the source ends, and say so when it lies, loops or chokes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

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
    assert [limit for offset, limit in portal.asked if offset > 50] == [50, 50]


def test_a_portal_that_is_down_stops_the_walk() -> None:
    with pytest.raises(Unavailable):
        list(walk_offsets(Portal(100, broken=tuple(range(100))), make, (10, 1)))


def test_a_portal_that_is_down_from_its_second_page_on_blames_no_record() -> None:
    pages = walk_offsets(Portal(100, broken=tuple(range(10, 100))), make, (10, 1))
    met: list[Page] = []
    with pytest.raises(Unavailable):
        met.extend(pages)
    assert guids(met) == [str(n) for n in range(10)]
    assert [problem.value for page in met for problem in page.problems] == []


@pytest.mark.parametrize("broken", [(95, 96, 97, 98, 99), (10, 11, 12, 13, 14), (0,), (50, 60)])
def test_records_that_break_their_pages_are_told_once_the_portal_answers(broken: tuple[int, ...]) -> None:
    pages = list(walk_offsets(Portal(100, broken=broken), make, (10, 1)))
    assert guids(pages) == [str(n) for n in range(100) if n not in broken]
    assert [problem.value for page in pages for problem in page.problems] == list(broken)


def test_ignored_paging_parameters_are_noticed() -> None:
    with pytest.raises(SourceError) as caught:
        list(walk_offsets(lambda offset, limit: Slice([1, 2, 3], 9), make, (3, 1)))
    assert caught.value.code == "paging-ignored"


def test_a_walk_resumes_after_its_cursor() -> None:
    pages = list(walk_offsets(Portal(30), make, (10, 1)))
    assert guids(list(walk_offsets(Portal(30), make, (10, 1), pages[0].cursor))) == [str(n) for n in range(10, 30)]


@pytest.mark.parametrize("cursor", ["10", "250:3", "2024-01-01T00:00:00+00:00", "o", "o5", "o5-xyz", "\ud800", ""])
def test_a_cursor_of_an_older_version_begins_at_the_start(cursor: str) -> None:
    assert guids(list(walk_offsets(Portal(12), make, (10, 1), cursor))) == [str(n) for n in range(12)]


def test_a_list_that_moved_before_its_cursor_is_read_from_the_start() -> None:
    pages = list(walk_offsets(Portal(30), make, (10, 1)))
    later = Portal(30)
    later.items.remove(3)
    later.items.insert(5, 99)
    del later.items[0]
    resumed = guids(list(walk_offsets(later, make, (10, 1), pages[1].cursor)))
    assert set(guids(pages[:2])) | set(resumed) == {str(n) for n in {*range(30), 99}}
    assert "1" in resumed


@dataclass
class Moving:
    """A list in the order of its numbers that changes before some of the requests."""

    items: list[int]
    changes: dict[int, tuple[list[int], list[int]]]
    cap: int = 1000
    asked: int = 0

    def __call__(self, offset: int, limit: int) -> Slice:
        gone, new = self.changes.get(self.asked, ([], []))
        self.asked += 1
        self.items = sorted((set(self.items) | set(new)) - set(gone))
        return Slice(self.items[offset : offset + min(limit, self.cap)], len(self.items))


def test_what_is_removed_in_mid_walk_costs_no_other_record() -> None:
    portal = Moving(list(range(40)), {1: ([3], []), 2: ([0, 1, 12], []), 3: ([38], [])})
    found = guids(list(walk_offsets(portal, make, (10, 1))))
    assert len(found) == len(set(found))
    assert set(found) >= {str(n) for n in portal.items}


def test_what_is_inserted_in_mid_walk_is_found_and_doubles_nothing() -> None:
    portal = Moving(list(range(0, 80, 2)), {1: ([], [3]), 2: ([], [1, 11, 77])})
    found = guids(list(walk_offsets(portal, make, (10, 1))))
    assert sorted(found, key=int) == [str(n) for n in portal.items]


def test_a_list_that_stands_still_is_not_read_twice() -> None:
    portal = Moving(list(range(1000)), {})
    list(walk_offsets(portal, make, (100, 10, 1)))
    assert portal.asked == 12


def test_a_list_that_moves_is_put_right_with_few_requests() -> None:
    portal = Moving(list(range(100_000)), {50: ([7], [])})
    assert len(guids(list(walk_offsets(portal, make, (1000, 1))))) == 100_000
    assert portal.asked < 101 + 2 + 25


@settings(max_examples=300, deadline=None)
@given(
    size=st.integers(0, 60),
    cap=st.integers(2, 30),
    changes=st.dictionaries(
        st.integers(1, 12), st.tuples(st.lists(st.integers(0, 130)), st.lists(st.integers(0, 130), max_size=6))
    ),
)
@example(size=3, cap=2, changes={1: ([0], []), 2: ([], []), 5: ([], [0])})
def test_whatever_moves_nothing_that_stays_is_lost_or_doubled(
    size: int, cap: int, changes: dict[int, tuple[list[int], list[int]]]
) -> None:
    items = list(range(0, 2 * size, 2))
    portal = Moving(items, changes, cap)
    staying = set(items) - {n for gone, _ in changes.values() for n in gone}
    found = guids(list(walk_offsets(portal, make, (20, 5, 1))))
    assert len(found) == len(set(found))
    assert set(found) >= {str(n) for n in staying}


@settings(max_examples=200, deadline=None)
@given(
    size=st.integers(0, 60),
    after=st.integers(0, 8),
    gone=st.lists(st.integers(0, 130)),
    new=st.lists(st.integers(0, 130), max_size=6),
)
def test_resumed_anywhere_after_any_change_nothing_that_stays_is_lost(
    size: int, after: int, gone: list[int], new: list[int]
) -> None:
    items = list(range(0, 2 * size, 2))
    pages = list(islice(walk_offsets(Moving(items, {}), make, (7, 1)), after + 1))
    later = Moving(sorted((set(items) | set(new)) - set(gone)), {})
    rest = list(walk_offsets(later, make, (7, 1), pages[-1].cursor if pages else None))
    assert set(guids(pages)) | set(guids(rest)) >= {str(n) for n in set(items) - set(gone)}


def test_a_list_without_any_order_is_read_again_and_says_so() -> None:
    random, items = Random(5), list(range(2000))

    def read(offset: int, limit: int) -> Slice:
        return Slice(random.sample(items, 2000)[offset : offset + limit], 2000)

    pages = list(islice(walk_offsets(read, make, (100, 1)), 500))
    assert len(guids(pages)) == len(set(guids(pages))) > 1700
    assert "moving-list" in [note.code for page in pages for note in page.notes]
    assert len(pages) < 200


def test_a_portal_that_shows_its_last_page_for_ever_ends() -> None:
    def read(offset: int, limit: int) -> Slice:
        start = min(offset, 20)
        return Slice(list(range(25))[start : start + limit])

    assert guids(list(islice(walk_offsets(read, make, (5, 1)), 100))) == [str(n) for n in range(25)]


def test_a_portal_that_chokes_is_asked_for_less_and_later_for_more() -> None:
    inner = Portal(300)

    def read(offset: int, limit: int) -> Slice:
        part = inner(offset, limit)
        if limit > 10 and len(inner.asked) < 12:
            raise Unavailable("504", url="http://p.example/")
        return part

    assert guids(list(walk_offsets(read, make, (50, 10, 1)))) == [str(n) for n in range(300)]
    assert [limit for _, limit in inner.asked][-2:] == [50, 50]
    assert sum(limit == 50 for _, limit in inner.asked[:12]) <= 4


def test_a_portal_that_always_chokes_is_asked_for_much_more_and_more_rarely() -> None:
    inner = Portal(3000)

    def read(offset: int, limit: int) -> Slice:
        part = inner(offset, limit)
        if limit > 10:
            raise Unavailable("504", url="http://p.example/")
        return part

    assert len(guids(list(walk_offsets(read, make, (50, 10, 1))))) == 3000
    assert sum(limit == 50 for _, limit in inner.asked) < 8


def test_a_size_that_a_portal_refuses_is_made_smaller() -> None:
    inner = Portal(30)

    def read(offset: int, limit: int) -> Slice:
        if offset + limit > 16 and limit > 5:
            raise SourceError("from + size must be ≤ 16", code="http-400")
        return inner(offset, limit)

    assert guids(list(walk_offsets(read, make, (20, 10, 5, 1)))) == [str(n) for n in range(30)]


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


class Numbered:
    """A feed whose pages have numbers and whose datasets change before some of the requests."""

    def __init__(self, items: list[int], changes: dict[int, list[int]], size: int = 5, counts: bool = True) -> None:
        self.items, self.changes, self.size, self.counts, self.asked = items, changes, size, counts, 0

    def __call__(self, url: str) -> Slice:
        self.items = self.changes.get(self.asked, self.items)
        self.asked += 1
        page = int(url)
        shown = self.items[(page - 1) * self.size : page * self.size]
        more = page * self.size < len(self.items)
        return Slice(shown, len(self.items) if self.counts else None, str(page + 1) if more else None)


def test_what_moves_from_page_to_page_is_not_lost() -> None:
    for at in range(1, 8):
        removed = Numbered(list(range(30)), {at: list(range(3, 30))})
        found = guids(list(walk_links("1", removed, make)))
        assert len(found) == len(set(found))
        assert set(found) >= {str(n) for n in range(3, 30)}
        first_changed = Numbered(list(range(30)), {at: [27, *range(27), 28, 29]})
        assert sorted(guids(list(walk_links("1", first_changed, make))), key=int) == [str(n) for n in range(30)]


def test_a_feed_that_stands_still_is_read_once() -> None:
    feed = Numbered(list(range(30)), {})
    list(walk_links("1", feed, make))
    assert feed.asked == 6


def test_a_feed_that_lists_a_record_twice_is_not_read_for_ever() -> None:
    feed = Numbered([*range(28), 3, 4], {}, counts=False)
    assert len(guids(list(walk_links("1", feed, make)))) == 28
    assert feed.asked < 20


def test_a_last_page_that_links_to_itself_ends_a_walk_that_is_complete() -> None:
    def read(url: str) -> Slice:
        return Slice([1, 2] if url == "a" else [3], total, "b")

    total: int | None = 3
    assert guids(list(walk_links("a", read, make))) == ["1", "2", "3"]
    for unsure in (None, 9):
        total = unsure
        with pytest.raises(SourceError) as caught:
            list(walk_links("a", read, make))
        assert caught.value.code == "paging-loop"


def test_a_cursor_whose_page_is_gone_begins_at_the_start() -> None:
    pages = list(walk_links("1", Numbered(list(range(30)), {}), make))

    def shrunk(url: str) -> Slice:
        if int(url) > 2:
            raise SourceError("404", code="http-404")
        return Numbered(list(range(10)), {})(url)

    assert guids(list(walk_links("1", shrunk, make, pages[3].cursor))) == [str(n) for n in range(10)]
