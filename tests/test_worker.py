"""The worker pool and the scheduler: what is due is harvested without anyone asking."""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import Engine, select

from harvester import sources, worker
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import runs
from harvester.samples import SAMPLES
from harvester.samples.serving import serve
from harvester.schedule import Scheduler, utcnow
from harvester.settings import Settings
from tests.catalogues import distinct

PATIENCE = 60.0


def test_a_due_source_is_harvested_by_the_scheduler_and_the_pool(engine: Engine, settings: Settings) -> None:
    sample = SAMPLES[0]
    server = serve(sample.portal())
    with writing(engine) as connection:
        name = sources.add(
            connection,
            url=server.url + sample.path,
            connector=sample.connector,
            name="due",
            schedule="daily",
            now=utcnow(),
        )
        row = sources.named(connection, name)
        store.edit_source(connection, row.id, {"next_run_at": utcnow() - timedelta(minutes=1)})
    ticking, pool = Scheduler(engine, settings), worker.Pool(engine, settings, utcnow)
    try:
        ticking.start()
        pool.start()
        assert _ended(engine) == ("succeeded", sample.count)
    finally:
        ticking.stop()
        pool.stop(PATIENCE)
        server.close()
    with engine.connect() as connection:
        assert queries.visible_count(connection) == distinct(sample)
        due = sources.named(connection, name).next_run_at
    assert due > utcnow()


def _ended(engine: Engine) -> tuple[str, int]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with engine.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.ended_at.is_not(None))).one_or_none()
        if row is not None:
            return row.status, row.fetched
        time.sleep(0.05)
    raise AssertionError("no run ended")
