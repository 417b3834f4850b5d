"""Controlled vocabularies: the EU, IANA, SPDX and Insee tables as data, and what portals really write instead.

`VOCABULARIES[name].resolve(text)` is pure and total: the concept a text surely means, or None.
"""

from __future__ import annotations

from itertools import chain

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
from harvester.vocabularies.places import communes, place, place_iri, read_places
from harvester.vocabularies.table import Concept, Table, read_concepts, read_table, rows
from harvester.vocabularies.themes import split_themes, theme, themes
from harvester.vocabularies.vocabulary import Vocabulary

__all__ = ["VOCABULARIES", "Concept", "FormatFacts", "Vocabulary", "format_facts", "split_themes", "themes"]

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
