"""What the change of a dataset adds to which numbers, and takes from which: pure."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from harvester.figures.freshness import EPOCH, Promise, promise_of
from harvester.figures.lives import Change, Life
from harvester.figures.table import DATASETS, DISTRIBUTIONS, FRESHNESS, STEP

KINDS = CREATED, RESTORED, RETIRED, JOINED = ("created", "restored", "retired", "joined")


class Weight(NamedTuple):
    """What a dataset counts for: the numbers of its values, a promise first, and how many distributions it has."""

    cells: tuple[int, ...] = ()
    distributions: int = 0

    def counts(self) -> dict[int, int]:
        """Value -> by how much the dataset counts."""
        found = dict.fromkeys(self.cells, 1)
        found[DATASETS] = 1
        if self.distributions:
            found[DISTRIBUTIONS] = self.distributions
        return found

    def promise(self) -> Promise | None:
        """What it promises of its freshness."""
        return promise_of(self.cells[0]) if self.cells and self.cells[0] % STEP == FRESHNESS else None


class Turn(NamedTuple):
    """A dataset as it was counted, what became of it, and what it counts for now."""

    dataset_id: int
    life: Life
    old: Weight
    new: Weight
    scopes: frozenset[int]
    changed_at: datetime
    merged: bool


@dataclass(slots=True)
class Sums:
    """What a batch of datasets changes.

    When counting has `begun`, all datasets there are were new to it: only their number is told of days before.
    """

    begun: datetime
    numbers: dict[int, dict[int, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    periods: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    months: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    promised: set[tuple[int, int, int, int]] = field(default_factory=set)
    unpromised: set[tuple[int, int, int, int]] = field(default_factory=set)

    def add(self, turn: Turn) -> frozenset[int]:
        """Count what became of a dataset; answers what has ever counted it."""
        known = set(turn.life.known)
        state, held = turn.life.before, dict.fromkeys(turn.life.before, turn.old)
        for change in [*turn.life.changes, Change(turn.changed_at, turn.scopes)]:
            for scope in state - change.scopes:
                self._post(scope, change.at, {value: -n for value, n in held.pop(scope).counts().items()})
                kind = JOINED if turn.merged and change.scopes == turn.scopes else RETIRED
                self.months[scope, month(change.at), kind] += 1
            for scope in change.scopes - state:
                held[scope] = turn.new
                self._post(scope, change.at, turn.new.counts())
                self.months[scope, month(change.at), RESTORED if scope in known else CREATED] += 1
                known.add(scope)
            state = change.scopes
        self._rewrite(turn, held)
        self._promise(turn)
        return frozenset(known)

    def _rewrite(self, turn: Turn, held: Mapping[int, Weight]) -> None:
        """Where it went on being counted, by what it counts for now."""
        if turn.old == turn.new:
            return
        difference = turn.new.counts()
        for value, number in turn.old.counts().items():
            difference[value] = difference.get(value, 0) - number
        for scope, weight in held.items():
            if weight is turn.old:
                self._post(scope, turn.changed_at, difference)

    def _promise(self, turn: Turn) -> None:
        old = _promises(turn.dataset_id, turn.life.before, turn.old)
        new = _promises(turn.dataset_id, turn.scopes, turn.new)
        self.unpromised |= old - new
        self.promised |= new - old

    def _post(self, scope: int, at: datetime, counts: Mapping[int, int]) -> None:
        mine = self.numbers[scope]
        for value, number in counts.items():
            mine[value] += number
        when = max(at, self.begun)
        # Of times before counting began nothing is told but how many datasets there were.
        told = counts if day(when) > day(self.begun) else {DATASETS: counts.get(DATASETS, 0)}
        self._post_period(scope, day(when), told)
        self._post_period(scope, month(when), told)
        if at < self.begun and (number := counts.get(DATASETS, 0)):
            for then, sign in ((at, 1), (when, -1)):
                self.periods[scope, day(then), DATASETS] += sign * number
                self.periods[scope, month(then), DATASETS] += sign * number

    def _post_period(self, scope: int, period: int, counts: Mapping[int, int]) -> None:
        for value, number in counts.items():
            if number:
                self.periods[scope, period, value] += number


def _promises(dataset_id: int, scopes: Iterable[int], weight: Weight) -> set[tuple[int, int, int, int]]:
    promise = weight.promise()
    return {(scope, promise.frequency, promise.day, dataset_id) for scope in scopes} if promise else set()


def day(at: datetime) -> int:
    """20261122; always more than any month."""
    return at.year * 10_000 + at.month * 100 + at.day


def month(at: datetime) -> int:
    """202611."""
    return at.year * 100 + at.month


def day_number(at: datetime) -> int:
    """Days since 1970."""
    return at.toordinal() - EPOCH


def packed(numbers: Iterable[int]) -> bytes:
    """Numbers of 32 bits."""
    return array("I", numbers).tobytes()


def unpacked(blob: bytes) -> tuple[int, ...]:
    """What was packed."""
    return tuple(array("I", blob))
