"""Data themes: one text may mean several, and several labels, commas and all, may be joined in one text."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.overrides import remembered, told
from harvester.vocabularies.table import Concept, Table, read_table
from harvester.vocabularies.text import fold, iri_key, is_iri, tidy, untagged

SCHEME = "http://publications.europa.eu/resource/authority/data-theme"

_AUTHORITY = Lazy(
    r"(?:publications\.europa\.eu/(?:mdr/)?(?:resource/)?authority"
    r"|resources\.data\.gov/vocab)/data-theme/(?:todo/)?(.+)$"
)
_TAIL = Lazy(
    r"(?:/id/themes?/|/groups?/|/metadata-codelist/topiccategory/|codelists\.xml#|/authority/data-theme/"
    r"|/topic-?categor(?:y|ies)/"
    r"|datatheme/|/sector-publico/sector/|/dcat/themes#|topiccategorycode[#/]|topiccategorycode_)(.+)$"
)
_JOINTS = Lazy(r"\s*[,;|]\s*")
_AND = Lazy(r"\s*(?:[,;|/&+]|\s(?:et|and|und|en|y|e|i)\s)\s*(?:(?:et|and|und|en|y)\s)?", re.IGNORECASE)
_LONGEST_LABEL = 8
_LONGEST_TEXT = 4_000


@cache
def table() -> Table:
    """The EU data themes, with the labels portals use."""
    return read_table("data-theme", SCHEME)


def themes(text: str) -> tuple[Concept, ...]:
    """The EU themes a text means: of one label, or of each label joined in it."""
    return _themes(text[:_LONGEST_TEXT])


@remembered(8_192)
def _themes(text: str) -> tuple[Concept, ...]:
    text = untagged(tidy(text))
    found = _meant(text)
    if found is None and not is_iri(text):
        parts = _labels(text) or tuple(_AND.split(text))
        meant = [_meant(part) for part in parts]
        known = None not in meant
        found = tuple(theme for themes in meant for theme in themes or ()) if known else ()
    return tuple(dict.fromkeys(found or ()))


def split_themes(text: str) -> tuple[str, ...]:
    """The labels joined in a text, by greedy longest match on known labels; the whole text when any part is unknown."""
    whole = text.strip()
    if _meant(tidy(text)) is not None:
        return (whole,)
    return _labels(tidy(text)) or (whole,)


def theme(known: Table, text: str) -> Concept | None:
    """The theme of a text, the first one it names when it names several."""
    found = themes(text)
    return found[0] if found else None


def _meant(text: str) -> tuple[Concept, ...] | None:
    """What one label or IRI means; None when it is unknown, () when the source says that it means nothing."""
    if decided := told("data-theme", text):
        return tuple(filter(None, decided))
    if is_iri(text):
        return _meant_by_iri(text)
    found = table().texts.get(fold(text))
    if found is None and "_" in text and " " not in text:
        # ISO 19115-3 refines a topic: `environment_EnvironmentalProtection`.
        found = table().texts.get(fold(text.partition("_")[0]))
    return found or None


def _meant_by_iri(text: str) -> tuple[Concept, ...] | None:
    key = iri_key(text)
    if key in table().iris:
        return table().iris[key] or None
    if key in table().exact:
        return (table().exact[key],)
    found = _AUTHORITY.search(key) or _TAIL.search(key)
    if found:
        return _meant_by_slug(found[1])
    refined = parse_qs(urlsplit(text).query).get("refine.theme") if "refine.theme=" in text else None
    return (themes(refined[0]) or None) if refined else None


def _meant_by_slug(slug: str) -> tuple[Concept, ...] | None:
    key = fold(unquote(slug))
    return table().texts.get(key) or _slugs().get(key) or None


@cache
def _slugs() -> dict[str, tuple[Concept, ...]]:
    """Labels as slugs write them: without `and` signs and elisions."""
    return {
        " ".join(word for word in key.split() if word not in ("l", "d")): found for key, found in table().texts.items()
    }


def _labels(text: str) -> tuple[str, ...]:
    """The labels of a joined text; () when a part is unknown."""
    parts = [part for part in _JOINTS.split(text) if part]
    if not 1 < len(parts) <= 60:
        return ()
    labels: list[str] = []
    position = 0
    while position < len(parts):
        length = _longest_known(parts, position)
        if not length:
            return ()
        labels.append(", ".join(parts[position : position + length]))
        position += length
    return tuple(labels)


def _longest_known(parts: list[str], position: int) -> int:
    for length in range(min(_LONGEST_LABEL, len(parts) - position), 0, -1):
        if _meant(", ".join(parts[position : position + length])) is not None:
            return length
    return 0
