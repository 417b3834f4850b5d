"""The clusters follow the records: at a cost in proportion to what changed, in the transaction of the change.

What comes out depends on the records that are kept and on what people decided, and on no order of anything.  Callers
have waited for their turn (`database.in_turn`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, select
from sqlalchemy import update as update_row
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.clusters import blocking, judging
from harvester.catalogue.clusters.facts import Facts
from harvester.catalogue.clusters.pieces import CHUNK, pieces
from harvester.catalogue.clusters.prepared import OWN, Key, Prepared, Sighting, own, packed_keys, unpacked_keys
from harvester.catalogue.clusters.settling import Settled, settle
from harvester.catalogue.database import in_turn
from harvester.catalogue.tables import datasets, records, signs
from harvester.identity.judge import RULES_VERSION

if TYPE_CHECKING:
    from harvester.catalogue.store import RunRef


def update(
    connection: Connection, run: RunRef, changed: Mapping[int, Sighting], now: datetime, also: Iterable[int] = ()
) -> Settled:
    """Let records be what they say now, and every dataset what follows from it; `also` are looked at in any case."""
    old = _stored(connection, changed)
    before = {record: unpacked_keys(row.keyed) for record, row in old.items()}
    after = {record: _keys(change, before.get(record, frozenset())) for record, change in changed.items()}
    rows = {record: _row(record, change, after[record]) for record, change in changed.items()}
    news = {record for record, row in rows.items() if record not in old or row != old[record]._asdict()}
    touched = blocking.move(connection, _of(before, news), _of(after, news))
    _write(connection, [rows[record] for record in sorted(news)])
    facts = Facts(connection)
    partners = judging.judge_again(connection, facts, touched, news)
    homeless = {record for record, fact in facts.load(changed).items() if fact.home is None}
    iris = {record: changed[record].prepared.iri for record in homeless & changed.keys()}
    return settle(connection, run, facts, partners | homeless | set(also), iris, now)


def drop(connection: Connection, ids: Iterable[int]) -> set[int]:
    """Forget what records are known by; answers those whose dataset has to be looked at (`update`, `also`)."""
    gone = set(ids)
    old = _stored(connection, gone)
    before = {record: unpacked_keys(row.keyed) for record, row in old.items()}
    touched = blocking.move(connection, before, {})
    for part in pieces(gone):
        connection.execute(delete(signs).where(signs.c.record_id.in_(part)))
    left = judging.drop(connection, gone)
    return left | judging.judge_again(connection, Facts(connection), touched, set())


def drop_source(connection: Connection, source_id: int) -> set[int]:
    """Forget what the records of a source are known by; answers the others whose dataset has to be looked at."""
    in_turn(connection)
    look_at: set[int] = set()
    after = 0
    while ids := _of_source(connection, source_id, after):
        look_at |= drop(connection, ids)
        after = ids[-1]
    return look_at


def look_at(connection: Connection, run: RunRef, ids: Iterable[int], now: datetime) -> set[int]:
    """Decide anew on records; answers the datasets that show something else now."""
    touched: set[int] = set()
    for part in pieces(ids):
        touched |= update(connection, run, {}, now, part).touched
    return touched


def _of_source(connection: Connection, source_id: int, after: int) -> list[int]:
    mine = select(records.c.id).where(records.c.source_id == source_id, records.c.id > after)
    return list(connection.execute(mine.order_by(records.c.id).limit(CHUNK)).scalars())


def renamed(connection: Connection, source: str, pairs: Iterable[tuple[int, int, str]]) -> dict[int, Sighting]:
    """What records are known by that take the places of others: by (old id, new id, new guid), old id -> its change."""
    known = list(pairs)
    said = _stored(connection, {new for _, new, _ in known})
    found = {}
    for old, new, guid in known:
        if new in said:
            keys = frozenset(key for key in unpacked_keys(said[new].keyed))
            found[old] = Sighting(source, guid, Prepared(said[new].body, keys))
    return found


def forget_names(connection: Connection, dataset_id: int, public_keys: Iterable[str]) -> None:
    """Let the records of a dataset be known no longer as founders of those."""
    gone = {own(key) for key in public_keys}
    mine = select(signs).join(records, records.c.id == signs.c.record_id).where(records.c.dataset_id == dataset_id)
    before = {row.record_id: unpacked_keys(row.keyed) for row in connection.execute(mine)}
    after = {record: keys - gone for record, keys in before.items()}
    blocking.move(connection, before, after)
    for record in sorted(before):
        if before[record] != after[record]:
            row = update_row(signs).where(signs.c.record_id == record)
            connection.execute(row.values(keyed=packed_keys(after[record])))


def standing(connection: Connection, dataset_ids: Iterable[int]) -> set[int]:
    """Those of the datasets that stand for themselves."""
    found: set[int] = set()
    for part in pieces(dataset_ids):
        mine = select(datasets.c.id).where(datasets.c.id.in_(part), datasets.c.merged_into_id.is_(None))
        found.update(connection.execute(mine).scalars())
    return found


def _keys(change: Sighting, before: frozenset[Key]) -> frozenset[Key]:
    """What a record is found under; the names it had before are its own for ever."""
    return change.prepared.keys | {change.own} | {key for key in before if key.kind == OWN}


def _row(record: int, change: Sighting, keys: frozenset[Key]) -> dict[str, Any]:
    return {"record_id": record, "rules": RULES_VERSION, "keyed": packed_keys(keys), "body": change.prepared.body}


def _of(keys: Mapping[int, frozenset[Key]], ids: set[int]) -> dict[int, frozenset[Key]]:
    return {record: found for record, found in keys.items() if record in ids}


def _stored(connection: Connection, ids: Iterable[int]) -> dict[int, Any]:
    found: dict[int, Any] = {}
    for part in pieces(ids):
        found |= {row.record_id: row for row in connection.execute(select(signs).where(signs.c.record_id.in_(part)))}
    return found


def _write(connection: Connection, rows: list[dict[str, Any]]) -> None:
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(signs)
        new = {name: statement.excluded[name] for name in ("rules", "keyed", "body")}
        connection.execute(statement.on_conflict_do_update(index_elements=["record_id"], set_=new), rows)
