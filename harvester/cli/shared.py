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
from harvester.run import Result, Tally
from harvester.settings import Settings

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

COUNTERS = ("created", "updated", "unchanged", "restored", "retired", "failed", "repeated")
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
    """The table printed after runs: one line a source, every counter."""
    table = Table(title="dry run: nothing was written" if dry else None, title_justify="left")
    table.add_column("source")
    table.add_column("status")
    for name in ("advertised", "fetched", *COUNTERS, "warnings"):
        table.add_column(name, justify="right")
    for result in results:
        colour, tally = _COLOURS.get(result.status, "white"), result.tally
        advertised = "?" if tally.advertised is None else str(tally.advertised)
        counts = [str(tally.counts[name]) for name in COUNTERS]
        status = f"[{colour}]{result.status}[/]"
        table.add_row(result.source, status, advertised, str(tally.fetched), *counts, str(tally.warnings))
    return table


def table_of(columns: list[str], rows: list[list[object]]) -> Table:
    """A plain table; what portals wrote is never read as markup."""
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    return table
