"""Where a portal keeps its DCAT feed: the address itself, the usual places, what its home page links."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from html.parser import HTMLParser
from itertools import islice
from urllib.parse import urljoin, urlsplit

from connectors.dcat.feed import total_of
from connectors.dcat_us import fetch_pages, looks_like_pod
from harvester.connector import Recognised
from harvester.errors import SourceError
from harvester.http import Answer, Http
from harvester.rdf.graph import CATALOGUES, Graph, Literal
from harvester.rdf.namespaces import expand
from harvester.rdf.parse import parse
from harvester.rdf.trees import datasets

USUAL = (
    "/catalog.ttl",
    "/catalog.rdf",
    "/catalog.jsonld",
    "/data.json",
    "/api/feed/dcat-ap/2.1.1.json",
    "/api/feed/dcat-us/1.1.json",
)
_TYPES = frozenset(
    ("application/rdf+xml", "text/turtle", "application/x-turtle", "application/ld+json", "application/n-triples")
)
_TITLE = expand("dct:title")
MOST_LINKS = 5
MOST_SAMPLES = 5


def recognised(http: Http, url: str, name: str) -> Recognised | None:
    """The first address that holds a feed with datasets, or a catalogue that says it has none."""
    tried: set[str] = set()
    for address in _addresses(http, url, tried):
        if address not in tried:
            tried.add(address)
            if (answer := _asked(http, address)) and (found := _looked_at(answer, address, name)):
                return found
    return None


def _addresses(http: Http, url: str, tried: set[str]) -> Iterator[str]:
    yield url
    answer = _asked(http, url)
    if answer is not None and b"<link" in answer.content:
        yield from _linked(answer)
    root = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    bases = dict.fromkeys((url.split("?")[0].rstrip("/"), root))
    yield from (base + path for base in bases for path in USUAL)


def _asked(http: Http, url: str) -> Answer | None:
    try:
        answer = http.try_get(
            url, headers={"Accept": "text/turtle, application/rdf+xml, application/ld+json, */*;q=0.5"}
        )
    except SourceError:
        # No such host or no such page: the next address may do better.
        return None
    return answer if answer.status == 200 else None


def _looked_at(answer: Answer, url: str, name: str) -> Recognised | None:
    try:
        if looks_like_pod(answer.content[:65536]):
            return _pod(answer, url, name)
        graph = parse(answer.content, base=answer.url, content_type=answer.headers.get("content-type"))
        with closing(graph):
            return _rdf(graph, url, name)
    except SourceError:
        return None


def _rdf(graph: Graph, url: str, name: str) -> Recognised | None:
    titles = [_title_of(graph, node) for node in graph.of_type(CATALOGUES)]
    number, total = datasets(graph).count(), total_of(graph)
    if not number and not titles:
        return None
    trees = (item.tree for item in islice(datasets(graph), MOST_SAMPLES))
    samples = (title.get("@value") for tree in trees for title in tree.get(_TITLE, ()))
    return Recognised(
        name, url, next(filter(None, titles), None), number if total is None else total, next(samples, None)
    )


def _title_of(graph: Graph, node: str) -> str | None:
    return next((value.value for value in graph.values(node, _TITLE) if isinstance(value, Literal)), None)


def _pod(answer: Answer, url: str, name: str) -> Recognised | None:
    pages = list(fetch_pages(io.BytesIO(answer.content), answer.url))
    records = [record for page in pages for record in page.records]
    first = records[0].payload["pod"] if records else {}
    sample = first.get("title") if isinstance(first, dict) else None
    return Recognised(name, url, None, len(records), sample if isinstance(sample, str) else None)


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        alternate = "alternate" in given.get("rel", "").lower().split()
        if tag == "link" and alternate and given.get("type", "").split(";")[0].strip().lower() in _TYPES:
            self.found.append(given.get("href", ""))


def _linked(answer: Answer) -> Iterator[str]:
    reader = _Links()
    reader.feed(answer.text)
    yield from (urljoin(answer.url, link) for link in reader.found[:MOST_LINKS] if link)
