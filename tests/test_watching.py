"""What monitoring sees: metrics, health, logs."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from contextvars import copy_context
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event, insert, select, update
from starlette.testclient import TestClient

from harvester import logs
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import changes, runs, sources
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.catalogues import NOW, application


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    with TestClient(application(settings)) as found:
        yield found


@pytest.fixture
def log() -> Iterator[tuple[io.StringIO, Settings]]:
    """The log of this process, as it was before when the test is over."""
    root, stream = logging.getLogger(), io.StringIO()
    before, level = list(root.handlers), root.level
    yield stream, Settings()
    logging.basicConfig(handlers=before, level=level, force=True) if before else None
    root.handlers[:] = before
    root.setLevel(level)


def add(engine: Engine, name: str, *statuses: str, **values: Any) -> int:
    """A source whose runs ended so."""
    row = {"title": name, "connector": "ckan", "url": "https://example.org", "options": {}, "created_at": NOW}
    with writing(engine) as connection:
        source_id = store.add_source(connection, {"name": name, **row, **values})
        for status in statuses:
            live = status in ("queued", "running")
            run_id = store.add_run(connection, source_id, "full", "queued", NOW)
            counted = {"accepted": 7, "visible": 5} if status == "succeeded" else {}
            ended = {"ended_at": None if live else NOW, "warnings": 3, "failed": 2, "heartbeat_at": utcnow()}
            connection.execute(update(runs).where(runs.c.id == run_id).values(status=status, **ended, **counted))
        return source_id


def scraped(client: TestClient) -> dict[tuple[str, ...], float]:
    """(name, label value ...) -> value."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_every_source_is_measured(client: TestClient, engine: Engine) -> None:
    add(engine, "good", "failed", "succeeded", since_at=NOW)
    add(engine, "bad", "succeeded", "failed", "running")
    add(engine, "new", "queued", paused_at=NOW)
    add(engine, "stopped", "failed", "cancelled", failing_since=NOW)
    add(engine, "late", next_run_at=utcnow() - timedelta(hours=1))
    found = scraped(client)
    assert {key[1]: value for key, value in found.items() if key[0] == "harvester_source_up"} == {
        "good": 1, "bad": 0, "new": 1, "late": 1, "stopped": 0,
    }  # fmt: skip
    assert found["harvester_source_last_run", "bad", "failed"] == 1
    assert found["harvester_source_records", "bad"] == found["harvester_source_records", "good"] == 7
    assert found["harvester_source_datasets", "bad"] == 5
    assert found["harvester_source_last_success_timestamp_seconds", "good"] == NOW.timestamp()
    assert ("harvester_source_last_success_timestamp_seconds", "bad") not in found
    assert found["harvester_source_warnings", "bad"] == 3
    assert found["harvester_source_paused", "new"] == 1
    assert [found["harvester_runs", status] for status in ("queued", "running", "held")] == [1, 1, 0]
    assert found["harvester_queue_oldest_seconds",] > 0
    assert found["harvester_sources_overdue",] == 1
    assert found["harvester_database_up",] == 1
    assert found["harvester_index_lag_changes",] == 0


def test_the_lag_of_the_index_is_measured(client: TestClient, engine: Engine) -> None:
    row = {"dataset_id": 1, "record_id": 1, "action": "created", "at": NOW}
    with writing(engine) as connection:
        connection.execute(insert(changes), [row] * 3)
    assert scraped(client)["harvester_index_lag_changes",] == 3


def test_a_scrape_counts_no_records(client: TestClient, engine: Engine) -> None:
    add(engine, "good", "succeeded")
    asked: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        asked.append(statement)

    app_engine = client.app.state.engine  # type: ignore[attr-defined]
    event.listen(app_engine, "before_cursor_execute", note)
    scraped(client)
    assert len(asked) <= 10
    assert [statement for statement in asked if "FROM records" in statement or "FROM datasets" in statement] == []
    # Statuses are looked up, never counted over the whole history.
    assert [s for s in asked if "count(*)" in s and "FROM runs" in s and "status IN" not in s] == []


def test_requests_are_counted_by_route(client: TestClient) -> None:
    for path in ("/api/sources/a", "/api/sources/b", "/nothing/1", "/nothing/2"):
        client.get(path)
    found = scraped(client)
    assert found["harvester_http_requests_total", "GET", "/api/sources/{name}", "404"] == 2
    assert found["harvester_http_requests_total", "GET", "(none)", "404"] == 2
    assert found["harvester_http_request_seconds_count", "/api/sources/{name}"] == 2


def test_two_applications_do_not_share_their_counts(client: TestClient, settings: Settings) -> None:
    client.get("/api/sources")
    with TestClient(application(settings)) as other:
        assert ("harvester_http_requests_total", "GET", "/api/sources", "200") not in scraped(other)


@pytest.mark.one_database("sqlite", reason="a database that is gone is the same everywhere")
def test_without_its_tables_the_service_says_so(settings: Settings) -> None:
    with TestClient(application(settings)) as client:
        assert scraped(client)["harvester_database_up",] == 0
        assert client.get("/health/ready").status_code == 503
        assert client.get("/health/live").status_code == 200


def test_the_api_is_ready_without_scheduler_and_workers(client: TestClient, engine: Engine) -> None:
    add(engine, "late", "queued", next_run_at=utcnow() - timedelta(hours=1))
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert (answer.json()["duty"]["overdue"], answer.json()["duty"]["queued"]) == (1, 1)
    assert answer.json()["duty"]["waiting_seconds"] > 0


def test_every_line_of_a_run_says_which(log: tuple[io.StringIO, Settings]) -> None:
    stream, settings = log
    logs.install(settings, stream=stream)

    def told() -> None:
        logging.getLogger("a").warning("in a thread")

    with logs.about(source="paris", run=7):
        logging.getLogger("a").info("read page %s", 3)
        thread = threading.Thread(target=copy_context().run, args=(told,))
        thread.start()
        thread.join()
    logging.getLogger("a").info("after")
    lines = stream.getvalue().splitlines()
    assert ["source=paris run=7" in line for line in lines] == [True, True, False]
    assert 'msg="read page 3"' in lines[0]
    assert "level=info" in lines[0]


@pytest.mark.parametrize("text", ["bad\r\nlevel=error source=\x1b[31mforged", "\x1b[31mforged", "a\x9b1mb", "a\u2028b"])
def test_a_line_is_one_line_whatever_is_in_it(log: tuple[io.StringIO, Settings], text: str) -> None:
    stream, settings = log
    logs.install(settings, stream=stream)
    try:
        raise ValueError("boom\nlevel=error forged=1")
    except ValueError:
        logging.getLogger("a").exception(text)
    written = stream.getvalue()
    assert written.count("\n") == 1
    assert written.strip().isprintable()
    assert "Traceback" in written


@pytest.mark.parametrize(
    ("words", "facts", "line"),
    [
        ("run ended source=%s run=%s", ("paris", 7), 'source=paris run=7 msg="run ended"'),
        ("no heartbeat source=%s run=%s: %s", ("paris", 7, "gone"), 'source=paris run=7 msg="no heartbeat: gone"'),
        ("running run=%s %.1f a second", (7, 2.0), 'run=7 msg="running 2.0 a second"'),
        ("told source=%s", ("a run=8",), 'source="a run=8" msg=told'),
        ("100%% of source=%s", ("paris",), 'msg="100% of source=paris"'),
        ("a level=%s", ("error",), "msg=a"),
    ],
)
def test_what_a_message_names_is_a_field(
    log: tuple[io.StringIO, Settings], words: str, facts: tuple[object, ...], line: str
) -> None:
    stream, settings = log
    logs.install(settings, stream=stream)
    logging.getLogger("a").info(words, *facts)
    assert f" level=info logger=a {line}\n" in stream.getvalue()


def test_json_is_json(log: tuple[io.StringIO, Settings]) -> None:
    stream, settings = log
    logs.install(settings.model_copy(update={"log_format": "json"}), stream=stream)
    with logs.about(source="paris", run=7):
        logging.getLogger("a").info('say "é"\n')
    found = json.loads(stream.getvalue())
    assert (found["msg"], found["source"], found["run"], found["level"]) == ('say "é"\n', "paris", 7, "info")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer s3cret-Token-1",
        "authorization='Basic dXNlcjpzM2NyZXQtVG9rZW4tMQ=='",
        "https://user:s3cret-Token-1@example.org/",
        "GET https://example.org/?q=1&api_key=s3cret-Token-1&rows=2",
        "GET https://example.org/?access_token=s3cret-Token-1",
        "the token hvt_s3cret-Token-1 was made",
    ],
)
def test_secrets_do_not_pass(log: tuple[io.StringIO, Settings], text: str) -> None:
    stream, settings = log
    logs.install(settings, stream=stream)
    logging.getLogger("a").error("told: %s", text)
    assert "s3cret" not in stream.getvalue()
    assert "dXNlcj" not in stream.getvalue()
    assert logs.HIDDEN in stream.getvalue()


def test_requests_are_logged_in_fields(log: tuple[io.StringIO, Settings]) -> None:
    stream, settings = log
    logs.install(settings, stream=stream)
    arguments = ("127.0.0.1:5", "GET", "/api/datasets?q=a b", "1.1", 200)
    logging.getLogger("uvicorn.access").warning('%s - "%s %s HTTP/%s" %d', *arguments)
    assert 'client=127.0.0.1:5 method=GET path="/api/datasets?q=a b" http=1.1 status=200' in stream.getvalue()


def test_a_failed_run_says_failed_everywhere(client: TestClient, engine: Engine) -> None:
    source_id = add(engine, "paris", "failed", failing_since=NOW)
    with writing(engine) as connection:
        connection.execute(update(runs).values(code="http-503", message="HTTP 503"))
        run_id = connection.execute(select(runs.c.id).where(runs.c.source_id == source_id)).scalar_one()
        assert connection.execute(select(sources.c.failing_since)).scalar_one() == NOW
    run = client.get(f"/api/runs/{run_id}").json()
    assert (run["status"], run["code"]) == ("failed", "http-503")
    assert run["help"]
    source = client.get("/api/sources/paris").json()
    assert (source["last_run"]["status"], source["failing_since"][:10]) == ("failed", "2026-03-01")
    for page in ("/sources", "/sources/paris", "/runs", "/runs?status=failed", f"/runs/{run_id}"):
        text = client.get(page).text
        assert 'class="status failed">failed<' in text, page
        assert "succeeded</span>" not in text, page
    assert scraped(client)["harvester_source_up", "paris"] == 0
