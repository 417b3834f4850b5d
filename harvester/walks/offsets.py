"""Walks by offset and limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from harvester.connector import Page, Record
from harvester.errors import Blocked, RecordError, SourceError, Unavailable
from harvester.jsonio import digest
from harvester.walks.seams import UNKNOWN, Order, mark_of
from harvester.walks.slices import MOST_FRUITLESS, MOST_IDLE_PAGES, MOST_SWEEPS, Make, Read, Slice, moving

MOST_UNREADABLE = 5
# A list that moved so often more than it stood still from one page to the next has no order that holds.
MOST_REPAIRS = 10
# After failing so many times in a row a page size is tried again only after that many pages, doubled each time.
_MOST_PATIENCE = 6
# What a smaller page may cure, besides failures of the moment: portals refuse sizes, and we refuse what is too large.
_TOO_MUCH = frozenset(("http-400", "http-413", "http-414", "http-422", "too-large"))


def walk_offsets(read: Read, make: Make, sizes: tuple[int, ...], cursor: str | None = None) -> Iterator[Page]:
    """Walk `read(offset, limit)` to its end, or on from a cursor.

    `sizes` are the page sizes that may be asked for, largest first.  A page that fails is asked for in smaller
    pieces, down to the one record that breaks it, which is reported; the size grows back afterwards.  The offset
    moves by what really came, for portals that cap pages silently, and only an empty page ends the walk: totals lie,
    and a short page may be a capped one.

    Each page is asked for from the last record of the page before.  When that one is no longer there, the list has
    moved: the place where it did is searched for and put right, so that what was removed or inserted meanwhile costs
    no other record.  A list whose order does not hold at all is read again, and a note says so (`moving-list`).
    Raises `SourceError` when a portal repeats its pages.
    """
    return _Offsets(read, make, sizes, Order.resumed(cursor)).pages()


# A record, or the reason why there is none, with its mark.
Made = tuple[int, Record | RecordError]


class _Offsets:
    """One walk by offsets."""

    def __init__(self, read: Read, make: Make, sizes: tuple[int, ...], order: Order) -> None:
        self._read, self._make, self._order = read, make, order
        self._sizing = _Sizing(sizes)
        self._unreadable = 0
        # Records that were passed, as long as it may be the portal that fails and not they.
        self._passed: list[RecordError] = []
        self._totals: list[int] = []
        # How often more it moved than it stood, records read again, pages in a row without anything new.
        self._repairs = self._reread = self._fruitless = 0
        self._furthest = 0
        self._contents: set[bytes] = set()
        # What was read, once something moved or is read again: what comes a second time is passed over.
        self._met: set[int] | None = None
        self._sweeps = 1
        self._ended = False
        # Whether an earlier attempt has read what comes before, and whether the walk begins at its start all the same.
        self._resumed, self._probed, self._anew = order.is_foreign(), False, False

    def pages(self) -> Iterator[Page]:
        yield from self._swept()
        while self._is_short() and self._sweeps < MOST_SWEEPS:
            met = self._meet()
            before, self._sweeps = len(met), self._sweeps + 1
            self._order, self._ended, self._fruitless, self._contents = Order(), False, 0, set()
            yield Page((), self._total, notes=(moving(self._totals),), anew=self._resumed)
            yield from self._swept()
            if len(met) == before:
                return

    def _swept(self) -> Iterator[Page]:
        while not self._ended:
            offset, limit = len(self._order), self._sizing.size(len(self._order))
            try:
                page = self._step(offset, limit)
            except SourceError as error:
                if error.code == "vanished" and self._order.is_foreign():
                    # The list has become so short that nothing an earlier attempt read can be where it was.
                    self._again()
                    continue
                if not _may_shrink(error):
                    raise
                if self._sizing.failed(offset):
                    continue
                self._pass(error, offset)
                continue
            page = self._answered(page)
            if page is not None:
                self._weigh(page)
                yield replace(page, anew=True) if self._anew else page
                self._anew = False

    def _weigh(self, page: Page) -> None:
        """End a reading again that brings nothing.  Raises `SourceError` where the first reading does not end."""
        further, self._furthest = len(self._order) > self._furthest, max(len(self._order), self._furthest)
        if page.records or page.problems:
            self._fruitless = 0
        elif further or self._sweeps > 1:
            self._fruitless += 1
        if self._sweeps > 1:
            self._ended = self._ended or self._fruitless >= MOST_FRUITLESS
        elif self._fruitless > MOST_IDLE_PAGES:
            message = f"{self._fruitless} pages in a row brought only records that had come before"
            raise SourceError(message, code="paging-loop")

    def _step(self, offset: int, limit: int) -> Page | None:
        """The next page; None when there is none yet, or no more."""
        checked = limit > 1 and self._order.last != UNKNOWN and self._holds()
        part = self._read(offset - 1, limit) if checked else self._read(offset, limit)
        made = [self._made(item) for item in part.items]
        marks = [mark for mark, _ in made]
        if self._is_repeated(marks, part, offset, checked=checked):
            self._ended = True
            return None
        if checked and marks[:1] != [self._order.last]:
            return self._repaired(limit)
        if checked and not self._is_as_left():
            self._again()
            return None
        if checked and len(part.items) == 1 and (part.cut or part.total is None or part.total > offset):
            cut, part = part.cut, self._read(offset, limit)
            made = [self._made(item) for item in part.items]
            if made and (made[0][0] == self._order.last or (len(made) > 1 and not cut)):
                # It has grown just now.
                self._repairs += 1
                return None
        elif checked:
            del made[0]
        self._sizing.succeeded()
        self._repairs = max(self._repairs - checked, 0)
        self._ended = part.end or not made
        return self._page(part, made) if made else None

    def _is_as_left(self) -> bool:
        """Whether a list still shows what an earlier attempt saw: its last position may hide that others moved."""
        if self._probed or not self._order.is_foreign():
            return True
        self._probed = True
        return all(self._shown(place) in (UNKNOWN, mark) for place, mark in self._order.samples.items())

    def _again(self) -> None:
        """Begin at the start: what an earlier attempt read is not where it was."""
        left = self._order.unread > 0
        number = self._order.forget(0)
        self._reread += 0 if left else number
        # The same pages come again.
        self._contents = set()
        self._anew = self._resumed

    def _holds(self) -> bool:
        """Whether the list may be taken for one whose order holds, though it moves."""
        return self._repairs <= MOST_REPAIRS and self._reread <= 1000 + 2 * self._furthest

    def _is_repeated(self, marks: list[int], part: Slice, offset: int, *, checked: bool) -> bool:
        """Whether a page shows the end of the list over again.

        Raises `SourceError` when it is another one that came before; a lone record may come twice.
        """
        over = part.total is None or offset >= part.total
        if len(marks) < 2 or not offset:
            return False
        if checked and over and self._order.ends_with(marks):
            return True
        content = digest([str(mark) for mark in marks])
        # A list that grew at its front may show the first page at another place.
        first = len(self._order) > 1 and self._order.starts_with(marks) and self._shown(0) == marks[0]
        if not first and (checked or content not in self._contents):
            self._contents.add(content)
            return False
        if part.total is None or not over:
            raise SourceError(
                "the portal answered the same page twice: it ignores the paging parameters", code="paging-ignored"
            )
        return True

    def _page(self, part: Slice, made: list[Made]) -> Page:
        if part.total is not None:
            self._totals = [*self._totals[:1], part.total]
        good, bad = self._taken(made)
        return Page(good, part.total, self._order.cursor, bad if self._sweeps == 1 else (), part.notes)

    def _taken(self, made: list[Made]) -> tuple[tuple[Record, ...], tuple[RecordError, ...]]:
        good: list[Record] = []
        bad: list[RecordError] = []
        for mark, record in made:
            self._order.marks.append(mark)
            if isinstance(record, RecordError):
                bad.append(record)
            elif self._met is None:
                good.append(record)
            elif mark not in self._met:
                self._met.add(mark)
                good.append(record)
        return tuple(good), tuple(bad)

    def _pass(self, error: SourceError, offset: int) -> None:
        """Go past a record that breaks every page it is on.  Raises the error when too many in a row do."""
        self._unreadable += 1
        if self._unreadable > MOST_UNREADABLE:
            raise error
        self._order.marks.append(UNKNOWN)
        if self._sweeps == 1:
            self._passed.append(_unreadable(error, offset))

    def _answered(self, page: Page | None) -> Page | None:
        """The page with the records that were passed on the way to it: the portal answers, so it was they."""
        passed, self._passed, self._unreadable = tuple(self._passed), [], 0
        if not passed:
            return page
        page = page or Page((), self._total, self._order.cursor)
        return replace(page, problems=(*passed, *page.problems))

    def _repaired(self, limit: int) -> Page | None:
        """Find the place where the list moved, and take what has come there."""
        met = self._meet()
        self._repairs += 1
        place = self._order.changed(self._shown)
        part = self._read(place, limit)
        made = [self._made(item) for item in part.items]
        used = self._order.respliced(place, [mark for mark, _ in made])
        if not used and not place:
            self._again()
            return None
        if not used:
            self._reread += self._order.forget(place)
            return None
        good = {mark: record for mark, record in made[:used] if isinstance(record, Record) and mark not in met}
        fresh = tuple(good.values())
        met.update(good)
        return Page(fresh, part.total, self._order.cursor, notes=part.notes) if fresh else None

    def _shown(self, position: int) -> int:
        """The mark of what stands at a position now; UNKNOWN where nothing does."""
        try:
            items = self._read(position, 1).items
        except Unavailable:
            # Nothing can be said about a record that breaks its page.
            return self._order.marks[position]
        return self._made(items[0])[0] if items else UNKNOWN

    def _made(self, item: Any) -> Made:
        """An item as a record, or the reason why it is none, with its mark."""
        try:
            record = self._make(item)
        except RecordError as error:
            return UNKNOWN, error
        return mark_of(record.guid), record

    def _meet(self) -> set[int]:
        if self._met is None:
            self._met = set(self._order.marks) - {UNKNOWN}
        return self._met

    @property
    def _total(self) -> int | None:
        return self._totals[-1] if self._totals else None

    def _is_short(self) -> bool:
        """Whether a list that moved, or showed a record twice, has shown less than it counts."""
        if not self._totals:
            return False
        distinct = self._order.distinct() if self._met is None else max(len(self._met), self._order.distinct())
        moved = self._met is not None or len(set(self._totals)) > 1 or distinct < len(self._order)
        return moved and distinct < self._totals[-1]


class _Sizing:
    """Which page size to ask for: smaller after a failure, larger again beyond the range that failed."""

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self._sizes = sizes
        # For each size given up for now, the offset from which it may be asked for again.
        self._until: list[int] = []
        self._failures = [0] * len(sizes)

    def size(self, offset: int) -> int:
        """The size to ask for at an offset."""
        while self._until and offset >= self._until[-1]:
            self._until.pop()
        return self._sizes[len(self._until)]

    def failed(self, offset: int) -> bool:
        """Whether there is a smaller size than the one that failed."""
        level = len(self._until)
        if level + 1 >= len(self._sizes):
            return False
        # A portal that chokes on every page of a size is asked for it more and more rarely.
        wait = self._sizes[level] << min(self._failures[level], _MOST_PATIENCE)
        self._failures[level] += 1
        self._until.append(min(offset + wait, self._until[-1]) if self._until else offset + wait)
        return True

    def succeeded(self) -> None:
        """Count the present size as one that works."""
        self._failures[len(self._until)] = 0


def _may_shrink(error: SourceError) -> bool:
    if isinstance(error, Blocked) or error.code == "host-down":
        return False
    return isinstance(error, Unavailable) or error.code in _TOO_MUCH


def _unreadable(error: SourceError, offset: int) -> RecordError:
    return RecordError(
        f"the record at position {offset} cannot be read: {error.message}",
        code="unreadable-record",
        url=error.url,
        field="position",
        value=offset,
    )
