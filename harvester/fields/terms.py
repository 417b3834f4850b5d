"""Terms of controlled vocabularies: what the source wrote, and the concept it means where one is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any

from harvester.fields.base import SILENT, Report, cleaned_by
from harvester.fields.text import text
from harvester.fields.web import iri
from harvester.vocabularies import VOCABULARIES

_TEXTS = frozenset((str, type(None)))
_MANY = (list, tuple, set, frozenset)
_LISTS = (list, tuple)


@dataclass(frozen=True, slots=True)
class Term:
    """`text` as the source wrote it; `uri` the concept of the vocabulary, else the source's own IRI, else None."""

    text: str
    uri: str | None = None


_LONGEST_REMEMBERED = 500


def term(vocabulary: str, value: Any, report: Report = SILENT) -> Term | None:
    """The term that a text, a list of hints (title, code, URL: the first that resolves wins) or a dict means."""
    if type(value) is str:
        return _meant(vocabulary, (value,))
    if isinstance(value, Term):
        return value
    if isinstance(value, dict) and (decided := _decided(vocabulary, value.get("text"), value.get("uri"))):
        return decided
    plain = type(value) is list and _TEXTS.issuperset(map(type, value))
    raws = tuple(value if plain else _hints(value))
    if plain or _TEXTS.issuperset(map(type, raws)):
        return _meant(vocabulary, raws)
    return _meant(vocabulary, tuple(text(raw, report) for raw in raws))


def several(vocabulary: str, value: Any, report: Report = SILENT) -> tuple[Term, ...]:
    """One term per item of a list, or of a single value; without repetition, in alphabetical order."""
    items = value if isinstance(value, _MANY) else (value,)
    found = {item: None for raw in items if (item := term(vocabulary, raw, report))}
    return tuple(sorted(found, key=lambda item: (item.uri or "", item.text)))


def matched(vocabulary: str, item: Term) -> bool:
    """Whether the term stands for a concept of the vocabulary."""
    return item.uri is not None and VOCABULARIES[vocabulary].concept(item.uri) is not None


def _decided(vocabulary: str, raw: Any, uri: Any) -> Term | None:
    """A term in its stored form: its text may mean two concepts, of which this was one."""
    if isinstance(raw, str) and isinstance(uri, str) and VOCABULARIES[vocabulary].concept(uri) is not None:
        cleaned = text(raw)
        return Term(cleaned, uri) if cleaned else None
    return None


def _meant(vocabulary: str, raws: tuple[str | None, ...]) -> Term | None:
    """The term that hints mean; portals repeat the same few thousand of them, so the short ones are remembered."""
    length = sum(map(len, filter(None, raws)))
    return (_remembered if length <= _LONGEST_REMEMBERED else _remembered.__wrapped__)(vocabulary, raws)


@lru_cache(maxsize=65_536)
def _remembered(vocabulary: str, raws: tuple[str | None, ...]) -> Term | None:
    hints = [hint for raw in dict.fromkeys(raws) if (hint := text(raw))]
    if not hints:
        return None
    for hint in hints:
        if concept := VOCABULARIES[vocabulary].resolve(hint):
            return Term(hints[0], concept.uri)
    own = (iri(hint) for hint in hints if "://" in hint or hint.startswith("urn:"))
    return Term(hints[0], next((found for found in own if found), None))


def _hints(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value.get(key) for key in ("text", "uri", "label", "title", "name", "@value", "@id"))
    elif isinstance(value, _LISTS):
        for inner in value:
            yield from _hints(inner)
    else:
        yield value


def _one(vocabulary: str) -> Callable[[Any, Report], Term | None]:
    return partial(term, vocabulary)


def _many(vocabulary: str) -> Callable[[Any, Report], tuple[Term, ...]]:
    return partial(several, vocabulary)


Licence = Annotated[Term | None, cleaned_by(_one("licence"))]
Frequency = Annotated[Term | None, cleaned_by(_one("frequency"))]
FileType = Annotated[Term | None, cleaned_by(_one("file-type"))]
FileTypes = Annotated[tuple[Term, ...], cleaned_by(_many("file-type"))]
MediaType = Annotated[Term | None, cleaned_by(_one("media-type"))]
AccessRight = Annotated[Term | None, cleaned_by(_one("access-right"))]
Availability = Annotated[Term | None, cleaned_by(_one("availability"))]
Status = Annotated[Term | None, cleaned_by(_one("status"))]
ChecksumAlgorithm = Annotated[Term | None, cleaned_by(_one("checksum-algorithm"))]
PublisherType = Annotated[Term | None, cleaned_by(_one("publisher-type"))]
Place = Annotated[Term | None, cleaned_by(_one("place"))]
Themes = Annotated[tuple[Term, ...], cleaned_by(_many("data-theme"))]
Languages = Annotated[tuple[Term, ...], cleaned_by(_many("language"))]
DatasetTypes = Annotated[tuple[Term, ...], cleaned_by(_many("dataset-type"))]
HvdCategories = Annotated[tuple[Term, ...], cleaned_by(_many("hvd-category"))]
