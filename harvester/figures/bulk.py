"""Many rows of numbers and bytes with one statement: what takes the time otherwise is each value on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Delete,
    Insert,
    Integer,
    Select,
    Table,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

Rows = Sequence[tuple[Any, ...]]


def listed(connection: Connection, ids: Sequence[int]) -> Select[tuple[int]]:
    """These numbers as a subquery, of one parameter however many there are."""
    if connection.dialect.name == "sqlite":
        return select(func.json_each(orjson.dumps(ids).decode()).table_valued(column("value", Integer)).c.value)
    return select(func.unnest(literal(list(ids), ARRAY(BigInteger))).column_valued("value"))


def put(connection: Connection, table: Table, names: Sequence[str], rows: Rows) -> None:
    """Insert rows; `names` are the columns that they have, in order."""
    _many(connection, insert(table), names, rows)


def add(connection: Connection, table: Table, names: Sequence[str], added: Sequence[str], rows: Rows) -> None:
    """Add to the numbers in the columns `added` of the rows that are there, and insert the others."""
    statement = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    both = {name: table.c[name] + statement.excluded[name] for name in added}
    key = list(table.primary_key.columns)
    _many(connection, statement.on_conflict_do_update(index_elements=key, set_=both), names, rows)


def take(connection: Connection, table: Table, names: Sequence[str], rows: Rows) -> None:
    """Delete the rows that have these values."""
    statement = delete(table).where(*(table.c[name] == bindparam(f"b_{name}") for name in names))
    _many(connection, statement, [f"b_{name}" for name in names], rows)


def _many(connection: Connection, statement: Insert | Delete, names: Sequence[str], rows: Rows) -> None:
    if not rows:
        return
    keys = list(names) if isinstance(statement, Insert) else None
    compiled = statement.compile(dialect=connection.dialect, column_keys=keys)
    if compiled.positiontup is None:
        connection.exec_driver_sql(compiled.string, [dict(zip(names, row, strict=True)) for row in rows])
        return
    places = [list(names).index(name) for name in compiled.positiontup]
    connection.exec_driver_sql(compiled.string, [tuple(row[place] for place in places) for row in rows])
