"""Walks along the links of pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from harvester.connector import Page, Record
from harvester.errors import RecordError, SourceError, Unavailable
from harvester.jsonio import digest
from harvester.walks.seams import mark_of
from harvester.walks.slices import MOST_FRUITLESS, MOST_IDLE_PAGES, MOST_SWEEPS, Make, Slice, moving, records

MOST_PAGES = 1_000_000
_LINK = re.compile(r"l(?P<count>\d{1,12})-(?P<guids>[0-9a-f]{16})-(?P<bytes>[0-9a-f]*)-(?P<url>\S+)")


def walk_links(first: str, read: Callable[[str], Slice], make: Make, cursor: str | None = None) -> Iterator[Page]:
    """Walk `read(url)` along the links it answers, or on from a cursor.

    Pages are numbered by their portals, so that what is removed or inserted meanwhile moves records from page to
    page.  When the total falls, the pages before are read again; when a record comes twice, or the total changed, and
    less came than the total says, all of them are.  A cursor holds as long as its page shows the same records;
    otherwise the walk begins at the start.  Raises `SourceError` on a loop or on repeated pages.
    """
    return _Links(first, read, make).pages(cursor)


def is_linked(cursor: str | None) -> bool:
    """Whether a cursor is one of `walk_links`."""
    return _LINK.fullmatch(cursor or "") is not None


class _Links:
    """One walk along links."""

    def __init__(self, first: str, read: Callable[[str], Slice], make: Make) -> None:
        self._first, self._read, self._make = first, read, make
        self._trail: dict[str, None] = {}
        self._contents: set[bytes] = set()
        self._met: set[int] = set()
        # Records that stand for themselves: of pages that are unchanged, or that an earlier attempt read.
        self._standing = 0
        self._totals: list[int] = []
        self._doubled = False
        self._idle = 0
        self._cursor: str | None = None
        # Whether records of an earlier attempt come again.
        self._resuming = self._anew = False

    def pages(self, cursor: str | None) -> Iterator[Page]:
        """See `walk_links`."""
        self._resuming = is_linked(cursor)
        for page in self._walked(cursor):
            yield replace(page, anew=True) if self._anew else page
            self._anew = False

    def _walked(self, cursor: str | None) -> Iterator[Page]:
        url, guessed = self._resumed(cursor), False
        self._anew = self._resuming and url == self._first
        while url is not None:
            self._visit(url)
            part = self._read(url)
            if self._fell(part.total):
                yield from self._before()
            page = self._page(part, url, guessed)
            yield page
            url, guessed = self._next(part, page, url)
        for _ in range(MOST_SWEEPS - 1):
            if not self._is_short():
                return
            yield Page((), self._totals[-1] if self._totals else None, notes=(moving(self._totals or [0]),))
            before, self._anew = len(self._met), self._resuming
            yield from self._again()
            if len(self._met) == before:
                return

    def _resumed(self, cursor: str | None) -> str | None:
        """The address to begin with: after the page of a cursor, if it still shows the same records."""
        found = _LINK.fullmatch(cursor or "")
        if found is None:
            return self._first
        url = found["url"]
        try:
            part = self._read(url)
        except Unavailable:
            raise
        except SourceError:
            # The page is gone: the list has moved.
            return self._first
        marks = self._marks(part)
        same = found["bytes"] == _hex(part) != ""
        if not same and (part.unchanged or found["guids"] != _shown(marks)):
            return self._first
        self._trail[url] = None
        self._standing = int(found["count"]) - len(set(marks))
        self._met.update(marks)
        self._total(part)
        return part.next or (part.maybe if self._has_more(part) else None)

    def _visit(self, url: str) -> None:
        if url in self._trail or len(self._trail) >= MOST_PAGES:
            raise SourceError(f"the paging links run in a circle: {url} was read before", code="paging-loop", url=url)
        self._trail[url] = None

    def _page(self, part: Slice, url: str, guessed: bool) -> Page:
        self._total(part)
        if part.unchanged and part.body is not None:
            self._standing += part.body.records
            self._cursor = self._after(url, part, ())
            return Page((), part.total, self._cursor, unchanged=part.body)
        marks = tuple(self._marks(part))
        self._refuse_repeated(part, marks, url, guessed)
        good, bad = self._fresh(part)
        self._idle = 0 if good else self._idle + 1
        self._cursor = self._after(url, part, marks)
        link = part.next or (part.maybe if good and self._has_more(part) else None)
        return Page(
            good,
            part.total,
            self._cursor,
            bad,
            part.notes,
            body=part.body.digest if part.body else None,
            whole=None if bad or part.body is None else replace(part.body, next=link),
            doubtful=part.doubtful,
        )

    def _next(self, part: Slice, page: Page, url: str) -> tuple[str | None, bool]:
        """The address of the next page, and whether it is a guess."""
        if part.unchanged:
            return part.next, False
        if self._idle > MOST_IDLE_PAGES and part.next:
            message = f"{self._idle} pages in a row brought nothing new, and link to a next one"
            raise SourceError(message, code="paging-loop", url=url)
        if part.next == url and part.total is not None and not self._has_more(part):
            # Some portals link their last page to itself.
            return None, False
        if part.next is None and page.records and self._has_more(part):
            return part.maybe, True
        return part.next, False

    def _refuse_repeated(self, part: Slice, marks: tuple[int, ...], url: str, guessed: bool) -> None:
        content = digest([str(mark) for mark in marks])
        if len(marks) > 1 and content in self._contents and not guessed:
            raise SourceError(f"the page {url} is one that was read before", code="paging-loop", url=url)
        self._contents.add(content)

    def _fresh(self, part: Slice) -> tuple[tuple[Record, ...], tuple[RecordError, ...]]:
        """The records of a page that no page before has shown."""
        good, bad = records(part.items, self._make)
        fresh = tuple(record for record in good if mark_of(record.guid) not in self._met)
        self._doubled = self._doubled or len(fresh) < len(good)
        self._met.update(mark_of(record.guid) for record in fresh)
        return fresh, bad

    def _before(self) -> Iterator[Page]:
        """What has moved onto pages that were read already."""
        for url in [*self._trail][-2::-1]:
            part = self._read(url)
            fresh, _ = self._fresh(part)
            if fresh:
                yield Page(fresh, part.total, self._cursor)
            elif part.items:
                return

    def _again(self) -> Iterator[Page]:
        url: str | None = self._first
        visited: set[str] = set()
        fruitless = 0
        while url is not None and url not in visited and fruitless < MOST_FRUITLESS:
            visited.add(url)
            part = self._read(url)
            fresh, _ = self._fresh(part)
            fruitless = 0 if fresh else fruitless + 1
            if fresh:
                yield Page(fresh, part.total)
            url = part.next

    def _marks(self, part: Slice) -> list[int]:
        return [mark_of(record.guid) for record in records(part.items, self._make)[0]]

    def _after(self, url: str, part: Slice, marks: tuple[int, ...]) -> str:
        return f"l{self._distinct()}-{_shown(marks)}-{_hex(part)}-{url}"

    def _total(self, part: Slice) -> None:
        if part.total is not None:
            self._totals = [*self._totals[:1], part.total]

    def _fell(self, total: int | None) -> bool:
        return total is not None and len(self._totals) > 0 and total < self._totals[-1]

    def _distinct(self) -> int:
        return len(self._met) + self._standing

    def _has_more(self, part: Slice) -> bool:
        return part.total is not None and self._distinct() < part.total

    def _is_short(self) -> bool:
        """Whether a list that moved has shown less than it counts, as far as it counts."""
        moved = self._doubled or len(set(self._totals)) > 1
        return moved and (not self._totals or self._distinct() < self._totals[-1])


def _hex(part: Slice) -> str:
    return part.body.digest.hex() if part.body else ""


def _shown(marks: Iterable[int]) -> str:
    return digest([str(mark) for mark in marks]).hex()[:16]
