"""Spaces: named parts of the catalogue, each a search that is kept; validated before they are saved."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from harvester.catalogue import queries
from harvester.catalogue.tables import spaces
from harvester.errors import UsageError
from harvester.search import filters
from harvester.search.base import Scope
from harvester.sources import checked_name
from harvester.vocabularies import VOCABULARIES

# In these, portals write nothing of their own that is worth a space: a value without a concept is a slip.
CLOSED = ("theme", "language", "access_rights", "frequency", "hvd_category")
LONGEST_TEXT = 10_000
_TAGGED = re.compile(r"([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)=(.*)", re.DOTALL)

Texts = dict[str, str]
Filters = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Space:
    """A named part of the catalogue; title and description by language, filters as a search has them."""

    name: str
    title: Texts
    description: Texts
    q: str
    filters: Filters
    created_at: datetime
    changed_at: datetime

    @property
    def scope(self) -> Scope:
        """What the search finds it by."""
        return Scope(self.q, self.filters)


def add(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    title: Mapping[str, str] | None = None,
    description: Mapping[str, str] | None = None,
    q: str = "",
    given: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Save a new space.  Raises `UsageError` when anything does not fit."""
    checked_name(name)
    if _row(connection, name) is not None:
        raise UsageError(f"there is a space {name!r} already", code="name-taken")
    values = {"title": _texts(title or {"": name}), "description": _texts(description or {})}
    searched = _searched(connection, q, given or {})
    connection.execute(insert(spaces).values(name=name, created_at=now, changed_at=now, **values, **searched))


def edit(connection: Connection, name: str, now: datetime, **changed: Any) -> None:
    """Change what is given of `title`, `description`, `q` and `given` filters.  Raises `UsageError` as `add` does."""
    kept = named(connection, name)
    values = {key: _texts(changed[key]) for key in ("title", "description") if changed.get(key) is not None}
    q, given = changed.get("q"), changed.get("given")
    searched = _searched(connection, kept.q if q is None else q, kept.filters if given is None else given)
    connection.execute(update(spaces).where(spaces.c.name == name).values(changed_at=now, **values, **searched))


def remove(connection: Connection, name: str) -> None:
    """Forget a space; its datasets stay.  Raises `UsageError` when there is none."""
    named(connection, name)
    connection.execute(delete(spaces).where(spaces.c.name == name))


def named(connection: Connection, name: str) -> Space:
    """The space of that name.  Raises `UsageError` when there is none."""
    row = _row(connection, name)
    if row is None:
        raise UsageError(f"there is no space {name[:100]!r}; `harvester space list` names them", code="unknown-space")
    return _space(row)


def listed(connection: Connection, after: str = "", limit: int = 100) -> list[Space]:
    """Spaces by name, from `after` (exclusive)."""
    statement = select(spaces).where(spaces.c.name > after).order_by(spaces.c.name).limit(limit)
    return [_space(row) for row in connection.execute(statement)]


def parse_filters(pairs: Iterable[str]) -> Filters:
    """`name=value` pairs as filters; a repeated name has several values.  Raises `UsageError` on anything else."""
    found: Filters = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--filter wants name=value, not {pair!r}", code="bad-filter")
        found.setdefault(name.strip(), []).append(value.strip())
    return found


def parse_texts(texts: Iterable[str], language: str) -> Texts:
    """`Culture`, `en=Culture`: texts by language, `language` for one that names none."""
    found: Texts = {}
    for text in texts:
        tagged = _TAGGED.fullmatch(text)
        found[tagged[1].lower() if tagged else language] = tagged[2] if tagged else text
    return found


def _row(connection: Connection, name: str) -> Row[Any] | None:
    # PostgreSQL refuses NUL in any text.
    if "\x00" in name:
        return None
    return connection.execute(select(spaces).where(spaces.c.name == name)).one_or_none()


def _space(row: Row[Any]) -> Space:
    return Space(row.name, row.title, row.description, row.q, row.filters, row.created_at, row.changed_at)


def _texts(texts: Mapping[str, str]) -> Texts:
    return {tag: text.strip()[:LONGEST_TEXT] for tag, text in texts.items() if text.strip()}


def _searched(connection: Connection, q: str, given: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    kept = {name: [value for value in values if value.strip()] for name, values in given.items()}
    wanted = filters.read(kept)
    for name in CLOSED:
        for value in wanted.values.get(name, ()):
            _known(name, value)
    for value in wanted.values.get("source", ()):
        if queries.source_named(connection, value) is None:
            raise UsageError(f"source: there is no source {value!r}", code="bad-filter", field="source", value=value)
    kept = {name: values for name, values in kept.items() if values}
    if not kept and not q.strip():
        raise UsageError("a space needs words (--q) or a --filter: it would be the whole catalogue", code="no-filter")
    return {"q": q.strip()[:LONGEST_TEXT], "filters": kept}


def _known(name: str, value: str) -> None:
    item = filters.BY_NAME[name]
    if item.vocabulary is None or VOCABULARIES[item.vocabulary].resolve(value) is not None:
        return
    message = f"{name}: {value!r} is no {item.title.lower()} we know; an example is {item.example}"
    raise UsageError(message, code="bad-filter", field=name, value=value)
