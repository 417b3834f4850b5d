"""Terms of the parser as terms of the SHACL engine, which stops at names and language tags that are none."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

import pyoxigraph as ox
from rdflib import BNode, Literal, URIRef

Node = URIRef | BNode
Triple = tuple[Node, URIRef, Node | Literal]

# Neither RFC 3987 nor any serialisation allows these in an IRI.
_FORBIDDEN = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f]')
_STRING = "http://www.w3.org/2001/XMLSchema#string"
_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


def is_sound(iri: str) -> bool:
    """Whether an IRI has no character that no IRI may have, and a scheme."""
    return _FORBIDDEN.search(iri) is None and ":" in iri


# The store keeps numbers and dates by value, "007"^^xsd:byte as 7: they are put in as text behind their type.
_KEPT = ox.NamedNode("urn:x-catalogue-harvester:as-written")


def kept(quad: ox.Quad) -> ox.Quad:
    """A quad the store gives back as it was written."""
    value = quad.object
    if not isinstance(value, ox.Literal) or value.language or value.datatype.value == _STRING:
        return quad
    return ox.Quad(
        quad.subject,
        quad.predicate,
        ox.Literal(f"{value.datatype.value} {value.value}", datatype=_KEPT),
        quad.graph_name,
    )


def triple_of(quad: ox.Quad) -> Triple:
    """The statement of a quad."""
    return node_of(quad.subject), property_of(quad.predicate), term_of(quad.object)


def term_of(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> Node | Literal:
    """A term; a literal with a tag that is none has no tag."""
    if not isinstance(term, ox.Literal):
        return node_of(term)
    if term.language:
        return Literal(term.value, lang=term.language if _TAG.fullmatch(term.language) else None)
    if term.datatype != _KEPT:
        return Literal(term.value)
    datatype, _, text = term.value.partition(" ")
    return Literal(text, datatype=URIRef(sound(datatype)), normalize=False)


# Classes, properties and concepts come again and again; one object for all makes batches small for other processes.
@lru_cache(maxsize=50_000)
def node_of(term: ox.NamedNode | ox.BlankNode | ox.Triple) -> Node:
    """A node; in an IRI that is none, what is not allowed is written in percent."""
    if isinstance(term, ox.NamedNode):
        return URIRef(sound(term.value))
    return BNode(term.value) if isinstance(term, ox.BlankNode) else BNode(f"quoted{abs(hash(str(term)))}")


@lru_cache(maxsize=1000)
def property_of(term: ox.NamedNode) -> URIRef:
    """A property."""
    return URIRef(sound(term.value))


def sound(iri: str) -> str:
    """The IRI with what is not allowed in it written in percent."""
    return _FORBIDDEN.sub(lambda found: quote(found.group()), iri)
