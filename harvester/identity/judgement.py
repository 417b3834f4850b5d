"""What comes out of judging two records, and what goes in beside their signs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from harvester.identity.blocks import Block


class Decision(StrEnum):
    """What two records are to each other."""

    SAME = "same"
    PROBABLE = "probable"
    RELATED = "related"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision with the rule that made it, how sure it is (0 to 1), and the evidence in words."""

    decision: Decision
    rule: str
    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """The blocks that both records have and no more others than `LIMITS` allows."""

    blocks: frozenset[Block] = frozenset()
