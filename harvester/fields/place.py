"""Geometry as portals write it: GeoJSON objects or text, WKT, bounding boxes; coordinates are longitude, latitude."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from harvester.fields import wkt
from harvester.fields.base import SILENT, Report

Box = tuple[float, float, float, float]
_TYPES = frozenset(("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon"))
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
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
        report("bad-geometry", value, "not a geometry (GeoJSON or WKT) in degrees of WGS 84; left out")
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
    return _checked(value) if "crs" not in value or _is_wgs84(value["crs"]) else None


def _checked(value: dict[str, Any] | None) -> dict[str, Any] | None:
    if value is None or str(value.get("type")) not in _TYPES or not _sound(value.get("coordinates"), 0):
        return None
    return {"type": value["type"], "coordinates": value["coordinates"]}


def _is_wgs84(crs: Any) -> bool:
    """Whether the `crs` of old GeoJSON (2008) is the only one that RFC 7946 knows, or is none."""
    named = crs.get("properties") if isinstance(crs, dict) else None
    name = named.get("name") if isinstance(named, dict) else None
    return not isinstance(name, str) or wkt.axes(name) is not None


def _from_text(value: str) -> dict[str, Any] | None:
    if value.lstrip().startswith("{"):
        try:
            return _geojson(json.loads(value))
        except (ValueError, RecursionError):
            return None
    return _checked(wkt.geojson(value))


def _sound(coordinates: Any, depth: int) -> bool:
    if not isinstance(coordinates, list) or not coordinates or depth > _DEEPEST:
        return False
    if _finite(coordinates[0]):
        return (
            len(coordinates) >= 2
            and all(map(_finite, coordinates))
            and -180 <= coordinates[0] <= 180
            and -90 <= coordinates[1] <= 90
        )
    return all(_sound(inner, depth + 1) for inner in coordinates)
