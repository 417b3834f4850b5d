"""Which record names which address: kept up to date from the change log, at a cost in proportion to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select

from harvester.catalogue.following import Follower
from harvester.catalogue.packing import expand
from harvester.catalogue.tables import addresses, documents, link_uses, records
from harvester.links import store
from harvester.links.addresses import Address, Use, uses_of
from harvester.links.faults import State
from harvester.links.verdicts import unpacked, use_of

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# Datasets were seen of 8,327 distributions.
_AT_ONCE = 20
_COLUMNS = ("dataset_id", "source_id", "number", "role", "declared", "promised")


class _Key(NamedTuple):
    record_id: int
    link_id: int


def apply(connection: Connection, dataset_ids: Sequence[int], now: datetime) -> None:
    """Bring the addresses of these datasets up to date; nothing while links are not checked at all."""
    if not store.in_use(connection):
        return
    store.take_turn(connection)
    ids = sorted({*dataset_ids, *_elsewhere(connection, dataset_ids)})
    gone: set[int] = set()
    for start in range(0, len(ids), _AT_ONCE):
        gone |= _bring_up(connection, ids[start : start + _AT_ONCE], now)
    store.forget(connection, gone)
    store.restate(connection, ids)


def _bring_up(connection: Connection, ids: Sequence[int], now: datetime) -> set[int]:
    """Write what these datasets name now; answers the addresses that some of them name no longer."""
    uses, wanted = _wanted(connection, ids)
    known = _known(connection, ids, {key.record_id for key in wanted})
    store.add(connection, uses, {a.id: _unaskable(a, now) for a in uses if not a.host}, now)
    changed = [key for key, values in wanted.items() if known.get(key) != values]
    old = [key for key in known if key not in wanted or known[key] != wanted[key]]
    _drop(connection, old)
    _insert(connection, changed, wanted)
    store.restate(connection, sorted({known[key]["dataset_id"] for key in old} - set(ids)))
    return {key.link_id for key in old} - {key.link_id for key in wanted}


FOLLOWER = Follower(store.NAME, apply)


def _elsewhere(connection: Connection, ids: Sequence[int]) -> set[int]:
    """The datasets to which records of these have gone over since."""
    joined = select(records.c.dataset_id).join(link_uses, link_uses.c.record_id == records.c.id).distinct()
    gone = joined.where(records.c.dataset_id != link_uses.c.dataset_id, records.c.dataset_id.is_not(None))
    parts = store.pieces(ids)
    return {
        found for part in parts for found in connection.execute(gone.where(link_uses.c.dataset_id.in_(part))).scalars()
    }


def _wanted(connection: Connection, ids: Sequence[int]) -> tuple[list[Address], dict[_Key, dict[str, Any]]]:
    """The addresses that the active records of datasets name, and how."""
    columns = (records.c.id, records.c.dataset_id, records.c.source_id, documents.c.dataset)
    joined = select(*columns).join(documents, documents.c.record_id == records.c.id)
    active = joined.where(records.c.status == "active", documents.c.dataset.is_not(None))
    found: dict[int, Address] = {}
    wanted: dict[_Key, dict[str, Any]] = {}
    for part in store.pieces(ids):
        for record_id, dataset_id, source_id, blob in connection.execute(active.where(records.c.dataset_id.in_(part))):
            for use in uses_of(orjson.loads(expand(blob))):
                found[use.address.id] = use.address
                wanted[_Key(record_id, use.address.id)] = _values(use, dataset_id, source_id)
    return list(found.values()), wanted


def _values(use: Use, dataset_id: int, source_id: int) -> dict[str, Any]:
    return {
        "dataset_id": dataset_id,
        "source_id": source_id,
        "number": use.number,
        "role": use.role,
        "declared": use.declared,
        "promised": use.promised,
    }


def _known(connection: Connection, ids: Sequence[int], record_ids: Iterable[int]) -> dict[_Key, dict[str, Any]]:
    """What is kept of these datasets, and of records that belonged to others before."""
    found: dict[_Key, dict[str, Any]] = {}
    pairs = ((link_uses.c.dataset_id, ids), (link_uses.c.record_id, sorted(record_ids)))
    for column, values in pairs:
        for part in store.pieces(values):
            for row in connection.execute(select(link_uses).where(column.in_(part))):
                found[_Key(row.record_id, row.link_id)] = {name: getattr(row, name) for name in _COLUMNS}
    return found


def _drop(connection: Connection, keys: Sequence[_Key]) -> None:
    one = (link_uses.c.record_id == bindparam("record"), link_uses.c.link_id == bindparam("link"))
    if keys:
        rows = [{"record": key.record_id, "link": key.link_id} for key in keys]
        connection.execute(delete(link_uses).where(*one), rows)


def _insert(connection: Connection, keys: Sequence[_Key], wanted: Mapping[_Key, Mapping[str, Any]]) -> None:
    """With what is wrong with their addresses, as far as that is known already."""
    columns = (addresses.c.id, addresses.c.state, addresses.c.fault, addresses.c.format, addresses.c.checked_at)
    stands = {
        row.id: row
        for part in store.pieces(sorted({key.link_id for key in keys}))
        for row in connection.execute(select(*columns).where(addresses.c.id.in_(part)))
    }
    rows = [{**key._asdict(), **wanted[key], **_wrong(stands[key.link_id], wanted[key])} for key in keys]
    if rows:
        connection.execute(insert(link_uses), rows)
    # Whoever assessed these datasets before has not seen that these addresses are known.
    checked = (key for key in keys if stands[key.link_id].checked_at is not None)
    store.assess_again(connection, {wanted[key]["dataset_id"] for key in checked})


def _wrong(row: Any, use: Mapping[str, Any]) -> dict[str, str | None]:
    found = use_of(row.state, row.fault, unpacked(row.format), use["declared"], use["promised"])
    severity, fault = found or (None, None)
    return {"severity": severity and str(severity), "fault": fault}


def _unaskable(address: Address, now: datetime) -> dict[str, Any]:
    """What is known at once of an address that is not asked."""
    scheme = _SCHEME.match(address.text)
    if scheme and scheme[1].lower() not in ("http", "https"):
        return {"state": str(State.UNKNOWN), "fault": "unsupported", "since": now, "checked_at": None}
    return {"state": str(State.BROKEN), "fault": "bad-address", "since": now, "checked_at": now}
