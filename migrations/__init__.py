"""The migrations of the catalogue's database, run by Alembic."""
