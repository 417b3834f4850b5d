"""What a search engine is to the rest: put entries in, ask questions; Tantivy is one, a cluster could be another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from harvester.fields.languages import preferred

Relaxed = Literal["all", "most", "any", "fuzzy"]

SORTS: dict[str, str] = {
    "relevance": "best match first",
    "-modified": "most recently modified first",
    "modified": "least recently modified first",
    "-issued": "most recently published first",
    "title": "title, A to Z",
}
# An engine keeps every result up to the page asked for in memory: beyond, the export is the way.
DEEPEST = 10_000
LARGEST_PAGE = 100
# Seconds to wait for the one writer of an index to end.
WAIT = 120.0


@dataclass(frozen=True, slots=True)
class Scope:
    """A part of the catalogue: every word of `q` must match, and the raw values by filter name (see `filters`)."""

    q: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One question: text, raw values by filter name (see `filters`), and which part of the answer.

    Only what lies in every scope of `within` is found.
    """

    q: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sort: str = "relevance"
    page: int = 1
    size: int = 20
    facets: Sequence[str] = ()
    facet_size: int = 20
    language: str = ""
    within: tuple[Scope, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: the dataset's internal id, its score (None when sorted otherwise), its card and how to say it."""

    id: int
    score: float | None
    card: dict[str, Any]
    language: str = ""

    @property
    def key(self) -> str:
        """The public key of the dataset."""
        return str(self.card["id"])

    @property
    def title(self) -> str:
        """In the language of the request where there is one; the key of an untitled dataset."""
        return preferred(self.card["title"], self.language) or self.key

    @property
    def description(self) -> str:
        """Its beginning."""
        return preferred(self.card["description"], self.language) or ""

    @property
    def publisher(self) -> str:
        """The name of the publisher, or nothing."""
        return preferred(self.card["publisher"], self.language) or ""

    @property
    def sources(self) -> list[str]:
        """The titles of the sources that list it."""
        return [source["title"] for source in self.card["sources"]]

    @property
    def formats(self) -> list[str]:
        """The formats of its distributions."""
        return list(self.card["formats"])

    @property
    def modified(self) -> str | None:
        """When the source says it was modified."""
        found: str | None = self.card["modified"]
        return found


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One value of a facet, how many results have it, and whether the request asks for it."""

    value: str
    label: str
    count: int
    selected: bool = False


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer; `relaxed` says which words had to match: all, most, any, or words spelt similarly."""

    total: int = 0
    relaxed: Relaxed = "all"
    hits: tuple[Hit, ...] = ()
    facets: Mapping[str, tuple[FacetValue, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset as an engine indexes it: texts by field as (language, text), exact names, filter values, card."""

    id: int
    texts: Mapping[str, Sequence[tuple[str, str]]]
    names: Sequence[str]
    acronyms: Sequence[str]
    values: Mapping[str, Sequence[str]]
    numbers: Mapping[str, float]
    title: str
    card: Mapping[str, Any]
    # By filter: what it is found under as well, and not counted under.
    also: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """How far an index has followed the change log.

    `gaps` are (first, last, seen at) numbers that were missing: PostgreSQL numbers a change before its transaction
    commits, so a smaller number may appear after a larger one.  `links` is how far it has followed the states of links,
    which change without a dataset changing.
    """

    seq: int = 0
    gaps: tuple[tuple[int, int, float], ...] = ()
    links: int = 0


class Batch(Protocol):
    """The one writer of an index while it is open."""

    def put(self, entries: Iterable[Entry]) -> None:
        """Add entries, each in place of what had its id."""

    def drop(self, ids: Iterable[int]) -> None:
        """Take datasets out."""

    def commit(self, position: Position) -> None:
        """Show what was put and dropped to readers, and remember the position."""


class Index(Protocol):
    """An index that follows the catalogue; `language` is the one whose words and names come first."""

    @property
    def language(self) -> str:
        """The catalogue's own."""

    def position(self) -> Position | None:
        """How far it is; None when there is no usable index and it must be rebuilt."""

    def count(self) -> int:
        """How many datasets are in it."""

    def writing(self, *, fresh: bool = False, wait: float = WAIT) -> AbstractContextManager[Batch]:
        """Become its one writer; `fresh` starts an empty index that replaces the old one when the block ends.

        Raises `UsageError` (`index-busy`) when another one stays longer than `wait` seconds.
        """

    def search(self, request: SearchRequest) -> SearchResult:
        """Answer a request; an index that does not exist yet answers nothing.

        Raises `UsageError` for a filter value, sort or page that cannot be.
        """

    def ids(
        self, scopes: Sequence[Scope], *, after: int = 0, upto: int | None = None, limit: int = 100, last: bool = False
    ) -> list[int]:
        """Datasets that lie in every scope, ascending, between `after` (exclusive) and `upto`: the first or last ones.

        Raises `UsageError` for a filter value that cannot be.
        """

    def among(self, scopes: Sequence[Scope], ids: Sequence[int]) -> set[int]:
        """Which of these datasets lie in every scope."""

    def size(self, scopes: Sequence[Scope]) -> int:
        """How many datasets lie in every scope."""
