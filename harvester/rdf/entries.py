"""What an export is made of: catalogues, the records of their datasets, the datasets, and what went away."""

from __future__ import annotations

from dataclasses import dataclass

from harvester.model import CatalogRecord, Catalogue, Dataset, Identifier
from harvester.rdf.derived import Facts


@dataclass(frozen=True, slots=True)
class CatalogueInfo:
    """A catalogue under the IRI we publish it with, what it says of itself, and the IRI its own portal gives it."""

    iri: str
    about: Catalogue
    upstream: str | None = None


@dataclass(frozen=True, slots=True)
class RecordInfo:
    """Our registration of a dataset from one source; dates in canonical form, `upstream` is the source's own record."""

    iri: str
    source: CatalogueInfo
    guid: str
    first_seen: str
    last_changed: str
    last_seen: str | None = None
    upstream: CatalogRecord | Facts | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A dataset under the IRI it has for ever, its records, and every identifier it ever had.

    Its stored form will do for the dataset: building it takes as long as writing it.  `number` is its id in the
    catalogue, for those who have more to say of it.
    """

    iri: str
    dataset: Dataset | Facts
    records: tuple[RecordInfo, ...]
    identifiers: tuple[Identifier, ...] = ()
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A dataset that is no more: no source lists it, or it was found to be the same as another."""

    iri: str
    record: str
    first_seen: str
    ended: str
    merged_into: str | None = None


@dataclass(frozen=True, slots=True)
class Paging:
    """Where a page stands among the others: the addresses of pages, None where there is none.

    `total` is the number of datasets of all pages; None where nobody has counted them.
    """

    iri: str
    total: int | None
    page_size: int
    first: str
    last: str | None = None
    previous: str | None = None
    next: str | None = None
