"""`harvester token`: who may use the API."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.markup import escape
from sqlalchemy import Row

from harvester import tokens
from harvester.catalogue.database import writing
from harvester.cli.shared import err, opened, out, table_of
from harvester.schedule import utcnow

app = typer.Typer(no_args_is_help=True, help="Create, list and revoke tokens of the API.")
Name = Annotated[str, typer.Argument(help="Name of the token: whose it is, or what for.")]


@app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, run (start, cancel, confirm runs) or admin (sources too).")],
    days: Annotated[int | None, typer.Option(help="Good for so many days; for ever without.", min=1, max=36500)] = None,
) -> None:
    """Create a token and print it, for the only time."""
    with opened() as (_, engine), writing(engine) as connection:
        token = tokens.create(connection, name, scope, utcnow(), days)
    err.print(f"token [bold]{escape(name)}[/] ({scope}); it is shown only now. Use: Authorization: Bearer TOKEN")
    # Alone on standard output, so that a script can keep it.
    out.print(token, soft_wrap=True, markup=False)


@app.command("list")
def list_() -> None:
    """List the tokens: what each may do, until when, and when it was used last."""
    now = utcnow()
    with opened() as (_, engine), engine.connect() as connection:
        rows = tokens.listed(connection)
    columns = ["name", "scope", "state", "created_at", "expires_at", "used_at"]
    out.print(table_of(columns, [_line(row, tokens.state(row, now)) for row in rows]))


@app.command()
def revoke(name: Name) -> None:
    """Let a token open nothing from now on."""
    with opened() as (_, engine), writing(engine) as connection:
        tokens.revoke(connection, name, utcnow())
    out.print(f"revoked token [bold]{escape(name)}[/]")


def _line(row: Row[Any], state: str) -> list[object]:
    moments = (row.created_at, row.expires_at, row.used_at)
    return [row.name, ",".join(row.scopes), state, *(f"{at:%Y-%m-%d %H:%M}" if at else None for at in moments)]
