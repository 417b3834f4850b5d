"""What leaves the catalogue, comes back, or goes on under another identifier: writes, in batches.

A retired record keeps its row for ever, so that its identifier leads to the same dataset when it comes back; what it
said is let go of after a period of grace.  Callers own the transaction (`database.writing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from harvester.catalogue import clusters, history, naming, showing, store
from harvester.catalogue.clusters import hands
from harvester.catalogue.database import in_turn
from harvester.catalogue.history import Noted
from harvester.catalogue.missing import unseen
from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import (
    changes,
    datasets,
    documents,
    identifiers,
    records,
    revisions,
    runs,
    unmatched,
)
from harvester.identity import public_key

# A source that mints new identifiers every day must not give its datasets hundreds of names.
MOST_NAMES = 40
_NOBODY = RunRef(0, 0, "")
# What of a record is the source's own, and goes with its identifier.
_SAID = ("payload_hash", "dataset_hash", "title", "url", "modified", "body_hash", "seen_run_id", "role", "origin")


def retire_unseen(connection: Connection, run: RunRef, ids: Sequence[int], before: int, now: datetime) -> list[int]:
    """Retire those of the records that are active and have not been seen since; answers which."""
    if not ids:
        return []
    in_turn(connection)
    gone: list[int] = []
    for part in store.chunks(ids):
        still = select(records.c.id).where(records.c.id.in_(part), *unseen(run.source_id, before))
        gone += connection.execute(still.order_by(records.c.id).with_for_update()).scalars().all()
    store.retire(connection, run, gone, now)
    return gone


def revive(connection: Connection, run: RunRef, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Show records again that were retired while the run that saw them was under way (`missing.revivable`)."""
    in_turn(connection)
    history.note(connection, run, "restored", map(_as_it_is, rows), now)
    back = update(records).where(records.c.id.in_([row.id for row in rows]))
    connection.execute(back.values(status="active", retired_at=None, changed_at=now))
    showing.show(connection, {row.dataset_id for row in rows if row.dataset_id is not None}, now)
    _log(connection, run, "restored", [(row.dataset_id, row.id) for row in rows if row.dataset_id is not None], now)


def rename(connection: Connection, run: RunRef, pairs: Sequence[tuple[int, int]], now: datetime) -> list[Row[Any]]:
    """Let records take the place of others under their new identifiers; answers what they are now.

    `pairs` are record ids, old and new.  The old record keeps its row and its dataset, with key and IRI; it takes
    over all that the new one says.  The new one's dataset becomes the old one's.
    """
    in_turn(connection)
    olds, news = _rows(connection, [old for old, _ in pairs]), _rows(connection, [new for _, new in pairs])
    known = [(olds[old], news[new]) for old, new in pairs if old in olds and new in news]
    if not known:
        return []
    history.note(connection, run, "renamed", [_noted(old, new) for old, new in known], now)
    changed = clusters.renamed(connection, run.source, [(old.id, new.id, new.guid) for old, new in known])
    look_at = clusters.drop(connection, [new.id for _, new in known])
    _take_over(connection, known, run, now)
    hands.rename(connection, run.source, [(old.guid, new.guid) for old, new in known])
    settled = clusters.update(connection, run, changed, now, look_at | changed.keys())
    homes = {old.id: settled.homes.get(old.id, old.dataset_id) for old, _ in known}
    for old, new in known:
        if new.dataset_id != homes[old.id]:
            connection.execute(naming.moving(), {"b_ended": new.dataset_id, "b_kept": homes[old.id]})
    left = {new.dataset_id for _, new in known} | set(homes.values())
    showing.show(connection, clusters.standing(connection, left) - settled.touched, now)
    _forget_names(connection, run, sorted(set(homes.values())), min(new.first_seen_at for _, new in known))
    _log(connection, run, "renamed", [(homes[old.id], old.id) for old, _ in known], now)
    return [new for _, new in known]


def name_vanished(connection: Connection, run: RunRef, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Note in the history that a run did not show these records (`missing.untold`)."""
    history.note(connection, run, "vanished", map(_as_it_is, rows), now)


def forget(connection: Connection, before: datetime, now: datetime, limit: int = store.CHUNK) -> int:
    """Let go of what records said that were retired before an instant; answers how many, 0 when none is left.

    Their rows stay: an identifier that comes back gets its dataset back, and no IRI is ever given to another one.
    """
    old = select(records.c.id).join(documents, documents.c.record_id == records.c.id)
    old = old.where(records.c.status == "retired", records.c.retired_at < before).order_by(records.c.id).limit(limit)
    ids = connection.execute(old).scalars().all()
    for part in store.chunks(ids):
        history.keep_last(connection, part)
        alone = clusters.drop(connection, part)
        for table in (documents, unmatched):
            connection.execute(delete(table).where(table.c.record_id.in_(part)))
        clusters.update(connection, _NOBODY, {}, now, alone)
    return len(ids)


def decide(connection: Connection, run_id: int, values: Mapping[str, Any]) -> bool:
    """Close a held run with a decision; False when it is not held any longer."""
    held = update(runs).where(runs.c.id == run_id, runs.c.status == "held")
    return connection.execute(held.values(**values)).rowcount == 1


def doubt(connection: Connection, source_id: int, until: int) -> None:
    """Let what earlier walks of a source did not show count for nothing, up to a run."""
    earlier = update(runs).where(runs.c.source_id == source_id, runs.c.id <= until, runs.c.sound.is_(True))
    connection.execute(earlier.values(sound=False))


def supersede(connection: Connection, run: RunRef) -> None:
    """Close the earlier held runs of a source: this one has walked all of it since."""
    told = func.coalesce(runs.c.message, "") + f"; run {run.id} has walked the source since"
    held = update(runs).where(runs.c.source_id == run.source_id, runs.c.id < run.id, runs.c.status == "held")
    connection.execute(held.values(status="partial", message=told, decided_by=f"run {run.id}"))


def _rows(connection: Connection, ids: Sequence[int]) -> dict[int, Row[Any]]:
    statement = select(records, documents.c.payload, documents.c.dataset)
    statement = statement.join(documents, documents.c.record_id == records.c.id)
    found: dict[int, Row[Any]] = {}
    for part in store.chunks(ids):
        found |= {row.id: row for row in connection.execute(statement.where(records.c.id.in_(part)))}
    return found


def _as_it_is(row: Row[Any]) -> Noted:
    return Noted(row.id, row.dataset_id, row.guid, row.title, row.changed_at)


def _noted(old: Row[Any], new: Row[Any]) -> Noted:
    fields = history.between(old.dataset, new.dataset)
    return Noted(old.id, old.dataset_id, new.guid, new.title, old.changed_at, fields, was=old.guid)


def _take_over(connection: Connection, known: Sequence[tuple[Row[Any], Row[Any]]], run: RunRef, now: datetime) -> None:
    """The old rows say what the new ones say, under their guids; the new rows go."""
    both = [{"b_old": old.id, "b_new": new.id} for old, new in known]
    connection.execute(delete(unmatched).where(unmatched.c.record_id == bindparam("b_old")), both)
    moved = update(unmatched).where(unmatched.c.record_id == bindparam("b_new"))
    connection.execute(moved.values(record_id=bindparam("b_old")), both)
    connection.execute(delete(revisions).where(*_founding(run)), both)
    connection.execute(delete(records).where(records.c.id == bindparam("b_new")), both)
    said = [
        {"b_id": old.id, "guid": new.guid, "changed_at": now, **{name: new._mapping[name] for name in _SAID}}
        for old, new in known
    ]
    connection.execute(update(records).where(records.c.id == bindparam("b_id")), said)
    blobs = [{"b_id": old.id, "payload": new.payload, "dataset": new.dataset} for old, new in known]
    connection.execute(update(documents).where(documents.c.record_id == bindparam("b_id")), blobs)


def _founding(run: RunRef) -> tuple[Any, ...]:
    """What this run noted of a new record: it was no new one after all."""
    mine: Any = bindparam("b_new")
    return (revisions.c.record_id == mine, revisions.c.run_id == run.id, revisions.c.action == "created")


def _forget_names(connection: Connection, run: RunRef, ids: Sequence[int], since: datetime) -> None:
    """Of datasets with too many names keep the oldest and the latest ones; what the others founded goes with them."""
    crowd = select(identifiers.c.dataset_id).group_by(identifiers.c.dataset_id).having(func.count() > MOST_NAMES)
    order = (identifiers.c.first_seen_at, identifiers.c.notation, identifiers.c.agency)
    for part in store.chunks(ids):
        for dataset_id in connection.execute(crowd.where(identifiers.c.dataset_id.in_(part))).scalars().all():
            mine = (identifiers.c.dataset_id == dataset_id, identifiers.c.first_seen_at < since)
            extra = connection.execute(select(identifiers).where(*mine).order_by(*order).offset(MOST_NAMES // 2)).all()
            rows = [{"b_name": row.notation, "b_agency": row.agency} for row in extra]
            same = (identifiers.c.notation == bindparam("b_name"), identifiers.c.agency == bindparam("b_agency"))
            connection.execute(delete(identifiers).where(identifiers.c.dataset_id == dataset_id, *same), rows)
            keys = [public_key(run.source, row.notation) for row in extra]
            ended = (datasets.c.merged_into_id == dataset_id, datasets.c.key.in_(keys))
            connection.execute(delete(datasets).where(*ended))
            clusters.forget_names(connection, dataset_id, keys)


def _log(connection: Connection, run: RunRef, action: str, touched: Sequence[tuple[int, int]], now: datetime) -> None:
    rows = [
        {"dataset_id": dataset_id, "record_id": record_id, "run_id": run.id or None, "action": action, "at": now}
        for dataset_id, record_id in touched
    ]
    if rows:
        connection.execute(insert(changes), rows)
