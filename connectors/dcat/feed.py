"""A DCAT feed, page by page: Hydra links of every style, and the `?page=` of portals that count but do not link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from connectors.dcat.asking import Document
from harvester.connector import Body, Page, Record
from harvester.errors import RecordError, SourceError
from harvester.fields.when import instant
from harvester.rdf.graph import CATALOGUES, NEXT, PLACED, Graph, Literal
from harvester.rdf.namespaces import expand
from harvester.rdf.parse import REMOTE_CONTEXT
from harvester.rdf.reading import read_catalogue
from harvester.rdf.trees import Datasets, catalogue, datasets
from harvester.walks import Slice, walk_links

RECORDS_A_PAGE = 100
_CURSOR = re.compile(r"d([0-9a-f]{32})-(\d{1,9})")
_NEXT = tuple(map(expand, NEXT))
_TOTAL = expand("hydra:totalItems")
# With these a page tells its place among the others: without a link to a next one it is the last.
_PLACED = tuple(map(expand, PLACED))


@dataclass(slots=True)
class Feed:
    """Walks a feed; `ask` brings its documents."""

    ask: Callable[[str], Document]
    broken: str = ""

    def pages(self, first: Document, cursor: str | None = None) -> Iterator[Page]:
        """Every page of a feed that starts with a document already brought.

        Raises `SourceError` (`broken-document`) at the end when a syntax error hid statements.
        """
        with closing(first):
            # Now: a page that is read lets its document go.
            said = _catalogue(first.graph) if first.graph else None
            pages = self._all(first, cursor)
            if (page := next(pages, None)) is not None:
                yield replace(page, catalogue=said)
            yield from pages
        self._refuse_broken(first.url)

    def resumed(self, first: str, cursor: str | None) -> Iterator[Page]:
        """The pages after the one of a cursor; all of them, from the address of the first, when it has changed."""
        yield from walk_links(first, lambda url: self._slice(self.ask(url)), record, cursor)
        self._refuse_broken(first)

    def _refuse_broken(self, url: str) -> None:
        if self.broken:
            raise SourceError(
                f"statements were lost to a syntax error, nothing is known of what is missing: {self.broken}",
                code="broken-document",
                url=url,
            )

    def _all(self, first: Document, cursor: str | None) -> Iterator[Page]:
        if first.graph is not None and not self._is_paged(first.url, first.graph):
            return within(self._whole(first.body, first.graph), first.body, cursor)
        brought = [first]

        def read(url: str) -> Slice:
            return self._slice(brought.pop() if brought else self.ask(url))

        return walk_links(first.url, read, record)

    def _is_paged(self, url: str, graph: Graph) -> bool:
        found = datasets(graph)
        if not found.any():
            _refuse_unknown_terms(url, graph)
        if next_page(graph, url) is not None:
            return True
        return guessed(graph, url) is not None and 0 < found.count() < (total_of(graph) or 0)

    def _whole(self, body: Body, graph: Graph) -> Iterator[Page]:
        """A feed in one document, in pages of ours."""
        found = datasets(graph)
        total, items = total_of(graph), iter(found)
        records = (Record(item.guid, item.tree, item.modified) for item in items)
        number = 0
        while batch := tuple(islice(records, RECORDS_A_PAGE)):
            number += len(batch)
            yield Page(batch, total, body=body.digest, doubtful=_is_lossy(graph))
        notes = self._notes(graph, found)
        whole = replace(body, records=number, advertised=total)
        yield Page((), total, notes=notes, whole=None if self.broken else whole)

    def _slice(self, document: Document) -> Slice:
        if document.known is not None:
            return Slice([], document.known.advertised, document.known.next, body=document.known, unchanged=True)
        with closing(document):
            return self._read(document.url, document.body, document.graph or Graph())

    def _read(self, url: str, body: Body, graph: Graph) -> Slice:
        found = datasets(graph)
        items: list[dict[str, Any]] = [
            {"guid": item.guid, "tree": item.tree, "modified": item.modified.isoformat() if item.modified else None}
            for item in found
        ]
        link, total = next_page(graph, url), total_of(graph)
        notes = (*self._notes(graph, found), *_elsewhere(link, url))
        body = replace(body, records=len(items), advertised=total)
        # What was lost is told at the end: until then the bytes may be met again, but not taken for read.
        sound = None if self.broken else body
        return Slice(items, total, link, notes, sound, doubtful=_is_lossy(graph), maybe=guessed(graph, url))

    def _notes(self, graph: Graph, found: Datasets) -> tuple[RecordError, ...]:
        """What was wrong with a document that was read to its end; what was lost is told when the walk fails."""
        for trouble in graph.troubles:
            if trouble.lossy and not self.broken:
                self.broken = trouble.message
        said = [RecordError(trouble.message, code=trouble.code) for trouble in graph.troubles]
        return (*said, *(_repeated(guid) for guid in found.repeated))


def within(pages: Iterator[Page], body: Body, cursor: str | None) -> Iterator[Page]:
    """The pages of one document, each with a cursor that holds as long as the document stays the same."""
    name = body.digest.hex()
    found = _CURSOR.fullmatch(cursor or "")
    passed = int(found[2]) if found and found[1] == name else 0
    for number, page in enumerate(pages, 1):
        if number > passed:
            yield replace(page, cursor=f"d{name}-{number}")


def next_page(graph: Graph, url: str) -> str | None:
    """The next page that a document links, its own address when it links no other."""
    links = [value.value if isinstance(value, Literal) else value for name in _NEXT for value in graph.every(name)]
    found = [resolved for link in links if (resolved := resolved_link(link, url))]
    return next((link for link in found if link != url), found[0] if found else None)


def guessed(graph: Graph, url: str) -> str | None:
    """The next page of a portal that counts what it has, and links nothing (older ckanext-dcat)."""
    if total_of(graph) is None or graph.is_view or any(map(graph.uses, _PLACED)):
        return None
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    page = query.get("page", "1")
    query["page"] = str(int(page) + 1) if page.isdecimal() and len(page) < 10 else "2"
    return urlunsplit(parts._replace(query=urlencode(query)))


def _elsewhere(link: str | None, url: str) -> tuple[RecordError, ...]:
    """A note on paging that leads to another host: it is followed, and told."""
    if link is None or urlsplit(link).hostname == urlsplit(url).hostname:
        return ()
    host = urlsplit(link).hostname
    message = f"the next page is on another host: {host}"
    return (RecordError(message, code="paging-elsewhere", url=link, field="hydra:next", value=host),)


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
