"""What is known of records when they are judged: read in batches, unpacked once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, select

from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.prepared import Key, prepare, unpacked, unpacked_keys
from harvester.catalogue.packing import load_dataset
from harvester.catalogue.tables import documents, records, signs, sources
from harvester.connector import without_credentials
from harvester.identity.clusters import Name
from harvester.identity.judge import RULES_VERSION
from harvester.identity.signs import Signs


@dataclass
class Fact:
    """One record: how it is called, where it is, under which keys it is found."""

    name: Name
    home: int | None
    keys: frozenset[Key]
    body: bytes

    @cached_property
    def signs(self) -> Signs:
        """What judging it needs."""
        return unpacked(self.body)


@dataclass
class Facts:
    """Those of the records that take part, as far as they have been asked for."""

    connection: Connection
    _known: dict[int, Fact] = field(default_factory=dict)

    def load(self, ids: Iterable[int]) -> dict[int, Fact]:
        """Those of the records that have signs; signs that other rules made are made anew of what the record says."""
        wanted = set(ids)
        for part in pieces(wanted - self._known.keys()):
            rows = self.connection.execute(_rows().where(signs.c.record_id.in_(part))).all()
            fresh = self._remade([row for row in rows if row.rules != RULES_VERSION and row.body])
            for row in rows:
                body = fresh.get(row.id, row.body)
                name = Name(row.source, row.guid)
                self._known[row.id] = Fact(name, row.dataset_id, unpacked_keys(row.keyed), body)
        return {record: self._known[record] for record in wanted if record in self._known}

    def _remade(self, rows: list[Any]) -> dict[int, bytes]:
        said = select(documents.c.record_id, documents.c.dataset).where(
            documents.c.record_id.in_([row.id for row in rows]), documents.c.dataset.is_not(None)
        )
        stated = {row.record_id: row.dataset for row in self.connection.execute(said)} if rows else {}
        return {
            row.id: prepare(load_dataset(stated[row.id]), row.guid, home_of(row.url, row.options)).body
            for row in rows
            if row.id in stated
        }


def home_of(url: str, options: Mapping[str, Any]) -> str:
    """The address of a source, as its records are prepared with it (`connector.Source.home`)."""
    return without_credentials(options.get("public_url") or url)


def _rows() -> Any:
    columns = (records.c.id, records.c.guid, records.c.dataset_id, signs.c.rules, signs.c.keyed, signs.c.body)
    named = (sources.c.name.label("source"), sources.c.url, sources.c.options)
    return (
        select(*columns, *named)
        .join(records, records.c.id == signs.c.record_id)
        .join(sources, sources.c.id == records.c.source_id)
    )
