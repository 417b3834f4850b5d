"""`harvester space`: add, list, show, edit, remove."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import Engine

from harvester import spaces
from harvester.catalogue.database import writing
from harvester.cli.shared import opened, out, table_of
from harvester.errors import UsageError
from harvester.fields.languages import preferred
from harvester.schedule import utcnow
from harvester.search import open_index, refresh
from harvester.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Named parts of the catalogue, each with its page and its exports.")

Name = Annotated[str, typer.Argument(help="Name of the space: lower case letters, digits and hyphens.")]
Title = Annotated[
    list[str], typer.Option("--title", help="Title, in the catalogue's language or as `en=Culture`; repeat it.")
]
Description = Annotated[list[str], typer.Option("--description", help="Description, likewise.")]
Filter = Annotated[
    list[str], typer.Option("--filter", "-f", metavar="NAME=VALUE", help="As of a search, e.g. theme=EDUC; repeat it.")
]
Words = Annotated[str | None, typer.Option("--q", help="Words that every dataset of the space has.")]
_WIDE_PAGE = 1000


@app.command()
def add(
    name: Name,
    title: Title = [],  # noqa: B006
    description: Description = [],  # noqa: B006
    where: Filter = [],  # noqa: B006
    q: Words = None,
) -> None:
    """Add a space: the datasets that a search with these words and filters finds."""
    with opened() as (settings, engine):
        with writing(engine) as connection:
            spaces.add(
                connection,
                name,
                utcnow(),
                title=spaces.parse_texts(title, settings.language),
                description=spaces.parse_texts(description, settings.language),
                q=q or "",
                given=spaces.parse_filters(where),
            )
        size = _size(settings, engine, name)
        out.print(f"added space [bold]{name}[/] with {size} datasets: {settings.address}/spaces/{name}")


@app.command(name="list")
def list_spaces() -> None:
    """List the spaces with the number of their datasets."""
    with opened() as (settings, engine):
        index = open_index(settings)
        refresh(engine, index)
        after, rows = "", []
        with engine.connect() as connection:
            while page := spaces.listed(connection, after, _WIDE_PAGE):
                rows += [_line(space, index.size([space.scope]), settings.language) for space in page]
                after = page[-1].name
    out.print(table_of(["name", "title", "words", "filters", "datasets"], rows))


@app.command()
def show(name: Name) -> None:
    """Show one space."""
    with opened() as (settings, engine):
        with engine.connect() as connection:
            space = spaces.named(connection, name)
        texts = [("title", space.title), ("description", space.description)]
        facts: list[list[object]] = [["name", space.name]]
        facts += [[f"{label} ({tag})", text] for label, found in texts for tag, text in found.items()]
        facts += [["words", space.q]]
        facts += [[label, ", ".join(values)] for label, values in space.filters.items()]
        facts += [["created at", space.created_at], ["changed at", space.changed_at]]
        out.print(table_of(["", ""], [*facts, ["datasets", _size(settings, engine, name)]]))


@app.command()
def edit(
    name: Name,
    title: Title = [],  # noqa: B006
    description: Description = [],  # noqa: B006
    where: Filter = [],  # noqa: B006
    q: Words = None,
) -> None:
    """Change a space: the title, description or words given; filters given replace all of them, `name=` removes one."""
    with opened() as (settings, engine), writing(engine) as connection:
        given = spaces.parse_filters(where)
        kept = spaces.named(connection, name).filters | given if given else None
        spaces.edit(
            connection,
            name,
            utcnow(),
            title=spaces.parse_texts(title, settings.language) if title else None,
            description=spaces.parse_texts(description, settings.language) if description else None,
            q=q,
            given=kept,
        )
    out.print(f"changed space [bold]{name}[/]")


@app.command()
def remove(name: Name, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Remove a space; its datasets stay in the catalogue."""
    with opened() as (_, engine):
        with engine.connect() as connection:
            spaces.named(connection, name)
        if not yes and not typer.confirm(f"Remove the space {name}?"):
            raise UsageError("nothing was removed", code="not-confirmed")
        with writing(engine) as connection:
            spaces.remove(connection, name)
    out.print(f"removed space [bold]{name}[/]")


def _size(settings: Settings, engine: Engine, name: str) -> int:
    index = open_index(settings)
    refresh(engine, index)
    with engine.connect() as connection:
        return index.size([spaces.named(connection, name).scope])


def _line(space: spaces.Space, size: int, language: str) -> list[object]:
    filters = ", ".join(f"{name}={value}" for name, values in space.filters.items() for value in values)
    return [space.name, preferred(space.title, language), space.q, filters, size]
