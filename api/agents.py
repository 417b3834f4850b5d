"""Publishers, each one agent across portals: with its names, what joins them, and what people decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import Field

from api.auth import Who, allowed
from api.deps import After, Database, Limit, Number, Reading
from api.errors import documented
from api.links import link
from api.schemas import Shape
from api.secrets import hidden_url
from harvester import publishers as deciding
from harvester.catalogue import publishers
from harvester.catalogue.publishers import AgentView, NameView
from harvester.schedule import utcnow

router = APIRouter(prefix="/api/agents", tags=["agents"])
Decider = Annotated[Who, Depends(allowed("run"))]
AgentKey = Annotated[str, Path(description="Key of the agent.", max_length=64, examples=["q2m5dzr7ttq5k3vx"])]
Words = Annotated[
    str, Query(description="Words of its names, whatever their accents.", max_length=300, examples=["insee"])
]
REFUSED = documented(400, 401, 403, 404)
_AT = "2026-03-01T12:00:00Z"


class AgentIn(Shape):
    """What an agent is given."""

    name: str | None = Field(
        None,
        max_length=deciding.LONGEST_NAME,
        description='What to call it; "" lets the rules choose.',
        examples=["INSEE"],
    )
    names: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="Numbers of names, and keys of other agents, that are this one's.",
        examples=[["17", "q2m5dzr7ttq5k3vx"]],
    )


class AgentOut(Shape):
    """A publisher."""

    key: str = Field(examples=["q2m5dzr7ttq5k3vx"])
    name: str = Field(examples=["INSEE"])
    names: dict[str, str] = Field(description="By language; the empty one is unknown.", examples=[{"fr": "INSEE"}])
    identifiers: list[str] = Field(description="Registered numbers.", examples=[["SIREN 120027016"]])
    datasets: int = Field(description="Visible datasets that it publishes.", examples=[512])
    first_seen_at: datetime = Field(examples=[_AT])
    url: str = Field(examples=["/api/agents/q2m5dzr7ttq5k3vx"])


class NameOut(Shape):
    """How a source shows an agent."""

    id: int = Field(examples=[17])
    source: str = Field(examples=["paris"])
    text: str = Field(examples=["Insee"])
    identifiers: list[str] = Field(examples=[["120027016"]])
    page: str | None = Field(
        description="Its IRI or homepage there.", examples=["https://example.org/organizations/insee"]
    )
    datasets: int = Field(examples=[12])
    first_seen_at: datetime = Field(examples=[_AT])
    by_hand: bool = Field(description="Whether a person decided whose name it is.", examples=[False])


class JointOut(Shape):
    """Why two names are one agent's."""

    a: int = Field(description="Number of a name.", examples=[17])
    b: int = Field(examples=[18])
    rule: str = Field(description="by hand, number, page, local, name, acronym or domain.", examples=["acronym"])
    why: str = Field(examples=["INSEE is spelt out as 'institut national statistique' in FR"])


class DecisionOut(Shape):
    """What a person decided about an agent."""

    at: datetime = Field(examples=[_AT])
    by: str = Field(examples=["ann"])
    action: str = Field(description="map, unmap, release or name.", examples=["map"])
    name: int | None = Field(description="null: it is about the agent itself.", examples=[17])
    text: str | None = Field(description="The name that was given.", examples=["INSEE"])


class WholeAgentOut(AgentOut):
    """A publisher with everything that is known of it."""

    named_by: str | None = Field(description="Who chose its name; null: the rules.", examples=["ann"])
    rules: int = Field(description="Version of the rules.", examples=[1])
    names_seen: list[NameOut]
    evidence: list[JointOut]
    decisions: list[DecisionOut]


class AgentList(Shape):
    """A page of agents."""

    agents: list[AgentOut]
    next: str | None = Field(examples=["/api/agents?after=100"])


@router.get("", responses=documented(), summary="Every publisher, once")
def listed(connection: Reading, q: Words = "", after: After = 0, limit: Limit = 100) -> AgentList:
    """By age; with `q`, those that have a name with these words."""
    plain = q.replace("\x00", "")
    found = publishers.agent_list(connection, plain, after, limit)
    more: dict[str, Any] = {"after": found[-1].id, "limit": limit} if len(found) == limit else {}
    following = link("/api/agents", **({"q": plain} if plain else {}), **more) if more else None
    return AgentList(agents=[AgentOut(**_short(view)) for view in found], next=following)


@router.get("/{key}", responses=documented(404), summary="One publisher")
def one(key: AgentKey, connection: Reading) -> WholeAgentOut:
    """With every name, why they are one agent's, and what people decided; one that ended answers with its successor."""
    return _whole(deciding.found(connection, key))


@router.patch("/{key}", tags=["administration"], responses=REFUSED, summary="Give a publisher names, or another name")
def edit(key: AgentKey, wanted: AgentIn, engine: Database, who: Decider) -> WholeAgentOut:
    """It wins over the rules for ever; the agents whose names are all given away end in this one."""
    for name in wanted.names:
        deciding.give(engine, name, key, who.name, utcnow())
    if wanted.name is not None:
        return _whole(deciding.call(engine, key, wanted.name, who.name, utcnow()))
    with engine.connect() as connection:
        return _whole(deciding.found(connection, key))


@router.post("/names/{id}/unmap", tags=["administration"], responses=REFUSED, summary="Take a name from its publisher")
def unmap(id: Number, engine: Database, who: Decider) -> WholeAgentOut:
    """No rule brings it back; answers the agent that the name is of now."""
    return _whole(deciding.take(engine, str(id), who.name, utcnow()))


@router.post(
    "/names/{id}/release", tags=["administration"], responses=REFUSED, summary="Let the rules decide on a name"
)
def release(id: Number, engine: Database, who: Decider) -> WholeAgentOut:
    """Undoes what a person decided on it; answers the agent that the name is of now."""
    return _whole(deciding.release(engine, str(id), who.name, utcnow()))


def _short(view: AgentView) -> dict[str, Any]:
    return {
        "key": view.key,
        "name": view.name,
        "names": dict(view.names),
        "identifiers": [" ".join(pair) for pair in view.identifiers],
        "datasets": view.datasets,
        "first_seen_at": view.first_seen_at,
        "url": f"/api/agents/{view.key}",
    }


def _whole(view: AgentView) -> WholeAgentOut:
    return WholeAgentOut(
        **_short(view),
        named_by=view.named_by,
        rules=deciding.RULES,
        names_seen=[_name(name) for name in view.names_seen],
        evidence=[JointOut(**joint._asdict()) for joint in view.evidence],
        decisions=[
            DecisionOut(at=row.at, by=row.by, action=row.action, name=row.name_id, text=row.text)
            for row in view.decisions
        ],
    )


def _name(name: NameView) -> NameOut:
    page = name.uri or name.homepage
    return NameOut(
        id=name.id,
        source=name.source,
        text=name.text,
        identifiers=list(name.identifiers),
        page=hidden_url(page) if page else None,
        datasets=name.datasets,
        first_seen_at=name.first_seen_at,
        by_hand=name.by_hand,
    )
