"""What is kept of pairs of records, as others read it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, or_, select

from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.prepared import own
from harvester.catalogue.packing import unpack
from harvester.catalogue.tables import blocks, links, records
from harvester.identity import public_key

# By whom a pair is what it is.
RULES, HAND = "rules", "hand"


class Link(NamedTuple):
    """Two records, what they are to each other (same, probable, related), by which rule of which version, and why."""

    a: int
    b: int
    decision: str
    rule: str
    score: float
    evidence: tuple[str, ...]
    rules: int
    by: str = RULES


def links_of(connection: Connection, record_ids: Iterable[int]) -> list[Link]:
    """Every link of these records, in the order of their ids."""
    found: dict[tuple[int, int], Link] = {}
    for part in pieces(record_ids):
        mine = or_(links.c.a.in_(part), links.c.b.in_(part))
        found |= {(row.a, row.b): _link(row) for row in connection.execute(select(links).where(mine))}
    return [found[pair] for pair in sorted(found)]


def links_between(
    connection: Connection, source_a: int, source_b: int, after: tuple[int, int] = (0, 0), limit: int = 500
) -> list[Link]:
    """Links between the records of two sources, whichever comes first in each, from a pair (exclusive) on."""
    one, other = records.alias(), records.alias()
    mine, theirs = links.c.a, links.c.b
    sides = or_(
        and_(one.c.source_id == source_a, other.c.source_id == source_b),
        and_(one.c.source_id == source_b, other.c.source_id == source_a),
    )
    later = or_(mine > after[0], and_(mine == after[0], theirs > after[1]))
    statement = (
        select(links)
        .join(one, one.c.id == mine)
        .join(other, other.c.id == theirs)
        .where(sides, later)
        .order_by(mine, theirs)
        .limit(limit)
    )
    return [_link(row) for row in connection.execute(statement)]


def of_decision(connection: Connection, decision: str, after: tuple[int, int] = (0, 0), limit: int = 100) -> list[Link]:
    """Links of one kind along their pairs, from one (exclusive) on."""
    later = or_(links.c.a > after[0], and_(links.c.a == after[0], links.c.b > after[1]))
    statement = select(links).where(links.c.decision == decision, later).order_by(links.c.a, links.c.b).limit(limit)
    return [_link(row) for row in connection.execute(statement)]


def formerly(connection: Connection, source_id: int, source: str, guids: Iterable[str]) -> dict[str, int]:
    """guid -> the record of the source that had this identifier before, and has another one now."""
    keys = {own(public_key(source, guid)).value: guid for guid in guids}
    found: dict[str, int] = {}
    for part in pieces(keys):
        statement = select(blocks.c.key, records.c.id, records.c.guid).join(records, records.c.id == blocks.c.record_id)
        mine = (blocks.c.key.in_(part), records.c.source_id == source_id)
        for row in connection.execute(statement.where(*mine).order_by(records.c.id.desc())):
            if row.guid != keys[row.key]:
                found[keys[row.key]] = row.id
    return found


def _link(row: Any) -> Link:
    return Link(row.a, row.b, row.decision, row.rule, row.score, tuple(unpack(row.evidence)), row.rules)
