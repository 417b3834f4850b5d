"""Who shares a key with whom: the rows of `blocks`, and which keys too many records have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.prepared import MOST, Key
from harvester.catalogue.tables import blocks, crowded

Keys = Mapping[int, frozenset[Key]]


@dataclass
class Touched:
    """After a change: the records under each key that says something, and those of keys that begin or cease to."""

    holders: dict[int, set[int]] = field(default_factory=dict)
    opened: list[set[int]] = field(default_factory=list)
    closed: list[set[int]] = field(default_factory=list)


@dataclass
class _Step:
    """What is to be written."""

    crowd: dict[int, int] = field(default_factory=dict)
    thin: list[int] = field(default_factory=list)


def move(connection: Connection, before: Keys, after: Keys) -> Touched:
    """Let records give up keys and take others; what they had and have is given for each."""
    gained, lost = _differences(before, after)
    kinds = {key.value: key.kind for keys in (*before.values(), *after.values()) for key in keys}
    crowds = _crowds(connection, kinds)
    touched, step = Touched(holders_of(connection, kinds.keys() - crowds.keys())), _Step()
    for value in gained.keys() | lost.keys():
        most = MOST[kinds[value]]
        if value in crowds:
            _thin_out(value, crowds[value] + len(gained[value]) - len(lost[value]), most, step)
        else:
            _fill(value, gained[value], lost[value], most, touched, step)
    _write(connection, gained, lost)
    _note_crowds(connection, crowds, step)
    thinned = holders_of(connection, step.thin)
    touched.holders |= thinned
    touched.opened += thinned.values()
    return touched


def crowded_among(connection: Connection, values: Collection[int]) -> set[int]:
    """Those of these keys that say nothing."""
    return set(_crowds(connection, values))


def holders_of(connection: Connection, values: Iterable[int]) -> dict[int, set[int]]:
    """key -> the records under it; to be asked for keys alone that are not crowded."""
    found: dict[int, set[int]] = {}
    for part in pieces(values):
        for value, record in connection.execute(select(blocks).where(blocks.c.key.in_(part))):
            found.setdefault(value, set()).add(record)
    return found


def _differences(before: Keys, after: Keys) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    gained: dict[int, set[int]] = defaultdict(set)
    lost: dict[int, set[int]] = defaultdict(set)
    for record in before.keys() | after.keys():
        had = {key.value for key in before.get(record, ())}
        has = {key.value for key in after.get(record, ())}
        for value in has - had:
            gained[value].add(record)
        for value in had - has:
            lost[value].add(record)
    return gained, lost


def _fill(value: int, gained: set[int], lost: set[int], most: int, touched: Touched, step: _Step) -> None:
    """A key that said something: does it still?"""
    was = touched.holders.pop(value, set())
    now = (was - lost) | gained
    if len(now) <= most:
        touched.holders[value] = now
        return
    step.crowd[value] = len(now)
    touched.closed.append(was)


def _thin_out(value: int, number: int, most: int, step: _Step) -> None:
    """A key that said nothing: does it now?"""
    if number > most:
        step.crowd[value] = number
    else:
        step.thin.append(value)


def _crowds(connection: Connection, values: Iterable[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in pieces(values):
        rows = connection.execute(select(crowded.c.key, crowded.c.holders).where(crowded.c.key.in_(part)))
        found |= {row.key: row.holders for row in rows}
    return found


def _write(connection: Connection, gained: Mapping[int, set[int]], lost: Mapping[int, set[int]]) -> None:
    gone = [{"b_key": value, "b_record": record} for value, holders in lost.items() for record in holders]
    if gone:
        row = (blocks.c.key == bindparam("b_key"), blocks.c.record_id == bindparam("b_record"))
        connection.execute(delete(blocks).where(*row), gone)
    new = [{"key": value, "record_id": record} for value in sorted(gained) for record in sorted(gained[value])]
    if new:
        connection.execute(insert(blocks), new)


def _note_crowds(connection: Connection, known: Mapping[int, int], step: _Step) -> None:
    if step.thin:
        rows: list[dict[str, Any]] = [{"b_key": value} for value in step.thin]
        connection.execute(delete(crowded).where(crowded.c.key == bindparam("b_key")), rows)
    changed = [(value, number) for value, number in step.crowd.items() if known.get(value) != number]
    if changed:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(crowded)
        again = {"holders": statement.excluded.holders}
        statement = statement.on_conflict_do_update(index_elements=["key"], set_=again)
        connection.execute(statement, [{"key": value, "holders": number} for value, number in sorted(changed)])
