"""Which dataset a record belongs to, and which record a dataset shows: reads and writes around clusters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, func, select, update

from harvester.catalogue.tables import datasets, match_keys, records
from harvester.identity import public_key

if TYPE_CHECKING:
    from harvester.catalogue.store import Outcome, RunRef

_CHUNK = 500


def homes(connection: Connection, run: RunRef, keyed: Sequence[tuple[int, tuple[str, ...]]]) -> dict[int, int]:
    """record id -> the dataset it joins: the oldest one known by a shared key that has no record of this source yet.

    A source never lists one dataset twice under two guids, so two records of one source are never joined here.
    """
    holders = _holders(connection, {key for _, keys in keyed for key in keys})
    open_datasets = _without_source(connection, {d for found in holders.values() for d in found}, run.source_id)
    joined: dict[int, int] = {}
    for record_id, keys in keyed:
        candidates = {d for key in keys for d in holders.get(key, ()) if d in open_datasets}
        if candidates:
            joined[record_id] = min(candidates)
            open_datasets.discard(joined[record_id])
    return joined


def founded_before(connection: Connection, run: RunRef, guids: Sequence[tuple[int, str]]) -> dict[int, int]:
    """record id -> the dataset that the same source and guid founded in an earlier life of the source."""
    keys = {public_key(run.source, guid): record_id for record_id, guid in guids}
    found: dict[int, int] = {}
    for part in _pieces(sorted(keys)):
        rows = connection.execute(select(datasets.c.key, datasets.c.id).where(datasets.c.key.in_(part)))
        found |= {keys[row.key]: row.id for row in rows}
    return found


def show_best_record(connection: Connection, dataset_ids: set[int], now: datetime) -> None:
    """Let each dataset show its first active record; one without any is retired."""
    for part in _pieces(sorted(dataset_ids)):
        best = (
            select(records.c.dataset_id, func.min(records.c.id).label("record_id"))
            .where(records.c.dataset_id.in_(part), records.c.status == "active")
            .group_by(records.c.dataset_id)
        )
        shown = {row.dataset_id: row.record_id for row in connection.execute(best)}
        rows = [
            {"b_id": i, "record_id": shown.get(i), "changed_at": now, "retired_at": None if i in shown else now}
            for i in part
        ]
        connection.execute(update(datasets).where(datasets.c.id == bindparam("b_id")), rows)


def dataset_row(dataset_id: int, record_id: int, outcome: Outcome, run: RunRef, now: datetime) -> dict[str, Any]:
    """The row of a dataset founded by a record; its public key and its first IRI never change again."""
    uri = outcome.dataset.uri if outcome.dataset else None
    return {
        "id": dataset_id,
        "key": public_key(run.source, outcome.record.guid),
        "iri": uri if uri and uri.startswith(("http://", "https://")) else None,
        "record_id": record_id,
        "created_at": now,
        "changed_at": now,
    }


def _holders(connection: Connection, keys: set[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for part in _pieces(sorted(keys)):
        rows = connection.execute(
            select(match_keys.c.key, records.c.dataset_id)
            .join(records, records.c.id == match_keys.c.record_id)
            .where(match_keys.c.key.in_(part), records.c.dataset_id.is_not(None))
        )
        for key, dataset_id in rows:
            found.setdefault(key, set()).add(dataset_id)
    return found


def _without_source(connection: Connection, dataset_ids: set[int], source_id: int) -> set[int]:
    taken: set[int] = set()
    for part in _pieces(sorted(dataset_ids)):
        rows = connection.execute(
            select(records.c.dataset_id).where(records.c.dataset_id.in_(part), records.c.source_id == source_id)
        )
        taken.update(row.dataset_id for row in rows)
    return dataset_ids - taken


def _pieces(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
