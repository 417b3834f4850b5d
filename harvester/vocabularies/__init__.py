"""Controlled vocabularies: the EU, IANA, SPDX and Insee tables as data, and what portals really write instead.

`VOCABULARIES[name].resolve(text)` is pure and total: the concept a text surely means, or None.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain

from harvester.vocabularies import places
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
from harvester.vocabularies.overrides import Overrides, heeding
from harvester.vocabularies.places import communes, place, place_iri, read_places
from harvester.vocabularies.table import Concept, Table, read_concepts, read_table, rows
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
    if wrong:
        raise ValueError("; ".join(wrong))
    return Overrides(
        {name: {text: _named(name, meant) for text, meant in texts.items()} for name, texts in raw.items()}
    )


def _named(name: str, meant: str | None) -> Concept | None:
    if meant is None:
        return None
    vocabulary = VOCABULARIES[name]
    with heeding(None):
        return vocabulary.concept(meant) or vocabulary.resolve(meant) or vocabulary.table.codes.get(meant)
