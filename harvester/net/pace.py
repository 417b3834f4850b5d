"""Turns per host, shared by all threads of the process: so many requests at once, so far apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_MANY_HOSTS = 1000


@dataclass(slots=True)
class _Host:
    busy: int = 0
    free_at: float = 0.0


class Pace:
    """Who may ask which host when.  All waits are bounded by the caller's own limits."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, host: str, interval: float, connections: int) -> Iterator[float]:
        """Holds one of the host's `connections` while the block runs; yields the seconds waited for it."""
        asked_at = self._now()
        wait = self._enter(host, interval, connections)
        try:
            if wait > 0:
                self._sleep(wait)
            yield self._now() - asked_at
        finally:
            self._leave(host)

    def hold(self, host: str, seconds: float) -> None:
        """Nobody asks this host for so long: it said so itself (Retry-After)."""
        with self._changed:
            place = self._place(host)
            place.free_at = max(place.free_at, self._now() + seconds)

    def _enter(self, host: str, interval: float, connections: int) -> float:
        with self._changed:
            self._changed.wait_for(lambda: self._place(host).busy < max(connections, 1))
            place = self._place(host)
            place.busy += 1
            now = self._now()
            starts = max(now, place.free_at)
            place.free_at = starts + interval
            return starts - now

    def _place(self, host: str) -> _Host:
        return self._hosts.setdefault(host, _Host())

    def _leave(self, host: str) -> None:
        with self._changed:
            self._hosts[host].busy -= 1
            if len(self._hosts) > _MANY_HOSTS:
                self._forget_idle()
            self._changed.notify_all()

    def _forget_idle(self) -> None:
        now = self._now()
        idle = [host for host, place in self._hosts.items() if not place.busy and place.free_at <= now]
        for host in idle:
            del self._hosts[host]


SHARED = Pace()
