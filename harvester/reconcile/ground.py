"""Where a reconciliation is worked out: a temporary database on disk, so that memory stays flat whatever the sizes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from harvester.identity.blocks import LIMITS

# Kinds of keys of our own, beside the blocks under which records are compared.
NAME, PAGE, TITLE, GUID, HAND = "said-name", "said-page", "said-title", "said-guid", "said-by-hand"
# Rules that make pairs, and never copies: what words alone tell, also of what says that it is something else.
PROBABLE, SURMISED = "probable", "surmised"
# Names and pages that more records of the source have name none of them.
MOST_NAMED = 3
# So many partners of one record are looked at, those with the most in common first.
MOST_PARTNERS = 12
_CHUNK = 500
_BITS = 1 << 25
_TABLES = """
CREATE TABLE ours (id INTEGER PRIMARY KEY, guid TEXT, live INT, readable INT, published TEXT, hidden TEXT,
    title TEXT, distributions INT, size INT, signs BLOB, reason TEXT, told TEXT);
CREATE TABLE theirs (id INTEGER PRIMARY KEY, live INT, readable INT, claims INT, origins TEXT, signs BLOB,
    title TEXT);
CREATE TABLE our_keys (key INT, kind TEXT, id INT);
CREATE TABLE their_keys (key INT, kind TEXT, id INT);
CREATE TABLE edges (s INT, t INT, strength REAL, rule TEXT, told TEXT);
CREATE TABLE pairs (s INTEGER PRIMARY KEY, t INT UNIQUE, strength REAL, rule TEXT, told TEXT);
CREATE TABLE copies (t INTEGER PRIMARY KEY, s INT, rule TEXT, told TEXT);
CREATE TABLE apart (s INT, t INT, decision INT);
CREATE TABLE traits (id INT, kind TEXT, value TEXT, shown TEXT);
CREATE TABLE common (key INTEGER PRIMARY KEY);
"""


class Ours(NamedTuple):
    """A record of the source: `live` where it is listed today, `hidden` how it says that it is not for everybody."""

    id: int
    guid: str
    live: bool
    readable: bool
    published: str | None = None
    hidden: str | None = None
    title: str | None = None
    distributions: int = 0
    size: int = 0
    signs: bytes | None = None


class Theirs(NamedTuple):
    """A record of the target that may be one of the source's: `claims` 2 where it says so, 1 where it links there."""

    id: int
    live: bool
    readable: bool
    claims: int = 0
    origins: str = ""
    signs: bytes | None = None
    title: str | None = None


class Key(NamedTuple):
    """Something that two records may share: `kind` is one of ours or a kind of block."""

    key: int
    kind: str


class Partner(NamedTuple):
    """A record of the source that shares keys with one of the target."""

    id: int
    live: bool
    title: str | None
    signs: bytes | None
    blocks: tuple[Key, ...]


class Edge(NamedTuple):
    """Two records that may be one dataset: the stronger, the sooner they become a pair."""

    s: int
    t: int
    strength: float
    rule: str
    told: str


class Ground:
    """Everything that one reconciliation remembers while it works."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")
        # Most keys of the target are none of the source's: a bit for each tells so without a look into the database.
        self._bits = bytearray(_BITS >> 3)

    def close(self) -> None:
        """Let go of everything."""
        self._database.close()

    def put_ours(self, rows: Sequence[tuple[Ours, Sequence[Key]]]) -> None:
        """Note records of the source with their keys."""
        values = [(*row, None, None) for row, _ in rows]
        self._many("INSERT INTO ours VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
        self._many("INSERT INTO our_keys VALUES (?, ?, ?)", [(*key, row.id) for row, keys in rows for key in keys])
        for _, keys in rows:
            for key in keys:
                place = key.key % _BITS
                self._bits[place >> 3] |= 1 << (place & 7)

    def put_traits(self, rows: Iterable[tuple[int, str, str, str]]) -> None:
        """Note what can be told of records of the source: id, kind, value as it is compared, value as it is shown."""
        self._many("INSERT INTO traits VALUES (?, ?, ?, ?)", rows)

    def close_ours(self) -> None:
        """All of the source is there: keys that too many of its records have say nothing."""
        self._database.execute("CREATE INDEX our_by_key ON our_keys (key, kind)")
        self._database.execute("CREATE INDEX our_by_id ON our_keys (id)")

    def known(self, keys: Iterable[Key]) -> list[Key]:
        """Those of the keys that a record of the source may have."""
        return [key for key in keys if self._bits[(key.key % _BITS) >> 3] >> (key.key % _BITS & 7) & 1]

    def put_theirs(self, rows: Sequence[tuple[Theirs, Sequence[Key]]]) -> None:
        """Note records of the target with those of their keys that may be the source's."""
        self._many("INSERT INTO theirs VALUES (?, ?, ?, ?, ?, ?, ?)", [row for row, _ in rows])
        keys = [(*key, row.id) for row, keys in rows for key in keys]
        self._many("INSERT INTO their_keys VALUES (?, ?, ?)", keys)

    def close_theirs(self) -> None:
        """All of the target is there: keys that too many records have say nothing, those that one side has neither."""
        run = self._database.execute
        run("CREATE INDEX their_by_key ON their_keys (key, kind)")
        run("CREATE INDEX their_by_id ON their_keys (id)")
        for kind, most in {**LIMITS, NAME: MOST_NAMED, PAGE: MOST_NAMED, GUID: 1}.items():
            common = "INSERT OR IGNORE INTO common SELECT key FROM {} WHERE kind = ? GROUP BY key HAVING count(*) > ?"
            run(common.format("our_keys"), (kind, most))
            if kind in LIMITS:
                run(common.format("their_keys"), (kind, most))
        run("ANALYZE")

    def candidates(self, after: int, limit: int = _CHUNK) -> list[tuple[Theirs, list[Partner]]]:
        """Records of the target that share something with the source, with their partners, by id."""
        rows = self._database.execute("SELECT * FROM theirs WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        return [(row, self._partners(row.id)) for row in (_theirs(found) for found in rows.fetchall())]

    def _partners(self, t: int) -> list[Partner]:
        shared: dict[int, list[Key]] = {}
        found = self._database.execute(
            "SELECT o.id, o.key, o.kind FROM their_keys t JOIN our_keys o ON o.key = t.key AND o.kind = t.kind "
            "WHERE t.id = ? AND t.kind <> 'said-title' AND t.key NOT IN (SELECT key FROM common) ORDER BY o.id, o.key",
            (t,),
        )
        for s, key, kind in found:
            shared.setdefault(s, []).append(Key(key, kind))
        best = sorted(shared, key=lambda s: (-_weight(shared[s]), s))[:MOST_PARTNERS]
        return [self._partner(s, shared[s]) for s in best]

    def _partner(self, s: int, keys: list[Key]) -> Partner:
        row = self._database.execute("SELECT live, title, signs FROM ours WHERE id = ?", (s,)).fetchone()
        return Partner(s, bool(row[0]), row[1], row[2], tuple(dict.fromkeys(keys)))

    def put_edges(self, edges: Iterable[Edge]) -> None:
        """Note which records may be one."""
        self._many("INSERT INTO edges VALUES (?, ?, ?, ?, ?)", edges)

    def put_apart(self, rows: Iterable[tuple[int, int, int]]) -> None:
        """Note which records people keep apart that would be one: source, target, number of the decision."""
        self._many("INSERT INTO apart VALUES (?, ?, ?)", rows)

    def assign(self) -> None:
        """Make pairs of the strongest edges, each record in one; a further partner at the target is a copy."""
        order = (
            "SELECT e.s, e.t, e.strength, e.rule, e.told FROM edges e JOIN ours o ON o.id = e.s "
            "JOIN theirs t ON t.id = e.t WHERE o.live + t.live > 0 "
            "ORDER BY o.live + t.live DESC, e.strength DESC, e.s, e.t"
        )
        for edge in self._database.execute(order).fetchall() if self._few_edges() else self._streamed(order):
            self._pair(Edge(*edge))

    def _few_edges(self) -> bool:
        return bool(self._database.execute("SELECT count(*) < 100000 FROM edges").fetchone()[0])

    def _streamed(self, order: str) -> Iterator[tuple[Any, ...]]:
        self._database.execute(f"CREATE TEMP TABLE ordered AS {order}")
        after = 0
        while rows := self._database.execute(
            "SELECT rowid, * FROM ordered WHERE rowid > ? ORDER BY rowid LIMIT ?", (after, 10_000)
        ).fetchall():
            after = rows[-1][0]
            yield from (row[1:] for row in rows)

    def _pair(self, edge: Edge) -> None:
        run = self._database.execute
        taken = run("SELECT 1 FROM pairs WHERE t = ?", (edge.t,)).fetchone()
        if taken or run("SELECT 1 FROM copies WHERE t = ?", (edge.t,)).fetchone():
            return
        if run("SELECT 1 FROM pairs WHERE s = ?", (edge.s,)).fetchone() is None:
            run("INSERT INTO pairs VALUES (?, ?, ?, ?, ?)", edge)
        elif edge.rule not in (PROBABLE, SURMISED):
            values = (edge.t, edge.s, edge.rule, edge.told)
            live = "SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM theirs WHERE id = ? AND live)"
            run(f"INSERT INTO copies {live}", (*values, edge.t))

    def pairs(self, after: int, limit: int = _CHUNK) -> list[tuple[int, int, str, str, bool, bool]]:
        """Source, target, rule, evidence and whether each side is listed today, by source."""
        found = self._database.execute(
            "SELECT p.s, p.t, p.rule, p.told, o.live, t.live FROM pairs p JOIN ours o ON o.id = p.s "
            "JOIN theirs t ON t.id = p.t WHERE p.s > ? ORDER BY p.s LIMIT ?",
            (after, limit),
        )
        return [(s, t, rule, told, bool(ours), bool(theirs)) for s, t, rule, told, ours, theirs in found]

    def copies(self, after: int, limit: int = _CHUNK) -> list[tuple[int, int, int, str, str, str]]:
        """Copy, source, the target record that counts, rule, evidence and the copy's other origins, by copy."""
        found = self._database.execute(
            "SELECT c.t, c.s, p.t, c.rule, c.told, t.origins FROM copies c JOIN pairs p ON p.s = c.s "
            "JOIN theirs t ON t.id = c.t WHERE c.t > ? ORDER BY c.t LIMIT ?",
            (after, limit),
        )
        return found.fetchall()

    def lone_ours(self, live: bool, after: int, limit: int = _CHUNK) -> list[int]:
        """Records of the source without a partner."""
        found = self._database.execute(
            "SELECT id FROM ours WHERE live = ? AND id > ? AND id NOT IN (SELECT s FROM pairs) ORDER BY id LIMIT ?",
            (live, after, limit),
        )
        return [number for (number,) in found]

    def lone_theirs(self, after: int, limit: int = _CHUNK) -> list[Theirs]:
        """Records of the target that were noted, and are neither in a pair nor copies."""
        found = self._database.execute(
            "SELECT * FROM theirs WHERE id > ? AND id NOT IN (SELECT t FROM pairs) "
            "AND id NOT IN (SELECT t FROM copies) ORDER BY id LIMIT ?",
            (after, limit),
        )
        return [_theirs(row) for row in found]

    def rows(self, statement: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """What a statement finds; for those who work out reasons."""
        yield from self._database.execute(statement, values).fetchall()

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Change something; for those who work out reasons."""
        self._database.execute(statement, values)

    def _many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        self._database.executemany(statement, values)


_WEIGHTS = {HAND: 1000, NAME: 100, PAGE: 90, GUID: 80, "id": 40, "url": 10}


def _weight(keys: Sequence[Key]) -> int:
    return sum(_WEIGHTS.get(key.kind, 1) for key in keys)


def _theirs(row: Sequence[Any]) -> Theirs:
    number, live, readable, claims, origins, signs, title = row
    return Theirs(number, bool(live), bool(readable), claims, origins, signs, title)
