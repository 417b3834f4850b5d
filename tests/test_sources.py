"""Sources: everything is checked before it is saved; schedules say when they are due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from harvester import sources, worker
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.connector import Source, without_credentials
from harvester.errors import UsageError
from harvester.settings import Settings
from harvester.timing import next_run

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def add(engine: Engine, **more: object) -> str:
    wanted = {"url": "https://data.example.org/", "connector": "ckan", "now": NOW} | more
    with writing(engine) as connection:
        return sources.add(connection, **wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("title", "name"),
    [("Données de l'Aurée (région)", "donnees-de-l-auree-region"), (None, "data-example-org"), ("***", "source")],
)
def test_a_name_is_made_of_the_title_or_the_host(engine: Engine, title: str | None, name: str) -> None:
    assert add(engine, title=title) == name


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "Not A Name"}, "bad-name"),
        ({"connector": "gopher"}, "unknown-connector"),
        ({"url": "ftp://data.example.org/"}, "bad-url"),
        ({"url": "data.example.org"}, "bad-url"),
        ({"options": {"no_such_option": 1}}, "bad-options"),
        ({"schedule": "whenever"}, "bad-schedule"),
    ],
)
def test_what_does_not_fit_is_refused(engine: Engine, wrong: dict[str, object], code: str) -> None:
    with pytest.raises(UsageError) as caught:
        add(engine, **wrong)
    assert caught.value.code == code
    with engine.connect() as connection:
        assert queries.source_list(connection) == []


def test_a_name_is_taken_once(engine: Engine) -> None:
    add(engine, name="one")
    with pytest.raises(UsageError, match="there is a source 'one' already"):
        add(engine, name="one")


def test_editing_checks_what_results(engine: Engine) -> None:
    add(engine, name="one", schedule="daily")
    with writing(engine) as connection:
        sources.edit(connection, "one", NOW, title="Un", schedule="")
        row = sources.named(connection, "one")
        assert (row.title, row.schedule, row.next_run_at, row.connector) == ("Un", None, None, "ckan")
        with pytest.raises(UsageError):
            sources.edit(connection, "one", NOW, connector="gopher")


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        ("daily", datetime(2026, 5, 2, 3, tzinfo=UTC)),
        ("weekly", datetime(2026, 5, 4, 3, tzinfo=UTC)),
        ("0 3 * * 0", datetime(2026, 5, 3, 3, tzinfo=UTC)),
        ("0 3 * * 6-7", datetime(2026, 5, 2, 3, tzinfo=UTC)),
        ("0 3 * * mon-wed", datetime(2026, 5, 4, 3, tzinfo=UTC)),
        ("monthly", datetime(2026, 6, 1, 3, tzinfo=UTC)),
        ("30 13 * * *", datetime(2026, 5, 1, 13, 30, tzinfo=UTC)),
        (None, None),
    ],
)
def test_schedules(schedule: str | None, due: datetime | None) -> None:
    assert next_run(schedule, NOW) == due


def test_options_are_pairs() -> None:
    assert sources.parse_options(["a=1", "b=x=y", "c=1", "c=2"]) == {"a": "1", "b": "x=y", "c": ["1", "2"]}
    with pytest.raises(UsageError):
        sources.parse_options(["a"])


def test_what_looks_like_a_secret_is_masked() -> None:
    assert sources.masked({"api_key": "x", "Authorization": "y", "organization": "z"}) == {
        "api_key": "***", "Authorization": "***", "organization": "z",
    }  # fmt: skip


def test_a_walk_is_incremental_while_the_last_complete_one_is_young(engine: Engine, settings: Settings) -> None:
    add(engine, name="one")
    with writing(engine) as connection:
        row = sources.named(connection, "one")
        assert worker.mode_for(row, settings, NOW) == "full"
        store.edit_source(connection, row.id, {"complete_at": NOW})
        row = sources.named(connection, "one")
    assert worker.mode_for(row, settings, NOW + timedelta(days=6)) == "incremental"
    assert worker.mode_for(row, settings, NOW + timedelta(days=6), full=True) == "full"
    assert worker.mode_for(row, settings, NOW + timedelta(days=8)) == "full"


@pytest.mark.parametrize(
    ("changed", "forgotten"),
    [({"url": "https://other.example/"}, True), ({"options": {"groups": ["eau"]}}, True), ({"title": "Autre"}, False)],
)
def test_another_portal_is_walked_whole(engine: Engine, changed: dict[str, object], forgotten: bool) -> None:
    add(engine, name="one")
    with writing(engine) as connection:
        store.edit_source(connection, sources.named(connection, "one").id, {"complete_at": NOW, "since_at": NOW})
        sources.edit(connection, "one", NOW, **changed)
        row = sources.named(connection, "one")
    assert (row.complete_at is None, row.since_at is None) == (forgotten, forgotten)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@e.example:8080/x?y#z", "https://e.example:8080/x?y#z"),
        ("https://e.example/a@b", "https://e.example/a@b"),
        ("https://e.example/x?api_key=s3cret&page=2", "https://e.example/x?page=2"),
        ("https://e.example/x?q=a%26b&ACCESS-TOKEN=s3cret", "https://e.example/x?q=a%26b"),
        ("https://e.example/x?sig=s3cret", "https://e.example/x"),
    ],
)
def test_credentials_are_not_published(url: str, shown: str) -> None:
    assert without_credentials(url) == Source("one", url).home == shown
