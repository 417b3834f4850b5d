"""`harvester reconcile`: whether everything of a source arrived at another, and what is here already."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import Progress, TaskID
from sqlalchemy import Connection, Engine, Row

from harvester import registry, sources
from harvester.catalogue.database import writing
from harvester.cli.running import StartGroup
from harvester.cli.shared import err, opened, out, progress_bars, table_of
from harvester.connector import Source
from harvester.errors import UsageError
from harvester.http import Http
from harvester.reconcile import keeping, overlap, reports
from harvester.reconcile.advising import LOOKED_AT, advise
from harvester.reconcile.lines import Line
from harvester.reconcile.running import perform
from harvester.reconcile.telling import every_line, summary
from harvester.reconcile.words import Verdict
from harvester.schedule import utcnow
from harvester.settings import Settings

app = typer.Typer(
    cls=StartGroup,
    help="Did everything arrive? `reconcile SOURCE TARGET` is short for `reconcile start SOURCE TARGET`.",
)
FORMATS = ("summary", *reports.MEDIA_TYPES)
_MOST = 1000

SourceName = Annotated[str, typer.Argument(metavar="SOURCE", help="Name of the producer's portal.")]
TargetName = Annotated[str, typer.Argument(metavar="TARGET", help="Name of the portal that should hold it all.")]
Number = Annotated[int, typer.Argument(metavar="RECONCILIATION", help="Its number, as `list` tells it.", min=1)]
Format = Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}; all but the first name records.")]
OfVerdict = Annotated[str | None, typer.Option("--verdict", help=f"Only this: {', '.join(Verdict)}.")]
Changed = Annotated[
    str | None, typer.Option("--change", help="Only what appeared, was solved or vanished since the time before.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def start(
    source: SourceName,
    target: Annotated[
        str | None, typer.Argument(metavar="[TARGET]", help="Portal that should hold it; every other one when none.")
    ] = None,
    format: Format = "summary",
    verdict: OfVerdict = None,
    output: Output = None,
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to the services, and return at once.")] = False,
) -> None:
    """Give every record of SOURCE and of TARGET one verdict, and keep it; both have been harvested here.

    Without TARGET: where else each record of SOURCE is, and how it fares there.
    """
    form = _checked(format, verdict, None)
    with opened() as (settings, engine):
        if target is None:
            _everywhere(engine, source, as_json=format != "summary")
            return
        number = _asked(engine, source, target)
        if queue:
            out.print(f"reconciliation {number} is queued; look at it with: harvester reconcile show {number}")
            return
        _worked_out(engine, settings, number)
        _print(engine, number, form, verdict, None, output)


@app.command()
def show(
    reconciliation: Number,
    format: Format = "summary",
    verdict: OfVerdict = None,
    change: Changed = None,
    output: Output = None,
) -> None:
    """Show a reconciliation again: its totals, or its records in a form to send to the producer."""
    form = _checked(format, verdict, change)
    with opened() as (_, engine):
        _print(engine, reconciliation, form, verdict, change, output)


@app.command(name="list")
def list_reconciliations(
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    target: Annotated[str | None, typer.Option(help="Only with this target.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most, newest first.", min=1, max=_MOST)] = 50,
    as_json: AsJson = False,
) -> None:
    """List the reconciliations with their verdicts: the trend, when one source and target are named."""
    with opened() as (_, engine), engine.connect() as connection:
        mine, theirs = (None if name is None else sources.named(connection, name).id for name in (source, target))
        rows = keeping.listed(connection, mine, theirs, limit=limit)
    if as_json:
        _print_json([summary(row) for row in rows])
        return
    out.print(table_of(["no.", "source", "target", "status", "asked", "verdicts"], [_facts(row) for row in rows]))


@app.command()
def cancel(reconciliation: Number) -> None:
    """Cancel a reconciliation that waits or goes on."""
    with opened() as (_, engine), writing(engine) as connection:
        row = _row(connection, reconciliation)
        if not keeping.cancel(connection, reconciliation, utcnow(), "the command line"):
            raise UsageError(f"reconciliation {reconciliation} has ended already: {row.status}", code="not-live")
    out.print(f"cancelled reconciliation {reconciliation}")


@app.command()
def matrix(target: TargetName, as_json: AsJson = False) -> None:
    """Every source against TARGET: how much of each has arrived, by its last reconciliation or by shared datasets."""
    with opened() as (_, engine), engine.connect() as connection:
        row, after, cells = sources.named(connection, target), "", list[overlap.Cell]()
        while page := overlap.matrix(connection, row, after, _MOST):
            cells, after = [*cells, *page], page[-1].source
    if as_json:
        _print_json([overlap.plain(cell) for cell in cells])
        return
    rows: list[list[object]] = [
        [cell.source, cell.records, cell.arrived, _percent(cell.share), cell.reconciliation or "shared datasets"]
        for cell in cells
    ]
    out.print(table_of(["source", "records", f"at {target}", "share", "by"], rows))


@app.command("advise")
def advice(
    url: Annotated[str, typer.Argument(help="Address of a portal that is not a source yet.")],
    sample: Annotated[int, typer.Option(help="How many of its records to look at.", min=1)] = LOOKED_AT,
    as_json: AsJson = False,
) -> None:
    """Say how much of a portal is here already, and through which sources, before it is added."""
    with opened() as (settings, engine), Http(settings) as http:
        found, _ = registry.recognise(http, sources.with_scheme(url))
        if not found:
            raise UsageError(f"no connector recognises {url}", code="not-recognised")
        options = registry.options(found[0].connector, {})
        told = advise(engine, http, Source("candidate", found[0].url, options), found[0].connector, sample)
    if as_json:
        _print_json({"looked_at": told.looked_at, "through": [one.plain(told.looked_at) for one in told.through]})
        return
    for one in told.through:
        out.print(one.words(told.looked_at), markup=False)
    if not told.through:
        out.print(f"none of the {told.looked_at} records looked at is here")


def _checked(format: str, verdict: str | None, change: str | None) -> str:
    for value, known, what in ((format, FORMATS, "format"), (verdict, tuple(Verdict), "verdict")):
        if value is not None and value not in known:
            raise UsageError(f"there is no {what} {value!r}; use {', '.join(known)}", code="bad-parameter")
    if change is not None and change not in keeping.CHANGES:
        raise UsageError(f"there is no change {change!r}; use {', '.join(keeping.CHANGES)}", code="bad-parameter")
    return format


def _asked(engine: Engine, source: str, target: str) -> int:
    with writing(engine) as connection:
        pair = (sources.named(connection, source).id, sources.named(connection, target).id)
        return keeping.ask(connection, *pair, utcnow(), None)


def _worked_out(engine: Engine, settings: Settings, number: int) -> None:
    with writing(engine) as connection:
        ref = keeping.claim(connection, utcnow(), number)
    if ref is None:
        message = f"reconciliation {number} goes on elsewhere; look at it with: harvester reconcile show {number}"
        raise UsageError(message, code="already-running")
    with progress_bars() as bars:
        task = bars.add_task("reconciling", total=None)
        perform(engine, ref, utcnow, lambda *told: _show_stage(bars, task, *told), kept=settings.reconciliations_kept)


def _show_stage(bars: Progress, task: TaskID, stage: str, done: int, total: int | None) -> None:
    bars.update(task, description=stage, completed=done, total=total)


def _row(connection: Connection, number: int) -> Row[Any]:
    row = keeping.one(connection, number)
    if row is None:
        raise UsageError(f"there is no reconciliation {number}", code="unknown-reconciliation")
    return row


def _print(
    engine: Engine, number: int, form: str, verdict: str | None, change: str | None, output: Path | None
) -> None:
    with engine.connect() as connection:
        row = _row(connection, number)
    told = summary(row)
    lines: Iterator[Line] = every_line(engine, row, verdict, change)
    pieces = reports.written(told, iter(()), "text") if form == "summary" else reports.written(told, lines, form)
    if output is not None:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(pieces)
        err.print(f"wrote {output}", markup=False)
        return
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()


def _everywhere(engine: Engine, source: str, as_json: bool) -> None:
    with engine.connect() as connection:
        row, after = sources.named(connection, source), 0
        while page := overlap.everywhere(connection, row.id, after, 200):
            for number, mine, others in page:
                after = number
                _print_places(mine, others, as_json)


def _print_places(mine: Any, others: list[overlap.Elsewhere], as_json: bool) -> None:
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(overlap.places(mine, others)) + b"\n")
        return
    told = ", ".join(f"{one.source}: {one.verdict.verdict}" for one in others) or "nowhere else"
    out.print(f"{mine.guid}\t{mine.title or ''}\t{told}", markup=False, soft_wrap=True)


def _facts(row: Row[Any]) -> list[object]:
    counts = (row.counts or {}).get("verdicts", {})
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts.get(verdict))
    return [row.id, row.source, row.target, row.status, f"{row.queued_at:%Y-%m-%d %H:%M}", told]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _print_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
