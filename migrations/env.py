"""Runs migrations on the connection the service hands over, or, from Alembic's command line, on the configured one."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from harvester.catalogue.database import open_engine
from harvester.catalogue.tables import metadata
from harvester.settings import Settings


def run(connection: Connection) -> None:
    """Upgrade within one transaction; SQLite alters tables by copying them (batch mode)."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with open_engine(Settings()).connect() as own:
        run(own)
        own.commit()
