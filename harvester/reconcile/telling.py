"""A kept reconciliation as it is told: its summary, and its lines one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, Row

from harvester.reconcile import keeping
from harvester.reconcile.lines import Line

_PAGE = 500


def summary(row: Row[Any]) -> dict[str, Any]:
    """What stands before the lines, as JSON."""
    return {
        "id": row.id,
        "source": row.source,
        "target": row.target,
        "status": row.status,
        "message": row.message,
        "queued_at": _moment(row.queued_at),
        "ended_at": _moment(row.ended_at),
        "counts": row.counts,
    }


def every_line(
    engine: Engine, row: Row[Any], verdict: str | None = None, change: str | None = None, reason: str | None = None
) -> Iterator[Line]:
    """All lines, or those of a verdict, a reason, a change; a short transaction for each page."""
    after = 0
    while True:
        with engine.connect() as connection:
            page = keeping.lines(connection, row, verdict, reason, change, after, _PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].number


def _moment(at: Any) -> str | None:
    return None if at is None else str(at.isoformat().replace("+00:00", "Z"))
