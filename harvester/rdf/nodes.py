"""RDF terms of pyoxigraph for values of the model; what RDF cannot hold gives None, never an exception."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

import pyoxigraph as ox

from harvester.rdf.namespaces import PREFIXES

_XSD = PREFIXES["xsd"]
_DATES = {4: "gYear", 7: "gYearMonth", 10: "date"}
_HEX = re.compile(r"[0-9A-Fa-f]+")
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})|[^!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~\x80-\U0010ffff-]")


@lru_cache(maxsize=16_384)
def named(iri: str) -> ox.NamedNode | None:
    """The node of an IRI, percent-encoded where RFC 3987 wants it; None when it cannot be made valid."""
    for spelled in (iri, _STRAY.sub(lambda found: quote(found.group(), safe=""), iri)):
        try:
            return ox.NamedNode(spelled)
        except ValueError:
            continue
    return None


@lru_cache(maxsize=256)
def _datatype(name: str) -> ox.NamedNode:
    return ox.NamedNode(name if ":" in name else _XSD + name)


def typed(text: str, datatype: str) -> ox.Literal:
    """A literal of a datatype: a local name of XML Schema, or a whole IRI."""
    return ox.Literal(text, datatype=_datatype(datatype))


def spoken(text: str, tag: str) -> ox.Literal:
    """A literal in a language; a tag that is no BCP 47 is shortened until it is."""
    while tag:
        try:
            return ox.Literal(text, language=tag)
        except ValueError:
            tag = tag.rpartition("-")[0]
    return ox.Literal(text)


def dated(value: str) -> ox.Literal:
    """A date with the XML Schema type of its precision."""
    return typed(value, _DATES.get(len(value), "dateTime"))


def decimal(value: float) -> ox.Literal:
    """xsd:decimal knows no exponent."""
    return typed(format(Decimal(repr(value)), "f"), "decimal")


def hexadecimal(value: str) -> ox.Literal:
    """xsd:hexBinary where it is that; text otherwise."""
    return typed(value, "hexBinary") if is_hex(value) else ox.Literal(value)


def is_hex(value: str) -> bool:
    """Whether the text is whole octets in hexadecimal."""
    return bool(value) and len(value) % 2 == 0 and _HEX.fullmatch(value) is not None


@lru_cache(maxsize=512)
def known_node(iri: str) -> ox.NamedNode:
    """The node of an IRI of the profile."""
    return ox.NamedNode(iri)
