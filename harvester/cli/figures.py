"""`harvester figures`: what the catalogue holds, how it grows, whether it is as fresh as its producers promise."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import orjson
import typer
from sqlalchemy import Engine

from harvester.catalogue import agents
from harvester.catalogue.following import follow
from harvester.cli.shared import err, opened, progress_bars
from harvester.errors import UsageError
from harvester.figures import counting, reading
from harvester.figures.forms import FORMATS, as_csv, as_text, asked, plain, values_csv
from harvester.figures.report import Asked
from harvester.figures.table import BY_NAME
from harvester.schedule import utcnow
from harvester.search import Index, open_index
from harvester.search import refresh as refresh_index


def figures(
    source: Annotated[str | None, typer.Option(help="Only datasets that this source lists.")] = None,
    space: Annotated[str | None, typer.Option(help="Only this space, by name.")] = None,
    at: Annotated[str | None, typer.Option(metavar="DAY", help="As at the end of that day: 2026-11-22.")] = None,
    since: Annotated[str | None, typer.Option(metavar="MONTH", help="Months from this one on: 2026-01.")] = None,
    until: Annotated[str | None, typer.Option(metavar="MONTH", help="Months up to this one: 2026-11.")] = None,
    top: Annotated[int, typer.Option(help="How many values of each dimension.", min=1, max=1000)] = 10,
    by: Annotated[
        str | None, typer.Option(metavar="DIMENSION", help=f"Every value of one, as CSV: {', '.join(BY_NAME)}.")
    ] = None,
    format: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "text",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Count every dataset again first.")] = False,
) -> None:
    """Print key figures: of everything, a source or a space; now, or as of a day."""
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}; use {', '.join(FORMATS)}", code="unknown-format")
    with opened() as (settings, engine):
        wanted = asked(source, space, at, since, until, top, settings.language)
        _count(engine, settings.language, rebuild)
        index = open_index(settings)
        if space is not None:
            refresh_index(engine, index)
        _write(_told(engine, index, wanted, by, format))


def _told(engine: Engine, index: Index, wanted: Asked, by: str | None, format: str) -> Iterable[str]:
    with engine.connect() as connection:
        if by is not None:
            return list(values_csv(by, reading.values(connection, index, wanted, by, utcnow())))
        found = reading.report(connection, index, wanted, utcnow())
    if format == "json":
        return [orjson.dumps(plain(found), option=orjson.OPT_INDENT_2).decode() + "\n"]
    return as_csv(found) if format == "csv" else as_text(found)


def _count(engine: Engine, language: str, rebuild: bool) -> None:
    with progress_bars() as bars:
        task = bars.add_task("counting", total=None)

        def show(done: int) -> None:
            bars.update(task, completed=done)

        by = counting.follower(language)
        # Who publishes what is known first.
        follow(engine, agents.FOLLOWER, utcnow)
        done = counting.rebuild(engine, utcnow, show, by) if rebuild else follow(engine, by, utcnow, progress=show)
        bars.update(task, visible=done > 0)
    if rebuild:
        err.print(f"counted {done:,} datasets")


def _write(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()
