"""`harvester links`: check the addresses of distributions, and report what is wrong with them."""

from __future__ import annotations

import sys
from collections import Counter
from enum import StrEnum
from typing import Annotated

import orjson
import typer
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from sqlalchemy import Connection, Engine, Row

from harvester import sources
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.cli.shared import err, opened, out, table_of
from harvester.links import reports, standings, store
from harvester.links.checking import check_due
from harvester.links.faults import Severity
from harvester.links.following import FOLLOWER
from harvester.links.service import next_at
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from harvester.services import ending_with_signals
from harvester.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Check the addresses of distributions, and report what is wrong.")


class Format(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


OfSource = Annotated[str | None, typer.Argument(help="Only the addresses of this source.", show_default=False)]


@app.command()
def check(
    source: OfSource = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask so many addresses at most.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Of a source: whatever their age, but those of the last hour.")
    ] = False,
) -> None:
    """Check the addresses that are due: new ones, those whose time has come, failing ones sooner.

    Each address is asked once, however many datasets name it, and each host one request at a time; a host that is
    down, asks to be left alone or has had its share of the hour is left for later.  It may be stopped at any time.
    """
    with opened() as (settings, engine), ending_with_signals() as stopping:
        store.begin(engine)
        row = _source(engine, source) if source else None
        with _bars() as bars:
            task = bars.add_task("reading the catalogue")
            follow(engine, FOLLOWER, utcnow, lambda: stopping.told, progress=lambda n: _reading(bars, task, n))
            if row is not None and again:
                with writing(engine) as connection:
                    store.take_turn(connection)
                    store.again(connection, row.id, utcnow())
            counts = check_due(
                engine,
                settings,
                utcnow,
                stop=lambda: stopping.told,
                source_id=row.id if row else None,
                limit=limit,
                progress=lambda found: bars.update(task, description=_told(found)),
            )
        _end(engine, settings, counts)


@app.command()
def report(
    source: Annotated[str, typer.Argument(help="Name of the source.")],
    format: Annotated[Format, typer.Option("--format", "-f", help="How it is printed.")] = Format.TEXT,
    severity: Annotated[Severity | None, typer.Option(help="Only this severity.")] = None,
) -> None:
    """What is wrong with the links of a source: which dataset and distribution, what, since when, what to do."""
    with opened() as (settings, engine):
        row = _source(engine, source)
        found = reports.lines(engine, row.id, severity, settings.language)
        for piece in reports.written(found, format):
            sys.stdout.write(piece)
        if format is Format.TEXT:
            with engine.connect() as connection:
                _summarise(connection, row)


@app.command()
def status(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """How many addresses there are in each state, and when the next one is due."""
    with opened() as (_, engine), engine.connect() as connection:
        totals, due = standings.totals(connection), next_at(connection)
    if json:
        sys.stdout.write(orjson.dumps({"addresses": totals, "next_at": due}).decode() + "\n")
        return
    out.print(table_of(["state", "addresses"], [[name, f"{number:,}"] for name, number in totals.items()]))
    out.print(f"next due: {due:%Y-%m-%d %H:%M} UTC" if due else "nothing is due: harvester links check")


def _source(engine: Engine, name: str) -> Row[object]:
    with engine.connect() as connection:
        return sources.named(connection, name)


def _bars() -> Progress:
    return Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=err)


def _reading(bars: Progress, task: TaskID, number: int) -> None:
    bars.update(task, description=f"reading the catalogue: {number:,} datasets")


def _told(counts: Counter[str]) -> str:
    parts = (f"{counts[name]:,} {name}" for name in ("ok", "broken", "failing", "unknown", "put off") if counts[name])
    return f"{counts['asked']:,} asked: {', '.join(parts) or 'none yet'}"


def _end(engine: Engine, settings: Settings, counts: Counter[str]) -> None:
    out.print(_told(counts))
    with engine.connect() as connection:
        due, waiting = next_at(connection), standings.totals(connection).get("unchecked", 0)
    if due is not None:
        out.print(f"{waiting:,} not checked yet; the next is due at {due:%Y-%m-%d %H:%M} UTC")
    refresh(engine, open_index(settings))


def _summarise(connection: Connection, row: Row[object]) -> None:
    found = reports.summary(connection, row.id)
    told = ", ".join(f"{number:,} {state}" for state, number in sorted(found.addresses.items()))
    out.print(f"\n{sum(found.addresses.values()):,} addresses of {row.name}: {told or 'harvester links check'}")
    rows: list[list[object]] = [[severity, fault, f"{n:,}"] for (severity, fault), n in found.faults.items()]
    if rows:
        out.print(table_of(["severity", "what", "links"], rows))
