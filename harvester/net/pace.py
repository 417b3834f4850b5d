"""Turns per host, shared by all threads of the process: so many requests at once, so far apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

from harvester.net.patience import GLANCE, Stop, check, never, pause

_MANY_HOSTS = 1000


@dataclass(slots=True)
class _Host:
    busy: int = 0
    started: float = -inf
    free_at: float = -inf
    held_until: float = -inf


class Pace:
    """Who may ask which host when.  All waits are bounded by the caller's own limits, and can be called off."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._now = now
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}
        self._changed = threading.Condition()

    @contextmanager
    def turn(self, host: str, interval: float, connections: int, stop: Stop = never) -> Iterator[float]:
        """Holds one of the host's `connections` while the block runs; yields the seconds waited for it.

        Where two sources of one host ask for different intervals, the longer one lies between their requests.
        """
        asked_at = self._now()
        starts = self._enter(host, interval, connections, stop)
        try:
            while (wait := max(starts, self._place(host).held_until) - self._now()) > 0:
                pause(wait, self._sleep, stop)
            yield self._now() - asked_at
        finally:
            self._leave(host)

    def hold(self, host: str, seconds: float) -> None:
        """Nobody asks this host for so long: it said so itself (Retry-After)."""
        with self._changed:
            place = self._place(host)
            place.held_until = max(place.held_until, self._now() + seconds)

    def _enter(self, host: str, interval: float, connections: int, stop: Stop) -> float:
        with self._changed:
            while not self._changed.wait_for(lambda: self._place(host).busy < max(connections, 1), GLANCE):
                check(stop)
            place = self._place(host)
            place.busy += 1
            place.started = max(self._now(), place.free_at, place.started + interval)
            place.free_at = place.started + interval
            return place.started

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
        idle = [host for host, p in self._hosts.items() if not p.busy and max(p.free_at, p.held_until) <= now]
        for host in idle:
            del self._hosts[host]


SHARED = Pace()
