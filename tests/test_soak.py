"""The soak: whatever must not be is noticed, and a short one ends as it must."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from bench.living import Clock, Life, Living, Plan, lives
from bench.portals import PATHS
from bench.soak import soak
from bench.verdicts import Soaked, judged, stale
from harvester import sources, worker
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.store import RunRef
from harvester.catalogue.tables import records, runs
from harvester.samples.serving import serve
from harvester.settings import Settings

PLAN = Plan(sources=4, minutes=1, faulty=0.0, scale=1, datasets=6)


@dataclass(frozen=True)
class Done:
    """Four portals, harvested once at the end of their lives."""

    engine: Engine
    clock: Clock

    def violations(self) -> list[str]:
        with self.engine.connect() as connection:
            return judged(Soaked(connection, PLAN, self.clock)).violations


@pytest.fixture
def done(engine: Engine, settings: Settings) -> Done:
    clock = Clock(time.time() - PLAN.seconds, 1)
    for life in lives(PLAN):
        _harvested(engine, settings, clock, life)
    return Done(engine, clock)


def _harvested(engine: Engine, settings: Settings, clock: Clock, life: Life) -> None:
    with serve(Living(life, clock)) as server:
        with writing(engine) as connection:
            url = server.url + PATHS[life.kind]
            sources.add(connection, url=url, connector=life.kind, name=life.name, now=clock.now())
            row = sources.named(connection, life.name)
            claim = worker.begin(connection, row, "full", clock.at(PLAN.seconds - 1))
        worker.execute(engine, settings, row, claim, clock.now)
    with writing(engine) as connection:
        # One after the other at one address, as far as the verdict can tell.
        store.edit_source(connection, row.id, {"host": life.name})


def _any(connection: Connection) -> tuple[int, RunRef]:
    record = connection.execute(select(records).order_by(records.c.id).limit(1)).one()
    return int(record.id), RunRef(int(record.seen_run_id), int(record.source_id), "any")


def test_nothing_is_said_of_a_catalogue_that_holds_what_the_portals_hold(done: Done) -> None:
    assert done.violations() == []


def test_a_dataset_that_was_retired_though_its_portal_holds_it_is_noticed(done: Done) -> None:
    with writing(done.engine) as connection:
        record, ref = _any(connection)
        store.retire(connection, ref, [record], done.clock.now())
    lost, retired = done.violations()
    assert "misses 1 of" in lost
    assert "retired 1 that the portal held" in retired


def test_an_edit_that_did_not_arrive_is_noticed(done: Done) -> None:
    with writing(done.engine) as connection:
        record, _ = _any(connection)
        connection.execute(update(records).where(records.c.id == record).values(title="p0d0v99"))
    assert ["misses" in text or "still shows" in text for text in done.violations()] == [True, True]


def test_runs_that_met_each_other_never_ended_or_failed_are_noticed(done: Done) -> None:
    with writing(done.engine) as connection:
        before = connection.execute(select(runs).order_by(runs.c.id).limit(1)).one()
        values = {"source_id": before.source_id, "mode": "full", "queued_at": before.queued_at, "attempt": 1}
        values |= {"started_at": before.started_at, "heartbeat_at": before.started_at}
        connection.execute(insert(runs).values(**values, status="running"))
        connection.execute(update(runs).where(runs.c.id == before.id).values(status="failed", code="walk"))
    told = " / ".join(done.violations())
    assert "is still running" in told
    assert "were under way at once" in told
    assert "of the good ckan-000 failed: walk" in told
    with done.engine.connect() as connection:
        assert len(stale(connection, done.clock.now() + timedelta(minutes=5), timedelta(seconds=60))) == 1


def test_a_source_that_was_forgotten_is_noticed(done: Done) -> None:
    with writing(done.engine) as connection:
        connection.execute(update(runs).values(started_at=done.clock.at(-60)))
    assert sum("was last harvested at" in text for text in done.violations()) == PLAN.sources


def test_what_becomes_of_a_portal_follows_from_the_seed() -> None:
    assert lives(Plan()) == lives(Plan())
    assert lives(Plan()) != lives(Plan(seed=2))
    assert sum(bool(life.spells) for life in lives(Plan())) == 40


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have one loopback address")
def test_a_short_soak_ends_as_it_must() -> None:
    report = soak(Plan(sources=20, minutes=3, scale=8, datasets=16))
    # What a service takes while it begins says nothing of what it takes in the long run.
    assert [text for text in report.violations if not text.startswith("memory")] == []
    assert report.figures["runs"] >= 40
    assert report.figures["kills"] == 3
