"""Why records are one dataset, or are not: read for people, by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from harvester.catalogue.clusters import hands
from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.reading import Link, links_of
from harvester.catalogue.tables import datasets, records, sources
from harvester.identity.clusters import Hand, Name
from harvester.identity.judge import RULES_VERSION


class Member(NamedTuple):
    """A record, as it is told; `dataset` is the public key of where it is."""

    id: int
    source: str
    guid: str
    title: str | None
    url: str | None
    status: str
    dataset: str | None

    @property
    def name(self) -> Name:
        """What it is called in every catalogue."""
        return Name(self.source, self.guid)


class Tie(NamedTuple):
    """Two records and what they are to each other; `current` when the rules of today judged so."""

    a: Member
    b: Member
    decision: str
    rule: str
    rules: int
    score: float
    evidence: tuple[str, ...]

    @property
    def current(self) -> bool:
        """Whether the rules that judged are those of today."""
        return self.rules == RULES_VERSION


class Word(NamedTuple):
    """What a person decided of records."""

    id: int
    kind: str
    who: str
    why: str | None
    at: datetime
    first: tuple[Name, ...]
    second: tuple[Name, ...]


class Explanation(NamedTuple):
    """A dataset: its records, what holds them together, what is near it, and what people decided."""

    key: str
    records: tuple[Member, ...]
    within: tuple[Tie, ...]
    near: tuple[Tie, ...]
    decisions: tuple[Word, ...]


def standing(connection: Connection, key: str) -> Any | None:
    """The row of the dataset that a public key leads to, through the ones that ended; None: there is none."""
    row = connection.execute(select(datasets).where(datasets.c.key == key)).one_or_none()
    while row is not None and row.merged_into_id is not None:
        row = connection.execute(select(datasets).where(datasets.c.id == row.merged_into_id)).one_or_none()
    return row


def explain(connection: Connection, key: str) -> Explanation | None:
    """Why the records of a dataset are one, and which ones are near it; None when no dataset has this key."""
    row = standing(connection, key)
    if row is None:
        return None
    mine = list(connection.execute(select(records.c.id).where(records.c.dataset_id == row.id)).scalars())
    found = links_of(connection, mine)
    known = members(connection, {*mine, *(one for link in found for one in (link.a, link.b))})
    inside = set(mine)
    ties = [(tie, {link.a, link.b} <= inside) for link, tie in zip(found, told(found, known), strict=True)]
    return Explanation(
        row.key,
        tuple(known[record] for record in sorted(mine)),
        tuple(tie for tie, within in ties if within),
        tuple(tie for tie, within in ties if not within),
        words(connection, hands.of(connection, (known[record].name for record in mine))),
    )


def told(found: Iterable[Link], known: Mapping[int, Member]) -> list[Tie]:
    """Links with the names of their records."""
    return [
        Tie(known[link.a], known[link.b], link.decision, link.rule, link.rules, link.score, link.evidence)
        for link in found
    ]


def members(connection: Connection, ids: Collection[int]) -> dict[int, Member]:
    """Records as they are told."""
    columns = (records.c.id, sources.c.name, records.c.guid, records.c.title, records.c.url, records.c.status)
    statement = select(*columns, datasets.c.key).join(sources, sources.c.id == records.c.source_id)
    statement = statement.outerjoin(datasets, datasets.c.id == records.c.dataset_id)
    found: dict[int, Member] = {}
    for part in pieces(ids):
        found |= {row[0]: Member(*row) for row in connection.execute(statement.where(records.c.id.in_(part)))}
    return found


def words(connection: Connection, said: Iterable[Hand]) -> tuple[Word, ...]:
    """Decisions with who made them."""
    sides = {hand.number: hand for hand in said}
    return tuple(
        Word(
            row.id,
            row.kind,
            row.who,
            row.why,
            row.at,
            tuple(sorted(sides[row.id].first)),
            tuple(sorted(sides[row.id].second)),
        )
        for row in hands.told(connection, sides.keys())
    )
