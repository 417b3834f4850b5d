"""The first look at two records: it calls different only what the rules call different."""

from __future__ import annotations

from collections.abc import Set
from itertools import combinations

import pytest

from harvester.identity.blocks import LIMITS, Block
from harvester.identity.glance import unrelated
from harvester.identity.judge import Decision, Shared, judge
from harvester.identity.signs import Signs, signs_of
from harvester.model import Dataset
from tests.judged_pairs import PAIRS

WORDS = ("title", "plain", "pair", "copy", "band")
MET = [frozenset(kinds) for number in (1, 2) for kinds in combinations(LIMITS, number)]
TALLY = ("bus", "stops", "trams", "lines", "timetable", "network")
TOWNS = ("Lyon", "Nantes")


def signs(raw: dict[str, object], host: str) -> Signs:
    return signs_of(Dataset.of(raw), guid="1", source_url=f"https://{host}/api")


def judged(a: Signs, b: Signs, kinds: Set[str], same_source: bool) -> Decision:
    blocks: frozenset[Block] = frozenset((kind, number) for number, kind in enumerate(sorted(kinds)))
    return judge(a, b, shared=Shared(blocks), same_source=same_source).decision


KNOWN = [signs(raw, f"portal-{number % 3}.example") for number, p in enumerate(PAIRS) for raw in (p.a, p.b)]


@pytest.mark.parametrize("same_source", [False, True])
def test_what_it_leaves_out_is_different_by_every_rule(same_source: bool) -> None:
    left_out = 0
    near = [(a, b) for step in (1, 7) for a, b in zip(KNOWN, KNOWN[step:], strict=False)]
    for a, b in near:
        for kinds in MET:
            if unrelated(a, b, kinds, same_source=same_source):
                left_out += 1
                assert judged(a, b, kinds, same_source) is Decision.DIFFERENT, (a.titles, b.titles, kinds)
    assert left_out > len(near) // 4


def test_titles_that_years_alone_tell_apart_get_a_closer_look() -> None:
    first, second = (f"Budget {' '.join(str(start + n) for n in range(5))}" for start in (1990, 2000))
    a, b = signs({"title": {"en": first}}, "p.example"), signs({"title": {"en": second}}, "p.example")
    assert judged(a, b, {"pair"}, same_source=True) is Decision.RELATED
    assert not unrelated(a, b, {"pair"}, same_source=True)


def test_two_towns_with_other_words_are_left_out_unless_they_share_a_file() -> None:
    texts = [" ".join(f"{word}{town.lower()}" for word in TALLY) for town in TOWNS]
    said = [
        {"title": {"en": "Bus stops"}, "publisher": {"name": {"en": f"City of {town}"}}, "description": {"en": text}}
        for town, text in zip(TOWNS, texts, strict=True)
    ]
    a, b = (signs(raw, "p.example") for raw in said)
    assert all(unrelated(a, b, {kind}, same_source=False) for kind in WORDS)
    assert not any(unrelated(a, b, {kind}, same_source=False) for kind in ("id", "url", "page", "twin"))
