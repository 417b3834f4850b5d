"""`harvester run`, `replay`, `runs` and `problems`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress
from sqlalchemy import Connection, Engine, Row
from typer.core import TyperGroup

from harvester import sources, worker
from harvester.catalogue import claims, queries
from harvester.catalogue.database import writing
from harvester.cli.history import FORMATS, Teller
from harvester.cli.shared import err, opened, out, progress_bars, show_tally, summary, table_of
from harvester.clock import agreed
from harvester.errors import UsageError
from harvester.following import bring_up_to_date
from harvester.harvest import Result, Tally
from harvester.progress import progress
from harvester.schedule import utcnow
from harvester.settings import Settings

FAILED = 1
FAILURES = ("failed", "cancelled", "busy", "lost", "queued")
_SHOWN = (
    *("id", "source", "mode", "origin", "status", "queued_at", "started_at", "ended_at", "heartbeat_at", "worker"),
    *("attempt", "since_at", "pages", "advertised", "fetched", "distinct", "accepted", "visible", "created"),
    *("updated", "unchanged", "failed", "repeated", "retired", "restored", "warnings", "code", "message"),
)
RunId = Annotated[int, typer.Argument(metavar="RUN", help="Id of the run, as `harvester runs` lists it.")]
Sources = Annotated[list[str], typer.Argument(metavar="[SOURCE]...", help="Names of sources; all of them when none.")]


class StartGroup(TyperGroup):
    """A group of commands whose first word, when it is none of them, is the first argument of `start`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with the word `start` that they go without."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["start", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=StartGroup, help="Harvest sources now (`run SOURCE...` is short for `run start SOURCE...`); look after runs."
)


@app.command()
def start(
    source: Sources = [],  # noqa: B006
    full: Annotated[bool, typer.Option("--full", help="Walk everything, not only what changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
    format: Annotated[str, typer.Option("--format", help=f"Form of what a dry run shows: {FORMATS}.")] = "text",
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to the workers, and return at once.")] = False,
) -> None:
    """Harvest sources now, with progress, and print what happened. Exit code 1 when one failed.

    `harvester run SOURCE` means the same. A run that is stopped with Ctrl-C goes on where it stopped the next time.
    """
    if queue and dry_run:
        raise UsageError("a dry run is not queued; leave out --queue", code="queued-dry-run")
    with opened() as (settings, engine):
        rows = _chosen(engine, source)
        if queue:
            _queue(engine, settings, rows, full)
            return
        teller = Teller(format) if dry_run else None
        results = harvest(settings, engine, rows, lambda row: mode(settings, row, full), teller)
        finish(results, dry_run)


@app.command()
def show(run_id: RunId) -> None:
    """Show one run: its counters, how far it has come, and how it ended."""
    with opened() as (_, engine), engine.connect() as connection:
        row = _run(connection, run_id)
    facts: list[list[object]] = [[name, getattr(row, name)] for name in _SHOWN if getattr(row, name) is not None]
    out.print(table_of(["", ""], [*facts, ["progress", progress(row._asdict(), utcnow()).text]]))


@app.command()
def cancel(run_id: RunId) -> None:
    """Cancel a run that waits or goes on; it stops within seconds, and what it has written stays."""
    with opened() as (_, engine), writing(engine) as connection:
        row = _run(connection, run_id)
        if not claims.cancel(connection, run_id, utcnow()):
            raise UsageError(f"run {run_id} has ended already: {row.status}", code="not-live")
    out.print(f"cancelled run {run_id} of [bold]{row.source}[/]")


def _queue(engine: Engine, settings: Settings, rows: list[Row[Any]], full: bool) -> None:
    with writing(engine) as connection:
        for row in rows:
            run_id = claims.enqueue(connection, row.id, mode(settings, row, full), utcnow())
            told = f"run {run_id} is queued" if run_id else "a run of it is queued or running already"
            out.print(f"[bold]{row.name}[/]: {told}")


def _run(connection: Connection, run_id: int) -> Row[Any]:
    row = queries.run_by_id(connection, run_id)
    if row is None:
        raise UsageError(f"there is no run {run_id}; `harvester runs` lists them", code="unknown-run")
    return row


def replay(source: Annotated[str, typer.Argument(help="Name of the source.")]) -> None:
    """Normalise a source's kept payloads again, without asking the portal: for a better mapping."""
    with opened() as (settings, engine):
        finish(harvest(settings, engine, _chosen(engine, [source]), lambda _: "replay"))


def runs(
    source: Annotated[str | None, typer.Argument(help="Only of this source.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 20,
) -> None:
    """List the latest runs."""
    with opened() as (_, engine), engine.connect() as connection:
        source_id = sources.named(connection, source).id if source else None
        found = queries.run_list(connection, source_id, limit=limit)
    columns = ["id", "source", "mode", "status", "started_at", "fetched", "created", "updated", "failed", "message"]
    out.print(table_of(columns, [[*(getattr(row, name) for name in columns[:-1]), _told(row)] for row in found]))


def _told(row: Row[Any]) -> str | None:
    """What a run has to say: how far it has come, and then how it ended."""
    return progress(row._asdict(), utcnow()).text if row.status == "running" else row.message


def problems(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="Id of the run, as `harvester runs` lists it.")],
    after: Annotated[int, typer.Option(help="Continue after this problem.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=10_000)] = 100,
) -> None:
    """List what went wrong in a run: which record, which field, which value, and why."""
    with opened() as (_, engine), engine.connect() as connection:
        _run(connection, run_id)
        found = queries.problem_list(connection, run_id, after, limit)
    columns = ["id", "severity", "stage", "code", "guid", "field", "value", "message", "url"]
    out.print(table_of(columns, [[getattr(row, column) for column in columns] for row in found]))


def mode(settings: Settings, row: Row[Any], full: bool) -> str:
    """Full or incremental, as the source's history allows."""
    return worker.mode_for(row, settings, utcnow(), full)


def harvest(
    settings: Settings,
    engine: Engine,
    rows: list[Row[Any]],
    mode_of: Callable[[Row[Any]], str],
    teller: Teller | None = None,
) -> list[Result]:
    """Run sources side by side, one bar each, then bring the index up to date; with a teller, as a dry run."""
    stopped = threading.Event()
    with progress_bars() as bars, ThreadPoolExecutor(settings.workers) as pool:
        asked = _Asked(settings, engine, teller, bars, stopped, agreed(engine))
        under_way = [pool.submit(_one, asked, row, mode_of(row)) for row in rows]
        try:
            wait(under_way)
        except KeyboardInterrupt:
            # What is under way is given back; it goes on from there the next time.
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    if teller is None:
        bring_up_to_date(engine, settings)
    else:
        teller.end()
    return [done.result() for done in under_way]


def finish(results: list[Result], dry: bool = False) -> None:
    """Print the summary; leave with 1 when a source failed."""
    out.print(summary(results, dry))
    for result in results:
        if result.message:
            err.print(f"[bold]{result.source}[/] {result.status}: {escape(result.message)}")
    if any(result.status in FAILURES for result in results):
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What all runs of one command share."""

    settings: Settings
    engine: Engine
    teller: Teller | None
    bars: Progress
    stopped: threading.Event
    now: Callable[[], datetime]


def _one(asked: _Asked, row: Row[Any], mode: str) -> Result:
    task = asked.bars.add_task(row.name, total=None)
    claim = claims.unrecorded(row, mode, asked.now())
    teller = asked.teller
    if teller is None:
        try:
            with writing(asked.engine) as connection:
                claim = worker.begin(connection, row, mode, asked.now(), claims.Terms.of(asked.settings))
        except UsageError as error:
            # Another run has this source: the others are harvested all the same.
            return Result(row.name, "busy", Tally(), error.code, error.message)
    told = (lambda change: teller.tell(row.name, change)) if teller else (lambda change: None)
    watch = worker.Watch(lambda tally: show_tally(asked.bars, task, tally), told, asked.stopped.is_set)
    return worker.execute(asked.engine, asked.settings, row, claim, asked.now, dry=bool(teller), watch=watch)


def _chosen(engine: Engine, names: list[str]) -> list[Row[Any]]:
    with engine.connect() as connection:
        if names:
            return [sources.named(connection, name) for name in dict.fromkeys(names)]
        rows, after = [], ""
        while page := queries.source_list(connection, after):
            rows += page
            after = page[-1].name
    if not rows:
        raise UsageError("there is no source yet; add one with: harvester source add URL", code="no-source")
    return rows
