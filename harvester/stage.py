"""What a dry run has met and would have written: in a temporary database on disk, so that memory stays flat."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

# Numbers of records that are not in the catalogue, beyond any that are.
FRESH = 2**61
_CHUNK = 500
_TABLES = """
CREATE TABLE met (id INTEGER PRIMARY KEY, guid TEXT UNIQUE, status TEXT, title TEXT, at TEXT, dataset_id INT, body BLOB,
    created INT);
CREATE TABLE unmet (id INTEGER PRIMARY KEY, at TEXT);
"""


class Met(NamedTuple):
    """A record that came, or was named: `body` is what it says where that is new, `created` that a run would tell so.

    `status` is the one it would have now: active, retired, failed, or carried when it became another record.
    """

    id: int
    guid: str | None
    status: str
    title: str | None = None
    at: datetime | None = None
    dataset_id: int | None = None
    body: bytes | None = None
    created: bool = False


class Stage:
    """Records by number; `wary` tells that the source has some already, so that what comes may be one of them."""

    def __init__(self, wary: bool) -> None:
        self.wary = wary
        # How many records of the catalogue became one with another.
        self.ended = 0
        self._fresh = FRESH
        # Whoever ends the run may not be the thread that began it; they never work at the same time.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Let go of everything."""
        self._database.close()

    def number(self) -> int:
        """The number of a record that is not in the catalogue, larger than any before."""
        self._fresh += 1
        return self._fresh

    def put(self, rows: Iterable[Met]) -> None:
        """Note what came; what had come before under the same number is replaced."""
        values = ((*row[:4], row.at and _text(row.at), *row[5:]) for row in rows)
        self._database.executemany("INSERT OR REPLACE INTO met VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

    def retire(self, ids: Iterable[int]) -> None:
        """Note that records would be retired, whether they came or not."""
        rows = ((i, "retired") for i in ids)
        upsert = "INSERT INTO met (id, status) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET status = excluded.status"
        self._database.executemany(upsert, rows)

    def carry(self, old: int, new: int) -> None:
        """Note that a record goes on under the identifier, and with the words, of another one."""
        database = self._database
        row = self.by_id([new])[new]
        database.execute("UPDATE met SET guid = NULL, status = 'carried' WHERE id = ?", (new,))
        self.put([row._replace(id=old, created=False)])
        self.ended += new < FRESH

    def by_id(self, ids: Sequence[int]) -> dict[int, Met]:
        """Those of the records that have been met."""
        return {row.id: row for row in self._found("id", ids)}

    def by_guid(self, guids: Sequence[str]) -> dict[str, Met]:
        """Those of the records that have been met."""
        return {row.guid: row for row in self._found("guid", guids) if row.guid is not None}

    def count(self) -> int:
        """How many different records have been met."""
        return int(self._database.execute("SELECT count(*) FROM met").fetchone()[0])

    def witness(self) -> str | None:
        """The identifier of a record that was shown."""
        row = self._database.execute("SELECT guid FROM met WHERE status = 'active' ORDER BY id LIMIT 1").fetchone()
        return None if row is None else str(row[0])

    def fresh(self) -> Iterator[Met]:
        """The records that came and are not in the catalogue."""
        return self._rows("id > ? AND status = 'active'", (FRESH,))

    def changed(self, size: int) -> Iterator[list[Met]]:
        """The records of the catalogue that say something new, in pages."""
        after, where = 0, "id > ? AND id <= ? AND body NOT NULL AND status = 'active'"
        while rows := list(self._rows(where, (after, FRESH), size)):
            after = rows[-1].id
            yield rows

    def created(self) -> Iterator[Met]:
        """The records that a run would tell as new."""
        return self._rows("created AND status <> 'carried'", ())

    def miss(self, rows: Iterable[tuple[int, datetime]]) -> None:
        """Note which records of the catalogue did not come, and when each was seen last."""
        values = ((number, _text(at)) for number, at in rows)
        self._database.executemany("INSERT OR REPLACE INTO unmet VALUES (?, ?)", values)

    def oldest_missed(self) -> datetime | None:
        """When the first of them was seen for the last time."""
        at = self._database.execute("SELECT min(at) FROM unmet").fetchone()[0]
        return None if at is None else datetime.fromisoformat(at)

    def missed(self) -> Iterator[list[int]]:
        """The numbers of what did not come, in pieces."""
        cursor = self._database.execute("SELECT id FROM unmet ORDER BY id")
        while rows := cursor.fetchmany(_CHUNK):
            yield [number for (number,) in rows]

    def _found(self, column: str, values: Sequence[int] | Sequence[str]) -> Iterator[Met]:
        for start in range(0, len(values), _CHUNK):
            part = values[start : start + _CHUNK]
            yield from self._rows(f"{column} IN ({', '.join('?' * len(part))})", part)

    def _rows(self, where: str, values: Sequence[object], most: int = -1) -> Iterator[Met]:
        for row in self._database.execute(f"SELECT * FROM met WHERE {where} ORDER BY id LIMIT {most:d}", values):
            number, guid, status, title, at, dataset_id, body, created = row
            first = None if at is None else datetime.fromisoformat(at)
            yield Met(number, guid, status, title, first, dataset_id, body, bool(created))


def _text(at: datetime) -> str:
    """In the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
