"""Reconciliations as they are kept: asked for, claimed, going on, ended; their verdicts, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, or_, select, update
from sqlalchemy.orm import aliased

from harvester.catalogue.packing import pack, unpack
from harvester.catalogue.tables import reconciliations, sources, verdicts
from harvester.errors import Stopped, UsageError
from harvester.reconcile.lines import Line
from harvester.reconcile.words import TROUBLE, Verdict

LIVE = ("queued", "running")
# One that gave no sign of life for so long is begun again by whoever is free.
LEASE = timedelta(minutes=10)
_ATTEMPTS = 3
_CHUNK = 500
# What changed since the time before; what vanished is read from the one before.
CHANGES = ("appeared", "solved", "vanished")


class Ref(NamedTuple):
    """A reconciliation that is ours to write."""

    id: int
    source_id: int
    target_id: int
    attempt: int


def ask(connection: Connection, source_id: int, target_id: int, now: datetime, by: str | None) -> int:
    """Queue a reconciliation; answers the one that waits or goes on already, if there is one."""
    if source_id == target_id:
        raise UsageError("a source is not reconciled with itself; name two", code="same-source")
    pair = (reconciliations.c.source_id == source_id, reconciliations.c.target_id == target_id)
    live = select(reconciliations.c.id).where(*pair, reconciliations.c.status.in_(LIVE))
    found = connection.execute(live).scalar_one_or_none()
    if found is not None:
        return int(found)
    row = {"source_id": source_id, "target_id": target_id, "status": "queued", "queued_at": now, "asked_by": by}
    return int(connection.execute(insert(reconciliations).values(**row).returning(reconciliations.c.id)).scalar_one())


def claim(connection: Connection, now: datetime, number: int | None = None) -> Ref | None:
    """The oldest reconciliation that waits, or this one; now ours.  None when none may begin."""
    lost = and_(reconciliations.c.status == "running", reconciliations.c.heartbeat_at < now - LEASE)
    waiting = or_(reconciliations.c.status == "queued", lost)
    statement = select(reconciliations).where(waiting).order_by(reconciliations.c.id).limit(1)
    if number is not None:
        statement = statement.where(reconciliations.c.id == number)
    row = connection.execute(statement.with_for_update(skip_locked=True)).one_or_none()
    if row is None:
        return None
    if row.attempt >= _ATTEMPTS:
        told = {"status": "failed", "ended_at": now, "message": "its worker died each time"}
        connection.execute(update(reconciliations).where(reconciliations.c.id == row.id).values(**told))
        return None
    connection.execute(delete(verdicts).where(verdicts.c.reconciliation_id == row.id))
    values = {"status": "running", "started_at": now, "heartbeat_at": now, "attempt": row.attempt + 1, "kept": 0}
    connection.execute(update(reconciliations).where(reconciliations.c.id == row.id).values(**values))
    return Ref(row.id, row.source_id, row.target_id, row.attempt + 1)


def advance(connection: Connection, ref: Ref, values: Mapping[str, Any]) -> None:
    """Note how far it has come.  Raises `Stopped` when it was cancelled, or another worker has it."""
    ours = (reconciliations.c.id == ref.id, reconciliations.c.status == "running")
    statement = update(reconciliations).where(*ours, reconciliations.c.attempt == ref.attempt)
    if connection.execute(statement.values(**values)).rowcount != 1:
        raise Stopped("the reconciliation was cancelled, or goes on elsewhere", code="cancelled")


def cancel(connection: Connection, number: int, now: datetime, by: str) -> bool:
    """End a reconciliation that has not ended; False when it has."""
    live = (reconciliations.c.id == number, reconciliations.c.status.in_(LIVE))
    values = {"status": "cancelled", "ended_at": now, "message": f"cancelled by {by}"}
    return connection.execute(update(reconciliations).where(*live).values(**values)).rowcount == 1


def previous(connection: Connection, ref: Ref) -> int | None:
    """The last good one of the same two before it whose verdicts are still there."""
    pair = (reconciliations.c.source_id == ref.source_id, reconciliations.c.target_id == ref.target_id)
    good = (reconciliations.c.status == "succeeded", reconciliations.c.kept > 0, reconciliations.c.id < ref.id)
    return connection.execute(select(func.max(reconciliations.c.id)).where(*pair, *good)).scalar_one_or_none()


def keep(connection: Connection, ref: Ref, before: int | None, lines: Sequence[Line], first: int) -> None:
    """Write lines, numbered from `first`, each with its verdict of the time before."""
    was = _before(connection, before, [line.mark for line in lines])
    rows = [
        {
            "reconciliation_id": ref.id,
            "number": number,
            "verdict": str(line.verdict),
            "reason": line.reason,
            "mark": line.mark,
            "was": was.get(line.mark),
            "source_record_id": line.source_record_id,
            "target_record_id": line.target_record_id,
            "body": pack(line.body()),
        }
        for number, line in enumerate(lines, first)
    ]
    if rows:
        connection.execute(insert(verdicts), rows)


def _before(connection: Connection, before: int | None, marks: Sequence[bytes]) -> dict[bytes, str]:
    found: dict[bytes, str] = {}
    for start in range(0, len(marks) if before is not None else 0, _CHUNK):
        where = (verdicts.c.reconciliation_id == before, verdicts.c.mark.in_(marks[start : start + _CHUNK]))
        rows = connection.execute(select(verdicts.c.mark, verdicts.c.verdict).where(*where))
        found |= {bytes(row.mark): row.verdict for row in rows}
    return found


def changed(connection: Connection, number: int, before: int | None) -> dict[str, dict[str, int]]:
    """What appeared, was solved or vanished since the time before: by verdict, how many."""
    if before is None:
        return {}
    found: dict[str, dict[str, int]] = {}
    for name in CHANGES:
        statement = _since(number, before, name).with_only_columns(_told(name).label("verdict"), func.count())
        rows = connection.execute(statement.order_by(None).group_by(_told(name)))
        found[name] = {verdict: int(count) for verdict, count in rows}
    return found


def _told(change: str) -> Any:
    """Under which verdict a change is counted: the trouble that it is, or was."""
    return verdicts.c.was if change == "solved" else verdicts.c.verdict


def _since(number: int, before: int | None, change: str) -> Select[Any]:
    """The rows of a change; troubles alone: what is well needs no mention."""
    trouble = [str(verdict) for verdict in TROUBLE]
    mine = verdicts.c.reconciliation_id == number
    if change == "appeared":
        fresh = or_(verdicts.c.was.is_(None), verdicts.c.was != verdicts.c.verdict)
        return select(verdicts).where(mine, verdicts.c.verdict.in_(trouble), fresh)
    if change == "solved":
        return select(verdicts).where(mine, verdicts.c.was.in_(trouble), verdicts.c.verdict == str(Verdict.MATCHED))
    later = aliased(verdicts)
    still = select(later.c.number).where(later.c.reconciliation_id == number, later.c.mark == verdicts.c.mark)
    old = verdicts.c.reconciliation_id == before
    return select(verdicts).where(old, verdicts.c.verdict.in_(trouble), ~still.exists())


def lines(
    connection: Connection,
    row: Row[Any],
    verdict: str | None = None,
    reason: str | None = None,
    change: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[Line]:
    """Lines of a reconciliation from `after` (exclusive): all, of a verdict or reason, or those of a change."""
    statement = select(verdicts).where(verdicts.c.reconciliation_id == row.id)
    if row.status != "succeeded":
        # Some of its lines may be there already, or were left behind.
        return []
    if change is not None:
        statement = _since(row.id, row.previous_id, change)
    if verdict is not None:
        statement = statement.where(verdicts.c.verdict == verdict)
    if reason is not None:
        statement = statement.where(verdicts.c.reason == reason)
    statement = statement.where(verdicts.c.number > after).order_by(verdicts.c.number).limit(limit)
    return [Line.kept(found, unpack(found.body)) for found in connection.execute(statement)]


def one(connection: Connection, number: int) -> Row[Any] | None:
    """A reconciliation with the names of its sides."""
    return connection.execute(_named().where(reconciliations.c.id == number)).one_or_none()


def listed(
    connection: Connection,
    source_id: int | None = None,
    target_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
    good: bool = False,
) -> list[Row[Any]]:
    """Reconciliations, newest first, from `before` (exclusive); of a source, of a target, only those that succeeded."""
    statement = _named().order_by(reconciliations.c.id.desc()).limit(limit)
    for column, value in ((reconciliations.c.source_id, source_id), (reconciliations.c.target_id, target_id)):
        statement = statement if value is None else statement.where(column == value)
    if before is not None:
        statement = statement.where(reconciliations.c.id < before)
    return list(connection.execute(statement.where(reconciliations.c.status == "succeeded") if good else statement))


def latest(connection: Connection, target_id: int) -> dict[int, Row[Any]]:
    """source id -> its last good reconciliation with a target."""
    good = (reconciliations.c.target_id == target_id, reconciliations.c.status == "succeeded")
    last = select(func.max(reconciliations.c.id)).where(*good).group_by(reconciliations.c.source_id)
    return {row.source_id: row for row in connection.execute(_named().where(reconciliations.c.id.in_(last)))}


def let_go(connection: Connection, source_id: int, target_id: int, keep: int) -> int:
    """Delete the verdicts of all but the last so many reconciliations of two sources; answers how many rows."""
    pair = (reconciliations.c.source_id == source_id, reconciliations.c.target_id == target_id)
    full = select(reconciliations.c.id).where(*pair, reconciliations.c.kept > 0).order_by(reconciliations.c.id.desc())
    old = [row.id for row in connection.execute(full.offset(keep))]
    if old:
        connection.execute(update(reconciliations).where(reconciliations.c.id.in_(old)).values(kept=0))
    # What was broken off left some behind.
    ended = select(reconciliations.c.id).where(*pair, reconciliations.c.kept == 0, ~reconciliations.c.status.in_(LIVE))
    return connection.execute(delete(verdicts).where(verdicts.c.reconciliation_id.in_(ended))).rowcount


def _named() -> Select[Any]:
    source, target = aliased(sources), aliased(sources)
    return (
        select(reconciliations, source.c.name.label("source"), target.c.name.label("target"))
        .join(source, source.c.id == reconciliations.c.source_id)
        .join(target, target.c.id == reconciliations.c.target_id)
    )
