"""Sizes, resolutions, durations and flags as portals write them."""

from __future__ import annotations

import re
from typing import Any

from harvester.fields.base import SILENT, Report
from harvester.fields.text import text

# Groups of three digits parted by one mark, or plain digits; then a decimal part behind another mark.
_AMOUNT = re.compile(
    r"(?P<whole>[1-9]\d{0,2}(?P<mark>[ ,.'’])\d{3}(?:(?P=mark)\d{3})*|\d+)"
    r"(?P<rest>(?!(?P=mark))[.,]\d+)?\s*(?P<unit>[a-z]*)",
    re.IGNORECASE,
)
_MARKS = str.maketrans("", "", " ,.'’")
_UNITS: dict[str, int] = {
    unit: 1024**power
    for power, units in enumerate(
        (
            "b byte bytes o octet octets",
            "k kb ko kib kio",
            "m mb mo mib mio",
            "g gb go gib gio",
            "t tb to tib tio",
        )
    )
    for unit in units.split()
} | {"": 1}
_DURATION = re.compile(r"-?P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?")
_WEEKS = re.compile(r"P(\d{1,4})W")
_DISTANCE = re.compile(r"(\d+(?:[.,]\d+)?)\s*(km|m|cm|metre|meter|mètre|metres|meters|mètres)?", re.IGNORECASE)
_DISTANCE_UNITS = {"km": 1000.0, "cm": 0.01}
# A tenth of a millimetre, and twice the way around the Earth: whatever is outside was no resolution.
_FINEST, _COARSEST = 1e-4, 1e8
_YES = frozenset(("true", "yes", "oui", "1", "y", "on"))
_NO = frozenset(("false", "no", "non", "0", "n", "off"))
LARGEST_SIZE = 2**63 - 1


def size(value: Any, report: Report = SILENT) -> int | None:
    """A number of bytes; "42 octets" and "1,5 Mo" are understood; zero and less mean not known."""
    if isinstance(value, bool):
        return None
    amount = value if isinstance(value, int | float) else _parsed_size(text(value, report), report)
    if amount is None or not 0 < amount <= LARGEST_SIZE:
        return None
    return int(amount) or None


def _parsed_size(raw: str | None, report: Report) -> float | None:
    if raw is None:
        return None
    match = _AMOUNT.fullmatch(raw)
    unit = _UNITS.get(match["unit"].lower()) if match else None
    if match is None or unit is None:
        report("bad-size", raw, "not a size in bytes; left out")
        return None
    whole, mark, rest = match["whole"], match["mark"], match["rest"] or ""
    if mark in (",", ".") and whole.count(mark) == 1 and not rest and unit > 1:
        # "1.234 MB" is a fraction; 1.234 bytes there are not.
        digits = whole.replace(mark, ".")
    else:
        digits = whole.translate(_MARKS) + rest.replace(",", ".")
    return float(digits) * unit


def metres(value: Any, report: Report = SILENT) -> float | None:
    """A distance in metres, positive; of several the smallest, which is the finest resolution."""
    if isinstance(value, list | tuple) and len(value) > 1:
        found = {amount: raw for raw in value if (amount := metres(raw, report)) is not None}
        for amount in sorted(found)[1:]:
            report("repeated-value", found[amount], "one of several distances; the smallest was kept")
        return min(found, default=None)
    raw = text(value, report)
    if raw is None:
        return None
    match = _DISTANCE.fullmatch(raw)
    if match is None:
        report("bad-distance", raw, "not a distance in metres; left out")
        return None
    amount = float(match.group(1).replace(",", ".")) * _DISTANCE_UNITS.get((match.group(2) or "").lower(), 1.0)
    if _FINEST <= amount <= _COARSEST:
        return amount
    report("bad-distance", raw, "no distance on Earth; left out")
    return None


def duration(value: Any, report: Report = SILENT) -> str | None:
    """An `xsd:duration` such as P1D; ISO 8601 weeks become days."""
    raw = text(value, report)
    if raw is None:
        return None
    if weeks := _WEEKS.fullmatch(raw):
        return f"P{int(weeks.group(1)) * 7}D"
    if _DURATION.fullmatch(raw):
        return raw
    report("bad-duration", raw, "not a duration of XML Schema such as P1D; left out")
    return None


def flag(value: Any, report: Report = SILENT) -> bool | None:
    """True, False, or None when the source does not say."""
    if isinstance(value, bool):
        return value
    raw = (text(value, report) or "").lower()
    if raw in _YES or raw in _NO:
        return raw in _YES
    if raw:
        report("bad-flag", raw, "neither yes nor no; left out")
    return None
