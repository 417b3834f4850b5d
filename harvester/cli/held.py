"""`harvester run confirm` and `harvester run discard`: decide on a held run."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy import Engine, Row

from harvester import held
from harvester.cli.shared import opened, out
from harvester.errors import UsageError
from harvester.following import bring_up_to_date
from harvester.schedule import utcnow

PAGE = 1000
RunId = Annotated[int, typer.Argument(metavar="RUN", help="Id of a held run, as `harvester runs` lists it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def confirm(run_id: RunId, yes: Yes = False) -> None:
    """Retire what a held run did not find, after showing it by name."""
    with opened() as (settings, engine):
        row, number = _shown(engine, run_id)
        if not yes and not typer.confirm(f"Retire these {number} records of {row.source}?"):
            raise UsageError("nothing was retired", code="not-confirmed")
        retired = held.confirm(engine, run_id, _who(), utcnow())
        bring_up_to_date(engine, settings)
    out.print(f"retired {retired} records of [bold]{row.source}[/]")


def discard(run_id: RunId, yes: Yes = False) -> None:
    """Keep what a held run did not find: its answer was wrong."""
    with opened() as (_, engine):
        row, number = _shown(engine, run_id)
        if not yes and not typer.confirm(f"Keep these {number} records of {row.source}?"):
            raise UsageError("nothing was decided", code="not-confirmed")
        held.discard(engine, run_id, _who())
    out.print(f"kept {number} records of [bold]{row.source}[/]")


def _shown(engine: Engine, run_id: int) -> tuple[Row[Any], int]:
    """The run and how many records it would retire, each printed."""
    number = after = 0
    with engine.connect() as connection:
        row = held.held(connection, run_id)
        while page := held.would_go(connection, row, after, PAGE):
            for found in page:
                out.print(f"{escape(found.guid)}\t{escape(found.title or '')}", soft_wrap=True)
            after, number = page[-1].id, number + len(page)
    return row, number


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container whose user has no name.
        return "command line"
