"""Verdicts on whether everything arrived, kept over time."""

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
    text,
)

from harvester.catalogue.tables.core import metadata
from harvester.catalogue.types import Id, Instant, String, Text

_LIVE = text("status IN ('queued', 'running')")

# One comparison of a source with a target, with the state of both.  The counts stay when the verdicts are let go.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("target_id", Id, ForeignKey("sources.id", ondelete="CASCADE"), nullable=False),
    Column("status", String(20), nullable=False),  # queued, running, succeeded, failed, cancelled
    Column("queued_at", Instant, nullable=False),
    Column("started_at", Instant),  # null: not begun
    Column("ended_at", Instant),  # null: queued or running
    Column("heartbeat_at", Instant),  # null: never begun
    Column("attempt", Integer, nullable=False, default=0, server_default="0"),  # only the latest one may write
    Column("stage", String(20)),  # what is being done; null: nothing
    Column("done", BigInteger, nullable=False, default=0, server_default="0"),  # records gone over in this stage
    Column("total", BigInteger),  # of this stage; null: unknown
    Column("counts", JSON(none_as_null=True)),  # verdict -> number, reason -> number, of each side; null: not ended
    Column("previous_id", Id),  # the one it is compared with; null: it is the first
    Column("kept", BigInteger, nullable=False, default=0, server_default="0"),  # rows in `verdicts`; 0: let go
    Column("asked_by", String(100)),  # null: the command line
    Column("message", Text),  # null: nothing to say
    Index(None, "source_id", "target_id", "id"),
    Index(None, "target_id"),
    Index(
        "uq_reconciliations_live",
        "source_id",
        "target_id",
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    ),
)

# One row a record, a pair or a copy; records of the target from elsewhere are counted alone.
verdicts = Table(
    "verdicts",
    metadata,
    Column("reconciliation_id", Id, ForeignKey("reconciliations.id", ondelete="CASCADE"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("verdict", String(12), nullable=False),
    Column("reason", String(30)),  # null: the verdict says it all
    Column("mark", LargeBinary(16), nullable=False),  # the same for the same record in every reconciliation
    Column("was", String(12)),  # its verdict last time; null: it was not there
    Column("source_record_id", Id),  # null: nothing of the source stands for it
    Column("target_record_id", Id),  # null: nothing of the target stands for it
    Column("body", LargeBinary, nullable=False),  # JSON, compressed: titles, addresses, dates, fields, evidence
    PrimaryKeyConstraint("reconciliation_id", "number"),
    Index(None, "reconciliation_id", "verdict", "number"),
    Index(None, "reconciliation_id", "mark"),
)
