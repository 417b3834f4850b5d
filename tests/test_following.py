"""Followers of the change log: everything once, then what changed; their position and their writes are one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import pytest
from sqlalchemy import Connection, Engine, delete, insert

from harvester.catalogue.database import writing
from harvester.catalogue.following import Follower, follow, rewind, standing
from harvester.catalogue.tables import changes, datasets
from harvester.following import catch_up

NOW = datetime(2026, 5, 1, 12)


def clock() -> datetime:
    return NOW


def founded(engine: Engine, ids: Sequence[int]) -> None:
    rows = [{"id": i, "key": f"k{i}", "created_at": NOW, "changed_at": NOW} for i in ids]
    with writing(engine) as connection:
        connection.execute(insert(datasets), rows)
        _log(connection, ids)


def touched(engine: Engine, ids: Sequence[int]) -> None:
    with writing(engine) as connection:
        _log(connection, ids)


def _log(connection: Connection, ids: Sequence[int]) -> None:
    connection.execute(
        insert(changes), [{"dataset_id": i, "record_id": 0, "action": "updated", "at": NOW} for i in ids]
    )


class Seen:
    """A follower that keeps what it was given, and breaks off when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.broken = False

    def apply(self, connection: Connection, ids: Sequence[int], now: datetime) -> None:
        if self.broken:
            raise RuntimeError("killed")
        self.batches.append(list(ids))

    def follower(self, rules: int = 1) -> Follower:
        return Follower("seen", self.apply, rules)


@pytest.fixture
def seen() -> Seen:
    return Seen()


def test_everything_comes_once_and_then_what_changed(engine: Engine, seen: Seen) -> None:
    founded(engine, range(1, 8))
    assert follow(engine, seen.follower(), clock, batch=3) == 7
    assert seen.batches == [[1, 2, 3], [4, 5, 6], [7]]
    touched(engine, [5, 2, 5])
    assert follow(engine, seen.follower(), clock, batch=10) == 2
    assert seen.batches[-1] == [2, 5]
    assert follow(engine, seen.follower(), clock) == 0


def test_what_changes_during_the_first_round_comes_again(engine: Engine, seen: Seen) -> None:
    founded(engine, range(1, 5))
    follow(engine, seen.follower(), clock, stop=after(1), batch=2)
    touched(engine, [1])
    founded(engine, [9])
    follow(engine, seen.follower(), clock, batch=2)
    assert seen.batches == [[1, 2], [3, 4], [9], [1, 9]]


def test_a_follower_that_breaks_off_goes_on_from_there(engine: Engine, seen: Seen) -> None:
    founded(engine, range(1, 5))
    follow(engine, seen.follower(), clock, stop=after(1), batch=2)
    seen.broken = True
    with pytest.raises(RuntimeError):
        follow(engine, seen.follower(), clock, batch=2)
    seen.broken = False
    follow(engine, seen.follower(), clock, batch=2)
    assert seen.batches == [[1, 2], [3, 4]]


def test_new_rules_and_rewinding_start_again(engine: Engine, seen: Seen) -> None:
    founded(engine, [1, 2])
    follow(engine, seen.follower(), clock)
    follow(engine, seen.follower(rules=2), clock)
    with writing(engine) as connection:
        rewind(connection, "seen")
    follow(engine, seen.follower(rules=2), clock)
    assert seen.batches == [[1, 2]] * 3


def test_a_log_that_is_behind_its_follower_is_another_catalogue(engine: Engine, seen: Seen) -> None:
    founded(engine, [1, 2, 3])
    follow(engine, seen.follower(), clock)
    with writing(engine) as connection:
        connection.execute(delete(changes).where(changes.c.dataset_id > 1))
    follow(engine, seen.follower(), clock)
    assert seen.batches == [[1, 2, 3]] * 2


def test_how_far_it_has_come(engine: Engine, seen: Seen) -> None:
    founded(engine, [1, 2, 3])
    with engine.connect() as connection:
        assert standing(connection, seen.follower()) == (3, 0)
    follow(engine, seen.follower(), clock)
    touched(engine, [2])
    with engine.connect() as connection:
        assert standing(connection, seen.follower()) == (1, None)


def test_a_follower_that_fails_keeps_no_other_from_going_on(engine: Engine, seen: Seen) -> None:
    founded(engine, [1, 2])
    broken = Seen()
    broken.broken = True
    with pytest.raises(RuntimeError, match="killed"):
        catch_up(engine, clock, following=[Follower("broken", broken.apply), seen.follower()])
    assert seen.batches == [[1, 2]]


def after(steps: int) -> Callable[[], bool]:
    """Says stop once it was asked so many times."""
    left = iter([False] * steps)
    return lambda: next(left, True)
