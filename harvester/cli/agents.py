"""`harvester agent`: list, show, explain, map, unmap, release, name."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlalchemy import Engine

from harvester import following, jsonio
from harvester import publishers as deciding
from harvester.catalogue import publishers
from harvester.catalogue.publishers import AgentView
from harvester.cli.shared import opened, out, table_of
from harvester.schedule import utcnow

app = typer.Typer(no_args_is_help=True, help="Publishers, each one agent across portals.")

Key = Annotated[str, typer.Argument(help="Key of the agent, as `harvester agent list` shows it.")]
NameNumber = Annotated[str, typer.Argument(help="Number of the name, as `harvester agent show` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]
_PAGE = 500


@app.command("list")
def list_(
    words: Annotated[str, typer.Argument(help="Words of its names.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
    as_json: Json = False,
) -> None:
    """List publishers, the oldest first."""
    with opened() as (_, engine):
        found = _listed(engine, words, limit)
    if as_json:
        out.print_json(jsonio.dumps([_facts(view) for view in found]).decode())
        return
    rows: list[list[object]] = [[view.key, view.name, _numbers(view), view.datasets] for view in found]
    out.print(table_of(["key", "name", "identifiers", "datasets"], rows))


@app.command()
def show(key: Key, as_json: Json = False) -> None:
    """Show one publisher with its names."""
    with opened() as (_, engine), engine.connect() as connection:
        _print(deciding.found(connection, key), as_json)


@app.command()
def explain(key: Key, as_json: Json = False) -> None:
    """Say why the names of a publisher are one agent's, and what people decided about it."""
    with opened() as (_, engine), engine.connect() as connection:
        view = deciding.found(connection, key)
    if as_json:
        out.print_json(jsonio.dumps(_facts(view) | _told(view)).decode())
        return
    texts = {name.id: f"{name.id} {name.text} ({name.source})" for name in view.names_seen}
    rows: list[list[object]] = [[texts.get(j.a, j.a), texts.get(j.b, j.b), j.rule, j.why] for j in view.evidence]
    out.print(table_of(["name", "and", "rule", "because"], rows))
    decided: list[list[object]] = [[row.at, row.by, row.action, row.name_id, row.text] for row in view.decisions]
    if decided:
        out.print(table_of(["at", "by", "decision", "name", "text"], decided))


@app.command("map")
def map_(
    what: Annotated[str, typer.Argument(help="Number of a name, or key of an agent: all of its names.")],
    key: Key,
    as_json: Json = False,
) -> None:
    """Give a name, or all names of an agent, to another agent; it wins over the rules for ever."""
    _decide(lambda engine, by, now: deciding.give(engine, what, key, by, now), as_json)


@app.command()
def unmap(name: NameNumber, as_json: Json = False) -> None:
    """Take a name away from its agent; no rule brings it back."""
    _decide(lambda engine, by, now: deciding.take(engine, name, by, now), as_json)


@app.command()
def release(name: NameNumber, as_json: Json = False) -> None:
    """Let the rules decide again whose name it is."""
    _decide(lambda engine, by, now: deciding.release(engine, name, by, now), as_json)


@app.command("name")
def name_(
    key: Key,
    text: Annotated[str, typer.Argument(help="What to call it; empty lets the rules choose.")],
    as_json: Json = False,
) -> None:
    """Say what a publisher is called here."""
    _decide(lambda engine, by, now: deciding.call(engine, key, text, by, now), as_json)


def _decide(decision: Callable[[Engine, str, datetime], AgentView], as_json: bool) -> None:
    with opened() as (settings, engine):
        view = decision(engine, _person(), utcnow())
        following.bring_up_to_date(engine, settings)
        _print(view, as_json)


def _person() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "command line"  # the user has no name in this container


def _listed(engine: Engine, words: str, limit: int) -> list[AgentView]:
    found: list[AgentView] = []
    with engine.connect() as connection:
        while len(found) < limit:
            after = found[-1].id if found else 0
            page = publishers.agent_list(connection, words, after, min(limit - len(found), _PAGE))
            if not page:
                break
            found += page
    return found


def _print(view: AgentView, as_json: bool) -> None:
    if as_json:
        out.print_json(jsonio.dumps(_facts(view)).decode())
        return
    facts: list[list[object]] = [["key", view.key], ["name", view.name], ["named by", view.named_by or "the rules"]]
    facts += [["identifiers", _numbers(view)], ["datasets", view.datasets], ["first seen at", view.first_seen_at]]
    out.print(table_of(["", ""], facts))
    rows: list[list[object]] = [
        [n.id, n.text, n.source, n.uri or n.homepage, n.datasets, "by hand" if n.by_hand else ""]
        for n in view.names_seen
    ]
    out.print(table_of(["number", "name", "source", "page", "datasets", ""], rows))


def _numbers(view: AgentView) -> str:
    return ", ".join(" ".join(pair) for pair in view.identifiers)


def _facts(view: AgentView) -> dict[str, Any]:
    told = {name: getattr(view, name) for name in ("key", "name", "named_by", "datasets")}
    names = [{"id": n.id, "source": n.source, "text": n.text, "datasets": n.datasets} for n in view.names_seen]
    return told | {"identifiers": [" ".join(pair) for pair in view.identifiers], "names": names}


def _told(view: AgentView) -> dict[str, Any]:
    return {
        "rules": deciding.RULES,
        "evidence": [joint._asdict() for joint in view.evidence],
        "decisions": [
            {"at": row.at.isoformat(), "by": row.by, "action": row.action, "name": row.name_id, "text": row.text}
            for row in view.decisions
        ],
    }
