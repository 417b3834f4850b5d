"""What tells records together or apart, and what people decided about it.

Records that are there already stay in their datasets; they get their signs, and are judged, by `harvester identity
update`, which the services and every run do for those that have none.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "clusters"
down_revision = "followers"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add them."""
    _signs()
    _links()
    _decisions()
    op.drop_table("match_keys")


def downgrade() -> None:
    """Take them away; the keys of records that are there come back when these change."""
    for table in ("decided", "decisions", "links", "crowded", "blocks", "signs"):
        op.drop_table(table)
    op.create_table(
        "match_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        _record("match_keys", "record_id"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_match_keys_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key", "source_id", "record_id", name=op.f("pk_match_keys")),
    )
    op.create_index(op.f("ix_match_keys_record_id"), "match_keys", ["record_id"])


def _signs() -> None:
    op.create_table(
        "signs",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("keyed", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _record("signs", "record_id"),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_signs")),
    )
    op.create_table(
        "blocks",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", "record_id", name=op.f("pk_blocks")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "crowded",
        sa.Column("key", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("holders", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_crowded")),
    )


def _links() -> None:
    op.create_table(
        "links",
        sa.Column("a", ID, autoincrement=False, nullable=False),
        sa.Column("b", ID, autoincrement=False, nullable=False),
        sa.Column("decision", sa.String(10), nullable=False),
        sa.Column("rule", sa.String(60), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        _record("links", "a"),
        _record("links", "b"),
        sa.PrimaryKeyConstraint("a", "b", name=op.f("pk_links")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_links_b"), "links", ["b"])
    op.create_index(op.f("ix_links_decision_a_b"), "links", ["decision", "a", "b"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("who", sa.String(200), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("undone_at", sa.DateTime()),
        sa.Column("undone_by", sa.String(200)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_table(
        "decided",
        sa.Column("decision_id", ID, nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("name", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decisions.id"], name=op.f("fk_decided_decision_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("decision_id", "name", name=op.f("pk_decided")),
    )
    op.create_index(op.f("ix_decided_name"), "decided", ["name"])


def _record(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], ["records.id"], name=name, ondelete="CASCADE")
