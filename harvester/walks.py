"""The only paging code: walks that survive silent caps, lying totals, loops, choking portals and one bad record.

A walk yields `Page`s and returns when the source has shown everything; it raises `SourceError` when it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from harvester.connector import Body, Page, Record
from harvester.errors import RecordError, SourceError, Unavailable
from harvester.jsonio import digest

MOST_PAGES = 1_000_000
MOST_UNREADABLE = 5


@dataclass(frozen=True, slots=True)
class Slice:
    """What one request brought: raw items, the advertised total, the link to the next page, what is worth telling."""

    items: list[Any]
    total: int | None = None
    next: str | None = None
    notes: tuple[RecordError, ...] = ()
    body: Body | None = None
    unchanged: bool = False
    doubtful: bool = False


Read = Callable[[int, int], Slice]
Make = Callable[[Any], Record]


def records(items: Iterable[Any], make: Make) -> tuple[tuple[Record, ...], tuple[RecordError, ...]]:
    """Every item as a record, or as the reason why it is none."""
    good: list[Record] = []
    bad: list[RecordError] = []
    for item in items:
        try:
            good.append(make(item))
        except RecordError as error:
            bad.append(error)
    return tuple(good), tuple(bad)


def walk_offsets(read: Read, make: Make, sizes: tuple[int, ...], start: int = 0) -> Iterator[Page]:
    """Walk `read(offset, limit)` to its end, from `start`.

    `sizes` are the page sizes that may be asked for, largest first, each dividing the one before, so that
    `offset` stays a multiple of `limit`.  A page that fails is asked for in smaller pieces, down to the one
    record that breaks it, which is reported; the size grows back afterwards.  The offset moves by what really
    came, for portals that cap pages silently, and only an empty page ends the walk: totals lie, and a short page
    may be a capped one.  Raises `SourceError` when a portal repeats its pages.
    """
    offset, level, unreadable = start, 0, 0
    seen: set[bytes] = set()
    while True:
        limit = sizes[level]
        try:
            part = read(offset, limit)
        except Unavailable as error:
            if level + 1 < len(sizes):
                level += 1
                continue
            unreadable += 1
            if unreadable > MOST_UNREADABLE:
                raise
            yield Page((), cursor=str(offset + 1), problems=(_unreadable(error, offset),))
            offset += 1
            continue
        unreadable = 0
        if not part.items:
            return
        good, bad = records(part.items, make)
        if _repeated(part.items, good, seen):
            if part.total is not None and offset >= part.total:
                return
            raise SourceError(
                "the portal answered the same page twice: it ignores the paging parameters", code="paging-ignored"
            )
        offset += len(part.items)
        yield Page(good, part.total, str(offset), bad, part.notes)
        level = _grown(sizes, level, offset)


def walk_links(first: str, read: Callable[[str], Slice], make: Make) -> Iterator[Page]:
    """Walk `read(url)` along the links it answers.  Raises `SourceError` on a loop or on repeated pages."""
    url: str | None = first
    visited: set[str] = set()
    seen: set[bytes] = set()
    while url is not None:
        if url in visited or len(visited) >= MOST_PAGES:
            raise SourceError(f"the paging links run in a circle: {url} was read before", code="paging-loop", url=url)
        visited.add(url)
        part = read(url)
        good, bad = records(part.items, make)
        if part.items and _repeated(part.items, good, seen):
            raise SourceError(f"the page {url} is one that was read before", code="paging-loop", url=url)
        if part.unchanged:
            yield Page((), part.total, part.next, unchanged=part.body)
        else:
            digest = part.body.digest if part.body else None
            yield Page(
                good,
                part.total,
                part.next,
                bad,
                part.notes,
                body=digest,
                whole=None if bad else part.body,
                doubtful=part.doubtful,
            )
        url = part.next


def _grown(sizes: tuple[int, ...], level: int, offset: int) -> int:
    while level and offset % sizes[level - 1] == 0:
        level -= 1
    return level


def _repeated(items: list[Any], good: tuple[Record, ...], seen: set[bytes]) -> bool:
    """Whether a page of these records was seen before; by guids, since payloads hold view counters."""
    mark = digest([record.guid for record in good] if good else items)
    if mark in seen and len(items) > 1:
        return True
    seen.add(mark)
    return False


def _unreadable(error: SourceError, offset: int) -> RecordError:
    return RecordError(
        f"the record at position {offset} cannot be read: {error.message}",
        code="unreadable-record",
        url=error.url,
        field="position",
        value=offset,
    )
