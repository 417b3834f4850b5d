"""Key figures as text for people, as JSON, and as CSV: one row a number; no cell is a formula for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from harvester.errors import UsageError
from harvester.figures.report import Asked, By, Report, Value
from harvester.figures.table import BY_NAME, FIGURES
from harvester.history.diffs import one_line, safe

FORMATS = ("text", "json", "csv")
COLUMNS = ("figure", "group", "value", "label", "number")
TOTALS = ("datasets", "distributions", "organisations", "original_share")
TITLES = {figure.name: figure.title for figure in FIGURES}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")

Row = tuple[str, str, str, str, Any]


def asked(
    source: str | None, space: str | None, at: str | None, since: str | None, until: str | None, top: int, language: str
) -> Asked:
    """A request as people write it: `2026-11-22`, months as `2026-11`.  Raises `UsageError`."""
    return Asked(source or None, space or None, _day(at), _month("since", since), _month("until", until), top, language)


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"`at` is a day such as 2026-11-22, not {text[:40]!r}", code="bad-parameter", field="at")


def _month(name: str, text: str | None) -> tuple[int, int] | None:
    if not text:
        return None
    found = _MONTH.fullmatch(text)
    if found is None or found[1] == "0000":
        message = f"`{name}` is a month such as 2026-11, not {text[:40]!r}"
        raise UsageError(message, code="bad-parameter", field=name)
    return int(found[1]), int(found[2])


def plain(report: Report) -> dict[str, Any]:
    """As JSON."""
    return asdict(report)


def as_csv(report: Report) -> Iterator[str]:
    """A header, and one row a number."""
    yield _line(COLUMNS)
    for row in rows(report):
        yield _line(safe(cell) for cell in row)


def values_csv(dimension: str, values: Iterable[Value]) -> Iterator[str]:
    """Every value of a dimension."""
    yield _line(COLUMNS)
    for one in values:
        yield _line(safe(cell) for cell in ("by", dimension, one.value, one.label, one.datasets))


def rows(report: Report) -> Iterator[Row]:
    """Every number of a report; what is not known has an empty cell."""
    for name in TOTALS:
        yield name, "", "", TITLES[name], getattr(report, name)
    for dimension, by in (report.by or {}).items():
        for one in by.values:
            yield "by", dimension, one.value, one.label, one.datasets
        yield "by", dimension, "", "unknown", by.unknown
    for month in report.growth:
        for name in ("created", "restored", "retired", "joined", "visible"):
            yield "growth", month.month, name, name, getattr(month, name)
    yield from _synchronisations(report)
    yield from _freshness(report)


def _synchronisations(report: Report) -> Iterator[Row]:
    for scheduled in report.synchronisations.sources:
        yield "synchronisations", "sources", scheduled.schedule, scheduled.schedule, scheduled.sources
    for month in report.synchronisations.by_month:
        for status, number in month.by_status.items():
            yield "synchronisations", month.month or "", status, status, number


def _freshness(report: Report) -> Iterator[Row]:
    fresh = report.freshness
    if fresh is None:
        return
    for each in fresh.frequencies:
        for name in ("kept", "late", "untold"):
            yield "freshness", each.frequency, name, f"{each.label}: {name}", getattr(each, name)
    for late in fresh.worst or ():
        yield "worst", late.frequency, late.dataset, late.title, f"{late.missed:.1f}"


def as_text(report: Report) -> Iterator[str]:
    """For people: what fits a screen or two."""
    part = ", ".join(each for each in (report.source, report.space and f"space {report.space}") if each)
    yield f"Key figures of {part or 'the whole catalogue'}, {report.at}\n"
    for name in TOTALS:
        yield f"  {TITLES[name]:24}{_told(getattr(report, name), name == 'original_share')}\n"
    for dimension, by in (report.by or {}).items():
        yield from _by_text(dimension, by)
    yield f"\nGrowth by month{'':9}created  restored   retired    joined   visible\n"
    for month in report.growth:
        numbers = (month.created, month.restored, month.retired, month.joined, month.visible)
        yield f"  {month.month:20}" + "".join(f"{_told(number):>10}" for number in numbers) + "\n"
    yield from _synchronisations_text(report)
    yield from _freshness_text(report)


def _by_text(dimension: str, by: By) -> Iterator[str]:
    yield f"\nDatasets by {BY_NAME[dimension].title.lower()} ({by.distinct:,} different)\n"
    for one in by.values:
        yield f"  {one_line(one.label)[:58]:60}{one.datasets:>12,}{one.share:>8.1%}\n"
    yield f"  {'unknown':60}{by.unknown:>12,}\n"


def _synchronisations_text(report: Report) -> Iterator[str]:
    told = report.synchronisations
    yield "\nSources by schedule\n"
    for scheduled in told.sources:
        yield f"  {scheduled.schedule:60}{scheduled.sources:>12,}\n"
    yield f"\nRuns from {report.since} to {report.until}\n"
    for status, number in told.runs.by_status.items():
        yield f"  {status:60}{number:>12,}\n"


def _freshness_text(report: Report) -> Iterator[str]:
    fresh = report.freshness
    if fresh is None:
        return
    yield f"\nFreshness: {_told(fresh.share, True)} of the promises kept{'':26}kept      late    untold\n"
    for each in fresh.frequencies:
        counts = "".join(f"{number:>10,}" for number in (each.kept, each.late, each.untold))
        yield f"  {one_line(each.label)[:48]:50}{_told(each.share, True):>8}{counts}\n"
    if fresh.worst:
        yield "\nThe latest\n"
    for late in fresh.worst or ():
        told = f"  {late.dataset}  {late.frequency:12}{late.updated}  {late.missed:>8,.1f} missed  "
        yield f"{told}{one_line(late.title)[:60]}\n"


def _told(number: float | None, share: bool = False) -> str:
    if number is None:
        return "unknown"
    return f"{number:.1%}" if share else f"{number:,}"


def _line(cells: Iterable[Any]) -> str:
    made = io.StringIO()
    csv.writer(made).writerow(cells)
    return made.getvalue()
