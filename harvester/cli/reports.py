"""Reports of validations as they go on: sentences for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

import orjson
from rich.markup import escape

from harvester.cli.shared import out
from harvester.cli.validating import Format
from harvester.validate.exported import Origin
from harvester.validate.findings import Finding, Severity, Totals
from harvester.validate.parts import Part

Origins = Callable[[str], Origin | None]
_COLOURS = {Severity.VIOLATION: "red", Severity.WARNING: "yellow", Severity.DERIVED: "cyan"}
_COLUMNS = (
    "severity", "key", "sources", "dataset", "title", "where", "property", "label", "value", "problem", "advice",
    "constraint",
)  # fmt: skip
MOST_ROWS = 60


class Printer(Protocol):
    """What prints findings."""

    def finding(self, finding: Finding, origin: Origin | None) -> None: ...

    def end(self, totals: Totals) -> None: ...


class Report:
    """Counts what was found and prints what is to be shown."""

    def __init__(self, printer: Printer, origins: Origins, shown: frozenset[Severity]) -> None:
        self.totals = Totals()
        self.last = ""
        self._printer, self._origins, self._shown = printer, origins, shown

    def add(self, parts: Sequence[Part], findings: Sequence[Finding]) -> None:
        """Take in what was found in some parts."""
        places = {str(part.root): place for place, part in enumerate(parts)}
        for finding in sorted(findings, key=lambda found: (places.get(found.resource, 0), found.where, found.path)):
            if self.totals.new(finding) and finding.severity in self._shown:
                self._printer.finding(finding, self._origins(finding.resource))
        for part in parts:
            if part.is_dataset:
                self.totals.datasets += 1
                self.last = str(part.root)


@contextmanager
def report_in(format: Format, origins: Origins, shown: frozenset[Severity]) -> Iterator[Report]:
    """A report in a format; its totals are printed at the end."""
    printer = _PRINTERS[format]()
    report = Report(printer, origins, shown)
    yield report
    printer.end(report.totals)


class _Text:
    """For people: under each dataset what is wrong with it."""

    def __init__(self) -> None:
        self._resource = ""

    def finding(self, finding: Finding, origin: Origin | None) -> None:
        if finding.resource != self._resource:
            self._resource = finding.resource
            self._heading(finding, origin)
        place = f"{finding.where}: " if finding.where else ""
        name = f"{finding.label} ({finding.path})" if finding.path else finding.label
        colour = _COLOURS[finding.severity]
        out.print(f"  [{colour}]{finding.severity}[/] {escape(f'{place}{name} {finding.problem}')}", soft_wrap=True)
        if finding.value:
            out.print(f"    value: {escape(finding.value)}", soft_wrap=True)
        out.print(f"    [dim]what to do: {escape(finding.advice)}[/]", soft_wrap=True)

    def _heading(self, finding: Finding, origin: Origin | None) -> None:
        out.print(f"\n[bold]{escape(finding.title or finding.resource)}[/]", soft_wrap=True)
        out.print(f"  [dim]{escape(finding.resource)}[/]", soft_wrap=True)
        if origin is not None:
            records = ", ".join(f"{source} ({guid})" for source, guid in origin.records)
            out.print(f"  [dim]{escape(f'key {origin.key}, from {records}')}[/]", soft_wrap=True)

    def end(self, totals: Totals) -> None:
        order = list(Severity)
        rows = sorted(totals.counts.items(), key=lambda item: (order.index(item[0][0]), -item[1]))
        out.print()
        for (severity, path, label, problem), number in rows[:MOST_ROWS]:
            name = f"{label} ({path})" if path else label
            out.print(
                f"{number:8,}  [{_COLOURS[severity]}]{severity:9}[/]  {escape(f'{name} {problem}')}", soft_wrap=True
            )
        counted = ", ".join(f"{totals.of(severity):,} {_plural(severity)}" for severity in Severity)
        out.print(f"{totals.datasets:,} datasets: {counted}")


def _plural(severity: Severity) -> str:
    return "filled in by us" if severity is Severity.DERIVED else f"{severity}s"


class _Json:
    """One JSON document: findings as they come, then the totals."""

    def __init__(self) -> None:
        self._first = True
        _write('{"findings":[')

    def finding(self, finding: Finding, origin: Origin | None) -> None:
        _write(("\n" if self._first else ",\n") + orjson.dumps(_row(finding, origin)).decode())
        self._first = False

    def end(self, totals: Totals) -> None:
        counts = [
            {"severity": severity, "property": path, "label": label, "problem": problem, "number": number}
            for (severity, path, label, problem), number in totals.counts.most_common()
        ]
        _write("\n]," + orjson.dumps({"datasets": totals.datasets, "totals": counts}).decode()[1:] + "\n")


class _Csv:
    """One line a finding."""

    def __init__(self) -> None:
        self._lines = csv.writer(sys.stdout)
        self._lines.writerow(_COLUMNS)

    def finding(self, finding: Finding, origin: Origin | None) -> None:
        row = _row(finding, origin)
        row["sources"] = " ".join(f"{record['source']}:{record['guid']}" for record in row["sources"])
        self._lines.writerow([row[column] for column in _COLUMNS])

    def end(self, totals: Totals) -> None:
        sys.stdout.flush()


def _row(finding: Finding, origin: Origin | None) -> dict[str, Any]:
    said = asdict(finding)
    records = () if origin is None else origin.records
    known = {
        "key": "" if origin is None else origin.key,
        "sources": [{"source": source, "guid": guid} for source, guid in records],
        "dataset": finding.resource,
        "property": finding.path,
    }
    return {column: known[column] if column in known else said[column] for column in _COLUMNS}


def _write(text: str) -> None:
    sys.stdout.write(text)


_PRINTERS: dict[Format, Callable[[], Printer]] = {Format.TEXT: _Text, Format.JSON: _Json, Format.CSV: _Csv}
