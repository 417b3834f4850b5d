"""Which records are one dataset, of the pairs that rules call the same and of what people decided.

The answer depends on what is given alone, not on its order: links are taken from the surest to the weakest, and among
equals by the names of their records, which are the same in every catalogue that is built of the same sources.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

# What is this sure rests on identifiers and files, not on words: it needs no further look at third records.
SURE = 0.99
# One dataset is on so many portals at most, where words alone say so.
MOST_BY_WORDS = 60
# A chain of so many records that resemble each other is a template, and no evidence.
LONGEST_CHAIN = 2000
# Scores that differ by less are equal.
_DIGITS = 3

JOIN, SPLIT, PIN = "join", "split", "pin"


class Name(NamedTuple):
    """A record as it is called in every catalogue: by its source and the identifier it has there."""

    source: str
    guid: str


class Same(NamedTuple):
    """Two records that rules call the same, and how surely (0 to 1)."""

    a: int
    b: int
    score: float


class Hand(NamedTuple):
    """What a person decided; the one with the largest number wins.

    `join`: all are one dataset.  `split`: none of the first is one with any of the second.  `pin`: these are one
    dataset, with nothing else.
    """

    number: int
    kind: str
    first: frozenset[Name]
    second: frozenset[Name] = frozenset()


Veto = Callable[[int, int], bool]


def clusters(
    names: Mapping[int, Name], same: Iterable[Same], hands: Iterable[Hand] = (), veto: Veto = lambda a, b: False
) -> list[tuple[int, ...]]:
    """The records by dataset, each record in one; `veto` says that two of them cannot be one whatever others say."""
    links = _fitting(names, same)
    ground = _Ground(names, links, veto)
    for hand in sorted(hands, key=lambda hand: -hand.number):
        ground.decide(hand)
    for link in sorted(links, key=lambda link: _order(names, link)):
        ground.join(link)
    return ground.parts()


def _order(names: Mapping[int, Name], link: Same) -> tuple[float, Name, Name]:
    first, second = sorted((names[link.a], names[link.b]))
    return -round(link.score, _DIGITS), first, second


def _fitting(names: Mapping[int, Name], same: Iterable[Same]) -> list[Same]:
    """The links without those of overlong chains, and without those that point at one of many equally well."""
    links = [link for link in same if link.a in names and link.b in names]
    sizes = _chains(links)
    links = [link for link in links if link.score >= SURE or sizes[link.a] <= LONGEST_CHAIN]
    doubtful = _doubtful(names, links)
    return [link for link in links if (link.a, link.b) not in doubtful]


def _chains(links: Sequence[Same]) -> dict[int, int]:
    """record -> how many records hang together with it."""
    forest = _Forest()
    for link in links:
        forest.union(link.a, link.b)
    return {one: len(forest.members(one)) for link in links for one in (link.a, link.b)}


def _doubtful(names: Mapping[int, Name], links: Sequence[Same]) -> set[tuple[int, int]]:
    """Links of a record to a source that has several equally good partners for it, which are not one themselves."""
    pairs = {frozenset((link.a, link.b)) for link in links}
    partners: dict[tuple[int, str], list[tuple[float, int, Same]]] = defaultdict(list)
    for link in links:
        if names[link.a].source != names[link.b].source:
            score = round(link.score, _DIGITS)
            partners[link.a, names[link.b].source].append((score, link.b, link))
            partners[link.b, names[link.a].source].append((score, link.a, link))
    found: set[tuple[int, int]] = set()
    for known in partners.values():
        best = max(score for score, _, _ in known)
        rivals = [other for score, other, _ in known if score == best]
        if any(frozenset((x, y)) not in pairs for i, x in enumerate(rivals) for y in rivals[:i]):
            found.update((link.a, link.b) for _, _, link in known)
    return found


class _Forest:
    """Sets of records that only grow together."""

    def __init__(self) -> None:
        self._root: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}

    def root(self, one: int) -> int:
        """What stands for the set of a record."""
        root = one
        while (above := self._root.get(root, root)) != root:
            root = above
        while (above := self._root.get(one, one)) != root:
            self._root[one], one = root, above
        return root

    def members(self, one: int) -> list[int]:
        """The set of a record."""
        root = self.root(one)
        return self._members.get(root, [root])

    def union(self, a: int, b: int) -> None:
        """Make two sets one."""
        kept, gone = sorted((self.root(a), self.root(b)), key=lambda root: (-len(self.members(root)), root))
        if kept != gone:
            self._members[kept] = self.members(kept) + self.members(gone)
            self._members.pop(gone, None)
            self._root[gone] = kept


class _Ground:
    """The records on their way to datasets: who is together so far, and who must not be."""

    def __init__(self, names: Mapping[int, Name], links: Sequence[Same], veto: Veto) -> None:
        self._names, self._veto, self._forest = names, veto, _Forest()
        self._ids = {name: number for number, name in names.items()}
        self._pairs = {frozenset((link.a, link.b)) for link in links}
        self._apart: dict[int, set[int]] = defaultdict(set)
        self._closed: set[int] = set()

    def decide(self, hand: Hand) -> None:
        """Heed a person, as far as later decisions leave room."""
        first, second = self._known(hand.first), self._known(hand.second)
        if hand.kind == SPLIT:
            self._part(first, second)
            return
        for one in first[1:]:
            self._unite(first[0], one)
        if hand.kind == PIN:
            self._closed.update(member for one in first for member in self._forest.members(one))

    def join(self, link: Same) -> None:
        """Make the datasets of two records one, unless something speaks against it."""
        mine, theirs = self._forest.members(link.a), self._forest.members(link.b)
        if self._forest.root(link.a) == self._forest.root(link.b) or self._hindered(mine, theirs):
            return
        if link.score < SURE and (
            len(mine) + len(theirs) > MOST_BY_WORDS or any(self._vetoed(*pair) for pair in _across(mine, theirs))
        ):
            return
        if all(self._may_share_source(*pair) for pair in _across(mine, theirs)):
            self._forest.union(link.a, link.b)

    def parts(self) -> list[tuple[int, ...]]:
        """The datasets, each in the order of names."""
        roots = {self._forest.root(one): None for one in sorted(self._names, key=self._names.__getitem__)}
        found = [tuple(sorted(self._forest.members(root), key=self._names.__getitem__)) for root in roots]
        return sorted(found, key=lambda part: self._names[part[0]])

    def _known(self, names: Iterable[Name]) -> list[int]:
        return [self._ids[name] for name in sorted(names) if name in self._ids]

    def _part(self, first: Iterable[int], second: Sequence[int]) -> None:
        for a in first:
            for b in second:
                if self._forest.root(a) != self._forest.root(b):
                    self._apart[a].add(b)
                    self._apart[b].add(a)

    def _unite(self, a: int, b: int) -> None:
        if not self._hindered(self._forest.members(a), self._forest.members(b)):
            self._forest.union(a, b)

    def _hindered(self, mine: Sequence[int], theirs: Sequence[int]) -> bool:
        """Whether a person keeps the two apart."""
        if self._closed and not self._closed.isdisjoint((*mine, *theirs)):
            return True
        return any(not self._apart[one].isdisjoint(theirs) for one in mine if one in self._apart)

    def _vetoed(self, a: int, b: int) -> bool:
        return frozenset((a, b)) not in self._pairs and self._veto(a, b)

    def _may_share_source(self, a: int, b: int) -> bool:
        """A portal lists a dataset once, unless rules say themselves that it lists it twice."""
        return self._names[a].source != self._names[b].source or frozenset((a, b)) in self._pairs


def _across(mine: Sequence[int], theirs: Sequence[int]) -> Iterator[tuple[int, int]]:
    return ((a, b) for a in mine for b in theirs)
