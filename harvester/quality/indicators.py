"""The 23 indicators of the MQA of data.europa.eu: the one table that code, API, command line, pages and docs read.

Points and names are those of its vocabulary of metrics (https://piveau.eu/ns/voc#), which add up to 405; bands are
those of its methodology page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Dimension(StrEnum):
    """The five dimensions, in the order of the methodology."""

    FINDABILITY = "findability"
    ACCESSIBILITY = "accessibility"
    INTEROPERABILITY = "interoperability"
    REUSABILITY = "reusability"
    CONTEXTUALITY = "contextuality"


class Level(StrEnum):
    """What an indicator is decided on: the dataset, a distribution, or either of them."""

    DATASET = "dataset"
    DISTRIBUTION = "distribution"
    EITHER = "either"


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: what it looks at, how it is decided, what a dataset without it lacks, and what mends that.

    `needs` are indicators that whoever meets this one meets as well.
    """

    name: str
    title: str
    dimension: Dimension
    points: int
    level: Level
    path: str
    metric: str
    decided: str
    lacks: str
    fix: str
    needs: tuple[str, ...] = ()

    @property
    def bit(self) -> int:
        """Its place in the masks that are kept of datasets."""
        return _BITS[self.name]


D, S, X, E = Dimension, Level.DATASET, Level.DISTRIBUTION, Level.EITHER
INDICATORS: tuple[Indicator, ...] = (
    Indicator(
        "keyword", "Keywords", D.FINDABILITY, 30, S, "dcat:keyword", "keywordAvailability",
        "there is at least one; more of them change nothing",
        "lack keywords", "add a few keywords: words that people would search for",
    ),
    Indicator(
        "category", "Categories", D.FINDABILITY, 30, S, "dcat:theme", "categoryAvailability",
        "there is at least one that has an IRI",
        "lack a theme", "choose at least one of the thirteen EU data themes",
    ),
    Indicator(
        "spatial", "Geographical search", D.FINDABILITY, 20, S, "dct:spatial", "spatialAvailability",
        "a place, a name of one or a shape is stated",
        "do not say which place they are about", "say which country, region or municipality the data are about",
    ),
    Indicator(
        "temporal", "Search by time", D.FINDABILITY, 20, S, "dct:temporal", "temporalAvailability",
        "a period with a start or an end is stated",
        "do not say which period they are about", "say which period the data are about: a start, an end, or both",
    ),
    Indicator(
        "access_url_status", "Access URL works", D.ACCESSIBILITY, 50, X, "dcat:accessURL", "accessUrlStatusCode",
        "one of the access URLs answers with success when it is checked",
        "have no access URL that answers", "correct the address, or remove the distribution that is gone",
    ),
    Indicator(
        "download_url", "Download URL", D.ACCESSIBILITY, 20, X, "dcat:downloadURL", "downloadUrlAvailability",
        "there is one",
        "lack a download URL", "give the address of the file itself as well, where there is a file",
    ),
    Indicator(
        "download_url_status", "Download URL works", D.ACCESSIBILITY, 30, X, "dcat:downloadURL",
        "downloadUrlStatusCode",
        "one of the download URLs answers with success when it is checked",
        "have no download URL that answers", "give a download URL that leads to the file", ("download_url",),
    ),
    Indicator(
        "format", "Format", D.INTEROPERABILITY, 20, X, "dct:format", "formatAvailability",
        "it is one of the EU table of file types; no other is written there in an export",
        "lack a format that is understood", "name the format as the EU table of file types does: CSV, GEOJSON, XLSX",
    ),
    Indicator(
        "media_type", "Media type", D.INTEROPERABILITY, 10, X, "dcat:mediaType", "mediaTypeAvailability",
        "it is registered with IANA; no other is written there in an export",
        "lack a media type that is understood", "give the media type as IANA registers it, such as text/csv",
    ),
    Indicator(
        "format_vocabulary", "Format and media type from a vocabulary", D.INTEROPERABILITY, 10, X,
        "dct:format, dcat:mediaType", "formatMediaTypeVocabularyAlignment",
        "both are there: the format of the EU table of file types, the media type of IANA",
        "do not take both format and media type from the vocabularies",
        "give both: the format of the EU table of file types and the media type of IANA", ("format", "media_type"),
    ),
    Indicator(
        "non_proprietary", "Non-proprietary format", D.INTEROPERABILITY, 20, X, "dct:format, dcat:mediaType",
        "formatMediaTypeNonProprietary",
        "format or media type is of a file type that data.europa.eu lists as non-proprietary",
        "are in no open format", "offer the data in an open format as well, such as CSV, JSON, GeoJSON or XML",
        ("format",),
    ),
    Indicator(
        "machine_readable", "Machine-readable format", D.INTEROPERABILITY, 20, X, "dct:format, dcat:mediaType",
        "formatMediaTypeMachineInterpretable",
        "format or media type is of a file type that data.europa.eu lists as machine-readable",
        "are in no machine-readable format", "offer the data in a format that programs read, such as CSV or JSON",
        ("format",),
    ),
    Indicator(
        "dcat_ap_compliance", "DCAT-AP compliance", D.INTEROPERABILITY, 30, S, "the whole record", "dcatApCompliance",
        "the export has all that DCAT-AP 3.0.1 demands of the dataset and its parts",
        "do not conform to DCAT-AP", "see `harvester validate` for what is missing",
    ),
    Indicator(
        "licence", "Licence", D.REUSABILITY, 20, X, "dct:license", "licenceAvailability",
        "the distribution has one",
        "lack a licence", "state the licence on every distribution",
    ),
    Indicator(
        "known_licence", "Licence from a vocabulary", D.REUSABILITY, 10, X, "dct:license", "knownLicence",
        "it is one of the EU table of licences",
        "have no licence of the EU table", "use a licence of the EU table, by the address of its text", ("licence",),
    ),
    Indicator(
        "access_rights", "Access rights", D.REUSABILITY, 10, S, "dct:accessRights", "accessRightsAvailability",
        "they are stated",
        "do not say who has access", "say whether access is public, restricted or non-public",
    ),
    Indicator(
        "access_rights_vocabulary", "Access rights from a vocabulary", D.REUSABILITY, 5, S, "dct:accessRights",
        "accessRightsVocabularyAlignment",
        "they are of the EU table of access rights",
        "do not take the access rights from the EU table", "use the EU table: PUBLIC, RESTRICTED or NON_PUBLIC",
        ("access_rights",),
    ),
    Indicator(
        "contact_point", "Contact point", D.REUSABILITY, 20, S, "dcat:contactPoint", "contactPointAvailability",
        "there is one",
        "lack a contact point", "name someone to write to: a name with an e-mail address or a form",
    ),
    Indicator(
        "publisher", "Publisher", D.REUSABILITY, 10, S, "dct:publisher", "publisherAvailability",
        "there is one",
        "lack a publisher", "name the body responsible for the data",
    ),
    Indicator(
        "rights", "Rights", D.CONTEXTUALITY, 5, X, "dct:rights", "rightsAvailability",
        "the distribution states them",
        "lack a statement of rights", "state rights and conditions of use on every distribution",
    ),
    Indicator(
        "byte_size", "File size", D.CONTEXTUALITY, 5, X, "dcat:byteSize", "byteSizeAvailability",
        "the distribution states it",
        "lack the size of the file", "give the size of each file in bytes",
    ),
    Indicator(
        "date_issued", "Date of issue", D.CONTEXTUALITY, 5, E, "dct:issued", "dateIssuedAvailability",
        "the dataset or the distribution states it",
        "lack the date of publication", "say when the dataset was published",
    ),
    Indicator(
        "date_modified", "Modification date", D.CONTEXTUALITY, 5, E, "dct:modified", "dateModifiedAvailability",
        "the dataset or the distribution states it",
        "lack the date of the last change", "say when the dataset was last changed",
    ),
)  # fmt: skip
BY_NAME = {indicator.name: indicator for indicator in INDICATORS}
_BITS = {indicator.name: 1 << place for place, indicator in enumerate(INDICATORS)}
ALL = (1 << len(INDICATORS)) - 1
MOST = sum(indicator.points for indicator in INDICATORS)
MOST_OF = {each: sum(i.points for i in INDICATORS if i.dimension is each) for each in Dimension}
# Decided by link checks: nothing is known of them before an address was checked.
CHECKED = ("access_url_status", "download_url_status")
_BANDS = ((350, "excellent"), (220, "good"), (120, "sufficient"))


def mask(names: Iterable[str]) -> int:
    """The mask of some indicators."""
    return sum(_BITS[name] for name in set(names))


def names_of(bits: int) -> tuple[str, ...]:
    """The indicators of a mask, in the order of the table."""
    return tuple(name for name, bit in _BITS.items() if bits & bit)


def with_needs(names: Iterable[str]) -> int:
    """The mask of some indicators and of what comes with them."""
    wanted = [BY_NAME[name] for name in names]
    return mask([*(item.name for item in wanted), *(name for item in wanted for name in item.needs)])


@lru_cache(maxsize=65_536)
def points_of(bits: int) -> int:
    """The points of a mask."""
    return sum(indicator.points for indicator in INDICATORS if bits & _BITS[indicator.name])


def band(points: float) -> str:
    """The rating of so many points, which are rounded to whole ones: only the rating is shown on data.europa.eu."""
    whole = int(points + 0.5)
    return next((name for most, name in _BANDS if whole > most), "bad")


# What is told of a dataset besides: DCAT-AP demands something of it that its source does not say, and we filled in.
FILLED_IN = Indicator(
    "filled_in", "Filled in by us", D.INTEROPERABILITY, 30, S, "the whole record", "",
    "the export conforms to DCAT-AP for what was taken from elsewhere in the record, and marked ch:derived",
    "conform to DCAT-AP only for what we fill in: harvested directly they would lose these points",
    "say at the source what is filled in: title and description, names of agents, access URLs",
)  # fmt: skip
