"""Numbers of the change log that were missing when it was read.

PostgreSQL numbers a change when it is written and shows it when its transaction commits, so a smaller number may
appear after a larger one; a transaction rolled back leaves numbers that never appear.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from harvester.catalogue import queries
from harvester.search.base import Position

# A transaction that numbered its changes longer ago than this has committed or never will.
SECONDS = 3600.0
# More than the transactions under way at any moment can have numbered.
WINDOW = 10_000
MOST = 1_000


def start(connection: Connection, now: float) -> Position:
    """The end of the log, with what is missing shortly before it."""
    newest = queries.last_change(connection)
    first = max(0, newest - WINDOW)
    found = [seq for seq, _ in queries.changed_datasets(connection, first, WINDOW)]
    return advanced(Position(first), [seq for seq in found if seq <= newest] or [newest], now)


def late(connection: Connection, position: Position) -> dict[int, int]:
    """seq -> dataset id of the changes that have appeared inside the gaps."""
    found: dict[int, int] = {}
    for first, last, _ in position.gaps:
        rows = queries.changed_datasets(connection, first - 1, min(WINDOW, last - first + 1))
        found |= {seq: dataset_id for seq, dataset_id in rows if seq <= last}
    return found


def advanced(position: Position, seqs: Sequence[int], now: float) -> Position:
    """The position after reading these numbers, in ascending order."""
    if not seqs:
        return position
    new = [(first, last, now) for first, last in missing(position.seq + 1, seqs[-1], seqs)]
    return replace(position, seq=seqs[-1], gaps=(*position.gaps, *new)[-MOST:])


def settled(position: Position, found: Iterable[int], now: float) -> Position:
    """The position without the gaps that are filled or too old."""
    seqs = sorted(found)
    kept = (
        (first, last, at)
        for start_, end, at in position.gaps
        if now - at < SECONDS
        for first, last in missing(start_, end, seqs)
    )
    return replace(position, gaps=tuple(kept))


def missing(first: int, last: int, found: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The ranges between `first` and `last`, both included, that hold none of `found` (ascending)."""
    expected = first
    for seq in found:
        if not first <= seq <= last:
            continue
        if seq > expected:
            yield expected, seq - 1
        expected = seq + 1
    if expected <= last:
        yield expected, last
