"""Triples as bytes, in the formats a portal offers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pyoxigraph as ox

from harvester.errors import UsageError
from harvester.rdf.namespaces import PREFIXES


@dataclass(frozen=True, slots=True)
class Format:
    """A serialisation: what pyoxigraph calls it, and the media type to send it with."""

    syntax: ox.RdfFormat
    media_type: str
    prefixed: bool = False


FORMATS: dict[str, Format] = {
    "ttl": Format(ox.RdfFormat.TURTLE, "text/turtle", prefixed=True),
    "rdf": Format(ox.RdfFormat.RDF_XML, "application/rdf+xml", prefixed=True),
    "jsonld": Format(ox.RdfFormat.JSON_LD, "application/ld+json", prefixed=True),
    "nt": Format(ox.RdfFormat.N_TRIPLES, "application/n-triples"),
    "nq": Format(ox.RdfFormat.N_QUADS, "application/n-quads"),
    "trig": Format(ox.RdfFormat.TRIG, "application/trig", prefixed=True),
}


def format_of(name: str) -> Format:
    """Raises `UsageError` for a format we do not write."""
    try:
        return FORMATS[name]
    except KeyError:
        raise UsageError(f"no RDF format {name!r}; there are {', '.join(FORMATS)}", code="unknown-format") from None


def serialise(triples: Iterable[ox.Triple], name: str) -> bytes:
    """The triples in one of `FORMATS`."""
    chosen = format_of(name)
    prefixes = PREFIXES if chosen.prefixed else None
    data = ox.serialize(triples, format=chosen.syntax, prefixes=prefixes)
    assert data is not None
    return data
