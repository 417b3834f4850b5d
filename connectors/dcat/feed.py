"""A DCAT feed, page by page: Hydra links of every style, and the `?page=` of portals that count but do not link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from harvester.connector import Body, Page, Record
from harvester.errors import RecordError, SourceError
from harvester.fields.when import instant
from harvester.rdf.graph import CATALOGUES, Graph, Literal
from harvester.rdf.namespaces import expand
from harvester.rdf.parse import REMOTE_CONTEXT
from harvester.rdf.reading import read_catalogue
from harvester.rdf.trees import Datasets, catalogue, datasets
from harvester.walks import Slice, walk_links

RECORDS_A_PAGE = 100
# Links that lead from one empty page to the next would be followed for ever.
MOST_IDLE_PAGES = 20
_NEXT = (expand("hydra:next"), expand("hydra:nextPage"))
_TOTAL = expand("hydra:totalItems")
# With these a page tells its place among the others: without a link to a next one it is the last.
_PLACED = tuple(
    map(
        expand,
        (
            "hydra:view",
            "hydra:first",
            "hydra:firstPage",
            "hydra:previous",
            "hydra:previousPage",
            "hydra:last",
            "hydra:lastPage",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Document:
    """What one address answered: its graph, or what is `known` of the very same bytes from an earlier run."""

    url: str
    digest: bytes
    graph: Graph | None
    known: Body | None = None

    def close(self) -> None:
        """Give back what a large graph has on disk."""
        if self.graph is not None:
            self.graph.close()


@dataclass(slots=True)
class Feed:
    """Walks a feed that starts with a document already brought; `ask` brings the others."""

    ask: Callable[[str], Document]
    guids: set[str] = field(default_factory=set)
    broken: str = ""
    idle: int = 0
    known: int = 0

    def pages(self, first: Document) -> Iterator[Page]:
        """Every page.  Raises `SourceError` (`broken-document`) at the end when a syntax error hid statements."""
        with closing(first):
            # Now: a page that is read lets its document go.
            said = _catalogue(first.graph) if first.graph else None
            pages = self._all(first)
            if (page := next(pages, None)) is not None:
                yield replace(page, catalogue=said)
            yield from pages
        if self.broken:
            raise SourceError(
                f"statements were lost to a syntax error, nothing is known of what is missing: {self.broken}",
                code="broken-document",
                url=first.url,
            )

    def _all(self, first: Document) -> Iterator[Page]:
        if first.graph is None or self._is_paged(first.url, first.graph):
            return walk_links(first.url, lambda url: self._slice(first if url == first.url else self.ask(url)), record)
        return self._whole(first.digest, first.graph)

    def _is_paged(self, url: str, graph: Graph) -> bool:
        found = datasets(graph)
        if not found.any():
            _refuse_unknown_terms(url, graph)
        return (self._next(graph, url) or self._guessed(graph, url, found.count)) is not None

    def _whole(self, digest: bytes, graph: Graph) -> Iterator[Page]:
        """A feed in one document, in pages of ours."""
        found = datasets(graph)
        total, items = total_of(graph), iter(found)
        records = (Record(item.guid, item.tree, item.modified) for item in items)
        number = 0
        while batch := tuple(islice(records, RECORDS_A_PAGE)):
            number += len(batch)
            yield Page(batch, total, body=digest, doubtful=_is_lossy(graph))
        notes = self._notes(graph, found)
        yield Page((), total, notes=notes, whole=None if self.broken else Body(digest, number, None, total))

    def _slice(self, document: Document) -> Slice:
        if document.known is not None:
            self.known += document.known.records
            return Slice([], document.known.advertised, document.known.next, body=document.known, unchanged=True)
        with closing(document):
            return self._read(document.url, document.digest, document.graph or Graph())

    def _read(self, url: str, digest: bytes, graph: Graph) -> Slice:
        found = datasets(graph)
        items: list[dict[str, Any]] = [
            {"guid": item.guid, "tree": item.tree, "modified": item.modified.isoformat() if item.modified else None}
            for item in found
        ]
        fresh = {item["guid"] for item in items} - self.guids
        self.guids |= fresh
        self.idle = 0 if fresh else self.idle + 1
        if self.idle > MOST_IDLE_PAGES:
            message = f"{self.idle} pages in a row brought nothing new, and link to a next one"
            raise SourceError(message, code="paging-loop", url=url)
        link = self._next(graph, url)
        if link is None and fresh:
            link = self._guessed(graph, url, lambda: len(self.guids) + self.known)
        if not fresh and link is None:
            # The page we guessed is one we know: the portal has no more to show.
            items = []
        notes, total = self._notes(graph, found), total_of(graph)
        body = None if self.broken else Body(digest, len(items), link, total)
        return Slice(items, total, link, notes, body, doubtful=_is_lossy(graph))

    def _next(self, graph: Graph, url: str) -> str | None:
        for predicate in _NEXT:
            for value in graph.every(predicate):
                link = value.value if isinstance(value, Literal) else value
                if (resolved := resolved_link(link, url)) and resolved != url:
                    return resolved
        return None

    def _guessed(self, graph: Graph, url: str, count: Callable[[], int]) -> str | None:
        """The next page of a portal that advertises more than it showed, and links nothing (older ckanext-dcat)."""
        total = total_of(graph)
        if total is None or graph.is_view or any(map(graph.uses, _PLACED)) or not 0 < count() < total:
            return None
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        page = query.get("page", "1")
        query["page"] = str(int(page) + 1) if page.isdecimal() else "2"
        return urlunsplit(parts._replace(query=urlencode(query)))

    def _notes(self, graph: Graph, found: Datasets) -> tuple[RecordError, ...]:
        """What was wrong with a document that was read to its end; what was lost is told when the walk fails."""
        for trouble in graph.troubles:
            if trouble.lossy and not self.broken:
                self.broken = trouble.message
        said = [RecordError(trouble.message, code=trouble.code) for trouble in graph.troubles]
        return (*said, *(_repeated(guid) for guid in found.repeated))


def _catalogue(graph: Graph) -> dict[str, Any] | None:
    """The raw values of the catalogue the feed is."""
    tree = catalogue(graph)
    return read_catalogue(tree) if tree else None


def _is_lossy(graph: Graph) -> bool:
    return any(trouble.lossy for trouble in graph.troubles)


def _repeated(guid: str) -> RecordError:
    message = "the feed describes this dataset twice; the first was kept"
    return RecordError(message, guid=guid, code="repeated-guid")


def _refuse_unknown_terms(url: str, graph: Graph) -> None:
    """A catalogue may be empty; a document without one, in words defined elsewhere, is one we do not understand."""
    foreign = [trouble for trouble in graph.troubles if trouble.code == REMOTE_CONTEXT]
    if foreign and not any(graph.of_type(CATALOGUES)):
        message = f"no dataset is to be seen in this JSON-LD: {foreign[0].message}"
        raise SourceError(message, code=REMOTE_CONTEXT, url=url)


def record(item: dict[str, Any]) -> Record:
    """The record of one item of a slice."""
    return Record(item["guid"], item["tree"], instant(item["modified"]))


def total_of(graph: Graph) -> int | None:
    """What the feed says it holds."""
    for value in graph.every(_TOTAL):
        text = value.value if isinstance(value, Literal) else value
        if text.strip().isdecimal() and len(text) < 12:
            return int(text)
    return None


def resolved_link(link: str, url: str) -> str | None:
    """A paging link as seen from the page it stands on, for relative ones and proxies that name themselves wrongly."""
    try:
        target = urlsplit(urljoin(url, link.strip().replace(" ", "%20")))
        here = urlsplit(url)
        same = target.hostname == here.hostname or target.path == here.path
    except ValueError:
        return None
    if target.scheme not in ("http", "https"):
        return None
    return urlunsplit(target._replace(scheme=here.scheme, netloc=here.netloc) if same else target)
