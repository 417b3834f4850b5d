"""What the log of a run says of mistakes in a mapping: each kind once, and how often it came."""

from __future__ import annotations

import logging

import pytest
from sqlalchemy import Engine

from harvester.connector import Record, Source
from harvester.model import Dataset
from harvester.settings import Settings
from tests.one_source import OneSource
from tests.programmable import Programmable, packages


class Mistaken(Programmable):
    def normalise(self, record: Record, source: Source) -> Dataset:
        number = int(record.guid.removeprefix("g"))
        if number == 11:
            raise ValueError(number)
        if number % 2:
            raise KeyError(number)
        return super().normalise(record, source)


def test_a_mistake_that_meets_every_record_is_traced_once(
    engine: Engine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "harvester.mapping"):
        result = OneSource(engine, settings).run(Mistaken(packages(30), 4))
    assert (result.status, result.tally.counts["failed"]) == ("partial", 15)
    assert [record.exc_info is not None for record in caplog.records] == [True, True, False]
    assert "records=14: KeyError at" in caplog.messages[-1]
