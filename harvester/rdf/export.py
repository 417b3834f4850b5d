"""A catalogue of any size as a stream of bytes: chunks that are one document when put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import orjson
import pyoxigraph as ox

from harvester.rdf.catalogue import parts
from harvester.rdf.entries import CatalogueInfo, Entry
from harvester.rdf.namespaces import PREFIXES
from harvester.rdf.serialise import format_of, serialise

# Triples a chunk holds at least, unless it is the last.
CHUNK = 20_000


def export(catalogue: CatalogueInfo, entries: Iterable[Entry], name: str) -> Iterator[bytes]:
    """The whole catalogue in one of the formats, piece by piece.  Raises `UsageError` for an unknown format."""
    format_of(name)
    frame = _FRAMES.get(name, _PLAIN)
    yield frame.head
    first = True
    for triples in _chunks(parts(catalogue, entries)):
        yield frame.inner(serialise(triples, name), first)
        first = False
    yield frame.foot


def _chunks(pieces: Iterable[list[ox.Triple]]) -> Iterator[list[ox.Triple]]:
    held: list[ox.Triple] = []
    for piece in pieces:
        held += piece
        if len(held) >= CHUNK:
            yield held
            held = []
    if held:
        yield held


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the chunks, and how a chunk is cut out of the document it was written as."""

    head: bytes
    inner: Callable[[bytes, bool], bytes]
    foot: bytes


def _as_it_is(data: bytes, first: bool) -> bytes:
    return data


_PREFIX_LINES = b"".join(f"@prefix {prefix}: <{iri}> .\n".encode() for prefix, iri in sorted(PREFIXES.items()))


def _without_prefixes(data: bytes, first: bool) -> bytes:
    at = 0
    while data.startswith(b"@prefix ", at):
        at = data.index(b"\n", at) + 1
    return data[at:]


def _within_rdf(data: bytes, first: bool) -> bytes:
    start = data.index(b">", data.index(b"<rdf:RDF")) + 1
    return data[start : data.rindex(b"</rdf:RDF>")]


def _within_graph(data: bytes, first: bool) -> bytes:
    document = orjson.loads(data)
    nodes = document.get("@graph", [document] if len(document) > 1 else []) if isinstance(document, dict) else document
    body = b",\n".join(orjson.dumps({key: value for key, value in node.items() if key != "@context"}) for node in nodes)
    return body if first or not body else b",\n" + body


def _rdf_head() -> bytes:
    names = "".join(f' xmlns:{prefix}="{iri}"' for prefix, iri in sorted(PREFIXES.items()))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{names}>'.encode()


_PLAIN = _Frame(b"", _as_it_is, b"")
_FRAMES: dict[str, _Frame] = {
    "ttl": _Frame(_PREFIX_LINES, _without_prefixes, b""),
    "trig": _Frame(_PREFIX_LINES, _without_prefixes, b""),
    "rdf": _Frame(_rdf_head(), _within_rdf, b"</rdf:RDF>\n"),
    "jsonld": _Frame(
        b'{"@context":' + orjson.dumps(PREFIXES) + b',"@graph":[\n',
        _within_graph,
        b"\n]}\n",
    ),
}
