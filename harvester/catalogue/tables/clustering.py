"""What tells records together or apart, and what people decided about it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from harvester.catalogue.tables.core import metadata
from harvester.catalogue.types import Id, Instant, String, Text


def _record(name: str) -> Column[int]:
    return Column(name, Id, ForeignKey("records.id", ondelete="CASCADE"), nullable=False, autoincrement=False)


# What judging a record needs; one without a row takes no part yet: it was there before there were signs, or what it
# said is forgotten.  It stays in the dataset where it is.
signs = Table(
    "signs",
    metadata,
    Column("record_id", Id, ForeignKey("records.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("rules", Integer, nullable=False),  # the version of the rules that made them
    Column("keyed", LargeBinary, nullable=False),  # its rows of `blocks`, with their kinds
    Column("body", LargeBinary, nullable=False),  # empty: nothing is known but who said it
)

# Under which keys partners are found.  No index by record: `signs.keyed` names the rows of each.
blocks = Table(
    "blocks",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("record_id", Id, nullable=False),
    PrimaryKeyConstraint("key", "record_id"),
    sqlite_with_rowid=False,
)

# Keys that more records have than their kind allows: they say nothing, and their holders are never read.
crowded = Table(
    "crowded",
    metadata,
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("holders", BigInteger, nullable=False),
)

# Pairs of records that are judged to be more than different.
links = Table(
    "links",
    metadata,
    _record("a"),
    _record("b"),
    Column("decision", String(10), nullable=False),  # same, probable, related
    Column("rule", String(60), nullable=False),
    Column("rules", Integer, nullable=False),  # the version of the rules that judged
    Column("score", Float, nullable=False),
    Column("evidence", LargeBinary, nullable=False),  # JSON, compressed: sentences
    PrimaryKeyConstraint("a", "b"),
    Index(None, "b"),
    Index(None, "decision", "a", "b"),
    sqlite_with_rowid=False,
)

# What people decided; it outlives records and sources, and every change of the rules.  The latest one wins.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(10), nullable=False),  # join, split, pin
    Column("who", String(200), nullable=False),
    Column("why", Text),  # null: no reason was given
    Column("at", Instant, nullable=False),
    Column("undone_at", Instant),  # null: it holds
    Column("undone_by", String(200)),  # null: it holds
)

# Of which records, by the names that outlive their rows: one dataset all of them, or the first side apart from the
# second.
decided = Table(
    "decided",
    metadata,
    Column("decision_id", Id, ForeignKey("decisions.id", ondelete="CASCADE"), nullable=False),
    Column("side", Integer, nullable=False),  # 0, or 1 for those that the others are apart from
    Column("source", String(100), nullable=False),
    Column("guid", Text, nullable=False),
    Column("name", BigInteger, nullable=False),  # a hash of source and guid, which may be longer than an index takes
    PrimaryKeyConstraint("decision_id", "name"),
    Index(None, "name"),
)
