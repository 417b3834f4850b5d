"""Key figures as they are answered: the request, and every figure of the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import Field


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

    value: Annotated[str, Field(examples=["ENVI"])]
    label: Annotated[str, Field(examples=["Environment"])]
    datasets: Annotated[int, Field(examples=[847])]
    share: Annotated[float, Field(examples=[0.42])]


@dataclass(frozen=True, slots=True)
class By:
    """Datasets by one dimension: the most frequent values, how many values there are, and datasets without any."""

    values: list[Value]
    distinct: Annotated[int, Field(examples=[11])]
    unknown: Annotated[int, Field(examples=[120])]


@dataclass(frozen=True, slots=True)
class Month:
    """What a month brought; null where nobody kept it."""

    month: Annotated[str, Field(examples=["2026-05"])]
    created: Annotated[int, Field(examples=[120])]
    restored: int | None
    retired: int | None
    joined: int | None
    visible: Annotated[int, Field(examples=[12345])]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """How many sources are scheduled how often."""

    schedule: Annotated[str, Field(examples=["daily"])]
    sources: Annotated[int, Field(examples=[31])]


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs queued in a month (null: in all the months asked for), by status."""

    month: str | None
    total: Annotated[int, Field(examples=[930])]
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

    frequency: Annotated[str, Field(examples=["MONTHLY"])]
    label: Annotated[str, Field(examples=["Environment"])]
    days: Annotated[int, Field(examples=[45])]
    datasets: Annotated[int, Field(examples=[847])]
    kept: Annotated[int, Field(examples=[640])]
    late: Annotated[int, Field(examples=[120])]
    untold: Annotated[int, Field(examples=[87])]
    share: float | None


@dataclass(frozen=True, slots=True)
class Late:
    """A dataset that has missed the most updates."""

    dataset: Annotated[str, Field(examples=["k3vxq2m5dzr7ttq5"])]
    title: Annotated[str, Field(examples=["Comptages vélo"])]
    frequency: Annotated[str, Field(examples=["MONTHLY"])]
    updated: Annotated[date, Field(examples=["2025-01-31"])]
    missed: Annotated[float, Field(examples=[9.5])]
    sources: list[str]


@dataclass(frozen=True, slots=True)
class Freshness:
    """Promises kept, in all and by frequency; `worst` is null for a past day."""

    datasets: Annotated[int, Field(examples=[847])]
    kept: Annotated[int, Field(examples=[640])]
    late: Annotated[int, Field(examples=[120])]
    untold: Annotated[int, Field(examples=[87])]
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
    at: Annotated[date, Field(examples=["2026-05-01"])]
    since: Annotated[str, Field(examples=["2025-06"])]
    until: Annotated[str, Field(examples=["2026-05"])]
    counted_from: datetime | None
    behind: Annotated[int, Field(examples=[0])]
    datasets: Annotated[int, Field(examples=[847])]
    distributions: int | None
    organisations: int | None
    original_share: float | None
    by: dict[str, By] | None
    growth: list[Month]
    synchronisations: Synchronisations
    freshness: Freshness | None
