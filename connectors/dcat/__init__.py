"""DCAT feeds: RDF in any serialisation (DCAT, DCAT-AP, GeoDCAT-AP), paged or whole, and DCAT-US data.json."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field

from connectors import dcat_us
from connectors.dcat.feed import Document, Feed
from connectors.dcat.finding import recognised
from connectors.dcat.mapping import raw_of
from harvester.connector import NoOptions, Page, Recognised, Record, Source, Walk
from harvester.errors import RecordError
from harvester.http import Feed as Answer
from harvester.http import Http
from harvester.model import Dataset
from harvester.rdf.parse import parse_file
from harvester.rdf.shelf import no_disk

NAME = "dcat"
_ACCEPT = (
    "text/turtle, application/n-triples;q=0.9, application/rdf+xml;q=0.9, application/ld+json;q=0.8,"
    " application/json;q=0.7, */*;q=0.5"
)
_HEAD = 65_536
# Raised when the reading of feeds changes: what was learnt from the same bytes before holds no longer.
_PERSON = b"dcat-3"


class Options(NoOptions):
    """How to ask; everything else is told by the feed itself."""

    accept: str = Field(
        _ACCEPT, description="The Accept header, for portals that answer one address in several formats."
    )


def fetch(source: Source, http: Http, walk: Walk) -> Iterator[Page]:
    """Walk the feed: along its paging links, or through its one document."""
    accept = source.options.accept if isinstance(source.options, Options) else _ACCEPT
    headers = {"Accept": accept}
    first = walk.cursor or source.url
    with _answered(http, first, headers) as answer:
        if dcat_us.looks_like_pod(answer.peek(_HEAD)[:_HEAD]):
            yield from dcat_us.fetch_pages(answer, answer.url)
            return
        document = _document(first, answer, source, walk)

    def ask(url: str) -> Document:
        with _answered(http, url, headers) as other:
            return _document(url, other, source, walk)

    yield from Feed(ask).pages(document)


@contextmanager
def _answered(http: Http, url: str, headers: dict[str, str]) -> Iterator[Answer]:
    """The answer at an address; SourceError `no-disk` where there is no room to keep it while it is read."""
    try:
        with http.stream(url, headers=headers) as answer:
            yield answer
    except OSError as error:
        raise no_disk(error) from error


def _document(url: str, answer: Answer, source: Source, walk: Walk) -> Document:
    """The document at an address; its relative IRIs are seen from the public address of the portal."""
    public = urlsplit(source.home)
    base = urlunsplit(urlsplit(url)._replace(scheme=public.scheme, netloc=public.netloc)) if _moved(source) else url
    digest = _digest(answer)
    if (known := walk.known(digest)) is not None:
        return Document(url, digest, None, known)
    return Document(url, digest, parse_file(answer, base=base, content_type=answer.headers.get("content-type")))


def _digest(answer: Answer) -> bytes:
    """What stands for the bytes of an answer, which is then read from its start again."""
    digest = blake2b(digest_size=16, person=_PERSON)
    while piece := answer.read(_HEAD):
        digest.update(piece)
    answer.seek(0)
    return digest.digest()


def _moved(source: Source) -> bool:
    return source.home != source.url and "://" in source.home


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
