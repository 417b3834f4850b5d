"""How far each follower of the change log has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "followers"
down_revision = "guarded_runs"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; a follower that is not in it goes over every dataset first."""
    op.create_table(
        "followers",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("scanned", sa.BigInteger().with_variant(sa.Integer(), "sqlite")),
        sa.Column("rules", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_followers"),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("followers")
