"""What a check found: one finding a value or missing value, and the totals of many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: against the profile, against its advice, or filled in by us because the source does not say it."""

    VIOLATION = "violation"
    WARNING = "warning"
    DERIVED = "derived"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend; `resource` is the dataset, catalogue or service it was found in, `node` the part of it."""

    severity: Severity
    resource: str
    title: str
    node: str
    where: str
    path: str
    label: str
    value: str
    problem: str
    advice: str
    constraint: str
    # Several resources may share the node: it is told once.
    shared: bool = False

    @property
    def kind(self) -> tuple[Severity, str, str, str]:
        """What findings are counted by."""
        return self.severity, self.path, self.label, self.problem


@dataclass(slots=True)
class Totals:
    """Findings counted as they come; those on nodes that many datasets share are counted once."""

    datasets: int = 0
    counts: Counter[tuple[Severity, str, str, str]] = field(default_factory=Counter)
    _told: set[int] = field(default_factory=set)

    def new(self, finding: Finding) -> bool:
        """Count a finding; False when it was counted before."""
        if finding.shared:
            mark = hash((finding.node, finding.path, finding.value, finding.constraint, finding.severity))
            if mark in self._told:
                return False
            self._told.add(mark)
        self.counts[finding.kind] += 1
        return True

    def of(self, severity: Severity) -> int:
        """How many of a severity."""
        return sum(number for kind, number in self.counts.items() if kind[0] is severity)
