"""Tokens, and what they open: changing sources and runs through the API."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from starlette.testclient import TestClient

from api.secrets import HIDDEN, hidden, restored
from harvester import tokens
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.tables import runs, sources
from harvester.catalogue.tables import tokens as table
from harvester.errors import UsageError
from harvester.samples import SAMPLES, start
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.catalogues import NOW, application

CHANGES = [
    ("POST", "/api/sources"),
    ("PATCH", "/api/sources/paris"),
    ("DELETE", "/api/sources/paris"),
    ("GET", "/api/sources/paris/settings"),
    ("POST", "/api/sources/paris/pause"),
    ("POST", "/api/sources/paris/resume"),
    ("POST", "/api/sources/paris/runs"),
    ("POST", "/api/sources/paris/dry-run"),
    ("POST", "/api/runs/1/cancel"),
]


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    values = {"title": "Paris", "connector": "ckan", "options": {"organizations": ["ville"]}, "created_at": NOW}
    with writing(engine) as connection:
        store.add_source(connection, {"name": "paris", "url": "https://u:s3cret-2@paris.example.org/", **values})
    with TestClient(application(settings)) as found:
        yield found


def token(engine: Engine, scope: str, name: str = "", **more: Any) -> dict[str, str]:
    """The header of a new token."""
    with writing(engine) as connection:
        return {"Authorization": f"Bearer {tokens.create(connection, name or scope, scope, utcnow(), **more)}"}


def row_of(engine: Engine, name: str = "paris") -> Any:
    with engine.connect() as connection:
        return connection.execute(select(sources).where(sources.c.name == name)).one_or_none()


def test_only_a_digest_of_a_token_is_kept(engine: Engine) -> None:
    given = token(engine, "run")["Authorization"].removeprefix("Bearer ")
    assert len(given) >= len(tokens.PREFIX) + 43
    with engine.connect() as connection:
        row = connection.execute(select(table)).one()
        assert given.encode() not in row.digest
        assert given not in str(row)
        assert tokens.known(connection, given, utcnow()) == tokens.Who(row.id, "run", "run", None)
        for wrong in ("", given[:-1], given + "a", given.upper(), "x" * 100_000, "\ud800", row.digest.hex()):
            assert tokens.known(connection, wrong, utcnow()) is None


def test_a_token_ends_by_time_and_by_hand(engine: Engine) -> None:
    with writing(engine) as connection:
        timed, revoked = (tokens.create(connection, name, "read", NOW, days=1) for name in ("timed", "revoked"))
        tokens.revoke(connection, "revoked", NOW)
        assert tokens.known(connection, timed, NOW + timedelta(hours=23)) is not None
        assert tokens.known(connection, timed, NOW + timedelta(days=1)) is None
        assert tokens.known(connection, revoked, NOW) is None
        assert [tokens.state(row, NOW) for row in tokens.listed(connection)] == ["revoked", "good"]
        assert tokens.exist(connection, NOW)
        assert not tokens.exist(connection, NOW + timedelta(days=1))
        assert tokens.create(connection, "revoked", "read", NOW) != revoked
        for name, scope in (("timed", "read"), ("bad name", "read"), ("", "read"), ("good", "root")):
            with pytest.raises(UsageError):
                tokens.create(connection, name, scope, NOW)
        with pytest.raises(UsageError):
            tokens.revoke(connection, "nobody", NOW)


@pytest.mark.parametrize("scope", tokens.SCOPES)
def test_each_scope_includes_those_before_it(scope: str) -> None:
    allowed = [other for other in tokens.SCOPES if tokens.Who(1, "a", scope).may(other)]
    assert allowed == list(tokens.SCOPES[: tokens.SCOPES.index(scope) + 1])


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_without_any_token_everything_is_closed(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path, json={}, headers={"Authorization": "Bearer guess"})
    assert (answer.status_code, answer.json()["code"]) == (403, "closed")
    assert "harvester token create" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nothing_changes_without_the_right_token(client: TestClient, engine: Engine, method: str, path: str) -> None:
    reading, gone = token(engine, "read"), token(engine, "admin", "gone")
    with writing(engine) as connection:
        tokens.revoke(connection, "gone", utcnow())
    secret = reading["Authorization"].removeprefix("Bearer ")
    refused = {
        "no-token": [{}, {"Authorization": f"Basic {base64.b64encode(f'a:{secret}'.encode()).decode()}"}],
        "bad-token": [gone, {"Authorization": "Bearer guess"}, {"Authorization": f"Bearer {secret}x"}],
        "scope": [reading],
    }
    for code, headers in refused.items():
        for header in headers:
            answer = client.request(method, path, json={}, headers=header)
            assert (answer.status_code, answer.json()["code"]) == (403 if code == "scope" else 401, code), header
            assert ("www-authenticate" in answer.headers) == (code != "scope")
    assert client.request(method, f"{path}?token={secret}&access_token={secret}", json={}).status_code == 401
    assert row_of(engine).paused_at is None


def test_every_endpoint_that_changes_something_is_guarded(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]
    unsafe = [
        (method, path)
        for path, operations in described.items()
        for method, operation in operations.items()
        if method != "get" and not operation.get("security")
    ]
    assert unsafe == []


def test_other_pages_cannot_use_a_browser(client: TestClient, engine: Engine) -> None:
    token(engine, "run")
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/api/sources", headers=asked | {"Access-Control-Request-Headers": "authorization"})
    assert answer.status_code == 400
    assert "access-control-allow-credentials" not in answer.headers


def test_refusals_are_logged_with_the_address_and_without_the_token(
    client: TestClient, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    token(engine, "run")
    with caplog.at_level(logging.INFO):
        client.post("/api/runs/1/cancel", headers={"Authorization": "Bearer hvt_gu3ss"})
    assert "client=testclient" in caplog.text
    assert "path=/api/runs/1/cancel" in caplog.text
    assert "hvt_gu3ss" not in caplog.text


def test_the_use_of_a_token_is_noted_at_most_once_a_minute(client: TestClient, engine: Engine) -> None:
    header = token(engine, "run")
    client.post("/api/sources/paris/runs", headers=header)
    with writing(engine) as connection:
        first = connection.execute(select(table.c.used_at)).scalar_one()
        assert first is not None
        who = tokens.Who(1, "run", "run", first)
        assert not tokens.stale(who, first + timedelta(seconds=59))
        assert tokens.stale(who, first + timedelta(seconds=60))


def test_a_source_is_found_out_added_changed_and_removed(client: TestClient, engine: Engine) -> None:
    header = token(engine, "admin")
    sample = next(sample for sample in SAMPLES if sample.connector == "ckan")
    running = start([sample])
    try:
        answer = client.post("/api/sources", headers=header, json={"url": running[0].url, "schedule": "daily"})
    finally:
        running[0].close()
    assert answer.status_code == 201, answer.text
    added = answer.json()
    place = answer.headers["location"]
    assert (added["connector"], added["schedule"], place) == ("ckan", "daily", f"/api/sources/{added['name']}")
    assert added["next_run_at"]
    rules = [{"channel": "email", "to": "ops@example.org"}]
    changes = {"title": "Another", "schedule": None, "notify": rules, "access": {"interval": 2}}
    changed = client.patch(place, headers=header, json=changes).json()
    assert (changed["title"], changed["schedule"], changed["next_run_at"]) == ("Another", None, None)
    told = client.get(f"{place}/settings", headers=header).json()
    assert told["access"] == {"interval": 2.0}
    assert told["notify"][0]["to"] == "ops@example.org"
    assert "ops@example.org" not in client.get(place).text
    assert client.delete(place, headers=header).status_code == 204
    assert client.get(place).status_code == 404


def test_secrets_that_are_sent_back_hidden_stay(client: TestClient, engine: Engine) -> None:
    header = token(engine, "admin")
    shown = client.get("/api/sources/paris").json()
    changes = {"url": shown["url"], "options": shown["options"] | {"groups": ["région"]}}
    answer = client.patch("/api/sources/paris", headers=header, json=changes)
    assert answer.status_code == 200, answer.text
    assert "s3cret" not in answer.text
    assert row_of(engine).options == {"organizations": ["ville"], "groups": ["région"]}
    assert "s3cret-2" in row_of(engine).url


def test_hidden_options_are_restored_wherever_they_stand() -> None:
    saved = {"key": "s3cret", "headers": {"X-A": "s3cret"}, "list": [{"token": "s3cret"}, "a"], "n": 1}
    shown = hidden(saved)
    assert "s3cret" not in str(shown)
    assert restored(shown, saved) == saved
    assert restored(shown | {"n": 2, "key": "new"}, saved) == saved | {"n": 2, "key": "new"}
    assert restored({"other": HIDDEN, "key": None}, saved) == {"other": HIDDEN, "key": None}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid-request"),
        ({"url": "https://x.example.org", "connector": "nope"}, "unknown-connector"),
        ({"url": "ftp://x.example.org", "connector": "ckan"}, "bad-url"),
        ({"url": "https://x.example.org", "connector": "ckan", "name": "A B"}, "bad-name"),
        ({"url": "https://x.example.org", "connector": "ckan", "schedule": "often"}, "bad-schedule"),
        ({"url": "https://x.example.org", "connector": "ckan", "timezone": "Mars"}, "bad-timezone"),
        ({"url": "https://x.example.org", "connector": "ckan", "jitter": -1}, "invalid-request"),
        ({"url": "https://x.example.org", "connector": "ckan", "options": {"rows": "x"}}, "bad-options"),
        ({"url": "https://x.example.org", "connector": "ckan", "notify": [{"channel": "email"}]}, "bad-notify"),
        ({"url": "https://x.example.org", "connector": "ckan", "access": {"secrets": {"A": "pw"}}}, "bad-access"),
        ({"url": "https://x.example.org", "connector": "ckan", "surprise": 1}, "invalid-request"),
        ({"url": "https://x.example.org", "connector": "ckan", "title": "a\x00b"}, "invalid-request"),
        ({"url": "http://10.0.0.1/", "schedule": "daily"}, "private-address"),
        ([], "invalid-request"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_code(client: TestClient, engine: Engine, body: Any, code: str) -> None:
    answer = client.post("/api/sources", headers=token(engine, "admin"), json=body)
    assert answer.status_code in (400, 502), answer.text
    assert answer.json()["code"] == code
    assert answer.json()["help"]
    with engine.connect() as connection:
        assert [row.name for row in connection.execute(select(sources))] == ["paris"]


def test_a_name_is_given_once(client: TestClient, engine: Engine) -> None:
    body = {"url": "https://paris.example.org", "connector": "ckan", "name": "paris"}
    answer = client.post("/api/sources", headers=token(engine, "admin"), json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "name-taken")


def test_what_is_too_large_is_not_read(client: TestClient, engine: Engine) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b"[" * 100_000] * 100

    for body in (b"[" * 10_000_000, pieces()):
        headers = {"Content-Type": "application/json"}
        answer = client.post(
            "/api/sources", headers=token(engine, "admin", str(type(body).__name__)) | headers, content=body
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "request-too-large")


def test_pause_and_resume(client: TestClient, engine: Engine) -> None:
    header = token(engine, "admin")
    client.patch("/api/sources/paris", headers=header, json={"schedule": "hourly"})
    assert client.post("/api/sources/paris/pause", headers=header).json()["paused_at"]
    assert client.get("/api/sources/paris").json()["paused_at"]
    assert client.post("/api/sources/paris/resume", headers=header).json()["paused_at"] is None
    assert row_of(engine).next_run_at is not None


def test_a_run_is_started_and_cancelled(client: TestClient, engine: Engine) -> None:
    header = token(engine, "run")
    answer = client.post("/api/sources/paris/runs", headers=header, json={"full": True})
    assert answer.status_code == 202
    run = answer.json()
    assert (run["status"], run["mode"], run["origin"]) == ("queued", "full", "api")
    assert answer.headers["location"] == f"/api/runs/{run['id']}"
    assert client.post("/api/sources/paris/runs", headers=header).json()["id"] == run["id"]
    with writing(engine) as connection:
        values = {"status": "running", "started_at": utcnow(), "heartbeat_at": utcnow(), "fetched": 7}
        connection.execute(update(runs).values(**values))
    busy = client.post("/api/sources/paris/runs", headers=header)
    assert (busy.status_code, busy.json()["code"], busy.json()["run"]) == (409, "already-running", run["id"])
    assert client.get(f"/api/runs/{run['id']}").json()["progress"]["records"] == 7
    ended = client.post(f"/api/runs/{run['id']}/cancel", headers=header).json()
    assert (ended["status"], ended["message"], ended["progress"]) == ("cancelled", "cancelled by run", None)
    again = client.post(f"/api/runs/{run['id']}/cancel", headers=header)
    assert (again.status_code, again.json()["code"]) == (409, "run-ended")
    assert client.post("/api/runs/999/cancel", headers=header).status_code == 404
    assert client.post("/api/sources/nobody/runs", headers=header).status_code == 404


SHUT = (
    "/",
    "/api/datasets",
    "/api/sources",
    "/catalog.ttl",
    "/dumps",
    "/sources",
    "/metrics",
    "/docs",
    "/openapi.json",
)


def test_a_private_catalogue_asks_everyone(settings: Settings, engine: Engine) -> None:
    header = token(engine, "read")
    secret = header["Authorization"].removeprefix("Bearer ")
    basic = {"Authorization": f"Basic {base64.b64encode(f'anyone:{secret}'.encode()).decode()}"}
    with TestClient(application(settings.model_copy(update={"private": True}))) as client:
        for path in SHUT:
            answer = client.get(path)
            assert answer.status_code == 401, path
            assert "Basic" in answer.headers["www-authenticate"]
            assert client.get(path, headers={"Authorization": "Basic !"}).status_code == 401
            assert client.get(path, headers=header).status_code == 200, path
            assert client.get(path, headers=basic).status_code == 200, path
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_addresses_of_webhooks_are_not_shown_and_stay_when_they_are_sent_back(
    client: TestClient, engine: Engine
) -> None:
    header = token(engine, "admin")
    rules = [{"channel": "webhook", "to": f"https://hooks.example/t0p/{part}"} for part in ("one", "two")]
    rules.append({"channel": "email", "to": "ops@example.org"})
    place = "/api/sources/paris"
    assert client.patch(place, json={"notify": rules}, headers=header).status_code == 200
    shown = client.get(f"{place}/settings", headers=header).json()["notify"]
    assert [rule["to"] for rule in shown] == [*["https://hooks.example/***"] * 2, "ops@example.org"]
    shown[0]["on"] = ["always"]
    assert client.patch(place, json={"notify": shown}, headers=header).status_code == 200
    saved = row_of(engine).notify
    assert [rule["to"] for rule in saved] == [rule["to"] for rule in rules]
    assert saved[0]["on"] == ["always"]
    assert client.patch(place, json={"notify": [shown[2], shown[1]]}, headers=header).status_code == 200
    assert [rule["to"] for rule in row_of(engine).notify] == ["ops@example.org", rules[1]["to"]]
    moved = [{**shown[1], "to": "https://other.example/***"}]
    assert client.patch(place, json={"notify": moved}, headers=header).status_code == 400
