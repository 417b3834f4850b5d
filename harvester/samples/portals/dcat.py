"""A DCAT feed with hydra paging, in every serialisation and both styles met in the field.

"partial" is udata's (`hydra:PartialCollectionView`, links as IRIs), "paged" is ckanext-dcat's
(`hydra:PagedCollection`, links as string literals), "" is one file without paging.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, parse, serialize

from harvester.samples.serving import Portal, Reply, Request, html_reply, whole_number

Graph = tuple[Quad, ...]

PAGE_SIZE = 100
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
FOAF = "http://xmlns.com/foaf/0.1/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
TYPE = NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")
FRENCH = NamedNode("http://publications.europa.eu/resource/authority/language/FRA")
INTEGER = NamedNode("http://www.w3.org/2001/XMLSchema#integer")
PREFIXES = {
    "dcat": DCAT,
    "dct": DCT,
    "foaf": FOAF,
    "hydra": HYDRA,
    "adms": "http://www.w3.org/ns/adms#",
    "dcatap": "http://data.europa.eu/r5r/",
    "gsp": "http://www.opengis.net/ont/geosparql#",
    "locn": "http://www.w3.org/ns/locn#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


@dataclass(frozen=True, slots=True)
class Serialisation:
    format: RdfFormat
    content_type: str


FORMATS: dict[str, Serialisation] = {
    "ttl": Serialisation(RdfFormat.TURTLE, "text/turtle; charset=utf-8"),
    "rdf": Serialisation(RdfFormat.RDF_XML, "application/rdf+xml; charset=utf-8"),
    "xml": Serialisation(RdfFormat.RDF_XML, "application/rdf+xml; charset=utf-8"),
    "jsonld": Serialisation(RdfFormat.JSON_LD, "application/ld+json"),
    "json": Serialisation(RdfFormat.JSON_LD, "application/ld+json"),
    "nt": Serialisation(RdfFormat.N_TRIPLES, "application/n-triples"),
    "n3": Serialisation(RdfFormat.N3, "text/n3; charset=utf-8"),
    "trig": Serialisation(RdfFormat.TRIG, "application/trig; charset=utf-8"),
}
# How a catalogue points at what it lists, by class.
LISTED = {
    NamedNode(DCAT + "Dataset"): NamedNode(DCAT + "dataset"),
    NamedNode(DCAT + "DatasetSeries"): NamedNode(DCAT + "dataset"),
    NamedNode(DCAT + "DataService"): NamedNode(DCAT + "service"),
}
LINKS = {
    "partial": {"first": "first", "next": "next", "previous": "previous", "last": "last"},
    "paged": {"first": "firstPage", "next": "nextPage", "previous": "previousPage", "last": "lastPage"},
}


@dataclass(frozen=True, slots=True)
class Feed:
    """What one feed holds and how it behaves."""

    blocks: Sequence[Graph]
    title: str
    path: str
    iri: str
    page_size: int
    hydra: str
    content_type: str | None
    total: int | None


def read_block(block: str | Iterable[Quad], number: int) -> Graph:
    """A dataset as quads; blank nodes of different blocks are kept apart, under the same labels every time."""
    quads = parse(block, RdfFormat.TURTLE) if isinstance(block, str) else block
    labels: dict[BlankNode, BlankNode] = {}

    def relabelled(node: Any) -> Any:
        if not isinstance(node, BlankNode):
            return node
        return labels.setdefault(node, BlankNode(f"b{number}x{len(labels)}"))

    return tuple(Quad(relabelled(quad.subject), quad.predicate, relabelled(quad.object)) for quad in quads)


def hydra_term(name: str) -> NamedNode:
    return NamedNode(HYDRA + name)


def members(node: NamedNode, graph: Graph) -> list[Quad]:
    """The links from the catalogue to what a block describes: what it only refers to has no title."""
    titled = {quad.subject for quad in graph if quad.predicate.value == DCT + "title"}
    typed = [quad for quad in graph if quad.predicate == TYPE and quad.subject in titled]
    return [
        Quad(node, listing, quad.subject) for quad in typed for kind, listing in LISTED.items() if quad.object == kind
    ]


def catalogue(feed: Feed, node: NamedNode) -> list[Quad]:
    return [
        Quad(node, TYPE, NamedNode(DCAT + "Catalog")),
        Quad(node, NamedNode(DCT + "title"), Literal(feed.title, language="fr")),
        Quad(node, NamedNode(DCT + "description"), Literal(f"Le catalogue de {feed.title}.", language="fr")),
        Quad(node, NamedNode(DCT + "language"), FRENCH),
        Quad(node, NamedNode(FOAF + "homepage"), NamedNode(feed.iri)),
    ]


def page_urls(request: Request, page: int, size: int, total: int) -> dict[str, str]:
    """The addresses of the other pages, by relation."""
    last = max(1, -(-total // size))
    numbers = {"first": 1, "last": last}
    if page > 1:
        numbers["previous"] = page - 1
    if page < last:
        numbers["next"] = page + 1
    return {relation: request.url(page=number, page_size=size) for relation, number in numbers.items()}


def paging(feed: Feed, node: NamedNode, request: Request, page: int, size: int) -> list[Quad]:
    """The hydra part of a page, in the style of the feed."""
    total = len(feed.blocks) if feed.total is None else feed.total
    urls = page_urls(request, page, size, total)
    count = Literal(str(total), datatype=INTEGER)
    here = NamedNode(request.url())
    if feed.hydra == "partial":
        head = [
            Quad(node, TYPE, hydra_term("Collection")),
            Quad(node, hydra_term("totalItems"), count),
            Quad(node, hydra_term("view"), here),
            Quad(here, TYPE, hydra_term("PartialCollectionView")),
        ]
        return head + [Quad(here, hydra_term(name), NamedNode(url)) for name, url in named(feed, urls)]
    head = [
        Quad(here, TYPE, hydra_term("PagedCollection")),
        Quad(here, hydra_term("totalItems"), count),
        Quad(here, hydra_term("itemsPerPage"), Literal(str(size), datatype=INTEGER)),
    ]
    return head + [Quad(here, hydra_term(name), Literal(url)) for name, url in named(feed, urls)]


def named(feed: Feed, urls: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(LINKS[feed.hydra][relation], url) for relation, url in urls.items()]


def page_reply(feed: Feed, request: Request, serialisation: Serialisation) -> Reply:
    page = whole_number(request.get("page"), 1) if feed.hydra else 1
    size = whole_number(request.get("page_size"), feed.page_size) if feed.hydra else len(feed.blocks) or 1
    if page is None or size is None or page < 1 or size < 1:
        return Reply(400, b"page and page_size must be positive", "text/plain")
    node = NamedNode(feed.iri)
    blocks = feed.blocks[(page - 1) * size : page * size]
    quads = catalogue(feed, node)
    quads += paging(feed, node, request, page, size) if feed.hydra else []
    for block in blocks:
        quads += [*members(node, block), *block]
    body = serialize(quads, format=serialisation.format, prefixes=PREFIXES) or b""
    declared = serialisation.content_type if feed.content_type is None else feed.content_type
    return Reply(200, body, declared)


def negotiated(request: Request, path: str) -> Reply:
    """The address without extension leads to the serialisation that `Accept` prefers, Turtle when unsure."""
    accepted = request.headers.get("accept", "")
    for extension, serialisation in FORMATS.items():
        if serialisation.content_type.partition(";")[0] in accepted:
            return Reply(302, headers={"Location": f"{request.origin}{path}.{extension}"})
    return Reply(302, headers={"Location": f"{request.origin}{path}.ttl"})


def home_page(feed: Feed) -> Reply:
    links = "".join(
        f'<link rel="alternate" type="{one.content_type.partition(";")[0]}" href="{feed.path}.{extension}">'
        for extension, one in FORMATS.items()
    )
    return Reply(200, f"<html><head><title>{feed.title}</title>{links}</head></html>".encode(), "text/html")


def dcat_portal(
    datasets: Sequence[str | Iterable[Quad]],
    *,
    title: str,
    path: str = "/catalog",
    iri: str = "https://portal.example/",
    page_size: int = PAGE_SIZE,
    hydra: str = "partial",
    content_type: str | None = None,
    total: int | None = None,
) -> Portal:
    """A feed of datasets given as Turtle texts or quads, at `path` plus an extension.

    `hydra` is "partial", "paged" or "" (one file); `content_type` replaces the right one ("" sends none);
    `total` is what the feed claims to hold when that is not the truth.
    """
    blocks = [read_block(block, number) for number, block in enumerate(datasets)]
    feed = Feed(blocks, title, path, iri, page_size, hydra, content_type, total)

    def portal(request: Request) -> Reply:
        stem, _, extension = request.path.rpartition(".")
        if stem == path and extension in FORMATS:
            return page_reply(feed, request, FORMATS[extension])
        if request.path == path:
            return negotiated(request, path)
        return home_page(feed) if request.path == "/" else html_reply("404 Not Found")

    return portal
