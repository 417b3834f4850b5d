"""The metadata model: DCAT-AP 3 in snake_case, frozen, built from field types that clean what portals send.

Build a dataset with `Dataset.of(raw)`: a bad value is left out and the reason kept in `problems`; only a record with
neither title nor identifier is refused.  Sources: DCAT 3 (W3C), DCAT-AP 3.0.1 and DCAT-AP HVD 3.0.0 (SEMIC).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

from harvester.errors import RecordError
from harvester.fields import (
    Bbox,
    Centroid,
    Duration,
    Email,
    FieldProblem,
    Geometry,
    Iri,
    Iris,
    Lines,
    Metres,
    Prose,
    Report,
    Size,
    Text,
    Texts,
    Url,
    Urls,
    When,
    Words,
)
from harvester.fields.terms import (
    AccessRight,
    Availability,
    ChecksumAlgorithm,
    DatasetTypes,
    FileType,
    FileTypes,
    Frequency,
    HvdCategories,
    Languages,
    Licence,
    MediaType,
    Place,
    PublisherType,
    Status,
    Term,
    Themes,
)

_FEW = 16
_LISTS = (list, tuple)


class Part(BaseModel):
    """The base of every class of the model: frozen, unknown fields refused, falsy when nothing is filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __bool__(self) -> bool:
        return any(self.__dict__.values())

    def plain(self) -> dict[str, Any]:
        """The JSON form; defaults are left out, so that a new field of the model changes no stored hash."""
        return self.model_dump(mode="json", exclude_defaults=True)


_PARTS = (Part, Mapping)


def _lone(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A part from a dict or a list of one; a bare string names it; what is empty or of another type is none."""
    if value is None:
        return None
    if isinstance(value, _LISTS):
        value = value[0] if value else None
    return (handler(part) or None) if (part := _named(value)) else None


def _listed(value: Any) -> list[Any]:
    return [part for item in (value if isinstance(value, _LISTS) else (value,)) if (part := _named(item))]


def _named(value: Any) -> Any:
    """What a part can be built from, a bare string as its name; None for a value of another type."""
    if type(value) is dict:
        return value
    if isinstance(value, str):
        return {"name": value}
    return value if isinstance(value, _PARTS) else None


def _filled(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if not value:
        return ()
    parts = [part for part in handler(_listed(value)) if part]
    return tuple(_distinct(parts) if len(parts) > 1 else parts)


def _distinct(parts: list[Part]) -> Iterable[Part]:
    """The parts without repetition; a handful is compared directly, thousands through their JSON."""
    if len(parts) > _FEW:
        return {part.model_dump_json(): part for part in parts}.values()
    kept: list[Part] = []
    for part in parts:
        if not any(part.__dict__ == other.__dict__ for other in kept):
            kept.append(part)
    return kept


One = WrapValidator(_lone)
Many = WrapValidator(_filled)


class Agent(Part):
    """foaf:Agent: a publisher or creator; `identifier` is a public number such as a SIREN or SIRET."""

    model_config = ConfigDict(title="agent")

    uri: Iri = None
    name: Texts = Field(default_factory=dict)
    type: PublisherType = None
    identifier: Lines = ()
    homepage: Url = None
    email: Email = None


class ContactPoint(Part):
    """vcard:Kind: whom to ask; `url` is a page or form."""

    model_config = ConfigDict(title="contact_point")

    uri: Iri = None
    name: Texts = Field(default_factory=dict)
    email: Email = None
    url: Url = None
    telephone: Text = None
    role: Text = None


class PeriodOfTime(Part):
    """dct:PeriodOfTime: either end may be open."""

    model_config = ConfigDict(title="temporal")

    start: When = None
    end: When = None


class Location(Part):
    """dct:Location: a place by concept or name, and its shape in longitude and latitude (WGS 84)."""

    model_config = ConfigDict(title="spatial")

    place: Place = None
    name: Texts = Field(default_factory=dict)
    bbox: Bbox = None
    centroid: Centroid = None
    geometry: Geometry = None


class Resource(Part):
    """Something pointed at, with its title where the source gave one (standard, series, related resource)."""

    model_config = ConfigDict(title="resource")

    uri: Iri = None
    name: Texts = Field(default_factory=dict)


class Identifier(Part):
    """adms:Identifier: an identifier met on the way, and the portal or agency that gave it."""

    model_config = ConfigDict(title="other_identifier")

    notation: Text = None
    agency: Text = None


class Checksum(Part):
    """spdx:Checksum."""

    model_config = ConfigDict(title="checksum")

    algorithm: ChecksumAlgorithm = None
    value: Text = None


class Relationship(Part):
    """dcat:Relationship or prov:Attribution: another resource or agent, and the role it has."""

    model_config = ConfigDict(title="relationship")

    target: Annotated[Resource | None, One] = None
    role: Iri = None


Agents = Annotated[tuple[Agent, ...], Many]
Contacts = Annotated[tuple[ContactPoint, ...], Many]
Locations = Annotated[tuple[Location, ...], Many]
Periods = Annotated[tuple[PeriodOfTime, ...], Many]
Resources = Annotated[tuple[Resource, ...], Many]
Identifiers = Annotated[tuple[Identifier, ...], Many]
Relationships = Annotated[tuple[Relationship, ...], Many]


class DataService(Part):
    """dcat:DataService: an API that gives access to datasets."""

    model_config = ConfigDict(title="data_service")

    uri: Iri = None
    identifier: Lines = ()
    title: Texts = Field(default_factory=dict)
    description: Prose = Field(default_factory=dict)
    keyword: Words = Field(default_factory=dict)
    theme: Themes = ()
    endpoint_url: Urls = ()
    endpoint_description: Urls = ()
    landing_page: Urls = ()
    page: Urls = ()
    publisher: Annotated[Agent | None, One] = None
    creator: Agents = ()
    contact_point: Contacts = ()
    license: Licence = None
    access_rights: AccessRight = None
    rights: Texts = Field(default_factory=dict)
    conforms_to: Resources = ()
    format: FileTypes = ()
    language: Languages = ()
    issued: When = None
    modified: When = None
    applicable_legislation: Iris = ()
    hvd_category: HvdCategories = ()
    serves_dataset: Iris = ()


Services = Annotated[tuple[DataService, ...], Many]


class Distribution(Part):
    """dcat:Distribution: a representation of the dataset; `identifier` is the portal's own id of it."""

    model_config = ConfigDict(title="distribution")

    uri: Iri = None
    identifier: Text = None
    title: Texts = Field(default_factory=dict)
    description: Prose = Field(default_factory=dict)
    access_url: Urls = ()
    download_url: Urls = ()
    format: FileType = None
    media_type: MediaType = None
    compress_format: MediaType = None
    package_format: MediaType = None
    byte_size: Size = None
    checksum: Annotated[Checksum | None, One] = None
    license: Licence = None
    rights: Texts = Field(default_factory=dict)
    access_rights: AccessRight = None
    availability: Availability = None
    status: Status = None
    issued: When = None
    modified: When = None
    language: Languages = ()
    conforms_to: Resources = ()
    page: Urls = ()
    policy: Iri = None
    access_service: Services = ()
    applicable_legislation: Iris = ()
    spatial_resolution_in_meters: Metres = None
    temporal_resolution: Duration = None


Distributions = Annotated[tuple[Distribution, ...], Many]


class Dataset(Part):
    """dcat:Dataset, or dcat:DatasetSeries when `kind` says so; the one shape every connector normalises into."""

    model_config = ConfigDict(title="dataset")

    kind: Literal["dataset", "series"] = "dataset"
    uri: Iri = None
    identifier: Lines = ()
    other_identifier: Identifiers = ()
    title: Texts = Field(default_factory=dict)
    description: Prose = Field(default_factory=dict)
    keyword: Words = Field(default_factory=dict)
    theme: Themes = ()
    type: DatasetTypes = ()
    publisher: Annotated[Agent | None, One] = None
    creator: Agents = ()
    contact_point: Contacts = ()
    landing_page: Urls = ()
    page: Urls = ()
    issued: When = None
    modified: When = None
    accrual_periodicity: Frequency = None
    language: Languages = ()
    spatial: Locations = ()
    temporal: Periods = ()
    spatial_resolution_in_meters: Metres = None
    temporal_resolution: Duration = None
    license: Licence = None
    access_rights: AccessRight = None
    rights: Texts = Field(default_factory=dict)
    conforms_to: Resources = ()
    provenance: Prose = Field(default_factory=dict)
    version: Text = None
    version_notes: Prose = Field(default_factory=dict)
    has_version: Resources = ()
    is_version_of: Resources = ()
    in_series: Resources = ()
    source: Resources = ()
    relation: Resources = ()
    is_referenced_by: Iris = ()
    qualified_relation: Relationships = ()
    qualified_attribution: Relationships = ()
    was_generated_by: Resources = ()
    applicable_legislation: Iris = ()
    hvd_category: HvdCategories = ()
    sample: Distributions = ()
    distribution: Distributions = ()
    service: Services = ()
    problems: tuple[FieldProblem, ...] = Field(default=(), exclude=True, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """The dataset that `raw` describes, cleaned.

        Raises `RecordError` (code `no-title-no-identifier`) when nothing names it.
        """
        problems: list[FieldProblem] = []
        dataset = cls.model_validate(raw, context=Report(problems=problems))
        if not (dataset.title or dataset.identifier or dataset.uri):
            raise RecordError(
                "the record has neither a title nor an identifier",
                code="no-title-no-identifier",
                field="title",
            )
        return dataset.model_copy(update={"problems": tuple(problems)}) if problems else dataset

    def terms(self) -> Iterator[tuple[str, Term]]:
        """Every (vocabulary, term) of the dataset and of its parts, repetitions included."""
        return _terms(self)


# Which vocabulary each field of terms draws from; the same names in every class of the model.
TERM_FIELDS: dict[str, str] = {
    "theme": "data-theme",
    "accrual_periodicity": "frequency",
    "language": "language",
    "license": "licence",
    "access_rights": "access-right",
    "format": "file-type",
    "media_type": "media-type",
    "compress_format": "media-type",
    "package_format": "media-type",
    "availability": "availability",
    "status": "status",
    "algorithm": "checksum-algorithm",
    "place": "place",
    "hvd_category": "hvd-category",
}
TYPE_VOCABULARIES: dict[type[Part], str] = {Agent: "publisher-type", Dataset: "dataset-type"}


def _terms(part: Part) -> Iterator[tuple[str, Term]]:
    for name, value in part.__dict__.items():
        if not value or isinstance(value, str):
            continue
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Term):
                yield TERM_FIELDS.get(name) or TYPE_VOCABULARIES[type(part)], item
            elif isinstance(item, Part):
                yield from _terms(item)
