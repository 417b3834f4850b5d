"""Column types that behave alike on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, DateTime, Dialect, Integer, TypeDecorator

from harvester import storable

# SQLite only counts up an INTEGER PRIMARY KEY; PostgreSQL needs more than 32 bits for years of history.
Id = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An instant in UTC; SQLite has no time zones, so none is stored and UTC is put back on reading."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class _Storable(TypeDecorator[str]):
    """Text; what no database keeps is replaced in values that are stored, and in those that are looked for."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return storable.text(value) if isinstance(value, str) else value


class Text(_Storable):
    """Text of any length."""

    impl = sqlalchemy.Text
    cache_ok = True


class String(_Storable):
    """Text that is never longer than so many characters."""

    impl = sqlalchemy.String
    cache_ok = True
