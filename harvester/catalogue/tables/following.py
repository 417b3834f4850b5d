"""How far each follower of the change log has come."""

from sqlalchemy import BigInteger, Column, Integer, Table

from harvester.catalogue.tables.core import metadata
from harvester.catalogue.types import Id, String

followers = Table(
    "followers",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("seq", BigInteger, nullable=False),  # the last entry of the change log that it has seen
    Column("scanned", Id),  # it goes over every dataset, and has come up to this id; null: it only follows
    Column("rules", Integer, nullable=False),  # with which version of its rules it began
)
