"""The verdict on a pair: whether the target says the same, is older, or says something else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from harvester.model import Dataset
from harvester.reconcile.dates import Span, later, span, span_at
from harvester.reconcile.fields import Difference, differences
from harvester.reconcile.words import Verdict

MODIFIED = "modified"


@dataclass(frozen=True, slots=True)
class Side:
    """A record with its dataset, as far as it could be read; `looked_at` is when its portal last saw the original.

    `changed_at` is when we saw it change: None where it is as it was first met.
    """

    dataset: Dataset | None
    looked_at: datetime | None = None
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on a pair: `late` is by how much the target is older, where that is so and can be told."""

    verdict: Verdict
    differing: tuple[Difference, ...] = ()
    late: timedelta | None = None
    evidence: tuple[str, ...] = ()
    reason: str | None = None


def judged(source: Side, target: Side) -> Judged:
    """The verdict on a pair of records that are one dataset."""
    if source.dataset is None or target.dataset is None:
        return Judged(Verdict.MATCHED, reason="not-compared")
    found = differences(source.dataset, target.dataset)
    times = _times(source, source.dataset, target, target.dataset)
    late, told = times.lag(bool(found))
    if late is None:
        return Judged(Verdict.DIVERGENT if found else Verdict.MATCHED, found, evidence=told)
    if not found:
        found = (Difference(MODIFIED, source.dataset.modified, target.dataset.modified),)
    return Judged(Verdict.STALE, found, late, told)


@dataclass(frozen=True, slots=True)
class _Times:
    """When the source changed, when the target last looked, and the date of the original that the target shows.

    `shown` is None where the date the target shows is its own.
    """

    changed: Span | None
    looked: Span | None
    shown: Span | None

    def lag(self, differs: bool) -> tuple[timedelta | None, tuple[str, ...]]:
        """How much older the target is, and how that is known; None where it had its chance, or nothing tells."""
        unseen = later(self.changed, self.looked)
        older = later(self.changed, self.shown)
        if unseen is not None and (differs or older is not None):
            return older or unseen, self._told("looked last at", self.looked)
        if older is not None and (differs or self.looked is None):
            return older, self._told("shows the date", self.shown)
        return None, ()

    def _told(self, did: str, when: Span | None) -> tuple[str, ...]:
        if self.changed is None or when is None:
            return ()
        return (f"the source changed at {self.changed.stated}, the target {did} {when.stated}",)


def _times(source: Side, mine: Dataset, target: Side, theirs: Dataset) -> _Times:
    stated = mine.modified or (mine.record.modified if mine.record else None)
    changed = span(stated) or span_at(source.changed_at)
    own = span(theirs.record.modified) if theirs.record else None
    shown = span(theirs.modified)
    if own and shown and _is_own(shown, own):
        # The target writes its own date: it says when the target worked on the record, not how old the original is.
        shown, own = None, own
    return _Times(changed, span_at(target.looked_at) or own, shown or (own if target.looked_at is None else None))


def _is_own(shown: Span, own: Span) -> bool:
    return shown.stated[:19] == own.stated[:19]
