"""One line of a reconciliation: a record, a pair or a copy with its verdict, and how it is kept, shown and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from sqlalchemy import Row

from harvester.net.urls import redacted
from harvester.reconcile.words import Verdict, todo, why


@dataclass(frozen=True, slots=True)
class Named:
    """A record as people look it up: its identifier, title, page and date at its portal."""

    guid: str
    title: str | None = None
    url: str | None = None
    modified: str | None = None

    @classmethod
    def of(cls, row: Row[Any]) -> Named:
        """The record of a row of `records`."""
        return cls(row.guid, row.title, row.url and redacted(row.url), row.modified)

    def plain(self) -> dict[str, str | None]:
        """As JSON."""
        return {"id": self.guid, "title": self.title, "url": self.url, "modified": self.modified}


@dataclass(frozen=True, slots=True)
class Line:
    """A verdict with what it rests on; `fields` are differences as JSON, `was` is the verdict of the time before."""

    verdict: Verdict
    source: Named | None
    target: Named | None
    reason: str | None = None
    told: str = ""
    late: timedelta | None = None
    fields: tuple[Mapping[str, Any], ...] = ()
    evidence: tuple[str, ...] = ()
    was: str | None = None
    number: int = 0
    source_record_id: int | None = field(default=None, compare=False)
    target_record_id: int | None = field(default=None, compare=False)

    @property
    def mark(self) -> bytes:
        """The same for the same record in every reconciliation of a source with a target."""
        theirs = self.verdict in (Verdict.ORPHAN, Verdict.DUPLICATE, Verdict.OUTSIDE) or self.source is None
        named = self.target if theirs else self.source
        return blake2b(
            f"{'t' if theirs else 's'}:{named and named.guid}".encode("utf-8", "replace"), digest_size=16
        ).digest()

    @property
    def why(self) -> str:
        """The reason in words, with what it rests on."""
        return ": ".join(part for part in (why(self.reason), self.told) if part)

    @property
    def todo(self) -> str:
        """What to do about it."""
        return todo(self.verdict, self.reason)

    @property
    def days(self) -> float | None:
        """By how many days the target is older."""
        return None if self.late is None else round(self.late.total_seconds() / 86_400, 2)

    def body(self) -> dict[str, Any]:
        """What is kept beside the columns."""
        return {
            "source": self.source and self.source.plain(),
            "target": self.target and self.target.plain(),
            "told": self.told,
            "late": self.late and self.late.total_seconds(),
            "fields": list(self.fields),
            "evidence": list(self.evidence),
        }

    @classmethod
    def kept(cls, row: Row[Any], body: Mapping[str, Any]) -> Line:
        """The line that was kept."""
        source, target = (body[side] and Named(**_renamed(body[side])) for side in ("source", "target"))
        late = None if body["late"] is None else timedelta(seconds=body["late"])
        return cls(
            Verdict(row.verdict), source, target, row.reason, body["told"], late, tuple(body["fields"]),
            tuple(body["evidence"]), row.was, row.number, row.source_record_id, row.target_record_id,
        )  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "number": self.number,
            "verdict": str(self.verdict),
            "reason": self.reason,
            "why": self.why,
            "source": self.source and self.source.plain(),
            "target": self.target and self.target.plain(),
            "late_days": self.days,
            "fields": list(self.fields),
            "evidence": list(self.evidence),
            "was": self.was,
            "todo": self.todo,
        }


def _renamed(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {("guid" if name == "id" else name): value for name, value in plain.items()}
