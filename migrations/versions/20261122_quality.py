"""Scores of the metadata quality assessment, kept over time.

Datasets that are there already are assessed by what follows the change log: it goes over all of them first.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "quality"
down_revision = "reconciliations"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "assessments",
        sa.Column("source_id", ID, nullable=False),
        sa.Column("pattern", sa.BigInteger(), nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("parts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "pattern", "dataset_id", name=op.f("pk_assessments")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_assessments_dataset_id"), "assessments", ["dataset_id"])
    op.create_table(
        "assessed",
        sa.Column("source_id", ID, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("pattern", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "kind", "pattern", name=op.f("pk_assessed")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quality_due",
        sa.Column("id", ID, nullable=False),
        sa.Column("dataset_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_due")),
    )
    op.create_table(
        "quality_days",
        sa.Column("source_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("datasets", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "day", name=op.f("pk_quality_days")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("quality_days", "quality_due", "assessed"):
        op.drop_table(table)
    op.drop_index(op.f("ix_assessments_dataset_id"), table_name="assessments")
    op.drop_table("assessments")
