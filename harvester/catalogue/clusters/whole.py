"""All records at once, beside the catalogue: what the rules of today make of them, in memory that does not grow.

The same keys, judgements and decisions as record by record (`updating`), in sorted passes over a temporary database.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from functools import lru_cache
from itertools import combinations, groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from harvester.catalogue.clusters.facts import Fact
from harvester.catalogue.clusters.judging import decided, vetoing
from harvester.catalogue.clusters.prepared import JOINING, KEY, MOST, Key, Sighting, packed_keys, prepare
from harvester.catalogue.packing import load_dataset
from harvester.identity.clusters import Hand, Name, Same, clusters
from harvester.identity.judge import Decision

BATCH = 2000
_RANGE = 20_000
_KEPT = 20_000
_TABLES = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -65536;
CREATE TABLE record (id INTEGER PRIMARY KEY, source TEXT, guid TEXT, keys BLOB, body BLOB);
CREATE TABLE key (value INT, kind INT, id INT, source INT);
CREATE TABLE pair (a INT, b INT, kind INT, value INT);
CREATE TEMP TABLE same (a INT, b INT, score REAL);
CREATE TEMP TABLE part (id INTEGER PRIMARY KEY, part INT);
"""


class Row(NamedTuple):
    """A record as it is kept: `said` is its stored dataset, `home` the address of its source."""

    id: int
    source: str
    guid: str
    home: str
    said: bytes


def prepared_rows(rows: Sequence[Row]) -> list[tuple[int, str, str, bytes, bytes]]:
    """What is needed of records to tell their datasets."""
    found = []
    for row in rows:
        known = Sighting(row.source, row.guid, prepare(load_dataset(row.said), row.guid, row.home))
        keys = packed_keys(known.prepared.keys | {known.own})
        found.append((row.id, row.source, row.guid, keys, known.prepared.body))
    return found


class Whole:
    """A temporary database in a folder, filled with records and asked for their datasets."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "whole.sqlite"
        self._database = sqlite3.connect(self.path, isolation_level=None)
        self._database.executescript(_TABLES)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def fill(self, rows: Iterable[Row], workers: Executor | None = None) -> int:
        """Take in records, prepared by `workers`; answers how many."""
        done, batches = 0, _batches(rows, BATCH)
        sources: dict[str, int] = {}
        for found in _ahead(workers, batches):
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO record VALUES (?, ?, ?, ?, ?)", found)
            for row in found:
                source = sources.setdefault(row[1], len(sources))
                keys = ((value, kind, row[0], source) for kind, value in KEY.iter_unpack(row[3]))
                self._database.executemany("INSERT INTO key VALUES (?, ?, ?, ?)", keys)
            self._database.execute("COMMIT")
            done += len(found)
        return done

    def pair(self) -> int:
        """Find who shares a key that few have; answers how many pairs there are."""
        reading = sqlite3.connect(self.path)
        rows = reading.execute("SELECT value, kind, id, source FROM key ORDER BY value, id")
        self._database.execute("BEGIN")
        for batch in _batches(_shared(rows), BATCH * 10):
            self._database.executemany("INSERT INTO pair VALUES (?, ?, ?, ?)", batch)
        self._database.execute("COMMIT")
        reading.close()
        self._database.execute("DROP TABLE key")
        self._database.execute("CREATE INDEX pair_a ON pair (a, b, kind, value)")
        return int(self._database.execute("SELECT count(*) FROM (SELECT DISTINCT a, b FROM pair)").fetchone()[0])

    def judge(self, workers: Executor | None = None) -> int:
        """Judge every pair; answers how many are the same."""
        last = self._database.execute("SELECT max(id) FROM record").fetchone()[0] or 0
        ranges = [(self.path, start, start + _RANGE) for start in range(0, last + 1, _RANGE)]
        for found in map(judge_range, ranges) if workers is None else workers.map(judge_range, ranges):
            self._database.executemany("INSERT INTO same VALUES (?, ?, ?)", found)
        return int(self._database.execute("SELECT count(*) FROM same").fetchone()[0])

    def parts(self, hands: Sequence[Hand] = ()) -> Iterator[tuple[int, ...]]:
        """The datasets of more than one record; what people said together is looked at together."""
        reader = _Reader(self._database)
        for links, more in _webs(self._database, reader.ids([hand.first for hand in hands if hand.kind != "split"])):
            ids = {one for link in links for one in (link.a, link.b)} | more
            known = {one: reader.fact(one) for one in ids}
            names = {one: fact.name for one, fact in known.items()}
            said = [hand for hand in hands if not (hand.first | hand.second).isdisjoint(names.values())]
            for part in clusters(names, links, said, lambda a, b: vetoing(reader.fact(a), reader.fact(b))):
                if len(part) > 1:
                    yield part


def judge_range(task: tuple[Path, int, int]) -> list[tuple[int, int, float]]:
    """The pairs that are the same, of the records of a range with later ones."""
    path, start, end = task
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    reader, found = _Reader(database), []
    rows = database.execute("SELECT a, b, kind, value FROM pair WHERE a >= ? AND a < ? ORDER BY a, b", (start, end))
    for (a, b), group in groupby(rows, itemgetter(0, 1)):
        told = decided(reader.fact(a), reader.fact(b), [Key(*row[2:]) for row in group], telling=False)
        if told.decision is Decision.SAME:
            found.append((a, b, told.score))
    database.close()
    return found


class _Reader:
    """Records by id, the latest ones kept."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.fact = lru_cache(_KEPT)(self._fact)

    def ids(self, groups: Iterable[Iterable[Name]]) -> list[list[int]]:
        """The records of these names, those that are there."""
        look = "SELECT id FROM record WHERE source = ? AND guid = ?"
        wanted = [list(group) for group in groups]
        if wanted:
            self._database.execute("CREATE INDEX IF NOT EXISTS record_name ON record (source, guid)")
        return [[row[0] for name in group for row in self._database.execute(look, name)] for group in wanted]

    def _fact(self, record: int) -> Fact:
        look = "SELECT source, guid, body FROM record WHERE id = ?"
        source, guid, body = self._database.execute(look, (record,)).fetchone()
        # Its keys are with its pairs.
        return Fact(Name(sys.intern(source), guid), None, frozenset(), body)


def _webs(database: sqlite3.Connection, together: Iterable[Sequence[int]]) -> Iterator[tuple[list[Same], set[int]]]:
    """What hangs together: links, and the records that people put beside them."""
    roots: dict[int, int] = {}
    for a, b in database.execute("SELECT a, b FROM same"):
        _union(roots, a, b)
    for group in together:
        for one in group:
            _union(roots, group[0], one)
    database.execute("DELETE FROM part")
    database.executemany("INSERT INTO part VALUES (?, ?)", ((one, _root(roots, one)) for one in list(roots)))
    roots.clear()
    linked = (
        """SELECT p.part, p.id, s.b, s.score FROM part p LEFT JOIN same s ON s.a = p.id ORDER BY p.part, p.id, s.b"""
    )
    database.execute("CREATE INDEX IF NOT EXISTS temp.same_a ON same (a, b, score)")
    for _, rows in groupby(database.execute(linked), itemgetter(0)):
        found = list(rows)
        yield [Same(a, b, score) for _, a, b, score in found if b is not None], {a for _, a, _, _ in found}


def _union(roots: dict[int, int], a: int, b: int) -> None:
    first, second = sorted((_root(roots, a), _root(roots, b)))
    roots[second] = first


def _root(roots: dict[int, int], one: int) -> int:
    while (above := roots.setdefault(one, one)) != one:
        roots[one] = roots[above]
        one = above
    return one


def _shared(rows: Iterable[tuple[int, int, int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Who shares a key with whom, of the keys that say something; the holders of others are not even kept."""
    for value, group in groupby(rows, itemgetter(0)):
        first = next(group)
        kind = first[1]
        most = MOST[kind]
        # One more than may be: the rest of a crowd is passed over.
        holders = sorted({first[2:], *(row[2:] for row in islice(group, most))})
        if len(holders) <= most:
            for (a, source), (b, other) in combinations(holders, 2):
                if source != other or kind in JOINING:
                    yield a, b, kind, value


def _batches(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch


def _ahead(
    workers: Executor | None, batches: Iterator[list[Row]]
) -> Iterator[list[tuple[int, str, str, bytes, bytes]]]:
    """What workers make of batches, a few ahead of what is taken."""
    if workers is None:
        yield from map(prepared_rows, batches)
        return
    waiting = [workers.submit(prepared_rows, batch) for batch in islice(batches, 4)]
    while waiting:
        yield waiting.pop(0).result()
        waiting += [workers.submit(prepared_rows, batch) for batch in islice(batches, 1)]
