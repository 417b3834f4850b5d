"""Terms of controlled vocabularies: what the source wrote, and the concept it means where one is known."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from harvester.fields.base import SILENT, Report, cleaned_by
from harvester.fields.text import text
from harvester.fields.web import iri
from harvester.vocabularies import VOCABULARIES, refuses
from harvester.vocabularies.overrides import remembered, told

_TEXTS = frozenset((str, type(None)))
_MANY = (list, tuple, set, frozenset)
_LISTS = (list, tuple)
_DIGIT = re.compile("[0-9]")
# The vocabularies of which portals join several terms in one text.
_JOINTS = {"language": re.compile(r"\s*[/,;|+&]\s*|\s(?:and|et|und|en|y|e)\s", re.IGNORECASE)}


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
        return _overridden(vocabulary, value.text) or value
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
    joints = _JOINTS.get(vocabulary)
    if joints:
        items = [part for raw in items for part in _parts(vocabulary, raw, joints)]
    found = {item: None for raw in items if (item := term(vocabulary, raw, report))}
    return tuple(sorted(found, key=lambda item: (item.uri or "", item.text)))


def _parts(vocabulary: str, raw: Any, joints: re.Pattern[str]) -> list[Any]:
    """The terms joined in one text ("fr/en"), if all of them are known and the text as a whole is not."""
    if not isinstance(raw, str) or not joints.search(raw) or len(raw) > _LONGEST_REMEMBERED:
        return [raw]
    resolve = VOCABULARIES[vocabulary].resolve
    parts = [part for part in joints.split(raw) if part.strip()]
    return [raw] if resolve(raw) or not all(map(resolve, parts)) else parts


def matched(vocabulary: str, item: Term) -> bool:
    """Whether the term stands for a concept of the vocabulary."""
    return item.uri is not None and VOCABULARIES[vocabulary].concept(item.uri) is not None


def _decided(vocabulary: str, raw: Any, uri: Any) -> Term | None:
    """A term in its stored form: its text may mean two concepts, of which this was one."""
    if not isinstance(raw, str) or not isinstance(uri, str):
        return None
    if decided := _overridden(vocabulary, text(raw)):
        return decided
    concept, cleaned = VOCABULARIES[vocabulary].concept(uri), text(raw)
    return Term(cleaned, concept.uri) if concept and cleaned else None


def _meant(vocabulary: str, raws: tuple[str | None, ...]) -> Term | None:
    """The term that hints mean; portals repeat the same few thousand of them, so the short ones are remembered."""
    length = sum(map(len, filter(None, raws)))
    return (_remembered if length <= _LONGEST_REMEMBERED else _found)(vocabulary, raws)


def _overridden(vocabulary: str, said: Any, *hints: str) -> Term | None:
    """The term that the source at work decided on; a text that it says means nothing keeps no address either."""
    if not isinstance(said, str):
        return None
    decided = next((found for hint in (said, *hints) if (found := told(vocabulary, hint))), None)
    return Term(said, decided[0].uri if decided[0] else None) if decided else None


def _found(vocabulary: str, raws: tuple[str | None, ...]) -> Term | None:
    hints = [hint for raw in dict.fromkeys(raws) if (hint := text(raw))]
    if not hints:
        return None
    if decided := _overridden(vocabulary, *hints):
        return decided
    for hint in sorted(hints, key=_VAGUENESS.get(vocabulary, _equally)):
        if concept := VOCABULARIES[vocabulary].resolve(hint):
            refusal = _refusal(vocabulary, hints, hint)
            return Term(refusal) if refusal else Term(hints[0], concept.uri)
    own = (iri(hint) for hint in hints if "://" in hint or hint.startswith("urn:"))
    return Term(hints[0], next((found for found in own if found), None))


def _refusal(vocabulary: str, hints: list[str], granted: str) -> str | None:
    """The hint that denies or restricts what another one grants: it is what the source says, in the reader's words."""
    if vocabulary != "licence":
        return None
    return next((hint for hint in hints if hint != granted and refuses(hint)), None)


_remembered = remembered(65_536)(_found)


def _equally(hint: str) -> int:
    return 0


def _vagueness_of_licence(hint: str) -> int:
    """Addresses with a version name a licence exactly, then ids and titles with a version, then other addresses."""
    return 2 * (not _DIGIT.search(hint)) + ("://" not in hint)


# Where the hints of one term differ in how exact they are: the exact ones are asked first.
_VAGUENESS: dict[str, Callable[[str], int]] = {"licence": _vagueness_of_licence}


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
