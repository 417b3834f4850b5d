"""Scores of the metadata quality assessment, kept over time."""

from __future__ import annotations

revision = "quality"
down_revision = "reconciliations"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
