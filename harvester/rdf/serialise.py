"""The formats of the export."""

from __future__ import annotations

from dataclasses import dataclass

from harvester.errors import UsageError
from harvester.rdf.syntax import JsonLd, NTriples, RdfXml, Syntax, Turtle


@dataclass(frozen=True, slots=True)
class Format:
    """A serialisation: how its statements stand, and the media type to send it with."""

    syntax: Syntax
    media_type: str


_NTRIPLES, _TURTLE = NTriples(), Turtle()
FORMATS: dict[str, Format] = {
    "ttl": Format(_TURTLE, "text/turtle"),
    "rdf": Format(RdfXml(), "application/rdf+xml"),
    "jsonld": Format(JsonLd(), "application/ld+json"),
    "nt": Format(_NTRIPLES, "application/n-triples"),
    # Statements outside any graph: where readers of quads look first, and where every one finds them.
    "nq": Format(_NTRIPLES, "application/n-quads"),
    "trig": Format(_TURTLE, "application/trig"),
}


def syntax_of(name: str) -> Syntax:
    """How statements stand in a format.  Raises `UsageError` for one we do not write."""
    try:
        return FORMATS[name].syntax
    except KeyError:
        raise UsageError(f"no RDF format {name!r}; there are {', '.join(FORMATS)}", code="unknown-format") from None
