"""A reconciliation written out: CSV to send to a producer, JSON, NDJSON, and a summary in plain words."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harvester import jsonio
from harvester.history.diffs import one_line, safe
from harvester.reconcile.lines import Line
from harvester.reconcile.words import MEANING, REASONS, TROUBLE, Verdict

COLUMNS = (
    "verdict", "reason", "why", "source_title", "target_title", "source_url", "target_url", "source_id", "target_id",
    "source_modified", "target_modified", "late_days", "fields", "differences", "evidence", "was", "todo",
)  # fmt: skip
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
}
_LONGEST = 2_000
_BOM = "\ufeff"


def written(summary: Mapping[str, Any], lines: Iterable[Line], form: str) -> Iterator[str]:
    """A reconciliation in one of the forms, piece by piece; `summary` is what `plain` answers."""
    yield from _FORMS[form](summary, lines)


def cells(line: Line) -> dict[str, Any]:
    """One line of the CSV, by column."""
    told: dict[str, Any] = {"verdict": str(line.verdict), "reason": line.reason, "why": line.why}
    for name, side in (("source", line.source), ("target", line.target)):
        told |= {f"{name}_{key}": value for key, value in (side.plain() if side else {}).items()}
    return told | {
        "late_days": line.days,
        "fields": ", ".join(one["field"] for one in line.fields),
        "differences": " | ".join(one["words"] for one in line.fields)[:_LONGEST],
        "evidence": " | ".join(line.evidence)[:_LONGEST],
        "was": line.was,
        "todo": line.todo,
    }


def _csv(summary: Mapping[str, Any], lines: Iterable[Line]) -> Iterator[str]:
    # Spreadsheets take a file without this mark for one of the old code pages.
    yield _BOM + _row(COLUMNS)
    for line in lines:
        told = cells(line)
        yield _row(safe(_flat(told.get(column))) for column in COLUMNS)


def _flat(value: Any) -> str:
    """A cell in one line.  Before it is made safe: what does not print may hide that a formula follows."""
    return "" if value is None else one_line(str(value))


def _row(values: Iterable[str]) -> str:
    made = io.StringIO()
    csv.writer(made).writerow(values)
    return made.getvalue()


def _ndjson(summary: Mapping[str, Any], lines: Iterable[Line]) -> Iterator[str]:
    for line in lines:
        yield jsonio.dumps(line.plain()).decode() + "\n"


def _json(summary: Mapping[str, Any], lines: Iterable[Line]) -> Iterator[str]:
    yield jsonio.dumps(dict(summary)).decode()[:-1] + ',"lines":['
    for number, line in enumerate(lines):
        yield ("" if not number else ",") + "\n" + jsonio.dumps(line.plain()).decode()
    yield "\n]}\n"


def _text(summary: Mapping[str, Any], lines: Iterable[Line]) -> Iterator[str]:
    yield "\n".join(words(summary)) + "\n"
    for line in lines:
        named = [(side.title or side.guid) for side in (line.source or line.target,) if side]
        yield f"\n{line.verdict:10}{'  '.join(one_line(text) for text in named)}\n"
        for told in (line.why, *(one["words"] for one in line.fields), *line.evidence):
            if told:
                yield f"    {one_line(told)[:_LONGEST]}\n"


_FORMS = {"csv": _csv, "ndjson": _ndjson, "json": _json, "text": _text}


def words(summary: Mapping[str, Any]) -> Iterator[str]:
    """A reconciliation in plain words, line by line: totals of both sides, reasons, what changed."""
    source, target, counts = summary["source"], summary["target"], summary["counts"]
    if not counts:
        yield f"{source} -> {target}: {summary['status']}"
        return
    mine, theirs = counts["source"], counts["target"]
    arrived = sum(counts["verdicts"].get(name, 0) for name in ("matched", "stale", "divergent"))
    listed = mine["records"] - mine["verdicts"].get("gone", 0) - mine["verdicts"].get("orphan", 0)
    yield f"{source} -> {target}: {arrived:,} of {listed:,} records arrived ({_share(arrived, listed)})."
    for verdict in Verdict:
        number = counts["verdicts"].get(verdict, 0)
        if number:
            yield f"  {number:>9,} {verdict:10} {MEANING[verdict]}"
            yield from _reasons(counts["reasons"].get(str(verdict), {}))
    if counts["fields"]:
        told = ", ".join(f"{name} {number:,}" for name, number in counts["fields"].items())
        yield f"Fields that differ: {told}."
    for name, side in ((source, mine), (target, theirs)):
        yield f"{name}: {_sum(side['verdicts'])} = {side['records']:,} records ({_sum(side['statuses'], ', ')})."
    yield from _changes(counts.get("changes") or {})


def _reasons(found: Mapping[str, int]) -> Iterator[str]:
    for code, number in sorted(found.items(), key=lambda item: -item[1]):
        yield f"  {number:>13,} {REASONS[code][0]}"


def _changes(found: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    told = {
        "appeared": "Since the last time there appeared",
        "solved": "Since then were solved",
        "vanished": "No longer on either side",
    }
    for name, counted in found.items():
        if counted:
            yield f"{told[name]}: {_sum(counted, ', ')}."


def _sum(counted: Mapping[str, int], between: str = " + ") -> str:
    order = {str(verdict): place for place, verdict in enumerate(Verdict)}
    rows = sorted(counted.items(), key=lambda item: order.get(item[0], 99))
    return between.join(f"{number:,} {name}" for name, number in rows if number) or "0"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "nothing to compare"


def troubles(counts: Mapping[str, Any] | None) -> int:
    """How many lines need somebody to do something."""
    return sum((counts or {}).get("verdicts", {}).get(str(verdict), 0) for verdict in TROUBLE)
