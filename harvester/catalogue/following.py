"""What is derived from the catalogue and kept in its database follows the change log, at a cost in proportion to it.

A follower that is new, or whose rules are, goes over every dataset first; what changes meanwhile comes after.  What it
writes and how far it has come are one transaction: it can be killed anywhere and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from harvester.catalogue import queries
from harvester.catalogue.database import writing
from harvester.catalogue.tables import datasets, followers

BATCH = 500

Apply = Callable[[Connection, Sequence[int], datetime], None]


class Follower(NamedTuple):
    """Something derived: `apply` brings it up to date for datasets, whether they are visible, retired or ended."""

    name: str
    apply: Apply
    # A follower whose number has changed goes over every dataset again.
    rules: int = 1


class Standing(NamedTuple):
    """How far a follower has come: entries of the log it has not seen, and the id it scans up to, or None."""

    behind: int
    scanned: int | None


def follow(
    engine: Engine,
    follower: Follower,
    now: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Apply what changed since the last time, batch by batch, until nothing is left or `stop`; answers datasets."""
    done = 0
    while not stop():
        with writing(engine) as connection:
            ids = _step(connection, follower, batch)
            if ids is None:
                break
            if ids:
                follower.apply(connection, ids, now())
        done += len(ids)
        progress(done)
    return done


def rewind(connection: Connection, name: str) -> None:
    """Let a follower go over every dataset again."""
    connection.execute(delete(followers).where(followers.c.name == name))


def standing(connection: Connection, follower: Follower) -> Standing:
    """How far a follower has come."""
    row = connection.execute(select(followers).where(followers.c.name == follower.name)).one_or_none()
    last = queries.last_change(connection)
    if row is None or row.rules != follower.rules:
        return Standing(last, 0)
    return Standing(max(last - row.seq, 0), row.scanned)


def _step(connection: Connection, follower: Follower, batch: int) -> list[int] | None:
    """The next datasets to go over, noted as done; None when there are none."""
    row = _row(connection, follower)
    if row.scanned is not None:
        after = datasets.c.id > row.scanned
        ids = list(
            connection.execute(select(datasets.c.id).where(after).order_by(datasets.c.id).limit(batch)).scalars()
        )
        _note(connection, follower, scanned=ids[-1] if ids else None)
        return ids
    changed = queries.changed_datasets(connection, row.seq, batch)
    if not changed:
        return None
    _note(connection, follower, seq=changed[-1][0])
    return sorted({dataset_id for _, dataset_id in changed})


def _row(connection: Connection, follower: Follower) -> Row[Any]:
    """The follower's row, kept from every other process until the transaction ends."""
    mine = select(followers).where(followers.c.name == follower.name).with_for_update()
    row = connection.execute(mine).one_or_none()
    last = queries.last_change(connection)
    # A log that is behind its follower is one restored from a backup.
    if row is not None and row.rules == follower.rules and row.seq <= last:
        return row
    rewind(connection, follower.name)
    connection.execute(insert(followers).values(name=follower.name, seq=last, scanned=0, rules=follower.rules))
    return connection.execute(mine).one()


def _note(connection: Connection, follower: Follower, **values: int | None) -> None:
    connection.execute(update(followers).where(followers.c.name == follower.name).values(**values))
