"""Every write of link checks.

Each transaction takes its turn first: no two of them cross, and whoever has read up to a number of the datasets'
states never misses a smaller one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine, Row, bindparam, case, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from harvester.catalogue.database import writing
from harvester.catalogue.following import rewind
from harvester.catalogue.tables import addresses, link_datasets, link_hosts, link_totals, link_uses, quality_due
from harvester.links.addresses import Address
from harvester.links.ageing import Standing
from harvester.links.faults import State
from harvester.links.verdicts import unpacked, use_of, whole

NAME = "links"
SEQ = "seq"
CHUNK = 500
_LATELY = timedelta(hours=1)

T = TypeVar("T")


class Result(NamedTuple):
    """What a check found of an address: how it stands now, and what else is kept of the answer."""

    row: Row[Any]
    standing: Standing
    values: dict[str, Any]
    put_off: bool = False


def begin(engine: Engine) -> None:
    """Let link checks be in use: from now on the addresses follow the change log."""
    with engine.connect() as connection:
        if in_use(connection):
            return
    with writing(engine) as connection:
        dialect = sqlite if engine.dialect.name == "sqlite" else postgresql
        rows = [{"name": name, "number": 0} for name in (SEQ, *(str(state) for state in State))]
        connection.execute(dialect.insert(link_totals).on_conflict_do_nothing(), rows)
        rewind(connection, NAME)


def in_use(connection: Connection) -> bool:
    """Whether links are checked at all: until then the log is not followed."""
    return connection.execute(select(link_totals.c.name).where(link_totals.c.name == SEQ)).first() is not None


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction writes here, and let none begin before this one ends."""
    connection.execute(select(link_totals.c.number).where(link_totals.c.name == SEQ).with_for_update())


def note(connection: Connection, results: Sequence[Result]) -> None:
    """Keep what checks found, and tell it to the records and datasets that name these addresses."""
    names = [*asdict(results[0].standing), *results[0].values]
    rows = [
        {"key": r.row.id, **{f"new_{name}": value for name, value in (asdict(r.standing) | r.values).items()}}
        for r in results
    ]
    kept: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    connection.execute(update(addresses).where(addresses.c.id == bindparam("key")).values(kept), rows)
    _count(connection, Counter(r.standing.state for r in results), Counter(r.row.state for r in results))
    changed = [r.row.id for r in results if _told(r.standing, r.values) != _told(r.row, _kept(r.row))]
    if changed:
        judge_uses(connection, changed)
        named = select(link_uses.c.dataset_id).where(link_uses.c.link_id.in_(changed)).distinct()
        datasets = list(connection.execute(named).scalars())
        restate(connection, datasets)
        assess_again(connection, datasets)


def assess_again(connection: Connection, dataset_ids: Collection[int]) -> None:
    """Quality counts what answers: tell it of which datasets more, or something else, is known now."""
    if dataset_ids:
        connection.execute(insert(quality_due), [{"dataset_id": dataset_id} for dataset_id in sorted(dataset_ids)])


def _kept(row: Row[Any]) -> dict[str, Any]:
    return {"format": row.format, "status": row.status}


def _told(standing: Any, values: Mapping[str, Any]) -> tuple[Any, ...]:
    # Not the fault alone: a login may be asked for with a refusal or with a page, and quality counts the status.
    return (standing.state, standing.fault, values["format"], values["status"])


def add(connection: Connection, wanted: Iterable[Address], rows: Mapping[int, Mapping[str, Any]], now: datetime) -> int:
    """Take in the addresses that are not known yet, and wake their hosts; answers how many they were.

    `rows` has what is known at once of those that cannot be asked.
    """
    found = {address.id: address for address in wanted}
    known = {key for part in pieces(sorted(found)) for key in connection.execute(_known(part)).scalars()}
    new = [found[key] for key in sorted(found.keys() - known)]
    if new:
        connection.execute(insert(addresses), [_row(address, rows.get(address.id), now) for address in new])
        states = Counter(str(rows[a.id]["state"]) if a.id in rows else State.UNCHECKED for a in new)
        _count(connection, states, Counter())
        wake(connection, {address.host for address in new if address.host}, now)
    return len(new)


def forget(connection: Connection, link_ids: Collection[int]) -> int:
    """Drop those of these addresses that no record names any more; answers how many they were."""
    gone: Counter[str] = Counter()
    for part in pieces(sorted(link_ids)):
        used = select(link_uses.c.link_id).where(link_uses.c.link_id == addresses.c.id).exists()
        dropped = delete(addresses).where(addresses.c.id.in_(part), ~used).returning(addresses.c.state)
        gone.update(connection.execute(dropped).scalars())
    _count(connection, Counter(), gone)
    return gone.total()


def wake(connection: Connection, hosts: Collection[str], now: datetime) -> None:
    """Let hosts be asked as soon as they may be; those that are asked now, or left alone, find it out themselves."""
    for part in pieces(sorted(hosts)):
        known = set(connection.execute(select(link_hosts.c.host).where(link_hosts.c.host.in_(part))).scalars())
        new = [{"host": host, "next_at": now} for host in part if host not in known]
        if new:
            connection.execute(insert(link_hosts), new)
        start = case((link_hosts.c.not_before > now, link_hosts.c.not_before), else_=now)
        later = or_(link_hosts.c.next_at.is_(None), link_hosts.c.next_at > start)
        idle = (link_hosts.c.host.in_(part), link_hosts.c.worker.is_(None))
        connection.execute(update(link_hosts).where(*idle, later).values(next_at=start))


def judge_uses(connection: Connection, link_ids: Sequence[int]) -> None:
    """What is wrong with addresses for each record that names them: one decision for each kind of promise."""
    kinds = (link_uses.c.link_id, link_uses.c.declared, link_uses.c.promised)
    columns = (*kinds, addresses.c.state, addresses.c.fault, addresses.c.format)
    joined = select(*columns).join(addresses, addresses.c.id == link_uses.c.link_id).distinct()
    for part in pieces(link_ids):
        for kind in connection.execute(joined.where(link_uses.c.link_id.in_(part))).all():
            wrong = use_of(kind.state, kind.fault, unpacked(kind.format), kind.declared, kind.promised)
            values = dict(zip(("severity", "fault"), wrong or (None, None), strict=True))
            same = (column == value for column, value in zip(kinds, kind, strict=False))
            connection.execute(update(link_uses).where(*same).values(values))


def restate(connection: Connection, dataset_ids: Sequence[int]) -> None:
    """Write anew how the links of datasets are as a whole, where that has changed; each change has a number."""
    for part in pieces(sorted(dataset_ids)):
        before = {row.dataset_id: row.state for row in connection.execute(_states(part))}
        now = _whole(connection, part)
        changed = {i: now.get(i) or "" for i in part if (now.get(i) or "") != before.get(i, "")}
        if not changed:
            continue
        last = _numbered(connection, len(changed))
        rows = [{"dataset_id": i, "state": s, "seq": last - n} for n, (i, s) in enumerate(changed.items())]
        connection.execute(delete(link_datasets).where(link_datasets.c.dataset_id.in_(list(changed))))
        connection.execute(insert(link_datasets), rows)


def promised(connection: Connection, link_ids: Sequence[int]) -> set[int]:
    """Those of these addresses at which some record says that a file is."""
    wanted = (link_uses.c.link_id.in_(link_ids), link_uses.c.promised.is_(True))
    return set(connection.execute(select(link_uses.c.link_id).where(*wanted).distinct()).scalars())


def again(connection: Connection, source_id: int, now: datetime) -> int:
    """Let the addresses of a source be checked whatever their age, but those of the last hour; answers how many."""
    named = select(link_uses.c.link_id).where(link_uses.c.source_id == source_id)
    old = or_(addresses.c.checked_at.is_(None), addresses.c.checked_at < now - _LATELY)
    wanted = (addresses.c.id.in_(named), addresses.c.host != "", old)
    due = update(addresses).where(*wanted).values(next_check_at=now).returning(addresses.c.host)
    found = list(connection.execute(due).scalars())
    wake(connection, set(found), now)
    return len(found)


def _whole(connection: Connection, ids: Sequence[int]) -> dict[int, str | None]:
    columns = (link_uses.c.dataset_id, addresses.c.state, link_uses.c.severity)
    joined = select(*columns).join(addresses, addresses.c.id == link_uses.c.link_id).distinct()
    found: dict[int, list[tuple[str, str | None]]] = {}
    for dataset_id, state, severity in connection.execute(joined.where(link_uses.c.dataset_id.in_(ids))):
        found.setdefault(dataset_id, []).append((state, severity))
    return {dataset_id: whole(states) for dataset_id, states in found.items()}


def _numbered(connection: Connection, many: int) -> int:
    more = update(link_totals).where(link_totals.c.name == SEQ).values(number=link_totals.c.number + many)
    return int(connection.execute(more.returning(link_totals.c.number)).scalar_one())


def _count(connection: Connection, new: Counter[str], old: Counter[str]) -> None:
    """Keep the totals; each transaction counts what it changes itself."""
    for name in sorted({*new, *old}):
        if change := new[name] - old[name]:
            total = update(link_totals).where(link_totals.c.name == str(name))
            connection.execute(total.values(number=link_totals.c.number + change))


def _row(address: Address, known: Mapping[str, Any] | None, now: datetime) -> dict[str, Any]:
    plain = {"state": str(State.UNCHECKED), "fault": None, "since": None, "checked_at": None}
    due = now if address.host else None
    return {"id": address.id, "address": address.text, "host": address.host, **plain, "next_check_at": due} | {
        **(known or {})
    }


def _known(ids: Sequence[int]) -> Any:
    return select(addresses.c.id).where(addresses.c.id.in_(ids))


def _states(ids: Sequence[int]) -> Any:
    return select(link_datasets.c.dataset_id, link_datasets.c.state).where(link_datasets.c.dataset_id.in_(ids))


def pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """In parts that one statement takes."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))
