"""Leases, fences and hosts: who may work on a run, and who no longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.exc import IntegrityError

from harvester import sources
from harvester.catalogue import claims, queries
from harvester.catalogue.claims import Claim, Terms
from harvester.catalogue.database import writing
from harvester.catalogue.tables import runs
from harvester.progress import progress

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TERMS = Terms(timedelta(seconds=30), attempts=3, host_runs=1)
LATE = timedelta(seconds=31)


def queued(engine: Engine, name: str = "one", url: str = "https://one.example/") -> int:
    with writing(engine) as connection:
        sources.add(connection, url=url, connector="ckan", name=name, now=NOW)
        run_id = claims.enqueue(connection, sources.named(connection, name).id, "full", NOW)
    assert run_id is not None
    return run_id


def claimed(engine: Engine, now: datetime = NOW, terms: Terms = TERMS) -> Claim | None:
    with writing(engine) as connection:
        found = claims.claim(connection, now, terms)
    return found and found[1]


def row(engine: Engine, run_id: int) -> Any:
    with engine.connect() as connection:
        return queries.run_by_id(connection, run_id)


def advanced(engine: Engine, claim: Claim, **values: Any) -> bool:
    with writing(engine) as connection:
        return claims.advance(connection, claim.ref, values)


def test_a_run_whose_worker_is_silent_goes_on_elsewhere_and_the_first_may_write_no_more(engine: Engine) -> None:
    run_id = queued(engine)
    first = claimed(engine)
    assert first is not None
    state = {"attempt": 1, "fetched": 7}
    assert advanced(engine, first, cursor="7", state=state, heartbeat_at=NOW + timedelta(seconds=20))
    assert claimed(engine, NOW + LATE) is None
    second = claimed(engine, NOW + LATE + timedelta(seconds=20))
    assert second is not None
    assert (second.ref.attempt, second.cursor, second.state, second.started_at) == (2, "7", state, NOW)
    assert not advanced(engine, first, fetched=99)
    assert advanced(engine, second, fetched=8)
    assert row(engine, run_id).fetched == 8


def test_a_run_that_gets_nowhere_is_given_up(engine: Engine) -> None:
    run_id, now = queued(engine), NOW
    for attempt in (1, 2, 3):
        claim = claimed(engine, now)
        assert claim is not None
        if attempt == 1:
            assert advanced(engine, claim, state={"attempt": 1})
        now += LATE
    assert row(engine, run_id).status == "running"
    assert claimed(engine, now) is not None
    assert claimed(engine, now + LATE) is None
    with writing(engine) as connection:
        assert claims.give_up(connection, now, TERMS) == []
        assert [lost.id for lost in claims.give_up(connection, now + LATE, TERMS)] == [run_id]
    ended = row(engine, run_id)
    assert (ended.status, ended.code, ended.attempt) == ("failed", "worker-lost", 4)


def test_a_cancelled_run_is_nobodys(engine: Engine) -> None:
    run_id = queued(engine)
    claim = claimed(engine)
    assert claim is not None
    with writing(engine) as connection:
        assert claims.cancel(connection, run_id, NOW, "Ada")
        assert not claims.cancel(connection, run_id, NOW)
        assert claims.standing(connection, claim.ref) is None
        assert not claims.release(connection, claim.ref, {})
    ended = row(engine, run_id)
    assert (ended.status, ended.message, ended.ended_at) == ("cancelled", "cancelled by Ada", NOW)


def test_a_host_bears_so_many_runs_and_the_next_host_is_served(engine: Engine) -> None:
    queued(engine, "a", "https://one.example/a")
    queued(engine, "b", "https://ONE.example:8443/b")
    last = queued(engine, "c", "https://two.example/")
    assert claimed(engine) is not None
    other = claimed(engine)
    assert other is not None
    assert other.ref.id == last
    assert claimed(engine) is None
    assert claimed(engine, terms=Terms(host_runs=2)) is not None


def test_what_is_to_wait_waits(engine: Engine) -> None:
    run_id = queued(engine)
    with writing(engine) as connection:
        connection.execute(runs.update().values(not_before=NOW + timedelta(minutes=5)))
    assert claimed(engine) is None
    claim = claimed(engine, NOW + timedelta(minutes=5))
    assert claim is not None
    assert claim.ref.id == run_id


def test_the_database_itself_refuses_a_second_live_run(engine: Engine) -> None:
    run_id = queued(engine)
    again = {"source_id": row(engine, run_id).source_id, "mode": "full", "status": "running", "queued_at": NOW}
    with pytest.raises(IntegrityError), writing(engine) as connection:
        connection.execute(insert(runs).values(**again))


def test_a_source_that_is_changed_or_removed_ends_its_run(engine: Engine) -> None:
    first = queued(engine, "a", "https://a.example/")
    queued(engine, "b", "https://b.example/")
    begun = [claimed(engine), claimed(engine)]
    with writing(engine) as connection:
        sources.edit(connection, "a", NOW, url="https://c.example/")
        sources.remove(connection, "b", NOW)
    assert row(engine, first).status == "cancelled"
    assert [advanced(engine, claim, fetched=1) for claim in begun if claim] == [False, False]


def test_progress_is_that_of_the_present_attempt() -> None:
    since = NOW - timedelta(hours=2)
    began = [(NOW - timedelta(seconds=10)).isoformat(), 100]
    run = {"status": "running", "started_at": since, "ended_at": None, "heartbeat_at": NOW, "pages": 3}
    run |= {"fetched": 300, "advertised": 500, "state": {"rate_from": began}}
    found = progress(run, NOW)
    assert (found.records, found.advertised, found.rate, found.seconds_left) == (300, 500, 20.0, 10.0)
    assert found.text == "page 3, 300 of 500 records, 20.0 a second, 10 s left"
    unknown = progress(run | {"advertised": None, "state": None}, NOW)
    assert unknown.seconds_left is None
    assert unknown.rate == pytest.approx(300 / 7200)
    waiting = progress(run | {"status": "queued", "started_at": None, "heartbeat_at": None, "state": None}, NOW)
    assert (waiting.rate, waiting.seconds_left) == (None, None)


def test_two_workers_that_look_at_once_do_not_crowd_one_host(postgres_engine: Engine) -> None:
    queued(postgres_engine, "a", "https://one.example/a")
    queued(postgres_engine, "b", "https://one.example/b")
    other = queued(postgres_engine, "c", "https://two.example/")
    with writing(postgres_engine) as first, writing(postgres_engine) as second:
        one, two = claims.claim(first, NOW, TERMS), claims.claim(second, NOW, TERMS)
        assert one is not None
        assert two is not None
        assert two[1].ref.id == other
        assert claims.claim(second, NOW, TERMS) is None
