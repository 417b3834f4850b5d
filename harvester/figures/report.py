"""Key figures as they are answered: the request, and every figure of the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the catalogue, and of when; months are (year, month)."""

    source: str | None = None
    space: str | None = None
    at: date | None = None
    since: tuple[int, int] | None = None
    until: tuple[int, int] | None = None
    top: int = 20
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a dimension; `share` is of all datasets."""

    value: str
    label: str
    datasets: int
    share: float


@dataclass(frozen=True, slots=True)
class By:
    """Datasets by one dimension: the most frequent values, how many values there are, and datasets without any."""

    values: list[Value]
    distinct: int
    unknown: int


@dataclass(frozen=True, slots=True)
class Month:
    """What a month brought; null where nobody kept it."""

    month: str
    created: int
    restored: int | None
    retired: int | None
    joined: int | None
    visible: int


@dataclass(frozen=True, slots=True)
class Scheduled:
    """How many sources are scheduled how often."""

    schedule: str
    sources: int


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs queued in a month (null: in all the months asked for), by status."""

    month: str | None
    total: int
    by_status: dict[str, int]


@dataclass(frozen=True, slots=True)
class Synchronisations:
    """Sources by schedule, and runs."""

    sources: list[Scheduled]
    runs: Runs
    by_month: list[Runs]


@dataclass(frozen=True, slots=True)
class Promised:
    """Datasets that promise one frequency: of how many the promise is kept, is not, or nothing tells.

    `days` is how long ago the last update may lie.
    """

    frequency: str
    label: str
    days: int
    datasets: int
    kept: int
    late: int
    untold: int
    share: float | None


@dataclass(frozen=True, slots=True)
class Late:
    """A dataset that has missed the most updates."""

    dataset: str
    title: str
    frequency: str
    updated: date
    missed: float
    sources: list[str]


@dataclass(frozen=True, slots=True)
class Freshness:
    """Promises kept, in all and by frequency; `worst` is null for a past day."""

    datasets: int
    kept: int
    late: int
    untold: int
    share: float | None
    frequencies: list[Promised]
    worst: list[Late] | None


@dataclass(frozen=True, slots=True)
class Report:
    """Every key figure.  What is null is not known.

    `counted_from` is when counting began: what the numbers by value were before that day, nobody can tell.  `behind`
    are changes of the catalogue that are not counted yet.
    """

    source: str | None
    space: str | None
    at: date
    since: str
    until: str
    counted_from: datetime | None
    behind: int
    datasets: int
    distributions: int | None
    organisations: int | None
    original_share: float | None
    by: dict[str, By] | None
    growth: list[Month]
    synchronisations: Synchronisations
    freshness: Freshness | None
