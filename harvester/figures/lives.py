"""When a dataset came into the numbers of a source or of the whole catalogue, and when it left them: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

ALL = 0
_CAME = frozenset({"created", "joined", "restored", "split"})


class Entry(NamedTuple):
    """An entry of the change log of one dataset; record 0 is the dataset itself, which became part of another."""

    record_id: int
    action: str
    at: datetime


class Change(NamedTuple):
    """From an instant on, these numbers count the dataset."""

    at: datetime
    scopes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Life:
    """The changes of a dataset that are not counted yet, oldest first, and the numbers that count it before them."""

    before: frozenset[int]
    changes: Sequence[Change]
    known: frozenset[int] = field(default_factory=frozenset)


def life(
    entries: Sequence[Entry],
    home: Mapping[int, int],
    active: Iterable[int],
    counted: tuple[frozenset[int], frozenset[int]] | None,
    first: Mapping[int, datetime],
) -> Life:
    """What became of a dataset, told backwards from the records that are active now.

    `home` is record -> source; `counted` what counts it and what ever did, None for a dataset that was never counted:
    then each record is there from when it was `first` seen on.
    """
    states = [(datetime.max, frozenset(active))]
    for entry in reversed(entries):
        after = states[-1][1]
        states.append((entry.at, _before(after, entry, home)))
    if counted is None:
        states += _beginnings(states[-1][1], first)
    before, known = counted if counted else (frozenset(), frozenset())
    return Life(before, _changes(states, home), known)


def _before(after: frozenset[int], entry: Entry, home: Mapping[int, int]) -> frozenset[int]:
    record = entry.record_id
    if entry.action == "retired":
        return after | {record} if record in home else after
    if entry.action in _CAME and record in after:
        return after - {record}
    return after


def _beginnings(states: frozenset[int], first: Mapping[int, datetime]) -> list[tuple[datetime, frozenset[int]]]:
    """Backwards through the first sights of records that no entry tells of any more."""
    found: list[tuple[datetime, frozenset[int]]] = []
    left = states
    for record in sorted(states, key=lambda one: (first[one], one), reverse=True):
        left = left - {record}
        found.append((first[record], left))
    return found


def _changes(states: Sequence[tuple[datetime, frozenset[int]]], home: Mapping[int, int]) -> list[Change]:
    """`states` are told backwards: each is what was before an instant."""
    found = []
    for (_, after), (at, _) in zip(reversed(states[:-1]), reversed(states[1:]), strict=True):
        found.append(Change(at, scopes(after, home)))
    return found


def scopes(active: Iterable[int], home: Mapping[int, int]) -> frozenset[int]:
    """The numbers that count a dataset with these active records."""
    found = frozenset(home[record] for record in active)
    return found | {ALL} if found else found
