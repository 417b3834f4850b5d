"""The queue: which host is asked next, by whom, for how many addresses.

A host is in one hand at a time, so that its pace holds however many workers there are, on whatever machines.  Whoever
takes it puts its turn off by a lease: when a worker dies, the host comes up again by itself, and what was not noted is
still due.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from harvester.catalogue.tables import addresses, link_hosts, link_uses
from harvester.links.ageing import DOWN_AFTER, host_pause

# Longer than the longest check; each note of results begins it anew.
LEASE = timedelta(minutes=5)
# So many addresses of a host at a time, then the others have their turn.
BATCH = 20
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """How much of one host may be asked: so many addresses an hour; of one source alone where that is given."""

    hourly: int
    source_id: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A host in our hand, with the addresses of it that are due."""

    host: Row[Any]
    number: int
    due: Sequence[Row[Any]]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a claim: addresses asked, and whether the last ones found no connection, and since when.

    `alone` is how long the host wants to be left alone, where it says so.
    """

    asked: int
    failures: int
    failing_since: datetime | None
    alone: timedelta | None = None


def claim(connection: Connection, now: datetime, terms: Terms, worker: str, host: str | None = None) -> Claim | None:
    """The host whose turn it is (or this one, when it is its turn), now ours; None when there is none.

    Its addresses may turn out to be none: it has used up its hour, or they were withdrawn meanwhile.
    """
    row = connection.execute(_next(now, host)).one_or_none()
    if row is None:
        return None
    number = row.claim + 1
    values = {"claim": number, "worker": worker, "next_at": now + LEASE}
    connection.execute(update(link_hosts).where(link_hosts.c.host == row.host).values(**values))
    most = 1 if row.failures >= DOWN_AFTER else BATCH
    limit = min(most, terms.hourly - _asked(row, now))
    due = connection.execute(_due(row.host, now, terms.source_id).limit(limit)).all() if limit > 0 else []
    return Claim(row, number, due)


def recover(connection: Connection, now: datetime) -> int:
    """Give up the claims of processes of this machine that are no more, without waiting; answers how many."""
    here = f"{socket.gethostname()}:"
    held = select(link_hosts.c.host, link_hosts.c.worker).where(link_hosts.c.worker.is_not(None))
    lost = [row.host for row in connection.execute(held) if row.worker.startswith(here) and _gone(row.worker)]
    for host in lost:
        given = {"worker": None, "next_at": now, "claim": link_hosts.c.claim + 1}
        connection.execute(update(link_hosts).where(link_hosts.c.host == host).values(**given))
    return len(lost)


def _gone(worker: str) -> bool:
    """Whether the process that a worker's name has is no more; one that has its number now is waited for."""
    number = worker.split(":")[1]
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return True
    except PermissionError:
        return False
    return False


def hold(connection: Connection, held: Claim, now: datetime) -> bool:
    """Begin the lease anew; False when the host is no longer ours, and nothing may be written."""
    return connection.execute(_ours(held).values(next_at=now + LEASE)).rowcount == 1


def release(connection: Connection, held: Claim, done: Done, now: datetime, terms: Terms) -> bool:
    """Give a host back, with when it may be asked next; False when it was no longer ours."""
    fresh = held.host.hour_at is None or now - held.host.hour_at >= _HOUR
    count = _asked(held.host, now) + done.asked
    rest = _not_before(held, done, now, count >= terms.hourly)
    values = {
        "worker": None,
        "next_at": _next_at(connection, held, rest or now),
        "not_before": rest,
        "failures": done.failures,
        "failing_since": done.failing_since,
        "hour_at": now if fresh else held.host.hour_at,
        "hour_count": count,
    }
    ours = connection.execute(_ours(held).values(**values)).rowcount == 1
    if ours and values["next_at"] is None:
        _forget(connection, held.host.host)
    return ours


def hosts_of(connection: Connection, source_id: int, now: datetime) -> list[str]:
    """The hosts that have addresses of a source that are due."""
    joined = select(addresses.c.host).join(link_uses, link_uses.c.link_id == addresses.c.id).distinct()
    due = joined.where(link_uses.c.source_id == source_id, addresses.c.next_check_at <= now)
    return list(connection.execute(due.order_by(addresses.c.host)).scalars())


def more_due(connection: Connection, host: str, now: datetime, limit: int) -> Sequence[Row[Any]]:
    """Further addresses of a host that are due, the longest waiting first."""
    return connection.execute(_due(host, now, None).limit(limit)).all()


def _next(now: datetime, host: str | None) -> Select[Any]:
    statement = select(link_hosts).where(link_hosts.c.next_at <= now)
    if host is not None:
        statement = statement.where(link_hosts.c.host == host)
    return statement.order_by(link_hosts.c.next_at).limit(1).with_for_update(skip_locked=True)


def _due(host: str, now: datetime, source_id: int | None) -> Select[Any]:
    statement = select(addresses).where(addresses.c.host == host, addresses.c.next_check_at <= now)
    if source_id is not None:
        used = select(link_uses.c.link_id)
        used = used.where(link_uses.c.link_id == addresses.c.id, link_uses.c.source_id == source_id)
        statement = statement.where(used.exists())
    return statement.order_by(addresses.c.next_check_at)


def _asked(row: Row[Any], now: datetime) -> int:
    """Addresses of a host that were asked in the hour that is being counted."""
    return int(row.hour_count) if row.hour_at is not None and now - row.hour_at < _HOUR else 0


def _not_before(held: Claim, done: Done, now: datetime, spent: bool) -> datetime | None:
    """Until when a host is left alone: it is down, said so itself, or has had its share of the hour."""
    hour = held.host.hour_at if held.host.hour_at is not None and now - held.host.hour_at < _HOUR else now
    waits = [now + pause for pause in (host_pause(done.failures), done.alone) if pause is not None]
    return max([*waits, *([hour + _HOUR] if spent else [])], default=None)


def _next_at(connection: Connection, held: Claim, start: datetime) -> datetime | None:
    """When a host is asked again: from `start` on, as soon as something of it is due."""
    first = select(func.min(addresses.c.next_check_at)).where(addresses.c.host == held.host.host)
    due: datetime | None = connection.execute(first).scalar_one()
    return None if due is None else max(due, start)


def _forget(connection: Connection, host: str) -> None:
    """A host without addresses; one that gets some at this moment keeps its row."""
    left = select(addresses.c.id).where(addresses.c.host == link_hosts.c.host).exists()
    connection.execute(delete(link_hosts).where(link_hosts.c.host == host, ~left))


def _ours(held: Claim) -> Any:
    return update(link_hosts).where(link_hosts.c.host == held.host.host, link_hosts.c.claim == held.number)
