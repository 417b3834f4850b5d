"""What two records of one dataset say differently, field by field, as far as two kinds of software can be compared.

Fields that every portal has differ also where the target lacks them; those that some software cannot hold (periods,
frequency, themes, places) only where both state them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harvester.fields.languages import preferred
from harvester.fields.terms import Term
from harvester.history.telling import WORDS, value_words
from harvester.model import Agent, Dataset, Distribution
from harvester.reconcile.addresses import canonical, host_of, served
from harvester.reconcile.dates import span
from harvester.reconcile.folding import body_name, slug, squashed, worded

_LONGEST = 300
_MOST = 8
_SHORTEST_TAG = 3
_CUT = 40
# Concepts that software writes where nobody said anything.
_UNKNOWN = frozenset(("UNKNOWN", "OTHER", "OP_DATPRO"))
_UNSTATED = frozenset(("notspecified", "licencenonspecifiee", "licensenotspecified", "unknown", "none", "other"))


@dataclass(frozen=True, slots=True)
class Difference:
    """A field, what the source says of it and what the target says; None where one says nothing."""

    field: str
    source: str | None
    target: str | None
    note: str = ""

    @property
    def words(self) -> str:
        """The same in one line."""
        shown = f"{self.source or 'nothing'} -> {self.target or 'nothing'}"
        return f"{WORDS.get(self.field, self.field.replace('_', ' '))}: {self.note or shown}"

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"field": self.field, "source": self.source, "target": self.target, "note": self.note}


Compared = Callable[[Dataset, Dataset], Difference | None]


def differences(source: Dataset, target: Dataset) -> tuple[Difference, ...]:
    """Every field that differs, in the order of the table."""
    return tuple(found for compare in FIELDS if (found := compare(source, target)))


def _texts(field: str, fold: Callable[[str], str]) -> Compared:
    """Texts by language: one that both have is enough; the target may have translated the rest."""

    def compare(source: Dataset, target: Dataset) -> Difference | None:
        mine, theirs = getattr(source, field), getattr(target, field)
        if not mine or not _held(mine, theirs, fold):
            return None
        common = [tag for tag in mine if tag in theirs]
        before = mine[common[0]] if common else preferred(mine)
        after = theirs[common[0]] if common else preferred(theirs)
        note = _cut(before, after, fold) if before and after else ""
        return Difference(field, _short(before), _short(after), note)

    return compare


def _held(mine: Mapping[str, str], theirs: Mapping[str, str], fold: Callable[[str], str]) -> bool:
    """Whether a text of the source is not held by the target: in its own language where both name it."""
    said = {fold(text) for text in mine.values() if fold(text)}
    if not said:
        return False
    common = [tag for tag in mine if tag and tag in theirs]
    if common:
        return any(fold(mine[tag]) != fold(theirs[tag]) for tag in common)
    return not said & {fold(text) for text in theirs.values()}


def _cut(before: str, after: str, fold: Callable[[str], str]) -> str:
    whole, part = fold(before), fold(after)
    if len(part) >= _CUT and len(part) < len(whole) and whole.startswith(part):
        return f"cut after {len(after)} of {len(before)} characters"
    return ""


def _licence(source: Dataset, target: Dataset) -> Difference | None:
    mine, theirs = _licences(source), _licences(target)
    if not mine or mine.keys() & theirs.keys():
        return None
    return Difference("license", _listed(mine.values()), _listed(theirs.values()))


def _licences(dataset: Dataset) -> dict[str, str]:
    """Licences by what they are known as: those of the distributions where the dataset has none."""
    own = [dataset.license] if dataset.license else [one.license for one in dataset.distribution]
    found = {_meant(term): value_words({"text": term.text, "uri": term.uri}, "license") for term in own if term}
    return {key: words for key, words in found.items() if key and key not in _UNSTATED}


def _meant(term: Term) -> str:
    if term.uri and squashed(term.text or "") not in _UNSTATED:
        return canonical(term.uri) or term.uri
    return squashed(term.text or "")


def _publisher(source: Dataset, target: Dataset) -> Difference | None:
    mine, theirs = source.publisher, target.publisher
    if not mine or not mine.name:
        return None
    if theirs and _is_one(mine, theirs):
        return None
    others = [one.target for one in target.qualified_attribution if one.target]
    if any(_is_one(mine, one) for one in (*others, *target.creator)):
        # The target's account publishes, and names the producer beside.
        return None
    return Difference("publisher", preferred(mine.name), preferred(theirs.name) if theirs else None)


def _is_one(mine: Agent, theirs: Agent) -> bool:
    if set(mine.identifier) & set(theirs.identifier):
        return True
    return bool({body_name(name) for name in mine.name.values()} & {body_name(name) for name in theirs.name.values()})


def _keyword(source: Dataset, target: Dataset) -> Difference | None:
    """Portals make tags of keywords, and add themes to them: what they drop for its length is not told."""
    mine, theirs = _tags(source), _tags(target)
    themes = {slug(term.text) for term in source.theme if term.text}
    lost = [words for tag, words in mine.items() if tag not in theirs and len(tag) >= _SHORTEST_TAG]
    won = [words for tag, words in theirs.items() if tag not in mine and tag not in themes]
    if not mine or not (lost or (won and not _only_added(target, won))):
        return None
    note = "; ".join(part for part in (_told("lost", lost), _told("added", won)) if part)
    return Difference("keyword", _listed(mine.values()), _listed(theirs.values()), note)


def _only_added(target: Dataset, won: Sequence[str]) -> bool:
    """Words that the target made of its own badges and themes."""
    own = {slug(term.text) for term in (*target.theme, *target.type) if term.text} | {"hvd", "inspire", "spd"}
    return all(slug(word) in own for word in won)


def _tags(dataset: Dataset) -> dict[str, str]:
    return {slug(word): word for words in dataset.keyword.values() for word in words if slug(word)}


def _distribution(source: Dataset, target: Dataset) -> Difference | None:
    mine, theirs = _served(source.distribution), _served(target.distribution)
    if not mine and not theirs:
        return None
    lost = [one for one in mine if not any(one.faces & other.faces for other in theirs)]
    won = [other for other in theirs if not any(other.faces & one.faces for one in mine)]
    turned = list(_formats(mine, theirs))
    if not (lost or won or turned):
        return None
    moved = len(lost) == len(won) == len(mine)
    parts = (
        f"{len(mine)} -> {len(theirs)} distributions" if len(mine) != len(theirs) else "",
        "none has the address it has at the source" if moved else "",
        "" if moved else _told("missing", [one.name for one in lost]),
        "" if moved else _told("added", [one.name for one in won]),
        _told("format", turned),
    )
    return Difference("distribution", _names(mine), _names(theirs), "; ".join(part for part in parts if part))


@dataclass(frozen=True, slots=True)
class _Served:
    """A thing that is served: every address it has, its formats, and what to call it."""

    faces: frozenset[str]
    formats: frozenset[str]
    name: str


def _served(found: Sequence[Distribution]) -> list[_Served]:
    """The distributions, those that are exports of one thing together; one without any address is not compared."""
    made: dict[str, _Served] = {}
    for one in found:
        faces = frozenset(filter(None, map(served, (*one.download_url, *one.access_url))))
        if not faces:
            continue
        formats = frozenset((_kind(one.format),)) if one.format else frozenset()
        key = min(faces & made.keys(), default=min(faces))
        name = preferred(one.title) or min((*one.download_url, *one.access_url))
        old = made.get(key) or _Served(frozenset(), frozenset(), name)
        made[key] = _Served(faces | old.faces, formats | old.formats, old.name)
    return list(made.values())


def _kind(term: Term) -> str:
    return (term.uri or "").rpartition("/")[2] or squashed(term.text or "").upper()


def _formats(mine: Sequence[_Served], theirs: Sequence[_Served]) -> Iterator[str]:
    for one in mine:
        for other in theirs:
            lone = len(one.formats) == len(other.formats) == 1
            if lone and one.faces & other.faces and not one.formats & other.formats:
                yield f"{_short(one.name)} {min(one.formats)} -> {min(other.formats)}"


def _names(found: Sequence[_Served]) -> str | None:
    return _listed(sorted(min(one.faces, key=lambda face: (host_of(face), face)) for one in found))


def _stated(field: str, read: Callable[[Dataset], set[str]]) -> Compared:
    """A field that differs only where both state it, and share nothing of it."""

    def compare(source: Dataset, target: Dataset) -> Difference | None:
        mine, theirs = read(source), read(target)
        if not mine or not theirs or mine & theirs:
            return None
        return Difference(field, _listed(sorted(mine)), _listed(sorted(theirs)))

    return compare


def _concepts(terms: Iterable[Term | None]) -> set[str]:
    """Concepts alone: the words of one portal mean nothing at another."""
    return {term.uri for term in terms if term and term.uri and term.uri.rpartition("/")[2] not in _UNKNOWN}


def _periods(dataset: Dataset) -> set[str]:
    """By day: portals add times to the ends of periods."""
    return {f"{_day(one.start)}/{_day(one.end)}" for one in dataset.temporal if one.start or one.end}


def _temporal(source: Dataset, target: Dataset) -> Difference | None:
    mine, theirs = _periods(source), _periods(target)
    if not mine or not theirs or mine & theirs:
        return None
    if any(_touches(one, other) for one in source.temporal for other in target.temporal):
        return None
    return Difference("temporal", _listed(sorted(mine)), _listed(sorted(theirs)))


def _touches(one: Any, other: Any) -> bool:
    """Whether both ends of two periods may be the same, as far as both are stated and whatever their precision."""
    ends = [(a, b) for a, b in ((one.start, other.start), (one.end, other.end)) if a and b]
    return bool(ends) and all(_may_be_one(a, b) for a, b in ends)


def _may_be_one(a: str, b: str) -> bool:
    one, other = span(a), span(b)
    return one is None or other is None or (one.start <= other.end and other.start <= one.end)


def _day(stated: str | None) -> str:
    return (stated or "")[:10]


def _places(dataset: Dataset) -> set[str]:
    return _concepts(one.place for one in dataset.spatial)


FIELDS: tuple[Compared, ...] = (
    _texts("title", squashed),
    _texts("description", worded),
    _licence,
    _publisher,
    _distribution,
    _keyword,
    _temporal,
    _stated("accrual_periodicity", lambda dataset: _concepts([dataset.accrual_periodicity])),
    _stated("access_rights", lambda dataset: _concepts([dataset.access_rights])),
    _stated("theme", lambda dataset: _concepts(dataset.theme)),
    _stated("spatial", _places),
    _stated("language", lambda dataset: _concepts(dataset.language)),
)


def _told(what: str, names: Sequence[str]) -> str:
    return f"{what}: {_listed(names)}" if names else ""


def _listed(texts: Iterable[str]) -> str | None:
    found = [short for text in texts if (short := _short(text))]
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return (", ".join(found[:_MOST]) + more) or None


def _short(text: str | None) -> str | None:
    line = " ".join((text or "").split())
    return (line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…") or None
