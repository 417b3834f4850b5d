"""Well-known text (OGC 06-103r4, GeoSPARQL 1.1, EWKT) as GeoJSON: longitude, latitude, whatever its own order."""

from __future__ import annotations

import json
import re
from typing import Any

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_CRS = re.compile(r"\s*(?:<([^>]*)>|SRID=(\d+);)?\s*", re.IGNORECASE)
_ITEM = re.compile(
    r"[\s,;]*(POINT|MULTIPOINT|LINESTRING|MULTILINESTRING|POLYGON|MULTIPOLYGON|ENVELOPE)(?:\s*Z)?\s*(\([-+\d.eE,\s()]*)",
    re.IGNORECASE,
)
_TOO_DEEP = re.compile(r"(?:\(\s*){5}")
_COLLECTION = re.compile(r"GEOMETRYCOLLECTION\s*\(", re.IGNORECASE)
_TYPES = {
    name.upper(): name for name in ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")
}
# WGS 84 and the frames that differ from it by less than a metre; as IRIs, EPSG's codes mean latitude first.
_LONGITUDE_FIRST = re.compile(r"(?:^|[/:#])CRS:?84h?$", re.IGNORECASE)
_LATITUDE_FIRST = re.compile(r"(?:^|[/:#])(?:4326|4258|4171|4979)$")


def geojson(text: str) -> dict[str, Any] | None:
    """The geometry of a text, or None; several of one kind are one `Multi...`."""
    crs = _CRS.match(text)
    order = None if crs is None else axes(crs[1]) if crs[1] else (not crs[2] or _degrees(crs[2])) and "lon"
    if not crs or not order:
        return None
    items = _items(text[crs.end() :])
    if not items or None in items:
        return None
    found = _united([item for item in items if item])
    return _swapped(found) if found and order == "lat" and _swappable(found["coordinates"]) else found


def axes(crs: str) -> str | None:
    """The axis an IRI or URN of a reference system names first, "lon" or "lat"; None when it is not WGS 84."""
    crs = crs.strip().rstrip("/")
    return "lon" if _LONGITUDE_FIRST.search(crs) else "lat" if _LATITUDE_FIRST.search(crs) else None


def _degrees(code: str) -> bool:
    return _LATITUDE_FIRST.search(code) is not None


def _items(text: str) -> list[dict[str, Any] | None]:
    """Every geometry of the text; a None among them for what is none."""
    text = text.strip()
    if collection := _COLLECTION.match(text):
        text = text[collection.end() :].removesuffix(")")
    items: list[dict[str, Any] | None] = []
    position = 0
    while found := _ITEM.match(text, position):
        items.append(_item(found[1].upper(), found[2].rstrip(" \t\r\n,")))
        position = found.end()
    return items if position == len(text) else [None]


def _item(kind: str, body: str) -> dict[str, Any] | None:
    if kind == "ENVELOPE":
        return _envelope(body)
    if _TOO_DEEP.search(body):
        return None
    nested = re.sub(r"[^(),]+", lambda found: _position(found.group()), body)
    try:
        coordinates = json.loads(nested.replace("(", "[").replace(")", "]"))
    except ValueError:
        return None
    if kind == "POINT" and coordinates:
        coordinates = coordinates[0]
    elif kind == "MULTIPOINT":
        # MULTIPOINT((1 2), (3 4)) is as good as MULTIPOINT(1 2, 3 4).
        coordinates = [point[0] if point and isinstance(point[0], list) else point for point in coordinates]
    return {"type": _TYPES[kind], "coordinates": coordinates}


def _position(text: str) -> str:
    return "[" + ",".join(text.split()) + "]" if text.strip() else ""


def _envelope(body: str) -> dict[str, Any] | None:
    """ENVELOPE(west, east, north, south): the order of the OGC filter encoding and of Solr."""
    numbers = [float(n) for n in _NUMBER.findall(body)]
    if len(numbers) != 4:
        return None
    west, east, north, south = numbers
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _united(items: list[dict[str, Any]]) -> dict[str, Any] | None:
    """One geometry of several: portals join the polygons of a region with commas."""
    if len(items) == 1:
        return items[0]
    plain = {item["type"].removeprefix("Multi") for item in items}
    if len(plain) != 1:
        return None
    parts: list[Any] = []
    for item in items:
        parts += item["coordinates"] if item["type"].startswith("Multi") else [item["coordinates"]]
    return {"type": f"Multi{plain.pop()}", "coordinates": parts}


def _swapped(found: dict[str, Any]) -> dict[str, Any]:
    return {"type": found["type"], "coordinates": _turned(found["coordinates"])}


def _turned(coordinates: Any) -> Any:
    if not isinstance(coordinates, list) or not coordinates:
        return coordinates
    if isinstance(coordinates[0], list):
        return [_turned(inner) for inner in coordinates]
    return [*reversed(coordinates[:2]), *coordinates[2:]]


def _swappable(coordinates: Any) -> bool:
    """Whether every first coordinate can be a latitude: where one cannot, the writer ignored the axis order."""
    if not isinstance(coordinates, list) or not coordinates:
        return True
    if isinstance(coordinates[0], list):
        return all(map(_swappable, coordinates))
    return isinstance(coordinates[0], int | float) and -90 <= coordinates[0] <= 90
