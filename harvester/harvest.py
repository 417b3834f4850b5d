"""What one run needs from the outside, what it counts, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from harvester import registry
from harvester.catalogue.store import Problem
from harvester.connector import Connector
from harvester.decide import Action
from harvester.errors import HarvesterError
from harvester.http import Http
from harvester.settings import Settings

COUNTED = tuple(Action)
# A total beyond this is a lie or a mistake, and no database could hold it.
LARGEST_TOTAL = 2**53


class Cancelled(HarvesterError):
    """Someone cancelled the run while it was under way."""

    code = "cancelled"


@dataclass
class Tally:
    """The counters of a run, as its row keeps them.

    `errors` counts lost records without a name; `unstored` lost and `dropped` unwanted ones of which no row is kept;
    `idle` pages in a row that brought nothing new; `gap` that less came than was advertised.  A dry run, which marks
    nothing as seen, keeps the ids it `saw`.  `catalogue` is what the source said
    of itself so far, in its plain form, from the fields `heard`.
    """

    advertised: int | None = None
    fetched: int = 0
    warnings: int = 0
    errors: int = 0
    unstored: int = 0
    dropped: int = 0
    idle: int = 0
    gap: bool = False
    saw: set[int] = field(default_factory=set)
    catalogue: dict[str, Any] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, COUNTED), 0))

    def state(self, advertised: int | None) -> None:
        """Note the total that the source states, unless it cannot be one."""
        if advertised is not None and 0 <= advertised <= LARGEST_TOTAL:
            self.advertised = advertised

    def columns(self) -> dict[str, int | None]:
        """The values of the columns of `runs`."""
        return {"advertised": self.advertised, "fetched": self.fetched, "warnings": self.warnings, **self.counts}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a run's diff."""

    action: str
    guid: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    source: str
    status: str
    tally: Tally
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one run needs from the outside; `on_page` and `on_change` are told of progress and of each change."""

    engine: Engine
    settings: Settings
    http: Http
    now: Callable[[], datetime]
    dry: bool = False
    connectors: Callable[[str], Connector] = registry.connector
    on_page: Callable[[Tally], None] = lambda tally: None
    on_change: Callable[[Change], None] = lambda change: None


def problem_of(error: HarvesterError, stage: str, severity: str = "error") -> Problem:
    """The row of the report that tells an error."""
    guid = getattr(error, "guid", None)
    value = None if error.value is None else str(error.value)
    return Problem(stage, severity, error.code, error.message, guid, error.field, value, error.url)
