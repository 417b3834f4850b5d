"""Geometry as portals write it: GeoJSON objects or text, WKT, bounding boxes; coordinates are longitude, latitude."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harvester.fields.base import SILENT, Report

Box = tuple[float, float, float, float]
_TYPES = frozenset(("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"))
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_WKT = re.compile(
    r"(?:<[^>]*>\s*)?(?:SRID=\d+;)?\s*(POINT|MULTIPOINT|LINESTRING|MULTILINESTRING|POLYGON|MULTIPOLYGON|ENVELOPE)(?:\s*Z)?\s*\(.*\)",
    re.IGNORECASE | re.DOTALL,
)
_WKT_TYPES = {name.upper(): name for name in _TYPES}
_DEEPEST = 6
_HUGE = 1e300
_NUMBERS = frozenset((int, float))
# Made once: `json.dumps` with options makes an encoder each time.
_COMPACT = json.JSONEncoder(separators=(",", ":"), sort_keys=True)


def geometry(value: Any, report: Report = SILENT) -> str | None:
    """A GeoJSON geometry (RFC 7946) as compact JSON text, or None; Features give their geometry."""
    found = _geojson(value)
    if found is not None:
        return _COMPACT.encode(found)
    if value not in (None, "", {}, [], "null"):
        report("bad-geometry", value, "not a geometry (GeoJSON or WKT) with finite coordinates; left out")
    return None


def bbox(value: Any, report: Report = SILENT) -> Box | None:
    """(west, south, east, north) in degrees of WGS 84, from a box, a geometry or text; None when there is none."""
    if value in (None, "", {}, [], "null"):
        return None
    box = _box_of(value)
    if box is None or not _within(box):
        report("bad-bbox", value, "not a bounding box in degrees (west, south, east, north); left out")
        return None
    return box


def centroid(value: Any, report: Report = SILENT) -> tuple[float, float] | None:
    """(longitude, latitude) in degrees, from a pair, a GeoJSON point or WKT."""
    box = bbox(value if not _is_pair(value) else [*value, *value], report)
    return None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


def bounds(geojson: str) -> Box | None:
    """The bounding box of a geometry in the form `geometry` answers."""
    return _bounds(json.loads(geojson)["coordinates"])


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(_finite(v) for v in value)


def _finite(value: Any) -> bool:
    # Compared, not converted: an integer of hundreds of digits, which JSON can carry, is no float.
    return type(value) in _NUMBERS and -_HUGE < value < _HUGE


def _within(box: Box) -> bool:
    west, south, east, north = box
    return -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90


def _box_of(value: Any) -> Box | None:
    if isinstance(value, list | tuple) and len(value) == 4 and all(_finite(v) for v in value):
        return (float(value[0]), float(value[1]), float(value[2]), float(value[3]))
    found = _geojson(value)
    if found is not None:
        return _bounds(found["coordinates"])
    if (
        isinstance(value, str)
        and len(numbers := _NUMBER.findall(value)) == 4
        and not re.search("[a-z]{2}", value, re.I)
    ):
        return _box_of([float(n) for n in numbers])
    return None


def _bounds(coordinates: Any) -> Box | None:
    points = list(_points(coordinates))
    if not points:
        return None
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return (min(xs), min(ys), max(xs), max(ys))


def _points(coordinates: Any) -> Iterator[tuple[float, float]]:
    if coordinates and _finite(coordinates[0]):
        yield float(coordinates[0]), float(coordinates[1])
        return
    for inner in coordinates:
        yield from _points(inner)


def _geojson(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str):
        return _from_text(value)
    if not isinstance(value, dict):
        return None
    if value.get("type") == "Feature" and isinstance(value.get("geometry"), dict):
        value = value["geometry"]
    if str(value.get("type")) not in _TYPES or not _sound(value.get("coordinates"), 0):
        return None
    return {"type": value["type"], "coordinates": value["coordinates"]}


def _from_text(value: str) -> dict[str, Any] | None:
    if value.lstrip().startswith("{"):
        try:
            return _geojson(json.loads(value))
        except (ValueError, RecursionError):
            return None
    return _from_wkt(value)


def _from_wkt(value: str) -> dict[str, Any] | None:
    match = _WKT.fullmatch(value.strip())
    if match is None:
        return None
    kind = match.group(1).upper()
    body = value[value.index("(", match.start(1)) :].strip()
    if kind == "ENVELOPE":
        return _envelope(body)
    nested = re.sub(r"([^(),]+)", lambda m: "[" + ",".join(m.group().split()) + "]" if m.group().strip() else "", body)
    try:
        coordinates = json.loads(nested.replace("(", "[").replace(")", "]"))
    except ValueError:
        return None
    geojson = {
        "type": _WKT_TYPES[kind],
        "coordinates": coordinates[0] if kind == "POINT" and coordinates else coordinates,
    }
    return _geojson(geojson)


def _envelope(body: str) -> dict[str, Any] | None:
    """ENVELOPE(west, east, north, south): the order of the OGC filter encoding and of Solr."""
    numbers = [float(n) for n in _NUMBER.findall(body)]
    if len(numbers) != 4:
        return None
    west, east, north, south = numbers
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def _sound(coordinates: Any, depth: int) -> bool:
    if not isinstance(coordinates, list) or not coordinates or depth > _DEEPEST:
        return False
    if _finite(coordinates[0]):
        return len(coordinates) >= 2 and all(map(_finite, coordinates))
    return all(_sound(inner, depth + 1) for inner in coordinates)
