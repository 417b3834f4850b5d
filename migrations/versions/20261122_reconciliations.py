"""Verdicts on whether everything arrived, kept over time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from harvester.catalogue.types import Id, Instant, String, Text

revision = "reconciliations"
down_revision = "agents"
branch_labels = None
depends_on = None

_LIVE = sa.text("status IN ('queued', 'running')")
_SIDES = ("source_id", "target_id")


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "reconciliations",
        sa.Column("id", Id, nullable=False),
        sa.Column("source_id", Id, nullable=False),
        sa.Column("target_id", Id, nullable=False),
        sa.Column("status", String(20), nullable=False),
        sa.Column("queued_at", Instant, nullable=False),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("heartbeat_at", Instant),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("stage", String(20)),
        sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("total", sa.BigInteger),
        sa.Column("counts", sa.JSON(none_as_null=True)),
        sa.Column("previous_id", Id),
        sa.Column("kept", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("asked_by", String(100)),
        sa.Column("message", Text),
        sa.PrimaryKeyConstraint("id", name="pk_reconciliations"),
        *(
            sa.ForeignKeyConstraint(
                [side], ["sources.id"], name=f"fk_reconciliations_{side}_sources", ondelete="CASCADE"
            )
            for side in _SIDES
        ),
    )
    op.create_index("ix_reconciliations_source_id_target_id_id", "reconciliations", ["source_id", "target_id", "id"])
    op.create_index("ix_reconciliations_target_id", "reconciliations", ["target_id"])
    op.create_index(
        "uq_reconciliations_live",
        "reconciliations",
        list(_SIDES),
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    _add_verdicts()


def _add_verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("reconciliation_id", Id, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("verdict", String(12), nullable=False),
        sa.Column("reason", String(30)),
        sa.Column("mark", sa.LargeBinary(16), nullable=False),
        sa.Column("was", String(12)),
        sa.Column("source_record_id", Id),
        sa.Column("target_record_id", Id),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("reconciliation_id", "number", name="pk_verdicts"),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"],
            ["reconciliations.id"],
            name="fk_verdicts_reconciliation_id_reconciliations",
            ondelete="CASCADE",
        ),
    )
    for columns in (("reconciliation_id", "verdict", "number"), ("reconciliation_id", "mark")):
        op.create_index(f"ix_verdicts_{'_'.join(columns)}", "verdicts", list(columns))


def downgrade() -> None:
    """Take them away."""
    op.drop_table("verdicts")
    op.drop_table("reconciliations")
