"""Which dataset each record belongs to, from the links of all that hangs together with it: read, decided, written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, or_, select

from harvester.catalogue.clusters import hands, moving
from harvester.catalogue.clusters.facts import Fact, Facts
from harvester.catalogue.clusters.judging import vetoed
from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.prepared import OWN, own
from harvester.catalogue.tables import datasets, links, records, signs
from harvester.identity import public_key
from harvester.identity.clusters import Hand, Same, clusters
from harvester.identity.homes import Homes, Known, homes
from harvester.identity.judge import Decision

if TYPE_CHECKING:
    from harvester.catalogue.store import RunRef


class Settled(NamedTuple):
    """Where records are now that were looked at, who founded a dataset, and which datasets have others than before."""

    homes: dict[int, int]
    founded: dict[int, int]
    touched: set[int]


@dataclass
class _Web:
    """Records that hang together, with the links between them and what people said of them."""

    known: dict[int, Fact] = field(default_factory=dict)
    same: dict[tuple[int, int], Same] = field(default_factory=dict)
    said: list[Hand] = field(default_factory=list)


def settle(
    connection: Connection, run: RunRef, facts: Facts, ids: Iterable[int], iris: Mapping[int, str | None], now: datetime
) -> Settled:
    """Decide anew on records, with all that hangs together with them, and write what that changes.

    `iris` are the names that new records give themselves.
    """
    web = _gathered(connection, facts, set(ids))
    if not web.known:
        return Settled({}, {}, set())
    names = {record: fact.name for record, fact in web.known.items()}
    parts = clusters(names, web.same.values(), web.said, partial(vetoed, facts))
    places = {record: fact.home for record, fact in web.known.items()}
    decided = homes(parts, places, _datasets(connection, web.known))
    return _apply(connection, run, web.known, parts, decided, iris, now)


def _gathered(connection: Connection, facts: Facts, ids: set[int]) -> _Web:
    """Everything that hangs together with records: by links, by hand, and by the datasets where they are now."""
    web, fresh, by_hand = _Web(), ids, hands.any_at_all(connection)
    visited: set[int] = set()
    while fresh:
        known = facts.load(fresh)
        web.known |= known
        met = _linked(connection, known, web)
        if by_hand:
            met |= _said(connection, known, web)
        met |= _mates(connection, known, visited)
        fresh = met - web.known.keys() - ids
    return web


def _linked(connection: Connection, ids: Collection[int], web: _Web) -> set[int]:
    columns = (links.c.a, links.c.b, links.c.score)
    met: set[int] = set()
    for part in pieces(ids):
        mine = or_(links.c.a.in_(part), links.c.b.in_(part))
        for row in connection.execute(select(*columns).where(mine, links.c.decision == Decision.SAME)):
            web.same[row.a, row.b] = Same(*row)
            met |= {row.a, row.b}
    return met


def _said(connection: Connection, known: Mapping[int, Fact], web: _Web) -> set[int]:
    met = {hand.number for hand in web.said}
    web.said += [hand for hand in hands.of(connection, (f.name for f in known.values())) if hand.number not in met]
    named = {name for one in hands.together(web.said) for name in one}
    return set(hands.ids_of(connection, named - {fact.name for fact in web.known.values()}).values())


def _mates(connection: Connection, known: Mapping[int, Fact], visited: set[int]) -> set[int]:
    """Who else is in the datasets where these records are, or that they founded."""
    places = {fact.home for fact in known.values() if fact.home is not None} - visited
    visited |= places
    lost = {public_key(*fact.name) for fact in known.values() if fact.home is None}
    for part in pieces(lost):
        rows = connection.execute(select(datasets.c.id).where(datasets.c.key.in_(part)))
        places |= set(rows.scalars()) - visited
        visited |= places
    met: set[int] = set()
    for part in pieces(places):
        mine = select(records.c.id).join(signs, signs.c.record_id == records.c.id)
        met |= set(connection.execute(mine.where(records.c.dataset_id.in_(part))).scalars())
    return met


def _datasets(connection: Connection, known: Mapping[int, Fact]) -> list[Known]:
    """The datasets that these records are in or once founded, with who of them founded each."""
    columns = (datasets.c.id, datasets.c.key, datasets.c.merged_into_id)
    places = {fact.home for fact in known.values() if fact.home is not None}
    found: dict[int, Any] = {}
    for part in pieces(places):
        mine = or_(datasets.c.id.in_(part), datasets.c.merged_into_id.in_(part))
        found |= {row.id: row for row in connection.execute(select(*columns).where(mine))}
    for part in pieces({public_key(*fact.name) for fact in known.values()}):
        found |= {row.id: row for row in connection.execute(select(*columns).where(datasets.c.key.in_(part)))}
    founders = {
        key: record for record, fact in sorted(known.items(), reverse=True) for key in fact.keys if key.kind == OWN
    }
    return [Known(row.id, row.merged_into_id is None, founders.get(own(row.key))) for row in found.values()]


def _apply(
    connection: Connection,
    run: RunRef,
    known: Mapping[int, Fact],
    parts: Sequence[Sequence[int]],
    decided: Homes,
    iris: Mapping[int, str | None],
    now: datetime,
) -> Settled:
    orphans = [number for number, kept in enumerate(decided.kept) if kept is None]
    firsts = {number: min(parts[number]) for number in orphans}
    made = moving.found(connection, {firsts[n]: known[firsts[n]].name for n in orphans}, iris, now)
    new = [kept if kept is not None else made[firsts[n]] for n, kept in enumerate(decided.kept)]
    everywhere = {record: new[number] for number, part in enumerate(parts) for record in part}
    moved = moving.Moved(
        {r: (known[r].home, home) for r, home in everywhere.items() if known[r].home != home},
        {ended: kept for ended, kept in decided.into.items()},
        {kept for kept in decided.kept if kept is not None},
    )
    touched = moving.apply(connection, run, moved, now)
    founded = {firsts[number]: made[firsts[number]] for number in orphans}
    return Settled(everywhere, founded, touched | set(founded.values()))


def by_home(everywhere: Mapping[int, int]) -> dict[int, list[int]]:
    """dataset -> its records, of records and where they are."""
    found: dict[int, list[int]] = defaultdict(list)
    for record in sorted(everywhere):
        found[everywhere[record]].append(record)
    return found
