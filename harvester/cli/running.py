"""`harvester run`, `replay`, `runs` and `problems`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import Progress
from sqlalchemy import Engine, Row

from harvester import sources, worker
from harvester.catalogue import queries
from harvester.catalogue.database import writing
from harvester.cli.shared import err, opened, out, progress_bars, show_tally, summary, table_of
from harvester.errors import UsageError
from harvester.harvest import Change, Result, Tally
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from harvester.settings import Settings

FAILED = 1
Sources = Annotated[list[str], typer.Argument(metavar="[SOURCE]...", help="Names of sources; all of them when none.")]


def run(
    source: Sources = [],  # noqa: B006
    full: Annotated[bool, typer.Option("--full", help="Walk everything, not only what changed.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change and write nothing.")] = False,
) -> None:
    """Harvest sources now, with progress, and print what happened. Exit code 1 when one failed."""
    with opened() as (settings, engine):
        rows = _chosen(engine, source)
        results = harvest(settings, engine, rows, lambda row: mode(settings, row, full), dry_run)
        finish(results, dry_run)


def replay(source: Annotated[str, typer.Argument(help="Name of the source.")]) -> None:
    """Normalise a source's kept payloads again, without asking the portal: for a better mapping."""
    with opened() as (settings, engine):
        finish(harvest(settings, engine, _chosen(engine, [source]), lambda _: "replay"))


def confirm(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="Id of a held run, as `harvester runs` lists it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Retire what a held run did not find, after showing it by name."""
    with opened() as (settings, engine):
        row, gone = _held(engine, run_id)
        for title, guid in gone:
            out.print(f"{escape(guid)}\t{escape(title or '')}", soft_wrap=True)
        if not yes and not typer.confirm(f"Retire these {len(gone)} records of {row.source}?"):
            raise UsageError("nothing was retired", code="not-confirmed")
        retired = worker.confirm(engine, row, utcnow())
        refresh(engine, open_index(settings))
    out.print(f"retired {retired} records of [bold]{row.source}[/]")


def _held(engine: Engine, run_id: int) -> tuple[Row[Any], list[tuple[str | None, str]]]:
    with engine.connect() as connection:
        row = queries.run_by_id(connection, run_id)
        if row is None or row.status != "held":
            raise UsageError(f"there is no held run {run_id}; `harvester runs` lists them", code="not-held")
        newest = queries.run_list(connection, row.source_id, limit=1)[0]
        if newest.id != run_id:
            raise UsageError(f"run {newest.id} has walked {row.source} since; look at that one", code="outdated-run")
        gone, after = [], 0
        while page := queries.vanished_page(connection, run_id, row.source_id, after, queries.CHUNK):
            gone += [(record.title, record.guid) for record in page]
            after = page[-1].id
    return row, gone


def runs(
    source: Annotated[str | None, typer.Argument(help="Only of this source.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 20,
) -> None:
    """List the latest runs."""
    with opened() as (_, engine), engine.connect() as connection:
        source_id = sources.named(connection, source).id if source else None
        found = queries.run_list(connection, source_id, limit=limit)
    columns = ["id", "source", "mode", "status", "started_at", "fetched", "created", "updated", "failed", "message"]
    out.print(table_of(columns, [[getattr(row, column) for column in columns] for row in found]))


def problems(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="Id of the run, as `harvester runs` lists it.")],
    after: Annotated[int, typer.Option(help="Continue after this problem.", min=0)] = 0,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=10_000)] = 100,
) -> None:
    """List what went wrong in a run: which record, which field, which value, and why."""
    with opened() as (_, engine), engine.connect() as connection:
        if queries.run_by_id(connection, run_id) is None:
            raise UsageError(f"there is no run {run_id}; `harvester runs` lists them", code="unknown-run")
        found = queries.problem_list(connection, run_id, after, limit)
    columns = ["id", "severity", "stage", "code", "guid", "field", "value", "message", "url"]
    out.print(table_of(columns, [[getattr(row, column) for column in columns] for row in found]))


def mode(settings: Settings, row: Row[Any], full: bool) -> str:
    """Full or incremental, as the source's history allows."""
    return worker.mode_for(row, settings, utcnow(), full)


def harvest(
    settings: Settings, engine: Engine, rows: list[Row[Any]], mode_of: Callable[[Row[Any]], str], dry: bool = False
) -> list[Result]:
    """Run sources side by side, one bar each, then bring the index up to date."""
    with progress_bars() as bars, ThreadPoolExecutor(settings.workers) as pool:
        results = list(pool.map(lambda row: _one(settings, engine, row, mode_of(row), dry, bars), rows))
    if not dry:
        refresh(engine, open_index(settings))
    return results


def finish(results: list[Result], dry: bool = False) -> None:
    """Print the summary; leave with 1 when a source failed."""
    out.print(summary(results, dry))
    for result in results:
        if result.message:
            err.print(f"[bold]{result.source}[/] {result.status}: {escape(result.message)}")
    if any(result.status in ("failed", "cancelled", "busy") for result in results):
        raise typer.Exit(FAILED)


def _one(settings: Settings, engine: Engine, row: Row[Any], mode: str, dry: bool, bars: Progress) -> Result:
    task = bars.add_task(row.name, total=None)
    run_id = 0
    if not dry:
        try:
            with writing(engine) as connection:
                run_id = worker.begin(connection, row, mode, utcnow())
        except UsageError as error:
            # Another run has this source: the others are harvested all the same.
            return Result(row.name, "busy", Tally(), error.code, error.message)
    told = (lambda change: _print_change(row.name, change)) if dry else (lambda change: None)
    watch = worker.Watch(lambda tally: show_tally(bars, task, tally), told)
    return worker.execute(engine, settings, row, run_id, mode, utcnow, dry=dry, watch=watch)


def _print_change(source: str, change: Change) -> None:
    out.print(f"{source}\t{change.action}\t{escape(change.guid)}\t{escape(change.title or '')}", soft_wrap=True)


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
