"""Sources by how often they are scheduled, and runs by status and month, also those that are forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.tables import figure_runs, runs, sources
from harvester.errors import UsageError
from harvester.figures.report import Runs, Scheduled, Synchronisations
from harvester.timing import next_run

# The longest mean time between two ticks of each kind, in hours; clocks and months are not all of a length.
KINDS: tuple[tuple[str, float], ...] = (
    ("hourly or more often", 1.1),
    ("several times a day", 23.0),
    ("daily", 25.0),
    ("several times a week", 166.0),
    ("weekly", 170.0),
    ("several times a month", 660.0),
    ("monthly", 745.0),
)
RARER, NEVER, PAUSED, BAD = "more rarely", "when asked", "paused", "not readable"
_TICKS = 28
_FROM = datetime(2026, 1, 1, tzinfo=UTC)

YearMonth = tuple[int, int]


def synchronisations(
    connection: Connection, since: YearMonth, until: YearMonth, only: Collection[int] | None = None
) -> Synchronisations:
    """Of all sources, or of these; `since` and `until` are months, both included."""
    only = None if only is None else frozenset(only)
    kept = _kept(connection, since, until, only)
    by_month = [_runs(connection, month, only, kept.get(month, {})) for month in months(since, until)]
    whole: Counter[str] = Counter()
    for found in by_month:
        whole.update(found.by_status)
    return Synchronisations(_scheduled(connection, only), _told(None, whole), by_month)


def months(since: YearMonth, until: YearMonth) -> Iterable[YearMonth]:
    """Every month between two, both included."""
    first, last = since[0] * 12 + since[1] - 1, until[0] * 12 + until[1] - 1
    return [(number // 12, number % 12 + 1) for number in range(first, last + 1)]


def named(month: YearMonth) -> str:
    """2026-11."""
    return f"{month[0]:04}-{month[1]:02}"


@lru_cache(maxsize=2_000)
def kind(schedule: str | None) -> str:
    """How often a schedule is due, by the mean time between its next ticks."""
    if not schedule:
        return NEVER
    try:
        ticks = list(islice(_ticks(schedule), _TICKS))
    except UsageError:
        return BAD
    if len(ticks) < 2:
        return RARER
    hours = (ticks[-1] - ticks[0]).total_seconds() / 3600 / (len(ticks) - 1)
    return next((name for name, longest in KINDS if hours <= longest), RARER)


def _ticks(schedule: str) -> Iterator[datetime]:
    tick = next_run(schedule, _FROM)
    while tick is not None:
        yield tick
        tick = next_run(schedule, tick)


def keep(connection: Connection, run_ids: Sequence[int]) -> None:
    """Add runs that are about to be forgotten to the sums of their months."""
    found: Counter[tuple[int, int, str]] = Counter()
    wanted = select(runs.c.source_id, runs.c.queued_at, runs.c.status).where(runs.c.id.in_(run_ids)).with_for_update()
    for row in connection.execute(wanted):
        found[row.source_id, row.queued_at.year * 100 + row.queued_at.month, row.status] += 1
    if found:
        statement = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(figure_runs)
        both = {"number": figure_runs.c.number + statement.excluded.number}
        key = ["source_id", "month", "status"]
        rows = [{**dict(zip(key, name, strict=True)), "number": number} for name, number in sorted(found.items())]
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=both), rows)


def _scheduled(connection: Connection, only: Collection[int] | None) -> list[Scheduled]:
    found: Counter[str] = Counter()
    for row in connection.execute(select(sources.c.id, sources.c.schedule, sources.c.paused_at)):
        if only is None or row.id in only:
            found[PAUSED if row.paused_at else kind(row.schedule)] += 1
    order = [*(name for name, _ in KINDS), RARER, NEVER, PAUSED, BAD]
    return [Scheduled(name, found[name]) for name in order if found[name]]


def _kept(
    connection: Connection, since: YearMonth, until: YearMonth, only: Collection[int] | None
) -> dict[YearMonth, dict[str, int]]:
    """Month -> runs by status, of those that are forgotten."""
    table = figure_runs.c
    counted = select(table.month, table.status, func.sum(table.number).label("number"))
    counted = counted.where(table.month.between(since[0] * 100 + since[1], until[0] * 100 + until[1]))
    if only is not None:
        counted = counted.where(table.source_id.in_(only))
    found: dict[YearMonth, dict[str, int]] = {}
    for row in connection.execute(counted.group_by(table.month, table.status)):
        found.setdefault((row.month // 100, row.month % 100), {})[row.status] = int(row.number)
    return found


def _runs(connection: Connection, month: YearMonth, only: Collection[int] | None, kept: Mapping[str, int]) -> Runs:
    year, number = month
    begins, ends = datetime(year, number, 1, tzinfo=UTC), datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)
    within = [runs.c.queued_at >= begins, runs.c.queued_at < ends]
    if only is not None and len(only) == 1:
        within += [runs.c.source_id.in_(only)]
    columns: list[ColumnElement[Any]] = [runs.c.status]
    if only is not None:
        # The others are passed over here: SQLite would rather look up each of five hundred sources.
        columns.append(runs.c.source_id)
    found = Counter(kept)
    grouped = select(func.count(), *columns).where(*within).group_by(*columns)
    for number, status, *source in connection.execute(grouped).all():
        if only is None or source[0] in only:
            found[status] += number
    return _told(named(month), found)


def _told(month: str | None, found: Mapping[str, int]) -> Runs:
    return Runs(month, sum(found.values()), dict(sorted(found.items())))
