"""Keeps the assessments of datasets and their counts up to date; follows the change log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue import walking
from harvester.catalogue.database import writing
from harvester.catalogue.following import BATCH, Follower, rewind
from harvester.catalogue.store import chunks
from harvester.catalogue.tables import assessed, assessments, followers, quality_days, quality_due, records
from harvester.links import statuses
from harvester.quality.aggregating import Rule, Tally, result
from harvester.quality.mqa import RULES_VERSION, never, pattern_of, score

NAME = "quality"
EVERYTHING = 0
DATASETS, DISTRIBUTIONS = 0, 1


class Assessment(NamedTuple):
    """What is kept of a dataset for one source, or for the whole catalogue."""

    source_id: int
    pattern: int
    dataset_id: int
    parts: bytes


def assess(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """Assess these datasets anew and count them where they belong; those that are gone are counted nowhere."""
    # Counters are read and written: whoever else assesses waits.
    connection.execute(select(followers.c.seq).where(followers.c.name == NAME).with_for_update())
    before, after = set(_kept(connection, ids)), set(_found(connection, ids))
    gone, new = before - after, after - before
    _drop(connection, gone)
    if new:
        connection.execute(insert(assessments), [row._asdict() for row in sorted(new)])
    counts = Counter[tuple[int, int, int]]()
    for rows, sign in ((gone, -1), (new, 1)):
        for row in rows:
            for kind, pattern in _counted(row):
                counts[row.source_id, kind, pattern] += sign
    _count(connection, {key: number for key, number in counts.items() if number})
    for source_id in sorted({row.source_id for row in gone | new}):
        _note(connection, source_id, now)


def assess_linked(
    engine: Engine, now: Callable[[], datetime], stop: Callable[[], bool] = lambda: False, batch: int = BATCH
) -> int:
    """Assess again what link checks found otherwise than before; answers how many datasets."""
    done = 0
    while not stop():
        with writing(engine) as connection:
            rows = connection.execute(select(quality_due).order_by(quality_due.c.id).limit(batch)).all()
            ids = sorted({row.dataset_id for row in rows})
            # By the rows that were seen: what is noticed meanwhile has rows of its own.
            connection.execute(delete(quality_due).where(quality_due.c.id.in_([row.id for row in rows])))
            assess(connection, ids, now())
        if not rows:
            break
        done += len(ids)
    return done


FOLLOWER = Follower(NAME, assess, RULES_VERSION)


def forget(connection: Connection) -> None:
    """Drop all that is kept but the trend: the follower goes over every dataset again."""
    for table in (assessments, assessed):
        connection.execute(delete(table))
    rewind(connection, NAME)


def tally(connection: Connection, source_id: int = EVERYTHING) -> Tally:
    """The counts of a source, or of the whole catalogue."""
    rows = connection.execute(
        select(assessed.c.kind, assessed.c.pattern, assessed.c.number).where(assessed.c.source_id == source_id)
    )
    found: tuple[dict[int, int], dict[int, int]] = ({}, {})
    for kind, pattern, number in rows:
        found[kind][pattern] = number
    return Tally(*found)


def tally_of(connection: Connection, pages: Iterable[Sequence[int]]) -> Tally:
    """The counts of datasets by their ids, page by page."""
    found: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for ids in pages:
        for row in _kept(connection, ids, EVERYTHING):
            for kind, pattern in _counted(row):
                found[kind][pattern] += 1
    return Tally(*found)


def patterns(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """dataset id -> pattern, of those that were assessed."""
    return {row.dataset_id: row.pattern for row in _kept(connection, ids, EVERYTHING)}


def _kept(connection: Connection, ids: Sequence[int], source_id: int | None = None) -> Iterator[Assessment]:
    columns = (assessments.c.source_id, assessments.c.pattern, assessments.c.dataset_id, assessments.c.parts)
    for part in chunks(ids):
        for row in connection.execute(select(*columns).where(assessments.c.dataset_id.in_(part))):
            # Asked of the database, SQLite would look through all of the source.
            if source_id is None or row.source_id == source_id:
                yield Assessment(*row)


def _found(connection: Connection, ids: Sequence[int]) -> Iterator[Assessment]:
    """What the visible ones of these datasets are worth now."""
    shown = walking.shown(connection, ids)
    links = statuses(connection, [row.id for row in shown])
    listed = _listed(connection, [row.id for row in shown])
    for row in shown:
        known = links[row.id]
        # To look an address up, it has to be brought into its canonical form: that takes longer than all the rest.
        found = score(walking.stored(row.blob), known.accessible if known.known else never, row.iri)
        parts = orjson.dumps([pattern_of(part) for part in found.parts])
        for source_id in (EVERYTHING, *sorted(listed.get(row.id, ()))):
            yield Assessment(source_id, found.pattern, row.id, parts)


def _listed(connection: Connection, ids: Sequence[int]) -> Mapping[int, set[int]]:
    """dataset id -> the sources that list it."""
    found: dict[int, set[int]] = {}
    for part in chunks(ids):
        where = (records.c.dataset_id.in_(part), records.c.status == "active")
        for dataset_id, source_id in connection.execute(
            select(records.c.dataset_id, records.c.source_id).where(*where)
        ):
            found.setdefault(dataset_id, set()).add(source_id)
    return found


def _counted(row: Assessment) -> Iterator[tuple[int, int]]:
    yield DATASETS, row.pattern
    for pattern in orjson.loads(row.parts):
        yield DISTRIBUTIONS, pattern


def _drop(connection: Connection, gone: Iterable[Assessment]) -> None:
    named = ("source_id", "pattern", "dataset_id")
    where = (assessments.c[name] == bindparam(f"b_{name}") for name in named)
    rows = [{f"b_{name}": getattr(row, name) for name in named} for row in sorted(gone)]
    if rows:
        connection.execute(delete(assessments).where(*where), rows)


def _count(connection: Connection, changes: Mapping[tuple[int, int, int], int]) -> None:
    if not changes:
        return
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(assessed)
    named = ("source_id", "kind", "pattern")
    statement = statement.on_conflict_do_update(
        index_elements=named, set_={"number": assessed.c.number + statement.excluded.number}
    )
    rows = [{**dict(zip(named, key, strict=True)), "number": number} for key, number in sorted(changes.items())]
    connection.execute(statement, rows)
    for source_id in {key[0] for key in changes}:
        connection.execute(delete(assessed).where(assessed.c.source_id == source_id, assessed.c.number == 0))


def _note(connection: Connection, source_id: int, now: datetime) -> None:
    """What a source scores at the end of this day, as far as it has come."""
    counts = tally(connection, source_id)
    told: dict[str, Any] = {
        "datasets": counts.size,
        "points": {
            rule.value: {name.value: round(points, 2) for name, points in result(counts, rule).dimensions.items()}
            for rule in Rule
        },
    }
    where = (quality_days.c.source_id == source_id, quality_days.c.day == now.date())
    if not connection.execute(update(quality_days).where(*where).values(**told)).rowcount:
        connection.execute(insert(quality_days).values(source_id=source_id, day=now.date(), **told))
