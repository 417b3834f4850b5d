"""Decisions are pure: every branch of the deletion guard, and what happens to a record."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harvester.decide import Action, Guard, Retirement, Stored, Walked, after_mapping, at_a_glance, retirement

GOOD = Walked(complete=True, incremental=False, fetched=90, distinct=90, advertised=90, errors=0)
GUARD = Guard(share=0.10, least=10)
STORED = Stored(1, "g", "active", b"p", b"d", 1, seen_run_id=1)


@pytest.mark.parametrize(
    ("walk", "vanished", "active", "retire", "code"),
    [
        (GOOD, 0, 90, False, ""),
        (GOOD, 10, 100, True, ""),
        (GOOD, 10, 12, True, ""),
        (GOOD, 11, 100, False, "too-many-vanished"),
        (GOOD, 100, 1000, True, ""),
        (GOOD, 101, 1000, False, "too-many-vanished"),
        (replace(GOOD, complete=False), 1, 100, False, ""),
        (replace(GOOD, incremental=True), 1, 100, False, ""),
        (replace(GOOD, fetched=0, distinct=0, advertised=0), 1, 1, False, "empty-answer"),
        (replace(GOOD, errors=1), 1, 100, False, "walk-with-errors"),
        (replace(GOOD, advertised=91), 1, 100, False, "count-gap"),
        (replace(GOOD, advertised=None), 1, 100, True, ""),
        (replace(GOOD, advertised=80), 1, 100, True, ""),
    ],
)
def test_the_guard(walk: Walked, vanished: int, active: int, retire: bool, code: str) -> None:
    verdict = retirement(walk, vanished, active, GUARD)
    assert (verdict.retire, verdict.code) == (retire, code)
    assert not (verdict.retire and verdict.held)
    assert bool(verdict.reason) is bool(code)


def test_held_says_what_to_do() -> None:
    assert retirement(GOOD, 50, 100, GUARD) == Retirement(
        False, True, "too-many-vanished",
        "50 of 100 datasets vanished at once; nothing is retired until a person confirms (harvester confirm RUN)",
    )  # fmt: skip


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
