"""What a frequency promises, when a dataset was last updated, and whether the promise is kept: pure.

A promise is kept when the last update lies no more than one and a half times the period back, and two days (what
is updated each working day rests at weekends, and dates are rounded to days).  What tells of an update: a date that
the record states for the dataset or for one of its distributions (issued or modified), unless it lies in the future of
the change that brought it; and the day on which its distributions or its period were seen to change.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from harvester.figures.table import FRESHNESS, STEP
from harvester.model import Dataset

EPOCH = date(1970, 1, 1).toordinal()
_MOST = 64
# Code -> number in the tables, which never changes, and days of the period.  Codes that promise nothing (irregular, as
# needed, never, other ...) are missing.
PERIODS: dict[str, tuple[int, float]] = {
    "1MIN": (1, 1), "5MIN": (2, 1), "10MIN": (3, 1), "15MIN": (4, 1), "30MIN": (5, 1), "CONT": (6, 1),
    "UPDATE_CONT": (7, 1), "HOURLY": (8, 1), "BIHOURLY": (9, 1), "TRIHOURLY": (10, 1), "12HRS": (11, 1),
    "DAILY_3": (12, 1), "DAILY_2": (13, 1), "DAILY": (14, 1), "WEEKLY_5": (15, 1.4), "WEEKLY_3": (16, 7 / 3),
    "WEEKLY_2": (17, 3.5), "WEEKLY": (18, 7), "MONTHLY_3": (19, 31 / 3), "BIWEEKLY": (20, 14),
    "MONTHLY_2": (21, 15.5), "MONTHLY": (22, 31), "BIMONTHLY": (23, 62), "QUARTERLY": (24, 92),
    "ANNUAL_3": (25, 122), "ANNUAL_2": (26, 184), "ANNUAL": (27, 366), "BIENNIAL": (28, 731),
    "TRIENNIAL": (29, 1096), "QUADRENNIAL": (30, 1461), "QUINQUENNIAL": (31, 1827), "SEXENNIAL": (32, 2192),
    "DECENNIAL": (33, 3653), "BIDECENNIAL": (34, 7306), "TRIDECENNIAL": (35, 10958),
}  # fmt: skip
CODES: dict[int, str] = {number: code for code, (number, _) in PERIODS.items()}


class Promise(NamedTuple):
    """How often a dataset is to be updated (a number of `PERIODS`), and the day it last was; 0: nothing tells."""

    frequency: int
    day: int

    @property
    def value(self) -> int:
        """Its number among all values."""
        return (self.day * _MOST + self.frequency) * STEP + FRESHNESS

    def kept_on(self, day: int) -> bool:
        """Whether the promise is kept on a day; one of which nothing tells is not."""
        return bool(self.day) and day <= self.day + allowed(self.frequency)

    def missed_on(self, day: int) -> float:
        """How many updates have been missed by a day."""
        return max(0.0, (day - self.day) / PERIODS[CODES[self.frequency]][1] - 1)


def promise_of(value: int) -> Promise:
    """The promise with this number."""
    day, frequency = divmod(value // STEP, _MOST)
    return Promise(frequency, day)


def allowed(frequency: int) -> int:
    """Days that may lie between two updates."""
    return int(1.5 * PERIODS[CODES[frequency]][1] + 2)


def promise(dataset: Dataset, frequency: str | None, seen: int, content: int | None) -> Promise | None:
    """What a dataset promises; `seen` is the day of its last change, `content` that of its last one of content."""
    if frequency not in PERIODS:
        return None
    days = [found for found in (updated(text, seen) for text in _stated(dataset)) if found is not None]
    return Promise(PERIODS[frequency][0], max([*days, content or 0]))


def updated(text: str, seen: int) -> int | None:
    """The latest day that a stated date can mean, up to the one on which it was seen; None for one in the future."""
    year, month, day = (int(part) if part else 0 for part in (text[:4], text[5:7], text[8:10]))
    try:
        first = date(year, month or 1, day or 1).toordinal() - EPOCH
        last = date(year, month or 12, day or monthrange(year, month or 12)[1]).toordinal() - EPOCH
    except ValueError:
        return None
    # The clocks of portals run in other time zones.
    return None if first > seen + 1 else max(1, min(last, seen))


def digest(raw: Mapping[str, Any]) -> bytes:
    """What the data of a dataset is told by, of its stored form: its distributions and its period."""
    told = (raw.get("distribution"), raw.get("temporal"), raw.get("version"))
    return blake2b(orjson.dumps(told, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()


def _stated(dataset: Dataset) -> Iterator[str]:
    dates: Iterable[str | None] = (dataset.issued, dataset.modified)
    parts = (found for d in dataset.distribution for found in (d.issued, d.modified))
    yield from (text for text in (*dates, *parts) if text)
