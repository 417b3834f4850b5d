"""Every read of the catalogue; lists are read in pages along an ascending key, never whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from harvester.catalogue.naming import identifiers_of as identifiers_of
from harvester.catalogue.overview import CHUNK as CHUNK
from harvester.catalogue.overview import DatasetView as DatasetView
from harvester.catalogue.overview import RecordView as RecordView
from harvester.catalogue.overview import dataset_by_key as dataset_by_key
from harvester.catalogue.overview import dataset_views as dataset_views
from harvester.catalogue.overview import visible_count as visible_count
from harvester.catalogue.overview import visible_ids as visible_ids
from harvester.catalogue.overview import visible_page as visible_page
from harvester.catalogue.packing import unpack
from harvester.catalogue.tables import (
    LIVE,
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
from harvester.connector import Body
from harvester.decide import Stored
from harvester.model import Catalogue


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


def with_body(connection: Connection, source_id: int, digest: bytes, after: int, limit: int) -> list[Row[Any]]:
    """(id, guid, status, title) of the active records that came with these bytes, from `after` (exclusive)."""
    columns = (records.c.id, records.c.guid, records.c.status, records.c.title)
    where = (records.c.source_id == source_id, records.c.body_hash == digest, records.c.status == "active")
    statement = select(*columns).where(*where, records.c.id > after).order_by(records.c.id).limit(limit)
    return list(connection.execute(statement))


def standing_body(connection: Connection, source_id: int, url: str, read_since: datetime) -> Body | None:
    """What an address answered last, to be asked for again with its validators: no bytes come where nothing changed.

    None when it gave no validators, when not every record that it held is still active, and when its bytes came
    before `read_since`: portals were seen that say for ever that nothing has changed.
    """
    told = bodies.c.etag.is_not(None) | bodies.c.last_modified.is_not(None)
    where = (bodies.c.source_id == source_id, bodies.c.url == url, bodies.c.read_at > read_since, told)
    row = connection.execute(select(bodies).where(*where).order_by(bodies.c.run_id.desc()).limit(1)).one_or_none()
    if row is None or body_count(connection, source_id, row.digest) != row.records:
        return None
    said = (row.url, row.etag, row.last_modified)
    return Body(row.digest, row.records, row.next, row.advertised, *said, read=False)


def body_count(connection: Connection, source_id: int, digest: bytes) -> int:
    """How many active records of a source came with an answer."""
    where = (records.c.source_id == source_id, records.c.body_hash == digest, records.c.status == "active")
    return int(connection.execute(select(func.count()).select_from(records).where(*where)).scalar_one())


def body_run(connection: Connection, source_id: int, digest: bytes) -> int | None:
    """The last run that met an answer with these bytes."""
    statement = select(bodies.c.run_id).where(bodies.c.source_id == source_id, bodies.c.digest == digest)
    return connection.execute(statement).scalar_one_or_none()


def source_named(connection: Connection, name: str) -> Row[Any] | None:
    """One source by name."""
    return connection.execute(select(sources).where(sources.c.name == name)).one_or_none()


def source_by_id(connection: Connection, source_id: int) -> Row[Any]:
    """One source."""
    return connection.execute(select(sources).where(sources.c.id == source_id)).one()


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
    # One step down the index for each source, however many runs it has had.
    last = select(func.max(runs.c.id)).where(runs.c.source_id == sources.c.id).scalar_subquery()
    newest = select(last).where(sources.c.id.in_(source_ids))
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


def reported(connection: Connection, run_id: int, stage: str) -> list[tuple[str | None, ...]]:
    """What tells each problem of a run from the others (`store.mark`)."""
    told = (problems.c.code, problems.c.guid, problems.c.field, problems.c.value, problems.c.url, problems.c.message)
    rows = connection.execute(select(*told).where(problems.c.run_id == run_id, problems.c.stage == stage))
    return [tuple(row) for row in rows]


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


def _runs() -> Select[Any]:
    return select(runs, sources.c.name.label("source")).join(sources, sources.c.id == runs.c.source_id)
