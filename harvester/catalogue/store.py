"""Every write to the catalogue, in batches; callers own the transaction (`database.writing`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Insert, Table, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue import clusters, history, joining, naming, showing
from harvester.catalogue.clusters import NOTHING, Prepared, Sighting
from harvester.catalogue.database import in_turn
from harvester.catalogue.numbers import allocate
from harvester.catalogue.packing import pack, squeeze
from harvester.catalogue.tables import (
    bodies,
    changes,
    documents,
    problems,
    records,
    runs,
    sources,
    unmatched,
)
from harvester.connector import Body, Record
from harvester.decide import Action, Stored
from harvester.fields.languages import preferred
from harvester.fields.terms import matched
from harvester.identity import Known
from harvester.identity.originals import Standing
from harvester.model import Dataset

CHUNK = 500
_TEXT = 2000
# What only marks a record as seen.
MARKS = frozenset({Action.UNCHANGED, Action.REPEATED})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One record of a run, decided: what came, what was known, what it became."""

    action: Action
    record: Record
    payload_hash: bytes
    stored: Stored | None = None
    dataset: Dataset | None = None
    body: bytes | None = None
    prepared: Prepared = NOTHING
    names: tuple[Known, ...] = ()
    standing: Standing | None = None

    @property
    def dataset_hash(self) -> bytes | None:
        """The hash of the normalised dataset; None when there is none."""
        return None if self.body is None else blake2b(self.body, digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class RunRef:
    """The run in whose name something is written; id 0 means by hand, `sees` is false for a replay.

    Only the latest `attempt` at a run may write (`claims.advance`).
    """

    id: int
    source_id: int
    source: str
    sees: bool = True
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """One row of the report of a run."""

    stage: str
    severity: str
    code: str
    message: str
    guid: str | None = None
    field: str | None = None
    value: str | None = None
    url: str | None = None


def write(connection: Connection, run: RunRef, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Write a batch of decided records: new ones, changed ones, and the mark that the others were seen."""
    by_action: dict[Action, list[Outcome]] = {}
    for outcome in outcomes:
        by_action.setdefault(outcome.action, []).append(outcome)
    if by_action.keys() - MARKS:
        in_turn(connection)
    failed = by_action.get(Action.FAILED, [])
    _insert_failed(connection, run, [o for o in failed if o.stored is None], now)
    created = _founded(connection, run, by_action.get(Action.CREATED, []), now)
    rewritten = {
        action: _rewritten(connection, run, action, by_action.get(action, []), now)
        for action in (Action.UPDATED, Action.RESTORED)
    }
    _identified(connection, run, created, rewritten, now)
    seen = [*by_action.get(Action.UNCHANGED, []), *failed]
    _refresh_payloads(connection, [o for o in seen if o.stored and o.stored.payload_hash != o.payload_hash and o.body])
    seen += by_action.get(Action.RETIRED, [])
    if run.sees:
        touch(connection, run, [o.stored.id for o in seen if o.stored])


def touch(connection: Connection, run: RunRef, ids: Sequence[int]) -> None:
    """Mark records as seen by the run."""
    for part in chunks(ids):
        connection.execute(update(records).where(records.c.id.in_(part)).values(seen_run_id=run.id))


def stamp(connection: Connection, run: RunRef, guids: Sequence[str], digest: bytes) -> None:
    """Note which answer records came with."""
    for part in chunks(guids):
        where = (records.c.source_id == run.source_id, records.c.guid.in_(part))
        connection.execute(update(records).where(*where).values(body_hash=digest))


def keep_body(connection: Connection, run: RunRef, body: Body, now: datetime) -> None:
    """Remember an answer that was read to its end, unless one of its records could not be kept."""
    where = (bodies.c.source_id == run.source_id, bodies.c.digest == body.digest)
    connection.execute(delete(bodies).where(*where))
    row = {"digest": body.digest, "records": body.records, "next": body.next, "advertised": body.advertised}
    row |= _read_of(body, now)
    connection.execute(insert(bodies).values(source_id=run.source_id, run_id=run.id, **row))


def touch_body(connection: Connection, run: RunRef, body: Body, now: datetime) -> None:
    """Mark every record that came with an answer as seen by the run."""
    where = (records.c.source_id == run.source_id, records.c.body_hash == body.digest, records.c.status == "active")
    connection.execute(update(records).where(*where).values(seen_run_id=run.id))
    same = (bodies.c.source_id == run.source_id, bodies.c.digest == body.digest)
    values = {"run_id": run.id} | (_read_of(body, now) if body.read else {})
    connection.execute(update(bodies).where(*same).values(**values))


def _read_of(body: Body, now: datetime) -> dict[str, Any]:
    return {"url": body.url, "etag": body.etag, "last_modified": body.last_modified, "read_at": now}


def forget_bodies(connection: Connection, run: RunRef) -> None:
    """Drop the answers that a complete walk did not meet again."""
    connection.execute(delete(bodies).where(bodies.c.source_id == run.source_id, bodies.c.run_id != run.id))


def retire(connection: Connection, run: RunRef, ids: Sequence[int], now: datetime) -> None:
    """Hide records; a dataset is hidden with its last record, and shows another one as long as there is any."""
    if ids:
        in_turn(connection)
    for part in chunks(ids):
        history.note_retired(connection, run, part, now)
        connection.execute(
            update(records).where(records.c.id.in_(part)).values(status="retired", retired_at=now, changed_at=now)
        )
        rows = connection.execute(select(records.c.id, records.c.dataset_id).where(records.c.id.in_(part))).all()
        touched = {row.dataset_id for row in rows if row.dataset_id is not None}
        showing.show(connection, touched, now)
        gone = [(r.dataset_id, r.id) for r in rows if r.dataset_id is not None]
        _log(connection, run, Action.RETIRED, gone, now)


def report(connection: Connection, run_id: int, found: Iterable[Problem]) -> None:
    """Add rows to the report of a run."""
    rows = [
        {
            "run_id": run_id,
            "guid": p.guid,
            "stage": p.stage,
            "severity": p.severity,
            "code": p.code,
            "field": p.field,
            "value": p.value and p.value[:_TEXT],
            "url": p.url and p.url[:_TEXT],
            "message": p.message[:_TEXT],
        }
        for p in found
    ]
    _insert_all(connection, problems, rows)


def mark(p: Problem) -> tuple[str | None, ...]:
    """What tells a problem from others, as it is stored."""
    return (p.code, p.guid, p.field, p.value and p.value[:_TEXT], p.url and p.url[:_TEXT], p.message[:_TEXT])


def add_run(connection: Connection, source_id: int, mode: str, status: str, now: datetime) -> int:
    """A new run; the caller has seen that no other one is live."""
    started = now if status == "running" else None
    statement = insert(runs).values(
        source_id=source_id, mode=mode, status=status, queued_at=now, started_at=started, heartbeat_at=started
    )
    return _new_id(connection, statement)


def add_source(connection: Connection, values: Mapping[str, Any]) -> int:
    """A new source; its name must be free."""
    return _new_id(connection, insert(sources).values(**values))


def edit_source(connection: Connection, source_id: int, values: Mapping[str, Any]) -> None:
    """Sighting columns of a source."""
    connection.execute(update(sources).where(sources.c.id == source_id).values(**values))


def keep_catalogue(connection: Connection, source_id: int, said: Mapping[str, Any]) -> None:
    """Keep what a source says of itself, in its plain form, unless it said so before."""
    known = connection.execute(select(sources.c.catalogue).where(sources.c.id == source_id)).scalar_one_or_none()
    if known != said:
        edit_source(connection, source_id, {"catalogue": dict(said)})


def chunks(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """The items in pieces small enough for one statement."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _new_id(connection: Connection, statement: Insert) -> int:
    key = connection.execute(statement).inserted_primary_key
    if key is None:
        raise RuntimeError("the database gave no key to a new row")
    return int(key[0])


def _insert_failed(connection: Connection, run: RunRef, failed: Sequence[Outcome], now: datetime) -> None:
    if failed:
        ids = allocate(connection, "records", len(failed))
        _insert_records(connection, run, [(i, None, o) for i, o in zip(ids, failed, strict=True)], now)


def _founded(
    connection: Connection, run: RunRef, created: Sequence[Outcome], now: datetime
) -> list[tuple[int, Outcome]]:
    """Write new records, as yet in no dataset; a failed one may be accepted now.  Answers them with their ids."""
    if not created:
        return []
    ids = iter(allocate(connection, "records", len(created)))
    placed = [(o.stored.id if o.stored else next(ids), o) for o in created]
    _insert_records(connection, run, [(i, None, o) for i, o in placed if o.stored is None], now)
    _accept(connection, run, [(i, o) for i, o in placed if o.stored is not None], now)
    _insert_unmatched(connection, placed)
    return placed


def _identified(
    connection: Connection,
    run: RunRef,
    created: Sequence[tuple[int, Outcome]],
    rewritten: Mapping[Action, Sequence[tuple[Stored, Outcome]]],
    now: datetime,
) -> None:
    """Let records that say something new join the datasets they are, or found them; and tell of it."""
    again = [(s.id, o) for placed in rewritten.values() for s, o in placed]
    changed = {i: Sighting(run.source, o.record.guid, o.prepared) for i, o in (*created, *again) if o.dataset}
    if not changed:
        return
    settled = clusters.update(connection, run, changed, now)
    homes = {**joining.homes_of(connection, [i for i, _ in again]), **settled.homes}
    history.note_created(connection, run, [(i, homes[i], o) for i, o in created], now)
    naming.note(connection, [(homes[i], o.names) for i, o in (*created, *again) if i in homes], now)
    showing.show(connection, {homes[i] for i, _ in again if i in homes} - settled.touched, now)
    for action, placed in rewritten.items():
        _log(connection, run, action, [(homes[s.id], s.id) for s, _ in placed if s.id in homes], now)


def _insert_records(
    connection: Connection, run: RunRef, placed: Sequence[tuple[int, int | None, Outcome]], now: datetime
) -> None:
    if not placed:
        return
    connection.execute(
        insert(records),
        [
            {
                "id": record_id,
                "source_id": run.source_id,
                "guid": outcome.record.guid,
                "first_seen_at": now,
                **_columns(outcome, dataset_id, run, now),
            }
            for record_id, dataset_id, outcome in placed
        ],
    )
    connection.execute(insert(documents), [{"record_id": i, **_blobs(o)} for i, _, o in placed])


def _accept(connection: Connection, run: RunRef, placed: Sequence[tuple[int, Outcome]], now: datetime) -> None:
    if placed:
        rows = [{"b_id": i, **_columns(o, None, run, now)} for i, o in placed]
        connection.execute(update(records).where(records.c.id == bindparam("b_id")), rows)
        _store_blobs(connection, placed)


def _rewritten(
    connection: Connection, run: RunRef, action: Action, changed: Sequence[Outcome], now: datetime
) -> list[tuple[Stored, Outcome]]:
    known = [(o.stored, o) for o in changed if o.stored is not None]
    homes = joining.homes_of(connection, [s.id for s, _ in known])
    placed = [(s._replace(dataset_id=homes[s.id]), o) for s, o in known if s.id in homes]
    if not placed:
        return []
    history.note_rewritten(connection, run, action, placed, now)
    rows = [{"b_id": s.id, **_columns(o, s.dataset_id, run, now)} for s, o in placed]
    connection.execute(update(records).where(records.c.id == bindparam("b_id")), rows)
    _store_blobs(connection, [(s.id, o) for s, o in placed])
    for part in chunks([s.id for s, _ in placed]):
        connection.execute(delete(unmatched).where(unmatched.c.record_id.in_(part)))
    _insert_unmatched(connection, [(s.id, o) for s, o in placed])
    return placed


def _refresh_payloads(connection: Connection, same: Sequence[Outcome]) -> None:
    """The payload changed, the metadata did not (a view counter): keep the new payload, write no dataset."""
    placed = [(o.stored.id, o) for o in same if o.stored is not None]
    if placed:
        rows = [{"b_id": i, "payload_hash": o.payload_hash} for i, o in placed]
        connection.execute(update(records).where(records.c.id == bindparam("b_id")), rows)
        _store_blobs(connection, placed)


def _store_blobs(connection: Connection, placed: Sequence[tuple[int, Outcome]]) -> None:
    # What a record said may have been let go of since it was retired.
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(documents)
    new = {"payload": statement.excluded.payload, "dataset": statement.excluded.dataset}
    statement = statement.on_conflict_do_update(index_elements=["record_id"], set_=new)
    connection.execute(statement, [{"record_id": record_id, **_blobs(outcome)} for record_id, outcome in placed])


def _blobs(outcome: Outcome) -> dict[str, bytes | None]:
    body = None if outcome.body is None else squeeze(outcome.body)
    return {"payload": pack(outcome.record.payload), "dataset": body}


def _columns(outcome: Outcome, dataset_id: int | None, run: RunRef, now: datetime) -> dict[str, Any]:
    dataset = outcome.dataset
    return {
        "status": "failed" if dataset is None else "active",
        "payload_hash": outcome.payload_hash,
        "dataset_hash": outcome.dataset_hash,
        "dataset_id": dataset_id,
        "title": dataset and preferred(dataset.title),
        "url": dataset and next(iter(dataset.landing_page), dataset.uri),
        "modified": dataset and dataset.modified,
        "changed_at": now,
        "seen_run_id": run.id if run.sees or outcome.stored is None else outcome.stored.seen_run_id,
        "retired_at": None,
        # What it is by itself; among others `showing` tells.
        "role": outcome.standing and str(outcome.standing.role),
        "origin": outcome.standing and outcome.standing.origin,
    }


def _insert_unmatched(connection: Connection, placed: Sequence[tuple[int, Outcome]]) -> None:
    missing = [
        {"record_id": record_id, "vocabulary": vocabulary, "text": text, "count": number}
        for record_id, outcome in placed
        for (vocabulary, text), number in _unmatched(outcome.dataset).items()
    ]
    _insert_all(connection, unmatched, missing)


def _insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), rows)


def _unmatched(dataset: Dataset | None) -> Counter[tuple[str, str]]:
    terms = dataset.terms() if dataset else ()
    return Counter((name, term.text[:500]) for name, term in terms if not matched(name, term))


def _log(connection: Connection, run: RunRef, action: str, touched: Sequence[tuple[int, int]], now: datetime) -> None:
    rows = [
        {"dataset_id": dataset_id, "record_id": record_id, "run_id": run.id or None, "action": str(action), "at": now}
        for dataset_id, record_id in touched
    ]
    _insert_all(connection, changes, rows)
