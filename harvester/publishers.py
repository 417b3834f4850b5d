"""What people decide about publishers: whose name it is, and what an agent is called.  It wins for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, insert, select, update

from harvester.agents.grouping import ALONE
from harvester.agents.grouping import RULES as RULES
from harvester.catalogue import agents as writes
from harvester.catalogue import publishers
from harvester.catalogue.database import in_turn, writing
from harvester.catalogue.publishers import AgentView
from harvester.catalogue.tables import agent_decisions, agent_names, agents
from harvester.errors import UsageError

LONGEST_NAME = 300


def found(connection: Connection, key: str) -> AgentView:
    """The agent of this key.  Raises `UsageError` (`unknown-agent`) when there is none."""
    view = publishers.agent_by_key(connection, key) if key.isalnum() else None
    if view is None:
        raise UsageError(f"there is no agent {key!r}; `harvester agent list` names them", code="unknown-agent")
    return view


def give(engine: Engine, what: str, key: str, by: str, now: datetime) -> AgentView:
    """Give a name (its number), or every name of an agent (its key), to the agent of `key`; answers that agent.

    Raises `UsageError` for what does not exist.
    """
    with writing(engine) as connection:
        in_turn(connection)
        target = found(connection, key)
        given = _names(connection, what)
        own = _first(connection, target.id)
        for name_id in {*given, own}:
            _pin(connection, name_id, target.key)
        _decided(connection, "map", given if what.isdigit() else [None], target.key, by, now)
        writes.regroup(connection, [*given, own], now)
        return found(connection, target.key)


def take(engine: Engine, name: str, by: str, now: datetime) -> AgentView:
    """Take a name (its number) away from its agent: it is another's, and no rule brings it back; answers that one.

    Raises `UsageError` for what does not exist.
    """
    with writing(engine) as connection:
        in_turn(connection)
        (name_id,) = _named(connection, name)
        owner = publishers.agent_of_name(connection, name_id)
        digest = connection.execute(select(agent_names.c.digest).where(agent_names.c.id == name_id)).scalar_one()
        _pin(connection, name_id, f"{ALONE}{writes.key_of(digest)}")
        _decided(connection, "unmap", [name_id], owner.key if owner else "", by, now)
        writes.regroup(connection, [name_id], now)
        return _owner(connection, name_id)


def release(engine: Engine, name: str, by: str, now: datetime) -> AgentView:
    """Let the rules decide again whose name it is; answers its agent.  Raises `UsageError` for what does not exist."""
    with writing(engine) as connection:
        in_turn(connection)
        (name_id,) = _named(connection, name)
        owner = publishers.agent_of_name(connection, name_id)
        _pin(connection, name_id, None)
        _decided(connection, "release", [name_id], owner.key if owner else "", by, now)
        writes.regroup(connection, [name_id], now)
        return _owner(connection, name_id)


def call(engine: Engine, key: str, text: str, by: str, now: datetime) -> AgentView:
    """Give an agent a name, or with "" let the rules choose one; answers it.  Raises `UsageError` for no agent."""
    with writing(engine) as connection:
        in_turn(connection)
        agent = found(connection, key)
        plain = " ".join(text.split())[:LONGEST_NAME]
        values = {"name": plain, "named_by": by[:100]} if plain else {"named_by": None}
        connection.execute(update(agents).where(agents.c.id == agent.id).values(**values))
        _decided(connection, "name", [None], agent.key, by, now, plain)
        writes.renamed(connection, agent.id, now)
        return found(connection, agent.key)


def _names(connection: Connection, what: str) -> list[int]:
    if what.isdigit():
        return _named(connection, what)
    agent = found(connection, what)
    mine = select(agent_names.c.id).where(agent_names.c.agent_id == agent.id).order_by(agent_names.c.id)
    return list(connection.execute(mine).scalars())


def _named(connection: Connection, name: str) -> list[int]:
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 19 else 0
    row = connection.execute(select(agent_names.c.id).where(agent_names.c.id == number)).one_or_none()
    if row is None:
        raise UsageError(f"there is no name {name!r}; `harvester agent show` numbers them", code="unknown-name")
    return [row.id]


def _owner(connection: Connection, name_id: int) -> AgentView:
    owner = publishers.agent_of_name(connection, name_id)
    return found(connection, owner.key if owner else "")


def _first(connection: Connection, agent_id: int) -> int:
    """A name that stands for the agent; those that people gave it come first."""
    mine = select(agent_names.c.id).where(agent_names.c.agent_id == agent_id)
    order = (agent_names.c.pin.is_(None), agent_names.c.id)
    return int(connection.execute(mine.order_by(*order).limit(1)).scalar_one())


def _pin(connection: Connection, name_id: int, pin: str | None) -> None:
    connection.execute(update(agent_names).where(agent_names.c.id == name_id).values(pin=pin))


def _decided(
    connection: Connection,
    action: str,
    name_ids: Sequence[int | None],
    key: str,
    by: str,
    now: datetime,
    text: str | None = None,
) -> None:
    told = {"at": now, "by": by[:100], "action": action, "agent_key": key, "text": text}
    connection.execute(insert(agent_decisions), [{**told, "name_id": name_id} for name_id in name_ids])
