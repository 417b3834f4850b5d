"""Decisions are pure: every branch of the deletion guard, and what happens to a record."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.decide import (
    NOTHING,
    Action,
    Guard,
    Missing,
    Reach,
    Stored,
    Walked,
    after_mapping,
    at_a_glance,
    retirement,
    sound,
)

GOOD = Walked(complete=True, incremental=False, fetched=90, distinct=90, advertised=90, errors=0, usable=90)
GUARD = Guard(share=0.10, least=10)
STORED = Stored(1, "g", "active", b"p", b"d", 1, seen_run_id=1)
FLAWED = {
    "empty-answer": replace(GOOD, fetched=0, distinct=0, advertised=0, usable=0),
    "walk-with-errors": replace(GOOD, errors=1),
    "count-gap": replace(GOOD, advertised=91),
    "filter-ignored": replace(GOOD, doubt="filter-ignored"),
}
SOUND = {
    "plain": GOOD,
    "without a total": replace(GOOD, advertised=None),
    "more than its total": replace(GOOD, advertised=80),
    "some could not be used": replace(GOOD, usable=1),
}


@pytest.mark.parametrize(
    ("known", "limit"),
    [(1, 0), (2, 1), (3, 1), (5, 2), (20, 5), (40, 10), (100, 10), (500, 50), (1000, 100), (100_000, 10_000)],
)
def test_how_many_may_go_unasked(known: int, limit: int) -> None:
    assert GUARD.limit(known) == limit
    assert f"{known:,}" in (Guard.limit.__doc__ or "")
    for walk in SOUND.values():
        assert retirement(walk, Missing(limit, known), GUARD).reach is (Reach.ALL if limit else Reach.NONE)
        assert retirement(walk, Missing(limit + 1, known), GUARD).code == "too-many-vanished"


@given(st.integers(0, 10**6), st.floats(0, 0.5), st.integers(0, 1000))
def test_no_rule_lets_most_of_a_source_go(known: int, share: float, least: int) -> None:
    assert Guard(share, least).limit(known) <= max(1, known / 2)
    assert Guard(share, least).limit(1) == 0


@pytest.mark.parametrize("code", sorted(FLAWED))
@pytest.mark.parametrize("missing", [Missing(1, 1000), Missing(1, 1000, 1, 1), Missing(1000, 1000, 1000, 1000)])
def test_what_a_flawed_walk_misses_is_held_however_often(code: str, missing: Missing) -> None:
    verdict = retirement(FLAWED[code], missing, GUARD)
    assert (verdict.reach, verdict.held, verdict.code, sound(FLAWED[code])) == (Reach.NONE, True, code, False)


@pytest.mark.parametrize("walk", [replace(GOOD, complete=False), replace(GOOD, incremental=True)])
def test_other_walks_say_nothing_of_what_they_did_not_show(walk: Walked) -> None:
    assert retirement(walk, Missing(1, 1000, 1, 1), GUARD) == NOTHING
    assert not sound(walk)


@pytest.mark.parametrize(
    ("restless", "missing", "reach", "held", "code"),
    [
        (False, Missing(0, 100), Reach.NONE, False, ""),
        (False, Missing(10, 100), Reach.ALL, False, ""),
        (False, Missing(11, 100), Reach.AGREED, True, "too-many-vanished"),
        (False, Missing(11, 100, 11, 0, new=6), Reach.AGREED, True, "identifiers-changed"),
        (False, Missing(11, 100, 11, 0, new=5), Reach.AGREED, True, "too-many-vanished"),
        (False, Missing(100, 100, 100, 100), Reach.ALL, False, ""),
        (False, Missing(100, 100, 90, 90), Reach.ALL, False, ""),
        (False, Missing(100, 100, 89, 89), Reach.AGREED, True, "too-many-vanished"),
        (True, Missing(0, 100), Reach.NONE, False, ""),
        (True, Missing(10, 100), Reach.TWICE, False, "total-changed"),
        (True, Missing(10, 100, 4), Reach.TWICE, False, "total-changed"),
        (True, Missing(10, 100, 10), Reach.TWICE, False, ""),
        (True, Missing(50, 100, 11), Reach.AGREED, True, "too-many-vanished"),
        (True, Missing(50, 100, 50, 50), Reach.TWICE, False, ""),
    ],
)
def test_the_guard(restless: bool, missing: Missing, reach: Reach, held: bool, code: str) -> None:
    verdict = retirement(replace(GOOD, restless=restless), missing, GUARD)
    assert (verdict.reach, verdict.held, verdict.code) == (reach, held, code)
    assert bool(verdict.reason) is bool(code)


def test_held_says_why() -> None:
    assert (
        retirement(GOOD, Missing(50, 100), GUARD).reason == "50 of 100 datasets vanished at once, no more than 10 may"
    )
    assert retirement(FLAWED["count-gap"], Missing(2, 100), GUARD).reason == (
        "the source advertises 91 datasets and gave 90; 2 known ones were not shown"
    )


@given(
    st.builds(
        Walked, st.booleans(), st.booleans(), st.integers(0, 9), st.integers(0, 9), st.none() | st.integers(0, 9),
        st.integers(0, 2), st.integers(0, 9), st.booleans(), st.sampled_from(["", "filter-ignored"]),
    ),
    st.builds(Missing, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)),
)  # fmt: skip
def test_nothing_goes_without_a_sound_walk(walk: Walked, missing: Missing) -> None:
    verdict = retirement(walk, missing, GUARD)
    if not sound(walk) or not missing.vanished:
        assert verdict.reach is Reach.NONE
    if verdict.reach in (Reach.ALL, Reach.TWICE):
        gone = missing.vanished if verdict.reach is Reach.ALL else missing.twice
        assert gone - missing.agreed <= GUARD.limit(missing.known)


@pytest.mark.parametrize(
    ("stored", "payload", "action"),
    [
        (None, b"p", None),
        (STORED, b"p", Action.UNCHANGED),
        (STORED, b"q", None),
        (STORED._replace(seen_run_id=2), b"q", Action.REPEATED),
        (STORED._replace(status="retired"), b"p", None),
        (STORED._replace(status="failed"), b"p", None),
    ],
)
def test_at_a_glance(stored: Stored | None, payload: bytes, action: Action | None) -> None:
    assert at_a_glance(stored, payload, run_id=2) == action


@pytest.mark.parametrize(
    ("stored", "dataset", "action"),
    [
        (None, b"d", Action.CREATED),
        (None, None, Action.FAILED),
        (STORED, None, Action.FAILED),
        (STORED, b"d", Action.UNCHANGED),
        (STORED, b"e", Action.UPDATED),
        (STORED._replace(status="retired"), b"d", Action.RESTORED),
        (STORED._replace(status="failed", dataset_hash=None), b"d", Action.CREATED),
    ],
)
def test_after_mapping(stored: Stored | None, dataset: bytes | None, action: Action) -> None:
    assert after_mapping(stored, dataset) == action
