"""Why records are one dataset, pairs for review, and what people decide of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field
from sqlalchemy import Engine

from api.auth import Who, allowed
from api.deps import Database, DatasetKey, Limit, Reading
from api.errors import documented
from api.links import link
from api.schemas import Shape
from api.secrets import hidden_url
from harvester import deciding
from harvester.catalogue.clusters.explaining import Explanation, Member, Tie, Word
from harvester.identity.clusters import Name
from harvester.schedule import utcnow

router = APIRouter(prefix="/api", tags=["identity"])
Decider = Annotated[Who, Depends(allowed("run"))]
REFUSED = documented(401, 403, 404, 409)


class MemberOut(Shape):
    """A record of a source."""

    source: str = Field(examples=["paris"])
    guid: str = Field(examples=["accidents-2024"])
    title: str | None = Field(description="Null: untitled.", examples=["Accidents"])
    url: str | None = Field(
        description="Its page at the source; null: none is known.", examples=["https://p.example/d"]
    )
    status: str = Field(description="active or retired.", examples=["active"])
    dataset: str | None = Field(description="Public key of its dataset.", examples=["k3vxq2m5dzr7ttq5"])


class TieOut(Shape):
    """Two records and what they are to each other."""

    a: MemberOut
    b: MemberOut
    decision: str = Field(description="same, probable or related.", examples=["same"])
    rule: str = Field(description="The rule that decided.", examples=["identifier"])
    rules: int = Field(description="Version of the rules.", examples=[1])
    current: bool = Field(description="Whether these are the rules of today.", examples=[True])
    score: float = Field(description="How sure it is, 0 to 1.", examples=[0.99])
    evidence: list[str] = Field(examples=[["both have one identifier"]])


class DecisionOut(Shape):
    """What a person decided of records; the latest one wins."""

    id: int = Field(examples=[3])
    kind: str = Field(description="join, split or pin.", examples=["split"])
    who: str = Field(examples=["editor"])
    why: str | None = Field(description="Null: no reason was given.", examples=["two councils"])
    at: datetime = Field(examples=["2026-03-01T12:00:00Z"])
    first: list[list[str]] = Field(description="Records, as source and identifier.", examples=[[["paris", "a"]]])
    second: list[list[str]] = Field(description="Of a split: what the first are apart from.", examples=[[]])


class IdentityOut(Shape):
    """A dataset: its records, what holds them together, what is near it, and what people decided."""

    key: str = Field(description="Another one than was asked for: that one ended here.", examples=["k3vxq2m5dzr7ttq5"])
    records: list[MemberOut]
    within: list[TieOut]
    near: list[TieOut]
    decisions: list[DecisionOut]


class ProbableList(Shape):
    """A page of pairs for review."""

    pairs: list[TieOut]
    next: str | None = Field(examples=["/api/identity/probable?after=17-29"])


class Reasoned(Shape):
    """A decision."""

    why: str | None = Field(
        default=None, description="A reason, kept with it.", max_length=2000, examples=["same data"]
    )


class Joining(Reasoned):
    """Which datasets are one with this one."""

    keys: list[str] = Field(min_length=1, max_length=20, examples=[["x3vxq2m5dzr7ttq6"]])


class Splitting(Reasoned):
    """Which records are no part of this dataset, as source and identifier."""

    records: list[tuple[str, str]] = Field(min_length=1, max_length=500, examples=[[["paris", "accidents-2024"]]])


class Undoing(Shape):
    """Which kind of decision holds no longer."""

    kind: Literal["join", "split", "pin"] = Field(examples=["split"])


@router.get("/datasets/{key}/identity", responses=documented(404), summary="Why the records of a dataset are one")
def identity(key: DatasetKey, connection: Reading) -> IdentityOut:
    """The evidence of every link, pairs that are only probable or related, and what people decided."""
    return _out(deciding.explained(connection, key))


@router.get("/identity/probable", responses=documented(), summary="Pairs of datasets that may be one")
def probable(
    connection: Reading,
    limit: Limit = 100,
    after: Annotated[
        str, Query(pattern=r"^\d{1,18}-\d{1,18}$", description="Continue after this pair.", examples=["0-0"])
    ] = "0-0",
) -> ProbableList:
    """For a person to join or to leave; a page may be shorter than asked for."""
    first, _, second = after.partition("-")
    ties, last = deciding.probable(connection, (int(first), int(second)), limit)
    more = link("/api/identity/probable", after=f"{last[0]}-{last[1]}", limit=limit) if last else None
    return ProbableList(pairs=[_tie(tie) for tie in ties], next=more)


@router.post("/datasets/{key}/join", responses=REFUSED, summary="Let datasets be one")
def join(key: DatasetKey, body: Joining, engine: Database, who: Decider) -> IdentityOut:
    """Whatever rules say, now and later; the ended ones lead to the one that goes on."""
    return _shown(engine, deciding.join(engine, [key, *body.keys], who.name, body.why, utcnow()))


@router.post("/datasets/{key}/split", responses=REFUSED, summary="Let records be no part of a dataset")
def split(key: DatasetKey, body: Splitting, engine: Database, who: Decider) -> IdentityOut:
    """Whatever rules say, now and later; the part with the founding record keeps the key."""
    names = [Name(*name) for name in body.records]
    return _shown(engine, deciding.split(engine, key, names, who.name, body.why, utcnow())[0])


@router.post("/datasets/{key}/pin", responses=REFUSED, summary="Let a dataset have just the records that it has")
def pin(key: DatasetKey, body: Reasoned, engine: Database, who: Decider) -> IdentityOut:
    """Whatever rules say later."""
    return _shown(engine, deciding.pin(engine, key, who.name, body.why, utcnow()))


@router.post("/datasets/{key}/undo", responses=REFUSED, summary="Let a decision hold no longer")
def undo(key: DatasetKey, body: Undoing, engine: Database, who: Decider) -> IdentityOut:
    """The latest one of its kind on this dataset; what it decided is left to the rules again."""
    deciding.undo(engine, key, body.kind, who.name, utcnow())
    return _shown(engine, key)


def _shown(engine: Engine, key: str) -> IdentityOut:
    with engine.connect() as connection:
        return _out(deciding.explained(connection, key))


def _out(found: Explanation) -> IdentityOut:
    return IdentityOut(
        key=found.key,
        records=[_member(member) for member in found.records],
        within=[_tie(tie) for tie in found.within],
        near=[_tie(tie) for tie in found.near],
        decisions=[_decision(word) for word in found.decisions],
    )


def _member(member: Member) -> MemberOut:
    known = member._asdict() | {"url": member.url and hidden_url(member.url)}
    known.pop("id")
    return MemberOut(**known)


def _tie(tie: Tie) -> TieOut:
    known = tie._asdict() | {"a": _member(tie.a), "b": _member(tie.b), "evidence": list(tie.evidence)}
    return TieOut(**known, current=tie.current)


def _decision(word: Word) -> DecisionOut:
    known = word._asdict() | {"first": [*map(list, word.first)], "second": [*map(list, word.second)]}
    return DecisionOut(**known)
