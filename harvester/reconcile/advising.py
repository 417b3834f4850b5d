"""What of a portal is here already, looked at before it is added: some of its records are read, and nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, select

from harvester import registry
from harvester.catalogue.clusters.blocking import crowded_among, holders_of
from harvester.catalogue.clusters.facts import Fact, Facts
from harvester.catalogue.clusters.judging import judged_pair
from harvester.catalogue.clusters.prepared import Prepared, prepare
from harvester.catalogue.tables import records, sources
from harvester.connector import Connector, Source, Walk
from harvester.errors import RecordError
from harvester.http import Http
from harvester.identity.clusters import Name
from harvester.identity.judge import Decision
from harvester.model import Dataset
from harvester.reconcile.overlap import Overlap, overlaps

LOOKED_AT = 500
_BATCH = 100
_MOST_PARTNERS = 40

Home = tuple[str, str, str | None]


class Looked(NamedTuple):
    """A record of the portal: its identifier, its date, and what tells it from others."""

    guid: str
    modified: str | None
    prepared: Prepared


class Advice(NamedTuple):
    """What was looked at, how many records the portal states, and through which sources they are here already."""

    looked_at: int
    advertised: int | None
    through: list[Overlap]


def advise(engine: Engine, http: Http, source: Source, connector: str, most: int = LOOKED_AT) -> Advice:
    """How much of a portal is here already, from its first `most` records.  Raises `SourceError`."""
    module = registry.connector(connector)
    seen = _Seen(module, source)
    found = overlaps(_homes(engine, islice(seen.records(http), most)))
    return Advice(found[0], seen.advertised, found[1])


class _Seen:
    """The records of a portal as they come; those that cannot be read are passed over, a run would report them."""

    def __init__(self, connector: Connector, source: Source) -> None:
        self._connector, self._source = connector, source
        self.advertised: int | None = None

    def records(self, http: Http) -> Iterator[Looked]:
        """Each with what tells it."""
        for page in self._connector.fetch(self._source, http, Walk()):
            self.advertised = page.advertised if page.advertised is not None else self.advertised
            for record in page.records:
                try:
                    dataset = None if record.deleted else self._connector.normalise(record, self._source)
                except RecordError:
                    dataset = None
                if dataset is not None:
                    yield self._looked(record.guid, dataset)

    def _looked(self, guid: str, dataset: Dataset) -> Looked:
        return Looked(guid, dataset.modified, prepare(dataset, guid, self._source.home))


def _homes(engine: Engine, found: Iterator[Looked]) -> Iterator[tuple[str | None, list[Home]]]:
    while batch := list(islice(found, _BATCH)):
        # A transaction for each batch: the portal may take its time between two of them.
        with engine.connect() as connection:
            homes = _batch(connection, batch)
        yield from ((one.modified, homes.get(one.guid, [])) for one in batch)


def _batch(connection: Connection, batch: Sequence[Looked]) -> dict[str, list[Home]]:
    """guid -> where its dataset is here already."""
    values = {key.value for one in batch for key in one.prepared.keys}
    crowded = crowded_among(connection, values)
    holders = holders_of(connection, values - crowded)
    facts, live = Facts(connection), holders.keys()
    same: dict[str, list[int]] = {}
    for one in batch:
        mine = Fact(Name("", one.guid), None, one.prepared.keys, one.prepared.body)
        partners = _partners(one, holders)
        known = facts.load(partners)
        same[one.guid] = [
            number
            for number in partners
            if number in known and judged_pair(mine, known[number], live).decision is Decision.SAME
        ]
    rows = _rows(connection, {number for numbers in same.values() for number in numbers})
    return {guid: [rows[number] for number in numbers if number in rows] for guid, numbers in same.items()}


def _partners(one: Looked, holders: dict[int, set[int]]) -> list[int]:
    """Who shares most with a record, at most so many."""
    shared: dict[int, int] = {}
    for key in one.prepared.keys:
        for number in holders.get(key.value, ()):
            shared[number] = shared.get(number, 0) + 1
    return sorted(shared, key=lambda number: (-shared[number], number))[:_MOST_PARTNERS]


def _rows(connection: Connection, ids: set[int]) -> dict[int, Home]:
    found: dict[int, Home] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        statement: Any = (
            select(records.c.id, records.c.modified, sources.c.name, sources.c.title)
            .join(sources, sources.c.id == records.c.source_id)
            .where(records.c.id.in_(wanted[start : start + 500]), records.c.status == "active")
        )
        found |= {row.id: (row.name, row.title, row.modified) for row in connection.execute(statement)}
    return found
