"""Where and when the data of a CKAN package is about."""

from __future__ import annotations

from typing import Any

from connectors.ckan import keys
from connectors.ckan.reading import Found, every, one
from connectors.common import blank, box, filled, listed, location, period, shape
from connectors.filing import placed

# Not decoded: the model reads the text of a geometry itself, once.
_GEOMETRIES = ('"coordinates"', '"geometry"')


def spatial(package: Found) -> list[dict[str, Any]]:
    """The main place (`spatial*`, `bbox-*`), then every other that the package names."""
    return placed(
        [_main(package), *(location(item) for key in keys.PLACES if key in package for item in _places(package, key))]
    )


def _places(package: Found, key: str) -> list[Any]:
    """What one key says; a list may be one box, and a word may only tell how large the area is."""
    said = one(package, key)
    items = [said] if shape(said) else listed(said)
    return [item for item in items if not isinstance(item, str) or item.strip().lower() not in keys.GRANULARITIES]


def _main(package: Found) -> dict[str, Any]:
    place = one(package, "spatial_uri")
    name = one(package, "spatial_text", "spatial_name")
    spread = {
        "place": [place, name] if place else None,
        "name": name,
        "bbox": package.get("spatial_bbox") or box(package, keys.BOX_SIDES),
        "centroid": package.get("spatial_centroid"),
    }
    said = location(_undecoded(package.get("spatial")))
    return filled(said | filled(spread))


def _undecoded(value: Any) -> Any:
    if isinstance(value, str) and not any(mark in value[:200_000] for mark in _GEOMETRIES):
        return one({"spatial": value}, "spatial")
    return value


def temporal(package: Found) -> list[dict[str, Any]]:
    """Periods with two ends in two keys, and those in one."""
    ends = [{"start": one(package, *start), "end": one(package, *end)} for start, end in keys.PERIOD_ENDS]
    said = [*ends, *map(period, every(package, *keys.PERIODS))]
    return [each for each in said if not (blank(each["start"]) and blank(each["end"]))]


def hull(resources: list[Found]) -> list[dict[str, Any]]:
    """One period over those of the resources, for portals that date each file (Brisbane, Victoria)."""
    starts = [str(found["period_start"]) for found in resources if "period_start" in found]
    ends = [str(found["period_end"]) for found in resources if "period_end" in found]
    return [{"start": min(starts, default=None), "end": max(ends, default=None)}] if starts or ends else []
