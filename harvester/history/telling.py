"""Differences between two states of a dataset, told to people: field by field, as values and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harvester.history.difference import Delta, label
from harvester.model.dataset import TERM_FIELDS
from harvester.vocabularies import VOCABULARIES

# Where the word of the model is not the word of people.
WORDS = {"license": "licence", "accrual_periodicity": "frequency", "hvd_category": "high-value category"}
# Fields that hold texts by language: a new one is told text by text.
BY_LANGUAGE = frozenset(("title", "description", "keyword", "name", "rights", "provenance", "version_notes"))
# Their order means nothing.
UNORDERED = frozenset(("keyword",))
_LONGEST = 120
_LEAD = 30


@dataclass(frozen=True, slots=True)
class Field:
    """What became of one field: `kind` is changed, added, removed or reordered; what is not there is None."""

    path: str
    kind: str
    before: Any
    after: Any
    words: str

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {"path": self.path, "change": self.kind, "from": self.before, "to": self.after}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: the path, the same in words, and the field it belongs to."""

    path: str = ""
    words: str = ""
    field: str = ""
    language: bool = False

    def key(self, key: str) -> _Place:
        """A field of this object, or the text in a language."""
        if self.by_language:
            at = (f"{self.path}.{key}", f"{self.words} ({key})") if key else (self.path, self.words)
            return _Place(*at, self.field, language=True)
        words = WORDS.get(key, key.replace("_", " "))
        joined = f"{self.words}, {words}" if self.words else words
        return _Place(f"{self.path}.{key}" if self.path else key, joined, key)

    def item(self, name: str) -> _Place:
        """A thing in this list."""
        return _Place(f"{self.path}[{name}]", f"{self.words} {name!r}", self.field)

    @property
    def by_language(self) -> bool:
        """Whether it holds texts by language."""
        return self.field in BY_LANGUAGE and not self.language


def fields(delta: Delta | None) -> Iterator[Field]:
    """What a difference changes, in the order of the names of fields; nothing when a whole dataset came or went."""
    if delta is not None and delta[0] == "{":
        yield from _told(delta, _Place())


def value_words(value: Any, field: str = "") -> str:
    """A value in words; a term by the name of its concept."""
    if type(value) is dict and type(value.get("uri")) is str and field in TERM_FIELDS:
        concept = VOCABULARIES[TERM_FIELDS[field]].concept(value["uri"])
        if concept is not None and concept.labels:
            return concept.labels.get("en") or next(iter(concept.labels.values()))
    if type(value) is str:
        return value
    return label(value) or label(list(value.values()) if type(value) is dict else value)


def _told(delta: Delta, place: _Place) -> Iterator[Field]:
    if delta[0] == "{":
        for key, inner in sorted(delta[1].items()):
            yield from _told(inner, place.key(key))
    elif delta[0] == "[":
        yield from _told_list(delta[1], place)
    elif delta[0] == "=":
        yield Field(place.path, "changed", delta[1], delta[2], _changed(place, delta[1], delta[2]))
    else:
        yield from _whole(delta[1], place, "added" if delta[0] == "+" else "removed")


def _told_list(spec: dict[str, Any], place: _Place) -> Iterator[Field]:
    for kind, sign in (("removed", "-"), ("added", "+")):
        for _, item in spec.get(sign, ()):
            yield _item(item, place, kind)
    for _, name, inner in spec.get("~", ()):
        many = inner[0] != "=" or type(inner[2]) is dict
        yield from _told(inner, place.item(name) if many else place)
    if spec.get("order") and place.field not in UNORDERED:
        yield Field(place.path, "reordered", None, None, f"{place.words}: in another order")


def _whole(value: Any, place: _Place, kind: str) -> Iterator[Field]:
    """A field that came or went: lists item by item, texts by language."""
    if type(value) is list and value and not isinstance(value[0], int | float):
        for item in value:
            yield _item(item, place, kind)
    elif type(value) is dict and place.by_language:
        for key, inner in sorted(value.items()):
            yield from _whole(inner, place.key(key), kind)
    else:
        words = f"{place.words} {kind}: {_short(value_words(value, place.field))}"
        yield _one(place.path, kind, value, words)


def _item(item: Any, place: _Place, kind: str) -> Field:
    name = value_words(item, place.field)
    return _one(f"{place.path}[{label(item)}]", kind, item, f"{place.words} {_short(name)!r} {kind}")


def _one(path: str, kind: str, value: Any, words: str) -> Field:
    gone = kind == "removed"
    return Field(path, kind, value if gone else None, None if gone else value, words)


def _changed(place: _Place, before: Any, after: Any) -> str:
    old, new = value_words(before, place.field), value_words(after, place.field)
    if old == new:
        # Two concepts, or two shapes, of one name.
        old, new = _exact(before), _exact(after)
    start = next((number for number, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = max(0, start - _LEAD) if max(len(old), len(new)) > _LONGEST else 0
    return f"{place.words}: {_short(old, start)} -> {_short(new, start)}"


def _exact(value: Any) -> str:
    return " ".join(f"{part}" for part in value.values()) if type(value) is dict else f"{value}"


def _short(text: str, start: int = 0) -> str:
    """The text in one line, from a little before where it matters."""
    line = " ".join(text[start:].split())
    cut = line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
    return f"…{cut}" if start else cut
