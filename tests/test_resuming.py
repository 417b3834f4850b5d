"""Runs that end at any commit and go on elsewhere: the catalogue, the report and the counters come out the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, event, select, text

from harvester import jsonio, sources, worker
from harvester.catalogue import claims, queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import metadata, problems, records, runs
from harvester.catalogue.tables import sources as source_rows
from harvester.connector import Body, Page, Record, Source, Walk
from harvester.errors import RecordError
from harvester.harvest import Harvest, Result
from harvester.http import Http
from harvester.run import run
from harvester.settings import Settings
from tests.programmable import Programmable, packages

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LATER = claims.Terms().lease + timedelta(seconds=1)


class Killed(BaseException):
    """The process ends here."""


class Resuming(Programmable):
    """Goes on after the page of the cursor, or gives none and starts anew."""

    resumable = True

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        for page in super().fetch(source, http, replace(walk, cursor=None)):
            end = int(page.cursor or 0)
            if end <= int(walk.cursor or 0):
                continue
            yield page if self.resumable else replace(page, cursor=None)


class Starting(Resuming):
    resumable = False


class Remembering(Starting):
    """Knows its pages by their bytes."""

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        for page in super().fetch(source, http, walk):
            digest = jsonio.digest([(record.guid, record.payload) for record in page.records])
            if known := walk.known(digest):
                yield Page((), page.advertised, unchanged=known)
            elif page.problems:
                yield page
            else:
                yield replace(page, body=digest, whole=Body(digest, len(page.records)))


class OneDocument(Resuming):
    """Everything in one page, larger than a batch, with a record that comes twice and one that cannot be read."""

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        found = tuple(Record(guid, raw, deleted=guid in self.deleted) for guid, raw in self.packages.items())
        lost = (RecordError("cannot be read"), RecordError("cannot be read"), RecordError("nor this", guid="g1"))
        notes = (RecordError("odd", code="odd"),)
        yield Page((*found, found[0]), len(found), problems=lost, notes=notes)


def _first(connector: Programmable) -> None:
    connector.packages["g4"]["title"] = "BOOM"
    connector.packages["g5"]["license"] = "Licence de la maison"


def _second(connector: Programmable) -> None:
    """Changed, new, gone, mended, broken, unreadable and withdrawn records."""
    connector.packages["g0"]["title"] = "Autre titre"
    connector.packages["g4"]["title"] = "Jeu 4"
    connector.packages["g2"] = {"title": "BOOM"}
    connector.packages |= {"n1": {"title": "Nouveau"}, "n2": {"title": "Nouveau aussi"}}
    connector.packages = dict(reversed(connector.packages.items()))
    del connector.packages["g3"]
    connector.unreadable, connector.deleted = ("g6",), ("g7",)


CASES: dict[str, tuple[type[Programmable], int, int]] = {
    "cursors": (Resuming, 12, 3),
    "no cursors": (Starting, 12, 3),
    "known answers": (Remembering, 12, 3),
    "one document": (OneDocument, 600, 3),
}


class Bench:
    """A catalogue whose process ends at a chosen commit."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW
        self.left: int | None = None
        event.listen(engine, "commit", self._commit)

    def _commit(self, connection: Connection) -> None:
        if self.left is not None and connection.get_execution_options().get("write"):
            self.left -= 1
            if self.left < 0:
                raise Killed

    def empty(self) -> None:
        """As it was in the beginning."""
        with writing(self.engine) as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
            if self.engine.dialect.name == "postgresql":
                connection.execute(text("TRUNCATE sources, revisions RESTART IDENTITY CASCADE"))
            url = "http://one.example/"
            row = {"name": "one", "title": "one", "connector": "programmable", "url": url, "options": {}}
            store.add_source(connection, row | {"created_at": NOW})
        self.now = NOW

    def run(self, connector: Programmable, kill: int | None = None, mode: str = "full") -> tuple[Result, int]:
        """The result of a run, and how many attempts it took: the first ends at a commit, if it comes so far."""
        self.now += timedelta(days=1)
        for attempt in range(1, 4):
            with writing(self.engine) as connection:
                row = sources.named(connection, "one")
                claim = worker.begin(connection, row, mode, self.now)
            self.left, kill = kill, None
            try:
                with Http(self.settings) as http:
                    made = Harvest(self.engine, self.settings, http, lambda: self.now, connectors=lambda _: connector)
                    return run(made, row, claim), attempt
            except Killed:
                self.now += LATER
            finally:
                self.left = None
        raise AssertionError("killed once only")

    def state(self) -> dict[str, Any]:
        """All that must be equal, without instants."""
        with self.engine.connect() as connection:
            views = queries.visible_page(connection)
            kept = (records.c.guid, records.c.status, records.c.title, records.c.seen_run_id, records.c.body_hash)
            told = (problems.c.run_id, problems.c.guid, problems.c.stage, problems.c.code, problems.c.message)
            own = ("attempt", "queued_at", "started_at", "ended_at", "heartbeat_at", "worker", "since_at")
            shown = [column for column in runs.c if column.name not in own]
            return {
                "datasets": sorted((view.key, view.iri, view.dataset and str(view.dataset.title)) for view in views),
                "records": sorted(map(tuple, connection.execute(select(*kept))), key=str),
                "problems": sorted(map(tuple, connection.execute(select(*told))), key=str),
                "runs": [row._asdict() for row in connection.execute(select(*shown).order_by(runs.c.id))],
                "whole": connection.execute(select(source_rows.c.complete_at.is_not(None))).scalar_one(),
            }


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> Bench:
    return Bench(engine, settings)


def harvested(bench: Bench, case: str, kill: int | None, late: bool) -> tuple[dict[str, Any], int]:
    """The catalogue after two runs, one of them killed; and the number of attempts at that one."""
    kind, number, size = CASES[case]
    connector = kind(packages(number), size)
    bench.empty()
    _first(connector)
    first = bench.run(connector, None if late else kill)
    _second(connector)
    second = bench.run(connector, kill if late else None)
    return bench.state(), (second if late else first)[1]


@pytest.mark.parametrize("late", [False, True], ids=["first run", "second run"])
@pytest.mark.parametrize("case", CASES)
def test_a_run_killed_at_any_commit_ends_as_if_nothing_had_been(bench: Bench, case: str, late: bool) -> None:
    undisturbed, _ = harvested(bench, case, None, late)
    for kill in range(100):
        found, attempts = harvested(bench, case, kill, late)
        assert found == undisturbed, f"killed at commit {kill}"
        if attempts == 1:
            break
    assert kill >= 4
