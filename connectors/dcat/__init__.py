"""DCAT feeds: RDF in any serialisation (DCAT, DCAT-AP, GeoDCAT-AP), paged or whole, and DCAT-US data.json."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydantic import Field

from connectors import dcat_us
from connectors.dcat.asking import HEAD, Asking
from connectors.dcat.feed import Feed, within
from connectors.dcat.finding import recognised
from connectors.dcat.mapping import raw_of
from harvester.connector import Body, NoOptions, Page, Recognised, Record, Source, Walk
from harvester.errors import RecordError
from harvester.http import Feed as Answer
from harvester.http import Http
from harvester.model import Dataset
from harvester.walks import is_linked

NAME = "dcat"
_ACCEPT = (
    "text/turtle, application/n-triples;q=0.9, application/rdf+xml;q=0.9, application/ld+json;q=0.8,"
    " application/json;q=0.7, */*;q=0.5"
)


class Options(NoOptions):
    """How to ask; everything else is told by the feed itself."""

    accept: str = Field(
        _ACCEPT, description="The Accept header, for portals that answer one address in several formats."
    )


def fetch(source: Source, http: Http, walk: Walk) -> Iterator[Page]:
    """Walk the feed: along its paging links, or through its one document.

    A cursor holds where the page, or the document, that it stands in is still the same.
    """
    asking = Asking(http, source, walk, source.options.accept if isinstance(source.options, Options) else _ACCEPT)
    feed = Feed(asking.document)
    if is_linked(walk.cursor):
        yield from feed.resumed(source.url, walk.cursor)
        return
    with asking.answered(source.url) as (answer, body, known):
        if known is None and dcat_us.looks_like_pod(answer.peek(HEAD)[:HEAD]):
            yield from within(_pod(answer, body), body, walk.cursor)
            return
        document = asking.read(source.url, answer, body, known)
    yield from feed.pages(document, walk.cursor)


def _pod(answer: Answer, body: Body) -> Iterator[Page]:
    """The pages of a data.json; the last one says that this was all of it, unless something was lost."""
    number, sound = 0, True
    for page in dcat_us.fetch_pages(answer, answer.url):
        number, sound = number + len(page.records), sound and not page.problems
        yield replace(page, body=body.digest)
    yield Page((), whole=replace(body, records=number) if sound else None)


def normalise(record: Record, source: Source) -> Dataset:
    """The dataset of one record: a tree of RDF, or an object of data.json."""
    if not isinstance(record.payload, dict):
        raise RecordError("a record of a DCAT feed is an object", guid=record.guid, code="not-an-object")
    if "pod" in record.payload:
        return dcat_us.normalise(record, source)
    return Dataset.of(raw_of(record.payload))


def recognise(http: Http, url: str) -> Recognised | None:
    """Whether there is a DCAT feed at this address, or where feeds of such a portal usually are."""
    return recognised(http, url, NAME)


__all__ = ["NAME", "Options", "fetch", "normalise", "recognise"]
