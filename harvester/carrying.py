"""Which new identifier stands for which old one, when a source names the same datasets anew.

Two records are paired by evidence, one to one: the same title, and a link to the same data that nothing else of that
title has; or a title that is theirs alone, with links or a description that differ by identifiers only.  Datasets of
a series, whose years differ, are never paired; what stays ambiguous is left as it is.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import unquote

from harvester.fields.languages import preferred
from harvester.model import Dataset
from harvester.vocabularies.text import fold

# What portals mint identifiers of, so that it differs where nothing else does: UUIDs, hashes, long numbers.
_MINTED = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-z])[0-9a-f]{16,}|\d{6,}")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*://(?:www\.)?")
# A shorter description may be the portal's own phrase for "none"; a shorter name may be part of any address.
_TELLING = 40
_SHORTEST_NAME = 4
_MOST_LINKS = 60

# Kinds of evidence, the strongest first.
_RECORD, _LINK, _SHAPE, _TEXT = range(4)

_TABLES = """
CREATE TABLE side (id INTEGER PRIMARY KEY, new INT, at REAL, title INT, publisher INT, years TEXT, links INT,
    content INT, partner INT);
CREATE TABLE token (kind INT, heading INT, value INT, new INT, id INT,
    PRIMARY KEY (kind, heading, value, new, id)) WITHOUT ROWID;
CREATE TABLE found (old INT, new INT, PRIMARY KEY (old, new)) WITHOUT ROWID;
CREATE INDEX found_new ON found (new);
CREATE TABLE chosen (old INTEGER PRIMARY KEY, new INT UNIQUE);
CREATE TABLE other (title INTEGER PRIMARY KEY);
"""
_INDEXES = ("CREATE INDEX side_title ON side (title)", "CREATE INDEX side_content ON side (content, new, id)")
# What one old and one new record have under the same heading, and no other record of either side.
_SHARED = """
SELECT o.id, n.id, o.years, n.years FROM (
    SELECT max(CASE WHEN new = 0 THEN id END) AS old_id, max(CASE WHEN new = 1 THEN id END) AS new_id
    FROM token WHERE kind = ? GROUP BY heading, value HAVING count(*) = 2 AND sum(new) = 1
) JOIN side o ON o.id = old_id JOIN side n ON n.id = new_id
WHERE o.partner IS NULL AND n.partner IS NULL AND o.at < n.at
"""
_LONE = """
  AND (SELECT count(*) FROM side s WHERE s.title = o.title) = 2
  AND NOT EXISTS (SELECT 1 FROM other WHERE other.title = o.title)
  AND (o.publisher = n.publisher OR o.publisher IS NULL OR n.publisher IS NULL)
"""
_ONE_TO_ONE = """
SELECT old, new FROM found f
WHERE NOT EXISTS (SELECT 1 FROM found a WHERE a.old = f.old AND a.new <> f.new)
  AND NOT EXISTS (SELECT 1 FROM found b WHERE b.new = f.new AND b.old <> f.old)
"""
# Records that nothing tells apart, as many old as new: whichever is paired with whichever, it is true.
_ALIKE = """
WITH free AS (
    SELECT id, new, at, content, row_number() OVER (PARTITION BY content, new ORDER BY id) AS place
    FROM side WHERE partner IS NULL AND content IS NOT NULL)
SELECT o.id, n.id FROM free o JOIN free n ON n.content = o.content AND n.place = o.place AND o.new = 0 AND n.new = 1
WHERE o.content IN (
    SELECT content FROM free GROUP BY content HAVING count(*) = 2 * sum(new)
    AND max(CASE WHEN new = 0 THEN at END) < min(CASE WHEN new = 1 THEN at END))
"""


@dataclass(frozen=True, slots=True)
class Traits:
    """What tells one dataset of a source from another, whatever its identifier is.

    `addresses` are those of its data as they stand, `links` the same without its identifier.
    """

    title: str
    publisher: str
    addresses: tuple[str, ...]
    links: tuple[str, ...]
    shapes: tuple[str, ...]
    text: str
    years: str

    @property
    def content(self) -> str | None:
        """Everything in one text; None where there is nothing but a title and links that hold the identifier."""
        if not self.text and not any("*" not in link for link in self.links):
            return None
        return "\n".join([self.title, self.publisher, self.text, self.years, *self.links])


class Side(NamedTuple):
    """A record that vanished, or one that came: `at` is when the one was seen last, or the other first.

    `same_as` is the record that had its identifier before, else itself.
    """

    record_id: int
    same_as: int
    at: datetime
    traits: Traits


def traits(dataset: Dataset, guid: str) -> Traits:
    """The traits of the dataset of a record; its own identifier is no part of them, wherever it stands."""
    data = sorted({url for d in dataset.distribution for url in (*d.download_url, *d.access_url)})[:_MOST_LINKS]
    own = _SCHEME.sub("", guid.lower()).rstrip("/").rpartition("/")[2]
    addresses = links = [_plain(url) for url in data]
    if len(own) >= _SHORTEST_NAME:
        links = [link.replace(own, "*") for link in links]
    text = fold(preferred(dataset.description) or "")
    publisher = dataset.publisher and preferred(dataset.publisher.name)
    return Traits(
        title=fold(preferred(dataset.title) or ""),
        publisher=fold(publisher or ""),
        addresses=tuple(sorted(set(addresses))),
        links=tuple(sorted(set(links))),
        shapes=tuple(sorted({_MINTED.sub("*", link.partition("?")[0]) for link in links})),
        text=text if len(text) >= _TELLING else "",
        years=_years(dataset, links),
    )


def carried(old: Iterable[Side], new: Iterable[Side], others: Callable[[], Iterable[str]]) -> Iterator[tuple[int, int]]:
    """Pairs of record ids, old and new; `others` gives the titles of the records that neither came nor vanished.

    Both sides are streamed into a temporary database on disk, so that memory does not grow with them.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.executescript(_TABLES)
        database.execute("BEGIN")
        for number, side in enumerate((old, new)):
            for one in side:
                _note(database, one, number)
        for statement in _INDEXES:
            database.execute(statement)
        _pair(database, _RECORD, "", lambda before, after: True)
        _pair(database, _LINK, "", _overlapping)
        _mark(database, _ALIKE)
        _pair_lone(database, others)
        yield from database.execute("SELECT id, partner FROM side WHERE new = 0 AND partner IS NOT NULL ORDER BY id")


def _note(database: sqlite3.Connection, one: Side, new: int) -> None:
    known = one.traits
    title = _number(known.title) if known.title else None
    tokens = [(_RECORD, 0, one.same_as)]
    if title is not None:
        # As it stands: an address that holds the old identifier may outlive it, and without it is alike for all.
        tokens += [(_LINK, title, _number(address)) for address in known.addresses]
        tokens += [(_SHAPE, title, _number(shape)) for shape in known.shapes]
        tokens += [(_TEXT, title, _number(known.text))] if known.text else []
    publisher = _number(known.publisher) if known.publisher else None
    content = _number(known.content) if title is not None and known.content else None
    row = (one.record_id, new, one.at.timestamp(), title, publisher, known.years, len(known.links), content)
    database.execute("INSERT OR IGNORE INTO side VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", row)
    rows = [(*token, new, one.record_id) for token in tokens]
    database.executemany("INSERT OR IGNORE INTO token VALUES (?, ?, ?, ?, ?)", rows)


def _pair(database: sqlite3.Connection, kind: int, more: str, fits: Callable[[set[str], set[str]], bool]) -> None:
    """Pair what shares evidence of a kind with one record of the other side alone."""
    database.execute("DELETE FROM found")
    rows = database.execute(_SHARED + more, (kind,))
    pairs = ((old, new) for old, new, before, after in rows if fits(set(before.split()), set(after.split())))
    database.executemany("INSERT OR IGNORE INTO found VALUES (?, ?)", pairs)
    _mark(database, _ONE_TO_ONE)


def _pair_lone(database: sqlite3.Connection, others: Callable[[], Iterable[str]]) -> None:
    """Pair records whose title nobody else has: by data that lies alike, or, without links, by description."""
    lone = "SELECT 1 FROM side WHERE new = 0 AND partner IS NULL AND title IS NOT NULL LIMIT 1"
    if database.execute(lone).fetchone() is None:
        return
    keep = "INSERT OR IGNORE INTO other SELECT title FROM side WHERE title = ? LIMIT 1"
    database.executemany(keep, ((_number(fold(title)),) for title in others()))
    _pair(database, _SHAPE, _LONE, _equal)
    _pair(database, _TEXT, f"{_LONE} AND (o.links = 0 OR n.links = 0)", _equal)


def _mark(database: sqlite3.Connection, statement: str) -> None:
    """Note the pairs that a statement chooses, on both sides."""
    database.execute("DELETE FROM chosen")
    database.execute(f"INSERT INTO chosen {statement}")
    for mine, other in (("old", "new"), ("new", "old")):
        partner = f"(SELECT {other} FROM chosen WHERE {mine} = side.id)"
        database.execute(f"UPDATE side SET partner = {partner} WHERE id IN (SELECT {mine} FROM chosen)")


def _overlapping(before: set[str], after: set[str]) -> bool:
    return not before or not after or bool(before & after)


def _equal(before: set[str], after: set[str]) -> bool:
    return not before or not after or before == after


def _years(dataset: Dataset, links: list[str]) -> str:
    """The years that its files and period name, which tell the datasets of a series apart."""
    said: list[Any] = [link.rpartition("/")[2] for link in links]
    said += [text for distribution in dataset.distribution[:_MOST_LINKS] for text in distribution.title.values()]
    said += [end for period in dataset.temporal for end in (period.start, period.end)]
    return " ".join(sorted({year for text in said if text for year in _YEAR.findall(str(text))}))


def _plain(url: str) -> str:
    """An address as it is compared: without scheme, case and final slash, percent-encoded or not."""
    return _SCHEME.sub("", unquote(url).lower()).rstrip("/")


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)
