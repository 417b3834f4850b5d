"""Which dataset a record belongs to, and which record a dataset shows: reads and writes around clusters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, select, update

from harvester.catalogue import naming
from harvester.catalogue.tables import datasets, match_keys, records
from harvester.identity import public_key

if TYPE_CHECKING:
    from harvester.catalogue.store import Outcome, RunRef

Keyed = Sequence[tuple[int, tuple[str, ...]]]

# Wherever the catalogue stood at the time: a public key names one dataset in the world.
_OUR_ADDRESS = re.compile(r"uri:\S+/datasets/([a-z2-7]{16})")
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
    found = _ours(connection, keys)
    for part in _pieces(sorted(keys)):
        rows = connection.execute(
            select(match_keys.c.key, match_keys.c.source_id, match_keys.c.record_id, records.c.dataset_id)
            .join(records, records.c.id == match_keys.c.record_id)
            .where(match_keys.c.key.in_(part))
        )
        for key, *holder in rows:
            if Holder(*holder) not in found.setdefault(key, []):
                found[key].append(Holder(*holder))
    return found


def _ours(connection: Connection, keys: Iterable[str]) -> Evidence:
    """The records of our own datasets that come back from who harvests us: an address of ours names its dataset."""
    named = {match[1]: key for key in keys if (match := _OUR_ADDRESS.fullmatch(key))}
    home = func.coalesce(datasets.c.merged_into_id, datasets.c.id)
    columns = (datasets.c.key, records.c.source_id, records.c.id, records.c.dataset_id)
    found: Evidence = {}
    for part in _pieces(sorted(named)):
        rows = select(*columns).join(records, records.c.dataset_id == home).where(datasets.c.key.in_(part))
        for key, *holder in connection.execute(rows):
            found.setdefault(named[key], []).append(Holder(*holder))
    return found


@dataclass
class Placement:
    """Where records go: record id -> dataset id; and which datasets turn out to be another one: ended -> kept."""

    joined: dict[int, int]
    merged: dict[int, int]


def placed(connection: Connection, run: RunRef, keyed: Keyed, known: Evidence) -> Placement:
    """Let each record join the oldest dataset that a shared key points at; datasets it links become one.

    A source never lists one dataset twice under two guids, so nothing is joined that would bring two records of one
    source together.
    """
    uses = Counter(key for _, keys in keyed for key in keys)
    alone = [(record_id, [key for key in keys if uses[key] == 1]) for record_id, keys in keyed]
    wanted = {record_id: _candidates(run.source_id, keys, known) for record_id, keys in alone}
    sources = _sources_of(connection, set().union(*wanted.values())) if wanted else {}
    placement = Placement({}, {})
    for record_id, candidates in wanted.items():
        _place(record_id, sorted(candidates), run.source_id, sources, placement)
    return placement


def _place(
    record_id: int, candidates: list[int], source_id: int, sources: dict[int, set[int]], placement: Placement
) -> None:
    free = [d for d in candidates if d not in placement.merged and source_id not in sources.get(d, {source_id})]
    if not free:
        return
    home = placement.joined[record_id] = free[0]
    sources[home].add(source_id)
    for other in free[1:]:
        if not sources[home] & sources[other]:
            sources[home] |= sources[other]
            placement.merged[other] = home


def merge(connection: Connection, merged: dict[int, int], now: datetime) -> None:
    """Move the records of ended datasets to the ones they are; the ended ones point there from now on."""
    if not merged:
        return
    rows = [{"b_ended": ended, "b_kept": kept} for ended, kept in merged.items()]
    moved = update(records).where(records.c.dataset_id == bindparam("b_ended"))
    connection.execute(moved.values(dataset_id=bindparam("b_kept")), rows)
    gone = update(datasets).where(datasets.c.id == bindparam("b_ended"))
    connection.execute(gone.values(merged_into_id=bindparam("b_kept"), record_id=None, changed_at=now), rows)
    naming.move(connection, merged)


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
        rows = connection.execute(
            select(datasets.c.key, func.coalesce(datasets.c.merged_into_id, datasets.c.id).label("id")).where(
                datasets.c.key.in_(part)
            )
        )
        found |= {keys[row.key]: row.id for row in rows}
    return found


def homes_of(connection: Connection, record_ids: Sequence[int]) -> dict[int, int]:
    """record id -> its dataset as it is now: another source's run may have merged it since the record was read."""
    found: dict[int, int] = {}
    for part in _pieces(record_ids):
        where = (records.c.id.in_(part), records.c.dataset_id.is_not(None))
        rows = connection.execute(select(records.c.id, records.c.dataset_id).where(*where))
        found |= {row.id: row.dataset_id for row in rows}
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


def with_own_iris(connection: Connection, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of new datasets, without the IRIs that another dataset has: two nodes of one name would be one."""
    wanted = sorted({row["iri"] for row in rows if row["iri"]})
    taken: set[str] = set()
    for part in _pieces(wanted):
        taken.update(connection.execute(select(datasets.c.iri).where(datasets.c.iri.in_(part))).scalars())
    for row in rows:
        if row["iri"] in taken:
            row["iri"] = None
        elif row["iri"]:
            taken.add(row["iri"])
    return rows


def _candidates(source_id: int, keys: Iterable[str], known: Evidence) -> set[int]:
    """The datasets that unambiguous keys point at."""
    found: set[int] = set()
    for key in keys:
        uses = Counter(holder.source_id for holder in known.get(key, ()))
        if not uses[source_id]:
            found |= {h.dataset_id for h in known.get(key, ()) if uses[h.source_id] == 1 and h.dataset_id is not None}
    return found


def _sources_of(connection: Connection, dataset_ids: set[int]) -> dict[int, set[int]]:
    """dataset id -> the sources that have a record of it."""
    found: dict[int, set[int]] = {}
    for part in _pieces(sorted(dataset_ids)):
        rows = connection.execute(
            select(records.c.dataset_id, records.c.source_id).where(records.c.dataset_id.in_(part)).distinct()
        )
        for dataset_id, source_id in rows:
            found.setdefault(dataset_id, set()).add(source_id)
    return found


def _pieces(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
