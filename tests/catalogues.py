"""Small catalogues for tests, written through the store as a run would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Engine

from api.app import create_app
from harvester.catalogue import queries, store
from harvester.catalogue.clusters import NOTHING, Prepared, prepare
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import dataset_json
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.connector import Record
from harvester.decide import Action
from harvester.model import Dataset
from harvester.samples import Sample, overlaps
from harvester.settings import Settings
from tests.databases import database_url

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@dataclass
class Catalogue:
    """A migrated database with sources and runs; `add` writes datasets the way a run does."""

    settings: Settings
    engine: Engine
    runs: dict[str, RunRef] = field(default_factory=dict)
    now: datetime = NOW

    def source(self, name: str, **values: Any) -> RunRef:
        """A source with one running run."""
        if name not in self.runs:
            row = {"title": f"Portal {name}", "connector": "ckan", "url": f"https://{name}.example.org", "options": {}}
            with writing(self.engine) as connection:
                source_id = store.add_source(connection, {"name": name, "created_at": NOW, **row, **values})
                run_id = store.add_run(connection, source_id, "full", "running", NOW)
            self.runs[name] = RunRef(run_id, source_id, name)
        return self.runs[name]

    def add(self, source: str, raws: Iterable[dict[str, Any]], keyed: bool = False) -> None:
        """Create or update records; the guid of a raw dataset is its `identifier`."""
        run = self.source(source)
        raws = list(raws)
        guids = [str(raw["identifier"]) for raw in raws]
        with writing(self.engine) as connection:
            known = queries.known(connection, run.source_id, guids)
            named = zip(guids, raws, strict=True)
            outcomes = [self._outcome(source if keyed else "", guid, raw, known.get(guid)) for guid, raw in named]
            store.write(connection, run, outcomes, self.now)

    def retire(self, source: str, *guids: str) -> None:
        """Retire records by guid."""
        run = self.source(source)
        with writing(self.engine) as connection:
            known = queries.known(connection, run.source_id, guids)
            store.retire(connection, run, [found.id for found in known.values()], self.now)

    def report(self, source: str, *found: Problem) -> None:
        """Add problems to the run of a source."""
        with writing(self.engine) as connection:
            store.report(connection, self.source(source).id, found)

    def key(self, source: str, guid: str) -> str:
        """The public key of the dataset of a record."""
        with self.engine.connect() as connection:
            known = queries.known(connection, self.source(source).source_id, [guid])[guid]
            assert known.dataset_id is not None
            return queries.dataset_views(connection, [known.dataset_id])[0].key

    def _outcome(self, source: str, guid: str, raw: dict[str, Any], stored: Any) -> Outcome:
        dataset = Dataset.of(raw)
        body = dataset_json(dataset)
        again = Action.RESTORED if stored is not None and stored.status == "retired" else Action.UPDATED
        action = Action.CREATED if stored is None else again
        known = prepare(dataset, guid, f"https://{source}.example.org") if source else _named(dataset)
        digest = blake2b(body, digest_size=16).digest()
        return Outcome(action, Record(guid, raw), digest, stored, dataset, body, known)


def _named(dataset: Dataset) -> Prepared:
    """What is prepared of a record that no other one is compared with."""
    iri = dataset.uri if dataset.uri and dataset.uri.startswith(("http://", "https://")) else None
    return NOTHING._replace(iri=iri)


# What tests opened: closed after each of them, a connection left to the garbage collector is a warning.
_OPENED: list[Engine] = []


def close_all() -> None:
    """Close the connections of every catalogue and application; an engine opens new ones when it is used again."""
    for engine in _OPENED:
        engine.dispose()


def application(settings: Settings) -> FastAPI:
    """The application over a catalogue."""
    app = create_app(settings)
    _OPENED.append(app.state.engine)
    return app


def catalogue(directory: Path, **settings: Any) -> Catalogue:
    """An empty catalogue in a directory; the test asks for the fixture `database`."""
    found = Settings(data=directory, database_url=database_url(directory), **settings)
    engine = open_engine(found)
    _OPENED.append(engine)
    migrate(engine)
    return Catalogue(found, engine)


def distinct(sample: Sample) -> int:
    """How many datasets a sample portal has: it may list one twice, as in life."""
    mine = [sum(name.partition(":")[0] == sample.name for name in group) for group in overlaps()]
    return sample.count - sum(number - 1 for number in mine if number > 1)
