"""How two records compare beside their titles: descriptions, owners, places, periods, dates."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

from harvester.identity.lexicon import COUNTY, LOCAL, REGIONAL
from harvester.identity.owners import written_together
from harvester.identity.signs import Signs
from harvester.identity.sketches import KEPT_RUNS, KEPT_WORDS, lacks, overlap
from harvester.identity.tokens import plain_words, stem

_LONG = 25
# A town and the union of towns that bears its name run one portal as a rule.
_TOGETHER = {"local", "joint"}
_SAID = 6
_COMPARABLE = 12
_TAKEN, _NEAR, _WITHIN, _LOOSE = 0.5, 0.6, 0.7, 0.5


class Prose(IntEnum):
    """How far two descriptions agree, the best last."""

    SILENT = 0  # one of them has none, or they are in different languages
    UNLIKE = 1
    LOOSE = 2  # of the same words
    TEMPLATE = 3  # one text with other names or numbers in it
    PART = 4  # one is mostly within the other
    NEAR = 5
    EQUAL = 6


class Texts(NamedTuple):
    """Two descriptions compared: how much of their text they share, how long the shorter one is."""

    likeness: Prose
    shared: float = 0.0
    length: int = 0
    left: tuple[str, ...] = ()
    right: tuple[str, ...] = ()

    @property
    def agree(self) -> bool:
        """Whether one repeats the other."""
        return self.likeness >= Prose.PART

    @property
    def telling(self) -> bool:
        """Whether they are too long to be equal by chance."""
        return self.length >= _LONG


class Bond(StrEnum):
    """How owners, or places, of two records compare."""

    SAME = "same"
    UNKNOWN = "unknown"
    APART = "apart"  # differ, and may go together: a portal and who publishes there, a town and its region
    CONFLICT = "conflict"


def compare_texts(a: Signs, b: Signs) -> Texts:
    """The descriptions of two records compared."""
    left, right = a.prose, b.prose
    length = min(left.length, right.length)
    if length < _SAID:
        return Texts(Prose.SILENT, length=length)
    if left.mark and left.mark == right.mark:
        return Texts(Prose.EQUAL, 1.0, length)
    runs = overlap(a.runs, b.runs, KEPT_RUNS)
    names = (_only(a, b), _only(b, a)) if runs.contained >= _TAKEN else ((), ())
    if all(names) and _even(left.length, right.length):
        return Texts(Prose.TEMPLATE, runs.jaccard, length, *names)
    if runs.jaccard >= _NEAR:
        return Texts(Prose.NEAR, runs.jaccard, length, *names)
    if runs.contained >= _WITHIN and length >= _COMPARABLE:
        return Texts(Prose.PART, runs.contained, length, *names)
    words = overlap(a.words, b.words, KEPT_WORDS)
    if words.contained >= _LOOSE:
        return Texts(Prose.LOOSE, words.contained, length, *names)
    comparable = _one_language(left.languages, right.languages) and length >= _COMPARABLE
    return Texts(Prose.UNLIKE if comparable else Prose.SILENT, words.contained, length, *names)


def _one_language(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Whether they are known to be in one language; texts without a tag may be in any."""
    return bool(set(left) & set(right)) and "" not in {*left, *right}


def _even(left: int, right: int) -> bool:
    return max(left, right) <= 1.5 * min(left, right)


def _only(own: Signs, other: Signs) -> tuple[str, ...]:
    """Names and numbers of one description that the other surely lacks."""
    found = (name for name in own.prose.names if name not in other.prose.names and name.isalnum())
    return tuple(name for name in found if lacks(other.words, name, KEPT_WORDS))[:6]


def compare_owners(a: Signs, b: Signs) -> Bond:
    """Whether one organisation stands behind both."""
    if set(a.owner_marks) & set(b.owner_marks):
        return Bond.SAME
    mine, theirs = a.owner_words, b.owner_words
    if a.owners and b.owners and not set(a.owners).isdisjoint(b.owners):
        return Bond.SAME
    if not mine or not theirs:
        return Bond.UNKNOWN
    levels = {a.level, b.level}
    if mine <= theirs or theirs <= mine:
        return Bond.APART if len(levels) == 2 and "" not in levels and levels != _TOGETHER else Bond.SAME
    if not a.owners_joined.isdisjoint(b.owners_joined):
        return Bond.SAME
    common = len(mine & theirs)
    if common * 5 >= 3 * len(mine | theirs) or not mine.isdisjoint(b.acronyms) or not theirs.isdisjoint(a.acronyms):
        return Bond.SAME
    seated = a.seats and b.seats and compare_seats(a.seats, b.seats) is Bond.CONFLICT
    peers = len(levels) == 1 and not levels & {"", "wide"}
    return Bond.CONFLICT if peers or seated else Bond.APART


def mentions_owner(a: Signs, b: Signs) -> bool:
    """Whether one record names the owner of the other in its title, keywords, portal or description."""
    return _names_owner(a, b) or _names_owner(b, a)


def titles_name_owner(a: Signs, b: Signs, *, either: bool) -> bool:
    """Whether both titles, or the one of the other, name the owner of one of them.

    "Polling places - Fife" is what a hub calls the polling places of Fife Council.
    """
    both = a.title_words & b.title_words
    left, right = (b.title_words, a.title_words) if either else (both, both)
    if either and (_joins(a, b) or _joins(b, a)):
        return True
    return bool(a.owner_words and a.owner_words <= left) or bool(b.owner_words and b.owner_words <= right)


def _joins(teller: Signs, owner: Signs) -> bool:
    return any(written_together(title.main, owner.owners_joined) for title in teller.titles)


def _names_owner(teller: Signs, owner: Signs) -> bool:
    words = owner.owner_words
    if not words:
        return False
    missing = words - (teller.context | teller.mentioned | teller.title_words)
    joined = ["".join(title.main) for title in teller.titles] if missing else []
    return all(len(word) > 7 and any(word in title for title in joined) for word in missing)


# Words that two places of one kind share.
_KINDS = LOCAL | COUNTY | REGIONAL
# Kinds of areas of which two different ones have nothing in common; others may lie in each other.
_EXCLUSIVE = ("/commune/", "/departement/", "/region/", "authority/country/", "authority/place/")


def compare_places(a: Signs, b: Signs) -> Bond:
    """Whether both cover one place."""
    if a.bbox and b.bbox:
        if _apart(a.bbox, b.bbox):
            return Bond.CONFLICT
        if _nearly(a.bbox, b.bbox):
            return Bond.SAME
    return compare_seats(a.places, b.places)


def compare_seats(left: tuple[str, ...], right: tuple[str, ...]) -> Bond:
    """Whether the places are the same, or such that none lies in another."""
    if not left or not right:
        return Bond.UNKNOWN
    mine, theirs = set(left), set(right)
    if mine & theirs:
        return Bond.SAME
    for kind in _EXCLUSIVE:
        if _all_of(kind, mine) and _all_of(kind, theirs):
            return Bond.CONFLICT
    return Bond.CONFLICT if _neighbours(mine, theirs) else Bond.APART


def _neighbours(mine: set[str], theirs: set[str]) -> bool:
    """Whether one place of each is named alone, and both are of one kind: "Dane County", "Adams County"."""
    names = [[name for name in places if "/" not in name and ":" not in name] for places in (mine, theirs)]
    if any(len(each) != 1 for each in names):
        return False
    left, right = (set(plain_words(each[0])) for each in names)
    return not _KINDS.isdisjoint(left & right) and bool(left - right) and bool(right - left)


def _all_of(kind: str, places: set[str]) -> bool:
    addresses = [place for place in places if "/" in place]
    return bool(addresses) and all(kind in place for place in addresses)


def _apart(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]


def _nearly(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    widest = max(a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1])
    return all(abs(x - y) <= 0.02 * widest + 0.001 for x, y in zip(a, b, strict=True))


def periods_conflict(a: Signs, b: Signs) -> bool:
    """Whether the times that both cover have nothing in common."""
    (start, end), (other_start, other_end) = a.period, b.period
    return bool(end and other_start and _before(end, other_start)) or bool(
        other_end and start and _before(other_end, start)
    )


def _before(end: str, start: str) -> bool:
    """Whether one time is over when the other starts, as exactly as both are given."""
    exact = min(len(end), len(start))
    return end[:exact] < start[:exact]


def same_moment(a: Signs, b: Signs) -> bool:
    """Whether both were issued or last changed at the same second."""
    return any(
        x == y and len(x) > 16 and "T00:00" not in x for x, y in ((a.issued, b.issued), (a.modified, b.modified))
    )


def versions_conflict(a: Signs, b: Signs) -> bool:
    """Whether both state a version, and not the same one."""
    left, right = a.version.removeprefix("v"), b.version.removeprefix("v")
    return bool(left and right) and left != right


def named_apart(a: Signs, b: Signs, texts: Texts) -> bool:
    """Whether each description names a place or owner of its own record that the other's does not."""
    left = {stem(word) for word in texts.left} & (a.owner_words | a.place_words | _own(a))
    right = {stem(word) for word in texts.right} & (b.owner_words | b.place_words | _own(b))
    return bool(left and right)


def _own(signs: Signs) -> frozenset[str]:
    return frozenset(stem(word) for word in signs.host.replace("-", ".").split("."))
