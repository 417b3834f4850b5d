"""Keeps the numbers equal to the catalogue as it changes: what each dataset counts for is known, its change is added.

A batch costs in proportion to its datasets and to the sources that list them.  All writes of a batch, and how far the
follower has come, are one transaction.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select

from harvester import storable
from harvester.catalogue import database, numbers
from harvester.catalogue.following import Follower, follow, rewind
from harvester.catalogue.forms import FORM, SHOWN, Ref, agents_of
from harvester.catalogue.packing import expand
from harvester.catalogue.tables import (
    changes,
    datasets,
    figure_datasets,
    figure_marks,
    figure_months,
    figure_numbers,
    figure_periods,
    figure_promises,
    figure_values,
    records,
    sources,
)
from harvester.catalogue.trusted import trusted
from harvester.figures import bulk, freshness
from harvester.figures.lives import Entry, life, scopes
from harvester.figures.sums import KINDS, Sums, Turn, Weight, day_number, month, packed, unpacked
from harvester.figures.table import DIMENSIONS, ORIGINAL, STEP, Counted, codes
from harvester.identity.originals import Role

CHUNK = 500
PAGE = 5_000
# The numbers below stand for what is counted whatever its values.
FIRST = 16
BEGUN = "begun"
NAME = "figures"
# Raise it whenever `table` or `freshness` make other values of the same dataset.
RULES = 1

Values = Mapping[tuple[int, str], int]
_OF_DATASET = ("publisher", "theme", "license", "spatial", "accrual_periodicity", "issued", "modified")
_OF_DISTRIBUTION = ("format", "license", "issued", "modified")
_COLUMNS = tuple(figure_datasets.c.keys())


class _Shown(NamedTuple):
    """What is counted of a visible dataset, before its values have numbers."""

    values: dict[tuple[int, str], str]
    distributions: int
    promise: freshness.Promise | None
    original: bool
    content: bytes
    content_day: int | None


class _Known(NamedTuple):
    """What the catalogue holds of the datasets of a batch."""

    rows: dict[int, Row[Any]]
    blobs: dict[int, bytes]
    members: dict[int, list[Row[Any]]]
    counted: dict[int, Row[Any]]
    entries: dict[int, list[Entry]]
    last: dict[int, int]
    agents: dict[int, Ref]


def apply(connection: Connection, dataset_ids: Sequence[int], now: datetime, language: str = "fr") -> None:
    """Count these datasets as they are now."""
    begun = _begin(connection, now)
    ids = list(dataset_ids)
    known = _known(connection, ids)
    shown = {i: _shown(known, i, language) for i in known.blobs}
    values = _numbered(connection, shown.values())
    sums, rows = Sums(begun), []
    for i in ids:
        turn = _turn(known, i, shown.get(i), values, now)
        rows.append(_row(known, turn, sums.add(turn), shown.get(i)))
    _replace(connection, rows)
    _write(connection, sums)


def follower(language: str = "fr") -> Follower:
    """What brings the numbers up to date; names are taken in this language where there are several."""
    return Follower(NAME, lambda connection, ids, now: apply(connection, ids, now, language), RULES)


FOLLOWER = follower()


def rebuild(
    engine: Engine,
    now: Callable[[], datetime],
    progress: Callable[[int], None] = lambda done: None,
    by: Follower = FOLLOWER,
) -> int:
    """Count every dataset again, then add up what all count for; answers how many there are.

    What became of the numbers by day and month stays: part of what it was told from is no longer there.
    """
    with database.writing(engine) as connection:
        rewind(connection, by.name)
    done = follow(engine, by, now, progress=progress)
    with database.writing(engine) as connection:
        _add_up(connection)
    return done


def _begin(connection: Connection, now: datetime) -> datetime:
    """When counting began: now, where there are no numbers yet."""
    begun = connection.execute(select(figure_marks.c.at).where(figure_marks.c.name == BEGUN)).scalar_one_or_none()
    if begun is None:
        connection.execute(insert(figure_marks).values(name=BEGUN, at=now))
    return begun or now


def _known(connection: Connection, ids: Sequence[int]) -> _Known:
    listed = bulk.listed(connection, ids)
    mine = datasets.c.id.in_(listed)
    columns: tuple[Any, ...] = (datasets.c.id, datasets.c.created_at, datasets.c.changed_at, datasets.c.merged_into_id)
    rows: dict[int, Row[Any]] = {row.id: row for row in connection.execute(select(*columns).where(mine)).all()}
    visible = (datasets.c.retired_at.is_(None), datasets.c.merged_into_id.is_(None))
    forms = select(datasets.c.id, FORM).select_from(SHOWN).where(mine, *visible)
    blobs = {row.id: row.dataset for row in connection.execute(forms).all() if row.dataset is not None}
    members: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(_members(listed)).all():
        members.setdefault(row.dataset_id, []).append(row)
    before = select(figure_datasets).where(figure_datasets.c.dataset_id.in_(listed))
    counted = {row.dataset_id: row for row in connection.execute(before).all()}
    entries: dict[int, list[Entry]] = {}
    last = {i: row.seq for i, row in counted.items()}
    for row in connection.execute(_uncounted(listed)).all():
        entries.setdefault(row.dataset_id, []).append(Entry(row.record_id, row.action, row.at))
        last[row.dataset_id] = row.seq
    return _Known(rows, blobs, members, counted, entries, last, agents_of(connection, ids))


def _members(ids: Select[tuple[int]]) -> Select[Any]:
    columns = (records.c.id, records.c.dataset_id, records.c.source_id, records.c.status, records.c.role)
    statement = select(*columns, records.c.first_seen_at, records.c.retired_at, sources.c.name)
    statement = statement.join(sources, sources.c.id == records.c.source_id)
    return statement.where(records.c.dataset_id.in_(ids)).order_by(records.c.id)


def _uncounted(ids: Select[tuple[int]]) -> Select[Any]:
    """Entries of the change log that came after the one up to which their dataset is counted."""
    seen = figure_datasets.c.dataset_id == changes.c.dataset_id
    statement = select(changes.c.dataset_id, changes.c.seq, changes.c.record_id, changes.c.action, changes.c.at)
    statement = statement.select_from(changes.outerjoin(figure_datasets, seen))
    newer = changes.c.seq > func.coalesce(figure_datasets.c.seq, 0)
    return statement.where(changes.c.dataset_id.in_(ids), newer).order_by(changes.c.seq)


def _shown(known: _Known, i: int, language: str) -> _Shown:
    raw = orjson.loads(expand(known.blobs[i]))
    dataset, before = trusted(_needed(raw)), known.counted.get(i)
    active = [row for row in known.members.get(i, ()) if row.status == "active"]
    agent = known.agents[i].name if i in known.agents else None
    counted = Counted(dataset, tuple(row.name for row in active), language, agent)
    values = {
        (dimension.code, value): text for dimension in DIMENSIONS for value, text in dimension.of(counted).items()
    }
    content, seen = freshness.digest(raw), day_number(known.rows[i].changed_at)
    changed = before is not None and before.content not in (None, content)
    content_day = seen if changed else before.content_day if before is not None else None
    frequency = next(codes("frequency", [dataset.accrual_periodicity]), None)
    promise = freshness.promise(dataset, frequency, seen, content_day)
    original = any(row.role == Role.ORIGINAL for row in active)
    return _Shown(values, len(dataset.distribution), promise, original, content, content_day)


def _needed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What is read of a dataset: building the rest of it would take most of the time."""
    found = {name: raw[name] for name in _OF_DATASET if name in raw}
    parts = raw.get("distribution", ())
    return found | {"distribution": [{n: part[n] for n in _OF_DISTRIBUTION if n in part} for part in parts]}


def _turn(known: _Known, i: int, shown: _Shown | None, values: Values, now: datetime) -> Turn:
    row, before, members = known.rows.get(i), known.counted.get(i), known.members.get(i, [])
    home = {member.id: member.source_id for member in members}
    active = [member.id for member in members if member.status == "active"] if shown else []
    counted = None
    if before is not None:
        counted = (frozenset(unpacked(before.sources)), frozenset(unpacked(before.known)))
    first = {member.id: member.first_seen_at for member in members}
    told = life(_entries(known, i, members), home, active, counted, first)
    old = Weight(unpacked(before.cells), before.distributions) if before is not None else Weight()
    merged = row is not None and row.merged_into_id is not None
    return Turn(i, told, old, _weight(shown, values), scopes(active, home), row.changed_at if row else now, merged)


def _entries(known: _Known, i: int, members: Iterable[Row[Any]]) -> list[Entry]:
    """What the log tells; of a dataset never counted, also the ends of records that it tells of no more."""
    entries = known.entries.get(i, [])
    if i in known.counted:
        return entries
    ended = {entry.record_id for entry in entries if entry.action == "retired"}
    lost = [Entry(m.id, "retired", m.retired_at) for m in members if m.retired_at and m.id not in ended]
    return sorted([*entries, *lost], key=lambda entry: entry.at)


def _weight(shown: _Shown | None, values: Values) -> Weight:
    if shown is None:
        return Weight()
    cells = {values[key] for key in shown.values} | ({ORIGINAL} if shown.original else set())
    # The promise comes first, where it is found at once.
    promise = (shown.promise.value,) if shown.promise else ()
    return Weight((*promise, *sorted(cells)), shown.distributions)


def _row(known: _Known, turn: Turn, ever: Iterable[int], shown: _Shown | None) -> tuple[Any, ...]:
    """In the order of `_COLUMNS`."""
    before = known.counted.get(turn.dataset_id)
    told = shown or before
    return (
        turn.dataset_id,
        known.last.get(turn.dataset_id, 0),
        packed(turn.new.cells),
        packed(sorted(turn.scopes)),
        packed(sorted(ever)),
        turn.new.distributions,
        month(known.rows[turn.dataset_id].created_at) if turn.dataset_id in known.rows else 0,
        told.content if told else None,
        told.content_day if told else None,
    )


def _numbered(connection: Connection, shown: Iterable[_Shown]) -> dict[tuple[int, str], int]:
    """(dimension, value) -> its number; new values get one."""
    met: dict[tuple[int, str], str] = {}
    for one in shown:
        met.update(one.values)
    kept = {key: (key[0], storable.text(key[1])) for key in met}
    texts = {kept[key]: text for key, text in met.items()}
    found = {key: number for key, number in _existing(connection, texts)}
    missing = sorted(texts.keys() - found.keys())
    if missing:
        new = numbers.allocate(connection, "figure_values", len(missing))
        found |= {key: (number + FIRST) * STEP + key[0] for key, number in zip(missing, new, strict=True)}
        rows = [{"id": found[key], "dimension": key[0], "value": key[1], "text": texts[key]} for key in missing]
        connection.execute(insert(figure_values), rows)
    return {key: found[each] for key, each in kept.items()}


def _existing(connection: Connection, wanted: Iterable[tuple[int, str]]) -> Iterator[tuple[tuple[int, str], int]]:
    by_code: dict[int, list[str]] = {}
    for code, value in wanted:
        by_code.setdefault(code, []).append(value)
    for code, values in by_code.items():
        for start in range(0, len(values), CHUNK):
            some = figure_values.c.value.in_(values[start : start + CHUNK])
            rows = connection.execute(select(figure_values).where(figure_values.c.dimension == code, some))
            yield from (((code, row.value), row.id) for row in rows.all())


def _replace(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    bulk.take(connection, figure_datasets, ["dataset_id"], [row[:1] for row in rows])
    bulk.put(connection, figure_datasets, _COLUMNS, rows)


def _write(connection: Connection, sums: Sums) -> None:
    posted = [(scope, v, n) for scope, found in sorted(sums.numbers.items()) for v, n in sorted(found.items()) if n]
    rows = [(s, v, v % STEP, n) for s, v, n in posted]
    bulk.add(connection, figure_numbers, ("source_id", "value_id", "dimension", "number"), ["number"], rows)
    shrunk = [(scope, value, 0) for scope, value, number in posted if number < 0]
    bulk.take(connection, figure_numbers, ("source_id", "value_id", "number"), shrunk)
    periods = [(*key, number) for key, number in sorted(sums.periods.items()) if number]
    bulk.add(connection, figure_periods, ("source_id", "period", "value_id", "number"), ["number"], periods)
    _write_months(connection, sums)
    names = ("source_id", "frequency", "day", "dataset_id")
    bulk.take(connection, figure_promises, names, sorted(sums.unpromised))
    bulk.put(connection, figure_promises, names, sorted(sums.promised))


def _write_months(connection: Connection, sums: Sums) -> None:
    months: dict[tuple[int, int], dict[str, int]] = {}
    for (scope, when, kind), number in sums.months.items():
        months.setdefault((scope, when), dict.fromkeys(KINDS, 0))[kind] = number
    rows = [(*key, *kinds.values()) for key, kinds in sorted(months.items())]
    bulk.add(connection, figure_months, ("source_id", "month", *KINDS), KINDS, rows)


def _add_up(connection: Connection) -> None:
    """What all datasets count for together takes the place of the numbers."""
    found: Counter[tuple[int, int]] = Counter()
    columns = (figure_datasets.c.dataset_id, figure_datasets.c.cells, figure_datasets.c.sources)
    after: int | None = -1
    while after is not None:
        page = select(*columns, figure_datasets.c.distributions).where(figure_datasets.c.dataset_id > after)
        rows = connection.execute(page.order_by(figure_datasets.c.dataset_id).limit(PAGE)).all()
        for row in rows:
            counts = Weight(unpacked(row.cells), row.distributions).counts()
            for scope in unpacked(row.sources):
                for value, number in counts.items():
                    found[scope, value] += number
        after = rows[-1].dataset_id if rows else None
    connection.execute(delete(figure_numbers))
    sums = [(s, v, v % STEP, n) for (s, v), n in found.items()]
    bulk.put(connection, figure_numbers, ("source_id", "value_id", "dimension", "number"), sums)
