"""What a dataset shows: what its only record says, or what its records make together; and what each record is to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from harvester.catalogue import forms
from harvester.catalogue.database import in_turn
from harvester.catalogue.following import Follower
from harvester.catalogue.packing import dataset_json, load_dataset, pack, squeeze
from harvester.catalogue.tables import changes, datasets, documents, merged, records, sources
from harvester.identity import merging
from harvester.identity.merging import Merged
from harvester.identity.originals import Role, Standing, Stated, alone, names_of

_CHUNK = 500
# Records that are read at once: a dataset may have five hundred of them.
_MOST_AT_ONCE = 1000
# Wherever the catalogue stood at the time: a public key names one dataset in the world.
_OUR_ADDRESS = re.compile(r"/datasets/([a-z2-7]{16})(?![a-z0-9])")


class _Known(NamedTuple):
    """A record, with the role that is stored of it."""

    stated: Stated
    role: str | None
    origin: str | None


def show(connection: Connection, dataset_ids: Iterable[int], now: datetime) -> None:
    """Let each dataset show what its active records say; one without any is retired.

    The caller notes in the change log that the datasets have changed.
    """
    for part in _pieces(sorted(set(dataset_ids))):
        active = {row.dataset_id: row for row in connection.execute(_active(part))}
        shown = {i: row.record_id for i, row in active.items()}
        several = {i: int(row.number) for i, row in active.items() if row.number > 1}
        _dissolve(connection, [i for i in part if i not in several], shown)
        for group in _bounded(several):
            shown |= _merge(connection, group)
        rows = [
            {"b_id": i, "record_id": shown.get(i), "changed_at": now, "retired_at": None if i in shown else now}
            for i in part
        ]
        connection.execute(update(datasets).where(datasets.c.id == bindparam("b_id")), rows)


def bring_up(connection: Connection, dataset_ids: Sequence[int], now: datetime) -> None:
    """Let datasets that were written before there were these rules show what the rules say, and tell the index."""
    in_turn(connection)
    for part in _pieces(sorted(set(dataset_ids))):
        active = {row.dataset_id: row for row in connection.execute(_active(part))}
        current = select(merged.c.dataset_id).where(merged.c.dataset_id.in_(part), merged.c.rules == merging.RULES)
        done = set(connection.execute(current).scalars())
        stale = [i for i, row in active.items() if row.number > 1 and i not in done]
        _dissolve(connection, [i for i in part if i not in active], {})
        show(connection, stale, now)
        alone_ids = [i for i, row in active.items() if row.number == 1]
        changed = {*stale, *_judged_alone(connection, alone_ids)}
        rows = [{"dataset_id": i, "record_id": active[i].record_id, "action": "updated", "at": now} for i in changed]
        if rows:
            connection.execute(insert(changes), sorted(rows, key=lambda row: row["dataset_id"]))


FOLLOWER = Follower("showing", bring_up, merging.RULES)


def _judged_alone(connection: Connection, dataset_ids: Sequence[int]) -> set[int]:
    """Keep what the only records of these datasets are; answers the datasets where that is another role than before."""
    known = {i: found[0] for i, found in _known(connection, dataset_ids).items() if not found[0].stated.loop}
    standings = {one.stated.record_id: alone(one.stated.dataset, one.stated.home) for one in known.values()}
    changed = _note(connection, list(known.values()), standings)
    return {i for i, one in known.items() if one.stated.record_id in changed}


def _active(part: Sequence[int]) -> Any:
    best = select(records.c.dataset_id, func.min(records.c.id).label("record_id"), func.count().label("number"))
    return best.where(records.c.dataset_id.in_(part), records.c.status == "active").group_by(records.c.dataset_id)


def _bounded(numbers: Mapping[int, int]) -> Iterator[list[int]]:
    """The datasets in groups with not too many records."""
    group: list[int] = []
    size = 0
    for dataset_id, number in numbers.items():
        if group and size + number > _MOST_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(dataset_id)
        size += number
    if group:
        yield group


def _merge(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, int]:
    """Write what these datasets of several records are; dataset id -> the record shown."""
    known = _known(connection, dataset_ids)
    found = {i: merging.merged([each.stated for each in each_known]) for i, each_known in known.items()}
    connection.execute(delete(merged).where(merged.c.dataset_id.in_(dataset_ids)))
    if found:
        connection.execute(insert(merged), [_row(i, one, known[i]) for i, one in found.items()])
    everything = [each for each_known in known.values() for each in each_known]
    _note(connection, everything, {n: s for one in found.values() for n, s in one.verdict.standings.items()})
    return {i: one.shown for i, one in found.items()}


def _row(dataset_id: int, one: Merged, known: Sequence[_Known]) -> dict[str, Any]:
    shown = next(each.stated.dataset for each in known if each.stated.record_id == one.shown)
    told = {"fields": dict(one.fields), "why": {str(i): found.why for i, found in one.verdict.standings.items()}}
    return {
        "dataset_id": dataset_id,
        "dataset": None if one.dataset is shown else squeeze(dataset_json(one.dataset)),
        "told": pack(told),
        "original_id": one.verdict.original,
        "reason": one.verdict.reason,
        "rules": merging.RULES,
    }


def _dissolve(connection: Connection, dataset_ids: Sequence[int], shown: Mapping[int, int]) -> None:
    """Datasets that have one record left, or none, are no longer what several made of them."""
    had = select(merged.c.dataset_id).where(merged.c.dataset_id.in_(dataset_ids))
    ended = list(connection.execute(had).scalars())
    if not ended:
        return
    connection.execute(delete(merged).where(merged.c.dataset_id.in_(ended)))
    _judged_alone(connection, [i for i in ended if i in shown])


def _note(connection: Connection, known: Sequence[_Known], standings: Mapping[int, Standing]) -> set[int]:
    """Keep the roles of records that have changed; answers these."""
    rows: list[dict[str, Any]] = [
        {"b_id": each.stated.record_id, "role": str(new.role), "origin": new.origin}
        for each in known
        if (new := standings[each.stated.record_id]) and (each.role, each.origin) != (str(new.role), new.origin)
    ]
    if rows:
        connection.execute(update(records).where(records.c.id == bindparam("b_id")), rows)
    return {row["b_id"] for row in rows}


def _known(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, list[_Known]]:
    """dataset id -> its active records as they count for it."""
    rows = connection.execute(_statements(dataset_ids)).all() if dataset_ids else []
    said = [(row, load_dataset(row.dataset)) for row in rows]
    addresses = {row.id: _our_keys(dataset) for row, dataset in said}
    ours = _existing(connection, set().union(*addresses.values())) if addresses else set()
    found: dict[int, list[_Known]] = {}
    for row, dataset in said:
        loop = row.role == Role.LOOP or bool(addresses[row.id] & ours)
        stated = Stated(row.id, row.name, row.guid, forms.home(row), dataset, loop)
        found.setdefault(row.dataset_id, []).append(_Known(stated, row.role, row.origin))
    return found


def _statements(dataset_ids: Sequence[int]) -> Any:
    columns = (records.c.id, records.c.dataset_id, records.c.guid, records.c.role, records.c.origin)
    statement = select(*columns, sources.c.name, sources.c.url, sources.c.options, documents.c.dataset)
    statement = statement.join(sources, sources.c.id == records.c.source_id)
    statement = statement.join(documents, documents.c.record_id == records.c.id)
    active = (records.c.status == "active", documents.c.dataset.is_not(None))
    return statement.where(records.c.dataset_id.in_(dataset_ids), *active).order_by(records.c.id)


def _our_keys(dataset: Any) -> set[str]:
    return {match[1] for name in names_of(dataset) for match in _OUR_ADDRESS.finditer(name)}


def _existing(connection: Connection, keys: set[str]) -> set[str]:
    """Those that are keys of our datasets: other portals have addresses of the same form."""
    found: set[str] = set()
    for part in _pieces(sorted(keys)):
        found.update(connection.execute(select(datasets.c.key).where(datasets.c.key.in_(part))).scalars())
    return found


def _pieces(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
