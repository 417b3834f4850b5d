"""Every identifier ever seen of a dataset: noted, moved when datasets merge, and read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, Connection, Insert, bindparam, delete, exists, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.packing import load_dataset
from harvester.catalogue.tables import documents, identifiers, records, sources
from harvester.catalogue.trusted import trusted_as
from harvester.catalogue.types import Id
from harvester.connector import without_credentials
from harvester.identity import Known, known_as
from harvester.model import Identifier

_CHUNK = 500


def note(connection: Connection, named: Iterable[tuple[int, Sequence[Known]]], now: datetime) -> None:
    """Add identifiers to datasets; one that is known already keeps the date of its first sight."""
    rows = [
        {"dataset_id": dataset_id, "notation": known.notation, "agency": known.agency, "first_seen_at": now}
        for dataset_id, all_known in named
        for known in all_known
    ]
    if rows:
        dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
        connection.execute(dialect.insert(identifiers).on_conflict_do_nothing(), rows)


def move(connection: Connection, merged: dict[int, int]) -> None:
    """Give the kept datasets the identifiers of the ended ones (ended -> kept), which have none any more."""
    rows = [{"b_ended": ended, "b_kept": kept} for ended, kept in merged.items()]
    for row in rows:
        connection.execute(moving(), row)
    connection.execute(delete(identifiers).where(identifiers.c.dataset_id == bindparam("b_ended")), rows)


def part(connection: Connection, places: Mapping[int, tuple[int, int]]) -> None:
    """Let records that leave a dataset for another one (record -> old, new) take their names with them.

    What a record that stays has too stays as well; names of earlier days stay where they are.
    """
    taken, stay = _names(connection, list(places)), _remaining(connection, {old for old, _ in places.values()})
    for record, (old, new) in sorted(places.items()):
        for known in taken.get(record, ()):
            one = {"b_ended": old, "b_kept": new, "b_notation": known.notation, "b_agency": known.agency}
            mine = (identifiers.c.notation == bindparam("b_notation"), identifiers.c.agency == bindparam("b_agency"))
            connection.execute(moving(*mine), one)
            if known not in stay.get(old, ()):
                connection.execute(
                    delete(identifiers).where(identifiers.c.dataset_id == bindparam("b_ended"), *mine), one
                )


def _remaining(connection: Connection, dataset_ids: Collection[int]) -> dict[int, set[Known]]:
    """The names that the records of datasets give them now."""
    homes: dict[int, int] = {}
    for start in range(0, len(dataset_ids), _CHUNK):
        mine = records.c.dataset_id.in_(sorted(dataset_ids)[start : start + _CHUNK])
        rows = connection.execute(select(records.c.id, records.c.dataset_id).where(mine))
        homes |= {row.id: row.dataset_id for row in rows}
    found: dict[int, set[Known]] = {}
    for record, names in _names(connection, list(homes)).items():
        found.setdefault(homes[record], set()).update(names)
    return found


def _names(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[Known, ...]]:
    """record id -> the names that it gives its dataset."""
    columns = (records.c.id, records.c.guid, documents.c.dataset, sources.c.url, sources.c.options)
    statement = select(*columns).join(documents, documents.c.record_id == records.c.id)
    statement = statement.join(sources, sources.c.id == records.c.source_id).where(documents.c.dataset.is_not(None))
    found: dict[int, tuple[Known, ...]] = {}
    for start in range(0, len(ids), _CHUNK):
        for row in connection.execute(statement.where(records.c.id.in_(ids[start : start + _CHUNK]))):
            home = without_credentials(row.options.get("public_url") or row.url)
            found[row.id] = known_as(load_dataset(row.dataset), row.guid, home)
    return found


def moving(*which: ColumnElement[bool]) -> Insert:
    """Copies what dataset `b_ended` has and `b_kept` has not; all of it, or `which`."""
    mine = identifiers.alias()
    ended: BindParameter[int] = bindparam("b_ended")
    kept: BindParameter[int] = bindparam("b_kept", type_=Id)
    there = (
        mine.c.dataset_id == kept,
        mine.c.notation == identifiers.c.notation,
        mine.c.agency == identifiers.c.agency,
    )
    columns = (identifiers.c.notation, identifiers.c.agency, identifiers.c.first_seen_at)
    chosen = select(kept, *columns).where(identifiers.c.dataset_id == ended, ~exists().where(*there), *which)
    return insert(identifiers).from_select(["dataset_id", *(column.name for column in columns)], chosen)


def identifiers_of(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, tuple[Identifier, ...]]:
    """dataset id -> every identifier it ever had, by first sight; datasets without any are left out."""
    found: dict[int, list[Identifier]] = {}
    columns = (identifiers.c.dataset_id, identifiers.c.notation, identifiers.c.agency)
    order = (identifiers.c.dataset_id, identifiers.c.first_seen_at, identifiers.c.notation, identifiers.c.agency)
    for start in range(0, len(dataset_ids), _CHUNK):
        part = dataset_ids[start : start + _CHUNK]
        rows = connection.execute(select(*columns).where(identifiers.c.dataset_id.in_(part)).order_by(*order))
        for dataset_id, notation, agency in rows.all():
            # Cleaned when it was noted: to clean it again would cost as much as the rest of an export.
            known = trusted_as(Identifier, {"notation": notation, "agency": agency or None})
            found.setdefault(dataset_id, []).append(known)
    return {dataset_id: tuple(known) for dataset_id, known in found.items()}
