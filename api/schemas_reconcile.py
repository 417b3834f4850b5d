"""What the endpoints of reconciliations take and answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Shape

_AT = "2026-03-01T12:00:00Z"


class NewReconciliation(BaseModel):
    """Which two sources to compare."""

    model_config = ConfigDict(extra="forbid")

    source: str = Field(max_length=100, description="Name of the producer's portal.", examples=["paris"])
    target: str = Field(max_length=100, description="Name of the portal that should hold it.", examples=["national"])


class Candidate(BaseModel):
    """A portal that is not a source yet."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=2000, description="Its address.", examples=["https://data.example.org"])
    sample: int = Field(100, ge=1, le=500, description="How many of its records to look at.", examples=[100])


class ReconciliationOut(Shape):
    """A reconciliation: where it stands, and what it came to."""

    id: int = Field(examples=[7])
    source: str = Field(examples=["paris"])
    target: str = Field(examples=["national"])
    status: str = Field(description="queued, running, succeeded, failed or cancelled.", examples=["succeeded"])
    queued_at: datetime = Field(examples=[_AT])
    started_at: datetime | None = Field(description="Null: it has not begun.", examples=[_AT])
    ended_at: datetime | None = Field(description="Null: it has not ended.", examples=[_AT])
    stage: str | None = Field(description="What is being done; null: nothing.", examples=[None])
    done: int = Field(description="Records gone over in this stage.", examples=[0])
    total: int | None = Field(description="Of this stage; null: unknown.", examples=[None])
    message: str | None = Field(description="Null: nothing to say.", examples=[None])
    counts: dict[str, Any] | None = Field(
        description="Verdicts, reasons, fields that differ, both totals, what changed since the time before; "
        "null: it has not succeeded.",
        examples=[{"verdicts": {"matched": 120, "missing": 4}, "reasons": {"missing": {"newer": 4}}}],
    )
    summary: list[str] = Field(description="The same in words.", examples=[["paris -> national: 120 of 124 arrived."]])
    lines: int = Field(description="Lines that can be read; 0: none, or let go.", examples=[124])
    previous: int | None = Field(description="The one before, of the same two; null: none.", examples=[3])


class ReconciliationList(Shape):
    """A page of reconciliations, newest first."""

    reconciliations: list[ReconciliationOut]
    next: str | None = Field(examples=["/api/reconciliations?before=7"])


class RecordNameOut(Shape):
    """A record as it is looked up at its portal."""

    id: str = Field(examples=["accidents-2024"])
    title: str | None = Field(description="Null: untitled.", examples=["Accidents"])
    url: str | None = Field(description="Null: none is known.", examples=["https://p.example/d"])
    modified: str | None = Field(description="As its portal states it; null: it does not.", examples=["2026-01-31"])


class VerdictOut(Shape):
    """The verdict on a record, a pair of records, or a copy."""

    number: int = Field(examples=[17])
    verdict: str = Field(examples=["stale"])
    reason: str | None = Field(description="Null: the verdict says it all.", examples=[None])
    why: str = Field(description="The reason in words.", examples=[""])
    source: RecordNameOut | None = Field(description="Null: nothing of the source stands for it.")
    target: RecordNameOut | None = Field(description="Null: nothing of the target stands for it.")
    late_days: float | None = Field(description="How much older the target is; null: unknown.", examples=[3.5])
    fields: list[dict[str, Any]] = Field(
        description="Fields that differ, with what each side says.",
        examples=[[{"field": "title", "source": "A", "target": "B", "note": "", "words": "title: A -> B"}]],
    )
    evidence: list[str] = Field(examples=[["the target names it by its identifier at the source"]])
    was: str | None = Field(description="Its verdict the time before; null: it was not there.", examples=["matched"])
    todo: str = Field(description="What to do about it.", examples=["Ask for a new harvest of the target."])


class VerdictList(Shape):
    """A page of verdicts."""

    lines: list[VerdictOut]
    next: str | None = Field(examples=["/api/reconciliations/7/lines?after=17"])


class CellOut(Shape):
    """How much of a source a target has."""

    source: str = Field(examples=["paris"])
    records: int = Field(examples=[124])
    arrived: int = Field(examples=[120])
    share: float | None = Field(description="Null: the source is empty.", examples=[0.9677])
    verdicts: dict[str, int] | None = Field(
        description="Of the last reconciliation; null: the number is that of shared datasets.", examples=[None]
    )
    reconciliation: int | None = Field(description="Null: as above.", examples=[None])


class MatrixOut(Shape):
    """A page of sources against a target."""

    cells: list[CellOut]
    next: str | None = Field(examples=["/api/reconciliations/matrix?target=national&after=paris"])


class PlacesOut(Shape):
    """A page of the records of a source, each with where else it is."""

    records: list[dict[str, Any]] = Field(
        examples=[[{"record": {"id": "a"}, "elsewhere": [{"source": "national", "verdict": "matched"}]}]]
    )
    next: str | None = Field(examples=["/api/reconciliations/elsewhere?source=paris&after=17"])


class AdviceOut(Shape):
    """How much of a portal is here already."""

    looked_at: int = Field(examples=[100])
    advertised: int | None = Field(description="Null: the portal states no number.", examples=[1200])
    through: list[dict[str, Any]] = Field(
        examples=[[{"source": "national", "found": 94, "share": 0.94, "older_days": 12.0, "words": "94 % ..."}]]
    )
