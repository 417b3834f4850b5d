"""Where records are."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from harvester.catalogue.tables import records

_CHUNK = 500


def homes_of(connection: Connection, record_ids: Sequence[int]) -> dict[int, int]:
    """record id -> its dataset as it is now: another source's run may have merged it since the record was read."""
    found: dict[int, int] = {}
    for start in range(0, len(record_ids), _CHUNK):
        where = (records.c.id.in_(record_ids[start : start + _CHUNK]), records.c.dataset_id.is_not(None))
        rows = connection.execute(select(records.c.id, records.c.dataset_id).where(*where))
        found |= {row.id: row.dataset_id for row in rows}
    return found
