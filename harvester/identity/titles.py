"""How the titles of two records compare: which words only one of them has, and what explains those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from harvester.identity.lexicon import COUNTY, EDITION, LOCAL, REGIONAL, STOP
from harvester.identity.owners import written_together
from harvester.identity.signs import Signs, Title
from harvester.identity.tokens import is_number, is_period, is_year, readable, stem

# Longer titles without a common word are no two spellings of one.
_SHORT = 3
_SHORTEST_TYPO = 8
_SHORTEST_ACRONYM = 3
_LONGEST_ACRONYM = 8
_SPECIFIC_WORDS = 4
_OFFICES = frozenset(map(stem, LOCAL | COUNTY | REGIONAL))
_SPECIFIC_LETTERS = 24


class Likeness(IntEnum):
    """How far two titles agree, the best last."""

    SILENT = 0  # one of them has no title of its own
    APART = 1
    SIBLINGS = 2  # mostly the same words, and each has one that the other lacks
    WIDER = 3  # one has all words of the other and more
    EDITION = 4  # they differ in years, parts of years, or words such as "archive" only
    NEAR = 5  # a misspelling
    EXPLAINED = 6  # what one has more is its owner, its place, or the note of a cataloguer
    EQUAL = 7


class Titles(NamedTuple):
    """Two titles compared."""

    likeness: Likeness
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    shared: int = 0
    letters: int = 0
    numbered: bool = False
    dated: bool = False
    explained: tuple[str, ...] = ()

    @property
    def specific(self) -> bool:
        """Whether what they share is more than a few common words."""
        return self.shared >= _SPECIFIC_WORDS or (self.shared > 1 and self.letters >= _SPECIFIC_LETTERS)

    @property
    def agree(self) -> bool:
        """Whether nothing that matters tells them apart."""
        return self.likeness >= Likeness.NEAR

    def differing(self) -> str:
        """What tells them apart, in words."""
        sides = (map(readable, side[:4]) for side in (self.left, self.right))
        shown = [" ".join(f"'{word}'" for word in side) or "nothing" for side in sides]
        return " / ".join(shown)


NO_TITLES = Titles(Likeness.SILENT)
_STRANGERS = Titles(Likeness.APART, shared=0)


def compare_titles(a: Signs, b: Signs) -> Titles:
    """The best of the titles of two records against each other; numbers of one language count against all of them."""
    found = [(_compared(left, right, a, b), left, right) for left in a.titles for right in b.titles]
    best = max((each for each, _, _ in found), key=_rank, default=NO_TITLES)
    if best.agree and len(found) > 1:
        for each, left, right in found:
            if left.language and left.language == right.language and (each.numbered or each.dated):
                return each
    return best


def strangers(a: Signs, b: Signs) -> bool:
    """Whether the titles surely have little in common, by their words alone; False where it takes a closer look."""
    known = a.context | b.context
    return all(_far(left, right, known) for left in a.titles for right in b.titles)


def _far(left: Title, right: Title, known: frozenset[str]) -> bool:
    """Whether each title has more words of its own than both share, those that anything explains left out."""
    if left.aside or right.aside:
        return False
    mine, theirs = _stems(left), _stems(right)
    common = len(mine & theirs)
    if min(len(mine), len(theirs)) - common <= _SHORT:
        return False
    more, less = mine - theirs - known, theirs - mine - known
    if min(len(more), len(less)) <= common or "".join(left.main) == "".join(right.main):
        return False
    return not all(map(_of_edition, more | less))


def _rank(titles: Titles) -> tuple[int, int, int]:
    return titles.likeness, titles.shared, -len(titles.left) - len(titles.right)


def _compared(left: Title, right: Title, a: Signs, b: Signs) -> Titles:
    if left == right:
        return _equal(left)
    mine, theirs = _stems(left), _stems(right)
    common = mine & theirs
    if not common and min(len(mine), len(theirs)) > _SHORT:
        return _STRANGERS
    only_left, only_right = mine - common - _asides(right), theirs - common - _asides(left)
    letters = sum(map(len, common))
    near = False
    if (only_left or only_right) and "".join(left.main) == "".join(right.main):
        return _equal(left)
    if only_left and only_right and min(len(only_left), len(only_right)) <= _SHORT:
        near, only_left, only_right = _reconciled(only_left, only_right, left, right)
    if not (only_left or only_right):
        only_left, only_right = _repeated(left.main, right.main)
    told = {word for word in only_left if _explained(word, a, b)} | {w for w in only_right if _explained(w, b, a)}
    told |= (only_left & _styled(left, a, b, common)) | (only_right & _styled(right, b, a, common))
    notes = _notes(left, right)
    only_left, only_right = only_left - told | notes[0], only_right - told | notes[1]
    likeness = _likeness(only_left, only_right, len(common))
    if all(notes) and likeness is Likeness.APART:
        likeness = Likeness.SIBLINGS
    if likeness is Likeness.EQUAL:
        plain = mine == theirs and not told and left.aside == right.aside
        likeness = Likeness.NEAR if near else Likeness.EQUAL if plain else Likeness.EXPLAINED
    return Titles(
        likeness,
        tuple(sorted(only_left)),
        tuple(sorted(only_right)),
        len(common),
        letters,
        *_counted(only_left, only_right),
        tuple(sorted(told)),
    )


def _equal(title: Title) -> Titles:
    stems = _stems(title)
    return Titles(Likeness.EQUAL, shared=len(stems), letters=sum(map(len, stems)))


@lru_cache(maxsize=20_000)
def _stems(title: Title) -> frozenset[str]:
    return frozenset(stem(word) for word in title.main if word not in STOP) or frozenset(map(stem, title.main))


def _repeated(left: tuple[str, ...], right: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Words that each title has once more than the other: "bus and tram (bus)", "bus and tram (tram)"."""
    mine, theirs = Counter(map(stem, left)), Counter(map(stem, right))
    both = mine.keys() & theirs.keys() - STOP
    more, less = (mine - theirs).keys() & both, (theirs - mine).keys() & both
    return (frozenset(more), frozenset(less)) if more and less else (frozenset(), frozenset())


def _asides(title: Title) -> frozenset[str]:
    return frozenset(map(stem, title.aside))


def _notes(left: Title, right: Title) -> tuple[set[str], set[str]]:
    """What the notes in brackets add that counts: years and numbers; every word where both have a note."""
    if not (left.aside or right.aside):
        return set(), set()
    mine, theirs = _asides(left) - _stems(right), _asides(right) - _stems(left)
    if (only := mine - theirs) and (other := theirs - mine):
        return set(only), set(other)
    return {word for word in mine - theirs if _counts(word)}, {word for word in theirs - mine if _counts(word)}


@lru_cache(maxsize=100_000)
def _counts(word: str) -> bool:
    return is_number(word) or is_year(word) or is_period(word)


def _explained(word: str, own: Signs, other: Signs) -> bool:
    """Whether the other record is known under this word anyway; a number never is."""
    if _counts(word) or word in EDITION:
        return False
    return word in other.context or (word in own.context and word in other.mentioned)


def _styled(title: Title, own: Signs, other: Signs, common: frozenset[str]) -> set[str]:
    """Words of how an owner is called: "Angus Council" where the other title says "Angus", "South Ayrshire" where the
    other owner is `southayrshire`."""
    found = set(map(stem, written_together(title.main, other.owners_joined)))
    stems = [stem(word) for word in title.main]
    for one, next_one in pairwise(stems):
        for word, place in ((one, next_one), (next_one, one)):
            if word in _OFFICES and word in own.context and place in own.owner_words & common:
                found.add(word)
    return found


def _likeness(left: set[str] | frozenset[str], right: set[str] | frozenset[str], common: int) -> Likeness:
    if not left and not right:
        return Likeness.EQUAL if common else Likeness.APART
    every = left | right
    if common and all(map(_of_edition, every)):
        return Likeness.EDITION
    if common * 2 < min(len(left), len(right)) + common:
        return Likeness.APART
    if left and right:
        return Likeness.SIBLINGS
    return Likeness.WIDER if common * 2 >= len(every) else Likeness.APART


@lru_cache(maxsize=100_000)
def _of_edition(word: str) -> bool:
    return is_year(word) or is_period(word) or word in EDITION


def _counted(left: set[str] | frozenset[str], right: set[str] | frozenset[str]) -> tuple[bool, bool]:
    """Whether numbers, and whether years, tell them apart."""
    numbered = any(map(is_number, left | right))
    dated = any(is_year(word) or is_period(word) for word in left | right)
    return numbered, dated


def _reconciled(
    only_left: frozenset[str], only_right: frozenset[str], left: Title, right: Title
) -> tuple[bool, frozenset[str], frozenset[str]]:
    """What is left when misspellings, joined words and acronyms are paired; first, whether there were misspellings."""
    misspelt = set(_misspelt(only_left, only_right))
    gone = misspelt.union(_shortened(only_left, right), _shortened(only_right, left))
    return bool(misspelt), only_left - gone, only_right - gone


def _misspelt(left: frozenset[str], right: frozenset[str]) -> Iterator[str]:
    for one in left:
        if len(one) < _SHORTEST_TYPO:
            continue
        for other in right:
            if _alike(one, other):
                yield from (one, other)


def _alike(one: str, other: str) -> bool:
    """Two long words that are one but for a letter; a number is never misspelt."""
    if one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    if _counts(one) or _counts(other):
        return False
    start = next((n for n, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    swapped = rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:]
    return swapped or rest[1:] == other_rest[1:] or rest[1:] == other_rest or rest == other_rest[1:]


def _shortened(words: frozenset[str], other: Title) -> Iterator[str]:
    """Words that are several of the other title joined, or their initials; with those."""
    for word in words:
        if len(word) < _SHORTEST_ACRONYM or _counts(word):
            continue
        for start, first in enumerate(other.main):
            if first[0] == word[0] and (
                run := _joined(word, other.main[start:]) or _initials(word, other.main[start:])
            ):
                yield word
                yield from map(stem, run)


def _joined(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that are this one, written together."""
    text = ""
    for count, each in enumerate(words, 1):
        text += each
        if count > 1 and word in (text, stem(text)):
            return words[:count]
        if not word.startswith(text):
            break
    return ()


def _initials(word: str, words: tuple[str, ...]) -> tuple[str, ...]:
    """The words whose initials are this one, articles between them or not."""
    if len(word) > _LONGEST_ACRONYM:
        return ()
    taken = 0
    for count, each in enumerate(words, 1):
        if taken < len(word) and each[0] == word[taken]:
            taken += 1
        elif each not in STOP:
            return ()
        if taken == len(word):
            return words[:count]
    return ()
