"""What stands around a dataset's identity: its stored form, how that came about, and who publishes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, func, select

from harvester.catalogue.packing import unpack
from harvester.catalogue.tables import agent_names, agents, datasets, documents, merged, published

# The one expression for it, of statements that select from `SHOWN`.
FORM: ColumnElement[bytes] = func.coalesce(merged.c.dataset, documents.c.dataset).label("dataset")
SHOWN: FromClause = datasets.join(documents, documents.c.record_id == datasets.c.record_id).outerjoin(
    merged, merged.c.dataset_id == datasets.c.id
)


class Told(NamedTuple):
    """How a dataset of several records came about: the original record or None, why, field -> record, record -> why."""

    original: int | None
    reason: str
    fields: dict[str, int]
    why: dict[int, str]


class Ref(NamedTuple):
    """An agent, in short."""

    key: str
    name: str


def told(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, Told]:
    """dataset id -> how it came about, of those with several active records."""
    rows = connection.execute(select(merged).where(merged.c.dataset_id.in_(dataset_ids)))
    return {row.dataset_id: _told(row) for row in rows}


def agents_of(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, Ref]:
    """dataset id -> who publishes it, of those where that is known."""
    found: Select[Any] = select(published.c.dataset_id, agents.c.key, agents.c.name)
    found = found.join(agent_names, agent_names.c.id == published.c.name_id)
    found = found.join(agents, agents.c.id == agent_names.c.agent_id)
    rows = connection.execute(found.where(published.c.dataset_id.in_(dataset_ids)))
    return {row.dataset_id: Ref(row.key, row.name) for row in rows}


def home(source: Row[Any]) -> str:
    """The address under which people know the portal of a source, of a row with its `url` and `options`."""
    public = (source.options or {}).get("public_url")
    return public if isinstance(public, str) and public else str(source.url)


def _told(row: Any) -> Told:
    kept = unpack(row.told)
    return Told(row.original_id, row.reason, kept["fields"], {int(key): why for key, why in kept["why"].items()})
