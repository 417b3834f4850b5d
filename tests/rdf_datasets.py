"""Strategies for whole datasets: every field of every class of the model, with values that mean something."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st

from harvester.model import (
    Agent,
    Attribution,
    CatalogRecord,
    Catalogue,
    Checksum,
    ContactPoint,
    DataService,
    Dataset,
    Distribution,
    Identifier,
    Location,
    Part,
    PeriodOfTime,
    Relationship,
    Resource,
)

WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=20)
TAGS = st.sampled_from(["", "fr", "en", "nl", "fr-t-nl", "pt-br"])
TEXTS = st.dictionaries(TAGS, WORDS, min_size=1, max_size=3)
SLUG = st.integers(0, 10**9)
EU = "http://publications.europa.eu/resource/authority/"


def urls(role: str) -> st.SearchStrategy[str]:
    """Addresses of one role: no IRI is given two descriptions."""
    return SLUG.map(lambda number: f"https://data.example/{role}/{number}?q=é#{number}")


def several(one: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(one, max_size=most)


# Class -> the fields that strategies were made for.
COVERED: dict[type[Part], set[str]] = {}


def part(cls: type[Part], /, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    COVERED.setdefault(cls, set()).update(fields)
    return st.fixed_dictionaries({}, optional=fields)


def unique(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(parts, max_size=3, unique_by=lambda item: item.get("uri") or repr(item))


DATES = st.one_of(
    st.dates().map(str),
    st.datetimes().map(str),
    st.sampled_from(["2020", "2020-05", "2020-05-01T10:00:00Z"]),
)
LICENCES = st.one_of(WORDS, st.sampled_from(["lov2", "CC-BY-4.0", "http://example.org/licence/own"]))
LANGUAGES = several(st.sampled_from(["fr", "français", EU + "language/DEU", "klingon", "http://example.org/lang"]))
FORMATS = st.one_of(WORDS, st.sampled_from(["csv", "CSV (zip)", EU + "file-type/JSON", "http://example.org/format"]))
THEMES = several(
    st.one_of(WORDS, st.sampled_from(["Transports", EU + "data-theme/TRAN", "http://example.org/theme/1"]))
)
AGENT = part(
    Agent,
    uri=urls("agent"),
    name=TEXTS,
    email=st.just("a+b@c.example"),
    homepage=urls("home"),
    type=WORDS,
    identifier=several(WORDS),
)
CONTACT = part(
    ContactPoint,
    uri=urls("contact"),
    name=TEXTS,
    email=st.just("x@y.example"),
    url=urls("form"),
    telephone=WORDS,
    role=WORDS,
)
RESOURCE = part(Resource, name=TEXTS)
PLACES = st.sampled_from(["France", EU + "country/BEL", "Atlantis", "http://example.org/place/9"])
LOCATION = part(
    Location,
    place=PLACES,
    name=TEXTS,
    bbox=st.sampled_from([[1.5, 2, 3, 4.25], [170, -10, -170, 10], [0, 0, 0, 0]]),
    centroid=st.sampled_from([[1.5, 2.25], [-0.1, 0.2]]),
    geometry=st.just({"type": "Point", "coordinates": [1, 2.5]}),
)
HVD = several(st.sampled_from(["http://data.europa.eu/bna/c_b79e35eb", "Mobility", "?"]))
KEYWORDS = st.dictionaries(TAGS, several(WORDS), max_size=2)
ACCESS_RIGHTS = st.one_of(WORDS, st.just(EU + "access-right/PUBLIC"))
# The place of an IRI of its own, for parts that nest: see `numbered`.
NUMBERED = "https://data.example/part/"
SERVICE = part(
    DataService,
    uri=st.just(NUMBERED),
    identifier=several(WORDS),
    title=TEXTS,
    description=TEXTS,
    keyword=KEYWORDS,
    theme=THEMES,
    endpoint_url=several(urls("endpoint")),
    endpoint_description=several(urls("contract")),
    landing_page=several(urls("landing")),
    page=several(urls("page")),
    publisher=AGENT.map(lambda raw: {**raw, "uri": NUMBERED}),
    creator=several(AGENT.map(lambda raw: {**raw, "uri": NUMBERED})),
    contact_point=several(CONTACT.map(lambda raw: {**raw, "uri": NUMBERED})),
    license=LICENCES,
    access_rights=ACCESS_RIGHTS,
    rights=TEXTS,
    conforms_to=several(RESOURCE),
    format=several(FORMATS),
    language=LANGUAGES,
    issued=DATES,
    modified=DATES,
    applicable_legislation=several(urls("law")),
    hvd_category=HVD,
    serves_dataset=several(urls("other")),
)
CHECKSUM = part(
    Checksum, algorithm=st.sampled_from(["sha1", "SHA-256", "rot13"]), value=st.sampled_from(["00ff", "0", "zz"])
)
DISTRIBUTION = part(
    Distribution,
    uri=urls("distribution"),
    identifier=WORDS,
    title=TEXTS,
    description=TEXTS,
    access_url=several(urls("access")),
    download_url=several(urls("download")),
    format=FORMATS,
    media_type=st.sampled_from(["text/csv", "application/x-unknown", "huh"]),
    byte_size=st.integers(1, 2**62),
    checksum=CHECKSUM,
    license=LICENCES,
    rights=TEXTS,
    access_rights=WORDS,
    availability=WORDS,
    status=st.sampled_from(["COMPLETED", EU + "distribution-status/DEPRECATED", "?"]),
    issued=DATES,
    modified=DATES,
    language=LANGUAGES,
    conforms_to=several(RESOURCE),
    page=several(urls("page")),
    policy=urls("policy"),
    access_service=st.lists(SERVICE, max_size=2),
    applicable_legislation=several(urls("law")),
    compress_format=st.sampled_from(["application/gzip", "zip"]),
    package_format=st.sampled_from(["application/zip", "tar"]),
    spatial_resolution_in_meters=st.sampled_from(["10", "0.25", "1 km"]),
    temporal_resolution=st.just("PT1H"),
)


RECORD = part(
    CatalogRecord,
    uri=urls("record"),
    title=TEXTS,
    description=TEXTS,
    issued=DATES,
    modified=DATES,
    language=LANGUAGES,
    status=urls("status"),
    conforms_to=several(RESOURCE),
    source=several(RESOURCE),
)
RELATIONSHIP = part(Relationship, target=part(Resource, uri=urls("related"), name=TEXTS), role=urls("role"))
ATTRIBUTION = part(Attribution, target=AGENT.map(lambda raw: {**raw, "uri": NUMBERED}), role=urls("role"))


def numbered(raw: dict[str, Any], base: str = NUMBERED) -> dict[str, Any]:
    """The raw dataset with an IRI of its own for each part that asked for one."""
    numbers = itertools.count()

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(item) for item in value]
        if isinstance(value, dict):
            return {key: named(item) for key, item in value.items()}
        return f"{base}{next(numbers)}" if value == NUMBERED else value

    return {key: named(value) for key, value in raw.items()}


_OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(["dataset", "series"]),
    "uri": urls("dataset"),
    "identifier": several(WORDS),
    "other_identifier": several(part(Identifier, notation=WORDS, agency=WORDS)),
    "description": TEXTS,
    "keyword": KEYWORDS,
    "theme": THEMES,
    "type": several(st.one_of(WORDS, st.just(EU + "dataset-type/GEOSPATIAL"))),
    "publisher": AGENT.map(lambda raw: {**raw, "uri": "https://data.example/publisher"}),
    "creator": unique(AGENT),
    "contact_point": unique(CONTACT),
    "landing_page": several(urls("landing")),
    "page": several(urls("page")),
    "issued": DATES,
    "modified": DATES,
    "accrual_periodicity": st.sampled_from(["quotidienne", EU + "frequency/ANNUAL", "parfois", "http://x.example/f"]),
    "language": LANGUAGES,
    "spatial": st.lists(LOCATION, max_size=3, unique_by=lambda raw: raw.get("place")),
    "temporal": several(part(PeriodOfTime, start=DATES, end=DATES)),
    "license": LICENCES,
    "access_rights": ACCESS_RIGHTS,
    "rights": TEXTS,
    "conforms_to": several(RESOURCE),
    "provenance": TEXTS,
    "version": WORDS,
    "version_notes": TEXTS,
    "in_series": unique(part(Resource, uri=urls("series"), name=TEXTS)),
    "relation": unique(part(Resource, uri=urls("relation"), name=TEXTS)),
    "source": several(RESOURCE),
    "is_referenced_by": several(urls("paper")),
    "qualified_relation": unique(RELATIONSHIP),
    "qualified_attribution": several(ATTRIBUTION),
    "record": RECORD,
    "was_generated_by": several(RESOURCE),
    "applicable_legislation": several(urls("law")),
    "hvd_category": HVD,
    "has_version": unique(part(Resource, uri=urls("version"), name=TEXTS)),
    "is_version_of": unique(part(Resource, uri=urls("original"), name=TEXTS)),
    "spatial_resolution_in_meters": st.sampled_from(["10", "0.25"]),
    "temporal_resolution": st.just("P1D"),
    "sample": st.lists(DISTRIBUTION.map(lambda raw: {**raw, "uri": NUMBERED}), max_size=1),
    "distribution": unique(DISTRIBUTION),
    "service": st.lists(SERVICE, max_size=3),
}
COVERED[Dataset] = {"title", *_OPTIONAL}
DATASET = st.fixed_dictionaries(
    # A title of spaces is none: the record would be refused.
    {"title": st.dictionaries(TAGS, WORDS.map(lambda words: f"T{words}"), min_size=1, max_size=3)},
    optional=_OPTIONAL,
).map(numbered)
CATALOGUE = part(
    Catalogue,
    uri=urls("catalogue"),
    identifier=several(WORDS),
    title=TEXTS,
    description=TEXTS,
    publisher=AGENT.map(lambda raw: {**raw, "uri": "https://data.example/publisher"}),
    creator=unique(AGENT),
    contact_point=unique(CONTACT),
    homepage=urls("home"),
    language=LANGUAGES,
    license=LICENCES,
    rights=TEXTS,
    issued=DATES,
    modified=DATES,
    spatial=st.lists(LOCATION, max_size=3, unique_by=lambda raw: raw.get("place")),
    temporal=several(part(PeriodOfTime, start=DATES, end=DATES)),
    theme_taxonomy=several(urls("scheme")),
    applicable_legislation=several(urls("law")),
    has_part=unique(part(Resource, uri=urls("catalogue"), name=TEXTS)),
    service=st.lists(SERVICE, max_size=2),
).map(lambda raw: numbered(raw, "https://data.example/common/"))
