"""What the catalogue says of itself as DCAT-AP: itself, its datasets with the records behind them, and what is gone."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection, Row

from harvester.catalogue import queries, walking
from harvester.catalogue.queries import DatasetView
from harvester.catalogue.trusted import trusted_as
from harvester.catalogue.walking import Ended, Held, Shown
from harvester.fields.text import own
from harvester.model import Agent, CatalogRecord, Catalogue, Identifier
from harvester.rdf.derived import Facts
from harvester.rdf.entries import CatalogueInfo, Entry, RecordInfo, Tombstone
from harvester.rdf.serialise import FORMATS
from harvester.settings import Settings

__all__ = [
    "FORMATS",
    "built",
    "canonical",
    "dataset_iri",
    "entries",
    "entries_by_id",
    "info",
    "known",
    "left",
    "root",
    "source_info",
    "tombstones",
]


# Another catalogue at the same address, harvested by this one.
_OURS = re.compile(r"datasets/[a-z0-9]+")


def root(settings: Settings) -> str:
    """The public address, without a final slash."""
    return settings.address


def dataset_iri(settings: Settings, view: DatasetView | Ended | Shown) -> str:
    """The IRI its first source gave a dataset, kept for ever; ours where it gave none, or one of ours."""
    own = f"{root(settings)}/"
    if view.iri is None or (view.iri.startswith(own) and not _OURS.fullmatch(view.iri.removeprefix(own))):
        return f"{own}datasets/{view.key}"
    return view.iri


# The records of a run have the same few.
@lru_cache(maxsize=4096)
def canonical(moment: datetime) -> str:
    """An instant as exports write it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def info(
    settings: Settings,
    changed: datetime | None = None,
    *,
    path: str = "/catalog",
    title: Mapping[str, str] | None = None,
    description: Mapping[str, str] | None = None,
) -> CatalogueInfo:
    """The unified catalogue, or a part of it that has a title of its own."""
    texts = own(title or {settings.language: settings.title})
    publisher = Agent.model_validate({"uri": f"{root(settings)}/#publisher"})
    # Our own words: read as what a portal sends, `a <b> c` would lose its middle.
    told = {
        "title": texts,
        "description": own(description or {}) or texts,
        "publisher": publisher.model_copy(update={"name": own({"": settings.publisher})}),
    }
    about = Catalogue.of({"homepage": f"{root(settings)}/", "modified": changed and canonical(changed)})
    return CatalogueInfo(f"{root(settings)}{path}", about.model_copy(update=told))


def source_info(settings: Settings, row: Row[Any]) -> CatalogueInfo:
    """A source as a catalogue: under our IRI, with what it says of itself, at least the title we know."""
    said = trusted_as(Catalogue, row.catalogue) if row.catalogue else Catalogue()
    about = said if said.title else said.model_copy(update={"title": {"": row.title}})
    # Dereferenceable, and without the secrets that a source's own address may hold.
    return CatalogueInfo(f"{root(settings)}/catalog?source={quote(row.name, safe='')}", about, said.uri)


def entries(
    connection: Connection, settings: Settings, ids: Sequence[int], *, sights: bool = True, source: str | None = None
) -> list[Entry]:
    """The visible ones of these datasets, by ascending id.

    With all their records or those of one source; without `sights`, not when each was last seen.
    """
    return list(built(connection, settings, ids, sights=sights, source=source))


def entries_by_id(
    connection: Connection, settings: Settings, ids: Sequence[int], *, sights: bool = True, source: str | None = None
) -> dict[int, Entry]:
    """id -> entry of the visible ones, ascending."""
    shown = walking.shown(connection, ids)
    around = _around(connection, settings, shown, sights, source)
    return {row.id: _entry(row, around) for row in shown}


def built(
    connection: Connection, settings: Settings, ids: Sequence[int], *, sights: bool = True, source: str | None = None
) -> Iterator[Entry]:
    """The same as `entries`: all is read now, and each is built when it is its turn.

    Who writes one before asking for the next never has more than one of them in memory.
    """
    shown = walking.shown(connection, ids)
    around = _around(connection, settings, shown, sights, source)
    return (_entry(row, around) for row in shown)


def known(connection: Connection, iris: Collection[str]) -> dict[str, Any]:
    """The datasets of the catalogue that are only mentioned somewhere, by IRI."""
    return walking.by_iri(connection, iris)


def tombstones(
    connection: Connection, settings: Settings, ids: Sequence[int], source: str | None = None
) -> dict[int, Tombstone]:
    """id -> the mark of those of these datasets that are gone: retired, merged, or no longer in this source."""
    ended = walking.ended(connection, ids)
    homes = walking.names(connection, {row.into for row in ended if row.into is not None})
    found = {row.id: _tombstone(settings, row, homes) for row in ended}
    if source is None:
        return found
    return found | _departed(connection, settings, [i for i in ids if i not in found], source)


def left(connection: Connection, settings: Settings, ids: Sequence[int]) -> dict[int, Tombstone]:
    """id -> the mark of a dataset that does not lie in some part of the catalogue, wherever else it may be."""
    return {row.id: _tombstone(settings, row, {}) for row in walking.identities(connection, ids)}


def _departed(connection: Connection, settings: Settings, ids: Sequence[int], source: str) -> dict[int, Tombstone]:
    """Datasets that others list still, and one source no longer does."""
    found = {}
    for view in queries.dataset_views(connection, ids):
        own = [record for record in view.records if record.source == source]
        if own and all(record.status != "active" for record in own):
            address = f"{root(settings)}/datasets/{view.key}#record-{own[0].id}"
            first, last = canonical(own[0].first_seen_at), canonical(max(record.changed_at for record in own))
            found[view.id] = Tombstone(dataset_iri(settings, view), address, first, last)
    return found


def _tombstone(settings: Settings, row: Ended, homes: Mapping[int, tuple[str, str | None]]) -> Tombstone:
    key, iri = homes.get(row.into or 0, (None, None))
    return Tombstone(
        iri=dataset_iri(settings, row),
        record=f"{root(settings)}/datasets/{row.key}#record",
        first_seen=canonical(row.created_at),
        ended=canonical(row.changed_at),
        merged_into=None if key is None else iri or f"{root(settings)}/datasets/{key}",
    )


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the datasets of a page, read at once for all of them."""

    settings: Settings
    sources: Mapping[str, CatalogueInfo]
    records: Mapping[int, Sequence[Held]]
    # run -> when it started; empty where nothing is told of it.
    starts: Mapping[int, datetime | None]
    identifiers: Mapping[int, tuple[Identifier, ...]]
    taken_in: Mapping[int, Sequence[Ended]]


def _around(
    connection: Connection, settings: Settings, shown: Sequence[Shown], sights: bool, source: str | None
) -> _Around:
    ids = [row.id for row in shown]
    held = walking.held(connection, ids, source)
    rows = walking.source_rows(connection, {record.source for records in held.values() for record in records})
    runs = {record.seen for records in held.values() for record in records} if sights else ()
    return _Around(
        settings,
        {name: source_info(settings, row) for name, row in rows.items()},
        held,
        walking.starts(connection, runs),
        queries.identifiers_of(connection, ids),
        walking.taken_in(connection, ids),
    )


def _entry(row: Shown, around: _Around) -> Entry:
    dataset = walking.stored(row.blob)
    records = tuple(_record(row, dataset, record, around) for record in around.records.get(row.id, ()))
    names = (*around.identifiers.get(row.id, ()), *_former(around.settings, around.taken_in.get(row.id, ())))
    distinct = {(name.notation, name.agency): name for name in names}
    return Entry(dataset_iri(around.settings, row), dataset, records, tuple(distinct.values()), row.id)


def _former(settings: Settings, taken_in: Iterable[Ended]) -> Iterable[Identifier]:
    """The IRIs of the datasets that turned out to be this one: they were published and answer for ever."""
    host = urlsplit(root(settings)).netloc
    for row in taken_in:
        yield Identifier.model_construct(notation=dataset_iri(settings, row), agency=None if row.iri else host)


def _record(row: Shown, facts: Facts, record: Held, around: _Around) -> RecordInfo:
    seen = around.starts.get(record.seen)
    return RecordInfo(
        iri=f"{root(around.settings)}/datasets/{row.key}#record-{record.id}",
        source=around.sources[record.source],
        guid=record.guid,
        first_seen=canonical(record.first_seen_at),
        last_changed=canonical(record.changed_at),
        last_seen=canonical(seen) if seen else None,
        upstream=(facts.get("record") if record.id == row.record_id else None) or _upstream(facts, record),
    )


def _upstream(facts: Facts, record: Held) -> CatalogRecord | Facts | None:
    """What is kept of a record that is not shown, or does not speak of itself; no document is opened for the rest."""
    if record.modified is None:
        return None
    taken = record.url in (facts.get("uri"), *(facts.get("landing_page") or ()))
    stated = {"uri": None if taken else record.url, "modified": record.modified}
    return {name: value for name, value in stated.items() if value}
