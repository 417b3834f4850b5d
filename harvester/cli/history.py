"""`harvester run diff`, `harvester dataset history` and `harvester clean`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Lock
from typing import Annotated

import orjson
import typer

from harvester.catalogue import past
from harvester.catalogue.history import SECTIONS
from harvester.catalogue.past import ACTIVE, UNKNOWN, Past
from harvester.cli.shared import err, opened, out, progress_bars
from harvester.errors import UsageError
from harvester.fields.when import instant, when
from harvester.harvest import Change
from harvester.history import chronicle, retention
from harvester.history.diffs import FORMS, Line, written
from harvester.schedule import utcnow

FORMATS = ", ".join(FORMS)
Format = Annotated[str, typer.Option("--format", help=f"One of {FORMATS}.")]

dataset_app = typer.Typer(no_args_is_help=True, help="One dataset: what became of it, what it was.")


def diff(
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="Id of the run, as `harvester runs` lists it.", min=1)],
    format: Format = "text",
    action: Annotated[
        list[str],
        typer.Option(help=f"Only this: {', '.join(SECTIONS)}; repeat it for several. All but unchanged."),
    ] = [],  # noqa: B006
) -> None:
    """Tell by name what a run created, updated (field by field), retired, restored, and what failed."""
    wanted, form = chronicle.checked_actions(action), checked_format(format)
    with opened() as (_, engine):
        with engine.connect() as connection:
            run = chronicle.known_run(connection, run_id)
            counts = chronicle.counts(connection, run)
        _write(written(chronicle.diff_lines(engine, run, wanted), form))
    told = ", ".join(f"{number:,} {name}" for name, number in counts.counts.items() if number)
    err.print(f"run {run.id} of {run.source}, {run.status}: {told or 'nothing changed'}")
    if "unchanged" in wanted and counts.counts["unchanged"] and not counts.unchanged_named:
        err.print("the unchanged ones can only be named until the next run of the source")


@dataset_app.command("history")
def history(
    key: Annotated[str, typer.Argument(help="Public key of the dataset, as searches and exports give it.")],
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Show what it was then: 2026-01-01 or 2026-01-01T12:00:00Z.")
    ] = None,
    format: Format = "text",
    limit: Annotated[int, typer.Option(help="How many revisions at most, newest first.", min=1)] = 100,
) -> None:
    """List what became of a dataset, field by field; or print what it was at an instant, as JSON."""
    form = checked_format(format)
    with opened() as (_, engine), engine.connect() as connection:
        if at is None:
            _write(written(chronicle.history_page(connection, key, limit=limit), form))
            return
        found = past.dataset_at(connection, key, moment(at)) if key.isalnum() else None
    _print_past(found, key)


def clean() -> None:
    """Delete what is older than the settings keep: history, problems, notices, runs, what retired records said."""
    with opened() as (settings, engine), progress_bars() as bars:
        task = bars.add_task("cleaning", total=None)

        def show(name: str, number: int) -> None:
            bars.update(task, description=f"cleaning {name}", advance=number)

        swept = retention.sweep(engine, settings, utcnow(), told=show)
    out.print(", ".join(f"{number:,} {name}" for name, number in swept.items()) + " deleted")


class Teller:
    """Prints the changes of a dry run as they come, from several sources at once."""

    def __init__(self, format: str) -> None:
        self._form = FORMS[checked_format(format)]()
        self._lock = Lock()
        sys.stdout.write(self._form.head())

    def tell(self, source: str, change: Change) -> None:
        """Print one change."""
        told = (change.action, change.guid, change.title, change.fields, change.code, change.message, change.was)
        with self._lock:
            sys.stdout.write(self._form.line(Line(*told, source=source)))

    def end(self) -> None:
        """Print what stands after the last change."""
        sys.stdout.write(self._form.foot())
        sys.stdout.flush()


def checked_format(name: str) -> str:
    """The name of a form.  Raises `UsageError` on any other word."""
    if name not in FORMS:
        raise UsageError(f"there is no format {name!r}; use {FORMATS}", code="unknown-format")
    return name


def moment(text: str) -> datetime:
    """A date, from its first second on, or an instant.  Raises `UsageError`."""
    found = instant(when(text.strip()))
    if found is None:
        raise UsageError(f"{text!r} is no date; write 2026-01-31 or 2026-01-31T12:00:00Z", code="bad-parameter")
    return found.astimezone(UTC)


def _write(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()


def _print_past(found: Past | None, key: str) -> None:
    if found is None:
        raise UsageError(f"there is no dataset {key!r}", code="unknown-dataset")
    if found.status == ACTIVE:
        sys.stdout.write(orjson.dumps(found.metadata, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    if found.status == UNKNOWN:
        since = f"; what it was is kept from {found.known_since:%Y-%m-%d %H:%M} UTC on" if found.known_since else ""
        raise UsageError(f"what this dataset was then is not kept{since}", code="not-kept")
    told = "it had not been found yet" if found.status == past.ABSENT else "no source listed it"
    raise UsageError(f"there was no such dataset then: {told}", code="not-there")
