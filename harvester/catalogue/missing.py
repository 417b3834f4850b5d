"""What walks did not show: reads for the deletion guard and for the people who decide on held runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, exists, func, select

from harvester.catalogue.packing import load_dataset
from harvester.catalogue.tables import datasets, documents, records, revisions, runs
from harvester.model import Dataset

CHUNK = 2000
# How a walk that came to its end may end.
ENDED = ("succeeded", "partial", "held")


_RECORDS = records.outerjoin(runs, runs.c.id == records.c.seen_run_id)
_DOCUMENTED = _RECORDS.join(documents, documents.c.record_id == records.c.id)
# A run whose row is gone ended no earlier than the record was changed.
_LAST_SEEN = func.coalesce(runs.c.ended_at, records.c.changed_at)


class Stated(NamedTuple):
    """A record with what it says, and when it was seen last or first."""

    id: int
    dataset_id: int
    guid: str
    at: datetime
    dataset: Dataset


def page(connection: Connection, source_id: int, before: int, after: int = 0, limit: int = 100) -> list[Row[Any]]:
    """(id, guid, title, url, key, seen_run_id) of the active records of a source that were last seen before a run.

    What a run did not show and has not been seen since: no later walk can make this list longer, for what it misses,
    the run had seen.
    """
    columns = (records.c.id, records.c.guid, records.c.title, records.c.url, datasets.c.key, records.c.seen_run_id)
    statement = select(*columns).outerjoin(datasets, datasets.c.id == records.c.dataset_id)
    statement = statement.where(*unseen(source_id, before), records.c.id > after)
    return list(connection.execute(statement.order_by(records.c.id).limit(limit)))


def active(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """(id, guid, title) of those of the records that are active; there are at most a thousand."""
    statement = select(records.c.id, records.c.guid, records.c.title)
    return list(connection.execute(statement.where(records.c.id.in_(ids), records.c.status == "active")))


def count(connection: Connection, source_id: int, before: int) -> int:
    """How many active records of a source were last seen before this run."""
    statement = select(func.count()).select_from(records).where(*unseen(source_id, before))
    return int(connection.execute(statement).scalar_one())


def unseen(source_id: int, before: int) -> tuple[Any, ...]:
    """The active records of a source that were last seen before a run."""
    return (records.c.source_id == source_id, records.c.status == "active", records.c.seen_run_id < before)


def untold(connection: Connection, run: Any, limit: int, after: int = 0) -> list[Row[Any]]:
    """What a run did not show, less what has been named as vanished since it was seen: rows for `history.Noted`."""
    columns = (records.c.id, records.c.dataset_id, records.c.guid, records.c.title, records.c.changed_at)
    told = exists().where(
        revisions.c.record_id == records.c.id,
        revisions.c.action == "vanished",
        revisions.c.run_id > records.c.seen_run_id,
    )
    statement = select(*columns).where(*unseen(run.source_id, run.id), ~told, records.c.id > after)
    return list(connection.execute(statement.order_by(records.c.id).limit(limit)))


def last_sound(connection: Connection, source_id: int, before: int, place: int = 1) -> int:
    """The latest sound run before a run, or the second latest ...; 0 when there are not so many."""
    return _first(connection, _sound(source_id, before).offset(place - 1))


def sound_until(connection: Connection, source_id: int, before: int, instant: datetime) -> int:
    """The latest sound run before a run that started no later than this; 0 when there is none."""
    return _first(connection, _sound(source_id, before).where(runs.c.started_at <= instant))


def walked_since(connection: Connection, run: Row[Any]) -> int | None:
    """The latest later run that walked the whole source; None when there is none."""
    statement = select(func.max(runs.c.id)).where(
        runs.c.source_id == run.source_id, runs.c.id > run.id, runs.c.mode == "full", runs.c.status.in_(ENDED)
    )
    latest: int | None = connection.execute(statement).scalar_one()
    return latest


def rewritten(connection: Connection, run: Any, after: int) -> list[Row[Any]]:
    """(id, record_id, guid, delta, dataset) of what a run has changed, from revision `after` (exclusive)."""
    columns = (revisions.c.id, revisions.c.record_id, revisions.c.guid, revisions.c.delta, documents.c.dataset)
    joined = select(*columns).outerjoin(documents, documents.c.record_id == revisions.c.record_id)
    mine = (revisions.c.run_id == run.id, revisions.c.action.in_(("updated", "restored")), revisions.c.id > after)
    return list(connection.execute(joined.where(*mine).order_by(revisions.c.id).limit(CHUNK)))


def began(connection: Connection, run: Any) -> datetime | None:
    """When a run began; None for one without a row."""
    started: datetime | None = connection.execute(select(runs.c.started_at).where(runs.c.id == run.id)).scalar()
    return started


def founded_after(connection: Connection, run: Any, number: int) -> Iterator[list[int]]:
    """The records that a run has created, but for the first so many, in pages; those that are active still."""
    mine = (revisions.c.run_id == run.id, revisions.c.action == "created")
    first = select(revisions.c.id).where(*mine).order_by(revisions.c.id).offset(number).limit(1)
    place = connection.execute(first).scalar_one_or_none()
    columns = select(revisions.c.id, revisions.c.record_id, records.c.status)
    joined = columns.outerjoin(records, records.c.id == revisions.c.record_id).where(*mine).order_by(revisions.c.id)
    while place is not None:
        rows = connection.execute(joined.where(revisions.c.id >= place).limit(CHUNK)).all()
        yield [row.record_id for row in rows if row.status == "active"]
        place = rows[-1].id + 1 if len(rows) == CHUNK else None


def witness(connection: Connection, run: Any) -> str | None:
    """The guid of a record that a run has seen."""
    statement = select(records.c.guid).where(*_seen(run)).order_by(records.c.id).limit(1)
    return connection.execute(statement).scalar_one_or_none()


def oldest(connection: Connection, run: Any) -> datetime | None:
    """When the run ended that was the first to see one of the missing for the last time; None: none is missing."""
    statement = select(func.min(_LAST_SEEN)).select_from(_RECORDS).where(*unseen(run.source_id, run.id))
    first: datetime | None = connection.execute(statement).scalar_one()
    return first


def any_arrived(connection: Connection, run: Any, since: datetime) -> bool:
    """Whether a run showed anything that was first seen after an instant."""
    where = (*_seen(run), records.c.first_seen_at > since)
    return connection.execute(select(records.c.id).where(*where).limit(1)).first() is not None


def vanished(connection: Connection, run: Any) -> Iterator[Stated]:
    """What a run did not show, with the end of the run that saw it last; read in pages."""
    where = unseen(run.source_id, run.id)
    yield from _all(connection, _stated(_LAST_SEEN).select_from(_DOCUMENTED).where(*where))


def arrived(connection: Connection, run: Any, since: datetime) -> Iterator[Stated]:
    """What a run showed that was first seen after an instant; read in pages."""
    where = (*_seen(run), records.c.first_seen_at > since)
    yield from _all(connection, _stated(records.c.first_seen_at).select_from(_DOCUMENTED).where(*where))


def revivable(connection: Connection, run: Any, since: datetime, limit: int) -> list[Row[Any]]:
    """Records that a run saw and that a person retired meanwhile: rows for `history.Noted`.  See `leaving.revive`."""
    columns = (records.c.id, records.c.dataset_id, records.c.guid, records.c.title, records.c.changed_at)
    itself = exists().where(
        revisions.c.record_id == records.c.id, revisions.c.run_id == run.id, revisions.c.action == "retired"
    )
    where = (records.c.source_id == run.source_id, records.c.seen_run_id == run.id, records.c.status == "retired")
    statement = select(*columns).where(*where, records.c.retired_at >= since, ~itself)
    return list(connection.execute(statement.order_by(records.c.id).limit(limit)))


def other_titles(connection: Connection, run: Any, since: datetime) -> Iterator[str]:
    """The titles of the records that a run showed and that had been there before an instant; read in pages."""
    statement = select(records.c.id, records.c.title).where(*_seen(run), records.c.first_seen_at <= since)
    for row in _paged(connection, statement):
        if row.title:
            yield row.title


def last_seen(connection: Connection, source_id: int) -> Iterator[Sequence[Row[Any]]]:
    """Pages of (id, at) of the active records of a source: the end of the run that saw each last."""
    statement = select(records.c.id, _LAST_SEEN.label("at")).select_from(_RECORDS)
    return _pages(connection, statement.where(records.c.source_id == source_id, records.c.status == "active"))


def first_seen(
    connection: Connection, source_id: int, after: datetime | None = None, until: datetime | None = None
) -> Iterator[Sequence[Row[Any]]]:
    """Pages of (id, dataset_id, guid, title, at) of the records first seen after an instant, with what they say.

    Of those first seen until an instant, without that.
    """
    columns = (records.c.id, records.c.dataset_id, records.c.guid, records.c.title, records.c.first_seen_at.label("at"))
    statement = select(*columns).where(records.c.source_id == source_id)
    if until is not None:
        return _pages(connection, statement.where(records.c.first_seen_at <= until))
    told = statement.add_columns(documents.c.dataset).outerjoin(documents, documents.c.record_id == records.c.id)
    return _pages(connection, told.where(records.c.first_seen_at > after))


def stated(connection: Connection, ids: Sequence[int]) -> Iterator[Stated]:
    """What records say, with the end of the run that saw each last."""
    return _all(connection, _stated(_LAST_SEEN).select_from(_DOCUMENTED).where(records.c.id.in_(ids)))


def _sound(source_id: int, before: int) -> Select[Any]:
    where = (runs.c.source_id == source_id, runs.c.id < before, runs.c.sound.is_(True))
    return select(runs.c.id).where(*where).order_by(runs.c.id.desc())


def _first(connection: Connection, statement: Select[Any]) -> int:
    return connection.execute(statement.limit(1)).scalar_one_or_none() or 0


def _seen(run: Any) -> tuple[Any, ...]:
    return (records.c.source_id == run.source_id, records.c.seen_run_id == run.id, records.c.status == "active")


def _stated(at: Any) -> Select[Any]:
    return select(records.c.id, records.c.dataset_id, records.c.guid, at.label("at"), documents.c.dataset)


def _all(connection: Connection, statement: Select[Any]) -> Iterator[Stated]:
    for row in _paged(connection, statement):
        if row.dataset is not None and row.dataset_id is not None:
            yield Stated(row.id, row.dataset_id, row.guid, row.at, load_dataset(row.dataset))


def _paged(connection: Connection, statement: Select[Any]) -> Iterator[Row[Any]]:
    for rows in _pages(connection, statement):
        yield from rows


def _pages(connection: Connection, statement: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    after = 0
    while rows := connection.execute(statement.where(records.c.id > after).order_by(records.c.id).limit(CHUNK)).all():
        after = rows[-1].id
        yield rows
