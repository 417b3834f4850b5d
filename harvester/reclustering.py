"""Judging the whole catalogue anew: after the rules have changed, and records from before there were any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Row, func, or_, select

from harvester.catalogue import clusters
from harvester.catalogue.clusters import Sighting
from harvester.catalogue.clusters.facts import home_of
from harvester.catalogue.database import in_turn, writing
from harvester.catalogue.following import Follower
from harvester.catalogue.packing import load_dataset
from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import crowded, decisions, documents, links, records, signs, sources
from harvester.identity.judge import RULES_VERSION

BATCH = 500
_NOBODY = RunRef(0, 0, "")


class Standing(NamedTuple):
    """How many records are judged by the rules of today, by older ones, by none; and what came of it."""

    rules: int
    current: int
    outdated: int
    unsigned: int
    links: dict[str, dict[str, int]]
    crowded: int
    decisions: int


def standing(connection: Connection) -> Standing:
    """How far the catalogue is judged."""
    versions = {
        row[0]: row[1] for row in connection.execute(select(signs.c.rules, func.count()).group_by(signs.c.rules))
    }
    counted: dict[str, dict[str, int]] = {}
    grouped = select(links.c.decision, links.c.rule, func.count()).group_by(links.c.decision, links.c.rule)
    for decision, rule, number in connection.execute(grouped.order_by(links.c.decision, links.c.rule)):
        counted.setdefault(decision, {})[rule] = number
    missing = (
        select(func.count())
        .select_from(_records())
        .where(signs.c.record_id.is_(None), documents.c.dataset.is_not(None))
    )
    current = versions.pop(RULES_VERSION, 0)
    return Standing(
        RULES_VERSION,
        current,
        sum(versions.values()),
        int(connection.execute(missing).scalar_one()),
        counted,
        int(connection.execute(select(func.count()).select_from(crowded)).scalar_one()),
        int(connection.execute(select(func.count()).where(decisions.c.undone_at.is_(None))).scalar_one()),
    )


def renew(
    engine: Engine,
    now: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[int], None] = lambda done: None,
) -> int:
    """Judge every record that the rules of today have not; answers how many.  It goes on where it was stopped."""
    done = after = 0
    while not stop():
        with engine.connect() as connection:
            rows = _outdated(connection, after)
        if not rows:
            break
        after = rows[-1].id
        known = {row.id: (row.dataset_hash, _sighting(row)) for row in rows}
        with writing(engine) as connection:
            in_turn(connection)
            still = _hashes(connection, list(known))
            same = {record: said for record, (digest, said) in known.items() if still.get(record) == digest}
            clusters.update(connection, _NOBODY, same, now())
        done += len(same)
        progress(done)
    return done


def sign(connection: Connection, dataset_ids: Sequence[int], now: datetime) -> None:
    """Judge the records of datasets that have never been: they are older than the signs."""
    mine = (records.c.dataset_id.in_(dataset_ids), signs.c.record_id.is_(None), documents.c.dataset.is_not(None))
    if connection.execute(select(records.c.id).select_from(_records()).where(*mine).limit(1)).first() is None:
        return
    in_turn(connection)
    rows = connection.execute(_stated().where(*mine).order_by(records.c.id)).all()
    for start in range(0, len(rows), BATCH):
        said = {row.id: _sighting(row) for row in rows[start : start + BATCH]}
        clusters.update(connection, _NOBODY, said, now)


FOLLOWER = Follower("identity", sign)


def _records() -> Any:
    joined = records.join(documents, documents.c.record_id == records.c.id)
    return joined.outerjoin(signs, signs.c.record_id == records.c.id)


def _stated() -> Any:
    columns = (records.c.id, records.c.guid, records.c.dataset_hash, documents.c.dataset)
    joined = _records().join(sources, sources.c.id == records.c.source_id)
    return select(*columns, sources.c.name, sources.c.url, sources.c.options).select_from(joined)


def _outdated(connection: Connection, after: int) -> Sequence[Row[Any]]:
    old = or_(signs.c.record_id.is_(None), signs.c.rules != RULES_VERSION)
    mine = (old, documents.c.dataset.is_not(None), records.c.dataset_id.is_not(None), records.c.id > after)
    return connection.execute(_stated().where(*mine).order_by(records.c.id).limit(BATCH)).all()


def _sighting(row: Row[Any]) -> Sighting:
    prepared = clusters.prepare(load_dataset(row.dataset), row.guid, home_of(row.url, row.options))
    return Sighting(row.name, row.guid, prepared)


def _hashes(connection: Connection, ids: Sequence[int]) -> dict[int, bytes | None]:
    rows = connection.execute(select(records.c.id, records.c.dataset_hash).where(records.c.id.in_(ids)))
    return {row.id: row.dataset_hash for row in rows}
