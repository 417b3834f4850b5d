"""Harvests a portal while it behaves, while it does not, and when it does again; every catalogue a copy of one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, Row, select

from harvester import sources, worker
from harvester.catalogue import queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import dataset_json
from harvester.catalogue.queries import DatasetView
from harvester.catalogue.tables import problems, records
from harvester.harvest import Harvest, Result
from harvester.http import Http
from harvester.run import run
from harvester.samples.serving import DRIP_BYTES, Portal, Reply, Request, as_transport
from harvester.settings import Settings
from tests.faults.ways import Fault
from tests.faults.worlds import NOW, ORIGIN, Entry, Kind, after, before

NAME = "portal"
DAY = timedelta(days=1)

Shown = dict[str, tuple[str, bytes]]


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


@dataclass
class Watched:
    """A portal that counts what it is asked."""

    portal: Portal
    asked: list[Request] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        self.asked.append(request)
        return self.portal(request)


def _wire(portal: Portal, clock: Clock) -> httpx.MockTransport:
    """The portal as a transport on which a `drip` takes the time of that clock."""

    def dripping(reply: Reply) -> Iterator[bytes]:
        for start in range(0, len(reply.body), DRIP_BYTES):
            clock.sleep(reply.drip)
            yield reply.body[start : start + DRIP_BYTES]

    def answer(request: httpx.Request) -> httpx.Response:
        reply = portal(Request.of(str(request.url), dict(request.headers.items()), request.method))
        if reply.drip:
            return httpx.Response(reply.status, headers=reply.head(), content=dripping(reply))
        return as_transport(lambda _: reply).handle_request(request)

    return httpx.MockTransport(answer)


@dataclass(frozen=True)
class Outcome:
    """What one harvest left: its result and row, what is shown by guid (key and dataset), and what it reported."""

    result: Result
    run: Row[Any]
    source: Row[Any]
    shown: Shown
    visible: int
    problems: list[Row[Any]]
    asked: list[Request]
    waited: float

    @property
    def codes(self) -> set[str]:
        return {problem.code for problem in self.problems}

    @property
    def counts(self) -> dict[str, int]:
        return {name: number for name, number in self.result.tally.counts.items() if number}


@dataclass
class Stage:
    """One catalogue with one source."""

    kind: Kind
    settings: Settings
    engine: Engine
    today: datetime = NOW

    def harvest(self, portal: Portal, mode: str = "full", name: str = NAME) -> Outcome:
        """One run, a day after the last."""
        clock, watched = Clock(), Watched(portal)
        with writing(self.engine) as connection:
            row = sources.named(connection, name)
            claim = worker.begin(connection, row, mode, self.today)
        with Http(
            self.settings,
            home=row.url,
            transport=_wire(watched, clock),
            sleep=clock.sleep,
            now=clock.now,
            jitter=lambda low, high: high,
        ) as http:
            result = run(Harvest(self.engine, self.settings, http, lambda: self.today), row, claim)
        self.today += DAY
        return self._outcome(result, claim.ref.id, watched, clock.at)

    def beside(self, portal: Portal, connector: str, path: str) -> Outcome:
        """A first run of another source."""
        with writing(self.engine) as connection:
            url = f"http://other.example{path}"
            sources.add(connection, url=url, connector=connector, name="other", options={}, now=self.today)
        return self.harvest(portal, name="other")

    def _outcome(self, result: Result, run_id: int, watched: Watched, waited: float) -> Outcome:
        with self.engine.connect() as connection:
            row = queries.run_by_id(connection, run_id)
            assert row is not None
            found = list(connection.execute(select(problems).where(problems.c.run_id == run_id)))
            views = {view.id: view for view in queries.visible_page(connection, limit=10_000)}
            active = select(records.c.guid, records.c.dataset_id).where(records.c.status == "active")
            shown = {
                guid: (views[number].key, _written(views[number]))
                for guid, number in connection.execute(active)
                if number in views
            }
            source = queries.source_by_id(connection, row.source_id)
        return Outcome(result, row, source, shown, len(views), found, watched.asked, waited)


@dataclass
class Theatre:
    """Stages of one kind, all copies of a catalogue into which the portal was harvested once while it behaved."""

    kind: Kind
    folder: Path
    made: int = 0

    @property
    def first(self) -> list[Entry]:
        return before(self.kind.size)

    @property
    def then(self) -> list[Entry]:
        return after(self.kind.size)

    @cached_property
    def _empty(self) -> Path:
        return self._prepared("empty", lambda stage: None)

    @cached_property
    def known(self) -> Outcome:
        """What is shown of the portal after its first, good harvest."""
        outcomes: list[Outcome] = []
        self._harvested = self._prepared("known", lambda s: outcomes.append(s.harvest(self.kind.portal(self.first))))
        return outcomes[0]

    @cached_property
    def fresh(self) -> Outcome:
        """What a harvest of the portal as it is then shows in an empty catalogue."""
        with self.stage(self._empty) as stage:
            return stage.harvest(self.kind.portal(self.then))

    def mirrored(self, fault: Fault) -> Outcome:
        """What a harvest of the portal with this fault shows in an empty catalogue."""
        with self.stage(self._empty) as stage:
            stage.today = NOW + DAY
            return stage.harvest(fault(self.kind, self.then))

    @contextmanager
    def opened(self) -> Iterator[Stage]:
        """A stage on which the portal was harvested a day ago."""
        assert self.known.result.status == "succeeded"
        with self.stage(self._harvested) as stage:
            stage.today = NOW + DAY
            yield stage

    @contextmanager
    def stage(self, template: Path | None = None) -> Iterator[Stage]:
        self.made += 1
        data = self.folder / f"{self.kind.name}-{self.made}"
        data.mkdir()
        if template:
            shutil.copy(template, data / "catalogue.sqlite")
        settings = Settings(data=data, database_url="", max_crawl_delay=0)
        engine = open_engine(settings)
        try:
            yield Stage(self.kind, settings, engine)
        finally:
            engine.dispose()

    def _prepared(self, name: str, fill: Callable[[Stage], object]) -> Path:
        with self.stage(None if name == "empty" else self._empty) as stage:
            if name == "empty":
                migrate(stage.engine)
                self._register(stage)
            fill(stage)
            with stage.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return stage.settings.data / "catalogue.sqlite"

    def _register(self, stage: Stage) -> None:
        url, kind = ORIGIN + self.kind.path, self.kind
        with writing(stage.engine) as connection:
            sources.add(connection, url=url, connector=kind.connector, name=NAME, options=kind.options, now=NOW)


@dataclass
class Play:
    """A portal that misbehaved on a stage: what was known before, what it holds, and what came of it.

    `excused` are the addresses of datasets that may be missing: the portal itself said that they are gone.
    """

    theatre: Theatre
    stage: Stage
    fault: Fault
    outcome: Outcome
    excused: set[str] = field(default_factory=set)

    @property
    def kind(self) -> Kind:
        return self.theatre.kind

    @property
    def known(self) -> Outcome:
        return self.theatre.known

    @property
    def fresh(self) -> Outcome:
        return self.theatre.fresh

    @cached_property
    def mirror(self) -> Outcome:
        """What a first harvest of the misbehaving portal itself shows."""
        return self.theatre.mirrored(self.fault)


def _written(view: DatasetView) -> bytes:
    assert view.dataset is not None
    return dataset_json(view.dataset)


def bodies(outcome: Outcome) -> dict[str, bytes]:
    """What is shown, by the identifier of the portal."""
    return {guid: body for guid, (_, body) in outcome.shown.items()}
