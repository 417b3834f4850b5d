"""Identifiers given out in blocks, so that a batch is written without asking for each one."""

from __future__ import annotations

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.tables import counters


def allocate(connection: Connection, name: str, number: int) -> range:
    """A block of `number` unused identifiers."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(counters).values(name=name, next=number + 1)
    statement = statement.on_conflict_do_update(
        index_elements=["name"], set_={"next": counters.c.next + number}
    ).returning(counters.c.next)
    end = int(connection.execute(statement).scalar_one())
    return range(end - number, end)
