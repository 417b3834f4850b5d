"""Verdicts on whether everything arrived, kept over time."""

from __future__ import annotations

revision = "reconciliations"
down_revision = "agents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
