"""What became of each record, and when: written with the change itself, read as a run's diff and a dataset's history.

A revision keeps what tells its change and undoes it.  Past states are read backwards from what is stored now, so that
nothing before the first revision is needed, nor invented: `since_at` says how long the state before had been known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from harvester.catalogue.packing import expand, pack, unpack
from harvester.catalogue.tables import datasets, documents, problems, records, revisions, runs, sources
from harvester.fields.languages import preferred
from harvester.history.difference import Delta, difference

if TYPE_CHECKING:
    from harvester.catalogue.store import Outcome, RunRef
    from harvester.decide import Stored

CHUNK = 500
# The parts of a run's diff, in its order: revisions by action, then what could not be used, then the rest.
REVISED = ("created", "updated", "renamed", "restored", "retired", "vanished")
SECTIONS = (*REVISED, "failed", "unchanged")
# What became of a record by what others say: it may have said nothing new itself.
_MOVED = ("joined", "split")


class Noted(NamedTuple):
    """One revision to write; `was` is the guid it had before, `since` since when the state before it had been so.

    `source` is told of a record that may be of another source than the run is.
    """

    record_id: int
    dataset_id: int | None
    guid: str
    title: str | None
    since: datetime | None = None
    fields: Delta | None = None
    was: str | None = None
    left: int | None = None
    source: int | None = None

    @property
    def delta(self) -> bytes | None:
        """What is stored of the change."""
        told = {"fields": self.fields, "guid": self.was, "dataset": self.left}
        return pack({name: value for name, value in told.items() if value is not None}) if any(told.values()) else None


@dataclass(frozen=True, slots=True)
class Revision:
    """One line of a run's diff or of a dataset's history; `was` is the guid before, `dataset` a public key."""

    id: int
    run_id: int | None
    source: str | None
    dataset: str | None
    guid: str
    title: str | None
    action: str
    at: datetime
    fields: Delta | None = None
    was: str | None = None


def note(connection: Connection, run: RunRef, action: str, rows: Iterable[Noted], now: datetime) -> None:
    """Write revisions, in the transaction of the change."""
    values = [
        {
            "run_id": run.id or None,
            "source_id": run.source_id if row.source is None else row.source,
            "record_id": row.record_id,
            "dataset_id": row.dataset_id,
            "guid": row.guid,
            "title": row.title,
            "action": action,
            "at": now,
            "since_at": row.since,
            "delta": row.delta,
        }
        for row in rows
    ]
    if values:
        connection.execute(insert(revisions), values)


def note_created(
    connection: Connection, run: RunRef, placed: Iterable[tuple[int, int, Outcome]], now: datetime
) -> None:
    """New records, with the dataset each belongs to."""
    rows = (Noted(i, dataset_id, o.record.guid, _title(o)) for i, dataset_id, o in placed)
    note(connection, run, "created", rows, now)


def note_rewritten(
    connection: Connection, run: RunRef, action: str, placed: Sequence[tuple[Stored, Outcome]], now: datetime
) -> None:
    """Records about to be rewritten: what each is, and what it becomes."""
    olds = befores(connection, [stored.id for stored, _ in placed])
    rows = []
    for stored, outcome in placed:
        old = olds[stored.id]
        about = (stored.id, stored.dataset_id, outcome.record.guid, _title(outcome))
        rows.append(Noted(*about, old.changed_at, changed(old, outcome)))
    note(connection, run, action, rows, now)


def changed(old: Row[Any], outcome: Outcome) -> Delta | None:
    """What an outcome changes of a stored row (`befores`)."""
    return None if outcome.body is None else difference(_plain(old.dataset), orjson.loads(outcome.body))


def between(old: bytes | None, new: bytes | None) -> Delta | None:
    """What tells two stored datasets apart."""
    return difference(_plain(old), _plain(new))


def befores(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    """record id -> its row (id, guid, title, changed_at) with the stored dataset."""
    return {row.id: row for row in _stored(connection, ids)}


def note_retired(connection: Connection, run: RunRef, ids: Sequence[int], now: datetime) -> None:
    """Records about to be retired."""
    columns = (records.c.id, records.c.dataset_id, records.c.guid, records.c.title, records.c.changed_at)
    for part in _pieces(ids):
        rows = connection.execute(select(*columns).where(records.c.id.in_(part)).order_by(records.c.id)).all()
        note(connection, run, "retired", (Noted(*row) for row in rows), now)


def note_joined(connection: Connection, run: RunRef, merged: dict[int, int], now: datetime) -> None:
    """Records about to move from datasets that end to the ones they are (ended -> kept)."""
    columns = (records.c.id, records.c.dataset_id, records.c.guid, records.c.title, records.c.changed_at)
    for part in _pieces(sorted(merged)):
        rows = connection.execute(select(*columns, records.c.source_id).where(records.c.dataset_id.in_(part))).all()
        noted = (
            Noted(row.id, merged[left], row.guid, row.title, row.changed_at, left=left, source=row.source_id)
            for row in rows
            if (left := row.dataset_id)
        )
        note(connection, run, "joined", noted, now)


def keep_last_states(connection: Connection, source_id: int) -> None:
    """Put what each record of a source was into its last revision: its documents are about to go with the source."""
    after = 0
    while True:
        ids = connection.execute(
            select(records.c.id)
            .where(records.c.source_id == source_id, records.c.id > after)
            .order_by(records.c.id)
            .limit(CHUNK)
        ).scalars().all()  # fmt: skip
        if not ids:
            return
        after = ids[-1]
        keep_last(connection, ids)


def keep_last(connection: Connection, ids: Sequence[int]) -> None:
    """Put what retired records were into their last revision: their documents are about to go."""
    last = (
        select(func.max(revisions.c.id))
        .where(revisions.c.record_id.in_(ids), revisions.c.action.not_in(("vanished", *_MOVED)))
        .group_by(revisions.c.record_id)
    )
    ends = connection.execute(
        select(revisions.c.id, revisions.c.record_id)
        .where(revisions.c.id.in_(last), revisions.c.action == "retired", revisions.c.delta.is_(None))
    ).all()  # fmt: skip
    olds = befores(connection, [end.record_id for end in ends])
    rows = [
        {"b_id": end.id, "delta": pack({"fields": ["-", _plain(olds[end.record_id].dataset)]})}
        for end in ends
        if olds[end.record_id].dataset is not None
    ]
    if rows:
        connection.execute(update(revisions).where(revisions.c.id == bindparam("b_id")), rows)


def of_run(connection: Connection, run_id: int, action: str, after: int = 0, limit: int = 100) -> list[Revision]:
    """What a run did of one kind, by name, from `after` (exclusive)."""
    where = (revisions.c.run_id == run_id, revisions.c.action == action, revisions.c.id > after)
    return _read(connection, _revisions().where(*where).order_by(revisions.c.id).limit(limit))


def counted(connection: Connection, run_id: int, action: str) -> int:
    """How many revisions of one kind a run made."""
    where = (revisions.c.run_id == run_id, revisions.c.action == action)
    return int(connection.execute(select(func.count()).select_from(revisions).where(*where)).scalar_one())


def of_datasets(
    connection: Connection, ids: Sequence[int], before: int | None = None, limit: int = 100
) -> list[Revision]:
    """What became of the records of datasets, newest first, from `before` (exclusive)."""
    statement = _revisions().where(revisions.c.dataset_id.in_(ids)).order_by(revisions.c.id.desc()).limit(limit)
    return _read(connection, statement if before is None else statement.where(revisions.c.id < before))


def failures(connection: Connection, run_id: int, after: int = 0, limit: int = 100) -> list[Row[Any]]:
    """The records that a run could not use, with the reasons."""
    where = (problems.c.run_id == run_id, problems.c.severity == "error", problems.c.id > after)
    return list(connection.execute(select(problems).where(*where).order_by(problems.c.id).limit(limit)))


def still_named(connection: Connection, run: Row[Any]) -> bool:
    """Whether what a run found unchanged can be named: its marks stand until the next walk of the source."""
    if run.mode == "replay":
        return False
    walks = (runs.c.source_id == run.source_id, runs.c.id > run.id, runs.c.mode != "replay", runs.c.status != "queued")
    return connection.execute(select(runs.c.id).where(*walks).limit(1)).first() is None


def unchanged(connection: Connection, run: Row[Any], after: int = 0, limit: int = 100) -> tuple[list[Row[Any]], int]:
    """Records a run saw and left as they were, and where to go on; 0 at the end.  See `still_named`."""
    where = (records.c.source_id == run.source_id, records.c.seen_run_id == run.id, records.c.id > after)
    statement = (
        select(records.c.id, records.c.guid, records.c.title, datasets.c.key)
        .outerjoin(datasets, datasets.c.id == records.c.dataset_id)
        .where(*where, records.c.status == "active")
    )
    rows: list[Row[Any]] = list(connection.execute(statement.order_by(records.c.id).limit(limit)))
    touched = _touched(connection, run.id, [row.id for row in rows])
    lost = _lost(connection, run.id, [row.guid for row in rows])
    left = [row for row in rows if row.id not in touched and row.guid not in lost]
    return left, int(rows[-1].id) if len(rows) == limit else 0


def _touched(connection: Connection, run_id: int, ids: Sequence[int]) -> set[int]:
    mine = (revisions.c.run_id == run_id, revisions.c.action.not_in(_MOVED))
    statement = select(revisions.c.record_id).where(*mine)
    return {
        found
        for part in _pieces(ids)
        for found in connection.execute(statement.where(revisions.c.record_id.in_(part))).scalars()
    }


def _lost(connection: Connection, run_id: int, guids: Sequence[str]) -> set[str | None]:
    statement = select(problems.c.guid).where(problems.c.run_id == run_id, problems.c.severity == "error")
    return {
        found
        for part in _pieces(guids)
        for found in connection.execute(statement.where(problems.c.guid.in_(part))).scalars()
    }


def delta_of(blob: bytes | None) -> dict[str, Any]:
    """What is stored of a change: `fields`, `guid`, `dataset`; what did not change is not there."""
    found: dict[str, Any] = {} if blob is None else unpack(blob)
    return found


def _read(connection: Connection, statement: Select[Any]) -> list[Revision]:
    return [_revision(row) for row in connection.execute(statement)]


def _revision(row: Row[Any]) -> Revision:
    told = delta_of(row.delta)
    about = (row.id, row.run_id, row.source, row.key, row.guid, row.title, row.action, row.at)
    return Revision(*about, told.get("fields"), told.get("guid"))


def _revisions() -> Select[Any]:
    return (
        select(revisions, sources.c.name.label("source"), datasets.c.key)
        .outerjoin(sources, sources.c.id == revisions.c.source_id)
        .outerjoin(datasets, datasets.c.id == revisions.c.dataset_id)
    )


def _stored(connection: Connection, ids: Sequence[int]) -> Iterator[Row[Any]]:
    columns = (records.c.id, records.c.guid, records.c.title, records.c.changed_at, documents.c.dataset)
    for part in _pieces(ids):
        statement = select(*columns).outerjoin(documents, documents.c.record_id == records.c.id)
        rows: list[Row[Any]] = list(connection.execute(statement.where(records.c.id.in_(part))))
        yield from rows


def _plain(blob: bytes | None) -> Any:
    return None if blob is None else orjson.loads(expand(blob))


def _title(outcome: Outcome) -> str | None:
    return preferred(outcome.dataset.title) if outcome.dataset else None


def _pieces(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
