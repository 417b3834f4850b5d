"""What a large document says of its nodes, on disk: a log of descriptions, and where in it each node was last seen.

A node described in several places is a chain of entries.  Nothing but the places is in memory, and of millions of
nodes not even those.  The files have no names: whatever ends the process, they are gone with it.
"""

from __future__ import annotations

import os
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping

import orjson

from harvester.errors import SourceError

Value = dict[str, str]
Facts = dict[str, list[Value]]

_HEAD = struct.Struct("<qI")
_NOWHERE = -1
# An entry is a few thousand bytes at most, as a rule: all of it comes in one go.
_USUAL = 4096
# Beyond this the places themselves go to disk; some hundred bytes each.
MOST_PLACES = 1_000_000
# Descriptions repeated with every dataset are written once, as long as so many others come between.
MOST_REPEATED = 100_000
# Longer descriptions are kept in memory once they were read, so many bytes of them.
LARGE = 1 << 14
MOST_KEPT = 1 << 24


def once(values: list[Value]) -> list[Value]:
    """The values in their order, without repetition."""
    return list({tuple(value.items()): value for value in values}.values()) if len(values) > 1 else values


class Shelf:
    """Facts by node.  Raises `SourceError` (`no-disk`) when the disk is full or temporary files cannot be made."""

    def __init__(self, places: int = MOST_PLACES) -> None:
        try:
            self._log = tempfile.TemporaryFile()  # noqa: SIM115
        except OSError as error:
            raise no_disk(error) from error
        self._file = self._log.fileno()
        self._end = self._flushed = 0
        self._most = places
        self._places: dict[int, int] = {}
        self._older: sqlite3.Connection | None = None
        self._written: dict[int, set[int]] = {}
        self._last: tuple[str, Facts | None] = "", None
        self._kept: dict[str, Facts] = {}
        self._kept_size = 0

    def close(self) -> None:
        """Give the disk back."""
        self._log.close()
        if self._older is not None:
            self._older.close()

    def put(self, nodes: Mapping[str, Facts]) -> None:
        """Note what is said of nodes, beside what was said of them before."""
        self._last = "", None
        self._kept.clear()
        try:
            self._log.write(b"".join(self._entries(nodes)))
            if len(self._places) > self._most:
                self._set_aside()
        except (OSError, sqlite3.Error) as error:
            raise no_disk(error) from error

    def _entries(self, nodes: Mapping[str, Facts]) -> Iterator[bytes]:
        places, none_aside = self._places, self._older is None
        for name, facts in nodes.items():
            key = hash(name)
            before = places.get(key, _NOWHERE) if none_aside else self._place(key)
            body = orjson.dumps((name, facts))
            if before == _NOWHERE or not self._said(key, body):
                yield _HEAD.pack(before, len(body)) + body
                places[key] = self._end
                self._end += _HEAD.size + len(body)

    def _said(self, key: int, body: bytes) -> bool:
        """Whether this very description of a node is among those noted."""
        if len(self._written) > MOST_REPEATED:
            self._written.clear()
        known = self._written.setdefault(key, set())
        mark, before = hash(body), len(known)
        known.add(mark)
        return len(known) == before

    def _place(self, key: int) -> int:
        place = self._places.get(key)
        if place is not None:
            return place
        if self._older is None:
            return _NOWHERE
        found = self._older.execute("SELECT place FROM places WHERE key = ?", (key,)).fetchone()
        return _NOWHERE if found is None else int(found[0])

    def _set_aside(self) -> None:
        if self._older is None:
            self._older = sqlite3.connect("", isolation_level=None)
            self._older.execute("CREATE TABLE places (key INTEGER PRIMARY KEY, place INTEGER)")
        self._older.execute("BEGIN")
        self._older.executemany("INSERT OR REPLACE INTO places VALUES (?, ?)", sorted(self._places.items()))
        self._older.execute("COMMIT")
        self._places.clear()

    def __contains__(self, name: str) -> bool:
        return self._place(hash(name)) != _NOWHERE

    def described(self) -> Callable[[str], bool]:
        """`name in shelf`, for whoever asks very often once all is put."""
        if self._older is not None:
            return self.__contains__
        places = self._places
        return lambda name: hash(name) in places

    def get(self, name: str) -> Facts | None:
        """What was said of a node, in the order it was said; None for a node nothing was said of."""
        if self._last[0] != name:
            kept = self._kept.get(name) if self._kept else None
            self._last = name, kept or self._read(name)
        return self._last[1]

    def _read(self, name: str) -> Facts | None:
        parts: list[Facts] = []
        size, place = 0, self._place(hash(name))
        while place != _NOWHERE:
            place, length, (owner, facts) = self._entry(place)
            size += length
            # Nodes whose names have the same hash share a chain.
            if owner == name:
                parts.append(facts)
        if not parts:
            return None
        found = _joined(parts[::-1]) if len(parts) > 1 else parts[0]
        if size > LARGE:
            self._keep(name, size, found)
        return found

    def _keep(self, name: str, size: int, facts: Facts) -> None:
        """A publisher of all datasets is met with each of them, and as long as all of them."""
        if self._kept_size + size > MOST_KEPT:
            self._kept.clear()
            self._kept_size = 0
        self._kept[name] = facts
        self._kept_size += size

    def _entry(self, place: int) -> tuple[int, int, tuple[str, Facts]]:
        """Where the node was described before, the length of this description, and the description."""
        if self._flushed < self._end:
            self._flush()
        data = os.pread(self._file, _USUAL, place)
        before, size = _HEAD.unpack_from(data)
        start = place + _HEAD.size
        if size > len(data) - _HEAD.size:
            return before, size, orjson.loads(os.pread(self._file, size, start))
        return before, size, orjson.loads(memoryview(data)[_HEAD.size : _HEAD.size + size])

    def _flush(self) -> None:
        try:
            self._log.flush()
        except OSError as error:
            raise no_disk(error) from error
        self._flushed = self._end

    def names(self) -> Iterator[str]:
        """Every node once, in no order to rely on."""
        place = 0
        while place < self._end:
            before, size, (name, _) = self._entry(place)
            if before == _NOWHERE:
                yield name
            place += _HEAD.size + size


def _joined(parts: list[Facts]) -> Facts:
    joined: Facts = {}
    for facts in parts:
        for predicate, values in facts.items():
            joined.setdefault(predicate, []).extend(values)
    return {predicate: once(values) for predicate, values in joined.items()}


def no_disk(error: Exception) -> SourceError:
    """The error for temporary files that cannot be made or written."""
    return SourceError(
        f"a large document needs room for temporary files and there is none in {_folder()}: {error};"
        " free some space or set TMPDIR to another folder",
        code="no-disk",
    )


def _folder() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return "any usual folder"
