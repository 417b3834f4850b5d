"""When sources are due, in which time zone, and what happens when many are, or the clock stood still."""

from __future__ import annotations

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, column, func, select, table

from harvester import sources
from harvester.alone import SCHEDULER, office
from harvester.catalogue import claims, queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import notices, runs
from harvester.errors import UsageError
from harvester.schedule import Scheduler, queue_due
from harvester.settings import Settings
from harvester.timing import next_run, spread

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PARIS = "Europe/Paris"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}:00+00:00")


def add(engine: Engine, name: str = "one", **more: Any) -> None:
    url = more.pop("url", f"https://{name}.example/")
    with writing(engine) as connection:
        sources.add(connection, url=url, connector="ckan", name=name, now=NOW, **more)


def tick(engine: Engine, settings: Settings, now: datetime) -> int:
    with writing(engine) as connection:
        return queue_due(connection, settings, now)


def row(engine: Engine, name: str = "one") -> Any:
    with engine.connect() as connection:
        return sources.named(connection, name)


def all_runs(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [(run.mode, run.status) for run in connection.execute(select(runs).order_by(runs.c.id))]


def finish(engine: Engine, now: datetime) -> None:
    """Claim what may start, and end it."""
    with writing(engine) as connection:
        claimed = claims.claim(connection, now, claims.Terms())
        assert claimed is not None
        assert claims.advance(connection, claimed[1].ref, {"status": "succeeded", "ended_at": now})


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "due"),
    [
        ("daily", PARIS, "01-10T12:00", "01-11T02:00"),
        ("daily", PARIS, "07-10T12:00", "07-11T01:00"),
        ("30 2 * * *", PARIS, "03-28T12:00", "03-29T01:30"),  # 02:30 does not exist that day
        ("30 2 * * *", PARIS, "10-24T12:00", "10-25T00:30"),
        ("30 2 * * *", PARIS, "10-25T00:30", "10-26T01:30"),  # 02:30 comes twice that day
        ("30 * * * *", PARIS, "10-25T00:30", "10-25T01:30"),
        ("0 0 29 2 *", "UTC", "03-01T00:00", None),
        ("0 0 13 * 5", "UTC", "05-01T12:00", "05-08T00:00"),  # a Friday: either day will do
        ("0 0 13 * 5", "UTC", "05-08T12:00", "05-13T00:00"),
        ("0 0 */2 * 5", "UTC", "05-02T12:00", "05-15T00:00"),  # a star is no restriction of its own
        ("0 0 13 * */2", "UTC", "05-02T12:00", "06-13T00:00"),
        ("0 0 * * */2", "UTC", "05-03T12:00", "05-05T00:00"),  # counted from Sunday
        ("every 6h", "UTC", "05-01T00:30", "05-01T06:00"),
        ("every 30 min", "UTC", "05-01T00:30", "05-01T01:00"),
        ("Every 2 days", PARIS, "03-28T12:00", "03-29T00:00"),
        ("every day", "UTC", "05-01T00:30", "05-02T00:00"),
        ("daily", "UTC", "05-01T03:00", "05-02T03:00"),
    ],
)
def test_when_a_schedule_is_due(schedule: str, zone: str, after: str, due: str | None) -> None:
    found = next_run(schedule, at(after), zone, datetime(2000, 1, 1, tzinfo=UTC))
    assert found == (at(due) if due else datetime(2028, 2, 29, tzinfo=UTC))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"schedule": "every 0h"}, "bad-schedule"),
        ({"schedule": "every 900000 weeks"}, "bad-schedule"),
        ({"schedule": "every now and then"}, "bad-schedule"),
        ({"schedule": "61 * * * *"}, "bad-schedule"),
        ({"full_schedule": "monthli"}, "bad-schedule"),
        ({"schedule": "0 3 31 4 *"}, "bad-schedule"),
        ({"timezone": "Europe/Atlantis"}, "bad-timezone"),
        ({"timezone": "../../etc/passwd"}, "bad-timezone"),
        ({"timezone": ""}, "bad-timezone"),
        ({"jitter": -1}, "bad-jitter"),
        ({"jitter": 10**6}, "bad-jitter"),
        ({"name": "cancel"}, "bad-name"),
    ],
)
def test_what_is_no_timetable_is_refused(engine: Engine, wrong: dict[str, Any], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        add(engine, **wrong)
    assert caught.value.code == code


def test_an_interval_is_counted_from_the_first_day_and_does_not_drift(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="every 6h")
    assert row(engine).next_run_at == NOW + timedelta(hours=6)
    tick(engine, settings, NOW + timedelta(hours=7, minutes=13))
    assert row(engine).next_run_at == NOW + timedelta(hours=12)


def test_jitter_spreads_sources_and_stays_alike_for_each() -> None:
    found = [spread(NOW, 600, f"source-{number}") for number in range(500)]
    assert found == [spread(NOW, 600, f"source-{number}") for number in range(500)]
    offsets = [(moment - NOW).total_seconds() for moment in found if moment]
    assert 0 <= min(offsets) < 30
    assert 570 < max(offsets) <= 600
    assert max(Counter(offset // 60 for offset in offsets).values()) < 100
    assert spread(NOW + timedelta(days=1), 600, "source-1") != spread(NOW, 600, "source-1")


def test_what_is_shown_is_when_it_starts(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="daily", timezone=PARIS, jitter=600)
    due = row(engine).next_run_at
    assert due == spread(at("05-02T01:00"), 600, "one")
    assert tick(engine, settings, due - timedelta(seconds=1)) == 0
    assert tick(engine, settings, due) == 1
    assert at("05-03T01:00") <= row(engine).next_run_at <= at("05-03T01:10")


def test_missed_times_count_once_and_a_source_never_runs_twice_at_once(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="hourly")
    assert tick(engine, settings, NOW + timedelta(days=3)) == 1
    assert tick(engine, settings, NOW + timedelta(days=3, hours=2)) == 0
    with writing(engine) as connection:
        claimed = claims.claim(connection, NOW + timedelta(days=3, hours=2), claims.Terms())
        assert claimed is not None
        assert claims.claim(connection, NOW + timedelta(days=3, hours=2), claims.Terms()) is None
        assert (claimed[0].name, claimed[1].mode) == ("one", "full")
    assert all_runs(engine) == [("full", "running")]


def test_complete_walks_have_a_schedule_of_their_own(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="hourly", full_schedule="weekly")
    with writing(engine) as connection:
        store.edit_source(connection, row(engine).id, {"complete_at": NOW, "since_at": NOW})
    later = NOW + timedelta(days=2)
    assert tick(engine, settings, later) == 1
    finish(engine, later)
    monday = at("05-04T03:30")
    assert tick(engine, settings, monday) == 1
    assert all_runs(engine) == [("incremental", "succeeded"), ("full", "queued")]


def test_a_complete_walk_that_meets_another_run_waits_for_its_end(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="hourly", full_schedule="weekly")
    with writing(engine) as connection:
        store.edit_source(connection, row(engine).id, {"complete_at": NOW, "since_at": NOW})
    monday = at("05-04T03:00")
    tick(engine, settings, monday - timedelta(minutes=30))
    with writing(engine) as connection:
        claimed = claims.claim(connection, monday - timedelta(minutes=1), claims.Terms())
        assert claimed is not None
        claims.advance(connection, claimed[1].ref, {"heartbeat_at": monday})
    assert tick(engine, settings, monday) == 0
    assert all_runs(engine) == [("incremental", "running")]
    with writing(engine) as connection:
        claims.advance(connection, claimed[1].ref, {"status": "succeeded", "ended_at": monday})
    assert tick(engine, settings, monday + timedelta(seconds=5)) == 1
    assert all_runs(engine) == [("incremental", "succeeded"), ("full", "queued")]
    assert row(engine).next_full_at == monday + timedelta(days=7)


def test_a_complete_walk_takes_the_place_of_one_that_waits(engine: Engine, settings: Settings) -> None:
    add(engine)
    with writing(engine) as connection:
        assert claims.enqueue(connection, row(engine).id, "incremental", NOW) is not None
        assert claims.enqueue(connection, row(engine).id, "full", NOW) is None
    assert all_runs(engine) == [("full", "queued")]


def test_a_paused_source_is_not_due_until_it_is_resumed(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="daily")
    tick(engine, settings, NOW + timedelta(days=1))
    with writing(engine) as connection:
        assert sources.pause(connection, "one", NOW + timedelta(days=1))
        assert not sources.pause(connection, "one", NOW + timedelta(days=1))
    assert all_runs(engine) == [("full", "cancelled")]
    assert tick(engine, settings, NOW + timedelta(days=9)) == 0
    with writing(engine) as connection:
        assert sources.resume(connection, "one", NOW + timedelta(days=9))
    assert row(engine).next_run_at == at("05-11T03:00")
    assert tick(engine, settings, at("05-11T03:00")) == 1


def test_a_schedule_that_cannot_be_read_stops_nobody_else(engine: Engine, settings: Settings) -> None:
    add(engine, "one", schedule="daily")
    add(engine, "two", schedule="daily")
    with writing(engine) as connection:
        store.edit_source(connection, row(engine).id, {"timezone": "Mars/Olympus"})
    assert tick(engine, settings, NOW + timedelta(days=1)) == 2
    assert tick(engine, settings, NOW + timedelta(days=2)) == 0 or row(engine, "two").next_run_at > NOW
    assert row(engine).next_run_at is None


@pytest.mark.one_database("sqlite", reason="test_claims has the limits of hosts on both; this one is about the number")
def test_five_hundred_sources_due_at_once_start_within_the_limits_of_their_hosts(
    engine: Engine, settings: Settings
) -> None:
    with writing(engine) as connection:
        for number in range(500):
            url = f"https://host{number % 20}.example/{number}"
            sources.add(connection, url=url, connector="ckan", name=f"s{number}", schedule="daily", now=NOW)
    now = at("05-02T03:00")
    assert tick(engine, settings, now) == 500
    assert tick(engine, settings, now + timedelta(seconds=5)) == 0
    terms, seen = claims.Terms(host_runs=2), Counter[str]()
    for wave in range(13):
        started = wave_of(engine, terms, now)
        hosts = Counter(source.host for source, _ in started)
        assert max(hosts.values()) <= 2
        assert len(started) == (40 if wave < 12 else 20)
        seen.update(source.name for source, _ in started)
        with writing(engine) as connection:
            for _, claim in started:
                assert claims.advance(connection, claim.ref, {"status": "succeeded", "ended_at": now})
    assert set(seen.values()) == {1}
    assert len(seen) == 500


def wave_of(engine: Engine, terms: claims.Terms, now: datetime) -> list[tuple[Any, claims.Claim]]:
    """All that may run at the same time."""
    started = []
    with writing(engine) as connection:
        while claimed := claims.claim(connection, now, terms):
            started.append(claimed)
    return started


def test_those_who_are_to_know_are_told_of_a_run_that_lost_its_workers(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="daily", notify=[{"channel": "webhook", "to": "https://hooks.example/x"}])
    now, hasty = at("05-02T03:00"), settings.model_copy(update={"run_attempts": 1})
    tick(engine, hasty, now)
    wave_of(engine, claims.Terms(), now)
    tick(engine, hasty, now + timedelta(minutes=1))
    assert all_runs(engine) == [("full", "failed")]
    assert row(engine).failing_since == now
    with engine.connect() as connection:
        assert connection.execute(select(notices.c.event)).scalars().all() == ["failure"]


def test_one_scheduler_at_a_time_and_another_takes_over(engine: Engine, settings: Settings) -> None:
    add(engine, schedule="daily")
    first, second = (Scheduler(engine, settings, lambda: NOW + timedelta(days=1)) for _ in range(2))
    assert first.tick() == 1
    with writing(engine) as connection:
        claims.cancel(connection, queries.run_list(connection)[0].id, NOW)
        store.edit_source(connection, row(engine).id, {"next_run_at": NOW})
    assert second.tick() == 0
    first.stop()
    assert second.tick() == 1
    second.stop()


def test_a_scheduler_that_hangs_loses_the_role(postgres_engine: Engine) -> None:
    first, second = (office(postgres_engine, "scheduler", SCHEDULER, patience=1.0) for _ in range(2))
    assert (first.held(), second.held()) == (True, False)
    # It is not asked any longer, as if its process were stopped.
    until = time.monotonic() + 60
    while not second.held() and time.monotonic() < until:
        time.sleep(0.1)
    assert (second.held(), first.held()) == (True, False)
    second.leave()


def test_a_scheduler_whose_connection_is_cut_writes_no_more_and_another_takes_over(
    postgres_engine: Engine, postgres_settings: Settings
) -> None:
    engine, settings = postgres_engine, postgres_settings
    add(engine, schedule="daily")
    first, second = (Scheduler(engine, settings, lambda: NOW + timedelta(days=1)) for _ in range(2))
    assert (first.tick(), second.tick()) == (1, 0)
    with writing(engine) as connection:
        claims.cancel(connection, queries.run_list(connection)[0].id, NOW)
        store.edit_source(connection, row(engine).id, {"next_run_at": NOW})
        holders = select(func.pg_terminate_backend(column("pid"), 10_000)).select_from(table("pg_locks"))
        cut = connection.execute(
            holders.where(column("locktype") == "advisory", column("pid") != func.pg_backend_pid())
        )
        assert cut.scalars().all() == [True]
    assert (second.tick(), first.tick()) == (1, 0)
    first.stop()
    second.stop()
