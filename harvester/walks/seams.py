"""What stood where in a list that is read page by page, so that a list which moves in between is noticed."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from hashlib import blake2b

# Stands for what has no identifier, or was read by an earlier attempt.
UNKNOWN = 0
_SAMPLE = r"-(\d{1,12})\.([0-9a-f]{16})"
_CURSOR = re.compile(rf"o(\d{{1,12}})-([0-9a-f]{{16}})((?:{_SAMPLE})*)")
# So many places before its own a cursor remembers, to tell a list in which as much was removed as added.
_MOST_SAMPLES = 6
_MASK = (1 << 64) - 1


def mark_of(guid: str) -> int:
    """A number for an identifier, the same in every process: a million of them take eight megabytes."""
    found = blake2b(guid.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(found, "big", signed=True) or 1


def _written(mark: int) -> str:
    return f"{mark & _MASK:016x}"


def _read(text: str) -> int:
    number = int(text, 16)
    return number - (1 << 64) if number >> 63 else number


def reached(cursor: str | None) -> int:
    """How many records stand before the place of a cursor."""
    return len(Order.resumed(cursor))


class Order:
    """The marks of what was read, by position."""

    def __init__(self, skipped: int = 0, last: int = UNKNOWN) -> None:
        """Nothing yet; or `skipped` positions that an earlier attempt read, the last of which had this mark."""
        self.marks = array("q", bytes(8 * skipped))
        self.unread = max(skipped - 1, 0)
        # What some of those positions showed, as far as a cursor tells.
        self.samples: dict[int, int] = {}
        if skipped:
            self.marks[-1] = last

    @classmethod
    def resumed(cls, cursor: str | None) -> Order:
        """What a cursor tells; nothing for one that cannot be read, such as an older version's."""
        found = _CURSOR.fullmatch(cursor or "")
        if found is None or not int(found[1]):
            return cls()
        order = cls(int(found[1]), _read(found[2]))
        samples = re.findall(_SAMPLE, found[3])[:_MOST_SAMPLES]
        order.samples = {int(place): _read(mark) for place, mark in samples if int(place) < order.unread}
        return order

    @property
    def cursor(self) -> str | None:
        """Where to go on after the last position whose record is known; None when there is none."""
        for position in range(len(self.marks), 0, -1):
            if (mark := self.marks[position - 1]) != UNKNOWN:
                samples = (f"-{place}.{_written(known)}" for place, known in self._sampled(position - 1))
                return f"o{position}-{_written(mark)}{''.join(samples)}"
        return None

    def _sampled(self, end: int) -> list[tuple[int, int]]:
        """Some positions before this one, far from one another, with what they showed."""
        places = sorted({*self.samples, *range(0, end, max(1, end // _MOST_SAMPLES))})
        known = [(place, self.marks[place] or self.samples.get(place, UNKNOWN)) for place in places if place < end]
        known = [(place, mark) for place, mark in known if mark != UNKNOWN]
        return known[:: -(-len(known) // _MOST_SAMPLES) or 1]

    @property
    def last(self) -> int:
        """The mark of what was read last."""
        return self.marks[-1] if self.marks else UNKNOWN

    def __len__(self) -> int:
        return len(self.marks)

    def is_foreign(self) -> bool:
        """Whether nothing was read yet by this attempt itself."""
        return 0 < len(self.marks) == self.unread + 1

    def distinct(self) -> int:
        """How many different records were read, unknown ones each counted for itself."""
        return self.marks.count(UNKNOWN) + len(set(self.marks) - {UNKNOWN})

    def starts_with(self, shown: Sequence[int]) -> bool:
        """Whether the list began with these."""
        return len(shown) > 0 and self.marks[: len(shown)].tolist() == list(shown)

    def ends_with(self, shown: Sequence[int]) -> bool:
        """Whether these were read last."""
        return len(shown) > 0 and self.marks[-len(shown) :].tolist() == list(shown)

    def changed(self, shown: Callable[[int], int]) -> int:
        """The first position that shows something else than it did, given that the last one does.

        Everything before is where it was, so that a search by halves finds it.  0 when the change is before what this
        attempt has read.
        """
        low, high = self.unread, len(self.marks) - 1
        while low < high:
            middle = (low + high) // 2
            if self.marks[middle] in (UNKNOWN, shown(middle)):
                low = middle + 1
            else:
                high = middle
        return 0 if low == self.unread else low

    def forget(self, position: int) -> int:
        """Everything from this position on is to be read again; how much that is."""
        number = len(self.marks) - position
        del self.marks[position:]
        self.samples = {place: mark for place, mark in self.samples.items() if place < position}
        self.unread = min(self.unread, position)
        return number

    def respliced(self, position: int, shown: Sequence[int]) -> int:
        """Take over what a page shows from a position on, up to the last record that was known to come after it.

        How much of the page that is; 0 when the page shows nothing that came after.
        """
        after = self.marks[position : position + 2 * len(shown)]
        place = {mark: number for number, mark in enumerate(after) if mark != UNKNOWN}
        used = max((number for number, mark in enumerate(shown, 1) if mark in place), default=0)
        if used:
            self.marks[position : position + place[shown[used - 1]] + 1] = array("q", shown[:used])
        return used
