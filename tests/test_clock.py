"""Workers whose machines disagree about the time agree about leases; who lost a run tells nothing of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from sqlalchemy.exc import OperationalError

from harvester import sources, worker
from harvester.catalogue import claims
from harvester.catalogue.claims import Terms
from harvester.catalogue.database import writing
from harvester.catalogue.tables import problems, runs
from harvester.clock import ServerClock, agreed
from harvester.errors import SourceError
from harvester.harvest import Harvest, Tally
from harvester.http import Http
from harvester.schedule import utcnow
from harvester.settings import Settings
from harvester.settle import close, failure
from tests.one_source import OneSource

HOUR = timedelta(hours=1)


def late() -> datetime:
    return utcnow() - HOUR


def early() -> datetime:
    return utcnow() + HOUR


def test_clocks_that_are_an_hour_off_agree(postgres_engine: Engine) -> None:
    behind, ahead = agreed(postgres_engine, late), agreed(postgres_engine, early)
    assert abs(behind() - ahead()) < timedelta(seconds=30)
    assert abs(behind() - utcnow()) < timedelta(seconds=30)


def test_a_worker_ahead_of_the_others_takes_no_run_from_them(
    postgres_engine: Engine, postgres_settings: Settings
) -> None:
    OneSource(postgres_engine, postgres_settings)
    behind, ahead = agreed(postgres_engine, late), agreed(postgres_engine, early)
    with writing(postgres_engine) as connection:
        claims.enqueue(connection, sources.named(connection, "one").id, "full", behind())
        assert claims.claim(connection, behind(), Terms()) is not None
    with writing(postgres_engine) as connection:
        assert claims.claim(connection, ahead(), Terms()) is None


def test_a_file_has_no_clock_of_its_own(settings: Settings, engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        assert agreed(engine, late) is late
    else:
        assert agreed(engine, late)() > late() + HOUR / 2


class Jumping:
    """A clock, and the seconds since the machine started."""

    def __init__(self) -> None:
        self.at, self.seconds = utcnow(), 0.0

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


def test_a_jump_of_the_clock_is_noticed_at_once(postgres_engine: Engine) -> None:
    local = Jumping()
    clock = ServerClock(postgres_engine, local, lambda: local.seconds)
    before = clock()
    local.at += HOUR
    assert clock() - before < HOUR / 2


def refused(*_: Any) -> None:
    raise OperationalError("connect", {}, Exception("the server is away"))


def test_without_an_answer_the_last_offset_holds(postgres_engine: Engine) -> None:
    local = Jumping()
    local.at -= HOUR
    clock = ServerClock(postgres_engine, local, lambda: local.seconds)
    before = clock()
    postgres_engine.dispose()
    event.listen(postgres_engine, "do_connect", refused)
    local.pass_(60)
    assert clock() - before == timedelta(seconds=60)


@pytest.mark.parametrize("how", ["broken off", "not started"])
def test_an_attempt_that_lost_its_run_tells_nothing_of_it(engine: Engine, settings: Settings, how: str) -> None:
    bench = OneSource(engine, settings)
    with writing(engine) as connection:
        row = sources.named(connection, "one")
        mine = worker.begin(connection, row, "full", bench.now)
        claims.expire(connection, bench.now + HOUR, Terms())
        worker.begin(connection, row, "full", bench.now + HOUR)
    error = SourceError("it broke", code="unavailable")
    if how == "broken off":
        with Http(settings) as http:
            harvest = Harvest(engine, settings, http, lambda: bench.now)
            result = failure(harvest, mine.ref, Tally(), error)
            with pytest.raises(Exception, match="another worker has it"):
                close(harvest, mine.ref, result, "full", bench.now)
    else:
        worker._unstarted(engine, settings, row, mine, bench.now, False, error)
    with engine.connect() as connection:
        assert connection.execute(select(problems)).all() == []
        assert connection.execute(select(runs.c.status)).scalar_one() == "running"
