"""Which dataset a record belongs to, and which record a dataset shows: reads and writes around clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from harvester.catalogue.tables import datasets, match_keys, records
from harvester.identity import public_key

if TYPE_CHECKING:
    from harvester.catalogue.store import Outcome, RunRef

Keyed = Sequence[tuple[int, tuple[str, ...]]]

_CHUNK = 500
_MOST_HOLDERS = 2


class Holder(NamedTuple):
    """A record that has a key."""

    source_id: int
    record_id: int
    dataset_id: int | None


Evidence = dict[str, list[Holder]]


def evidence(connection: Connection, keys: set[str]) -> Evidence:
    """key -> the records that have it, at most two of a source."""
    found: Evidence = {}
    for part in _pieces(sorted(keys)):
        rows = connection.execute(
            select(match_keys.c.key, match_keys.c.source_id, match_keys.c.record_id, records.c.dataset_id)
            .join(records, records.c.id == match_keys.c.record_id)
            .where(match_keys.c.key.in_(part))
        )
        for key, *holder in rows:
            found.setdefault(key, []).append(Holder(*holder))
    return found


def homes(connection: Connection, run: RunRef, keyed: Keyed, known: Evidence) -> dict[int, int]:
    """record id -> the dataset it joins: the oldest one known by a shared key that has no record of this source yet.

    A source never lists one dataset twice under two guids, so two records of one source are never joined.
    """
    uses = Counter(key for _, keys in keyed for key in keys)
    alone = [(record_id, [key for key in keys if uses[key] == 1]) for record_id, keys in keyed]
    wanted = {record_id: _candidates(run.source_id, keys, known) for record_id, keys in alone}
    open_datasets = _without_source(connection, set().union(*wanted.values()), run.source_id) if wanted else set()
    joined: dict[int, int] = {}
    for record_id, candidates in wanted.items():
        if candidates & open_datasets:
            joined[record_id] = min(candidates & open_datasets)
            open_datasets.discard(joined[record_id])
    return joined


def new_holders(run: RunRef, keyed: Keyed, known: Evidence) -> list[dict[str, Any]]:
    """The rows of `match_keys` to add; a key that this source uses twice already gets no further holder."""
    held = Counter(key for key, holders in known.items() for h in holders if h.source_id == run.source_id)
    rows = []
    for record_id, keys in keyed:
        for key in keys:
            held[key] += 1
            if held[key] <= _MOST_HOLDERS:
                rows.append({"key": key, "source_id": run.source_id, "record_id": record_id})
    return rows


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


def _candidates(source_id: int, keys: Iterable[str], known: Evidence) -> set[int]:
    """The datasets that unambiguous keys point at."""
    found: set[int] = set()
    for key in keys:
        uses = Counter(holder.source_id for holder in known.get(key, ()))
        if not uses[source_id]:
            found |= {h.dataset_id for h in known.get(key, ()) if uses[h.source_id] == 1 and h.dataset_id is not None}
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
