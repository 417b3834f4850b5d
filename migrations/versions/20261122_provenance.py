"""Where datasets come from: what sources say of themselves, and every identifier a dataset ever had."""

from __future__ import annotations

from urllib.parse import urlsplit

import sqlalchemy as sa
from alembic import op

revision = "provenance"
down_revision = "20261121_first_tables"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# The identifiers inside the documents come with the next change of their record; the guids are known now.
GUIDS = sa.text("""
    INSERT INTO identifiers (dataset_id, notation, agency, first_seen_at)
    SELECT dataset_id, guid, CASE WHEN guid LIKE '%://%' OR guid LIKE 'urn:%' THEN '' ELSE :agency END,
           MIN(first_seen_at)
    FROM records
    WHERE source_id = :source AND dataset_id IS NOT NULL AND LENGTH(guid) <= 500
        AND NOT EXISTS (
            SELECT 1 FROM identifiers AS known
            WHERE known.dataset_id = records.dataset_id AND known.notation = records.guid
                AND known.agency = CASE WHEN guid LIKE '%://%' OR guid LIKE 'urn:%' THEN '' ELSE :agency END
        )
    GROUP BY dataset_id, guid
""")
SOURCES = sa.table("sources", sa.column("id", ID), sa.column("url", sa.Text), sa.column("options", sa.JSON))


def upgrade() -> None:
    op.add_column("sources", sa.Column("catalogue", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "identifiers",
        sa.Column("dataset_id", ID, nullable=False),
        sa.Column("notation", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("dataset_id", "notation", "agency", name=op.f("pk_identifiers")),
        sqlite_with_rowid=False,
    )
    _note_guids(op.get_bind())


def _note_guids(connection: sa.Connection) -> None:
    """The agency of a guid is the host under which people know its portal."""
    for source in connection.execute(sa.select(SOURCES)).all():
        home = str((source.options or {}).get("public_url") or source.url)
        agency = urlsplit(home).netloc.rpartition("@")[2].lower()
        connection.execute(GUIDS, {"source": source.id, "agency": agency})


def downgrade() -> None:
    op.drop_table("identifiers")
    op.drop_column("sources", "catalogue")
