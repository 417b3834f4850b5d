"""Reads of exports: along the immutable ascending id of datasets, and what stands around the datasets of a page.

Ids are given out inside the transaction that founds the datasets, one transaction after the other, also where many
workers write (`database.in_turn`): who has read up to an id never misses a smaller one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Row, Select, func, select

from harvester.catalogue.forms import FORM, SHOWN
from harvester.catalogue.packing import expand
from harvester.catalogue.queries import CHUNK
from harvester.catalogue.tables import changes, datasets, documents, records, runs, sources


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which datasets, of all or of a source: visible ones, or those changed at or after `since`, gone ones included."""

    source_id: int | None = None
    since: datetime | None = None


class State(NamedTuple):
    """How the change log stands for some datasets; both numbers, for a smaller `seq` may be committed later."""

    seq: int
    number: int


class Ended(NamedTuple):
    """A dataset that is no more: the key, IRI and first sight it had, and the dataset that it is now part of."""

    id: int
    key: str
    iri: str | None
    created_at: datetime
    changed_at: datetime
    into: int | None


class Shown(NamedTuple):
    """A visible dataset: its identity, the record it shows first, and its stored form, compressed."""

    id: int
    key: str
    iri: str | None
    record_id: int
    blob: bytes


class Held(NamedTuple):
    """An active record of a dataset, with what an export tells of it; `seen` names the run that met it last."""

    dataset_id: int
    id: int
    source: str
    guid: str
    first_seen_at: datetime
    changed_at: datetime
    url: str | None
    modified: str | None
    seen: int


def ids(
    connection: Connection,
    stretch: Stretch,
    *,
    after: int = 0,
    upto: int | None = None,
    limit: int = 100,
    last: bool = False,
) -> list[int]:
    """Ascending ids between `after` (exclusive) and `upto` (inclusive): the first, or the last ones, of them."""
    statement = _within(select(datasets.c.id), stretch).where(datasets.c.id > after)
    if upto is not None:
        statement = statement.where(datasets.c.id <= upto)
    order = datasets.c.id.desc() if last else datasets.c.id
    return sorted(connection.execute(statement.order_by(order).limit(limit)).scalars())


def size(connection: Connection, stretch: Stretch) -> int:
    """How many there are."""
    return int(connection.execute(_within(select(func.count()).select_from(datasets), stretch)).scalar_one())


def living(connection: Connection, stretch: Stretch) -> int:
    """How many of them are not gone: from the catalogue, or from the source."""
    statement = _within(select(func.count()).select_from(datasets), replace(stretch, since=None))
    if stretch.since is not None:
        statement = statement.where(datasets.c.changed_at >= stretch.since)
    return int(connection.execute(statement).scalar_one())


def newest(connection: Connection) -> int:
    """The largest id given to a dataset; 0 when there is none."""
    return int(connection.execute(select(func.coalesce(func.max(datasets.c.id), 0))).scalar_one())


def state(connection: Connection, ids: Sequence[int]) -> State:
    """How the change log stands for these datasets."""
    found = [connection.execute(_logged().where(changes.c.dataset_id.in_(part))).one() for part in _pieces(sorted(ids))]
    return State(max((row.seq for row in found), default=0), sum(row.number for row in found))


def span_states(connection: Connection, first: int, last: int, size: int) -> dict[int, State]:
    """number of a span of `size` ids, the first one being 0 -> how the log stands for it; of those up to `last`."""
    number = ((changes.c.dataset_id - 1) // size).label("span")
    statement = _logged().add_columns(number).where(changes.c.dataset_id.between(first, last)).group_by(number)
    return {row.span: State(row.seq, row.number) for row in connection.execute(statement)}


def ended(connection: Connection, ids: Sequence[int]) -> list[Ended]:
    """Those of these datasets that are not visible, by ascending id; `into` is where a chain of merges ends."""
    rows = [
        row
        for part in _pieces(sorted(ids))
        for row in connection.execute(_ended().where(datasets.c.id.in_(part), datasets.c.record_id.is_(None)))
    ]
    homes = _homes(connection, {row.into for row in rows if row.into is not None})
    return [Ended(*row)._replace(into=homes.get(row.into)) for row in rows]


def identities(connection: Connection, ids: Sequence[int]) -> list[Ended]:
    """These datasets, whether they are visible or not, by ascending id; nothing of merges."""
    return [
        Ended(*row)._replace(into=None)
        for part in _pieces(sorted(ids))
        for row in connection.execute(_ended().where(datasets.c.id.in_(part)))
    ]


def taken_in(connection: Connection, ids: Sequence[int]) -> dict[int, list[Ended]]:
    """dataset id -> the datasets that became part of it, directly or through another one."""
    home = {dataset_id: dataset_id for dataset_id in ids}
    found: dict[int, list[Ended]] = {}
    wave = list(home)
    while wave:
        rows = [
            Ended(*row)
            for part in _pieces(wave)
            for row in connection.execute(_ended().where(datasets.c.merged_into_id.in_(part)))
        ]
        new = [row for row in rows if row.id not in home and row.into is not None]
        for row in new:
            home[row.id] = home[row.into or 0]
            found.setdefault(home[row.id], []).append(row)
        wave = [row.id for row in new]
    return found


def names(connection: Connection, ids: Collection[int]) -> dict[int, tuple[str, str | None]]:
    """dataset id -> (key, IRI)."""
    return {
        row.id: (row.key, row.iri)
        for part in _pieces(sorted(ids))
        for row in connection.execute(
            select(datasets.c.id, datasets.c.key, datasets.c.iri).where(datasets.c.id.in_(part))
        )
    }


def shown(connection: Connection, ids: Sequence[int]) -> list[Shown]:
    """The visible ones of these datasets, by ascending id."""
    columns = (datasets.c.id, datasets.c.key, datasets.c.iri, datasets.c.record_id, FORM)
    statement = select(*columns).select_from(SHOWN)
    statement = statement.where(documents.c.dataset.is_not(None)).order_by(datasets.c.id)
    return [
        Shown(*row)
        for part in _pieces(sorted(ids))
        for row in connection.execute(statement.where(datasets.c.id.in_(part))).all()
    ]


def held(connection: Connection, ids: Sequence[int], source: str | None = None) -> dict[int, list[Held]]:
    """dataset id -> its active records, of all sources or of one, by ascending id."""
    found: dict[int, list[Held]] = {}
    for part in _pieces(sorted(ids)):
        for row in connection.execute(_held(source).where(records.c.dataset_id.in_(part))).all():
            found.setdefault(row[0], []).append(Held(*row))
    return found


def starts(connection: Connection, run_ids: Collection[int]) -> dict[int, datetime | None]:
    """run id -> when it started, of those that are kept."""
    return {
        row.id: row.started_at
        for part in _pieces(sorted(run_ids))
        for row in connection.execute(select(runs.c.id, runs.c.started_at).where(runs.c.id.in_(part)))
    }


def stored(blob: bytes) -> dict[str, Any]:
    """A dataset in the form it is stored in: exports read that as well, and to build it costs a tenth of writing it."""
    found: dict[str, Any] = orjson.loads(expand(blob))
    return found


def by_iri(connection: Connection, iris: Collection[str]) -> dict[str, Any]:
    """IRI -> the visible dataset that has it, as it is stored, for datasets that others only mention."""
    found: dict[str, Any] = {}
    # PostgreSQL refuses NUL in any text.
    for part in _pieces(sorted(iri for iri in iris if "\x00" not in iri)):
        rows = connection.execute(
            select(datasets.c.iri, FORM)
            .select_from(SHOWN)
            .where(datasets.c.iri.in_(part), *_visible())
            .order_by(datasets.c.id)
        )
        for iri, blob in rows:
            if blob is not None and iri not in found:
                found[iri] = stored(blob)
    return found


def source_rows(connection: Connection, names: Collection[str] | None = None) -> dict[str, Row[Any]]:
    """name -> source; of all of them, or of these."""
    statement = select(sources).order_by(sources.c.name)
    if names is None:
        return {row.name: row for row in connection.execute(statement)}
    return {
        row.name: row
        for part in _pieces(sorted(names))
        for row in connection.execute(statement.where(sources.c.name.in_(part)))
    }


def sources_of(connection: Connection, ids: Sequence[int]) -> dict[str, Row[Any]]:
    """name -> source, of those that have a record of these datasets."""
    held = {
        found
        for part in _pieces(sorted(ids))
        for found in connection.execute(
            select(records.c.source_id).where(records.c.dataset_id.in_(part)).distinct()
        ).scalars()
    }
    rows = connection.execute(select(sources).where(sources.c.id.in_(held)).order_by(sources.c.name))
    return {row.name: row for row in rows}


def _within(statement: Select[Any], stretch: Stretch) -> Select[Any]:
    """A source's stretch since an instant has every dataset that ever was in it: some have left it."""
    statement = statement.where(*(_visible() if stretch.since is None else (datasets.c.changed_at >= stretch.since,)))
    if stretch.source_id is None:
        return statement
    held = select(records.c.dataset_id).where(records.c.source_id == stretch.source_id)
    return statement.where(datasets.c.id.in_(held if stretch.since else held.where(records.c.status == "active")))


def _visible() -> tuple[Any, ...]:
    return (datasets.c.retired_at.is_(None), datasets.c.record_id.is_not(None), datasets.c.merged_into_id.is_(None))


def _logged() -> Select[Any]:
    return select(func.coalesce(func.max(changes.c.seq), 0).label("seq"), func.count().label("number"))


def _ended() -> Select[Any]:
    columns = (datasets.c.id, datasets.c.key, datasets.c.iri, datasets.c.created_at, datasets.c.changed_at)
    return select(*columns, datasets.c.merged_into_id.label("into")).order_by(datasets.c.id)


def _held(source: str | None) -> Select[Any]:
    seen = (records.c.first_seen_at, records.c.changed_at)
    told = (records.c.url, records.c.modified, records.c.seen_run_id)
    statement = (
        select(records.c.dataset_id, records.c.id, sources.c.name, records.c.guid, *seen, *told)
        .join(sources, sources.c.id == records.c.source_id)
        .where(records.c.status == "active")
        .order_by(records.c.id)
    )
    return statement if source is None else statement.where(sources.c.name == source)


def _homes(connection: Connection, into: set[int]) -> dict[int, int]:
    """dataset id -> where a chain of merges that begins with it ends."""
    following: dict[int, int] = {}
    wave = into
    while wave:
        rows = [
            row
            for part in _pieces(sorted(wave))
            for row in connection.execute(
                select(datasets.c.id, datasets.c.merged_into_id.label("into")).where(
                    datasets.c.id.in_(part), datasets.c.merged_into_id.is_not(None)
                )
            )
        ]
        following |= {row.id: row.into for row in rows}
        wave = {row.into for row in rows} - following.keys()
    return {start: _last(start, following) for start in into}


def _last(start: int, following: dict[int, int]) -> int:
    while start in following:
        start = following[start]
    return start


def _pieces(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
