"""Datasets with their distributions and services, the records and catalogues they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from harvester.errors import RecordError
from harvester.fields import (
    Duration,
    FieldProblem,
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
    DatasetTypes,
    FileType,
    FileTypes,
    Frequency,
    HvdCategories,
    Languages,
    Licence,
    MediaType,
    Status,
    Term,
    Themes,
)
from harvester.model.legal import Licensed
from harvester.model.parts import (
    Agent,
    Agents,
    Attributions,
    Checksum,
    Contacts,
    Identifiers,
    Locations,
    Many,
    One,
    Part,
    Periods,
    Relationships,
    Resources,
)


class CatalogRecord(Part):
    """dcat:CatalogRecord: how the source itself registered the dataset; `status` is the kind of its last change."""

    model_config = ConfigDict(title="record")

    uri: Iri = None
    title: Texts = Field(default_factory=dict)
    description: Prose = Field(default_factory=dict)
    issued: When = None
    modified: When = None
    language: Languages = ()
    status: Iri = None
    conforms_to: Resources = ()
    source: Resources = ()


class DataService(Licensed):
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


class Distribution(Licensed):
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


class Dataset(Licensed):
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
    qualified_attribution: Attributions = ()
    was_generated_by: Resources = ()
    applicable_legislation: Iris = ()
    hvd_category: HvdCategories = ()
    sample: Distributions = ()
    distribution: Distributions = ()
    service: Services = ()
    record: Annotated[CatalogRecord | None, One] = None
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


class Catalogue(Licensed):
    """dcat:Catalog: what a source says of itself as a whole."""

    model_config = ConfigDict(title="catalogue")

    uri: Iri = None
    identifier: Lines = ()
    title: Texts = Field(default_factory=dict)
    description: Prose = Field(default_factory=dict)
    publisher: Annotated[Agent | None, One] = None
    creator: Agents = ()
    contact_point: Contacts = ()
    homepage: Url = None
    language: Languages = ()
    license: Licence = None
    rights: Texts = Field(default_factory=dict)
    issued: When = None
    modified: When = None
    spatial: Locations = ()
    temporal: Periods = ()
    theme_taxonomy: Iris = ()
    applicable_legislation: Iris = ()
    has_part: Resources = ()
    service: Services = ()
    problems: tuple[FieldProblem, ...] = Field(default=(), exclude=True, repr=False)

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Self:
        """The catalogue that `raw` describes, cleaned; what was wrong with it is in `problems`."""
        problems: list[FieldProblem] = []
        catalogue = cls.model_validate(raw, context=Report(problems=problems))
        return catalogue.model_copy(update={"problems": tuple(problems)}) if problems else catalogue


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
