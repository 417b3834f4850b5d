"""`harvester notify`: whether those who are to be told of runs are reached."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine, select

from harvester import sources
from harvester.catalogue import queries, tables
from harvester.cli.shared import err, opened, out, table_of
from harvester.errors import HarvesterError, UsageError
from harvester.notices import outbox
from harvester.notices.letters import Fact
from harvester.notices.notify import Rule, loaded, masked
from harvester.schedule import utcnow
from harvester.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Test and list the notices about runs.")
FAILED = 1


@app.command()
def test(source: Annotated[str, typer.Argument(help="Name of the source.")]) -> None:
    """Send a test message to everyone who is told of a source. Exit code 1 when one is not reached."""
    with opened() as (settings, engine):
        rules, fact = _prepared(engine, settings, source)
    reached = [_tried(settings, rule, fact) for rule in rules]
    if not all(reached):
        raise typer.Exit(FAILED)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=1000)] = 50,
) -> None:
    """List the notices that were not sent yet, with the error of the last attempt."""
    columns = ["id", "source", "run_id", "event", "channel", "target", "due_at", "attempts", "error"]
    notices, names = tables.notices, tables.sources.c.name.label("source")
    statement = select(notices, names).join(tables.sources, tables.sources.c.id == notices.c.source_id)
    with opened() as (_, engine), engine.connect() as connection:
        rows = connection.execute(
            statement.where(notices.c.sent_at.is_(None)).order_by(notices.c.id).limit(limit)
        ).all()
    shown = [row._asdict() | {"target": masked(row.channel, row.target)} for row in rows]
    out.print(table_of(columns, [[row[column] for column in columns] for row in shown]))


def _prepared(engine: Engine, settings: Settings, name: str) -> tuple[list[Rule], Fact]:
    with engine.connect() as connection:
        row = sources.named(connection, name)
        latest = queries.latest_runs(connection, [row.id]).get(row.id)
        fact = outbox.fact_of(connection, settings, row, latest, "test")
    rules = loaded(row.notify)
    if not rules:
        raise UsageError(f"nobody is told of {name}; see harvester source edit --help", code="nobody-told")
    return rules, fact


def _tried(settings: Settings, rule: Rule, fact: Fact) -> bool:
    whom = f"{rule.channel} {escape(masked(rule.channel, rule.to))}"
    try:
        outbox.send(settings, rule.channel, rule.to, [fact], f"test-{secrets.token_hex(8)}", utcnow())
    except HarvesterError as error:
        err.print(f"[red]not sent[/] {whom}: {escape(error.message)}", soft_wrap=True)
        return False
    out.print(f"sent {whom}", soft_wrap=True)
    return True
