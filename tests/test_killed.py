"""Real worker processes that are killed, cut off and told to end while they harvest.

What they leave is what would have been there if nothing had happened.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from harvester import sources, worker
from harvester.catalogue import claims, queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.tables import datasets, problems, records, runs
from harvester.catalogue.tables import sources as source_rows
from harvester.samples import feed_blocks, load
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, Server, serve
from harvester.schedule import utcnow
from harvester.services import only_worker
from harvester.settings import Settings
from tests.forking import Forge

KILLS = 50
PATIENCE = 60.0
LEASE = 0.3
SLOW = 0.03
FOR_EVER = 10 * PATIENCE
SEED = 20260501

# Of each kind: how a portal of some of its rows is made, the options of its source, and where it is found.
KINDS: dict[str, tuple[Callable[[Sequence[Any]], Portal], dict[str, Any], str]] = {
    "ckan": (lambda rows: ckan_portal(rows, title="CKAN"), {"page_size": 10}, ""),
    "udata": (lambda rows: udata_portal(rows, title="udata"), {}, ""),
    "opendatasoft": (lambda rows: opendatasoft_portal(rows, title="Opendatasoft"), {}, ""),
    "dcat": (lambda rows: dcat_portal(rows, title="DCAT", page_size=8), {}, "/catalog.ttl"),
}
ROWS = {"ckan": load("ckan"), "udata": load("udata"), "opendatasoft": load("opendatasoft"), "dcat": feed_blocks()}


class Moving:
    """Slow portals of four kinds, whose datasets change from one round to the next."""

    def __init__(self) -> None:
        self._portals: dict[str, Portal] = {}
        self.slow, self.quick = SLOW, tuple[str, ...]()
        self.turn(0)
        self.servers = {kind: serve(self._answering(kind)) for kind in KINDS}

    def turn(self, number: int) -> None:
        """What is served in a round: some leave, others come."""
        for kind, (made, _, _) in KINDS.items():
            self._portals[kind] = made(ROWS[kind][number * 4 : number * 4 + 50])

    def close(self) -> None:
        self.slow = 0.0
        for server in self.servers.values():
            server.close()

    def _answering(self, kind: str) -> Portal:
        def answer(request: Request) -> Reply:
            _wait(lambda: 0.0 if kind in self.quick else self.slow)
            return self._portals[kind](request)

        return answer


def _wait(seconds: Callable[[], float]) -> None:
    """Wait for so long; what is said meanwhile counts."""
    began = time.monotonic()
    while time.monotonic() - began < seconds():
        time.sleep(0.01)


@pytest.fixture
def portals() -> Iterator[Moving]:
    moving = Moving()
    yield moving
    moving.close()


@pytest.fixture
def undisturbed(settings: Settings, tmp_path: Path) -> Iterator[Engine]:
    """Another catalogue, in which nobody dies."""
    engine = open_engine(Settings(data=tmp_path / "undisturbed"))
    migrate(engine)
    yield engine
    engine.dispose()


def register(engine: Engine, servers: dict[str, Server]) -> None:
    with writing(engine) as connection:
        for kind, (_, options, path) in KINDS.items():
            url = servers[kind].url + path
            sources.add(connection, url=url, connector=kind, name=kind, options=options, now=utcnow())


def environment(settings: Settings) -> dict[str, str]:
    found = {"data": settings.data, "database_url": settings.database_url, "private_hosts": "127.0.0.1"}
    found |= {"lease_seconds": LEASE, "run_attempts": 1000, "tick_seconds": 0.02, "workers": 1, "max_crawl_delay": 0}
    found["read_timeout"] = FOR_EVER
    return {f"HARVESTER_{name.upper()}": str(value) for name, value in found.items()}


def queue(engine: Engine, kind: str) -> int:
    with writing(engine) as connection:
        run_id = claims.enqueue(connection, sources.named(connection, kind).id, "full", utcnow())
    assert run_id is not None
    return run_id


def row_of(engine: Engine, run_id: int) -> Any:
    with engine.connect() as connection:
        return queries.run_by_id(connection, run_id)


def waited(engine: Engine, run_id: int, wanted: Callable[[Any], bool]) -> Any:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        row = row_of(engine, run_id)
        if wanted(row) or row.ended_at is not None:
            return row
        time.sleep(0.005)
    raise AssertionError(f"run {run_id} went nowhere: {row_of(engine, run_id)}")


def begun(engine: Engine, run_id: int, attempt: int) -> Any:
    return waited(engine, run_id, lambda row: row.status == "running" and row.attempt > attempt)


def ended(engine: Engine, run_id: int) -> Any:
    return waited(engine, run_id, lambda row: False)


def state(engine: Engine) -> dict[str, Any]:
    """All that must be equal, without instants and attempts."""
    kept = (records.c.source_id, records.c.guid, records.c.status, records.c.title, records.c.seen_run_id)
    told = (problems.c.run_id, problems.c.guid, problems.c.stage, problems.c.code)
    own = ("attempt", "queued_at", "started_at", "ended_at", "heartbeat_at", "worker", "since_at", "cursor")
    with engine.connect() as connection:
        joined = select(*kept, datasets.c.key, datasets.c.iri, datasets.c.retired_at.is_(None))
        joined = joined.outerjoin(datasets, datasets.c.id == records.c.dataset_id)
        shown = select(*(column for column in runs.c if column.name not in own)).order_by(runs.c.id)
        return {
            "records": sorted(map(tuple, connection.execute(joined)), key=str),
            "problems": sorted(map(tuple, connection.execute(select(*told))), key=str),
            "runs": [row._asdict() for row in connection.execute(shown)],
        }


def harvest_in_peace(engine: Engine, settings: Settings, kind: str) -> float:
    """Harvest a source, and answer how many seconds that took."""
    began = time.monotonic()
    queue(engine, kind)
    with writing(engine) as connection:
        claimed = claims.claim(connection, utcnow(), claims.Terms())
    assert claimed is not None
    worker.execute(engine, settings, *claimed, utcnow)
    return time.monotonic() - began


def harvest_with_kills(engine: Engine, forge: Forge, kind: str, moments: Sequence[float]) -> int:
    """Harvest a source with workers, each killed so many seconds after it began; answers how many were at work."""
    run_id, attempt = queue(engine, kind), 0
    for done, moment in enumerate(moments):
        number = forge.start()
        begun(engine, run_id, attempt)
        time.sleep(moment)
        forge.kill(number)
        row = row_of(engine, run_id)
        if row.ended_at is not None:
            return done
        attempt = row.attempt
    number = forge.start()
    ended(engine, run_id)
    forge.kill(number)
    return len(moments)


@pytest.mark.one_database("sqlite", reason="PostgreSQL has a test with several workers")
def test_a_worker_killed_at_random_points_changes_nothing(
    engine: Engine, settings: Settings, undisturbed: Engine, portals: Moving, tmp_path: Path
) -> None:
    chance, kills, number = random.Random(SEED), 0, 0
    register(engine, portals.servers)
    register(undisturbed, portals.servers)
    calm = settings.model_copy(update={"data": tmp_path / "undisturbed", "database_url": ""})
    with Forge("worker", environment=environment(settings), log=tmp_path / "workers.log") as forge:
        while kills < KILLS:
            portals.turn(number)
            for kind in KINDS:
                seconds = harvest_in_peace(undisturbed, calm, kind)
                moments = [chance.uniform(0, seconds / 3) for _ in range(min(7, KILLS - kills))]
                kills += harvest_with_kills(engine, forge, kind, moments)
            assert state(engine) == state(undisturbed), f"after round {number}, {kills} kills"
            number += 1
    assert {row["status"] for row in state(engine)["runs"]} <= {"succeeded", "partial"}


def test_of_three_workers_one_is_killed_and_one_cut_off(
    postgres_engine: Engine, postgres_settings: Settings, portals: Moving, tmp_path: Path
) -> None:
    engine, calm = postgres_engine, Settings(data=tmp_path / "undisturbed", private_hosts=("127.0.0.1",))
    undisturbed = open_engine(calm)
    migrate(undisturbed)
    for catalogue in (engine, undisturbed):
        register(catalogue, portals.servers)
    for kind in KINDS:
        harvest_in_peace(undisturbed, calm, kind)
    found = environment(postgres_settings) | {"HARVESTER_HOST_RUNS": "4", "HARVESTER_LEASE_SECONDS": "1"}
    portals.slow = 0.2
    with Forge("worker", environment=found, log=tmp_path / "workers.log") as forge:
        numbers = [forge.start() for _ in range(3)]
        first = {kind: queue(engine, kind) for kind in KINDS}
        killed, cut = held_by(engine, numbers)
        forge.kill(killed[0])
        forge.pause(cut[0])
        for lost in (killed, cut):
            begun(engine, lost[1], 1)
        forge.go_on(cut[0])
        rows = [ended(engine, run_id) for run_id in first.values()]
        # The one that was cut off works again, on what is left to do.
        again = {kind: queue(engine, kind) for kind in KINDS}
        rows += [ended(engine, run_id) for run_id in again.values()]
    assert {row.status for row in rows} <= {"succeeded", "partial"}
    assert contents(engine) == contents(undisturbed)
    assert [row.created for row in rows[4:]] == [0] * 4
    text = (tmp_path / "workers.log").read_text()
    assert f"source={row_of(engine, cut[1]).source} run={cut[1]} attempt=1 as=lost" in text
    undisturbed.dispose()


def held_by(engine: Engine, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Two of these processes, each with a run that it works on."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with engine.connect() as connection:
            rows = connection.execute(select(runs.c.worker, runs.c.id).where(runs.c.status == "running")).all()
        found = {int(row.worker.split(":")[1]): row.id for row in rows}
        if len(found) >= 2:
            assert set(found) <= set(numbers)
            return list(found.items())[:2]
        time.sleep(0.005)
    raise AssertionError("no two workers have a run")


def contents(engine: Engine) -> list[Any]:
    """The records that are there, by source; which of two that are one dataset came first is chance."""
    joined = select(source_rows.c.name, records.c.guid, records.c.status, records.c.title)
    joined = joined.join(source_rows, source_rows.c.id == records.c.source_id)
    with engine.connect() as connection:
        return sorted(map(tuple, connection.execute(joined)))


def test_a_worker_told_to_end_gives_its_run_back_within_seconds(
    engine: Engine, settings: Settings, portals: Moving, tmp_path: Path
) -> None:
    register(engine, portals.servers)
    portals.slow = FOR_EVER
    with Forge("worker", environment=environment(settings), log=tmp_path / "workers.log") as forge:
        number, run_id = forge.start(), queue(engine, "ckan")
        begun(engine, run_id, 0)
        forge.terminate(number)
        given_back = waited(engine, run_id, lambda row: row.status == "queued")
        assert (given_back.status, given_back.worker) == ("queued", None)
        portals.slow = 0.0
        forge.start()
        assert ended(engine, run_id).status == "succeeded"


def test_a_cancelled_run_stops_in_the_middle_of_a_slow_answer(
    engine: Engine, settings: Settings, portals: Moving, tmp_path: Path
) -> None:
    register(engine, portals.servers)
    portals.slow = FOR_EVER
    with Forge("worker", environment=environment(settings), log=tmp_path / "workers.log") as forge:
        forge.start()
        slow = queue(engine, "udata")
        begun(engine, slow, 0)
        with writing(engine) as connection:
            assert claims.cancel(connection, slow, utcnow())
        # The one thread of the worker is free again, though the answer never comes.
        portals.quick = ("ckan",)
        assert ended(engine, queue(engine, "ckan")).status == "succeeded"
    assert row_of(engine, slow).status == "cancelled"


@pytest.mark.one_database("sqlite", reason="on PostgreSQL there may be many")
def test_a_second_worker_on_sqlite_is_refused(engine: Engine, settings: Settings, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harvester", "worker"]
    with only_worker(engine):
        refused = subprocess.run(
            command, env={**os.environ, **environment(settings)}, capture_output=True, text=True, timeout=PATIENCE
        )
    assert refused.returncode == 2
    assert "several workers need PostgreSQL" in refused.stderr
