"""What RDF can hold of a value: valid IRIs and language tags, datatypes; None or "" where it can hold none."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from urllib.parse import quote

import pyoxigraph as ox

from harvester.rdf.namespaces import PREFIXES

XSD = PREFIXES["xsd"]
_DATES = {4: "gYear", 7: "gYearMonth", 10: "date"}
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)
_DURATION = re.compile(r"-?P(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=.)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+")
_STRAY = re.compile(r"%(?![0-9A-Fa-f]{2})|[^!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~\x80-\U0010ffff-]")


# Allowed beyond ASCII, but some readers take it for the end of the IRI, and nobody sees it.
_UNSEEN = re.compile("[\\s\x80-\x9f\u200b-\u200f\u2028-\u202e\u2060\ufeff]")


def _quoted(found: re.Match[str]) -> str:
    return quote(found.group(), safe="", errors="replace")


@lru_cache(maxsize=16_384)
def named(iri: str) -> str | None:
    """The IRI, percent-encoded where RFC 3987 wants it; None when it cannot be made valid."""
    prefix, _, name = iri.partition(":")
    if prefix in PREFIXES and not name.startswith("//"):
        # A name that its portal did not expand: as an IRI it would be one thing here and another in JSON-LD.
        iri = PREFIXES[prefix] + name
    if not iri.isascii():
        iri = _UNSEEN.sub(_quoted, iri)
    for spelled in (iri, _STRAY.sub(_quoted, iri)):
        try:
            return ox.NamedNode(spelled).value
        except ValueError:
            continue
    return None


@lru_cache(maxsize=4096)
def language(tag: str) -> str:
    """The tag in lower case; one that is no BCP 47 is shortened until it is."""
    while tag:
        try:
            return ox.Literal("", language=tag.lower()).language or ""
        except ValueError:
            tag = tag.rpartition("-")[0]
    return ""


@lru_cache(maxsize=4096)
def date_type(value: str) -> str:
    """The XML Schema type of a date, by its precision; a string for what is none."""
    return XSD + (_DATES.get(len(value), "dateTime") if _DATE.fullmatch(value) else "string")


def duration_type(value: str) -> str:
    """The XML Schema type of a duration; a string for what is none."""
    return XSD + ("duration" if _DURATION.fullmatch(value) else "string")


def hex_type(value: str) -> str:
    """The XML Schema type of octets in hexadecimal; a string for what is none."""
    return XSD + ("hexBinary" if is_hex(value) else "string")


def decimal(value: float) -> str:
    """A number as xsd:decimal, which knows no exponent."""
    return format(Decimal(repr(value)), "f")


def is_hex(value: str) -> bool:
    """Whether the text is whole octets in hexadecimal."""
    return bool(value) and len(value) % 2 == 0 and _HEX.fullmatch(value) is not None
