"""Crawl-delay of robots.txt (RFC 9309 for the file, the directive by custom): how far apart a host wants its requests.

Only the delay is heeded.  `Disallow` is for robots that follow links wherever they lead; a harvest asks addresses that
somebody entered, of interfaces made for machines, and the robots.txt that CKAN ships forbids its whole API.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

import httpx

from harvester.net import urls

# RFC 9309, 2.5: at least 500 kibibytes are read.
MOST_BYTES = 500 << 10
_DAY, _HOUR = 86_400.0, 3_600.0
_MANY_HOSTS = 1000


@dataclass(slots=True)
class _Known:
    delays: Mapping[str, float] = field(default_factory=dict)
    until: float = -inf


class Robots:
    """The delays of the hosts asked lately; asked for once a day, before the second request to a host."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._hosts: dict[str, _Known] = {}

    def delay(self, url: httpx.URL, user_agent: str, fetch: Callable[[httpx.URL], bytes | None]) -> float:
        """Seconds between two requests; `fetch` brings a robots.txt, or None when it could not be had."""
        known = self._known(url)
        if known is None:
            return 0.0
        if known.until <= self._now():
            # Others go on meanwhile with what was known before.
            known.until = self._now() + _HOUR
            content = fetch(url.copy_with(path="/robots.txt", query=None, fragment=None))
            if content is not None:
                known.delays, known.until = parse(content), self._now() + _DAY
        return delay_for(known.delays, user_agent)

    def _known(self, url: httpx.URL) -> _Known | None:
        """None at the first request: a single one keeps its distance from nothing."""
        with self._lock:
            known = self._hosts.get(urls.place(url))
            if known is None:
                if len(self._hosts) >= _MANY_HOSTS:
                    self._hosts.clear()
                self._hosts[urls.place(url)] = _Known()
            return known


def parse(content: bytes) -> dict[str, float]:
    """The delays by product token, in lower case; `*` is anybody."""
    delays: dict[str, float] = {}
    for agents, value in _stated(content[:MOST_BYTES].decode("utf-8-sig", "replace")):
        seconds = float(value) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value) else 0.0
        delays |= {agent: max(seconds, delays.get(agent, 0.0)) for agent in agents}
    return delays


def _stated(text: str) -> Iterator[tuple[list[str], str]]:
    """Every Crawl-delay with the agents of its group: those named in a row, before any rule (RFC 9309, 2.2.1)."""
    agents: list[str] = []
    within = False
    for line in text.splitlines():
        name, colon, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        if not colon:
            continue
        if name.lower() == "user-agent":
            agents = [*([] if within else agents), _product(value)]
            within = False
            yield agents, ""  # who has a group of his own does not heed that of `*`
        elif name.lower() in {"allow", "disallow", "crawl-delay"}:
            within = True
            if name.lower() == "crawl-delay":
                yield agents, value


def delay_for(delays: Mapping[str, float], user_agent: str) -> float:
    """The delay that a file states for this client, or else for anybody."""
    return delays.get(_product(user_agent), delays.get("*", 0.0))


def _product(agent: str) -> str:
    return re.split(r"[/\s(]", agent.strip(), maxsplit=1)[0].lower()


SHARED = Robots()
