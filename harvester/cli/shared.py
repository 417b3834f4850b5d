"""What the commands share: consoles, the opened catalogue, and how a run looks while it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import Engine

from harvester.catalogue.database import migrate, open_engine
from harvester.harvest import Result, Tally
from harvester.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

COUNTERS = ("created", "updated", "unchanged", "restored", "retired", "failed", "repeated")
_COLUMNS = ("advertised", "fetched", *COUNTERS, "warnings")
_ALWAYS = ("fetched", "created", "failed")
_COLOURS = {"succeeded": "green", "partial": "yellow", "held": "magenta", "failed": "red", "cancelled": "yellow"}


@contextmanager
def opened() -> Iterator[tuple[Settings, Engine]]:
    """The settings of the environment and the catalogue, migrated."""
    settings = Settings()
    engine = open_engine(settings)
    try:
        migrate(engine)
        yield settings, engine
    finally:
        engine.dispose()


def progress_bars() -> Progress:
    """One line per source that is being harvested, on standard error."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
    )


def show_tally(bars: Progress, task: Any, tally: Tally) -> None:
    """Move the bar of a source to where its run stands."""
    bars.update(task, completed=tally.fetched, total=max(tally.advertised or 0, tally.fetched) or None)


def summary(results: list[Result], dry: bool = False) -> Table:
    """The table printed after runs: one line a source, every counter that counted anything."""
    table = Table(title="dry run: nothing was written" if dry else None, title_justify="left")
    lines = [_counters(result) for result in results]
    short = any(line["advertised"] not in ("?", line["fetched"]) for line in lines)
    told = {name for name in _COLUMNS if any(line[name] not in ("0", "?") for line in lines)} - {"advertised"}
    columns = [name for name in _COLUMNS if name in _ALWAYS or name in told or (short and name == "advertised")]
    table.add_column("source")
    table.add_column("status")
    for name in columns:
        table.add_column(name, justify="right")
    for result, line in zip(results, lines, strict=True):
        status = f"[{_COLOURS.get(result.status, 'white')}]{result.status}[/]"
        table.add_row(result.source, status, *(line[name] for name in columns))
    return table


def _counters(result: Result) -> dict[str, str]:
    tally = result.tally
    advertised = "?" if tally.advertised is None else str(tally.advertised)
    counts = {name: str(tally.counts[name]) for name in COUNTERS}
    return {"advertised": advertised, "fetched": str(tally.fetched), **counts, "warnings": str(tally.warnings)}


def table_of(columns: list[str], rows: list[list[object]]) -> Table:
    """A plain table; what portals wrote is never read as markup."""
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    return table
