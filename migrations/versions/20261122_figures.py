"""What key figures are read from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "figures"
down_revision = "link_checks"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TABLES = (
    "figure_marks", "figure_runs", "figure_promises", "figure_months", "figure_periods", "figure_numbers",
    "figure_datasets", "figure_values",
)  # fmt: skip


def upgrade() -> None:
    """Add them."""
    op.create_index("ix_runs_counted", "runs", ["queued_at", "status", "source_id"])
    _datasets()
    _numbers()
    _months()
    _runs()


def downgrade() -> None:
    """Take them away."""
    for table in _TABLES:
        op.drop_table(table)
    op.drop_index("ix_runs_counted", "runs")


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, _ID, nullable=False, autoincrement=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, autoincrement=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _datasets() -> None:
    op.create_table(
        "figure_values",
        _key("id"),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.Column("text", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_figure_values"),
    )
    op.create_index("uq_figure_values_value", "figure_values", ["dimension", "value"], unique=True)
    op.create_table(
        "figure_datasets",
        _key("dataset_id"),
        _number("seq"),
        sa.Column("cells", sa.LargeBinary(), nullable=False),
        sa.Column("sources", sa.LargeBinary(), nullable=False),
        sa.Column("known", sa.LargeBinary(), nullable=False),
        sa.Column("distributions", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("content_day", sa.Integer()),
        sa.PrimaryKeyConstraint("dataset_id", name="pk_figure_datasets"),
    )


def _numbers() -> None:
    op.create_table(
        "figure_numbers",
        _key("source_id"),
        _key("value_id"),
        sa.Column("dimension", sa.Integer(), nullable=False),
        _number("number"),
        sa.PrimaryKeyConstraint("source_id", "value_id", name="pk_figure_numbers"),
        sqlite_with_rowid=False,
    )
    most = ["source_id", "dimension", "number", "value_id"]
    op.create_index("ix_figure_numbers_most", "figure_numbers", most)
    op.create_table(
        "figure_periods",
        _key("source_id"),
        _whole("period"),
        _key("value_id"),
        _number("number"),
        sa.PrimaryKeyConstraint("source_id", "period", "value_id", name="pk_figure_periods"),
        sqlite_with_rowid=False,
    )


def _months() -> None:
    kinds = [_number(name) for name in ("created", "restored", "retired", "joined")]
    key = sa.PrimaryKeyConstraint("source_id", "month", name="pk_figure_months")
    op.create_table("figure_months", _key("source_id"), _whole("month"), *kinds, key)
    op.create_table(
        "figure_promises",
        _key("source_id"),
        _whole("frequency"),
        _whole("day"),
        _key("dataset_id"),
        sa.PrimaryKeyConstraint("source_id", "frequency", "day", "dataset_id", name="pk_figure_promises"),
        sqlite_with_rowid=False,
    )


def _runs() -> None:
    op.create_table(
        "figure_runs",
        _key("source_id"),
        _whole("month"),
        sa.Column("status", sa.String(20), nullable=False),
        _number("number"),
        sa.PrimaryKeyConstraint("source_id", "month", "status", name="pk_figure_runs"),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name="fk_figure_runs_source_id_sources", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "figure_marks",
        sa.Column("name", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_figure_marks"),
    )
