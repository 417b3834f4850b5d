"""Publishers, each one agent across portals."""

from __future__ import annotations

revision = "agents"
down_revision = "clusters"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
