"""The RDF serialisations that are offered, and which of them, in which profile, a request asks for.

RFC 9110, section 12.5.1 (`Accept`); W3C Content Negotiation by Profile (`Accept-Profile`, `profile` in `Accept`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from harvester.errors import UsageError
from harvester.rdf.profiles import DEFAULT, Profile, profile_named

HTML = "text/html"
# JSON-LD 1.1 uses the same parameter for something else: the form of the document.
_JSON_LD = "http://www.w3.org/ns/json-ld#"
# A list separated by commas, an item and its parameters by semicolons; neither counts inside quotes or angle brackets.
_ITEM = re.compile(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,"<]|["<])+')
_LONGEST = 4_000
_PIECE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^;"<]|["<])+')


class Form(NamedTuple):
    """One serialisation: suffix of its URLs, media type, what it looks like, other names it is asked for by."""

    suffix: str
    media_type: str
    name: str
    example: str
    also: tuple[str, ...] = ()


_IRI, _CATALOG = "https://data.example.org/catalog", "http://www.w3.org/ns/dcat#Catalog"
_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
_TRIPLE = f"<{_IRI}> <{_TYPE}> <{_CATALOG}> ."
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
    Form("nt", "application/n-triples", "N-Triples", _TRIPLE, ("text/plain",)),
    Form("nq", "application/n-quads", "N-Quads", _TRIPLE),
    Form("trig", "application/trig", "TriG", f"<{_IRI}> a <{_CATALOG}> .", ("application/x-trig",)),
)
BY_SUFFIX: dict[str, Form] = {form.suffix: form for form in FORMATS} | {"xml": FORMATS[1], "json": FORMATS[2]}


class Range(NamedTuple):
    """One item of an `Accept` header."""

    media_type: str
    quality: float
    profile: str | None


def accepted(header: str | None, offered: Sequence[str]) -> str | None:
    """The offered media type that the header prefers, the first of equals; None when it wants none of them.

    Each type takes the quality of the most specific range that covers it.
    """
    given = [found for found in ranges(header) if found.profile is None or known(found.profile)]
    best = max(offered, key=lambda media_type: _quality(media_type, given), default=None)
    return best if best is not None and _quality(best, given) > 0 else None


def ranges(header: str | None) -> list[Range]:
    """The items of an `Accept` header; without one, everything."""
    return [_range(part) for part in _ITEM.findall((header or "*/*")[:_LONGEST]) if part.strip()]


def form_of(media_type: str) -> Form | None:
    """The serialisation with this media type, or with this as another of its names."""
    return next((form for form in FORMATS if media_type in (form.media_type, *form.also)), None)


def offers(html: bool = False) -> list[str]:
    """Every media type that can be asked for; the first is what `*/*` gets."""
    types = [form.media_type for form in FORMATS] + [other for form in FORMATS for other in form.also]
    return [HTML, *types] if html else types


def known(name: str) -> Profile | None:
    """The profile of a name or IRI; None for one we do not write."""
    try:
        return profile_named(name)
    except UsageError:
        return None


def profile_accepted(header: str | None) -> Profile | None:
    """The profile that an `Accept-Profile` header prefers; None when it wants none of ours."""
    given = sorted(_profiles(header or "*"), key=lambda item: -item[1])
    wanted = (DEFAULT if name.strip("<> ") == "*" else known(name) for name, quality in given if quality > 0)
    return next((profile for profile in wanted if profile is not None), None)


def profile_of(header: str | None, media_type: str) -> Profile | None:
    """The profile that an `Accept` header wants with a media type; None when it names none."""
    given = [found for found in ranges(header) if found.profile and found.media_type == media_type]
    best = max(given, key=lambda found: found.quality if known(found.profile or "") else -1.0, default=None)
    return known(best.profile or "") if best else None


def _profiles(header: str) -> Iterable[tuple[str, float]]:
    for item in _ITEM.findall(header[:_LONGEST]):
        name, *parameters = _pieces(item)
        yield name, _weight(parameters)


def _pieces(part: str) -> list[str]:
    """What semicolons part; one at least."""
    return [piece.strip() for piece in _PIECE.findall(part)] or [""]


def _range(part: str) -> Range:
    media_type, *parameters = _pieces(part)
    profile = next((p[8:].strip('" ') for p in parameters if p.lower().startswith("profile=")), None)
    meant = None if not profile or profile.startswith(_JSON_LD) else profile
    return Range(media_type.lower(), _weight(parameters), meant)


def _weight(parameters: Iterable[str]) -> float:
    raw = next((p[2:] for p in parameters if p.lower().startswith("q=")), "1")
    try:
        return min(max(float(raw), 0.0), 1.0)
    except ValueError:
        return 0.0


def _quality(media_type: str, given: Sequence[Range]) -> float:
    family = media_type.split("/")[0] + "/*"
    for wanted in (media_type, family, "*/*"):
        found = [item.quality for item in given if item.media_type == wanted]
        if found:
            return max(found)
    return 0.0
