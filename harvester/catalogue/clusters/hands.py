"""What people decided of records: kept by the names of these, read for those that are looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, exists, insert, select, update

from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.tables import decided, decisions, records, sources
from harvester.identity.clusters import JOIN, PIN, Hand, Name


def mark(name: Name) -> int:
    """The number under which what was decided of a record is found."""
    said = f"{name.source}\x00{name.guid}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(said, digest_size=8).digest(), "big", signed=True)


def any_at_all(connection: Connection) -> bool:
    """Whether anything that people decided holds."""
    held = exists().where(decisions.c.undone_at.is_(None))
    return bool(connection.execute(select(held)).scalar_one())


def of(connection: Connection, names: Iterable[Name]) -> list[Hand]:
    """What holds of any of these records, the latest first."""
    numbers: set[int] = set()
    for part in pieces({mark(name) for name in names}):
        mine = select(decided.c.decision_id).join(decisions, decisions.c.id == decided.c.decision_id)
        rows = connection.execute(mine.where(decided.c.name.in_(part), decisions.c.undone_at.is_(None)))
        numbers.update(rows.scalars())
    return read(connection, numbers)


def read(connection: Connection, numbers: Collection[int]) -> list[Hand]:
    """Decisions by number, the latest first."""
    sides: dict[int, tuple[set[Name], set[Name]]] = defaultdict(lambda: (set(), set()))
    kinds: dict[int, str] = {}
    for part in pieces(numbers):
        statement = select(decided, decisions.c.kind).join(decisions, decisions.c.id == decided.c.decision_id)
        for row in connection.execute(statement.where(decided.c.decision_id.in_(part))):
            kinds[row.decision_id] = row.kind
            sides[row.decision_id][row.side].add(Name(row.source, row.guid))
    return [Hand(number, kinds[number], *map(frozenset, sides[number])) for number in sorted(kinds, reverse=True)]


def together(hands: Iterable[Hand]) -> list[frozenset[Name]]:
    """The records that people called one dataset."""
    return [hand.first for hand in hands if hand.kind in (JOIN, PIN)]


def ids_of(connection: Connection, names: Iterable[Name]) -> dict[Name, int]:
    """The records that have these names now."""
    by_source: dict[str, set[str]] = defaultdict(set)
    for name in names:
        by_source[name.source].add(name.guid)
    found: dict[Name, int] = {}
    for source, guids in by_source.items():
        mine = select(records.c.id, records.c.guid).join(sources, sources.c.id == records.c.source_id)
        for part in pieces(guids):
            rows = connection.execute(mine.where(sources.c.name == source, records.c.guid.in_(part)))
            found |= {Name(source, row.guid): row.id for row in rows}
    return found


def add(connection: Connection, hand: Hand, who: str, why: str | None, now: datetime) -> int:
    """Keep a new decision; answers its number."""
    row = {"kind": hand.kind, "who": who[:200], "why": why, "at": now}
    key = connection.execute(insert(decisions).values(**row)).inserted_primary_key
    number = int(key[0]) if key else 0
    sides = [(0, name) for name in sorted(hand.first)] + [(1, name) for name in sorted(hand.second)]
    rows = [{"decision_id": number, "side": side, **name._asdict(), "name": mark(name)} for side, name in sides]
    connection.execute(insert(decided), rows)
    return number


def undo(connection: Connection, number: int, who: str, now: datetime) -> bool:
    """Let a decision hold no longer; False when none of that number does."""
    mine = update(decisions).where(decisions.c.id == number, decisions.c.undone_at.is_(None))
    return connection.execute(mine.values(undone_at=now, undone_by=who[:200])).rowcount == 1


def told(connection: Connection, numbers: Collection[int]) -> list[Row[Any]]:
    """Decisions with who made them and when, the latest first."""
    rows: list[Row[Any]] = []
    for part in pieces(numbers):
        rows += connection.execute(select(decisions).where(decisions.c.id.in_(part))).all()
    return sorted(rows, key=lambda row: -row.id)


def rename(connection: Connection, source: str, guids: Iterable[tuple[str, str]]) -> None:
    """Let what was decided of records hold under their new identifiers (old, new)."""
    pairs = [(Name(source, old), Name(source, new)) for old, new in guids]
    if not pairs or not any_at_all(connection):
        return
    rows = [{"b_old": mark(old), "b_new": mark(new), "b_guid": new.guid} for old, new in pairs]
    # A decision that names both already has nothing to learn.
    both = decided.alias()
    there = exists().where(both.c.decision_id == decided.c.decision_id, both.c.name == bindparam("b_new"))
    connection.execute(delete(decided).where(decided.c.name == bindparam("b_old"), there), rows)
    moved = update(decided).where(decided.c.name == bindparam("b_old"))
    connection.execute(moved.values(name=bindparam("b_new"), guid=bindparam("b_guid")), rows)
