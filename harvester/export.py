"""What the catalogue says of itself as DCAT-AP: itself, its datasets with the records behind them, and what is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection, Row

from harvester.catalogue import queries, walking
from harvester.catalogue.queries import DatasetView, RecordView
from harvester.catalogue.trusted import trusted_as
from harvester.catalogue.walking import Ended
from harvester.model import CatalogRecord, Catalogue, Identifier
from harvester.rdf.derived import Facts, facts_of
from harvester.rdf.entries import CatalogueInfo, Entry, RecordInfo, Tombstone
from harvester.rdf.serialise import FORMATS
from harvester.settings import Settings

__all__ = [
    "FORMATS",
    "canonical",
    "dataset_iri",
    "entries",
    "entries_by_id",
    "info",
    "known",
    "root",
    "source_info",
    "tombstones",
]


def root(settings: Settings) -> str:
    """The public address, without a final slash."""
    return settings.address


def dataset_iri(settings: Settings, view: DatasetView | Ended) -> str:
    """The IRI its first source gave a dataset, kept for ever; else ours."""
    return view.iri or f"{root(settings)}/datasets/{view.key}"


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
    texts = dict(title) if title else {settings.language: settings.title}
    raw = {
        "title": texts,
        "description": dict(description) if description else texts,
        "publisher": {"uri": f"{root(settings)}/#publisher", "name": settings.publisher},
        "homepage": f"{root(settings)}/",
        "modified": None if changed is None else canonical(changed),
    }
    return CatalogueInfo(f"{root(settings)}{path}", Catalogue.of(raw))


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
    return list(entries_by_id(connection, settings, ids, sights=sights, source=source).values())


def entries_by_id(
    connection: Connection, settings: Settings, ids: Sequence[int], *, sights: bool = True, source: str | None = None
) -> dict[int, Entry]:
    """id -> entry of the visible ones, ascending."""
    views = queries.dataset_views(connection, ids, walking.stored)
    around = _around(connection, settings, views, sights, source)
    return {view.id: _entry(view, view.dataset, around) for view in views if view.dataset is not None}


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
    identifiers: Mapping[int, tuple[Identifier, ...]]
    taken_in: Mapping[int, Sequence[Ended]]
    sights: bool
    source: str | None

    def tells(self, record: RecordView) -> bool:
        """Whether a record is told of."""
        return record.status == "active" and self.source in (None, record.source)


def _around(
    connection: Connection, settings: Settings, views: Sequence[DatasetView], sights: bool, source: str | None
) -> _Around:
    ids = [view.id for view in views]
    rows = walking.source_rows(connection, {record.source for view in views for record in view.records})
    return _Around(
        settings,
        {name: source_info(settings, row) for name, row in rows.items()},
        queries.identifiers_of(connection, ids),
        walking.taken_in(connection, ids),
        sights,
        source,
    )


def _entry(view: DatasetView, dataset: Any, around: _Around) -> Entry:
    facts = facts_of(dataset)
    records = tuple(_record(view, facts, record, around) for record in view.records if around.tells(record))
    names = (*around.identifiers.get(view.id, ()), *_former(around.settings, around.taken_in.get(view.id, ())))
    distinct = {(name.notation, name.agency): name for name in names}
    return Entry(dataset_iri(around.settings, view), dataset, records, tuple(distinct.values()))


def _former(settings: Settings, taken_in: Iterable[Ended]) -> Iterable[Identifier]:
    """The IRIs of the datasets that turned out to be this one: they were published and answer for ever."""
    host = urlsplit(root(settings)).netloc
    for row in taken_in:
        yield Identifier.model_construct(notation=dataset_iri(settings, row), agency=None if row.iri else host)


def _record(view: DatasetView, facts: Facts, record: RecordView, around: _Around) -> RecordInfo:
    return RecordInfo(
        iri=f"{root(around.settings)}/datasets/{view.key}#record-{record.id}",
        source=around.sources[record.source],
        guid=record.guid,
        first_seen=canonical(record.first_seen_at),
        last_changed=canonical(record.changed_at),
        last_seen=canonical(record.last_seen_at) if around.sights and record.last_seen_at else None,
        upstream=(facts.get("record") if record.shown else None) or _upstream(facts, record),
    )


def _upstream(facts: Facts, record: RecordView) -> CatalogRecord | None:
    """What is kept of a record that is not shown, or does not speak of itself; no document is opened for the rest."""
    if record.modified is None:
        return None
    taken = record.url in (facts.get("uri"), *(facts.get("landing_page") or ()))
    return CatalogRecord.model_construct(uri=None if taken else record.url, modified=record.modified)
