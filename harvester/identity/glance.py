"""A first look at two records that share words alone: most have so little in common that no rule finds more there."""

from __future__ import annotations

from collections.abc import Set

from harvester.identity.comparing import Bond, Prose, compare_owners, compare_texts
from harvester.identity.signs import Signs
from harvester.identity.titles import strangers

# What rules may rest on whatever titles and descriptions say.
_TELLING = frozenset(("id", "url", "page", "twin"))


def unrelated(a: Signs, b: Signs, kinds: Set[str], *, same_source: bool) -> bool:
    """Whether `judge` surely finds two records different that share blocks of these kinds; False where it may not.

    Every rule that says more asks for a telling key, for descriptions of which one repeats the other, or for titles
    that are more than strangers; of two owners that exclude each other, for such descriptions in any case.
    """
    if not _TELLING.isdisjoint(kinds) or compare_texts(a, b).likeness >= Prose.TEMPLATE:
        return False
    # A source may list the editions of others, whose titles are all it takes.
    if not same_source and compare_owners(a, b) is Bond.CONFLICT:
        return True
    return strangers(a, b)
