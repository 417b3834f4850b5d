"""What a connector is, and what passes between it and a run.

A connector is a *module* with four names: `NAME`, `Options`, `fetch`, `normalise`; a fifth, `recognise`,
lets `harvester source recognise URL` find it; a sixth, `INCREMENTAL = True`, says that `fetch` heeds `walk.since`.
A seventh, `gone(source, http, guids) -> dict[str, bool] | None`, asks the portal which of these records are gone before
any is retired: True for gone, False for still there, left out where no answer came; None where this cannot be asked.
`fetch` touches the network and maps nothing; `normalise` maps and touches nothing.  Both raise only `SourceError`
and `RecordError`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harvester import storable
from harvester.errors import RecordError
from harvester.http import Http
from harvester.jsonio import loads
from harvester.model import Dataset
from harvester.net.urls import secret_parameter
from harvester.vocabularies import Overrides, overrides


class NoOptions(BaseModel):
    """What every source may set; the base of a connector's own options, unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    public_url: str = Field(
        "", description="Address under which people know the portal, when it is fetched from another one."
    )
    vocabulary: dict[str, dict[str, str | None]] = Field(
        default_factory=dict,
        description="What this source's own words mean, before any other rule: by vocabulary, each text with the code, "
        'label or IRI of a concept, or null for none: {"licence": {"Licence maison": "CC_BY_4_0"}, "data-theme": '
        '{"Divers": null}}. Records that are harvested already change with `harvester replay`.',
    )

    @field_validator("vocabulary", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        """The command line gives JSON as text."""
        return loads(value) if isinstance(value, str) else value

    @field_validator("vocabulary")
    @classmethod
    def _known(cls, value: dict[str, dict[str, str | None]]) -> dict[str, dict[str, str | None]]:
        overrides(value)
        return value

    @cached_property
    def overrides(self) -> Overrides | None:
        """The decisions of `vocabulary`, ready to be heeded."""
        return overrides(self.vocabulary)


@dataclass(frozen=True, slots=True)
class Source:
    """A configured remote portal or feed, as a connector sees it."""

    name: str
    url: str
    options: BaseModel = field(default_factory=NoOptions)

    @property
    def home(self) -> str:
        """The address that pages and identifiers of the portal are made of."""
        return without_credentials(getattr(self.options, "public_url", "") or self.url)


def without_credentials(url: str) -> str:
    """A URL that may be published: without user and password (RFC 3986, section 3.2.1), and without parameters that
    hold a key by their name."""
    parts = urlsplit(url)
    query = "&".join(part for part in parts.query.split("&") if not secret_parameter(part))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))


@dataclass(frozen=True, slots=True)
class Record:
    """One metadata record exactly as the source gave it.

    `guid` is the source's own identifier, stable between runs; `payload` is JSON-storable and untouched;
    `modified` is the source's own date, only a hint; `deleted` when the source itself says so.  A guid that no
    database could keep gets a form that can be kept.
    """

    guid: str
    payload: Any
    modified: datetime | None = None
    deleted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "guid", storable.identifier(self.guid))


@dataclass(frozen=True, slots=True)
class Body:
    """One answer of a portal, known by the `digest` of its bytes: how many records it holds, and where it leads.

    `url` is the address it came from, in whatever form the connector asks for it again; `etag` and `last_modified` are
    its validators (RFC 9110, section 8.8), where they can be relied on.
    """

    digest: bytes
    records: int
    next: str | None = None
    advertised: int | None = None
    url: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    # Whether its bytes came, or only the word of the portal that they would be the same.
    read: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """What one request brought: records, records that could not be read, and where the walk stands.

    `advertised` is the total the source claims; `cursor` resumes the walk *after* this page.  `problems` are
    records that were lost, `notes` what was repaired or is worth telling.

    A connector may say which answer the records came from (`body`) and, with its last page, that this was all of it
    (`whole`).  When the same bytes come again, or the portal says that they would, it need not read them: `unchanged`
    lets their records stand.  Records of a `doubtful` page come from a broken answer: they may be new, but replace
    nothing.  `catalogue` holds raw values of `harvester.model.Catalogue`: what the source says of itself, with any page
    of the walk.  `anew` tells a run that was resumed that the walk begins at its start all the same: what an earlier
    attempt has read comes again.
    """

    records: tuple[Record, ...]
    advertised: int | None = None
    cursor: str | None = None
    problems: tuple[RecordError, ...] = ()
    notes: tuple[RecordError, ...] = ()
    body: bytes | None = None
    whole: Body | None = None
    unchanged: Body | None = None
    doubtful: bool = False
    catalogue: dict[str, Any] | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class Walk:
    """What is asked of one `fetch`: everything (`since` None) or changes, from the start or from `cursor`.

    A cursor that cannot be read, such as one of an older version, begins at the start.  `known` answers what an earlier
    run learnt from the very same bytes, when all their records still stand; `standing` the same of what an address
    answered last, as long as it may be asked for with the validators of that answer.
    """

    since: datetime | None = None
    cursor: str | None = None
    known: Callable[[bytes], Body | None] = lambda digest: None
    standing: Callable[[str], Body | None] = lambda url: None


@dataclass(frozen=True, slots=True)
class Recognised:
    """The answer to "is this URL one of mine?": the URL to use, and what stands there."""

    connector: str
    url: str
    title: str | None
    advertised: int | None
    sample: str | None


class Connector(Protocol):
    """A module with these names.  `fetch` that returns without raising has walked everything it was asked for."""

    @property
    def NAME(self) -> str: ...
    @property
    def Options(self) -> type[BaseModel]: ...
    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]: ...
    def normalise(self, record: Record, source: Source) -> Dataset: ...
    def recognise(self, http: Http, url: str) -> Recognised | None: ...
