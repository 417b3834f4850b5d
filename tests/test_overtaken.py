"""A worker that lost its run in the middle of a page: it writes nothing, and says so rather than that it stumbled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select

from harvester import sources, worker
from harvester.catalogue import claims
from harvester.catalogue.claims import Claim
from harvester.catalogue.database import writing
from harvester.catalogue.tables import records, runs
from harvester.connector import Record, Source
from harvester.harvest import Harvest, Result
from harvester.http import Http
from harvester.model import Dataset
from harvester.run import run
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.programmable import Programmable, packages

LATER = claims.Terms().lease + timedelta(seconds=1)


class Overtaken(Programmable):
    """Between the look at what is known and the first write another worker does the whole run."""

    overtake: Callable[[], object] | None = None

    def normalise(self, record: Record, source: Source) -> Dataset:
        overtake, self.overtake = self.overtake, None
        if overtake is not None:
            overtake()
        return super().normalise(record, source)


def test_a_worker_that_was_overtaken_in_mid_page_is_told_so(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    connector = Overtaken(packages(4))

    def harvested(claim: Claim) -> Result:
        with engine.connect() as connection:
            row = sources.named(connection, "one")
        with Http(settings) as http:
            return run(Harvest(engine, settings, http, utcnow, connectors=lambda _: connector), row, claim)

    def overtake() -> None:
        with writing(engine) as connection:
            taken = claims.claim(connection, utcnow() + LATER, claims.Terms())
        assert taken is not None
        assert harvested(taken[1]).status == "succeeded"

    with writing(engine) as connection:
        sources.add(connection, url="https://portal.example/", connector="ckan", name="one", now=utcnow())
        first = worker.begin(connection, sources.named(connection, "one"), "full", utcnow())
    connector.overtake = overtake
    with caplog.at_level(logging.ERROR):
        result = harvested(first)
    assert (result.status, result.code) == ("lost", "worker-lost")
    assert caplog.messages == []
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(records)).scalar_one() == 4
        ended = connection.execute(select(runs)).one()
    assert (ended.status, ended.attempt, ended.created) == ("succeeded", 2, 4)
