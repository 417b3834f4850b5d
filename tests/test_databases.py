"""What both databases must do alike: wait for each other, keep any text, read one state, survive a cut."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import URL, Connection, Engine, create_engine, func, insert, make_url, select, text, update
from sqlalchemy.exc import DBAPIError

from harvester import storable
from harvester.catalogue import marking, naming, queries, store
from harvester.catalogue.database import in_turn, is_current, migrate, open_engine, writing
from harvester.catalogue.store import Outcome, Problem
from harvester.catalogue.tables import changes, datasets, metadata, records, runs, unmatched
from harvester.connector import Record
from harvester.decide import Action
from harvester.errors import RecordError, UsageError
from harvester.harvest import unreachable
from harvester.identity import known_as
from harvester.identity import match_keys as keys_of
from harvester.model import Dataset
from harvester.settings import Settings
from tests.catalogues import NOW, Catalogue, catalogue
from tests.databases import database_url

pytestmark = pytest.mark.usefixtures("database")
only_postgresql = pytest.mark.one_database("postgresql", reason="SQLite has no connections to cut and one writer")

# Whatever a portal may put where a text is expected.
ANY = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
NASTY = ["a\x00b", "a\ud800b", "\udfff", "\x00", "é" * 4000, "🚲" * 700, "x" * 100_000]


@pytest.fixture
def made(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path)


def waits(engine: Engine, work: Future[None]) -> bool:
    """Whether the work is held up by another transaction; False when it has ended without waiting."""
    while not work.done():
        if engine.dialect.name == "sqlite":
            # The file says nothing of who waits for it: ended by now, or waiting.
            time.sleep(0.2)
            return not work.done()
        with engine.connect() as connection:
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")
            if connection.execute(waiting).scalar_one():
                return True
        time.sleep(0.005)
    return False


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return [seq for seq, _ in queries.changed_datasets(connection, 0, 100)]


def raw(name: str, **values: Any) -> dict[str, Any]:
    return {"identifier": name, "title": f"T {name}", **values}


CHANGES: dict[str, Callable[[Catalogue], None]] = {
    "created": lambda made: made.add("b", [raw("new")]),
    "updated": lambda made: made.add("b", [raw("old", description="again")]),
    "retired": lambda made: made.retire("b", "old"),
}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_the_log_is_committed_in_the_order_of_its_numbers(made: Catalogue, name: str) -> None:
    for source in ("a", "b"):
        made.add(source, [raw("old")])
    before = numbers(made.engine)
    with ThreadPoolExecutor(1) as pool:
        with writing(made.engine) as connection:
            store.retire(connection, made.runs["a"], [1], NOW)
            other = pool.submit(CHANGES[name], made)
            assert waits(made.engine, other)
            assert numbers(made.engine) == before
        other.result(60)
    assert numbers(made.engine) == list(range(1, len(before) + 3))


@only_postgresql
def test_what_only_marks_records_as_seen_does_not_wait(postgres_engine: Engine, postgres_settings: Settings) -> None:
    made = Catalogue(postgres_settings, postgres_engine)
    made.add("a", [raw("one")])
    with writing(postgres_engine) as connection:
        in_turn(connection)
        with writing(postgres_engine) as other:
            store.touch(other, made.runs["a"], [1])
            store.write(other, made.runs["a"], [], NOW)


def test_runs_that_bring_the_same_dataset_at_once_found_it_once(made: Catalogue) -> None:
    names = [f"s{n}" for n in range(6)]
    for name in names:
        made.source(name)
    for round_ in range(5):
        barrier = threading.Barrier(len(names))
        shared = [raw(f"{round_}-{n}", uri=f"https://id.example/{round_}/{n}") for n in range(10)]

        def bring(name: str, barrier: threading.Barrier = barrier, shared: list[Any] = shared) -> None:
            barrier.wait(60)
            made.add(name, shared, keyed=True)

        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(bring, names))
    with made.engine.connect() as connection:
        assert queries.visible_count(connection) == 50
        assert connection.execute(select(func.count()).select_from(records)).scalar_one() == 300
        assert connection.execute(select(func.count()).where(changes.c.action == "created")).scalar_one() == 50


def test_a_reader_by_number_misses_nothing_while_many_write(made: Catalogue) -> None:
    names = [f"s{n}" for n in range(4)]
    for name in names:
        made.source(name)
    done = threading.Event()

    def write(name: str) -> None:
        for n in range(15):
            made.add(name, [raw(f"{n}-{i}") for i in range(3)])
            made.add(name, [raw(f"{n}-0", description="more")])

    def follow() -> tuple[list[int], list[int]]:
        logged: list[int] = []
        founded: list[int] = []
        last = False
        while not last:
            last = done.is_set()
            with made.engine.connect() as connection:
                logged += [s for s, _ in queries.changed_datasets(connection, logged[-1] if logged else 0, 1000)]
                after = datasets.c.id > (founded[-1] if founded else 0)
                founded += connection.execute(select(datasets.c.id).where(after).order_by(datasets.c.id)).scalars()
        return logged, founded

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(follow)
        for writer in [pool.submit(write, name) for name in names]:
            writer.result(120)
        done.set()
        logged, founded = reader.result(60)
    with made.engine.connect() as connection:
        assert logged == list(connection.execute(select(changes.c.seq).order_by(changes.c.seq)).scalars())
        assert founded == list(connection.execute(select(datasets.c.id).order_by(datasets.c.id)).scalars())
    assert (len(logged), len(founded)) == (240, 180)


def test_a_record_stays_with_the_dataset_that_took_its_own_in(made: Catalogue) -> None:
    """A run of another source merges two datasets between the moment a record is read and the moment it is written."""
    one, other = "https://id.example/1", "https://id.example/2"
    made.add("a", [raw("1", uri=one)], keyed=True)
    made.add("b", [raw("1", uri=other)], keyed=True)
    with made.engine.connect() as connection:
        stale = queries.known(connection, made.runs["b"].source_id, ["1"])["1"]
    made.add("c", [raw("1", other_identifier=[{"notation": one}, {"notation": other}])], keyed=True)
    with writing(made.engine) as connection:
        outcome = made._outcome("b", "1", raw("1", uri=other, description="later"), stale)
        store.write(connection, made.runs["b"], [outcome], NOW)
    with made.engine.connect() as connection:
        assert set(connection.execute(select(records.c.dataset_id)).scalars()) == {1}


def test_one_connection_reads_one_state(made: Catalogue) -> None:
    made.add("a", [raw("1")])
    with made.engine.connect() as connection:
        assert queries.visible_count(connection) == 1
        made.add("a", [raw("2")])
        assert queries.visible_count(connection) == 1
    with made.engine.connect() as connection:
        assert queries.visible_count(connection) == 2


def test_a_failed_transaction_leaves_nothing(made: Catalogue) -> None:
    made.source("a")

    def fails() -> None:
        with writing(made.engine) as connection:
            store.report(connection, 1, [Problem("fetch", "error", "x", "y")])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with made.engine.connect() as connection:
        assert queries.problem_list(connection, 1) == []


@only_postgresql
def test_connections_that_were_cut_are_replaced(postgres_engine: Engine) -> None:
    with postgres_engine.connect() as one, postgres_engine.connect() as two:
        own = [connection.execute(text("SELECT pg_backend_pid()")).scalar_one() for connection in (one, two)]
    assert len(set(own)) == 2
    killer = open_engine(Settings(database_url=postgres_engine.url.render_as_string(hide_password=False)))
    with writing(killer) as connection:
        for pid in own:
            connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    killer.dispose()
    for _ in own:
        with postgres_engine.connect() as connection:
            assert connection.execute(text("SELECT pg_backend_pid()")).scalar_one() not in own


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_keep_all_text_is_refused(postgres_settings: Settings, encoding: str) -> None:
    name, server = f"of_{encoding.lower()}", create_engine(_driven(postgres_settings), isolation_level="AUTOCOMMIT")
    how = f"ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} {how}"))
        url = server.url.set(database=name).render_as_string(hide_password=False)
        engine = open_engine(Settings(database_url=url))
        with pytest.raises(UsageError, match=f"as {encoding}"):
            migrate(engine)
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
    server.dispose()


def _driven(settings: Settings) -> URL:
    return make_url(settings.database_url).set(drivername="postgresql+psycopg")


def failing(engine: Engine, *statements: str) -> Exception:
    """The error of the last of some statements, said a moment after the others."""
    with engine.connect() as connection:
        for statement in statements[:-1]:
            connection.execute(text(statement))
        time.sleep(1)
        with pytest.raises(DBAPIError) as told:
            connection.execute(text(statements[-1]))
    return told.value


def test_who_stood_still_for_too_long_was_cut_off_and_has_not_failed(postgres_engine: Engine) -> None:
    assert unreachable(failing(postgres_engine, "SET idle_in_transaction_session_timeout = '50ms'", "SELECT 1"))
    assert not unreachable(failing(postgres_engine, "SELECT nothing"))


@only_postgresql
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_any_usual_form_of_the_url_finds_the_driver(postgres_settings: Settings, scheme: str) -> None:
    url = make_url(postgres_settings.database_url).set(drivername=scheme).render_as_string(hide_password=False)
    engine = open_engine(Settings(database_url=url, workers=3))
    with engine.connect() as connection:
        assert connection.execute(text("SHOW timezone")).scalar_one() == "UTC"
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "repeatable read"
    with writing(engine) as connection:
        assert connection.execute(text("SHOW transaction_isolation")).scalar_one() == "read committed"
    engine.dispose()


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    url = database_url(tmp_path, migrated=False)
    waiting = (
        "from harvester.catalogue.database import migrate, open_engine; from harvester.settings import Settings\n"
        "engine = open_engine(Settings()); print('ready', flush=True); input(); migrate(engine)"
    )
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = os.environ | {"HARVESTER_DATA": str(tmp_path), "HARVESTER_DATABASE_URL": url}
    started = [subprocess.Popen([sys.executable, "-c", waiting], env=environment, text=True, **pipes) for _ in range(4)]
    assert [process.stdout.readline() for process in started if process.stdout] == ["ready\n"] * 4
    for process in started:
        if process.stdin:
            process.stdin.write("\n")
            process.stdin.flush()
    told = [process.communicate(timeout=120)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, told
    engine = open_engine(Settings(data=tmp_path, database_url=url))
    assert is_current(engine)
    engine.dispose()


def test_the_password_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret/@:\n")
    found = Settings(database_url="postgres://me@db.example/x", database_password_file=tmp_path / "password")
    engine = open_engine(found)
    assert (engine.url.drivername, engine.url.password) == ("postgresql+psycopg", "s3cret/@:")
    assert "s3cret" not in str(engine.url)


def test_whether_a_process_is_ready_is_told(tmp_path: Path) -> None:
    environment = os.environ | {
        "HARVESTER_DATA": str(tmp_path),
        "HARVESTER_DATABASE_URL": database_url(tmp_path, migrated=False),
    }

    def harvester(word: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "harvester", word], env=environment, capture_output=True
        ).returncode

    assert [harvester(word) for word in ("ready", "migrate", "ready")] == [1, 0, 0]


def test_migrating_what_is_up_to_date_waits_for_nobody(made: Catalogue) -> None:
    with writing(made.engine) as connection:
        in_turn(connection)
        migrate(made.engine)


@given(ANY)
def test_any_text_can_be_kept(value: str) -> None:
    kept = storable.text(value)
    assert "\x00" not in kept
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert len(kept) == len(value)
    assert storable.text(kept) == kept


@given(st.lists(st.one_of(ANY, st.sampled_from(NASTY)), unique=True))
def test_identifiers_that_differ_are_kept_apart(values: list[str]) -> None:
    kept = [storable.identifier(value) for value in values]
    assert len(set(kept)) == len(values)
    assert all(storable.identifier(guid) == guid and len(guid.encode()) <= 2600 for guid in kept)


@examples(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(ANY.filter(bool), st.sampled_from(NASTY)), min_size=1, max_size=6, unique=True))
def test_whatever_portals_say_is_stored_and_found_again(made: Catalogue, values: list[str]) -> None:
    run = made.source("odd")
    found = [Record(value, {"title": value}) for value in values]
    made.add("odd", [raw(record.guid, title=f"T {value}") for record, value in zip(found, values, strict=True)])
    with made.engine.connect() as connection:
        known = queries.known(connection, run.source_id, [record.guid for record in found])
    assert set(known) == {record.guid for record in found}
    lost = [RecordError("gone", guid=value) for value in values]
    assert {error.guid for error in lost} == set(known)
    made.report("odd", *(Problem("fetch", "error", "odd", value, value, value, value, value) for value in values))
    with made.engine.connect() as connection:
        assert queries.source_named(connection, values[0]) is None
        assert queries.dataset_by_key(connection, values[0]) is None
        assert queries.unmatched_values(connection, None, values[0]) == []


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_every_column_of_text_takes_anything(made: Catalogue, value: str) -> None:
    made.add("a", [raw("1")])
    with writing(made.engine) as connection:
        told = {"url": value, "title": value, "options": {value: [value]}, "catalogue": {value: value}}
        store.edit_source(connection, 1, told)
        row = {"cursor": value, "message": value, "state": {"k": value}}
        connection.execute(runs.update().values(**row))
        connection.execute(records.update().values(title=value, url=value))
        connection.execute(datasets.update().values(iri=value))
    with made.engine.connect() as connection:
        source = queries.source_named(connection, "a")
        assert source is not None
        assert source.options == {value: [value]}
        assert source.title == storable.text(value)


def noise(size: int) -> str:
    """Text of four bytes a character that cannot be compressed, as an index would."""
    return "".join(map(chr, Random(size).sample(range(0x20000, 0x2A000), size)))


def test_identifiers_and_keys_of_any_length_are_indexed(made: Catalogue) -> None:
    others = [{"notation": noise(500), "agency": noise(100)}, {"notation": noise(400), "agency": noise(499)}]
    uri, page = f"https://id.example/{noise(3000)}", f"https://a.example.org/{noise(9000)}"
    dataset = Dataset.of(raw(noise(501), uri=uri, landing_page=[page], other_identifier=others))
    keys = keys_of(dataset, "https://a.example.org")
    named = known_as(dataset, storable.identifier(noise(700)), "https://a.example.org")
    assert {key[:3] for key in keys} == {"uri", "id:"}
    assert [len(known.notation) for known in named] == [500]
    made.add("a", [raw("1")])
    with writing(made.engine) as connection:
        naming.note(connection, [(1, named)], NOW)
        connection.execute(insert(unmatched).values(record_id=1, vocabulary="v" * 40, text=noise(500), count=1))
        connection.execute(records.update().values(guid=storable.identifier(noise(600))))
        connection.execute(datasets.update().values(iri=uri))


def test_no_text_column_goes_round_the_types_that_make_it_storable() -> None:
    plain = [
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if type(column.type).__module__.startswith("sqlalchemy") and column.type.python_type is str
    ]
    assert plain == []


@only_postgresql
def test_who_only_marks_waits_for_no_row_with_others_in_hand(
    postgres_engine: Engine, postgres_settings: Settings
) -> None:
    made = Catalogue(postgres_settings, postgres_engine)
    made.add("a", [raw("one"), raw("two")])
    run = made.runs["a"]

    def mark() -> None:
        with writing(postgres_engine) as connection:
            known = queries.known(connection, run.source_id, ["one", "two"])
            same = [Outcome(Action.UNCHANGED, Record(g, {}), b"", one) for g, one in sorted(known.items())]
            marking.prepare(connection, run, same, [], None)
            store.write(connection, run, same, NOW)

    def move(connection: Connection, number: int) -> None:
        connection.execute(update(records).where(records.c.id == number).values(role="copy"))

    with ThreadPoolExecutor(1) as pool:
        with writing(postgres_engine) as connection:
            in_turn(connection)
            move(connection, 2)
            other = pool.submit(mark)
            with postgres_engine.connect() as looking:
                while not looking.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one():
                    time.sleep(0.005)
            move(connection, 1)
        other.result(60)
