"""The database: migrations match the tables, both ways; paging reads see everything once."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Dialect, Engine, inspect, make_url, select, text

from harvester import registry
from harvester.catalogue import naming, numbers, queries
from harvester.catalogue.database import alembic_config, migrate, writing
from harvester.catalogue.packing import dataset_json, expand, load_dataset, pack, squeeze, unpack
from harvester.catalogue.tables import metadata, sources
from harvester.connector import Source, Walk
from harvester.http import Http
from harvester.model import Dataset
from harvester.samples import SAMPLES, Sample
from harvester.samples.serving import as_transport
from harvester.settings import Settings

AT = {"now": "2026-01-01 00:00:00.000000", "hash": b"0"}
SOURCE = (
    "INSERT INTO sources (id, name, title, connector, url, options, created_at)"
    " VALUES (:id, :name, :title, 'ckan', :url, :options, '2026-01-01 00:00:00.000000')"
)
RECORD = (
    "INSERT INTO records"
    " (id, source_id, guid, status, payload_hash, dataset_id, first_seen_at, changed_at, seen_run_id)"
    " VALUES (:id, :source, :guid, 'active', :hash, :dataset, :now, :now, 1)"
)


def test_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_migrating_twice_changes_nothing_and_down_leaves_nothing(engine: Engine) -> None:
    migrate(engine)
    with engine.connect() as connection:
        command.downgrade(alembic_config(connection), "base")
        connection.commit()
    assert inspect(engine).get_table_names() == ["alembic_version"]
    migrate(engine)
    assert set(inspect(engine).get_table_names()) == {"alembic_version", *metadata.tables}


def test_guids_known_before_become_identifiers(engine: Engine) -> None:
    with engine.connect() as connection:
        command.downgrade(alembic_config(connection), "20261121_first_tables")
        connection.commit()
    with writing(engine) as connection:
        connection.execute(
            text(SOURCE), {"id": 1, "name": "a", "title": "A", "url": "https://u:p@A.example/api", "options": "{}"}
        )
        options = '{"public_url": "https://public.example"}'
        connection.execute(
            text(SOURCE), {"id": 2, "name": "b", "title": "B", "url": "https://b.example", "options": options}
        )
        connection.execute(
            text("INSERT INTO datasets (id, key, created_at, changed_at) VALUES (9, 'k', :now, :now)"), AT
        )
        for number, (source, guid, dataset) in enumerate(
            [(1, "7", 9), (2, "7", 9), (2, "https://b.example/7", 9), (2, "lost", None)]
        ):
            connection.execute(text(RECORD), {**AT, "id": number, "source": source, "guid": guid, "dataset": dataset})
    migrate(engine)
    with engine.connect() as connection:
        found = queries.identifiers_of(connection, [9])[9]
        assert connection.execute(select(sources.c.catalogue)).scalars().all() == [None, None]
    assert {(known.notation, known.agency) for known in found} == {
        ("7", "a.example"),
        ("7", "public.example"),
        ("https://b.example/7", None),
    }


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_moving_identifiers_is_plain_sql(name: str) -> None:
    dialect: Dialect = make_url(f"{name}://").get_dialect()()
    told = str(naming.moving().compile(dialect=dialect))
    assert told.startswith("INSERT INTO identifiers")
    assert "NOT (EXISTS" in told


def test_blocks_of_identifiers_never_overlap(engine: Engine) -> None:
    blocks = []
    for size in (3, 1, 500):
        with writing(engine) as connection:
            blocks.append(numbers.allocate(connection, "records", size))
    assert [n for block in blocks for n in block] == list(range(1, 505))


def test_packing_keeps_whatever_portals_send() -> None:
    value = {"a": [1, 2.5, None, True, 2**70], "é": "\u2028\x00"}
    assert unpack(pack(value)) == value
    assert expand(squeeze(b"")) == b""


@pytest.mark.one_database("sqlite", reason="it opens none")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_what_is_read_back_is_what_was_stored(sample: Sample, settings: Settings) -> None:
    connector = registry.connector(sample.connector)
    source = Source(sample.name, f"http://portal.example{sample.path}", connector.Options())
    with Http(settings, transport=as_transport(sample.portal())) as http:
        pages = connector.fetch(source, http, Walk())
        stored = [connector.normalise(record, source) for page in pages for record in page.records]
    assert len(stored) == sample.count
    for dataset in stored:
        body = dataset_json(dataset)
        again = load_dataset(squeeze(body))
        assert dataset_json(again) == body
        assert again == dataset.model_copy(update={"problems": ()}) == Dataset.model_validate(dataset.plain())
