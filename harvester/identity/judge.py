"""Whether two records are one dataset, and why: hard keys, then files, then text under vetoes."""

from __future__ import annotations

from harvester.identity.case import case_of
from harvester.identity.judgement import Decision as Decision
from harvester.identity.judgement import Judgement as Judgement
from harvester.identity.judgement import Shared as Shared
from harvester.identity.rules import CROSSING, WITHIN
from harvester.identity.signs import Signs

# Raised with every change of what a pair is judged to be.
RULES_VERSION = 2


def judge(a: Signs, b: Signs, *, shared: Shared, same_source: bool, telling: bool = True) -> Judgement:
    """What `a` and `b` are to each other; the same whichever comes first.

    Inside one source nobody is expected to list a dataset twice: there a key alone joins nothing, and text never.
    The words of the evidence are a third of the work; who asks for the decision alone goes without (`telling`).
    """
    case = case_of(a, b, shared, telling) if _first(a, b) else case_of(b, a, shared, telling)
    return next(found for rule in (WITHIN if same_source else CROSSING) if (found := rule(case)))


def _first(a: Signs, b: Signs) -> bool:
    """Whether `a` comes first; they are compared whole only where they have one name."""
    one, other = (a.guid, a.host, a.titles), (b.guid, b.host, b.titles)
    return one < other if one != other else a <= b
