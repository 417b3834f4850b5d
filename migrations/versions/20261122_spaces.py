"""Spaces, and the indexes that exports need: by IRI, by change, by the dataset that took another in; of the visible."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "spaces"
down_revision = "provenance"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
VISIBLE = sa.text("retired_at IS NULL AND record_id IS NOT NULL AND merged_into_id IS NULL")
# A hash index takes an IRI of any length.
# An IRI names one dataset: of those that were given the same one, the first keeps it.
SHARED = sa.text("""
    UPDATE datasets SET iri = NULL
    WHERE iri IS NOT NULL AND EXISTS (
        SELECT 1 FROM datasets AS first WHERE first.iri = datasets.iri AND first.id < datasets.id
    )
""")
INDEXED = {"iri": "hash", "changed_at": "btree", "merged_into_id": "btree"}


def upgrade() -> None:
    op.create_table(
        "spaces",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.JSON(), nullable=False),
        sa.Column("description", sa.JSON(), nullable=False),
        sa.Column("q", sa.Text(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spaces")),
        sa.UniqueConstraint("name", name=op.f("uq_spaces_name")),
    )
    for column, kind in INDEXED.items():
        op.create_index(op.f(f"ix_datasets_{column}"), "datasets", [column], postgresql_using=kind)
    op.get_bind().execute(SHARED)
    op.create_index("ix_datasets_visible", "datasets", ["id"], sqlite_where=VISIBLE, postgresql_where=VISIBLE)


def downgrade() -> None:
    op.drop_index("ix_datasets_visible", "datasets")
    for column in reversed(INDEXED):
        op.drop_index(op.f(f"ix_datasets_{column}"), "datasets")
    op.drop_table("spaces")
