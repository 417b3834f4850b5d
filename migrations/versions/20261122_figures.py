"""What key figures are read from."""

from __future__ import annotations

revision = "figures"
down_revision = "link_checks"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them."""


def downgrade() -> None:
    """Take them away."""
