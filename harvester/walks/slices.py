"""What one request of a walk brought."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from harvester.connector import Body, Record
from harvester.errors import RecordError

# So often a list whose order does not hold is read again from its start, as long as that brings something.
MOST_SWEEPS = 3
# Reading again is given up after so many pages in a row without anything new.
MOST_FRUITLESS = 3
# Pages that bring nothing new and go on all the same would be followed for ever.
MOST_IDLE_PAGES = 20


@dataclass(frozen=True, slots=True)
class Slice:
    """What one request brought: raw items, the advertised total, the link to the next page, what is worth telling.

    `maybe` is where the next page could be, for a portal that counts more than it shows and links nothing.
    `end`: the portal says that nothing follows.  `cut`: fewer items than a page would hold are no sign of the end.
    """

    items: list[Any]
    total: int | None = None
    next: str | None = None
    notes: tuple[RecordError, ...] = ()
    body: Body | None = None
    unchanged: bool = False
    doubtful: bool = False
    maybe: str | None = None
    end: bool = False
    cut: bool = False


Read = Callable[[int, int], Slice]
Make = Callable[[Any], Record]


def records(items: Iterable[Any], make: Make) -> tuple[tuple[Record, ...], tuple[RecordError, ...]]:
    """Every item as a record, or as the reason why it is none."""
    good: list[Record] = []
    bad: list[RecordError] = []
    for item in items:
        try:
            good.append(make(item))
        except RecordError as error:
            bad.append(error)
    return tuple(good), tuple(bad)


def moving(totals: list[int]) -> RecordError:
    """The note that a list is read again."""
    message = f"the list changed while it was read, from {totals[0]} records to {totals[-1]}, and is read again"
    return RecordError(message, code="moving-list", field="total", value=totals[-1])
