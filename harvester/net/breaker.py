"""The circuit breaker: a host that fails again and again is left alone for a while, by every source that stands on it.

After the cool-down one request goes through as a probe: a good answer closes the circuit, a bad one opens it longer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf
from typing import NamedTuple

import httpx

from harvester.errors import Blocked, SourceError, Unavailable
from harvester.net import rules, urls
from harvester.net.rules import Kind


class _Sort(NamedTuple):
    limit: int
    error: type[SourceError]
    code: str
    told: str


# How many in a row.  "down": attempts that found no connection at all.  "failing": questions given up after 5xx, cut or
# late answers, more than it takes to narrow a page of a thousand down to the one record that breaks it (2**10).
# "refusing": answers 403 in a row, more than the private datasets that a listing usually names.
_SORTS: dict[Kind, _Sort] = {
    "down": _Sort(5, Unavailable, "host-down", "cannot be connected to"),
    "failing": _Sort(12, Unavailable, "host-down", "fails at every request"),
    "refusing": _Sort(
        12, Blocked, "blocked", f"answers 403 to every request: it blocks this client ({rules.WHEN_BLOCKED})"
    ),
}
COOL_DOWN, LONGEST_COOL_DOWN = 60.0, 900.0
_MANY_HOSTS = 1000


@dataclass(slots=True)
class _State:
    counts: dict[Kind, int] = field(default_factory=dict)
    open_for: Kind | None = None
    until: float = -inf
    cool_down: float = COOL_DOWN


class Breaker:
    """What is known of the hosts that failed lately; one for the whole process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._states: dict[str, _State] = {}

    def check(self, url: httpx.URL) -> None:
        """Raises what the host is left alone for; whoever comes first after the cool-down may try again."""
        place = urls.place(url)
        with self._lock:
            state = self._states.get(place)
            if state is None or state.open_for is None:
                return
            left = state.until - self._now()
            if left > 0:
                raise _left_alone(place, state.open_for, left)
            state.until = self._now() + state.cool_down

    def good(self, url: httpx.URL) -> None:
        """The host answers as it should."""
        with self._lock:
            self._states.pop(urls.place(url), None)

    def bad(self, url: httpx.URL, kind: Kind) -> SourceError | None:
        """One more failure; what to raise when it is one too many."""
        place = urls.place(url)
        with self._lock:
            state = self._states.setdefault(place, _State())
            state.counts = {kind: state.counts.get(kind, 0) + 1} | (
                # Whoever answers at all is not down.
                {other: n for other, n in state.counts.items() if other not in (kind, "down")}
            )
            if state.open_for is None and state.counts[kind] < _SORTS[kind].limit:
                return None
            state.cool_down = min(state.cool_down * 2, LONGEST_COOL_DOWN) if state.open_for else COOL_DOWN
            state.open_for, state.until = kind, self._now() + state.cool_down
            self._forget()
            return _left_alone(place, kind, state.cool_down)

    def _forget(self) -> None:
        if len(self._states) > _MANY_HOSTS:
            now = self._now() - LONGEST_COOL_DOWN
            self._states = {place: state for place, state in self._states.items() if state.until > now}


def _left_alone(place: str, kind: Kind, seconds: float) -> SourceError:
    sort = _SORTS[kind]
    until = datetime.now(UTC) + timedelta(seconds=seconds)
    message = f"{place} {sort.told}; it is left alone until {until:%Y-%m-%dT%H:%M:%SZ}, then asked once to see"
    return sort.error(message, code=sort.code, value=place)


SHARED = Breaker()
