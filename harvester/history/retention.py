"""What is deleted when: short transactions along ascending keys, so that it can stop and go on at any point."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import SQLAlchemyError

from harvester.beside import Beside
from harvester.catalogue import forgetting, leaving
from harvester.catalogue.database import writing
from harvester.catalogue.forgetting import Batch
from harvester.catalogue.tables import changes, notices, problems, revisions, runs
from harvester.figures import synchronising
from harvester.settings import Settings

log = logging.getLogger(__name__)

DAY = 86_400.0
# A process that is being started has other things to do.
FIRST = 600.0

Look = Callable[[Connection, int], Batch]
Swept = dict[str, int]


def sweep(
    engine: Engine,
    settings: Settings,
    now: datetime,
    stop: Callable[[], bool] = lambda: False,
    told: Callable[[str, int], None] = lambda name, number: None,
) -> Swept:
    """Delete what is older than the settings keep; answers how many rows of what.

    `told` hears of each batch; after `stop` says yes, the next sweep goes on.
    """
    swept: Swept = {}
    for name, batches in _steps(engine, settings, now):
        swept[name] = 0
        for number in batches:
            swept[name] += number
            told(name, number)
            if stop():
                return swept
    return swept


def _steps(engine: Engine, settings: Settings, now: datetime) -> Iterator[tuple[str, Iterator[int]]]:
    """What is deleted, in this order: what hangs on a run goes before it."""
    with engine.connect() as connection:
        kept = forgetting.spared(connection)
    history, ended, told = (
        _before(now, days) for days in (settings.history_days, settings.runs_days, settings.problems_days)
    )
    if history:
        horizon = history
        yield "revisions", _along(engine, revisions, lambda c, after: forgetting.old_revisions(c, horizon, kept, after))
    if told:
        since = told
        yield "problems", _problems(engine, since, kept)
        yield "notices", _along(engine, notices, lambda c, after: forgetting.old_notices(c, since, after))
    if ended:
        until = ended
        yield "changes", _along(engine, changes, lambda c, after: forgetting.old_changes(c, until, kept, after))
        yield "runs", _runs(engine, until, kept)
    yield "retired contents", _contents(engine, now - timedelta(days=settings.grace_days), now)


def _contents(engine: Engine, horizon: datetime, now: datetime) -> Iterator[int]:
    """What retired records said; their past states stay in their history."""
    number = -1
    while number:
        with writing(engine) as connection:
            number = leaving.forget(connection, horizon, now)
        yield number


def _before(now: datetime, days: int) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _along(engine: Engine, table: Table, look: Look) -> Iterator[int]:
    """Look at a table batch by batch; what is found is deleted in a transaction of its own."""
    after, more = 0, True
    while more:
        with engine.connect() as connection:
            ids, after, more = look(connection, after)
        yield _forget(engine, table, ids)


def _forget(engine: Engine, table: Table, ids: Collection[int]) -> int:
    if not ids:
        return 0
    with writing(engine) as connection:
        return forgetting.forget(connection, table, list(ids))


def _old_runs(engine: Engine, horizon: datetime, kept: Collection[int]) -> Iterator[list[int]]:
    after, more = 0, True
    while more:
        with engine.connect() as connection:
            ids, after, more = forgetting.old_runs(connection, horizon, kept, after)
        yield list(ids)


def _problems(engine: Engine, horizon: datetime, kept: Collection[int]) -> Iterator[int]:
    for ids in _old_runs(engine, horizon, kept):
        yield from _told_of(engine, problems, ids)


def _told_of(engine: Engine, table: Table, run_ids: list[int]) -> Iterator[int]:
    """What is deleted is not found again: each look begins anew."""
    yield from _along(engine, table, lambda connection, _: forgetting.told_of(connection, table, run_ids))


def _runs(engine: Engine, horizon: datetime, kept: Collection[int]) -> Iterator[int]:
    for ids in _old_runs(engine, horizon, kept):
        with engine.connect() as connection:
            free = forgetting.unnamed_runs(connection, ids)
        for table in (problems, notices):
            for _ in _told_of(engine, table, free):
                yield 0
        yield _forget_runs(engine, free)


def _forget_runs(engine: Engine, ids: list[int]) -> int:
    """Their numbers stay in the sums of their months."""
    if not ids:
        return 0
    with writing(engine) as connection:
        synchronising.keep(connection, ids)
        return forgetting.forget(connection, runs, ids)


class Sweeper(Beside):
    """Sweeps once a day, beside the scheduler; two that sweep at once delete the same rows."""

    def __init__(self, engine: Engine, settings: Settings, now: Callable[[], datetime], first: float = FIRST) -> None:
        self._engine, self._settings, self._now, self._first = engine, settings, now, first
        super().__init__("sweeper")

    def work(self) -> None:
        wait = self._first
        while not self.ending.wait(wait):
            wait = DAY
            try:
                swept = sweep(self._engine, self._settings, self._now(), self.ending.is_set)
                log.info("swept %s", " ".join(f"{name.replace(' ', '_')}={number}" for name, number in swept.items()))
            except SQLAlchemyError as error:
                log.error("the sweep broke off, the next one goes on: %s", error)
