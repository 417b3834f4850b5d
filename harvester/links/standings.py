"""How the links of datasets are as a whole, numbered by change: what the search index follows beside the change log."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from harvester.catalogue.tables import link_datasets, link_totals
from harvester.links.faults import State
from harvester.links.store import pieces

# What a dataset may be as a whole, with what that means.
WHOLES = {
    "broken": "a link is broken",
    "suspect": "something is wrong with a link: it fails lately, or is not what was declared",
    "ok": "every link that can be checked is well",
    "partly": "the links checked so far are well",
}


def states(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    """dataset id -> a name of `WHOLES`, of those of which anything is known."""
    statement = select(link_datasets.c.dataset_id, link_datasets.c.state).where(link_datasets.c.state != "")
    return {
        dataset_id: state
        for part in pieces(ids)
        for dataset_id, state in connection.execute(statement.where(link_datasets.c.dataset_id.in_(part)))
    }


def changed(connection: Connection, after: int, limit: int) -> list[tuple[int, int]]:
    """(number, dataset id) of the datasets whose state changed after a number, ascending; each once."""
    statement = select(link_datasets.c.seq, link_datasets.c.dataset_id).where(link_datasets.c.seq > after)
    return [
        (row.seq, row.dataset_id) for row in connection.execute(statement.order_by(link_datasets.c.seq).limit(limit))
    ]


def last(connection: Connection) -> int:
    """The number of the last change; 0 when there was none."""
    statement = select(func.coalesce(func.max(link_datasets.c.seq), 0))
    return int(connection.execute(statement).scalar_one())


def totals(connection: Connection) -> dict[str, int]:
    """How many addresses there are in each state; empty while links are not checked at all."""
    rows = {row.name: row.number for row in connection.execute(select(link_totals))}
    return {str(state): rows[state] for state in State if state in rows}
