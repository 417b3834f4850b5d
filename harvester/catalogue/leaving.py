"""What leaves the catalogue, comes back, or goes on under another identifier: writes, in batches.

A retired record keeps its row for ever, so that its identifier leads to the same dataset when it comes back; what it
said is let go of after a period of grace.  Callers own the transaction (`database.writing`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from harvester.catalogue import history, joining, naming, store
from harvester.catalogue.database import in_turn
from harvester.catalogue.history import Noted
from harvester.catalogue.missing import unseen
from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import (
    changes,
    datasets,
    documents,
    identifiers,
    match_keys,
    records,
    revisions,
    runs,
    unmatched,
)
from harvester.identity import public_key

# A source that mints new identifiers every day must not give its datasets hundreds of names.
MOST_NAMES = 40
# What of a record is the source's own, and goes with its identifier.
_SAID = ("payload_hash", "dataset_hash", "title", "url", "modified", "body_hash", "seen_run_id")


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
    joining.show_best_record(connection, {row.dataset_id for row in rows if row.dataset_id is not None}, now)
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
    _take_over(connection, run, known, now)
    homes = {new.dataset_id: old.dataset_id for old, new in known if new.dataset_id != old.dataset_id}
    ended = _merge(connection, run, homes, now)
    kept = {old.dataset_id for old, _ in known}
    joining.show_best_record(connection, kept | (homes.keys() - ended), now)
    _forget_names(connection, run, sorted(kept), min(new.first_seen_at for _, new in known))
    _log(connection, run, "renamed", [(old.dataset_id, old.id) for old, _ in known], now)
    _log(connection, run, "joined", [(dataset_id, 0) for dataset_id in homes], now)
    return [new for _, new in known]


def name_vanished(connection: Connection, run: RunRef, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Note in the history that a run did not show these records (`missing.untold`)."""
    history.note(connection, run, "vanished", map(_as_it_is, rows), now)


def forget(connection: Connection, before: datetime, limit: int = store.CHUNK) -> int:
    """Let go of what records said that were retired before an instant; answers how many, 0 when none is left.

    Their rows stay: an identifier that comes back gets its dataset back, and no IRI is ever given to another one.
    """
    old = select(records.c.id).join(documents, documents.c.record_id == records.c.id)
    old = old.where(records.c.status == "retired", records.c.retired_at < before).order_by(records.c.id).limit(limit)
    ids = connection.execute(old).scalars().all()
    for part in store.chunks(ids):
        history.keep_last(connection, part)
        for table in (documents, match_keys, unmatched):
            connection.execute(delete(table).where(table.c.record_id.in_(part)))
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


def _take_over(connection: Connection, run: RunRef, known: Sequence[tuple[Row[Any], Row[Any]]], now: datetime) -> None:
    """The old rows say what the new ones say, under their guids; the new rows go."""
    both = [{"b_old": old.id, "b_new": new.id} for old, new in known]
    for table in (match_keys, unmatched):
        connection.execute(delete(table).where(table.c.record_id == bindparam("b_old")), both)
        moved = update(table).where(table.c.record_id == bindparam("b_new"))
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


def _merge(connection: Connection, run: RunRef, homes: dict[int, int], now: datetime) -> set[int]:
    """Let datasets end in others (ended -> kept), unless one source has records of both; answers which ended."""
    sources = _sources(connection, {*homes, *homes.values()})
    merged = {}
    for ended, kept in homes.items():
        if not sources.get(ended, set()) & sources.get(kept, set()):
            merged[ended] = kept
        else:
            connection.execute(naming.moving(), {"b_ended": ended, "b_kept": kept})
    history.note_joined(connection, run, merged, now)
    joining.merge(connection, merged, now)
    if merged:
        chained = update(datasets).where(datasets.c.merged_into_id == bindparam("b_ended"))
        rows = [{"b_ended": ended, "b_kept": kept} for ended, kept in merged.items()]
        connection.execute(chained.values(merged_into_id=bindparam("b_kept")), rows)
    return set(merged)


def _sources(connection: Connection, ids: set[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for part in store.chunks(sorted(ids)):
        pairs = select(records.c.dataset_id, records.c.source_id).where(records.c.dataset_id.in_(part)).distinct()
        for dataset_id, source_id in connection.execute(pairs):
            found.setdefault(dataset_id, set()).add(source_id)
    return found


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


def _log(connection: Connection, run: RunRef, action: str, touched: Sequence[tuple[int, int]], now: datetime) -> None:
    rows = [
        {"dataset_id": dataset_id, "record_id": record_id, "run_id": run.id or None, "action": action, "at": now}
        for dataset_id, record_id in touched
    ]
    if rows:
        connection.execute(insert(changes), rows)
