"""Who publishes: reads.  Agents with their names, their evidence and the number of their datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, exists, func, select

from harvester.agents import grouped
from harvester.catalogue import agents as writes
from harvester.catalogue.forms import Ref
from harvester.catalogue.tables import agent_decisions, agent_names, agents, published

MOST_NAMES = 500
_LIKE = str.maketrans({"%": r"\%", "_": r"\_", "\\": r"\\"})


class NameView(NamedTuple):
    """How a source shows an agent, on how many datasets; `by_hand` where a person decided whose name it is."""

    id: int
    source: str
    text: str
    identifiers: tuple[str, ...]
    uri: str
    homepage: str
    datasets: int
    first_seen_at: datetime
    by_hand: bool


class Joint(NamedTuple):
    """Why two names are one agent's."""

    a: int
    b: int
    rule: str
    why: str


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent; `names_seen` and `evidence` are only told by `agent_by_key`."""

    id: int
    key: str
    name: str
    named_by: str | None
    names: Mapping[str, str]
    identifiers: tuple[tuple[str, str], ...]
    first_seen_at: datetime
    datasets: int
    names_seen: tuple[NameView, ...] = ()
    evidence: tuple[Joint, ...] = ()
    decisions: tuple[Row[Any], ...] = field(default=())


def agent_list(connection: Connection, q: str = "", after: int = 0, limit: int = 100) -> list[AgentView]:
    """Agents along their ascending id, from `after` (exclusive); those with a name that has these words."""
    statement = select(agents).where(agents.c.merged_into_id.is_(None), agents.c.id > after)
    for word in writes.folded(q).split():
        named = agent_names.c.folded.like(f"%{word.translate(_LIKE)}%", escape="\\")
        statement = statement.where(exists().where(agent_names.c.agent_id == agents.c.id, named))
    rows = connection.execute(statement.order_by(agents.c.id).limit(limit)).all()
    numbers = counts(connection, [row.id for row in rows])
    return [_view(row, numbers.get(row.id, 0)) for row in rows]


def agent_by_key(connection: Connection, key: str) -> AgentView | None:
    """One agent, whole; one that became part of another answers with that one."""
    row = connection.execute(select(agents).where(agents.c.key == key)).one_or_none()
    while row is not None and row.merged_into_id is not None:
        row = connection.execute(select(agents).where(agents.c.id == row.merged_into_id)).one_or_none()
    if row is None:
        return None
    seen = _names(connection, row.id)
    view = _view(row, counts(connection, [row.id]).get(row.id, 0))
    decisions = select(agent_decisions).where(agent_decisions.c.agent_key == row.key)
    found = tuple(connection.execute(decisions.order_by(agent_decisions.c.id).limit(MOST_NAMES)))
    return replace(view, names_seen=seen, evidence=evidence(connection, row.id), decisions=found)


def evidence(connection: Connection, agent_id: int) -> tuple[Joint, ...]:
    """What joins the names of an agent, as the rules judge them now."""
    mine = select(agent_names.c.id).where(agent_names.c.agent_id == agent_id).order_by(agent_names.c.id)
    first = connection.execute(mine.limit(1)).scalar_one_or_none()
    known = writes.neighbourhood(connection, [] if first is None else [first])
    ids = {each.face.digest: each.id for each in known}
    own = {each.face.digest for each in known if each.agent_id == agent_id}
    groups = grouped([each.face for each in known], writes.pins(known))
    edges = {edge for group in groups for edge in group.edges if edge.a in own and edge.b in own}
    told = {((ids[edge.a], ids[edge.b]), edge.rule, edge.why) for edge in edges}
    joints = sorted(Joint(min(pair), max(pair), rule, why) for pair, rule, why in told)
    return tuple(joints[:MOST_NAMES])


def counts(connection: Connection, agent_ids: Sequence[int]) -> dict[int, int]:
    """agent id -> number of visible datasets that it publishes."""
    counted: Select[Any] = select(agent_names.c.agent_id, func.count())
    counted = counted.join(published, published.c.name_id == agent_names.c.id)
    counted = counted.where(agent_names.c.agent_id.in_(agent_ids)).group_by(agent_names.c.agent_id)
    return {agent_id: number for agent_id, number in connection.execute(counted)}


def agent_of_name(connection: Connection, name_id: int) -> Ref | None:
    """Whose name it is; None when there is no such name."""
    joined = select(agents.c.key, agents.c.name).join(agent_names, agent_names.c.agent_id == agents.c.id)
    row = connection.execute(joined.where(agent_names.c.id == name_id)).one_or_none()
    return None if row is None else Ref(row.key, row.name)


def _names(connection: Connection, agent_id: int) -> tuple[NameView, ...]:
    number = select(func.count()).select_from(published).where(published.c.name_id == agent_names.c.id)
    statement = select(agent_names, number.scalar_subquery().label("datasets"))
    statement = statement.where(agent_names.c.agent_id == agent_id).order_by(agent_names.c.id).limit(MOST_NAMES)
    return tuple(
        NameView(
            row.id, row.source, row.text, tuple(row.face["identifiers"]), row.face["uri"], row.face["homepage"],
            row.datasets, row.first_seen_at, row.pin is not None,
        )
        for row in connection.execute(statement)
    )  # fmt: skip


def _view(row: Row[Any], number: int) -> AgentView:
    identifiers = tuple((scheme, value) for scheme, value in row.identifiers)
    return AgentView(row.id, row.key, row.name, row.named_by, row.names, identifiers, row.first_seen_at, number)
