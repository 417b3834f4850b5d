"""Comparing dates that different portals state: each is a span, as wide as its precision and its missing time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from harvester.fields.when import instant

# A time without a zone may be that of any place on earth.
_EAST, _WEST = timedelta(hours=14), timedelta(hours=12)
# Portals cut fractions of seconds, and some round to the minute.
_ROUNDED = timedelta(minutes=1)
_QUARTER = timedelta(minutes=15)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """When something may have been: from `start` to `end`, which are one where it is stated to the second in UTC."""

    start: datetime
    end: datetime
    stated: str

    @property
    def precision(self) -> int:
        """How many characters were stated, the mark of the zone left out."""
        return len(self.stated.rstrip("Z").partition(".")[0])

    @property
    def zoned(self) -> bool:
        """Whether the zone was stated."""
        return self.stated.endswith("Z")


def span(stated: str | None) -> Span | None:
    """The span of a date in canonical form (`harvester.fields.when`); None for none."""
    start = _first(stated)
    if start is None or stated is None:
        return None
    if stated.endswith("Z"):
        return Span(start, start, stated)
    try:
        return Span(start - _EAST, start + _length(stated) + _WEST, stated)
    except OverflowError:
        return Span(start, start, stated)


def span_at(moment: datetime | None) -> Span | None:
    """The span of an instant that we know."""
    if moment is None:
        return None
    moment = moment.astimezone(UTC)
    return Span(moment, moment, moment.strftime("%Y-%m-%dT%H:%M:%SZ"))


def later(one: Span | None, other: Span | None) -> timedelta | None:
    """By how much `one` is surely later than `other`; None where it is not, or where that cannot be told."""
    if one is None or other is None:
        return None
    alike = one.zoned == other.zoned and one.precision == other.precision
    # Two dates of the same kind are as a rule one date, copied: they are compared as they stand.
    gap = _at(one) - _at(other) if alike else one.start - other.end
    if gap <= _ROUNDED or _is_zone_shift(one, other):
        return None
    return _at(one) - _at(other)


def _at(found: Span) -> datetime:
    return _first(found.stated) or found.start


def _is_zone_shift(one: Span, other: Span) -> bool:
    """A portal that forgets a time zone moves a time by whole quarters of an hour, and never by a day."""
    if min(one.precision, other.precision) < len("2020-01-01T00:00:00"):
        return False
    gap = abs(_at(one) - _at(other))
    # At midnight sharp a date was turned into a time: quarters tell nothing.
    return (
        gap < _EAST
        and gap.total_seconds() % _QUARTER.total_seconds() == 0
        and (_at(one).second or _at(one).minute) != 0
    )


def _first(stated: str | None) -> datetime | None:
    try:
        return instant(stated)
    except ValueError:
        return None


def _length(stated: str) -> timedelta:
    return {4: timedelta(days=365), 7: timedelta(days=30), 10: _DAY}.get(len(stated), timedelta())
