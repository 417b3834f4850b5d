"""Dates as portals write them, kept at the precision they were given: year, month, day or instant.

The clean form is a string of ISO 8601 / XML Schema: `2020`, `2020-05`, `2020-05-01`, `2020-05-01T10:00:00Z`;
a time zone becomes UTC, a time without one stays without.  No date is ever invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from harvester.fields.base import SILENT, Report
from harvester.fields.text import text

_ISO = re.compile(
    r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?"
    r"(?:[T\s]+(\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d+))?)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?",
    re.IGNORECASE,
)
_CANONICAL = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d*[1-9])?Z?)?)?)?")
# DKAN writes dates for people: "mar, 10/12/2019 - 09:23", "Date changed  jeu, 19/12/2019 - 03:00".
_SLASHED = re.compile(
    r"(?:.*?(\w{2,9})\.?,)?\s*(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:[\s,-]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?"
)
_WORDED = re.compile(
    r"(?:[^\W\d]+\.?,?\s+)?(?:(\d{1,2})(?:er|st|nd|rd|th|\.|º)?\s+(?:de\s+)?)?([^\W\d]{3,12})\.?\s+(?:de\s+)?(\d{4})"
)
_MONTH_DAY = re.compile(r"([^\W\d]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
_ENGLISH_DAYS = frozenset(
    [
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january januar janvier januari janeiro enero gennaio jan janv ene gen",
            "february februar février fevrier februari fevereiro febrero febbraio feb fév fev févr",
            "march märz maerz mars maart março marco marzo mar mär mrt",
            "april avril abril aprile apr avr abr",
            "may mai mei maio mayo maggio mag",
            "june juni juin junho junio giugno jun giu",
            "july juli juillet julho julio luglio jul juil lug",
            "august août aout augustus agosto aug ago",
            "september septembre setembro septiembre settembre sep sept set",
            "october oktober octobre outubro octubre ottobre oct okt out ott",
            "november novembre novembro noviembre nov",
            "december dezember décembre decembre dezembro diciembre dicembre dec dez déc dic",
        ),
        start=1,
    )
    for name in names.split()
}
_CACHED_LENGTH = 60
_NUMBERS = (int, float)
_EPOCH_SECONDS = (100_000_000, 10_000_000_000)  # 1973 to 2286; beyond, the number is in milliseconds


def when(value: Any, report: Report = SILENT) -> str | None:
    """The date in canonical form, or None; what cannot be read is reported, never guessed."""
    if type(value) is str and (found := _read(value) if len(value) <= _CACHED_LENGTH else _read_text(value)):
        return found
    if isinstance(value, date):
        return _from_python(value)
    if isinstance(value, _NUMBERS) and not isinstance(value, bool):
        return _from_number(value, report)
    raw = text(value, report)
    if raw is None:
        return None
    if type(value) is not str and (found := _understood(raw)):
        return found
    report("bad-date", raw, "not a date that can be read without guessing; left out")
    return None


def instant(value: str | None) -> datetime | None:
    """The first instant that a canonical date covers, in UTC; None for None."""
    if not value:
        return None
    padded = value + "0001-01-01"[len(value) :] if len(value) < 10 else value
    moment = datetime.fromisoformat(padded.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_text(raw: str) -> str | None:
    if _CANONICAL.fullmatch(raw) and _valid(raw):
        return raw
    clean = text(raw)
    return _understood(clean) if clean else None


def _understood(raw: str) -> str | None:
    """What the first reader that understands it makes of it."""
    return next((found for read in _READERS if (found := read(raw))), None)


# The parts of a dataset share their dates, and a mapping that chooses among dates has read them before the model.
_read = lru_cache(maxsize=16_384)(_read_text)


def _valid(canonical: str) -> bool:
    try:
        return instant(canonical) is not None
    except ValueError:
        return False


def _from_python(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    zoned = value.tzinfo is not None
    utc = value.astimezone(UTC).replace(tzinfo=None) if zoned else value
    shown = utc.isoformat()
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown) + ("Z" if zoned else "")


def _from_number(value: float, report: Report) -> str | None:
    if 1000 <= value <= 2200 and value == int(value):
        return f"{int(value):04d}"
    # An integer of hundreds of digits, which JSON can carry, is no float: it is refused before any division.
    seconds = value if not _EPOCH_SECONDS[1] <= abs(value) < 1000 * _EPOCH_SECONDS[1] else value / 1000
    if not _EPOCH_SECONDS[0] <= seconds < _EPOCH_SECONDS[1]:
        report("bad-date", value, "a number that is neither a year nor a UNIX time; left out")
        return None
    return _from_python(datetime.fromtimestamp(seconds, UTC))


def _iso(raw: str) -> str | None:
    match = _ISO.fullmatch(raw)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if hour is None:
        canonical = "-".join(filter(None, (year, month, day)))
        return canonical if _valid(canonical) else None
    if day is None:
        return None
    micro = (fraction or "0")[:6].ljust(6, "0")
    shown = f"{year}-{month}-{day}T{hour}:{minute}:{second or '00'}.{micro}{_offset(zone)}"
    return _checked(lambda: _from_python(datetime.fromisoformat(shown)))


def _offset(zone: str | None) -> str:
    if zone is None:
        return ""
    if zone.upper() in ("Z", "UTC", "GMT"):
        return "+00:00"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _slashed(raw: str) -> str | None:
    match = _SLASHED.fullmatch(raw)
    if match is None:
        return None
    weekday, first, second, year, hour, minute, seconds = match.groups()
    day, month = int(first), int(second)
    named = weekday is not None and weekday.lower() not in _ENGLISH_DAYS
    if day <= 12 and month <= 12 and day != month and not named:
        return None  # 10/12/2019 alone may be October or December
    if month > 12:
        day, month = month, day
    if hour is None:
        return _checked(lambda: date(int(year), month, day).isoformat())
    return _checked(lambda: _from_python(datetime(int(year), month, day, int(hour), int(minute), int(seconds or 0))))


def _worded(raw: str) -> str | None:
    if match := _MONTH_DAY.fullmatch(raw):
        name, day, year = match.groups()
    elif match := _WORDED.fullmatch(raw):
        day, name, year = match.groups()
    else:
        return None
    month = _MONTHS.get(name.lower())
    if month is None:
        return None
    if day is None:
        return f"{year}-{month:02d}"
    return _checked(lambda: date(int(year), month, int(day)).isoformat())


def _rfc2822(raw: str) -> str | None:
    return _checked(lambda: _from_python(parsedate_to_datetime(raw)))


def _checked(build: Callable[[], str]) -> str | None:
    try:
        return build()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


_READERS: tuple[Callable[[str], str | None], ...] = (_iso, _slashed, _worded, _rfc2822)
