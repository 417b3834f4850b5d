"""Records go from dataset to dataset: who founds one, which end, what of that is told; nothing said is ever lost."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, insert, select, update

from harvester.catalogue import history, naming, showing
from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.history import Noted
from harvester.catalogue.numbers import allocate
from harvester.catalogue.packing import expand
from harvester.catalogue.tables import changes, datasets, documents, records
from harvester.identity import public_key
from harvester.identity.clusters import Name

if TYPE_CHECKING:
    from harvester.catalogue.store import RunRef


class Moved(NamedTuple):
    """record -> where it was and is; datasets that end, and in which; and those that go on."""

    places: Mapping[int, tuple[int | None, int]]
    into: Mapping[int, int]
    kept: Collection[int]


def found(
    connection: Connection, founders: Mapping[int, Name], iris: Mapping[int, str | None], now: datetime
) -> dict[int, int]:
    """A new dataset for each founder, under its public key and IRI; answers record -> dataset."""
    if not founders:
        return {}
    known = {**_stated(connection, founders.keys() - iris.keys()), **iris}
    ids = dict(zip(sorted(founders), allocate(connection, "datasets", len(founders)), strict=True))
    keys = _free_keys(connection, founders)
    rows = [
        {"id": dataset, "key": keys[record], "iri": known.get(record), "record_id": record}
        for record, dataset in ids.items()
    ]
    times = {"created_at": now, "changed_at": now}
    connection.execute(insert(datasets), [row | times for row in _with_own_iris(connection, rows)])
    return ids


def _free_keys(connection: Connection, founders: Mapping[int, Name]) -> dict[int, str]:
    """record -> the public key that its dataset gets.

    One whose identifier was that of another record before, which has the dataset of that name, gets one of its own.
    """
    keys = {record: public_key(*name) for record, name in founders.items()}
    again = 1
    while taken := _taken(connection, keys.values()):
        again += 1
        for record, name in founders.items():
            if keys[record] in taken:
                keys[record] = public_key(name.source, f"{name.guid}\x00{again}")
    return keys


def _taken(connection: Connection, keys: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for part in pieces(keys):
        found.update(connection.execute(select(datasets.c.key).where(datasets.c.key.in_(part))).scalars())
    return found


def apply(connection: Connection, run: RunRef, moved: Moved, now: datetime) -> set[int]:
    """Write where records are; answers the datasets that show something else now."""
    ended = _ending(connection, moved.into)
    _revive(connection, moved.kept)
    told = _note(connection, run, moved, ended, now)
    rows = [{"b_id": record, "dataset_id": new} for record, (_, new) in moved.places.items()]
    if rows:
        connection.execute(update(records).where(records.c.id == bindparam("b_id")), rows)
    _end(connection, run, ended, now)
    leaving = {r: (old, new) for r, (old, new) in told.items() if ended.get(old, old) != new}
    naming.part(connection, {r: (ended.get(old, old), new) for r, (old, new) in leaving.items()})
    touched = {new for _, new in moved.places.values()} | {old for old, _ in told.values()} | set(ended.values())
    touched -= ended.keys()
    showing.show(connection, touched, now)
    _log(connection, run, _told(moved, leaving, ended), now)
    return touched


def _ending(connection: Connection, into: Mapping[int, int]) -> dict[int, int]:
    """Those of the datasets that do not end there already."""
    found: dict[int, int] = {}
    for part in pieces(into):
        rows = connection.execute(select(datasets.c.id, datasets.c.merged_into_id).where(datasets.c.id.in_(part)))
        found |= {row.id: into[row.id] for row in rows if row.merged_into_id != into[row.id]}
    return found


def _revive(connection: Connection, kept: Collection[int]) -> None:
    for part in pieces(kept):
        ended = update(datasets).where(datasets.c.id.in_(part), datasets.c.merged_into_id.is_not(None))
        connection.execute(ended.values(merged_into_id=None))


def _note(
    connection: Connection, run: RunRef, moved: Moved, ended: Mapping[int, int], now: datetime
) -> dict[int, tuple[int, int]]:
    """Tell in the history which records leave a dataset; answers them."""
    told = {record: (old, new) for record, (old, new) in moved.places.items() if old is not None}
    columns = (records.c.id, records.c.guid, records.c.title, records.c.changed_at, records.c.source_id)
    for part in pieces(told):
        rows = connection.execute(select(*columns).where(records.c.id.in_(part)).order_by(records.c.id)).all()
        for action in ("joined", "split"):
            noted = [_noted(row, *told[row.id]) for row in rows if _action(*told[row.id], ended) == action]
            history.note(connection, run, action, noted, now)
    return told


def _noted(row: Any, old: int, new: int) -> Noted:
    return Noted(row.id, new, row.guid, row.title, row.changed_at, left=old, source=row.source_id)


def _action(old: int, new: int, ended: Mapping[int, int]) -> str:
    return "joined" if ended.get(old) == new else "split"


def _end(connection: Connection, run: RunRef, ended: Mapping[int, int], now: datetime) -> None:
    """Let datasets point at what they are now; with them go those that ended in them, and records without signs."""
    if not ended:
        return
    history.note_joined(connection, run, dict(ended), now)
    rows = [{"b_ended": old, "b_kept": new} for old, new in ended.items()]
    moved = update(records).where(records.c.dataset_id == bindparam("b_ended"))
    connection.execute(moved.values(dataset_id=bindparam("b_kept")), rows)
    gone = update(datasets).where(datasets.c.id == bindparam("b_ended"))
    connection.execute(gone.values(merged_into_id=bindparam("b_kept"), record_id=None, changed_at=now), rows)
    chained = update(datasets).where(datasets.c.merged_into_id == bindparam("b_ended"))
    connection.execute(chained.values(merged_into_id=bindparam("b_kept")), rows)
    naming.move(connection, dict(ended))


def _told(
    moved: Moved, leaving: Mapping[int, tuple[int, int]], ended: Mapping[int, int]
) -> Iterable[tuple[int, int, str]]:
    """The lines of the change log: which dataset, by which record, how."""
    for record, (old, new) in sorted(moved.places.items()):
        if old is None:
            yield new, record, "joined" if new in moved.kept else "created"
    for record, (old, new) in sorted(leaving.items()):
        yield old, record, "split"
        yield new, record, "split"
    for dataset in sorted(ended):
        yield dataset, 0, "joined"
    for dataset in sorted(set(ended.values())):
        yield dataset, 0, "joined"


def _log(connection: Connection, run: RunRef, told: Iterable[tuple[int, int, str]], now: datetime) -> None:
    rows = [
        {"dataset_id": dataset, "record_id": record, "run_id": run.id or None, "action": action, "at": now}
        for dataset, record, action in told
    ]
    if rows:
        connection.execute(insert(changes), rows)


def _stated(connection: Connection, ids: Collection[int]) -> dict[int, str | None]:
    """The IRIs that records give themselves."""
    found: dict[int, str | None] = {}
    for part in pieces(ids):
        statement = select(documents.c.record_id, documents.c.dataset).where(documents.c.record_id.in_(part))
        for row in connection.execute(statement):
            uri = orjson.loads(expand(row.dataset)).get("uri") if row.dataset else None
            found[row.record_id] = uri if uri and uri.startswith(("http://", "https://")) else None
    return found


def _with_own_iris(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of new datasets, without the IRIs that another dataset has: two nodes of one name would be one."""
    taken: set[str] = set()
    for part in pieces({row["iri"] for row in rows if row["iri"]}):
        taken.update(connection.execute(select(datasets.c.iri).where(datasets.c.iri.in_(part))).scalars())
    for row in rows:
        if row["iri"] in taken:
            row["iri"] = None
        elif row["iri"]:
            taken.add(row["iri"])
    return rows
