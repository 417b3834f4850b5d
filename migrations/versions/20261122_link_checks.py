"""Addresses of distributions, each checked once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "link_checks"
down_revision = "quality"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FAULTY = sa.text("severity IS NOT NULL")


def upgrade() -> None:
    """Add them."""
    _links()
    _uses()
    _states()
    _queue()


def downgrade() -> None:
    """Take them away."""
    for table in ("link_totals", "link_hosts", "link_datasets", "link_uses", "addresses"):
        op.drop_table(table)


def _links() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("fault", sa.String(20)),
        sa.Column("status", sa.Integer()),
        sa.Column("head_status", sa.Integer()),
        sa.Column("checked_at", sa.DateTime()),
        sa.Column("next_check_at", sa.DateTime()),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", sa.DateTime()),
        sa.Column("since", sa.DateTime()),
        sa.Column("target", sa.Text()),
        sa.Column("media_type", sa.String(200)),
        sa.Column("length", sa.BigInteger()),
        sa.Column("format", sa.String(40)),
        sa.Column("etag", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
    )
    op.create_index("ix_addresses_host_next_check_at", "addresses", ["host", "next_check_at"])
    op.create_index("ix_addresses_state_id", "addresses", ["state", "id"])


def _uses() -> None:
    op.create_table(
        "link_uses",
        sa.Column("record_id", _ID, nullable=False),
        sa.Column("link_id", sa.BigInteger(), nullable=False),
        sa.Column("dataset_id", _ID, nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("declared", sa.String(100), nullable=False),
        sa.Column("promised", sa.Boolean(), nullable=False),
        sa.Column("severity", sa.String(10)),
        sa.Column("fault", sa.String(20)),
        sa.PrimaryKeyConstraint("record_id", "link_id", name="pk_link_uses"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_link_uses_link_id", "link_uses", ["link_id"])
    op.create_index("ix_link_uses_dataset_id", "link_uses", ["dataset_id"])
    op.create_index("ix_link_uses_source_id_link_id", "link_uses", ["source_id", "link_id"])
    columns = ["source_id", "record_id", "link_id"]
    op.create_index("ix_link_uses_faulty", "link_uses", columns, sqlite_where=_FAULTY, postgresql_where=_FAULTY)


def _states() -> None:
    op.create_table(
        "link_datasets",
        sa.Column("dataset_id", _ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", name="pk_link_datasets"),
    )
    op.create_index("ix_link_datasets_seq", "link_datasets", ["seq"])
    op.create_table(
        "link_totals",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_link_totals"),
    )


def _queue() -> None:
    op.create_table(
        "link_hosts",
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("next_at", sa.DateTime()),
        sa.Column("not_before", sa.DateTime()),
        sa.Column("claim", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("worker", sa.String(200)),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", sa.DateTime()),
        sa.Column("hour_at", sa.DateTime()),
        sa.Column("hour_count", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("host", name="pk_link_hosts"),
    )
    op.create_index("ix_link_hosts_next_at", "link_hosts", ["next_at"])
