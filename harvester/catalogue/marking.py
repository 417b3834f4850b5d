"""Rows that a page only marks as seen: locked at once without waiting, or after all others that write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, select
from sqlalchemy.exc import OperationalError

from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.database import in_turn
from harvester.catalogue.store import MARKS, Outcome, RunRef
from harvester.catalogue.tables import records
from harvester.connector import Body

# PostgreSQL's class of "lock not available".
_BUSY = "55P03"


def prepare(
    connection: Connection, run: RunRef, outcomes: Sequence[Outcome], named: Iterable[int], unchanged: Body | None
) -> None:
    """Before the first write of a page: lock what it marks, so that nobody is waited for with rows in hand.

    Another run may move a record of this source to another dataset meanwhile, in whatever order: whoever changes the
    catalogue waits for its turn, and who only marks, and waits for rows, would be what that one waits for.
    """
    if connection.dialect.name != "postgresql":
        return
    if {outcome.action for outcome in outcomes} - MARKS or not _locked(
        connection, _wanted(run, outcomes, named, unchanged)
    ):
        in_turn(connection)


def _wanted(
    run: RunRef, outcomes: Sequence[Outcome], named: Iterable[int], unchanged: Body | None
) -> list[tuple[ColumnElement[bool], ...]]:
    ids = {*named, *(outcome.stored.id for outcome in outcomes if outcome.stored)}
    wanted: list[tuple[ColumnElement[bool], ...]] = [(records.c.id.in_(part),) for part in pieces(ids)]
    if unchanged:
        wanted.append((records.c.source_id == run.source_id, records.c.body_hash == unchanged.digest))
    return wanted


def _locked(connection: Connection, wanted: Iterable[tuple[ColumnElement[bool], ...]]) -> bool:
    """Whether all of the rows could be locked; if not, none of them is."""
    try:
        with connection.begin_nested():
            for where in wanted:
                connection.execute(select(records.c.id).where(*where).with_for_update(nowait=True, key_share=True))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _BUSY:
            raise
        return False
    return True
