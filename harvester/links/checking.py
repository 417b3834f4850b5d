"""Checks what is due: threads that each take a host, ask its addresses one by one, and note what they found."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row

from harvester.catalogue.claims import worker_name
from harvester.catalogue.database import writing
from harvester.errors import Stopped
from harvester.http import Http
from harvester.links import ageing, claims, store
from harvester.links.ageing import Standing
from harvester.links.asking import look, quick
from harvester.links.claims import Claim, Done, Terms
from harvester.links.store import Result
from harvester.links.verdicts import Seen, Verdict, judge, packed, server_of, unpacked, without_connection
from harvester.net.breaker import Breaker
from harvester.net.patience import Stop, never
from harvester.settings import Settings

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]
Look = Callable[[str, str], Seen]

# What is down for so long, and was asked so often, is down for all addresses of a host: they are not asked one by one.
_DOWN_SPAN = ageing.HOST_LADDER[-1]
_DOWN_FAILURES = ageing.DOWN_AFTER + len(ageing.HOST_LADDER) - 1
_SHARED = 2_000
# Results are kept at the latest after so long: what a worker that dies has asked in vain stays little.
_NOTE_EVERY = timedelta(seconds=10)

# What one host says of checks is nothing that a harvest must suffer from.
_BREAKER = Breaker()


@dataclass(slots=True)
class Work:
    """One round of checks, shared by its threads; `limit` is how many addresses it asks at most."""

    engine: Engine
    look: Look
    now: Clock
    terms: Terms
    good_for: timedelta
    stop: Stop = never
    limit: int | None = None
    hosts: deque[str] | None = None
    progress: Callable[[Counter[str]], None] = lambda counts: None
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def over(self) -> bool:
        """Whether no more is to be asked."""
        return self.stop() or (self.limit is not None and self.counts["asked"] >= self.limit)

    def allowance(self, wanted: int) -> int:
        """How many of so many addresses may still be asked."""
        with self.lock:
            most = wanted if self.limit is None else max(0, min(wanted, self.limit - self.counts["asked"]))
            self.counts["asked"] += most
            return most

    def give_back(self, unused: int) -> None:
        """So many of them were not asked after all."""
        with self.lock:
            self.counts["asked"] -= unused

    def next_host(self) -> str | None:
        """The next of the hosts that are wanted; raises IndexError at their end, None where any will do."""
        return None if self.hosts is None else self.hosts.popleft()


def client(settings: Settings, stop: Stop = never) -> Http:
    """The client of checks: impatient, slow to each host, without credentials."""
    return Http(quick(settings), stop=stop, breaker=_BREAKER)


def check_due(
    engine: Engine,
    settings: Settings,
    now: Clock,
    *,
    stop: Stop = never,
    source_id: int | None = None,
    limit: int | None = None,
    progress: Callable[[Counter[str]], None] = lambda counts: None,
    http: Http | None = None,
) -> Counter[str]:
    """Check what is due, of all sources or of one, until nothing more may be asked now.

    Answers how many were asked, by state, under "asked", "ok", "failing", "broken", "unknown", "put off".
    """
    asking = http or client(settings, stop)
    terms = Terms(settings.links_hourly, source_id)
    work = Work(engine, lambda url, tag: look(asking, url, tag, now), now, terms, timedelta(days=settings.links_days))
    work.stop, work.limit, work.progress = stop, limit, progress
    with writing(engine) as connection:
        claims.recover(connection, now())
    if source_id is not None:
        with engine.connect() as connection:
            work.hosts = deque(claims.hosts_of(connection, source_id, now()))
    try:
        run(work, settings.links_hosts)
    finally:
        if http is None:
            asking.close()
    return work.counts


def run(work: Work, threads: int) -> None:
    """Ask host after host in so many threads, until no host's turn has come."""
    with ThreadPoolExecutor(threads, thread_name_prefix="links") as pool:
        for future in [pool.submit(_hosts, work) for _ in range(threads)]:
            future.result()


def _hosts(work: Work) -> None:
    try:
        while not work.over() and (held := _claimed(work)) is not None:
            _host(work, held)
    except (Stopped, IndexError):
        return


def _claimed(work: Work) -> Claim | None:
    """The next host; of hosts that are named, those whose turn it is not are passed by."""
    while True:
        host = work.next_host()
        with writing(work.engine) as connection:
            held = claims.claim(connection, work.now(), work.terms, worker_name(), host)
        if held is not None or host is None:
            return held


def _host(work: Work, held: Claim) -> None:
    """Ask the addresses of a host; what was found is kept when the work is called off, too."""
    visit, most = _Visit(work, held), work.allowance(len(held.due))
    try:
        for row in held.due[:most]:
            if not visit.ask(row):
                break
    finally:
        work.give_back(most - visit.done.asked)
        visit.end()
    if work.hosts is not None and len(held.due) == claims.BATCH and not visit.down():
        # There may be more: after the other hosts.
        work.hosts.append(held.host.host)


class _Visit:
    """One host asked by one thread."""

    def __init__(self, work: Work, held: Claim) -> None:
        self._work, self._held = work, held
        self.done = Done(0, held.host.failures, held.host.failing_since)
        self._found: list[Result] = []
        self._promised: set[int] | None = None
        self._noted_at = work.now()
        self._ours = True
        self._last: tuple[Seen, Verdict] | None = None

    def down(self) -> bool:
        """Whether the host is left alone from now on."""
        return ageing.host_pause(self.done.failures) is not None

    def ask(self, row: Row[Any]) -> bool:
        """Ask one address; False when the host is not to be asked any more for now."""
        seen, verdict = self._checked(row, row.id in self._promises())
        now = self._work.now()
        self._last = (seen, verdict)
        self._found.append(_result(row, seen, verdict, now, self._work.good_for))
        self._connected(verdict, seen.wait, now)
        if now - self._noted_at >= _NOTE_EVERY:
            self._note(now)
        return self._ours and not self.down() and not verdict.put_off

    def _checked(self, row: Row[Any], promised: bool) -> tuple[Seen, Verdict]:
        """Whatever one address answers, the others have their turn."""
        try:
            seen = self._work.look(row.address, row.etag or "")
            return seen, judge(row.address, seen, unpacked(row.format), promised)
        except Stopped:
            raise
        except Exception:
            log.exception("a check stumbled over address %s", row.id)
            seen = Seen(error="unexpected")
            return seen, judge(row.address, seen, unpacked(row.format), promised)

    def end(self) -> None:
        """Keep what was found, and give the host back."""
        now = self._work.now()
        with writing(self._work.engine) as connection:
            store.take_turn(connection)
            if self._hold(connection, now):
                self._keep(connection, now)
                claims.release(connection, self._held, self.done, now, self._work.terms)
        self._work.progress(self._work.counts)

    def _promises(self) -> set[int]:
        if self._promised is None:
            with self._work.engine.connect() as connection:
                self._promised = store.promised(connection, [row.id for row in self._held.due])
        return self._promised

    def _connected(self, verdict: Verdict, wait: float | None, now: datetime) -> None:
        asked = self.done.asked + 1
        if verdict.down:
            self.done = Done(asked, self.done.failures + 1, self.done.failing_since or now)
        elif verdict.put_off:
            self.done = replace(self.done, asked=asked, alone=ageing.alone_for(wait))
        else:
            self.done = Done(asked, 0, None)

    def _note(self, now: datetime) -> None:
        with writing(self._work.engine) as connection:
            store.take_turn(connection)
            if self._hold(connection, now):
                self._keep(connection, now)
        self._noted_at = now

    def _hold(self, connection: Connection, now: datetime) -> bool:
        self._ours = self._ours and claims.hold(connection, self._held, now)
        return self._ours

    def _keep(self, connection: Connection, now: datetime) -> None:
        results = [*self._found, *self._shared(connection, now)]
        self._found = []
        if results:
            store.note(connection, results)
        with self._work.lock:
            for result in results:
                self._work.counts["put off" if result.put_off else result.standing.state] += 1

    def _shared(self, connection: Connection, now: datetime) -> Sequence[Result]:
        """The rest of a server that has been down for days: what holds for the one that was asked holds for them."""
        since, last = self.done.failing_since, self._last
        if not self._found or last is None or since is None or now - since < _DOWN_SPAN:
            return []
        if self.done.failures < _DOWN_FAILURES:
            return []
        address = self._found[-1].row.address
        if not without_connection(address, last[0]):
            return []
        asked = {result.row.id for result in self._found}
        rows = claims.more_due(connection, self._held.host.host, now, _SHARED)
        shared = [row for row in rows if row.id not in asked and server_of(row.address) == server_of(address)]
        return [_result(row, *last, now, self._work.good_for, self.done) for row in shared]


def _result(
    row: Row[Any], seen: Seen, verdict: Verdict, now: datetime, good_for: timedelta, host: Done | None = None
) -> Result:
    """What a check makes of an address; `host` when it was not asked itself, but its host has long been down."""
    before = Standing(row.state, row.fault, row.failures, row.failing_since, row.since, row.next_check_at)
    if host is not None:
        before = replace(before, failures=max(row.failures, host.failures - 1), failing_since=host.failing_since)
    standing = ageing.after(row.id, before, verdict, now, good_for)
    values = {
        "status": row.status if verdict.put_off else seen.status,
        "head_status": row.head_status if verdict.put_off else seen.head_status,
        "checked_at": row.checked_at if verdict.put_off else now,
        "target": row.target if verdict.put_off else verdict.target,
        "media_type": seen.media_type or row.media_type,
        "length": row.length if seen.length is None else seen.length,
        "format": row.format if verdict.put_off else packed(verdict.found),
        "etag": (seen.tag or None) if verdict.fault in (None, "moved") and not verdict.put_off else None,
    }
    return Result(row, standing, values, verdict.put_off)
