"""What tells records together or apart, and what people decided about it."""

from __future__ import annotations

revision = "clusters"
down_revision = "followers"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
