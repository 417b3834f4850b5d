"""Datasets of the unified catalogue as they are shown: with every record behind them; which of them are visible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from harvester.catalogue import forms
from harvester.catalogue.forms import FORM, SHOWN, Ref, agents_of
from harvester.catalogue.packing import load_dataset
from harvester.catalogue.tables import datasets, records, runs, sources
from harvester.connector import without_credentials
from harvester.identity.originals import Role, words
from harvester.model import Dataset

CHUNK = 500


@dataclass(frozen=True, slots=True)
class RecordView:
    """A catalogue record with its provenance: which source said it, when it was first and last changed."""

    id: int
    source: str
    source_title: str
    source_url: str
    connector: str
    guid: str
    status: str
    title: str | None
    url: str | None
    first_seen_at: datetime
    changed_at: datetime
    last_seen_at: datetime | None
    shown: bool
    modified: str | None = None
    role: str | None = None
    origin: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset of the unified catalogue: its stable identity, what it shows, and every record behind it."""

    id: int
    key: str
    iri: str | None
    created_at: datetime
    changed_at: datetime
    retired_at: datetime | None
    dataset: Dataset | None
    records: tuple[RecordView, ...]
    # Only told by `dataset_by_key`: the original record, why it is that one, field -> record that it comes from.
    original: int | None = None
    reason: str = ""
    fields: Mapping[str, int] = field(default_factory=dict)
    # Who publishes it, across portals; None: nobody is named, or nobody has looked yet.
    agent: Ref | None = None


def dataset_by_key(connection: Connection, key: str) -> DatasetView | None:
    """One dataset by its public key, whole; a merged one answers with the dataset that took it in."""
    row = connection.execute(select(datasets).where(datasets.c.key == key)).one_or_none()
    while row is not None and row.merged_into_id is not None:
        row = connection.execute(select(datasets).where(datasets.c.id == row.merged_into_id)).one_or_none()
    return None if row is None else _explained(connection, _views(connection, [row])[0])


def dataset_views(
    connection: Connection, ids: Sequence[int], load: Callable[[bytes], Any] = load_dataset
) -> list[DatasetView]:
    """Datasets by internal id, in ascending order, retired ones included; `load` reads the stored form."""
    found: list[DatasetView] = []
    for start in range(0, len(ids), CHUNK):
        part = sorted(ids[start : start + CHUNK])
        rows = connection.execute(select(datasets).where(datasets.c.id.in_(part)).order_by(datasets.c.id)).all()
        found += _views(connection, rows, load)
    return found


def visible_ids(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Which of these datasets are visible."""
    found: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        statement = select(datasets.c.id).where(*_visible(), datasets.c.id.in_(ids[start : start + CHUNK]))
        found.update(connection.execute(statement).scalars())
    return found


def visible_page(
    connection: Connection, after: int = 0, limit: int = 100, source_id: int | None = None
) -> list[DatasetView]:
    """Visible datasets along their immutable ascending id, from `after` (exclusive)."""
    statement = select(datasets).where(*_visible(), datasets.c.id > after)
    if source_id is not None:
        statement = statement.where(datasets.c.id.in_(_of_source(source_id)))
    rows = connection.execute(statement.order_by(datasets.c.id).limit(limit)).all()
    return _views(connection, rows)


def visible_count(connection: Connection, source_id: int | None = None) -> int:
    """How many datasets are visible."""
    statement = select(func.count()).select_from(datasets).where(*_visible())
    if source_id is not None:
        statement = statement.where(datasets.c.id.in_(_of_source(source_id)))
    return int(connection.execute(statement).scalar_one())


def _visible() -> tuple[Any, ...]:
    return (datasets.c.retired_at.is_(None), datasets.c.record_id.is_not(None), datasets.c.merged_into_id.is_(None))


def _of_source(source_id: int) -> Select[Any]:
    return select(records.c.dataset_id).where(records.c.source_id == source_id, records.c.status == "active")


def _views(
    connection: Connection, rows: Sequence[Row[Any]], load: Callable[[bytes], Any] = load_dataset
) -> list[DatasetView]:
    shown = [row.record_id for row in rows if row.record_id is not None]
    ids = [row.id for row in rows]
    blobs = {
        row.id: row.dataset
        for row in connection.execute(select(datasets.c.id, FORM).select_from(SHOWN).where(datasets.c.id.in_(ids)))
    }
    views = _record_views(connection, ids, set(shown))
    publishing = agents_of(connection, ids)
    return [
        DatasetView(
            row.id,
            row.key,
            row.iri,
            row.created_at,
            row.changed_at,
            row.retired_at,
            load(blob) if (blob := blobs.get(row.id)) else None,
            tuple(views.get(row.id, ())),
            agent=publishing.get(row.id),
        )
        for row in rows
    ]


def _explained(connection: Connection, view: DatasetView) -> DatasetView:
    """The dataset, with what became of its records, and why."""
    told = forms.told(connection, [view.id]).get(view.id)
    if told is None:
        return _by_itself(view)
    views = (replace(record, why=told.why.get(record.id, "")) for record in view.records)
    return replace(view, records=tuple(views), original=told.original, reason=told.reason, fields=told.fields)


def _by_itself(view: DatasetView) -> DatasetView:
    shown = next((record for record in view.records if record.shown), None)
    if shown is None or view.dataset is None:
        return view
    why = words(shown.role, shown.origin)
    records = tuple(replace(record, why=why) if record is shown else record for record in view.records)
    original = shown.id if shown.role == Role.ORIGINAL else None
    return replace(
        view, records=records, original=original, reason=why, fields=dict.fromkeys(view.dataset.plain(), shown.id)
    )


def _record_views(connection: Connection, ids: Sequence[int], shown: set[int]) -> dict[int, list[RecordView]]:
    found: dict[int, list[RecordView]] = {}
    for row in connection.execute(_records_of(ids)):
        view = RecordView(
            row.id, row.source, row.source_title, without_credentials(row.source_url), row.connector, row.guid,
            row.status, row.title, row.url, row.first_seen_at, row.changed_at, row.last_seen_at, row.id in shown,
            row.modified, row.role, row.origin,
        )  # fmt: skip
        found.setdefault(row.dataset_id, []).append(view)
    return found


def _records_of(ids: Sequence[int]) -> Select[Any]:
    columns = (
        records,
        sources.c.name.label("source"),
        sources.c.title.label("source_title"),
        sources.c.url.label("source_url"),
        sources.c.connector,
        runs.c.started_at.label("last_seen_at"),
    )
    return (
        select(*columns)
        .join(sources, sources.c.id == records.c.source_id)
        .outerjoin(runs, runs.c.id == records.c.seen_run_id)
        .where(records.c.dataset_id.in_(ids))
        .order_by(records.c.id)
    )
