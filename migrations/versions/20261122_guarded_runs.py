"""Runs that are resumed and fenced, schedules in full, histories, tokens and notices."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "guarded_runs"
down_revision = "spaces"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
RUNS = sa.table(
    "runs",
    *(sa.column(name, ID) for name in ("id", "source_id")),
    *(sa.column(name, sa.Text) for name in ("status", "code", "message", "cursor")),
    *(sa.column(name, sa.DateTime) for name in ("queued_at", "heartbeat_at", "ended_at")),
)
SOURCES = sa.table("sources", sa.column("id", ID), sa.column("url", sa.Text), sa.column("host", sa.String))


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "sources": (
            sa.Column("host", sa.String(255), nullable=False, server_default=""),
            sa.Column("full_schedule", sa.Text()),
            sa.Column("timezone", sa.String(64), nullable=False, server_default="UTC"),
            sa.Column("jitter", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("paused_at", sa.DateTime()),
            sa.Column("access", sa.JSON(none_as_null=True)),
            sa.Column("notify", sa.JSON(none_as_null=True)),
            sa.Column("failing_since", sa.DateTime()),
            sa.Column("next_full_at", sa.DateTime()),
        ),
        "runs": (
            sa.Column("not_before", sa.DateTime()),
            sa.Column("origin", sa.String(20), nullable=False, server_default="manual"),
            sa.Column("attempt", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("worker", sa.String(200)),
            sa.Column("state", sa.JSON(none_as_null=True)),
            sa.Column("pages", sa.BigInteger(), nullable=False, server_default="0"),
            sa.Column("distinct", sa.BigInteger()),
            sa.Column("accepted", sa.BigInteger()),
            sa.Column("visible", sa.BigInteger()),
            sa.Column("sound", sa.Boolean()),
            sa.Column("decided_by", sa.String(100)),
        ),
        "bodies": (
            sa.Column("url", sa.Text()),
            sa.Column("etag", sa.Text()),
            sa.Column("last_modified", sa.Text()),
            sa.Column("read_at", sa.DateTime()),
        ),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    _revisions()
    _tokens()
    _notices()
    connection = op.get_bind()
    _end_begun(connection)
    _end_doubles(connection)
    live = sa.text("status IN ('queued', 'running')")
    op.create_index("uq_runs_live", "runs", ["source_id"], unique=True, sqlite_where=live, postgresql_where=live)
    for source in connection.execute(sa.select(SOURCES)).all():
        host = (urlsplit(source.url).hostname or "")[:255]
        connection.execute(sa.update(SOURCES).where(SOURCES.c.id == source.id).values(host=host))


def _end_begun(connection: sa.Connection) -> None:
    """Runs that were begun before cannot go on: what is needed to resume and to fence them was not kept."""
    begun = RUNS.c.status == "running"
    message = "it was running while the tables were brought up to date; what it had written stays"
    values = {"status": "failed", "code": "worker-lost", "message": message, "cursor": None}
    connection.execute(sa.update(RUNS).where(begun).values(**values, ended_at=RUNS.c.heartbeat_at))


def _end_doubles(connection: sa.Connection) -> None:
    """From now on a source has one live run at most: older ones that never came to an end have failed."""
    live = RUNS.c.status.in_(("queued", "running"))
    newest = sa.select(sa.func.max(RUNS.c.id)).where(live).group_by(RUNS.c.source_id)
    values = {"status": "failed", "code": "worker-lost", "message": "a later run of the source was begun"}
    ended = sa.update(RUNS).where(live, RUNS.c.id.not_in(newest.scalar_subquery()))
    connection.execute(ended.values(**values, ended_at=RUNS.c.queued_at))


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_id", ID),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("dataset_id", ID),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("action", sa.String(10), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("since_at", sa.DateTime()),
        sa.Column("delta", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
    )
    for columns in (["run_id", "action", "id"], ["record_id", "id"], ["dataset_id", "id"]):
        op.create_index(op.f(f"ix_revisions_{'_'.join(columns)}"), "revisions", columns)


def _tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime()),
        sa.Column("used_at", sa.DateTime()),
        sa.Column("revoked_at", sa.DateTime()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("name", name=op.f("uq_tokens_name")),
        sa.UniqueConstraint("digest", name=op.f("uq_tokens_digest")),
    )


def _notices() -> None:
    op.create_table(
        "notices",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], ondelete="CASCADE", name=op.f("fk_notices_source_id_sources")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE", name=op.f("fk_notices_run_id_runs")),
    )
    for columns in (["run_id"], ["sent_at", "due_at"], ["source_id", "id"]):
        op.create_index(op.f(f"ix_notices_{'_'.join(columns)}"), "notices", columns)


def downgrade() -> None:
    op.drop_index("uq_runs_live", table_name="runs")
    for table in ("notices", "tokens", "revisions"):
        op.drop_table(table)
    for table, columns in reversed(_columns().items()):
        for column in reversed(columns):
            op.drop_column(table, column.name)
