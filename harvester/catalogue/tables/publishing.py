"""What datasets of several records show, and who publishes them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
)

from harvester.catalogue.tables.core import metadata
from harvester.catalogue.types import Id, Instant, String, Text

# Only datasets with two or more active records have a row: the others show what their record says.
merged = Table(
    "merged",
    metadata,
    Column("dataset_id", Id, primary_key=True, autoincrement=False),
    Column("dataset", LargeBinary),  # as in `documents`; null: the record shown says all of it
    Column("told", LargeBinary, nullable=False),  # JSON, compressed: field -> record, record -> why it is what it is
    Column("original_id", Id),  # the original record; null: it is not among the records
    Column("reason", Text, nullable=False),
    Column("rules", Integer, nullable=False),  # the version of the rules that made it
)

# Who publishes, each once: foaf:Agent.
agents = Table(
    "agents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", String(32), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("named_by", String(100)),  # who chose the name; null: the rules did
    Column("names", JSON, nullable=False),  # by language
    Column("identifiers", JSON, nullable=False),  # registered numbers: list of [scheme, number]
    Column("first_seen_at", Instant, nullable=False),
    Column("merged_into_id", Id),  # null: it stands for itself
)

# How portals show publishers: a face of an agent.
agent_names = Table(
    "agent_names",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False, unique=True),
    Column("agent_id", Id, ForeignKey("agents.id")),  # null: only until the transaction ends
    Column("source", String(100), nullable=False),
    Column("text", Text, nullable=False),
    Column("folded", Text, nullable=False),  # what is searched
    Column("face", JSON, nullable=False),
    Column("first_seen_at", Instant, nullable=False),
    Column("pin", String(33)),  # the key of the agent a person gave it to, "-" before it: none; null: nobody did
    Index(None, "agent_id"),
)

# Under which keys faces find each other.
agent_keys = Table(
    "agent_keys",
    metadata,
    Column("key", BigInteger, nullable=False),
    Column("name_id", Id, nullable=False),
    PrimaryKeyConstraint("key", "name_id"),
    sqlite_with_rowid=False,
)

# Under which name each visible dataset is published.
published = Table(
    "published",
    metadata,
    Column("dataset_id", Id, primary_key=True, autoincrement=False),
    Column("name_id", Id, nullable=False),
    Index(None, "name_id"),
)

# What people decided about publishers.
agent_decisions = Table(
    "agent_decisions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("by", String(100), nullable=False),
    Column("action", String(10), nullable=False),  # map, unmap, release, name
    Column("name_id", Id),  # null: it is about the whole agent
    Column("agent_key", String(32), nullable=False),
    Column("text", Text),  # the name given; null: none was
)
