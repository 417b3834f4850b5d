"""Who may work on which run: claimed by lease and heartbeat, fenced by the number of the attempt."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import LIVE, LIVE_RUN, runs, sources
from harvester.errors import UsageError
from harvester.settings import Settings

# Clocks differ and portals index late: changes are asked for from a little before the last walk (as ckanext-harvest).
OVERLAP = timedelta(hours=1)
# A run that ran out of time, and has not been walked to its end.
_UNFINISHED = (runs.c.status == "partial", runs.c.code == "run-time", runs.c.state.is_not(None))
# The advisory locks of PostgreSQL have one space of numbers; this half of them is ours.
_HOSTS = 0x68617276


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a claim holds without a heartbeat, how often in vain a run is tried, how many runs a host bears."""

    lease: timedelta = timedelta(seconds=30)
    attempts: int = 5
    host_runs: int = 1

    @classmethod
    def of(cls, settings: Settings) -> Terms:
        """The terms that the settings state."""
        return cls(timedelta(seconds=settings.lease_seconds), settings.run_attempts, settings.host_runs)


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is ours: what it asks for, since when; what earlier attempts left, and how long it stood still.

    `looped`: the last run of the source that ended did so because there was no end to what it was shown.
    """

    ref: RunRef
    mode: str
    started_at: datetime
    since: datetime | None = None
    cursor: str | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    stood_still: timedelta = timedelta()
    looped: bool = False


def worker_name() -> str:
    """This thread, as the row of a run names it."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.current_thread().name}"[:200]


def unrecorded(row: Row[Any], mode: str, now: datetime) -> Claim:
    """What a dry run works on: a run without a row."""
    return Claim(RunRef(0, row.id, row.name, mode != "replay"), mode, now, _since(row, mode))


def begin(connection: Connection, row: Row[Any], mode: str, now: datetime, terms: Terms) -> Claim:
    """Claim the source for a run that starts now, or goes on now when an earlier attempt at one was given back.

    Raises `UsageError` while another worker has a run of it.
    """
    expire(connection, now, terms)
    give_up(connection, now, terms)
    enqueue(connection, row.id, mode, now)
    statement = select(runs).where(runs.c.source_id == row.id, runs.c.status.in_(LIVE)).with_for_update()
    live = connection.execute(statement).one()
    if live.status == "running":
        message = f"source {row.name!r} is being harvested by run {live.id}, alive at {live.heartbeat_at:%H:%M:%S} UTC"
        raise UsageError(message, code="already-running")
    return _taken(connection, row, live, live.mode if live.started_at else mode, now)


def enqueue(connection: Connection, source_id: int, mode: str, now: datetime, origin: str = "manual") -> int | None:
    """Queue a run; None when the source has a live one.  A queued one that was not begun becomes full if asked to.

    Where the last one ran out of time it goes on instead, unless everything is asked for now and was not then.
    """
    live = connection.execute(select(runs.c.id).where(runs.c.source_id == source_id, runs.c.status.in_(LIVE)))
    run_id = None
    if live.first() is None:
        run_id = _reopened(connection, source_id, mode, now) or _inserted(connection, source_id, mode, now, origin)
    if run_id is None and mode == "full":
        waiting = (runs.c.source_id == source_id, runs.c.status == "queued", runs.c.started_at.is_(None))
        connection.execute(update(runs).where(*waiting, runs.c.mode == "incremental").values(mode="full"))
    return run_id


def _reopened(connection: Connection, source_id: int, mode: str, now: datetime) -> int | None:
    """The last run of the source, queued again, if there is a rest of it to be walked."""
    last = connection.execute(
        select(runs.c.id, runs.c.mode).where(runs.c.source_id == source_id).order_by(runs.c.id.desc()).limit(1)
    ).one_or_none()
    if last is None or mode == "replay" or last.mode not in ("full", mode):
        return None
    rest = update(runs).where(runs.c.id == last.id, *_UNFINISHED)
    values = {"status": "queued", "queued_at": now, "ended_at": None, "code": None, "message": None, "worker": None}
    return last.id if connection.execute(rest.values(**values)).rowcount else None


def _inserted(connection: Connection, source_id: int, mode: str, now: datetime, origin: str) -> int | None:
    """The new run; None when another transaction was quicker."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    row = {"source_id": source_id, "mode": mode, "status": "queued", "queued_at": now, "origin": origin}
    statement = dialect.insert(runs).values(**row)
    statement = statement.on_conflict_do_nothing(index_elements=["source_id"], index_where=LIVE_RUN)
    return connection.execute(statement.returning(runs.c.id)).scalar_one_or_none()


def claim(connection: Connection, now: datetime, terms: Terms) -> tuple[Row[Any], Claim] | None:
    """The oldest queued run whose host bears another one, now ours, with its source; None when nothing may start."""
    expire(connection, now, terms)
    passed = _full_hosts(connection, terms.host_runs)
    while True:
        waiting = connection.execute(_next(passed, now)).one_or_none()
        if waiting is None:
            return None
        if _bears(connection, waiting.host, terms.host_runs):
            row = connection.execute(select(sources).where(sources.c.id == waiting.source_id)).one()
            return row, _taken(connection, row, waiting, waiting.mode, now)
        passed.add(waiting.host)


def advance(connection: Connection, ref: RunRef, values: Mapping[str, Any]) -> bool:
    """Note how far a run has come; False when it is no longer ours: cancelled, or in the hands of another worker.

    Ends every transaction of a run; the caller lets a transaction that may not be its own fail.
    """
    return connection.execute(_ours(ref).values(**values)).rowcount == 1


def release(connection: Connection, ref: RunRef, values: Mapping[str, Any]) -> bool:
    """Give a run back to the queue, to be resumed by anyone; False when it is no longer ours."""
    return advance(connection, ref, {**values, "status": "queued", "worker": None})


def cancel(connection: Connection, run_id: int, now: datetime, by: str | None = None) -> bool:
    """End a run that is queued or running; whoever works on it notices within seconds.  False when it has ended."""
    message = "cancelled" if by is None else f"cancelled by {by}"
    values = {"status": "cancelled", "code": "cancelled", "message": message, "ended_at": now, "cursor": None}
    live = update(runs).where(runs.c.id == run_id, runs.c.status.in_(LIVE))
    return connection.execute(live.values(**values, state=None)).rowcount == 1


def cancel_begun(connection: Connection, source_id: int, now: datetime, why: str) -> None:
    """End the run of a source that has begun to walk: it must not go on as it began."""
    begun = update(runs).where(runs.c.source_id == source_id, runs.c.status.in_(LIVE), runs.c.started_at.is_not(None))
    values = {"status": "cancelled", "code": "cancelled", "message": why, "ended_at": now, "cursor": None}
    connection.execute(begun.values(**values, state=None))
    unfinished = update(runs).where(runs.c.source_id == source_id, *_UNFINISHED)
    connection.execute(unfinished.values(cursor=None, state=None))


def withdraw(connection: Connection, source_id: int, now: datetime) -> None:
    """Take the run that the schedule queued out of the queue, unless it has begun."""
    waiting = (runs.c.source_id == source_id, runs.c.status == "queued", runs.c.started_at.is_(None))
    values = {"status": "cancelled", "code": "cancelled", "message": "the source was paused", "ended_at": now}
    connection.execute(update(runs).where(*waiting, runs.c.origin == "schedule").values(**values))


def expire(connection: Connection, now: datetime, terms: Terms) -> None:
    """Queue the runs whose workers are gone: their heartbeat is older than the lease.

    One that was tried again and again without getting anywhere is left for `give_up`.
    """
    for row in _stale(connection, now, terms):
        if _in_vain(row) < terms.attempts:
            values = {"status": "queued", "worker": None}
            connection.execute(update(runs).where(runs.c.id == row.id).values(**values))


def give_up(connection: Connection, now: datetime, terms: Terms) -> list[Row[Any]]:
    """End the runs that lost their worker again and again without getting anywhere; answers them, ended."""
    lost = [row.id for row in _stale(connection, now, terms) if _in_vain(row) >= terms.attempts]
    message = "its worker died each time without getting any further; what it had written stays"
    values = {"status": "failed", "code": "worker-lost", "message": message, "ended_at": now, "cursor": None}
    ended = update(runs).where(runs.c.id.in_(lost)).values(**values, state=None).returning(runs)
    return list(connection.execute(ended)) if lost else []


def standing(connection: Connection, ref: RunRef) -> Row[Any] | None:
    """The row of a run while it is ours, else None."""
    where = (runs.c.id == ref.id, runs.c.status == "running", runs.c.attempt == ref.attempt)
    return connection.execute(select(runs).where(*where)).one_or_none()


def _ours(ref: RunRef) -> Any:
    return update(runs).where(runs.c.id == ref.id, runs.c.status == "running", runs.c.attempt == ref.attempt)


def _stale(connection: Connection, now: datetime, terms: Terms) -> Sequence[Row[Any]]:
    stale: Select[Any] = select(runs.c.id, runs.c.attempt, runs.c.state)
    stale = stale.where(runs.c.status == "running", runs.c.heartbeat_at < now - terms.lease)
    return connection.execute(stale.with_for_update(skip_locked=True)).all()


def _in_vain(row: Row[Any]) -> int:
    """How many attempts in a row have brought a run no further."""
    return int(row.attempt) - int((row.state or {}).get("attempt", 0))


def _taken(connection: Connection, source: Row[Any], run: Row[Any], mode: str, now: datetime) -> Claim:
    attempt, first = run.attempt + 1, run.started_at is None
    since = _since(source, mode) if first else run.since_at
    started = now if first else run.started_at
    values = {"status": "running", "mode": mode, "attempt": attempt, "worker": worker_name(), "started_at": started}
    values |= {"heartbeat_at": now, "since_at": since}
    connection.execute(update(runs).where(runs.c.id == run.id).values(**values))
    ref = RunRef(int(run.id), source.id, source.name, mode != "replay", attempt)
    still = now - run.heartbeat_at if run.heartbeat_at and not first else timedelta()
    return Claim(ref, mode, started, since, run.cursor, run.state or {}, still, _looped(connection, run))


def _looped(connection: Connection, run: Row[Any]) -> bool:
    ended = select(runs.c.code).where(runs.c.source_id == run.source_id, runs.c.ended_at.is_not(None))
    return connection.execute(ended.order_by(runs.c.id.desc()).limit(1)).scalar_one_or_none() == "paging-loop"


def _since(source: Row[Any], mode: str) -> datetime | None:
    return source.since_at - OVERLAP if mode == "incremental" and source.since_at else None


def _next(passed: set[str], now: datetime) -> Select[Any]:
    due = or_(runs.c.not_before.is_(None), runs.c.not_before <= now)
    statement = select(runs, sources.c.host).join(sources, sources.c.id == runs.c.source_id)
    statement = statement.where(runs.c.status == "queued", due, sources.c.host.not_in(sorted(passed)))
    return statement.order_by(runs.c.id).limit(1).with_for_update(skip_locked=True, of=runs)


def _running_on() -> Select[Any]:
    joined = select(sources.c.host).join(runs, runs.c.source_id == sources.c.id)
    return joined.where(runs.c.status == "running")


def _full_hosts(connection: Connection, limit: int) -> set[str]:
    busy = _running_on().where(sources.c.host != "").group_by(sources.c.host).having(func.count() >= limit)
    return set(connection.execute(busy).scalars())


def _bears(connection: Connection, host: str, limit: int) -> bool:
    """Whether a host bears another run, counted under a lock, where two workers could count at the same time."""
    if not host:
        return True
    if connection.dialect.name == "postgresql":
        held = select(func.pg_try_advisory_xact_lock(_HOSTS, func.hashtext(host)))
        if not connection.execute(held).scalar_one():
            return False
    running = select(func.count()).select_from(_running_on().where(sources.c.host == host).subquery())
    return int(connection.execute(running).scalar_one()) < limit
