"""What people decided of the records of two sources: which are one dataset, and which are none whatever they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from harvester.catalogue import pairing
from harvester.catalogue.clusters import hands
from harvester.identity.clusters import JOIN, PIN, SPLIT, Hand, Name, clusters
from harvester.reconcile.ground import HAND, Key

_JOINING = (JOIN, PIN)


class Said(NamedTuple):
    """The word of people on a pair: one dataset or not, by the decision of this number."""

    one: bool
    decision: int


class ByHand:
    """The decisions that have to do with two sources, by the records that they name.

    A decision holds for what it makes one: who is split from a record is split from all that people joined with it.
    """

    def __init__(self, names: dict[int, Name], decided: Sequence[Hand]) -> None:
        self._names, self._decided = names, decided
        parts = clusters(names, (), decided)
        self._part = {one: number for number, part in enumerate(parts) for one in part}
        self._members = [frozenset(names[one] for one in part) for part in parts]

    def keys(self, record: int) -> list[Key]:
        """The key that a record shares with those that people joined with it."""
        number = self._part.get(record)
        return [] if number is None or len(self._members[number]) < 2 else [Key(number, HAND)]

    def said(self, one: int, other: int) -> Said | None:
        """What people say of two records; None where nobody said anything."""
        if one not in self._part and other not in self._part:
            return None
        mine, theirs = self._of(one), self._of(other)
        if one in self._part and self._part[one] == self._part.get(other):
            joining = (hand for hand in self._decided if hand.kind in _JOINING and hand.first & mine)
            return Said(True, next((hand.number for hand in joining if len(hand.first & mine) > 1), 0))
        return next((Said(False, hand.number) for hand in self._decided if _parts(hand, mine, theirs)), None)

    def _of(self, record: int) -> frozenset[Name]:
        number = self._part.get(record)
        return frozenset() if number is None else self._members[number]


def _parts(hand: Hand, mine: frozenset[Name], theirs: frozenset[Name]) -> bool:
    """Whether a decision keeps two sets of records apart: it splits them, or pins one without the other."""
    if hand.kind == SPLIT:
        return bool((hand.first & mine and hand.second & theirs) or (hand.first & theirs and hand.second & mine))
    return hand.kind == PIN and bool(hand.first & mine) != bool(hand.first & theirs)


def by_hand(connection: Connection, sources: Iterable[int]) -> ByHand:
    """What people decided of the records of these sources, and of all that they joined with them."""
    numbers: set[int] = set()
    fresh = pairing.decided(connection, sources)
    found: dict[int, Hand] = {}
    while fresh - numbers:
        read = hands.read(connection, fresh - numbers)
        numbers |= fresh
        found |= {hand.number: hand for hand in read}
        fresh = {hand.number for hand in hands.of(connection, _named(read))}
    decided = sorted(found.values(), key=lambda hand: -hand.number)
    ids = hands.ids_of(connection, _named(decided))
    return ByHand({number: name for name, number in ids.items()}, decided)


def _named(found: Iterable[Hand]) -> set[Name]:
    return {name for hand in found for name in hand.first | hand.second}
