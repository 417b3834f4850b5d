"""`harvester dataset explain|join|split|pin`, `harvester identity`: why records are one dataset, what people say."""

from __future__ import annotations

import csv
import getpass
import sys
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from harvester import comparing, deciding, reclustering
from harvester.catalogue.clusters.explaining import Explanation, Member, Tie
from harvester.cli.shared import err, opened, out, progress_bars
from harvester.errors import UsageError
from harvester.following import bring_up_to_date
from harvester.history.diffs import safe
from harvester.identity.clusters import JOIN, PIN, SPLIT, Name
from harvester.schedule import utcnow

identity_app = typer.Typer(no_args_is_help=True, help="Which records are one dataset: rules, evidence, review.")

Key = Annotated[str, typer.Argument(help="Public key of the dataset, as searches and exports give it.")]
Why = Annotated[str | None, typer.Option(help="A reason, kept with the decision.")]
Undo = Annotated[bool, typer.Option("--undo", help="Let the latest such decision on the dataset hold no longer.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def explain(key: Key, as_json: AsJson = False) -> None:
    """Tell why the records of a dataset are one, what is near it, and what people decided."""
    with opened() as (_, engine), engine.connect() as connection:
        found = deciding.explained(connection, key)
    if as_json:
        out.print_json(orjson.dumps(plain(found)).decode())
        return
    _print(found)


def join(
    keys: Annotated[list[str], typer.Argument(metavar="KEY...", help="Public keys of the datasets that are one.")],
    why: Why = None,
    undo: Undo = False,
) -> None:
    """Let datasets be one, whatever rules say; with --undo: what was joined by hand is left to the rules again."""
    with opened() as (settings, engine):
        if undo:
            _undone(engine, keys[0], JOIN)
        else:
            out.print(f"they are {deciding.join(engine, keys, getpass.getuser(), why, utcnow())} now")
        bring_up_to_date(engine, settings)


def split(
    key: Key,
    record: Annotated[
        list[str], typer.Option(help="SOURCE/GUID of a record to split off; repeat it for several.")
    ] = [],  # noqa: B006
    why: Why = None,
    undo: Undo = False,
) -> None:
    """Let records be no part of a dataset, whatever rules say; with --undo: leave it to the rules again."""
    with opened() as (settings, engine):
        if undo:
            _undone(engine, key, SPLIT)
        else:
            kept, gone = deciding.split(engine, key, named(record), getpass.getuser(), why, utcnow())
            out.print(f"{kept} goes on; what was split off is {gone}")
        bring_up_to_date(engine, settings)


def pin(key: Key, why: Why = None, undo: Undo = False) -> None:
    """Let a dataset have just the records that it has, whatever rules say later."""
    with opened() as (settings, engine):
        if undo:
            _undone(engine, key, PIN)
        else:
            out.print(f"{deciding.pin(engine, key, getpass.getuser(), why, utcnow())} is pinned")
        bring_up_to_date(engine, settings)


@identity_app.command("status")
def status(as_json: AsJson = False) -> None:
    """Tell how far the catalogue is judged, by which rules, and how many pairs are what."""
    with opened() as (_, engine), engine.connect() as connection:
        found = reclustering.standing(connection)
    if as_json:
        out.print_json(orjson.dumps(found._asdict()).decode())
        return
    out.print(f"rules {found.rules}: {found.current:,} records judged by them, {found.outdated:,} by older ones, ")
    out.print(f"{found.unsigned:,} not yet; {found.crowded:,} keys that too many have; {found.decisions:,} by hand")
    for decision, rules in found.links.items():
        told = ", ".join(f"{number:,} by {rule}" for rule, number in rules.items())
        out.print(f"{decision}: {sum(rules.values()):,} pairs ({told})")


@identity_app.command("update")
def update() -> None:
    """Judge anew every record that the rules of today have not judged; stopped, it goes on there the next time."""
    with opened() as (settings, engine), progress_bars() as bars:
        with engine.connect() as connection:
            found = reclustering.standing(connection)
        task = bars.add_task("judging", total=found.outdated + found.unsigned)
        done = reclustering.renew(engine, utcnow, progress=lambda number: bars.update(task, completed=number))
        bring_up_to_date(engine, settings)
    err.print(f"{done:,} records judged")


@identity_app.command("review")
def review(
    limit: Annotated[int, typer.Option(help="How many pairs at most.", min=1, max=10_000)] = 50,
    after: Annotated[str, typer.Option(help="Continue after this pair, as the list before ends.")] = "0-0",
    as_json: AsJson = False,
) -> None:
    """List the pairs that rules hold for probable and that are two datasets: for a person to join or to leave."""
    with opened() as (_, engine), engine.connect() as connection:
        ties, last = deciding.probable(connection, place(after), limit)
    if as_json:
        out.print_json(orjson.dumps([plain_tie(tie) for tie in ties]).decode())
        return
    for tie in ties:
        _print_tie(tie)
    if last:
        err.print(f"more: --after {last[0]}-{last[1]}")


def place(text: str) -> tuple[int, int]:
    """A pair of numbers.  Raises `UsageError` on anything else."""
    first, _, second = text.partition("-")
    if not (first.isdecimal() and second.isdecimal() and len(text) < 39):
        raise UsageError(f"{text!r} is no place in this list", code="bad-parameter")
    return int(first), int(second)


def named(texts: list[str]) -> list[Name]:
    """Records by SOURCE/GUID.  Raises `UsageError` where there is no slash."""
    for text in texts:
        if "/" not in text:
            raise UsageError(f"{text!r} names no record; write SOURCE/GUID", code="bad-parameter")
    return [Name(*text.split("/", 1)) for text in texts]


def plain(found: Explanation) -> dict[str, Any]:
    """An explanation as JSON has it."""
    words = [{**w._asdict(), "first": [*map(list, w.first)], "second": [*map(list, w.second)]} for w in found.decisions]
    return {
        "key": found.key,
        "records": [member._asdict() for member in found.records],
        "within": [plain_tie(tie) for tie in found.within],
        "near": [plain_tie(tie) for tie in found.near],
        "decisions": words,
    }


def plain_tie(tie: Tie) -> dict[str, Any]:
    """Two records and what they are to each other as JSON has it."""
    return {**tie._asdict(), "a": tie.a._asdict(), "b": tie.b._asdict(), "current": tie.current}


def _print(found: Explanation) -> None:
    out.print(f"dataset {found.key}: {len(found.records)} records")
    for member in found.records:
        out.print(f"  {escape(_called(member))}  {member.status}  {escape(member.title or '')}", soft_wrap=True)
    for title, ties in (("held together by", found.within), ("near it", found.near)):
        if ties:
            out.print(title)
        for tie in ties:
            _print_tie(tie)
    for word in found.decisions:
        names = ", ".join("/".join(name) for name in (*word.first, *word.second))
        told = f"{word.kind} by {word.who} on {word.at:%Y-%m-%d}: {names}{'; ' + word.why if word.why else ''}"
        out.print(f"  by hand: {escape(told)}", soft_wrap=True)


def _print_tie(tie: Tie) -> None:
    age = "" if tie.current else f", of rules {tie.rules}"
    head = f"  {_called(tie.a)} = {_called(tie.b)}: {tie.decision} by {tie.rule} ({tie.score:.2f}{age})"
    out.print(escape(head), soft_wrap=True)
    for sentence in tie.evidence:
        out.print(f"    {escape(sentence)}", soft_wrap=True)


def _called(member: Member) -> str:
    return f"{member.source}/{member.guid}"


def _undone(engine: Any, key: str, kind: str) -> None:
    number = deciding.undo(engine, key, kind, getpass.getuser(), utcnow())
    out.print(f"decision {number} holds no longer")


@identity_app.command("diff")
def diff(
    format: Annotated[str, typer.Option("--format", help="One of text, csv, json (one object a line).")] = "text",
) -> None:
    """Tell by name what `harvester identity update` would join and split; nothing is written."""
    if format not in ("text", "csv", "json"):
        raise UsageError(f"there is no format {format!r}; use text, csv, json", code="unknown-format")
    number = 0
    rows = csv.writer(sys.stdout)
    with opened() as (_, engine):
        for found in comparing.differences(engine):
            _tell(found, format, rows)
            number += 1
    err.print(f"{number:,} differences" if number else "nothing would change")


def _tell(found: comparing.Difference, format: str, rows: Any) -> None:
    names = [[_called(member) for member in part] for part in found.parts]
    if format == "json":
        line = {"action": found.action, "datasets": found.datasets, "parts": names}
        sys.stdout.write(orjson.dumps(line).decode() + "\n")
    elif format == "csv":
        for place, part in enumerate(found.parts, 1):
            for one in part:
                cells = (found.action, "|".join(found.datasets), place, one.source, one.guid, one.title or "")
                rows.writerow([safe(cell) for cell in cells])
    else:
        told = " | ".join(", ".join(part) for part in names)
        out.print(escape(f"{found.action:5}  {' '.join(found.datasets)}  {told}"), soft_wrap=True)
