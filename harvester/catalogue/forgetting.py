"""The deletions of the retention job: each finds one batch along an ascending key, and deletes by key."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, exists, select

from harvester.catalogue.tables import changes, notices, records, revisions, runs, sources

CHUNK = 500


class Batch(NamedTuple):
    """What one look found: the keys to delete, where to look on, and whether there is more to look at."""

    ids: Sequence[int]
    after: int
    more: bool


def spared(connection: Connection) -> frozenset[int]:
    """The runs that are never forgotten: the last one of each source that ended, and those a person has to decide."""
    last = (
        select(runs.c.id)
        .where(runs.c.source_id == sources.c.id, runs.c.ended_at.is_not(None))
        .order_by(runs.c.id.desc())
        .limit(1)
        .correlate(sources)
        .scalar_subquery()
    )
    held = select(runs.c.id).where(runs.c.status == "held")
    found = {*connection.execute(select(last).select_from(sources)).scalars(), *connection.execute(held).scalars()}
    return frozenset(run_id for run_id in found if run_id is not None)


def old_revisions(connection: Connection, horizon: datetime, kept: Collection[int], after: int) -> Batch:
    """Revisions of before the horizon: past states since then are read without them."""
    rows = connection.execute(_page(revisions, after, revisions.c.run_id, revisions.c.at)).all()
    return _batch([(row.id, row.at < horizon, row.run_id not in kept) for row in rows])


def old_notices(connection: Connection, horizon: datetime, after: int) -> Batch:
    """Messages queued before the horizon, sent or not: nobody waits for them any longer."""
    rows = connection.execute(_page(notices, after, notices.c.queued_at)).all()
    return _batch([(row.id, row.queued_at < horizon, True) for row in rows])


def old_changes(connection: Connection, horizon: datetime, kept: Collection[int], after: int) -> Batch:
    """Changes of before the horizon that a later one of the same dataset outdates.

    The last change of each dataset stays: whoever follows the log, from wherever, then still hears of every dataset
    that changed since.
    """
    columns = (changes.c.seq, changes.c.run_id, changes.c.at)
    rows = connection.execute(
        select(*columns).where(changes.c.seq > after).order_by(changes.c.seq).limit(CHUNK)
    ).all()  # fmt: skip
    later = changes.alias()
    newer = exists().where(later.c.dataset_id == changes.c.dataset_id, later.c.seq > changes.c.seq)
    statement = select(changes.c.seq).where(changes.c.seq.in_([row.seq for row in rows]), newer)
    outdated = set(connection.execute(statement).scalars())
    return _batch([(row.seq, row.at < horizon, row.seq in outdated and row.run_id not in kept) for row in rows])


def old_runs(connection: Connection, horizon: datetime, kept: Collection[int], after: int) -> Batch:
    """Runs that ended before the horizon."""
    where = (runs.c.id > after, runs.c.ended_at < horizon)
    found = connection.execute(select(runs.c.id).where(*where).order_by(runs.c.id).limit(CHUNK)).scalars().all()
    ids = [run_id for run_id in found if run_id not in kept]
    return Batch(ids, found[-1] if found else after, len(found) == CHUNK)


def unnamed_runs(connection: Connection, ids: Sequence[int]) -> list[int]:
    """Those of these runs that no record names as the last one that met it."""
    met = exists().where(records.c.source_id == runs.c.source_id, records.c.seen_run_id == runs.c.id)
    return list(connection.execute(select(runs.c.id).where(runs.c.id.in_(ids), ~met)).scalars())


def told_of(connection: Connection, table: Table, run_ids: Sequence[int]) -> Batch:
    """Problems or notices of runs."""
    statement = select(table.c.id).where(table.c.run_id.in_(run_ids)).limit(CHUNK)
    ids = connection.execute(statement).scalars().all()
    return Batch(ids, 0, len(ids) == CHUNK)


def forget(connection: Connection, table: Table, ids: Sequence[int]) -> int:
    """Delete rows by their key; what hangs on them goes too.  Answers how many there were."""
    (key,) = table.primary_key.columns
    return connection.execute(delete(table).where(key.in_(ids))).rowcount if ids else 0


def _page(table: Table, after: int, *columns: Any) -> Select[Any]:
    return select(table.c.id, *columns).where(table.c.id > after).order_by(table.c.id).limit(CHUNK)


def _batch(rows: Sequence[tuple[int, bool, bool]]) -> Batch:
    """Of (key, old, may go) in ascending order; a batch without anything old is the last: later ones are younger."""
    ids = [key for key, old, may_go in rows if old and may_go]
    return Batch(ids, rows[-1][0] if rows else 0, len(rows) == CHUNK and any(old for _, old, _ in rows))
