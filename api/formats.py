"""The RDF serialisations that are offered, and which one an `Accept` header asks for (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

HTML = "text/html"


class Form(NamedTuple):
    """One serialisation: suffix of its URLs, media type, what it looks like, other names it is asked for by."""

    suffix: str
    media_type: str
    name: str
    example: str
    also: tuple[str, ...] = ()


_IRI, _CATALOG = "https://data.example.org/catalog", "http://www.w3.org/ns/dcat#Catalog"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
FORMATS: tuple[Form, ...] = (
    Form("ttl", "text/turtle", "Turtle", f"<{_IRI}> a <{_CATALOG}> .", ("application/x-turtle",)),
    Form(
        "rdf",
        "application/rdf+xml",
        "RDF/XML",
        f'<rdf:RDF xmlns:dcat="http://www.w3.org/ns/dcat#"><dcat:Catalog rdf:about="{_IRI}"/></rdf:RDF>',
        ("application/xml", "text/xml"),
    ),
    Form(
        "jsonld",
        "application/ld+json",
        "JSON-LD",
        f'{{"@id": "{_IRI}", "@type": "{_CATALOG}"}}',
        ("application/json",),
    ),
    Form("nt", "application/n-triples", "N-Triples", f"<{_IRI}> <{_TYPE}> <{_CATALOG}> .", ("text/plain",)),
)
BY_SUFFIX: dict[str, Form] = {form.suffix: form for form in FORMATS} | {"xml": FORMATS[1], "json": FORMATS[2]}


def accepted(header: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that the header prefers, the first of equals; None when it wants none of them.

    Each type takes the quality of the most specific range that covers it.
    """
    ranges = [_range(part) for part in (header or "*/*").split(",") if part.strip()]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges), default=None)
    return best if best is not None and _quality(best, ranges) > 0 else None


def form_of(media_type: str) -> Form | None:
    """The serialisation with this media type, or with this as another of its names."""
    return next((form for form in FORMATS if media_type in (form.media_type, *form.also)), None)


def offers(html: bool = False) -> list[str]:
    """Every media type that can be asked for; the first is what `*/*` gets."""
    types = [form.media_type for form in FORMATS] + [other for form in FORMATS for other in form.also]
    return [HTML, *types] if html else types


def _range(part: str) -> tuple[str, float]:
    media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
    raw = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    try:
        return media_type, min(max(float(raw), 0.0), 1.0)
    except ValueError:
        return media_type, 0.0


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    family = media_type.split("/")[0] + "/*"
    for wanted in (media_type, family, "*/*"):
        found = [quality for name, quality in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
