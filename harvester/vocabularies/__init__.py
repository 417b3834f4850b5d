"""Controlled vocabularies: the EU, IANA, SPDX and Insee tables as data, and what portals really write instead.

`VOCABULARIES[name].resolve(text)` is pure and total: the concept a text surely means, or None.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain

from harvester.vocabularies import licences, places
from harvester.vocabularies.formats import (
    IANA,
    FormatFacts,
    file_type,
    format_facts,
    media_type,
    read_media_types,
)
from harvester.vocabularies.frequencies import frequency
from harvester.vocabularies.languages import language
from harvester.vocabularies.licences import licence, licence_iri
from harvester.vocabularies.overrides import Overrides, heeding, key_of
from harvester.vocabularies.places import communes, place, place_iri, read_places
from harvester.vocabularies.table import Concept, Table, read_concepts, read_table, rows
from harvester.vocabularies.text import fold
from harvester.vocabularies.themes import split_themes, theme, themes
from harvester.vocabularies.vocabulary import Vocabulary

__all__ = [
    "VOCABULARIES",
    "Concept",
    "FormatFacts",
    "Overrides",
    "Vocabulary",
    "format_facts",
    "heeding",
    "lies_in",
    "overrides",
    "refuses",
    "split_themes",
    "themes",
]

_EU = "http://publications.europa.eu/resource/authority/"


def _read_licences(name: str, scheme: str) -> Table:
    aliases = ((row["text"], row["code"]) for row in rows(f"{name}.aliases.csv"))
    others = read_concepts(f"{name}-others.csv", "")
    return Table(chain(read_concepts(f"{name}.csv", scheme), others), aliases)


def _eu(name: str, table: str = "") -> Vocabulary:
    """A small EU table that is known by heart."""
    table = table or name
    return Vocabulary(
        name,
        f"{_EU}{table}",
        tails=(f"publications.europa.eu/resource/authority/{table}/", f"resources.data.gov/vocab/{table}/todo/"),
        read=lambda _, scheme: read_table(table, scheme),
    )


_ALL = (
    Vocabulary(
        "licence",
        f"{_EU}licence",
        tails=(
            "dcat-ap.de/def/licenses/",
            "opendefinition.org/licenses/",
            "spdx.org/licenses/",
            "spdx.org/rdf/licenses/",
            "opensource.org/licenses/",
            "opensource.org/license/",
            "resources.data.gov/vocab/license/todo/",
            "europeandataportal.eu/ontologies/od-licenses#",
            "dcat-ap.ch/vocabulary/licenses/",
        ),
        rule=licence,
        other_iri=licence_iri,
        read=_read_licences,
    ),
    Vocabulary(
        "frequency",
        f"{_EU}frequency",
        tails=(
            "publications.europa.eu/mdr/authority/frequency/",
            "purl.org/cld/freq/",
            "purl.org/cld/terms/",
            "purl.org/linked-data/sdmx/2009/code#freq-",
            "inspire.ec.europa.eu/metadata-codelist/maintenancefrequency/",
            "inspire.ec.europa.eu/metadata-codelist/maintenancefrequencycode/",
            "standards.iso.org/iso/19115/resources/codelists/cat/codelists.xml#",
            "standards.iso.org/iso/19139/resources/gmxcodelists.xml#md_maintenancefrequencycode_",
            "isotc211.org/2005/resources/codelist.xml#md_maintenancefrequencycode_",
            "data.gov.be/",
        ),
        rule=frequency,
    ),
    Vocabulary("file-type", f"{_EU}file-type", rule=file_type),
    Vocabulary("media-type", IANA, rule=media_type, read=read_media_types),
    Vocabulary("data-theme", f"{_EU}data-theme", rule=theme),
    Vocabulary("language", f"{_EU}language", rule=language),
    _eu("access-right"),
    Vocabulary(
        "place",
        f"{_EU}place",
        tails=(
            "publications.europa.eu/mdr/authority/country/",
            "publications.europa.eu/resource/authority/country/",
            "publications.europa.eu/resource/authority/continent/",
        ),
        rule=place,
        other_iri=place_iri,
        others=communes,
        read=read_places,
    ),
    Vocabulary("publisher-type", "http://purl.org/adms/publishertype/1.0", tails=("purl.org/adms/publishertype/",)),
    Vocabulary(
        "hvd-category",
        "http://data.europa.eu/bna/asd487ae75",
        tails=("publications.europa.eu/resource/authority/bna/",),
    ),
    _eu("dataset-type"),
    _eu("availability", "planned-availability"),
    _eu("status", "distribution-status"),
    Vocabulary("checksum-algorithm", "http://spdx.org/rdf/terms#ChecksumAlgorithm"),
)

VOCABULARIES: dict[str, Vocabulary] = {vocabulary.name: vocabulary for vocabulary in _ALL}


def lies_in(place: Concept, country: Concept) -> bool:
    """Whether a city, region or commune is known to lie in a country."""
    return places.lies_in(VOCABULARIES["place"].table, place, country)


def refuses(text: str) -> bool:
    """Whether a text denies, restricts or doubts a licence that it names, and so outweighs what grants one."""
    licence = VOCABULARIES["licence"]
    return licence.resolve(text) is None and licences.refuses(licence.table, text)


def overrides(raw: Mapping[str, Mapping[str, str | None]]) -> Overrides | None:
    """What a source decided: by vocabulary and text a concept (its code, label or IRI), or None for no concept at all.

    None when it decided nothing.  Raises `ValueError` that names each unknown vocabulary and concept.  Equal decisions
    are one object: what is remembered of them serves the next run too.
    """
    return _overrides(json.dumps(raw, sort_keys=True)) if raw else None


@lru_cache(256)
def _overrides(written: str) -> Overrides:
    raw = json.loads(written)
    wrong = [f"{name!r} is no vocabulary ({', '.join(VOCABULARIES)})" for name in raw if name not in VOCABULARIES]
    wrong += [
        f"{text!r} of {name} is to mean {meant!r}, which is no code, label or IRI of a concept of that vocabulary"
        for name, texts in raw.items()
        if name in VOCABULARIES
        for text, meant in texts.items()
        if meant is not None and _named(name, meant) is None
    ]
    wrong += [problem for name, texts in raw.items() for problem in _unusable(name, texts)]
    if wrong:
        raise ValueError("; ".join(wrong))
    return Overrides(
        {name: {text: _named(name, meant) for text, meant in texts.items()} for name, texts in raw.items()}
    )


def _unusable(name: str, texts: Mapping[str, str | None]) -> Iterator[str]:
    """What is wrong with the texts decided on: empty ones, and one text decided on twice."""
    seen: dict[str, str] = {}
    for text, meant in texts.items():
        key = key_of(text)
        if not key:
            yield f"a text of {name} is empty: there is nothing to decide on"
        elif key in seen and texts[seen[key]] != meant:
            yield f"{seen[key]!r} and {text!r} of {name} are one text (case and accents aside) with two meanings"
        seen.setdefault(key, text)


def _named(name: str, meant: str | None) -> Concept | None:
    """The concept with exactly this code, address or label; a label of two concepts is nobody's."""
    if meant is None:
        return None
    vocabulary = VOCABULARIES[name]
    if known := vocabulary.concept(meant) or vocabulary.table.codes.get(meant):
        return known
    key = fold(meant)
    # A label that is known to mean several things names none of them.
    labelled = _labelled(name).get(key, frozenset()) if vocabulary.table.texts.get(key) != () else frozenset()
    return next(iter(labelled)) if len(labelled) == 1 else None


@cache
def _labelled(name: str) -> Mapping[str, frozenset[Concept]]:
    """The concepts of each label."""
    found: dict[str, frozenset[Concept]] = {}
    for concept in VOCABULARIES[name].table.current:
        for label in concept.labels.values():
            found[fold(label)] = found.get(fold(label), frozenset()) | {concept}
    return found
