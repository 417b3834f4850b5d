"""The command line: thin, every command is a few calls into the service; errors become one sentence and exit code 2."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.logging import RichHandler
from rich.markup import escape
from sqlalchemy.exc import SQLAlchemyError

from harvester import __version__, garbage
from harvester.cli import (
    agents,
    catalogue,
    exporting,
    figures,
    held,
    history,
    identity,
    links,
    notify,
    quality,
    reconcile,
    running,
    serving,
    sources,
    spaces,
    tokens,
    validating,
)
from harvester.cli import ready as readiness
from harvester.cli.shared import err
from harvester.errors import HarvesterError, UsageError

USAGE = 2

app = typer.Typer(
    name="harvester",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Harvest the metadata of many open-data portals into one catalogue, keep it true, and serve it.\n\n"
    "Start with `harvester demo`, or add a portal of your own: `harvester source add URL`, `harvester run`, "
    "`harvester search water`, `harvester up`.\n\n"
    "Everything is kept in one data directory (`HARVESTER_DATA`, by default `harvester-data` here). "
    "Exit codes: 0 done, 1 a source failed, 2 the command does not fit.",
)
app.add_typer(sources.app, name="source", rich_help_panel="Sources")
app.add_typer(spaces.app, name="space", rich_help_panel="Catalogue")
app.add_typer(agents.app, name="agent", rich_help_panel="Catalogue")
app.add_typer(catalogue.index_app, name="index", rich_help_panel="Catalogue")
app.add_typer(catalogue.vocabulary_app, name="vocabulary", rich_help_panel="Catalogue")
running.app.command("confirm")(held.confirm)
running.app.command("discard")(held.discard)
running.app.command("diff")(history.diff)
app.add_typer(running.app, name="run", rich_help_panel="Harvest")
app.command("replay", rich_help_panel="Harvest")(running.replay)
app.add_typer(reconcile.app, name="reconcile", rich_help_panel="Catalogue")
app.command("runs", rich_help_panel="Harvest")(running.runs)
app.command("problems", rich_help_panel="Harvest")(running.problems)
history.dataset_app.command("explain")(identity.explain)
history.dataset_app.command("join")(identity.join)
history.dataset_app.command("split")(identity.split)
history.dataset_app.command("pin")(identity.pin)
app.add_typer(identity.identity_app, name="identity", rich_help_panel="Catalogue")
app.add_typer(history.dataset_app, name="dataset", rich_help_panel="Catalogue")
app.command("search", rich_help_panel="Catalogue")(catalogue.search)
app.command("figures", rich_help_panel="Catalogue")(figures.figures)
app.command("export", rich_help_panel="Catalogue")(exporting.export)
app.command("dump", rich_help_panel="Catalogue")(exporting.dump)
app.add_typer(links.app, name="links", rich_help_panel="Catalogue")
app.add_typer(quality.app, name="quality", rich_help_panel="Catalogue")
app.command("validate", rich_help_panel="Catalogue")(validating.validate)
app.command("up", rich_help_panel="Serve")(serving.up)
app.command("api", rich_help_panel="Serve")(serving.api)
app.command("worker", rich_help_panel="Serve")(serving.work)
app.command("scheduler", rich_help_panel="Serve")(serving.schedule)
app.command("demo", rich_help_panel="Serve")(serving.demo)
app.add_typer(tokens.app, name="token", rich_help_panel="Serve")
app.add_typer(notify.app, name="notify", rich_help_panel="Harvest")
app.command("clean", rich_help_panel="Serve")(history.clean)
app.command("migrate", rich_help_panel="Serve")(serving.migrate)
app.command("ready", rich_help_panel="Serve")(readiness.ready)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"harvester {__version__}")
        raise typer.Exit


@app.callback()
def options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens, on standard error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What holds for every command."""
    level = logging.INFO if verbose else logging.ERROR
    logging.basicConfig(level=level, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)])


def main() -> None:
    """The entry point: a mistake is told in one sentence, never in a traceback."""
    garbage.seldom()
    try:
        app()
    except UsageError as error:
        err.print(f"[red]error:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        sys.exit(USAGE)
    except HarvesterError as error:
        err.print(f"[red]error:[/] {escape(error.message)}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except ValidationError as error:
        wrong = "; ".join(f"HARVESTER_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        err.print(f"[red]error:[/] {escape(wrong)}", highlight=False, soft_wrap=True)
        sys.exit(USAGE)
    except (OSError, SQLAlchemyError) as error:
        err.print(f"[red]error:[/] {escape(str(error).splitlines()[0])}", highlight=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
