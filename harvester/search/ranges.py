"""The ranges one can ask for: areas in degrees, periods in days, instants in seconds; pure."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from harvester.fields.place import bounds
from harvester.fields.when import instant, when
from harvester.model import Dataset, Location, PeriodOfTime

FIRST_DAY, LAST_DAY = date.min.toordinal(), date.max.toordinal()


class Box(NamedTuple):
    """West, south, east, north; one that crosses the 180th meridian has east beyond 180."""

    west: float
    south: float
    east: float
    north: float


class Days(NamedTuple):
    """A first and a last day, as proleptic Gregorian ordinals."""

    start: int
    end: int


def box(text: str) -> Box:
    """The box in `west,south,east,north`.  Raises `ValueError` when it is none."""
    numbers = [float(part) for part in text.split(",")] if text.count(",") == 3 else []
    if len(numbers) != 4 or not all(math.isfinite(number) for number in numbers):
        raise ValueError("four numbers are needed: west,south,east,north")
    west, south, east, north = numbers
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("longitudes lie within -180 and 180, latitudes within -90 and 90, south below north")
    return Box(west, south, east + 360 if east < west else east, north)


def days(text: str) -> Days:
    """The days of `START/END`, either end open (`..` or nothing), or of one date.  Raises `ValueError`."""
    start, slash, end = text.strip().partition("/")
    found = Days(_first(start), _last(end if slash else start))
    if found.start > found.end:
        raise ValueError("it ends before it starts")
    return found


def second(text: str) -> float:
    """The UNIX time of a date or instant.  Raises `ValueError`."""
    moment = seconds(_date(text))
    if moment is None:
        raise ValueError("a date is needed")
    return moment


def seconds(canonical: str | None) -> float | None:
    """The UNIX time at which a canonical date begins."""
    moment = instant(canonical)
    return None if moment is None else (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def last_day(canonical: str) -> int:
    """The last day that a canonical date covers."""
    parts = [int(part) for part in canonical[:10].split("-")]
    if len(parts) == 3:
        return date(*parts).toordinal()
    year, month = (parts[0], parts[1]) if len(parts) == 2 else (parts[0], 12)
    if (year, month) == (9999, 12):
        return LAST_DAY
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).toordinal()


def covered_box(dataset: Dataset) -> Box | None:
    """The area around every place of a dataset."""
    found = [area for location in dataset.spatial if (area := _area(location))]
    if not found:
        return None
    wests, souths, easts, norths = zip(*found, strict=True)
    return Box(min(wests), min(souths), max(easts), max(norths))


def covered_days(dataset: Dataset) -> Days | None:
    """From the first to the last day that a dataset covers."""
    found = [_days(period) for period in dataset.temporal]
    return Days(min(d.start for d in found), max(d.end for d in found)) if found else None


def _days(period: PeriodOfTime) -> Days:
    start = instant(period.start)
    return Days(start.toordinal() if start else FIRST_DAY, last_day(period.end) if period.end else LAST_DAY)


def _area(location: Location) -> Box | None:
    found = location.bbox
    if found is None and location.geometry:
        found = bounds(location.geometry)
    if found is None and location.centroid:
        found = (*location.centroid, *location.centroid)
    if found is None:
        return None
    west, south, east, north = found
    return Box(west, south, east + 360 if east < west else east, north)


def _first(text: str) -> int:
    if text.strip() in ("", ".."):
        return FIRST_DAY
    moment = instant(_date(text))
    return moment.toordinal() if moment else FIRST_DAY


def _last(text: str) -> int:
    return LAST_DAY if text.strip() in ("", "..") else last_day(_date(text))


def _date(text: str) -> str:
    found = when(text.strip())
    if found is None:
        raise ValueError("dates are written 2024, 2024-01, 2024-01-31 or 2024-01-31T10:00:00Z")
    return found
