"""The MQA of one dataset, from what it says or its stored form: exactly what is decided on its DCAT-AP export.

As the scoring of data.europa.eu does it (piveau-metrics-score): the distributions of a dataset are taken to hold the
same, the best one counts, with the measurements of the dataset itself added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from harvester.model import Distribution
from harvester.quality.compliance import compliance
from harvester.quality.formats import MACHINE_READABLE, NON_PROPRIETARY, file_types
from harvester.quality.indicators import ALL, BY_NAME, FILLED_IN, INDICATORS, Dimension, band, mask, names_of, points_of
from harvester.rdf.derived import RULES, Context, Facts, facts_of, words_of
from harvester.rdf.nodes import named
from harvester.rdf.profile import CLOSED
from harvester.vocabularies import VOCABULARIES

# Changed when the same dataset may score otherwise: every dataset is assessed again then.
RULES_VERSION = 1
_SHIFT = len(INDICATORS)
FILLED = 1 << 2 * _SHIFT
_ACCESS, _DOWNLOAD = BY_NAME["access_url_status"].bit, BY_NAME["download_url_status"].bit
_EU_LICENCE = "http://publications.europa.eu/resource/authority/licence/"
# What is written as words alone where it has no concept.
_WORDS_ALONE = (*CLOSED, "data-theme")
# Whether an address answers with success; None of one that was never checked.
Checks = Callable[[str], bool | None]


class Reading(StrEnum):
    """What of addresses that were never checked: they count as nothing now, or as they would if they all work."""

    NOW = "now"
    CHECKED = "checked"


@dataclass(frozen=True, slots=True)
class Part:
    """A distribution: the indicators it meets, and those that nobody has checked yet."""

    met: int
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """What a dataset meets in both readings, its distributions, and what was filled in for it to conform."""

    now: int
    checked: int
    parts: tuple[Part, ...] = ()
    filled: tuple[str, ...] = ()

    def met(self, reading: Reading = Reading.NOW) -> tuple[str, ...]:
        """The indicators it meets."""
        return names_of(self._mask(reading))

    def points(self, reading: Reading = Reading.NOW) -> int:
        """Of 405."""
        return points_of(self._mask(reading))

    def dimensions(self, reading: Reading = Reading.NOW) -> dict[Dimension, int]:
        """Points by dimension."""
        bits = self._mask(reading)
        return {each: points_of(bits & _OF[each]) for each in Dimension}

    def band(self, reading: Reading = Reading.NOW) -> str:
        """The rating."""
        return band(self.points(reading))

    @property
    def unknown(self) -> tuple[str, ...]:
        """The indicators that only a link check can decide."""
        return names_of(self.checked & ~self.now & (_ACCESS | _DOWNLOAD))

    @property
    def pattern(self) -> int:
        """All of it but the distributions in one number: what is counted."""
        return self.now | self.checked << _SHIFT | (FILLED if self.filled else 0)

    def _mask(self, reading: Reading) -> int:
        return self.now if reading is Reading.NOW else self.checked


def masks(pattern: int) -> tuple[int, int]:
    """What a pattern of datasets meets now, and once every address is checked."""
    return pattern & ALL, pattern >> _SHIFT & ALL


def part_of(pattern: int) -> Part:
    """A distribution from its pattern."""
    return Part(pattern & ALL, pattern >> _SHIFT)


def pattern_of(part: Part) -> int:
    """A distribution in one number."""
    return part.met | part.unknown << _SHIFT


_OF = {each: mask(i.name for i in INDICATORS if i.dimension is each) for each in Dimension}


def never(address: str) -> bool | None:
    """For datasets whose links nobody checked."""
    return None


def score(dataset: Any, checks: Checks = never, iri: str | None = None) -> Score:
    """What a dataset meets, or its stored form; `checks` knows its addresses, `iri` is its public name."""
    facts = facts_of(dataset)
    context = Context.of(facts, iri)
    found = compliance(facts, context)
    own = mask(name for name, test in _OF_DATASETS.items() if test(facts))
    own |= BY_NAME["dcat_ap_compliance"].bit if found.conforms else 0
    parts = tuple(_part(facts_of(item), context, checks) for item in facts.get("distribution") or ())
    best = _best(own, (part.met for part in parts))
    hoped = _best(own, (part.met | part.unknown for part in parts))
    return Score(best, hoped, parts, found.filled)


def _best(own: int, parts: Iterable[int]) -> int:
    """The dataset with the distribution that gives most points; of several, the first."""
    return max((own | part for part in parts), key=points_of, default=own)


def _part(facts: Facts, context: Context, checks: Checks) -> Part:
    met = mask(name for name, test in _OF_DISTRIBUTIONS.items() if test(facts))
    unknown = 0
    addresses = facts.get("access_url") or RULES[Distribution](facts, context)["access_url"]
    for bit, urls in ((_ACCESS, addresses), (_DOWNLOAD, facts.get("download_url") or ())):
        known = [checks(url) for url in urls if named(url)]
        if any(known):
            met |= bit
        elif None in known:
            unknown |= bit
    return Part(met, unknown)


def _stands(vocabulary: str, term: Any) -> bool:
    """Whether a term is written under the property of DCAT-AP."""
    return bool(term) and _written(vocabulary, words_of(term)[1])


@lru_cache(maxsize=16_384)
def _written(vocabulary: str, uri: str | None) -> bool:
    if uri is None:
        return vocabulary not in _WORDS_ALONE
    if VOCABULARIES[vocabulary].concept(uri) is not None:
        return True
    return vocabulary not in CLOSED and named(uri) is not None


def _concept(vocabulary: str, term: Any, prefix: str = "") -> bool:
    """Whether a term is a concept of the vocabulary, whose IRI begins so."""
    return bool(term) and _known(vocabulary, words_of(term)[1], prefix)


@lru_cache(maxsize=16_384)
def _known(vocabulary: str, uri: str | None, prefix: str) -> bool:
    concept = VOCABULARIES[vocabulary].concept(uri) if uri else None
    return concept is not None and concept.uri.startswith(prefix)


def _kinds(facts: Facts) -> frozenset[str]:
    format, media_type = facts.get("format"), facts.get("media_type")
    return file_types(words_of(format)[1] if format else None, words_of(media_type)[1] if media_type else None)


def _filled(name: str) -> Callable[[Facts], bool]:
    return lambda facts: bool(facts.get(name))


_DATES = {"date_issued": _filled("issued"), "date_modified": _filled("modified")}
_OF_DATASETS: dict[str, Callable[[Facts], bool]] = {
    "keyword": lambda facts: any((facts.get("keyword") or {}).values()),
    "category": lambda facts: any(_stands("data-theme", term) for term in facts.get("theme") or ()),
    "spatial": _filled("spatial"),
    "temporal": _filled("temporal"),
    "access_rights": lambda facts: _stands("access-right", facts.get("access_rights")),
    "access_rights_vocabulary": lambda facts: _concept("access-right", facts.get("access_rights")),
    "contact_point": _filled("contact_point"),
    "publisher": _filled("publisher"),
    **_DATES,
}
_OF_DISTRIBUTIONS: dict[str, Callable[[Facts], bool]] = {
    "download_url": lambda facts: any(map(named, facts.get("download_url") or ())),
    "format": lambda facts: _stands("file-type", facts.get("format")),
    "media_type": lambda facts: _stands("media-type", facts.get("media_type")),
    "format_vocabulary": lambda facts: (
        _concept("file-type", facts.get("format")) and _concept("media-type", facts.get("media_type"))
    ),
    "non_proprietary": lambda facts: not NON_PROPRIETARY.isdisjoint(_kinds(facts)),
    "machine_readable": lambda facts: not MACHINE_READABLE.isdisjoint(_kinds(facts)),
    "licence": lambda facts: _stands("licence", facts.get("license")),
    "known_licence": lambda facts: _concept("licence", facts.get("license"), _EU_LICENCE),
    "rights": _filled("rights"),
    "byte_size": lambda facts: facts.get("byte_size") is not None,
    **_DATES,
}


def lacking(pattern: int, name: str) -> bool:
    """Whether datasets of a pattern lack an indicator; what was never checked is not lacking."""
    if name == FILLED_IN.name:
        return bool(pattern & FILLED)
    now, checked = masks(pattern)
    bit = BY_NAME[name].bit
    return not now & bit and not (bit & (_ACCESS | _DOWNLOAD) and checked & bit)
