"""Every read of the catalogue; lists are read in pages along an ascending key, never whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from harvester.catalogue.naming import identifiers_of as identifiers_of
from harvester.catalogue.packing import load_dataset, unpack
from harvester.catalogue.tables import (
    bodies,
    changes,
    datasets,
    documents,
    problems,
    records,
    runs,
    sources,
    unmatched,
)
from harvester.catalogue.trusted import trusted_as
from harvester.connector import Body, without_credentials
from harvester.decide import Stored
from harvester.model import Catalogue, Dataset

CHUNK = 500
LIVE = ("queued", "running")


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


def known(connection: Connection, source_id: int, guids: Sequence[str]) -> dict[str, Stored]:
    """guid -> what is stored of it, for the guids of one page."""
    columns = (
        records.c.id,
        records.c.guid,
        records.c.status,
        records.c.payload_hash,
        records.c.dataset_hash,
        records.c.dataset_id,
        records.c.seen_run_id,
    )
    found: dict[str, Stored] = {}
    for start in range(0, len(guids), CHUNK):
        statement = select(*columns).where(
            records.c.source_id == source_id, records.c.guid.in_(guids[start : start + CHUNK])
        )
        found |= {row.guid: Stored(*row) for row in connection.execute(statement)}
    return found


def known_body(connection: Connection, source_id: int, digest: bytes) -> Body | None:
    """What is known of an answer with these bytes, provided that every record it held is still active."""
    where = (bodies.c.source_id == source_id, bodies.c.digest == digest)
    row = connection.execute(select(bodies).where(*where)).one_or_none()
    if row is None or body_count(connection, source_id, digest) != row.records:
        return None
    return Body(row.digest, row.records, row.next, row.advertised)


def body_count(connection: Connection, source_id: int, digest: bytes) -> int:
    """How many active records of a source came with an answer."""
    where = (records.c.source_id == source_id, records.c.body_hash == digest, records.c.status == "active")
    return int(connection.execute(select(func.count()).select_from(records).where(*where)).scalar_one())


def source_named(connection: Connection, name: str) -> Row[Any] | None:
    """One source by name."""
    return connection.execute(select(sources).where(sources.c.name == name)).one_or_none()


def source_list(connection: Connection, after: str = "", limit: int = 1000) -> list[Row[Any]]:
    """Sources by name, from `after` (exclusive)."""
    statement = select(sources).where(sources.c.name > after).order_by(sources.c.name).limit(limit)
    return list(connection.execute(statement))


def source_titles(connection: Connection, names: Sequence[str]) -> dict[str, str]:
    """name -> title of sources."""
    statement = select(sources.c.name, sources.c.title).where(sources.c.name.in_(names[:CHUNK]))
    return {row.name: row.title for row in connection.execute(statement)}


def source_catalogues(connection: Connection, names: Sequence[str]) -> dict[str, Catalogue]:
    """name -> what the source says of itself as a whole; sources that have said nothing yet are left out."""
    statement = select(sources.c.name, sources.c.catalogue).where(sources.c.name.in_(names[:CHUNK]))
    return {row.name: trusted_as(Catalogue, row.catalogue) for row in connection.execute(statement) if row.catalogue}


def active_count(connection: Connection, source_id: int) -> int:
    """How many records of a source are active."""
    statement = select(func.count()).select_from(records)
    where = (records.c.source_id == source_id, records.c.status == "active")
    return int(connection.execute(statement.where(*where)).scalar_one())


def active_counts(connection: Connection, source_ids: Sequence[int]) -> dict[int, int]:
    """source id -> number of active records, for a page of sources."""
    statement = (
        select(records.c.source_id, func.count())
        .where(records.c.source_id.in_(source_ids), records.c.status == "active")
        .group_by(records.c.source_id)
    )
    return {source_id: number for source_id, number in connection.execute(statement)}


def latest_runs(connection: Connection, source_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """source id -> its latest run, for a page of sources."""
    newest = select(func.max(runs.c.id)).where(runs.c.source_id.in_(source_ids)).group_by(runs.c.source_id)
    return {row.source_id: row for row in connection.execute(select(runs).where(runs.c.id.in_(newest)))}


def run_by_id(connection: Connection, run_id: int) -> Row[Any] | None:
    """One run, with the name of its source."""
    return connection.execute(_runs().where(runs.c.id == run_id)).one_or_none()


def run_list(
    connection: Connection,
    source_id: int | None = None,
    status: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Row[Any]]:
    """Runs, newest first, from `before` (exclusive)."""
    statement = _runs().order_by(runs.c.id.desc()).limit(limit)
    if source_id is not None:
        statement = statement.where(runs.c.source_id == source_id)
    if status is not None:
        statement = statement.where(runs.c.status == status)
    if before is not None:
        statement = statement.where(runs.c.id < before)
    return list(connection.execute(statement))


def live_run(connection: Connection, source_id: int) -> Row[Any] | None:
    """The run of a source that is queued or running, if there is one."""
    statement = select(runs).where(runs.c.source_id == source_id, runs.c.status.in_(LIVE)).order_by(runs.c.id).limit(1)
    return connection.execute(statement).one_or_none()


def problem_list(
    connection: Connection, run_id: int, after: int = 0, limit: int = 100, severity: str | None = None
) -> list[Row[Any]]:
    """The report of a run, from `after` (exclusive)."""
    statement = select(problems).where(problems.c.run_id == run_id, problems.c.id > after)
    if severity is not None:
        statement = statement.where(problems.c.severity == severity)
    return list(connection.execute(statement.order_by(problems.c.id).limit(limit)))


def change_list(connection: Connection, run_id: int, after: int = 0, limit: int = 100) -> list[Row[Any]]:
    """What a run changed, by name, from `after` (exclusive)."""
    statement = (
        select(changes.c.seq, changes.c.action, changes.c.at, datasets.c.key, records.c.guid, records.c.title)
        .join(datasets, datasets.c.id == changes.c.dataset_id)
        .outerjoin(records, records.c.id == changes.c.record_id)
        .where(changes.c.run_id == run_id, changes.c.seq > after)
    )
    return list(connection.execute(statement.order_by(changes.c.seq).limit(limit)))


def changed_datasets(connection: Connection, after: int, limit: int) -> list[tuple[int, int]]:
    """(seq, dataset id) of the change log from `after` (exclusive), oldest first."""
    statement = select(changes.c.seq, changes.c.dataset_id).where(changes.c.seq > after)
    return [(row.seq, row.dataset_id) for row in connection.execute(statement.order_by(changes.c.seq).limit(limit))]


def last_change(connection: Connection) -> int:
    """The newest entry of the change log; 0 when it is empty."""
    return int(connection.execute(select(func.coalesce(func.max(changes.c.seq), 0))).scalar_one())


def last_change_at(connection: Connection) -> datetime | None:
    """When the newest entry of the change log was made; None when it is empty."""
    return connection.execute(select(changes.c.at).order_by(changes.c.seq.desc()).limit(1)).scalar_one_or_none()


def dataset_by_key(connection: Connection, key: str) -> DatasetView | None:
    """One dataset by its public key, whole; a merged one answers with the dataset that took it in."""
    row = connection.execute(select(datasets).where(datasets.c.key == key)).one_or_none()
    while row is not None and row.merged_into_id is not None:
        row = connection.execute(select(datasets).where(datasets.c.id == row.merged_into_id)).one_or_none()
    return None if row is None else _views(connection, [row])[0]


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


def record_payload(connection: Connection, record_id: int) -> Any:
    """The payload of a record exactly as the source gave it; None when there is no such record."""
    blob = connection.execute(
        select(documents.c.payload).where(documents.c.record_id == record_id)
    ).scalar_one_or_none()
    return None if blob is None else unpack(blob)


def kept_payloads(connection: Connection, source_id: int, after: int, limit: int) -> list[tuple[int, str, Any]]:
    """(record id, guid, payload) of a source's records that are not retired, from `after` (exclusive)."""
    statement = (
        select(records.c.id, records.c.guid, documents.c.payload)
        .join(documents, documents.c.record_id == records.c.id)
        .where(records.c.source_id == source_id, records.c.id > after, records.c.status != "retired")
    )
    rows = connection.execute(statement.order_by(records.c.id).limit(limit))
    return [(row.id, row.guid, unpack(row.payload)) for row in rows]


def vanished_page(connection: Connection, run_id: int, source_id: int, after: int, limit: int) -> list[Row[Any]]:
    """(id, guid, title) of active records of a source that the run has not seen, from `after` (exclusive)."""
    statement = select(records.c.id, records.c.guid, records.c.title).where(
        records.c.source_id == source_id,
        records.c.seen_run_id != run_id,
        records.c.status == "active",
        records.c.id > after,
    )
    return list(connection.execute(statement.order_by(records.c.id).limit(limit)))


def distinct_seen(connection: Connection, run_id: int, source_id: int) -> int:
    """How many records of a source the run has seen, each counted once."""
    where = (records.c.source_id == source_id, records.c.seen_run_id == run_id)
    return int(connection.execute(select(func.count()).select_from(records).where(*where)).scalar_one())


def unmatched_values(
    connection: Connection, source_id: int | None = None, vocabulary: str | None = None, limit: int = 100
) -> list[Row[Any]]:
    """(source, vocabulary, text, count) of values that stand for no known concept, most frequent first."""
    number = func.sum(unmatched.c.count).label("number")
    columns = (sources.c.name.label("source"), unmatched.c.vocabulary, unmatched.c.text)
    statement = (
        select(*columns, number)
        .join(records, records.c.id == unmatched.c.record_id)
        .join(sources, sources.c.id == records.c.source_id)
        .where(records.c.status == "active")
        .group_by(*columns)
        .order_by(number.desc(), *columns)
        .limit(limit)
    )
    if source_id is not None:
        statement = statement.where(records.c.source_id == source_id)
    if vocabulary is not None:
        statement = statement.where(unmatched.c.vocabulary == vocabulary)
    return list(connection.execute(statement))


def _visible() -> tuple[Any, ...]:
    return (datasets.c.retired_at.is_(None), datasets.c.record_id.is_not(None), datasets.c.merged_into_id.is_(None))


def _of_source(source_id: int) -> Select[Any]:
    return select(records.c.dataset_id).where(records.c.source_id == source_id, records.c.status == "active")


def _runs() -> Select[Any]:
    return select(runs, sources.c.name.label("source")).join(sources, sources.c.id == runs.c.source_id)


def _views(
    connection: Connection, rows: Sequence[Row[Any]], load: Callable[[bytes], Any] = load_dataset
) -> list[DatasetView]:
    shown = [row.record_id for row in rows if row.record_id is not None]
    blobs = {
        row.record_id: row.dataset
        for row in connection.execute(
            select(documents.c.record_id, documents.c.dataset).where(documents.c.record_id.in_(shown))
        )
    }
    views = _record_views(connection, [row.id for row in rows], set(shown))
    return [
        DatasetView(
            row.id,
            row.key,
            row.iri,
            row.created_at,
            row.changed_at,
            row.retired_at,
            load(blob) if (blob := blobs.get(row.record_id)) else None,
            tuple(views.get(row.id, ())),
        )
        for row in rows
    ]


def _record_views(connection: Connection, ids: Sequence[int], shown: set[int]) -> dict[int, list[RecordView]]:
    found: dict[int, list[RecordView]] = {}
    for row in connection.execute(_records_of(ids)):
        view = RecordView(
            row.id, row.source, row.source_title, without_credentials(row.source_url), row.connector, row.guid,
            row.status, row.title, row.url, row.first_seen_at, row.changed_at, row.last_seen_at, row.id in shown,
            row.modified,
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
