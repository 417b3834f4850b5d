"""What people decide of datasets: these are one, this one is another, this is all of it; and that it holds no longer.

A decision names records by source and identifier, so that it outlives removal and every new harvest; the latest wins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine

from harvester.catalogue import clusters
from harvester.catalogue.clusters import explaining, hands
from harvester.catalogue.clusters.explaining import Explanation, Member, Tie
from harvester.catalogue.database import in_turn, writing
from harvester.catalogue.store import RunRef
from harvester.errors import UsageError
from harvester.identity.clusters import JOIN, PIN, SPLIT, Hand, Name

_BY_HAND = RunRef(0, 0, "")


def explained(connection: Connection, key: str) -> Explanation:
    """Why the records of a dataset are one.  Raises `UsageError` when no dataset has this key."""
    found = explaining.explain(connection, key)
    if found is None:
        raise UsageError(f"there is no dataset {key[:64]!r}", code="unknown-dataset")
    return found


def join(engine: Engine, keys: Sequence[str], who: str, why: str | None, now: datetime) -> str:
    """Let datasets be one; answers its key.  Raises `UsageError`: one is unknown, or they are one already."""
    with writing(engine) as connection:
        in_turn(connection)
        found = [explained(connection, key) for key in keys]
        if len({one.key for one in found}) < 2:
            raise UsageError("these are one dataset already", code="same-dataset")
        members = [member for one in found for member in one.records]
        return _decide(connection, Hand(0, JOIN, _names(members)), members, who, why, now)


def split(
    engine: Engine, key: str, names: Collection[Name], who: str, why: str | None, now: datetime
) -> tuple[str, str]:
    """Let records be no part of a dataset; answers the keys of both.  Raises `UsageError` when it cannot be."""
    with writing(engine) as connection:
        in_turn(connection)
        members = explained(connection, key).records
        strange = set(names) - {member.name for member in members}
        if strange or not names:
            told = "/".join(min(strange)) if strange else "nothing"
            raise UsageError(f"{told!r} is no record of this dataset", code="unknown-record")
        apart = [member for member in members if member.name in names]
        stay = [member for member in members if member.name not in names]
        if not stay:
            raise UsageError("all records of a dataset cannot be split from it", code="nothing-left")
        kept = _decide(connection, Hand(0, SPLIT, _names(apart), _names(stay)), [*stay, *apart], who, why, now)
        gone = explaining.members(connection, [apart[0].id])[apart[0].id].dataset
        return kept, gone or kept


def pin(engine: Engine, key: str, who: str, why: str | None, now: datetime) -> str:
    """Let a dataset have just the records that it has, whatever rules say later; answers its key."""
    with writing(engine) as connection:
        in_turn(connection)
        members = explained(connection, key).records
        return _decide(connection, Hand(0, PIN, _names(members)), members, who, why, now)


def undo(engine: Engine, key: str, kind: str, who: str, now: datetime) -> int:
    """Let the latest decision of a kind on a dataset hold no longer; answers its number.

    Raises `UsageError` when there is none.
    """
    with writing(engine) as connection:
        in_turn(connection)
        found = explained(connection, key)
        latest = next((word for word in found.decisions if word.kind == kind), None)
        if latest is None:
            raise UsageError(f"nobody decided to {kind} this dataset", code="unknown-decision")
        hands.undo(connection, latest.id, who, now)
        named = hands.ids_of(connection, (*latest.first, *latest.second))
        clusters.look_at(connection, _BY_HAND, {*named.values(), *(m.id for m in found.records)}, now)
        return latest.id


def probable(
    connection: Connection, after: tuple[int, int] = (0, 0), limit: int = 100
) -> tuple[list[Tie], tuple[int, int] | None]:
    """Pairs that a person should look at, along their numbers; and where to go on, None at the end."""
    found = clusters.of_decision(connection, "probable", after, limit)
    known = explaining.members(connection, {one for link in found for one in (link.a, link.b)})
    last = (found[-1].a, found[-1].b) if len(found) == limit else None
    ties = explaining.told(found, known)
    return [tie for tie in ties if tie.a.dataset != tie.b.dataset], last


def _names(members: Iterable[Member]) -> frozenset[Name]:
    return frozenset(member.name for member in members)


def _decide(
    connection: Connection, hand: Hand, members: Sequence[Member], who: str, why: str | None, now: datetime
) -> str:
    hands.add(connection, hand, who, why, now)
    clusters.look_at(connection, _BY_HAND, [member.id for member in members], now)
    home = explaining.members(connection, [members[0].id])[members[0].id].dataset
    return home or ""
