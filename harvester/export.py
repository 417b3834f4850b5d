"""What the catalogue says of itself as DCAT-AP: its datasets, the records behind them, and all of it as one stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy import Engine

from harvester.catalogue import queries
from harvester.catalogue.queries import DatasetView, RecordView
from harvester.model import Catalogue
from harvester.rdf.entries import CatalogueInfo, Entry, RecordInfo
from harvester.rdf.export import export
from harvester.rdf.serialise import FORMATS
from harvester.settings import Settings

__all__ = ["FORMATS", "dataset_iri", "entry", "info", "root", "stream"]

PAGE = 200


def stream(engine: Engine, settings: Settings, name: str, source_id: int | None = None) -> Iterator[bytes]:
    """The visible catalogue in one of `FORMATS`, piece by piece, along the ascending id: memory stays flat."""
    with engine.connect() as connection:
        changed = queries.newest_change_at(connection)
    return export(info(settings, changed), _entries(engine, settings, source_id), name)


def _entries(engine: Engine, settings: Settings, source_id: int | None) -> Iterator[Entry]:
    after = 0
    while True:
        # A transaction a page: an export of hours must not keep the database from forgetting old pages.
        with engine.connect() as connection:
            views = queries.visible_page(connection, after, PAGE, source_id)
        if not views:
            return
        after = views[-1].id
        yield from (found for view in views if (found := entry(settings, view)))


def root(settings: Settings) -> str:
    """The public address, without a final slash."""
    return settings.address


def dataset_iri(settings: Settings, view: DatasetView) -> str:
    """The IRI its first source gave a dataset, kept for ever; else ours."""
    return view.iri or f"{root(settings)}/datasets/{view.key}"


def info(settings: Settings, changed: datetime | None) -> CatalogueInfo:
    """The unified catalogue."""
    texts = {settings.language: settings.title}
    raw = {
        "title": texts,
        "description": texts,
        "publisher": {"uri": f"{root(settings)}/#publisher", "name": settings.publisher},
        "homepage": f"{root(settings)}/",
        "modified": None if changed is None else _canonical(changed),
    }
    return CatalogueInfo(f"{root(settings)}/catalog", Catalogue.of(raw))


def entry(settings: Settings, view: DatasetView) -> Entry | None:
    """A visible dataset and the records it was made from; None for one that shows nothing."""
    if view.dataset is None:
        return None
    records = tuple(_record(settings, view, record) for record in view.records if record.status == "active")
    return Entry(dataset_iri(settings, view), view.dataset, records)


def _record(settings: Settings, view: DatasetView, record: RecordView) -> RecordInfo:
    return RecordInfo(
        iri=f"{root(settings)}/datasets/{view.key}#record-{record.id}",
        # Dereferenceable, and without the secrets that a source's own address may hold.
        source=CatalogueInfo(
            f"{root(settings)}/catalog?source={quote(record.source, safe='')}",
            Catalogue(title={"": record.source_title}),
        ),
        guid=record.guid,
        first_seen=_canonical(record.first_seen_at),
        last_changed=_canonical(record.changed_at),
        last_seen=None if record.last_seen_at is None else _canonical(record.last_seen_at),
    )


def _canonical(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
