"""The numbers of datasets by value: as they are kept, as they were at the end of a day, or added up for a space."""

from __future__ import annotations

import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import nsmallest
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Connection, Row, Select, func, select

from harvester.catalogue.tables import figure_datasets, figure_numbers, figure_periods
from harvester.figures import bulk
from harvester.figures.freshness import Promise, promise_of
from harvester.figures.lives import ALL
from harvester.figures.table import DATASETS, DISTRIBUTIONS, FRESHNESS, STEP
from harvester.search import Index, Scope

PAGE = 50_000
_LAST = 1 << 31


class Numbers(Protocol):
    """How many datasets have which value."""

    def number(self, value: int) -> int:
        """Of one value."""

    def sizes(self) -> Mapping[int, int]:
        """Dimension -> how many different values there are."""

    def most(self, dimension: int, limit: int) -> Sequence[tuple[int, int]]:
        """(value, number) of the most frequent values, in a fixed order."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The numbers of the whole catalogue or of a source, as they are in the tables."""

    connection: Connection
    scope: int = ALL

    def number(self, value: int) -> int:
        """One row."""
        mine = (figure_numbers.c.source_id == self.scope, figure_numbers.c.value_id == value)
        return int(self.connection.execute(select(figure_numbers.c.number).where(*mine)).scalar_one_or_none() or 0)

    def sizes(self) -> dict[int, int]:
        """Counted in an index."""
        counted = select(figure_numbers.c.dimension, func.count()).where(figure_numbers.c.source_id == self.scope)
        return {code: number for code, number in self.connection.execute(counted.group_by(figure_numbers.c.dimension))}

    def most(self, dimension: int, limit: int) -> list[tuple[int, int]]:
        """The beginning of a stretch of an index, read backwards."""
        number, value = figure_numbers.c.number, figure_numbers.c.value_id
        mine = (figure_numbers.c.source_id == self.scope, figure_numbers.c.dimension == dimension)
        ordered = select(value, number).where(*mine).order_by(number.desc(), value.desc()).limit(limit)
        return [(row.value_id, row.number) for row in self.connection.execute(ordered)]


class Held:
    """Numbers that were added up."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        self._by: dict[int, dict[int, int]] = {}
        for value, number in counts.items():
            if number:
                self._by.setdefault(value % STEP, {})[value] = number

    def number(self, value: int) -> int:
        """Of one value."""
        return self._by.get(value % STEP, {}).get(value, 0)

    def sizes(self) -> dict[int, int]:
        """Values that have any dataset."""
        return {code: len(found) for code, found in self._by.items()}

    def most(self, dimension: int, limit: int) -> list[tuple[int, int]]:
        """In the order in which the tables have them."""
        return _first(self._by.get(dimension, {}).items(), limit)


@dataclass(frozen=True, slots=True)
class Was:
    """The numbers at the end of a day (UTC): those that have changed since, and today's where they have not."""

    today: Kept
    # Value -> its number then, and now.
    changed: Mapping[int, tuple[int, int]]

    def number(self, value: int) -> int:
        """Of one value."""
        return self.changed[value][0] if value in self.changed else self.today.number(value)

    def sizes(self) -> dict[int, int]:
        """As many as today, and those that were there and are not, less those that came since."""
        found = Counter(self.today.sizes())
        for value, (then, now) in self.changed.items():
            found[value % STEP] += bool(then) - bool(now)
        return dict(found)

    def most(self, dimension: int, limit: int) -> list[tuple[int, int]]:
        """Of the values that are the same today no more are needed than so many."""
        moved = {value: then for value, (then, _) in self.changed.items() if value % STEP == dimension}
        same = (pair for pair in self.today.most(dimension, limit + len(moved)) if pair[0] not in moved)
        return _first(chain(same, ((value, then) for value, then in moved.items() if then)), limit)


def _first(pairs: Iterable[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    return nsmallest(limit, pairs, key=lambda pair: (-pair[1], -pair[0]))


@dataclass(slots=True)
class Space:
    """What the datasets of a space add up to, the months in which they were first found, and those that are late."""

    counts: Counter[int] = field(default_factory=Counter)
    months: Counter[int] = field(default_factory=Counter)
    promises: list[tuple[Promise, int]] = field(default_factory=list)


def was(connection: Connection, scope: int, at: date) -> Was:
    """The numbers at the end of a day (UTC): today's less all that came after."""
    later = _later(scope, at).group_by(figure_periods.c.value_id).subquery()
    now = (figure_numbers.c.source_id == scope) & (figure_numbers.c.value_id == later.c.value_id)
    both = select(later.c.value_id, later.c.number, func.coalesce(figure_numbers.c.number, 0))
    rows = connection.execute(both.select_from(later.outerjoin(figure_numbers, now))).all()
    return Was(Kept(connection, scope), {value: (today - int(more), today) for value, more, today in rows if more})


def datasets_at(connection: Connection, scope: int, at: date) -> int:
    """How many datasets there were at the end of a day (UTC), also before counting began."""
    mine = _later(scope, at).where(figure_periods.c.value_id == DATASETS).group_by(figure_periods.c.value_id)
    later = sum(int(row.number) for row in connection.execute(mine))
    return Kept(connection, scope).number(DATASETS) - later


def _later(scope: int, at: date) -> Select[Any]:
    """By how much values changed after a day: by days up to the end of the month, and by months from there on."""
    this_month = at.year * 100 + at.month
    today = this_month * 100 + at.day
    period = figure_periods.c.period
    later = (period > this_month) & (period <= 999_912) | (period > today) & (period <= this_month * 100 + 31)
    summed = select(figure_periods.c.value_id, func.sum(figure_periods.c.number).label("number"))
    return summed.where(figure_periods.c.source_id == scope, later)


def freshness(numbers: Numbers) -> Iterator[tuple[Promise, int]]:
    """How many datasets make which promise."""
    return ((promise_of(value), number) for value, number in numbers.most(FRESHNESS, _LAST))


def of_space(connection: Connection, index: Index, scopes: Sequence[Scope]) -> Space:
    """What the datasets add up to that the index finds in every scope."""
    found, after = Space(), 0
    while ids := index.ids(scopes, after=after, limit=PAGE):
        rows = _counted(connection, ids)
        found.counts[DATASETS] += len(rows)
        found.counts[DISTRIBUTIONS] += sum(row.distributions for row in rows)
        found.months.update(row.month for row in rows)
        cells = array("I")
        cells.frombytes(b"".join(row.cells for row in rows))
        found.counts.update(cells)
        firsts = ((int.from_bytes(row.cells[:4], sys.byteorder), row.dataset_id) for row in rows)
        found.promises += [(promise_of(first), i) for first, i in firsts if first % STEP == FRESHNESS]
        after = ids[-1]
    return found


def _counted(connection: Connection, ids: Sequence[int]) -> Sequence[Row[Any]]:
    """What the visible ones of these datasets count for; all of their ids are one parameter."""
    counted = figure_datasets.c
    columns: tuple[Any, ...] = (counted.dataset_id, counted.cells, counted.distributions, counted.month)
    wanted = select(*columns).where(counted.dataset_id.in_(bulk.listed(connection, ids)), counted.cells != b"")
    return connection.execute(wanted).all()
