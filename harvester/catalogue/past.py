"""What a dataset was at an instant, read backwards from what it is now.

A dataset shows what its active records make together (`showing.show`), so at an instant it showed what those made
that were active and its own then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, func, select

from harvester.catalogue import forms, history, walking
from harvester.catalogue.packing import dataset_json, expand
from harvester.catalogue.tables import datasets, documents, records, revisions, sources
from harvester.catalogue.trusted import trusted
from harvester.history.difference import before
from harvester.identity.merging import merged
from harvester.identity.originals import Role, Stated

ACTIVE, RETIRED, ABSENT, UNKNOWN = "active", "retired", "absent", "unknown"
# What a record was before each kind of revision.
_BEFORE = {
    "created": ABSENT,
    "updated": ACTIVE,
    "renamed": ACTIVE,
    "retired": ACTIVE,
    "restored": RETIRED,
}


@dataclass(frozen=True, slots=True)
class Past:
    """A dataset at an instant: `status` is active, retired, absent (it was not there yet) or unknown (not kept).

    `metadata` and what record they came from are given when it was active; `known_since` when it is unknown: before
    that, nothing is kept.
    """

    key: str
    at: datetime
    status: str
    record_id: int | None = None
    source: str | None = None
    guid: str | None = None
    metadata: dict[str, Any] | None = None
    known_since: datetime | None = None


@dataclass
class _Record:
    """A record on its way back in time."""

    id: int
    status: str
    home: int | None
    guid: str | None
    since: datetime | None
    undone: list[int] = field(default_factory=list)


def family(connection: Connection, key: str) -> tuple[Row[Any], list[int]] | None:
    """A dataset by its public key, and the ids of all datasets that are the same one by now; None: there is none."""
    row = connection.execute(select(datasets).where(datasets.c.key == key)).one_or_none()
    if row is None:
        return None
    last = row
    while last.merged_into_id is not None:
        last = connection.execute(select(datasets).where(datasets.c.id == last.merged_into_id)).one()
    ended = walking.taken_in(connection, [last.id]).get(last.id, [])
    return row, [last.id, *(each.id for each in ended)]


def lineage(connection: Connection, key: str) -> list[int] | None:
    """The ids of a dataset and of those that it took in; None when there is no such key."""
    row = connection.execute(select(datasets.c.id).where(datasets.c.key == key)).one_or_none()
    if row is None:
        return None
    return [row.id, *(each.id for each in walking.taken_in(connection, [row.id]).get(row.id, []))]


def dataset_at(connection: Connection, key: str, at: datetime) -> Past | None:
    """What the dataset of this key was at an instant; None when there is no such dataset."""
    row = connection.execute(select(datasets).where(datasets.c.key == key)).one_or_none()
    if row is None:
        return None
    home = _home(connection, row, at)
    found = family(connection, home.key)
    ids = found[1] if found else [home.id]
    mine = [record for record in _candidates(connection, ids, at) if record.home == home.id]
    active = sorted((record for record in mine if record.status == ACTIVE), key=lambda record: record.id)
    if active:
        return _shown(connection, home.key, at, active)
    hidden = [record for record in mine if record.status == UNKNOWN]
    if hidden:
        return Past(home.key, at, UNKNOWN, known_since=min(r.since for r in hidden if r.since))
    gone = any(record.status == RETIRED for record in mine)
    return Past(home.key, at, RETIRED if gone else ABSENT)


def _home(connection: Connection, row: Row[Any], at: datetime) -> Row[Any]:
    """The dataset that it was part of then; it may stand for itself again since."""
    met = {row.id}
    while (other := _ended_in(connection, row, at)) is not None and other not in met:
        met.add(other)
        row = connection.execute(select(datasets).where(datasets.c.id == other)).one()
    return row


def _ended_in(connection: Connection, row: Row[Any], at: datetime) -> int | None:
    """In which dataset it had ended then; None: it stood for itself.

    Of the time before histories were kept only its last end is known: what ended does not change.
    """
    mine = (revisions.c.dataset_id == row.id, revisions.c.at <= at)
    ever = select(revisions.c.record_id).where(*mine)
    columns = (revisions.c.id, revisions.c.dataset_id, revisions.c.delta)
    left = select(*columns).where(revisions.c.action == "joined", revisions.c.at <= at)
    found = connection.execute(left.where(revisions.c.record_id.in_(ever))).all()
    latest = sorted(found, key=lambda end: -end.id)
    ends = (end for end in latest if history.delta_of(end.delta).get("dataset") == row.id)
    if (end := next(ends, None)) is None:
        return row.merged_into_id if row.changed_at <= at else None
    last = connection.execute(select(func.max(revisions.c.id)).where(*mine)).scalar_one()
    return end.dataset_id if last < end.id else None


def _candidates(connection: Connection, ids: Sequence[int], at: datetime) -> list[_Record]:
    """Every record that ever was in these datasets, as it was at an instant."""
    now = connection.execute(select(records).where(records.c.dataset_id.in_(ids))).all()
    found = {row.id: _Record(row.id, _status(row), row.dataset_id, row.guid, row.changed_at) for row in now}
    first_seen = {row.id: row.first_seen_at for row in now}
    ever = select(revisions.c.record_id).where(revisions.c.dataset_id.in_(ids)).distinct()
    for record_id in connection.execute(ever).scalars():
        found.setdefault(record_id, _Record(record_id, RETIRED, None, None, None))
    for record in found.values():
        _rewind(connection, record, at)
        if record.status in (ACTIVE, RETIRED) and record.since is not None and at < record.since:
            seen = first_seen.get(record.id, record.since)
            record.status = ABSENT if at < seen else UNKNOWN
    return list(found.values())


def _status(row: Row[Any]) -> str:
    return ACTIVE if row.status == "active" else RETIRED


def _rewind(connection: Connection, record: _Record, at: datetime) -> None:
    """Undo what happened to a record after an instant; `since` is then how far back that is known to be true."""
    columns = (revisions.c.id, revisions.c.action, revisions.c.at, revisions.c.since_at, revisions.c.dataset_id)
    statement = select(*columns, revisions.c.guid).where(
        revisions.c.record_id == record.id, revisions.c.action != "vanished"
    )
    for row in connection.execute(statement.order_by(revisions.c.id.desc())).all():
        record.home = row.dataset_id if record.home is None else record.home
        record.guid = record.guid or row.guid
        if row.at <= at:
            record.since = row.at
            return
        _undo(connection, record, row)


def _undo(connection: Connection, record: _Record, row: Any) -> None:
    record.undone.append(row.id)
    record.status = _BEFORE.get(row.action, record.status)
    record.since = row.since_at
    if row.action in ("joined", "split", "renamed"):
        told = _delta(connection, row.id)
        record.home = told.get("dataset", record.home)
        record.guid = told.get("guid", record.guid)


def _shown(connection: Connection, key: str, at: datetime, active: Sequence[_Record]) -> Past:
    """What the records said together; unknown where what one of them said is not kept."""
    rows = _documents(connection, [record.id for record in active])
    states = {record.id: _state(connection, record, rows.get(record.id)) for record in active}
    lost = next((record for record in active if states[record.id] is None), None)
    if lost is not None:
        return Past(key, at, UNKNOWN, lost.id, _source(rows.get(lost.id)), lost.guid)
    record, metadata = active[0], states[active[0].id]
    if len(active) > 1:
        found = merged([_stated(each, rows.get(each.id), states[each.id] or {}) for each in active])
        record = next(each for each in active if each.id == found.shown)
        metadata = orjson.loads(dataset_json(found.dataset))
    return Past(key, at, ACTIVE, record.id, _source(rows.get(record.id)), record.guid, metadata)


def _documents(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    columns = (records.c.id, records.c.role, documents.c.dataset, sources.c.name, sources.c.url, sources.c.options)
    statement: Select[Any] = select(*columns).join(documents, documents.c.record_id == records.c.id)
    statement = statement.join(sources, sources.c.id == records.c.source_id)
    return {row.id: row for row in connection.execute(statement.where(records.c.id.in_(ids)))}


def _state(connection: Connection, record: _Record, row: Row[Any] | None) -> dict[str, Any] | None:
    state = None if row is None or row.dataset is None else orjson.loads(expand(row.dataset))
    for number in record.undone:
        state = before(_delta(connection, number).get("fields"), state)
    return state


def _source(row: Row[Any] | None) -> str | None:
    """The source of a record; None where source or record are gone."""
    return None if row is None else str(row.name)


def _stated(record: _Record, row: Row[Any] | None, state: dict[str, Any]) -> Stated:
    home, loop = (forms.home(row), row.role == Role.LOOP) if row is not None else ("", False)
    return Stated(record.id, _source(row) or "", record.guid or "", home, trusted(state), loop)


def _delta(connection: Connection, number: int) -> dict[str, Any]:
    statement = select(revisions.c.delta).where(revisions.c.id == number)
    return history.delta_of(connection.execute(statement).scalar_one())
