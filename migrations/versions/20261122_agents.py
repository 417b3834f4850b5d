"""What datasets of several records show, which of these is the original, and publishers, each one agent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "agents"
down_revision = "clusters"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ACTIVE = sa.text("status = 'active'")


def upgrade() -> None:
    """Add them; until a record comes again or is gone over, it has no role."""
    op.add_column("records", sa.Column("role", sa.String(12)))
    op.add_column("records", sa.Column("origin", sa.Text()))
    op.create_index("ix_records_role", "records", ["source_id", "role"], sqlite_where=ACTIVE, postgresql_where=ACTIVE)
    op.create_table(
        "merged",
        sa.Column("dataset_id", ID, autoincrement=False, nullable=False),
        sa.Column("dataset", sa.LargeBinary()),
        sa.Column("told", sa.LargeBinary(), nullable=False),
        sa.Column("original_id", ID),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_merged")),
    )
    _agents()
    _known_by()


def _agents() -> None:
    op.create_table(
        "agents",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("named_by", sa.String(100)),
        sa.Column("names", sa.JSON(), nullable=False),
        sa.Column("identifiers", sa.JSON(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(), nullable=False),
        sa.Column("merged_into_id", ID),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("key", name=op.f("uq_agents_key")),
    )
    op.create_table(
        "agent_names",
        sa.Column("id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(16), nullable=False),
        sa.Column("agent_id", ID),
        sa.Column("source", sa.String(100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("face", sa.JSON(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(), nullable=False),
        sa.Column("pin", sa.String(33)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_names")),
        sa.UniqueConstraint("digest", name=op.f("uq_agent_names_digest")),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_names_agent_id_agents")),
    )
    op.create_index(op.f("ix_agent_names_agent_id"), "agent_names", ["agent_id"])


def _known_by() -> None:
    op.create_table(
        "agent_keys",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("name_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("key", "name_id", name=op.f("pk_agent_keys")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "published",
        sa.Column("dataset_id", ID, autoincrement=False, nullable=False),
        sa.Column("name_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name=op.f("pk_published")),
    )
    op.create_index(op.f("ix_published_name_id"), "published", ["name_id"])
    op.create_table(
        "agent_decisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("by", sa.String(100), nullable=False),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("name_id", ID),
        sa.Column("agent_key", sa.String(32), nullable=False),
        sa.Column("text", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_decisions")),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("agent_decisions", "published", "agent_keys", "agent_names", "agents", "merged"):
        op.drop_table(table)
    op.drop_index("ix_records_role", table_name="records")
    for column in ("origin", "role"):
        op.drop_column("records", column)
