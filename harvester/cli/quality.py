"""`harvester quality`: the score of a source, publisher, space or of everything, what would win most, one dataset."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import orjson
import typer
from typer.core import TyperGroup

from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.cli.shared import err, opened, out, progress_bars
from harvester.errors import UsageError
from harvester.fields.languages import preferred
from harvester.following import catch_up, followers
from harvester.quality import assessing, reading, telling
from harvester.schedule import utcnow
from harvester.search import open_index
from harvester.views import View, view
from harvester.views import follow as follow_index

FORMATS = ("text", "json", "csv")


class _Shown(TyperGroup):
    """`harvester quality paris` is `harvester quality show paris`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the command that is meant where none is named."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Shown,
    help="Metadata quality as data.europa.eu assesses it (MQA, 405 points), and the way up. "
    "`harvester quality [SOURCE]` is short for `harvester quality show [SOURCE]`.",
)
Source = Annotated[str | None, typer.Argument(help="Name of the source; everything when left out.")]
Publisher = Annotated[str | None, typer.Option(help="Only this publisher, by name.")]
Space = Annotated[str | None, typer.Option(help="Only this space, by name.")]
Format = Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")]


@app.command("show")
def show(source: Source = None, publisher: Publisher = None, space: Space = None, format: Format = "text") -> None:
    """Print the score by both rules, and each indicator."""
    _checked(format)
    asked, tally = _counted(source, publisher, space)
    told = telling.summary(tally)
    forms = {"text": lambda: telling.summary_text(_titled(asked), told), "csv": lambda: telling.summary_csv(tally)}
    _write(forms[format]() if format in forms else (_json(told),))


@app.command("fixes")
def fixes(
    source: Source = None,
    publisher: Publisher = None,
    space: Space = None,
    datasets: Annotated[
        str | None, typer.Option(metavar="INDICATOR", help="List the datasets that lack this, as CSV to send on.")
    ] = None,
    format: Format = "text",
) -> None:
    """Print what would win most: how many datasets lack it, the points, and the score after."""
    _checked(format)
    if datasets is not None:
        _list(source, publisher, space, datasets)
        return
    asked, tally = _counted(source, publisher, space)
    forms = {"text": lambda: telling.fixes_text(_titled(asked), tally), "csv": lambda: telling.fixes_csv(tally)}
    _write(forms[format]() if format in forms else (_json({"fixes": telling.fixes_plain(tally)}),))


@app.command("dataset")
def dataset(
    key: Annotated[str, typer.Argument(help="Public key of the dataset, as searches and exports give it.")],
    format: Annotated[str, typer.Option("--format", help="One of text, json.")] = "text",
) -> None:
    """Print what a dataset meets, what it lacks, and how to mend it."""
    if format not in ("text", "json"):
        raise UsageError(f"there is no format {format!r}; use text, json", code="unknown-format")
    with opened() as (settings, engine), engine.connect() as connection:
        found = reading.known_dataset(connection, key)
        told = telling.dataset_plain(reading.dataset_score(connection, found))
        title = preferred(found.dataset.title if found.dataset else {}, settings.language) or key
    _write(telling.dataset_text(title, told) if format == "text" else (_json(told),))


@app.command("rebuild")
def rebuild() -> None:
    """Assess every dataset anew; the trend is kept."""
    with opened() as (_, engine), progress_bars() as bars:
        with writing(engine) as connection:
            assessing.forget(connection)
        task = bars.add_task("assessing", total=None)
        done = follow(engine, assessing.FOLLOWER, utcnow, progress=lambda number: bars.update(task, completed=number))
    out.print(f"{done:,} datasets assessed")


def _counted(source: str | None, publisher: str | None, space: str | None) -> tuple[View, Any]:
    with opened() as (settings, engine):
        index = open_index(settings)
        with engine.connect() as connection:
            asked = view(connection, settings, source=source, publisher=publisher, space=space)
        catch_up(engine, utcnow, following=followers(settings.language))
        follow_index(engine, index, asked)
        with engine.connect() as connection:
            return asked, reading.counts(connection, index, asked)


def _list(source: str | None, publisher: str | None, space: str | None, name: str) -> None:
    item = reading.indicator(name)
    with opened() as (settings, engine):
        index = open_index(settings)
        with engine.connect() as connection:
            asked = view(connection, settings, source=source, publisher=publisher, space=space)
        catch_up(engine, utcnow, following=followers(settings.language))
        follow_index(engine, index, asked)
        with engine.connect() as connection:
            _write(telling.lacking_csv(reading.lacking_all(connection, index, asked, name), item))
    err.print(f"datasets that {item.lacks}: {item.fix}", highlight=False, markup=False)


def _titled(asked: View) -> str:
    return preferred(asked.info.about.title) or "everything"


def _checked(format: str) -> None:
    if format not in FORMATS:
        raise UsageError(f"there is no format {format!r}; use {', '.join(FORMATS)}", code="unknown-format")


def _json(told: Any) -> str:
    return orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n"


def _write(pieces: Iterable[str]) -> None:
    for piece in pieces:
        sys.stdout.write(piece)
    sys.stdout.flush()
