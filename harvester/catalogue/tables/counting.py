"""What key figures are read from: what each dataset counts for, the sums, and what became of them by day and month."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table

from harvester.catalogue.tables.core import metadata, runs
from harvester.catalogue.types import Id, Instant, String

# The runs of a month are counted in this index alone.
Index("ix_runs_counted", runs.c.queued_at, runs.c.status, runs.c.source_id)


def _scope() -> Column[int]:
    # 0: the whole catalogue.  The numbers of a source that is removed go with its datasets.
    return Column("source_id", Id, nullable=False, autoincrement=False)


# The values that datasets are counted by: a dimension of harvester.figures.table, and one of its values.
figure_values = Table(
    "figure_values",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("dimension", Integer, nullable=False),
    Column("value", String(200), nullable=False),  # whatever its case; "": unknown
    Column("text", String(200), nullable=False),  # as it was first met
    Index("uq_figure_values_value", "dimension", "value", unique=True),
)

# What each dataset counts for now; kept when it is hidden, to tell coming back from coming.
figure_datasets = Table(
    "figure_datasets",
    metadata,
    Column("dataset_id", Id, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),  # its last entry in the change log that is counted
    Column("cells", LargeBinary, nullable=False),  # numbers of values, 32 bits each; empty: it is hidden
    Column("sources", LargeBinary, nullable=False),  # that list it; likewise
    Column("known", LargeBinary, nullable=False),  # in whose numbers it was ever counted, 0 for all
    Column("distributions", Integer, nullable=False),
    Column("month", Integer, nullable=False),  # 202611: when it was first in the catalogue; 0: it is no more
    Column("content", LargeBinary),  # a digest of its files; null: never shown since there are figures
    Column("content_day", Integer),  # since 1970, when they were seen to change; null: never
)

figure_numbers = Table(
    "figure_numbers",
    metadata,
    _scope(),
    Column("value_id", Id, nullable=False, autoincrement=False),
    Column("dimension", Integer, nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "value_id"),
    # The most frequent values are the last ones of a stretch of this index.
    Index("ix_figure_numbers_most", "source_id", "dimension", "number", "value_id"),
    sqlite_with_rowid=False,
)

# By how much each number changed in a month (202611) and on a day (20261122): what it was then follows from today's.
figure_periods = Table(
    "figure_periods",
    metadata,
    _scope(),
    Column("period", Integer, nullable=False, autoincrement=False),
    Column("value_id", Id, nullable=False, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "period", "value_id"),
    sqlite_with_rowid=False,
)

# How many datasets came and went in a month; nothing that is cleaned away later is needed to tell.
figure_months = Table(
    "figure_months",
    metadata,
    _scope(),
    Column("month", Integer, nullable=False, autoincrement=False),
    Column("created", BigInteger, nullable=False),
    Column("restored", BigInteger, nullable=False),
    Column("retired", BigInteger, nullable=False),
    Column("joined", BigInteger, nullable=False),  # to another dataset
    PrimaryKeyConstraint("source_id", "month"),
)

# Which datasets promise to be updated how often, by the day they last were: the worst come first.
figure_promises = Table(
    "figure_promises",
    metadata,
    _scope(),
    Column("frequency", Integer, nullable=False, autoincrement=False),
    Column("day", Integer, nullable=False, autoincrement=False),  # since 1970; 0: nothing tells
    Column("dataset_id", Id, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("source_id", "frequency", "day", "dataset_id"),
    sqlite_with_rowid=False,
)

# The runs that are forgotten, by the month in which they were queued.
figure_runs = Table(
    "figure_runs",
    metadata,
    Column("source_id", Id, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False, autoincrement=False),
    Column("month", Integer, nullable=False, autoincrement=False),
    Column("status", String(20), nullable=False),
    Column("number", BigInteger, nullable=False),
    PrimaryKeyConstraint("source_id", "month", "status"),
)

figure_marks = Table(
    "figure_marks",
    metadata,
    Column("name", String(20), primary_key=True),  # begun: when counting began
    Column("at", Instant, nullable=False),
)
