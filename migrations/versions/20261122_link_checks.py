"""Addresses of distributions, each checked once."""

from __future__ import annotations

revision = "link_checks"
down_revision = "quality"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
