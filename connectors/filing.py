"""What a file or service is, from what a portal says of it and from its address; shared by the mappings."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.common import blank, filled, listed
from harvester.fields.terms import Term
from harvester.fields.text import text
from harvester.vocabularies import VOCABULARIES, Concept, FormatFacts, format_facts, split_themes
from harvester.vocabularies.overrides import remembered, told

_LISTING = re.compile("[,;|]")
# No longer text is remembered: whole descriptions stand in the wrong field.
_LONGEST_CACHED = 400
# Arguments of one question to an OGC service: the service itself has none of them.
_QUESTION = frozenset(("request", "version", "typename", "typenames", "layers", "outputformat", "bbox", "srs", "crs"))
# Formats that only say how a file is wrapped.
_PACKING = frozenset(("ZIP", "TAR_GZ", "RAR", "7Z", "TAR", "GZIP", "BZIP2", "XZ"))
_PACKED = re.compile(r"\.[a-z0-9]{2,8}\.(?:zip|gz|bz2|xz|7z)(?=[?#\s]|$)", re.IGNORECASE)
# `?service=WMS`, `/geoserver/wfs`, `/rest/services/Roads/FeatureServer/0`: the word says which service.
_SERVED = re.compile(
    r"[?&]service=(wms|wfs|wcs|wmts|sos|wps)(?=[&#\s]|$)"
    r"|/(wms|wfs|wcs|wmts)/?(?=[?#\s]|$)"
    r"|/(featureserver|mapserver|imageserver)(?:/\d+)?/?(?=[?#\s]|$)",
    re.IGNORECASE,
)
_LONGEST_ADDRESS = 2_000


def filed(words: Any, mime: Any, url: Any) -> tuple[dict[str, Any], FormatFacts]:
    """The format fields of a distribution, and the facts they come from; the portal's own words are kept."""
    said, kind = _said(words), _said(mime)
    short = len(said or "") + len(kind or "") < _LONGEST_CACHED
    spoken = _told(said, kind) if short else _fields(said, kind, format_facts(said, kind))
    facts = spoken[1]
    decided = said is not None and told("file-type", said)
    if (
        not isinstance(url, str)
        or decided
        or (any(facts) and (facts.format is None or facts.format.code not in _PACKING))
    ):
        return spoken
    found = _packed_at(url, facts) if any(facts) else format_facts(None, None, url)
    found = found if any(found) else _served_at(url)
    return _fields(said, kind, found) if any(found) else spoken


def _packed_at(url: str, facts: FormatFacts) -> FormatFacts:
    """What the address says is inside, where the words name the packing alone: `trees.shp.zip`."""
    inner = format_facts(None, None, url) if _PACKED.search(url) else facts
    return facts if inner.format is None or inner.format.code in _PACKING else inner


def _served_at(url: str) -> FormatFacts:
    """The kind of service at an address of a well-known form."""
    match = _SERVED.search(url[:_LONGEST_ADDRESS])
    return format_facts(next(filter(None, match.groups()))) if match else FormatFacts()


def _fields(said: str | None, kind: str | None, facts: FormatFacts) -> tuple[dict[str, Any], FormatFacts]:
    typed = kind if kind and "/" in kind else None
    fields = {
        "format": _meant("file-type", said, facts.format),
        "media_type": _typed(typed, facts) or _meant("media-type", typed, facts.media_type),
        "compress_format": _term(None, facts.compress),
        "package_format": _term(None, facts.package),
    }
    return {field: value for field, value in fields.items() if value is not None}, facts


def _meant(vocabulary: str, said: str | None, found: Concept | None) -> Any:
    """What was found with the portal's words, unless they mean something else ("application/zip" of a shapefile)."""
    if said is None or found is None:
        return _term(said, found)
    meant = VOCABULARIES[vocabulary].resolve(said)
    return _term(said if meant is None or meant.uri == found.uri else None, found)


def _typed(said: str | None, facts: FormatFacts) -> Term | None:
    """The portal's own media type where the format has several: "text/xml" is XML as "application/xml" is."""
    if said is None or facts.format is None or format_facts(None, said).format != facts.format:
        return None
    meant = VOCABULARIES["media-type"].resolve(said)
    return Term(said, meant.uri) if meant else None


@remembered(8_192)
def _told(said: str | None, kind: str | None) -> tuple[dict[str, Any], FormatFacts]:
    """What the words alone tell, remembered: portals repeat a few hundred of them."""
    return _fields(said, kind, format_facts(said, kind))


def languages(values: list[Any]) -> list[Any]:
    """Each language of lists and of texts such as "en,es,ca"."""
    return [part for value in values for item in listed(value) for part in _parts(item)]


# Portals fill the field with a word for "no licence was chosen": that is no licence.
_NO_LICENCE = frozenset(
    (
        "notspecified",
        "not-specified",
        "unspecified",
        "license not specified",
        "licence not specified",
        "licence non spécifiée",
        "no se especificó la licencia",
        "licença não especificada",
        "https://project-open-data.cio.gov/unknown-license",
    )
)


_LICENCE_NAMES = ("title", "label", "prefLabel", "name", "@value", "identifier", "id", "@id", "uri", "url")


def licences(values: list[Any]) -> list[Any]:
    """The hints of a licence that name one; an object gives its title first, then its codes and addresses."""
    told = [hint for value in values for hint in (_named(value) if isinstance(value, dict) else (value,))]
    return [value for value in told if not names_no_licence(value)]


def names_no_licence(value: Any) -> bool:
    """Whether the value only says that no licence was chosen, and the source was not told otherwise."""
    text = str(value).strip()
    return text.lower() in _NO_LICENCE and not told("licence", text)


def _named(value: dict[str, Any]) -> list[Any]:
    return [said for name in _LICENCE_NAMES if (said := value.get(name)) is not None and not blank(said)] or [value]


def labels(values: list[Any]) -> list[Any]:
    """Themes, those joined in one text told apart."""
    return [part for value in values for part in (_split(value) if isinstance(value, str) else (value,))]


@remembered(8_192)
def _short_labels(text: str) -> tuple[str, ...]:
    return split_themes(text)


def _split(text: str) -> tuple[str, ...]:
    return _short_labels(text) if len(text) < _LONGEST_CACHED else split_themes(text)


def licensed(distribution: dict[str, Any], own: list[Any], inherited: list[Any]) -> dict[str, Any]:
    """A distribution with its own licence, else the dataset's; what says nothing else is none."""
    known = filled(distribution)
    return {**known, "license": own or inherited} if known and (own or inherited) else known


def wrapping(value: Any) -> Any:
    """The media type of a compression or packaging, which some name by a file type."""
    facts = format_facts(value) if isinstance(value, str) else None
    found = facts and (facts.package or facts.compress or facts.media_type)
    return Term(value, found.uri) if found else value


def resolving(vocabulary: str, values: list[Any]) -> list[str]:
    """The texts that mean a concept: a licence buried in a sentence about rights."""
    known = VOCABULARIES[vocabulary]
    return [value for value in values if isinstance(value, str) and known.resolve(value)]


def placed(locations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The locations, those whose name means a country or region with its concept."""
    return [_placed(each) for each in locations]


def _placed(each: dict[str, Any]) -> dict[str, Any]:
    name = each.get("name")
    known = isinstance(name, str) and not each.get("place") and VOCABULARIES["place"].resolve(name)
    return {**each, "place": name} if known else each


def service_at(url: str, title: Any, kind: Any) -> dict[str, Any]:
    """The data service at an address; with GetCapabilities asked of it, the address describes the service."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return {"title": title, "endpoint_url": url}
    asked = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in asked if pair[0].lower() not in _QUESTION]
    described = any(key.lower() == "request" and value.lower() == "getcapabilities" for key, value in asked)
    endpoint = parts._replace(query=urlencode(kept), fragment="").geturl() if len(kept) < len(asked) else url
    description = url if described else None
    return filled({"title": title, "endpoint_url": endpoint, "endpoint_description": description, "format": kind})


def _parts(item: Any) -> list[Any]:
    several = isinstance(item, str) and "://" not in item and not told("language", item)
    parts = _LISTING.split(item) if several else ()
    return [part.strip() for part in parts if part.strip()] if len(parts) > 1 else [item]


def _said(value: Any) -> str | None:
    if isinstance(value, list):
        value = next(iter(listed(value)), None)
    return text(value) if isinstance(value, str) and not blank(value) else None


def _term(said: str | None, found: Concept | None) -> Any:
    """The portal's word for a concept that was found; the concept's own where the portal has none."""
    if found is None:
        return said
    return Term(said, found.uri) if said else found.uri
