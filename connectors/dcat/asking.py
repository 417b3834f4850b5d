"""Asking for the documents of a feed: what came, what is known of the very same bytes, what need not come again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from urllib.parse import quote, urlsplit, urlunsplit

from harvester.connector import Body, Source, Walk
from harvester.errors import SourceError
from harvester.http import Feed as Answer
from harvester.http import Http
from harvester.rdf.graph import Graph
from harvester.rdf.parse import parse_file
from harvester.rdf.shelf import no_disk

HEAD = 65_536
# Raised when the reading of feeds changes: what was learnt before from the same bytes, or address, holds no longer.
_VERSION = "dcat-4"
# A document that changed twice within a minute may have one date for both (RFC 9110, section 8.8.2.2).
_SETTLED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Document:
    """What one address answered: its graph, or what is `known` of the very same bytes from an earlier run.

    `body` is what there is to say of the bytes themselves, without the records in them.
    """

    url: str
    body: Body
    graph: Graph | None
    known: Body | None = None

    def close(self) -> None:
        """Give back what a large graph has on disk."""
        if self.graph is not None:
            self.graph.close()


@dataclass(frozen=True, slots=True)
class Asking:
    """How the documents of one feed are asked for."""

    http: Http
    source: Source
    walk: Walk
    accept: str

    @contextmanager
    def answered(self, url: str) -> Iterator[tuple[Answer, Body, Body | None]]:
        """The answer at an address, its body, and what is known of it; there are no bytes where nothing has changed.

        Raises `SourceError`, `no-disk` where there is no room to keep the answer while it is read.
        """
        key = self._key(url)
        standing = self.walk.standing(key)
        etag, last_modified = (standing.etag, standing.last_modified) if standing else (None, None)
        headers = {"Accept": self.accept}
        try:
            with self.http.stream(url, headers=headers, etag=etag, last_modified=last_modified) as answer:
                if standing is not None and answer.status == 304:
                    yield answer, standing, standing
                    return
                etag, last_modified = validators(answer.headers)
                body = Body(_digest(answer), 0, url=key, etag=etag, last_modified=last_modified)
                known = self.walk.known(body.digest)
                same = known and replace(body, records=known.records, next=known.next, advertised=known.advertised)
                yield answer, body, same
        except OSError as error:
            raise no_disk(error) from error

    def document(self, url: str) -> Document:
        """The document at an address, asked for again where a web page comes: data.gouv.fr gives one now and then."""
        for again in (True, False):
            with self.answered(url) as (answer, body, known):
                try:
                    return self.read(url, answer, body, known)
                except SourceError as error:
                    if error.code != "not-rdf" or not again:
                        raise
        raise AssertionError("unreachable")

    def read(self, url: str, answer: Answer, body: Body, known: Body | None) -> Document:
        """A document from its answer; its relative IRIs are seen from the public address of the portal."""
        if known is not None:
            return Document(url, body, None, known)
        public, base = urlsplit(self.source.home), url
        if self.source.home != self.source.url and "://" in self.source.home:
            base = urlunsplit(urlsplit(url)._replace(scheme=public.scheme, netloc=public.netloc))
        return Document(url, body, parse_file(answer, base=base, content_type=answer.headers.get("content-type")))

    def _key(self, url: str) -> str:
        """The address as it is kept: another `Accept`, or another way to read, is another answer."""
        return f"{urlsplit(url)._replace(fragment='').geturl()}#{_VERSION};{quote(self.accept)}"


def validators(headers: Mapping[str, str]) -> tuple[str | None, str | None]:
    """ETag and Last-Modified of an answer, as far as they can be relied on: a date only behind the answer's own."""
    etag, stated = headers.get("etag"), headers.get("last-modified")
    changed, answered = _moment(stated), _moment(headers.get("date"))
    settled = changed is not None and answered is not None and answered - changed >= _SETTLED
    return etag or None, stated if settled else None


def _moment(stated: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(stated or "")
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None


def _digest(answer: Answer) -> bytes:
    """What stands for the bytes of an answer, which is then read from its start again."""
    digest = blake2b(digest_size=16, person=_VERSION.encode())
    while piece := answer.read(HEAD):
        digest.update(piece)
    answer.seek(0)
    return digest.digest()
