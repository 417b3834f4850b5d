"""Small readers that every mapping shares: payloads whose values may be of any type, or missing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from harvester.connector import Page, Walk
from harvester.errors import RecordError, SourceError, Unavailable
from harvester.fields.when import when
from harvester.http import Http
from harvester.jsonio import loads

_NAIVE = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?")
# What portals write for "nothing": templates that print an empty value, JSON text of an empty list.
_NOTHING = frozenset(("", "none", "null", "n/a", "[]", "{}", '""', "undefined"))

_STARTS = frozenset(' \t\r\n\xa0"[{nNuU')
# A longer text says something, whatever it is: asked in line where thousands of values pass, before any call.
_LONGEST_NOTHING = 11
_LISTS = (list, tuple)
_SCALARS = (str, int, float)
_CONTAINERS = (list, tuple, dict)


# A larger document is not read again in one piece.
MOST_MENDED = 128 << 20


def mended(stream: BinaryIO) -> Any | None:
    """A whole document of JSON with NaN, raw line breaks or endless numbers in it; None when more is wrong with it."""
    stream.seek(0)
    data = stream.read(MOST_MENDED + 1)
    try:
        return None if len(data) > MOST_MENDED else loads(data)
    except ValueError:
        return None


def blank(value: Any) -> bool:
    """Whether the value says nothing."""
    if isinstance(value, str):
        if len(value) > _LONGEST_NOTHING:
            return False
        return not value or (value[0] in _STARTS and value.strip().lower() in _NOTHING)
    return value is None or (not value and isinstance(value, _CONTAINERS))


def first(found: Any, *keys: str) -> Any:
    """The first of these members that says something; None when there is none, or nothing to look into."""
    if isinstance(found, dict):
        for key in keys:
            if (value := found.get(key)) is not None and not blank(value):
                return value
    return None


def filled(part: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say something: the model works on what it is given, be it None."""
    return {
        field: value
        for field, value in part.items()
        if value is not None
        and ((value and (type(value) is not str or len(value) > _LONGEST_NOTHING)) or not blank(value))
    }


def listed(value: Any) -> list[Any]:
    """The items of a list that say something; a lone value is a list of one."""
    if value is None:
        return []
    if not isinstance(value, _LISTS):
        return [] if blank(value) else [value]
    return [item for item in value if not blank(item)]


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects in a list, or the lone object."""
    return [item for item in listed(value) if isinstance(item, dict)] if value else []


def joined(values: list[Any], separator: str = "; ") -> Any:
    """Several texts as one, in the order given; what is told by language stands alone, for it cannot be joined."""
    texts = (str(value).strip() for value in values if type(value) in _SCALARS and not blank(value))
    said = list(dict.fromkeys(texts))
    by_language = next((value for value in values if isinstance(value, dict) and value), None)
    return by_language or separator.join(said) or None


def telephone(value: Any) -> Any:
    """A number without the `tel:` of its address (RFC 3966)."""
    value = first(value, "hasValue", "@id", "value", "@value") if isinstance(value, dict) else value
    return value.strip()[4:] if isinstance(value, str) and value.strip().lower().startswith("tel:") else value


def readable_date(*values: Any) -> Any:
    """The first value that reads as a date; else the first that says something, so that it is reported."""
    said = None
    for value in values:
        if value is None or blank(value):
            continue
        if when(value):
            return value
        said = value if said is None else said
    return said


def utc(value: Any) -> Any:
    """A naive ISO timestamp, from a source documented to write UTC, with its Z; anything else as it is."""
    return f"{value}Z" if isinstance(value, str) and _NAIVE.fullmatch(value) else value


def introduced(walk: Walk, pages: Iterable[Page], about: Callable[[], Mapping[str, Any]]) -> Iterator[Page]:
    """The pages, the first of a walk with what the portal says of itself: one more request, which may fail."""
    for number, page in enumerate(pages):
        yield _introduced(page, about) if number == 0 and walk.cursor is None else page


def _introduced(page: Page, about: Callable[[], Mapping[str, Any]]) -> Page:
    try:
        return replace(page, catalogue=filled(about()))
    except SourceError as error:
        message = f"the portal does not say what it is: {error.message}"
        return replace(page, notes=(*page.notes, RecordError(message, code="no-introduction", url=error.url)))


def filtered(guid: str, message: str) -> RecordError:
    """A record left out on purpose: reported, so that every gap in the count has a name."""
    return RecordError(message, guid=guid, code="filtered")


_BOX = re.compile(r"[\s(\[]*(?:-?\d+(?:\.\d+)?[\s,;]+){3}-?\d+(?:\.\d+)?[\s)\]]*")
_DEGREES = r"\s*(-?\d{1,3}(?:\.\d+)?)\s*"
_CORNERS = re.compile(rf"\[\s*\[{_DEGREES},{_DEGREES}\]\s*,\s*\[{_DEGREES},{_DEGREES}\]\s*\]")
_SHAPE = re.compile(
    r"(?:<[^>]*>\s*|SRID=\d+;\s*)*(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*Z?\s*\(|ENVELOPE\s*\(|\{", re.IGNORECASE
)
# A dash with no space stands between ends of the same form only: "2011-12" is a month.
_SEPARATOR = re.compile(
    r"(?<=\d)Z?(?:\s*(?:\.\.|--|[–—])\s*|\s+(?:-|/|to|au|à|a|al|until|through|bis|tot|t/m|hasta)\s+)"
    r"|(?<=\b\d{4})-(?=\d{4}$)|(?<=/\d{4})-(?=\d\d?/\d\d?/\d{4}$)",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?:du|de|from|von|vom|van)\s+(?=.*\d)", re.IGNORECASE)
# "2011–12": the second year without its century, the next one where "/" joins them ("2011/05" is a month).
_SEASON = re.compile(r"(\d\d)(\d\d)\s*([–—/])\s*(\d\d)")
_LONGEST_SEASON = 11
_INTERVAL = re.compile(r"\s*(?:\d{4}[^/]*|\.*|[PR][^/]*)/[^/]*", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?|ftp)://|www\.", re.IGNORECASE)
_IRI = re.compile(r"[a-z][a-z0-9+.-]*://|urn:|doi:", re.IGNORECASE)

_SIDES = ("west", "south", "east", "north")
_LOCATION: dict[str, tuple[str, ...]] = {
    "name": ("text", "name", "label", "prefLabel", "skos:prefLabel", "geographicName", "title", "spatial_text"),
    "geometry": ("geom", "geometry", "locn:geometry", "wkt", "geojson"),
    "bbox": ("bbox", "dcat:bbox"),
    "centroid": ("centroid", "dcat:centroid"),
}
_START = ("start", "startDate", "start_date", "dcat:startDate", "schema:startDate", "begin", "from", "beginning")
_END = ("end", "endDate", "end_date", "dcat:endDate", "schema:endDate", "to", "until", "ending")


def pointed(value: Any) -> list[dict[str, Any]]:
    """Resources of the model for what a list points at: an address is a `uri`, other text a `name`."""
    return [_pointed(item) for item in listed(value)]


def _pointed(item: Any) -> dict[str, Any]:
    if isinstance(item, dict):
        return {
            "uri": first(item, "uri", "@id", "url", "href", "relation"),
            "name": first(item, "name", "title", "label", "text", "prefLabel", "@value"),
        }
    return {"uri": item} if isinstance(item, str) and _IRI.match(item.strip()) else {"name": item}


def box(sides: Mapping[str, Any], names: tuple[str, ...] = _SIDES) -> list[float] | None:
    """(west, south, east, north) from an object that names its sides; None unless all four are numbers."""
    try:
        return [float(sides[name]) for name in names]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def corners(value: Any) -> list[float] | None:
    """(west, south, east, north) from [[south, west], [north, east]], a list or its text; None for anything else.

    Elasticsearch and the geospatial feeds of data.gov write latitude first; a pair that can only be the other way
    round is read so.
    """
    if isinstance(value, str):
        numbers = match.groups() if (match := _CORNERS.fullmatch(value.strip())) else ()
    else:
        numbers = _pairs(value)
    if len(numbers) != len(_SIDES):
        return None
    south, west, north, east = map(float, numbers)
    if _on_earth(west, east, south, north):
        return [west, south, east, north]
    return [south, west, north, east] if south <= north and _on_earth(south, north, west, east) else None


def _on_earth(west: float, east: float, south: float, north: float) -> bool:
    return abs(west) <= 180 and abs(east) <= 180 and -90 <= south <= north <= 90


def _pairs(value: Any) -> tuple[Any, ...]:
    """The numbers of two pairs."""
    if not isinstance(value, _LISTS) or len(value) != 2 or not all(isinstance(pair, _LISTS) for pair in value):
        return ()
    numbers = tuple(number for pair in value for number in pair)
    # A number of hundreds of digits, which JSON can carry, is no float.
    sound = all(type(number) in (int, float) and -1e3 < number < 1e3 for number in numbers)
    return numbers if sound and len(value[0]) == 2 else ()


def shape(value: Any) -> bool:
    """Whether a list is one box rather than several places: four numbers, or two corners."""
    if not isinstance(value, _LISTS):
        return False
    return corners(value) is not None or (len(value) == 4 and all(isinstance(side, int | float) for side in value))


def location(value: Any) -> dict[str, Any]:
    """A location of the model for one value: geometry, bounding box, address of a place, or its name."""
    if isinstance(value, dict):
        return _located(value)
    if isinstance(value, _LISTS):
        return {"bbox": corners(value) or list(value)}
    said = value.strip() if isinstance(value, str) else value
    if not isinstance(said, str):
        return {"name": said}
    if _SHAPE.match(said):
        return {"geometry": said}
    if _BOX.fullmatch(said):
        return {"bbox": said}
    if sides := corners(said) if said.startswith("[") else None:
        return {"bbox": sides}
    return {"place": said} if _IRI.match(said) else {"name": said}


def _located(value: Mapping[str, Any]) -> dict[str, Any]:
    if "coordinates" in value or value.get("type") == "Feature":
        return {"geometry": value}
    if sides := box(value):
        return {"bbox": sides}
    found = {field: first(value, *keys) for field, keys in _LOCATION.items()}
    uri = first(value, "uri", "@id", "url")
    return found | {"place": [uri, found["name"]] if uri and not str(uri).startswith("_:") else None}


def period(value: Any) -> dict[str, Any]:
    """A period of time of the model for an object with two ends, "start/end", or one date, which is both ends."""
    if isinstance(value, dict):
        return {"start": first(value, *_START), "end": first(value, *_END)}
    if not isinstance(value, str):
        return {"start": value, "end": value}
    if len(value) <= _LONGEST_SEASON and (season := _SEASON.fullmatch(value.strip())):
        return _seasonal(value, *season.groups())
    interval = _INTERVAL.fullmatch(value) is not None
    ends = value.split("/", 1) if interval else _SEPARATOR.split(_LEAD.sub("", value.strip(), count=1), maxsplit=1)
    if len(ends) == 1:
        return {"start": value, "end": value}
    # A duration may stand for the end ("2020-01-01/P1M"): the model holds dates only.
    return {"start": _end(ends[0]), "end": _end(ends[1])}


def _seasonal(value: str, century: str, year: str, joint: str, last: str) -> dict[str, Any]:
    start, after = int(century + year), (int(last) - int(year)) % 100
    if not after or (joint == "/" and after > 1):
        return {"start": value, "end": value}
    return {"start": str(start), "end": str(start + after)}


def _end(raw: str) -> str | None:
    return None if raw.strip(". ") == "" or raw.lstrip().startswith(("P", "R")) else raw


def address(value: Any) -> bool:
    """Whether the value is text that starts like a web address."""
    return isinstance(value, str) and _ADDRESS.match(value.lstrip()) is not None


def mapping(value: Any) -> Mapping[str, Any]:
    """The object itself, or an empty one for a value of any other type."""
    return value if isinstance(value, dict) else {}


def web_iri(value: Any) -> str | None:
    """The value when it is a whole http(s) address; relative ones and bare identifiers are None."""
    return value.strip() if isinstance(value, str) and value.strip().startswith(("http://", "https://")) else None


def json_text(value: Any) -> Any:
    """What a JSON list in a text holds (harvesters store lists so); anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("[", '"')):
        return value
    try:
        return loads(value)
    except ValueError:
        return value


def read_json(http: Http, url: str, params: Mapping[str, str] | Iterable[tuple[str, str]] | None = None) -> Any:
    """The JSON at this address, asked for twice: data.gouv.fr now and then gives an error page with status 200.

    Raises `Unavailable` when the second answer is no JSON either, so that a walk may try a smaller page.
    """
    try:
        return http.get(url, params).json()
    except SourceError as error:
        if error.code != "not-json":
            raise
    try:
        return http.get(url, params).json()
    except SourceError as error:
        if error.code != "not-json":
            raise
        raise Unavailable(error.message, code=error.code, url=error.url, value=error.value) from error


def refuse_vanishing(count: int, total: int | None, offset: int) -> None:
    """An empty page whose total is less than half of what was read is a portal in trouble, not the catalogue's end."""
    if not count and total is not None and 2 * total < offset:
        raise Unavailable(
            f"the catalogue shrank to {total} records after {offset} had been read", code="vanished", value=total
        )
