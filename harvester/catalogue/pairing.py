"""What a reconciliation reads of the catalogue: the records of a source in pages, with what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, case, func, or_, select

from harvester.catalogue.overview import CHUNK
from harvester.catalogue.tables import decided as named
from harvester.catalogue.tables import decisions, documents, problems, records, runs, signs, sources

PAGE = 500
_RECORD = (
    records.c.id,
    records.c.guid,
    records.c.status,
    records.c.title,
    records.c.url,
    records.c.modified,
    records.c.first_seen_at,
    records.c.changed_at,
    records.c.retired_at,
)


def scan(connection: Connection, source_id: int, horizon: datetime, payloads: bool) -> Iterator[list[Row[Any]]]:
    """The records of a source in pages, by id: those listed, those never accepted, those retired since `horizon`.

    With what they say and what tells them from others; `payload` only where it is asked for, or where nothing else
    tells what the record is.
    """
    payload = documents.c.payload if payloads else case((documents.c.dataset.is_(None), documents.c.payload))
    told = (signs.c.rules, signs.c.keyed, signs.c.body.label("signs"))
    statement = select(*_RECORD, documents.c.dataset, payload.label("payload"), *told)
    statement = statement.outerjoin(documents, documents.c.record_id == records.c.id)
    statement = statement.outerjoin(signs, signs.c.record_id == records.c.id).where(_in_scope(source_id, horizon))
    after = 0
    page: Select[Any] = statement.order_by(records.c.id).limit(PAGE)
    while rows := list(connection.execute(page.where(records.c.id > after))):
        yield rows
        after = rows[-1].id


def counts(connection: Connection, source_id: int, horizon: datetime) -> dict[str, int]:
    """status -> how many records `scan` answers."""
    statement = select(records.c.status, func.count()).where(_in_scope(source_id, horizon)).group_by(records.c.status)
    return {status: int(number) for status, number in connection.execute(statement)}


def said(connection: Connection, record_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """id -> a record with its dataset and payload."""
    statement = select(*_RECORD, documents.c.dataset, documents.c.payload)
    statement = statement.outerjoin(documents, documents.c.record_id == records.c.id)
    found: dict[int, Row[Any]] = {}
    for part in _pieces(record_ids):
        found |= {row.id: row for row in connection.execute(statement.where(records.c.id.in_(part)))}
    return found


def first_walk_ended(connection: Connection, source_id: int) -> datetime | None:
    """When the first good walk of a source ended: what was first seen later was not there before.  None: none did."""
    good = runs.c.status.in_(("succeeded", "partial", "held"))
    statement = select(func.min(runs.c.ended_at)).where(runs.c.source_id == source_id, good)
    return connection.execute(statement).scalar_one_or_none()


def troubles(connection: Connection, source_id: int, guids: Sequence[str]) -> dict[str, str]:
    """guid -> what the last run that reported it said, for records that could not be read."""
    found: dict[str, str] = {}
    for part in _pieces(guids):
        statement = (
            select(problems.c.guid, problems.c.message)
            .join(runs, runs.c.id == problems.c.run_id)
            .where(runs.c.source_id == source_id, problems.c.guid.in_(part), problems.c.severity == "error")
            .order_by(problems.c.id)
        )
        found |= {row.guid: row.message for row in connection.execute(statement)}
    return found


def retired_long_ago(connection: Connection, source_id: int, guids: Sequence[str]) -> datetime | None:
    """When the last of these records of a source was retired, however long ago; None: it never had any."""
    found: list[datetime] = []
    for part in _pieces(guids):
        statement = select(func.max(records.c.retired_at)).where(records.c.status == "retired")
        mine = (records.c.source_id == source_id, records.c.guid.in_(part))
        found += filter(None, connection.execute(statement.where(*mine)).scalars())
    return max(found, default=None)


def decided(connection: Connection, source_ids: Iterable[int]) -> set[int]:
    """The numbers of what people decided of records of these sources, and holds."""
    mine = select(sources.c.name).where(sources.c.id.in_(list(source_ids)))
    statement = select(named.c.decision_id).join(decisions, decisions.c.id == named.c.decision_id)
    return set(connection.execute(statement.where(decisions.c.undone_at.is_(None), named.c.source.in_(mine))).scalars())


def shared_with(connection: Connection, target_id: int) -> dict[int, int]:
    """source id -> how many of its records are of a dataset that the target has as well."""
    theirs = (
        select(records.c.dataset_id)
        .where(records.c.source_id == target_id, records.c.status == "active", records.c.dataset_id.is_not(None))
        .distinct()
        .subquery()
    )
    statement = (
        select(records.c.source_id, func.count())
        .join(theirs, theirs.c.dataset_id == records.c.dataset_id)
        .where(records.c.source_id != target_id, records.c.status == "active")
        .group_by(records.c.source_id)
    )
    return {source_id: int(number) for source_id, number in connection.execute(statement)}


def elsewhere(connection: Connection, source_id: int, after: int, limit: int) -> list[tuple[Row[Any], list[Row[Any]]]]:
    """The active records of a source from `after` (exclusive), with those of other sources of the same dataset."""
    own: Select[Any] = select(*_RECORD, records.c.dataset_id).where(
        records.c.source_id == source_id, records.c.status == "active", records.c.id > after
    )
    mine = list(connection.execute(own.order_by(records.c.id).limit(limit)))
    homes = sorted({row.dataset_id for row in mine if row.dataset_id is not None})
    others: dict[int, list[Row[Any]]] = {}
    for part in _pieces(homes):
        for row in connection.execute(_others(source_id, part)):
            others.setdefault(row.dataset_id, []).append(row)
    return [(row, others.get(row.dataset_id, [])) for row in mine]


def _others(source_id: int, dataset_ids: Sequence[int]) -> Select[Any]:
    statement = select(*_RECORD, records.c.dataset_id, records.c.source_id, sources.c.name.label("source"))
    statement = statement.join(sources, sources.c.id == records.c.source_id)
    where = (records.c.dataset_id.in_(dataset_ids), records.c.source_id != source_id, records.c.status == "active")
    return statement.where(*where).order_by(records.c.id)


def _in_scope(source_id: int, horizon: datetime) -> Any:
    listed = records.c.status.in_(("active", "failed"))
    recent = and_(records.c.status == "retired", records.c.retired_at >= horizon)
    return and_(records.c.source_id == source_id, or_(listed, recent))


def _pieces(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
