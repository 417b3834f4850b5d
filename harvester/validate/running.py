"""Checks of any length in flat memory: parts come one by one, are checked by the hundred, in two processes if asked."""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from rdflib import SH, Graph

from harvester.validate.checks import Checker
from harvester.validate.feeds import Feed
from harvester.validate.findings import Finding
from harvester.validate.known import by_heart, either, in_store, nothing
from harvester.validate.parts import DATASET, SERIES, Described, Part, batches, cut, is_hvd
from harvester.validate.rules import HVD
from harvester.validate.shapes import own_shapes, read_shapes

# Statements checked together: about a hundred datasets; the engine takes 15 ms to begin, whatever it is given.
BATCH = 15_000
_WAITING = 2
Checked = tuple[list[Part], list[Finding]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to check against: the shapes of files, else ours of the profile, on the datasets the profile is for.

    What is `exported` is ours to mend too; what is `closed` has to describe every term itself.
    """

    profile: str
    shapes: tuple[Path, ...] = ()
    vocabulary: tuple[Path, ...] = ()
    exported: bool = False
    closed: bool = False

    def graph(self) -> Graph:
        """The shapes.  Raises `UsageError` for files that hold none."""
        return _shapes(self.profile, self.shapes)

    def checker(self) -> Checker:
        """What checks parts."""
        return Checker(self.graph(), exported=self.exported)

    def elsewhere(self) -> Described:
        """What is known beside the document.  Raises `UsageError` for a file that cannot be read."""
        own = nothing if self.closed else by_heart
        if not self.vocabulary:
            return own
        feed = Feed()
        for path in self.vocabulary:
            feed.read(path)
        return either(in_store(feed.store), own)

    def wants(self, part: Part) -> bool:
        """High-value datasets alone where the profile is about them."""
        return self.profile != HVD or (part.kind in (DATASET, SERIES) and is_hvd(part))


@lru_cache(maxsize=8)
def _shapes(profile: str, files: tuple[Path, ...]) -> Graph:
    return read_shapes(files) if files else own_shapes(profile)


def parts_of(feed: Feed, asked: Asked, shapes: Graph) -> Iterator[Part]:
    """The parts of a feed that are to be checked."""
    targets = {str(target) for target in shapes.objects(None, SH.targetClass)}
    return (part for part in cut(feed, targets, asked.elsewhere()) if asked.wants(part))


def checked(parts: Iterable[Part], asked: Asked, processes: int = 1) -> Iterator[Checked]:
    """Parts with what is wrong in them, in their order."""
    groups = batches(parts, BATCH)
    if processes < 2:
        checker = asked.checker()
        return ((group, checker.check(group)) for group in groups)
    return _in_processes(groups, asked.checker, processes)


def _in_processes(groups: Iterator[list[Part]], make: Callable[[], Checker], processes: int) -> Iterator[Checked]:
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _begin, (make,))
    waiting: deque[tuple[list[Part], Future[list[Finding]]]] = deque()
    try:
        for group in groups:
            waiting.append((group, pool.submit(_check, group)))
            if len(waiting) >= processes + _WAITING:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _next(waiting: deque[tuple[list[Part], Future[list[Finding]]]]) -> Checked:
    group, found = waiting.popleft()
    return group, found.result()


_checker: list[Checker] = []


def _begin(make: Callable[[], Checker]) -> None:
    """Ready a process: Ctrl-C is for the one that asked."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    quieten()
    _checker.append(make())


def _check(group: list[Part]) -> list[Finding]:
    return _checker[0].check(group)


def quieten() -> None:
    """Keep rdflib from logging every value that does not fit its type: that is what the findings tell."""
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)
