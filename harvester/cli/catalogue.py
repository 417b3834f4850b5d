"""`harvester search`, `index` and `vocabulary`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy import Engine

from harvester import sources, spaces
from harvester.catalogue import queries
from harvester.cli.shared import opened, out, progress_bars, table_of
from harvester.fields.languages import preferred
from harvester.search import Scope, SearchRequest, SearchResult, open_index
from harvester.search import rebuild as rebuild_index
from harvester.search import refresh as refresh_index

index_app = typer.Typer(no_args_is_help=True, help="The search index, derived from the catalogue.")
vocabulary_app = typer.Typer(no_args_is_help=True, help="Controlled vocabularies and what did not resolve.")


_RELAXED = {
    "most": " (none has every word: these have most of them)",
    "any": " (none has every word: these have one of them)",
    "fuzzy": " (none has these words: these have similar ones)",
}


def search(
    query: Annotated[list[str], typer.Argument(help="Words to look for; none lists everything.")] = [],  # noqa: B006
    where: Annotated[
        list[str], typer.Option("--filter", "-f", metavar="NAME=VALUE", help="As in the API, e.g. theme=TRAN.")
    ] = [],  # noqa: B006
    sort: Annotated[str, typer.Option(help="relevance, -modified, modified, -issued, title.")] = "relevance",
    size: Annotated[int, typer.Option(help="How many results.", min=1, max=100)] = 10,
    page: Annotated[int, typer.Option(help="Which page of results.", min=1)] = 1,
    space: Annotated[str | None, typer.Option(help="Only in this space.")] = None,
) -> None:
    """Search the catalogue and print the first results."""
    with opened() as (settings, engine):
        index = open_index(settings)
        refresh_index(engine, index)
        request = SearchRequest(
            q=" ".join(query),
            filters=spaces.parse_filters(where),
            sort=sort,
            page=page,
            size=size,
            within=_scopes(engine, space),
        )
        print_results(index.search(request), settings.language)


def _scopes(engine: Engine, space: str | None) -> tuple[Scope, ...]:
    if space is None:
        return ()
    with engine.connect() as connection:
        return (spaces.named(connection, space).scope,)


def print_results(found: SearchResult, language: str) -> None:
    """Results as a person reads them: title, publisher, sources, formats, where to read on."""
    relaxed = _RELAXED.get(found.relaxed, "") if found.total else ""
    out.print(f"[bold]{found.total}[/] datasets{relaxed}")
    for hit in found.hits:
        card = hit.card
        title = preferred(card["title"], language) or card["id"]
        sources_named = ", ".join(source["name"] for source in card["sources"])
        day = (card["modified"] or "")[:10]
        facts = (preferred(card["publisher"], language), sources_named, ", ".join(card["formats"]), day)
        out.print(f"\n[bold]{escape(title)}[/]", soft_wrap=True)
        out.print(f"  [dim]{escape(' · '.join(fact for fact in facts if fact))}[/]", soft_wrap=True)
        out.print(f"  /api/datasets/{card['id']}", soft_wrap=True)


@index_app.command()
def rebuild() -> None:
    """Build the index anew from the catalogue; searches go on meanwhile."""
    with opened() as (settings, engine), progress_bars() as bars:
        task = bars.add_task("indexing", total=None)
        number = rebuild_index(
            engine, open_index(settings), lambda done, total: bars.update(task, completed=done, total=total)
        )
    out.print(f"indexed {number} datasets")


@index_app.command()
def refresh() -> None:
    """Bring the index up to date with the change log."""
    with opened() as (settings, engine):
        out.print(f"applied {refresh_index(engine, open_index(settings))} changes")


@vocabulary_app.command()
def unmatched(
    source: Annotated[str | None, typer.Option(help="Only of this source.")] = None,
    vocabulary: Annotated[str | None, typer.Option(help="Only of this vocabulary, e.g. licence.")] = None,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=100_000)] = 100,
) -> None:
    """List the values that stand for no known concept, by source and count."""
    with opened() as (_, engine), engine.connect() as connection:
        source_id = sources.named(connection, source).id if source else None
        rows = queries.unmatched_values(connection, source_id, vocabulary, limit)
    out.print(table_of(["source", "vocabulary", "text", "count"], [list(row) for row in rows]))
