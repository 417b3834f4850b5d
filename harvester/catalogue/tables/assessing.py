"""Scores of the metadata quality assessment, kept over time."""

from sqlalchemy import JSON, BigInteger, Column, Date, Index, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table

from harvester.catalogue.tables.core import metadata
from harvester.catalogue.types import Id

# What each visible dataset meets, once for every source that lists it and once, as source 0, for the whole catalogue.
assessments = Table(
    "assessments",
    metadata,
    Column("source_id", Id, nullable=False),  # 0: the whole catalogue
    Column("pattern", BigInteger, nullable=False),  # harvester.quality.mqa.Score.pattern
    Column("dataset_id", Id, nullable=False),
    Column("parts", LargeBinary, nullable=False),  # the patterns of its distributions
    PrimaryKeyConstraint("source_id", "pattern", "dataset_id"),
    Index(None, "dataset_id"),
    sqlite_with_rowid=False,
)

# How many datasets and distributions of a source have a pattern: what every aggregate is computed from.
assessed = Table(
    "assessed",
    metadata,
    Column("source_id", Id, nullable=False),  # 0: the whole catalogue
    Column("kind", SmallInteger, nullable=False),  # 0: datasets, 1: distributions
    Column("pattern", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "kind", "pattern"),
    sqlite_with_rowid=False,
)

# Datasets whose links answered otherwise than before, to be assessed again; a row for each time it is noticed.
quality_due = Table(
    "quality_due",
    metadata,
    Column("id", Id, primary_key=True),
    Column("dataset_id", Id, nullable=False),
)

# The scores of a source at the end of each day on which they changed.
quality_days = Table(
    "quality_days",
    metadata,
    Column("source_id", Id, nullable=False),  # 0: the whole catalogue
    Column("day", Date, nullable=False),
    Column("datasets", BigInteger, nullable=False),
    Column("points", JSON, nullable=False),  # rule -> dimension -> points
    PrimaryKeyConstraint("source_id", "day"),
    sqlite_with_rowid=False,
)
