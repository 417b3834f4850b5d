"""The pages for those who look after sources and runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from harvester import tokens
from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.store import Problem
from harvester.catalogue.tables import records, runs, sources
from harvester.codes import table
from harvester.schedule import utcnow
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    """A source whose first run brought eight records, of which the second, held, shows three."""
    found = catalogue(tmp_path / "pages")
    found.source("paris", title=f"Paris {EVIL}")
    found.add("paris", [{"identifier": f"g{n}", "title": f"Relevé {n}"} for n in range(7)])
    found.add("paris", [{"identifier": EVIL, "title": "A < B"}])
    ref = found.runs["paris"]
    with writing(found.engine) as connection:
        connection.execute(update(runs).values(status="succeeded", started_at=NOW, ended_at=NOW))
        held = store.add_run(connection, ref.source_id, "full", "running", NOW)
        ended = {"status": "held", "started_at": NOW, "ended_at": NOW, "code": "too-many-vanished", "message": "5 of 8"}
        connection.execute(update(runs).where(runs.c.id == held).values(**ended))
        connection.execute(update(records).where(records.c.guid.in_(["g0", "g1", "g2"])).values(seen_run_id=held))
    return found


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings), follow_redirects=False) as found:
        yield found


def held_run(built: Catalogue) -> Any:
    with built.engine.connect() as connection:
        return connection.execute(select(runs).order_by(runs.c.id.desc())).first()


def token(built: Catalogue, scope: str) -> str:
    with writing(built.engine) as connection:
        return tokens.create(connection, scope, scope, utcnow())


def active(built: Catalogue) -> int:
    with built.engine.connect() as connection:
        return len(connection.execute(select(records).where(records.c.status == "active")).all())


def test_nothing_that_a_portal_writes_runs(client: TestClient, built: Catalogue) -> None:
    run_id = held_run(built).id
    with writing(built.engine) as connection:
        problem = Problem("normalise", "error", "bad-url", EVIL, EVIL, "landing_page", EVIL, "javascript:alert(1)")
        store.report(connection, run_id, [problem])
        connection.execute(update(runs).where(runs.c.id == run_id).values(message=EVIL))
    for path in ("/sources", "/sources/paris", "/runs", f"/runs/{run_id}", f"/runs/{run_id}/held", "/runs/1"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert "<script" not in answer.text
        assert 'href="javascript' not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "&lt;script&gt;" in client.get(f"/runs/{run_id}").text


def test_a_problem_is_told_with_record_field_value_and_what_to_do(client: TestClient, built: Catalogue) -> None:
    built.report(
        "paris",
        Problem("normalise", "warning", "bad-date", "no date", "g1", "modified", "12/13", "https://a.example.org/d"),
    )
    told = client.get("/api/runs/1/problems").json()["problems"][0]
    assert told | {"id": 0} == {
        "id": 0, "source": "paris", "guid": "g1", "stage": "normalise", "severity": "warning", "code": "bad-date",
        "field": "modified", "value": "12/13", "url": "https://a.example.org/d", "message": "no date",
        "help": "Write it as 2026-03-01.",
    }  # fmt: skip
    page = client.get("/runs/1").text
    for part in ("g1", "modified", "12/13", "https://a.example.org/d", "Write it as 2026-03-01.", "#bad-date"):
        assert part in page


def test_only_a_live_run_comes_again_by_itself(client: TestClient, built: Catalogue) -> None:
    assert 'http-equiv="refresh"' not in client.get("/runs/1").text
    with writing(built.engine) as connection:
        values = {"status": "running", "started_at": utcnow(), "fetched": 42_000, "advertised": 64_188, "pages": 42}
        connection.execute(update(runs).where(runs.c.id == 1).values(**values))
    page = client.get("/runs/1").text
    assert 'http-equiv="refresh"' in page
    assert '<progress max="64188" value="42000">' in page
    assert "page 42, 42,000 of 64,188 records" in page
    progress = client.get("/api/runs/1").json()["progress"]
    assert (progress["pages"], progress["records"], progress["advertised"]) == (42, 42_000, 64_188)


def test_a_run_shows_its_changes_by_name(client: TestClient) -> None:
    page = client.get("/runs/1").text
    for number in range(7):
        assert f">Relevé {number}</a>" in page


def test_what_would_go_is_shown_by_name(client: TestClient, built: Catalogue) -> None:
    run_id = held_run(built).id
    page = client.get(f"/runs/{run_id}/held").text
    assert "5 records would go" in page
    assert [f">Relevé {n}</a>" in page for n in range(7)] == [False, False, False, True, True, True, True]
    assert f"/runs/{run_id}/held" in client.get(f"/runs/{run_id}").text
    assert f"/runs/{run_id}/held" in client.get("/sources/paris").text


def test_a_person_with_a_token_confirms(client: TestClient, built: Catalogue) -> None:
    run_id = held_run(built).id
    answer = client.post(f"/runs/{run_id}/confirm", data={"token": f" {token(built, 'run')} "})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run_id}")
    assert "set-cookie" not in answer.headers
    assert active(built) == 3
    assert held_run(built).decided_by == "run"
    again = client.get(f"/runs/{run_id}/held")
    assert "<form" not in again.text
    assert "decided by run" in again.text


def test_a_person_with_a_token_discards(client: TestClient, built: Catalogue) -> None:
    run_id = held_run(built).id
    answer = client.post(f"/runs/{run_id}/discard", data={"token": token(built, "run")})
    assert answer.status_code == 303
    assert active(built) == 8
    assert held_run(built).status == "partial"
    again = client.post(f"/runs/{run_id}/confirm", data={"token": token(built, "admin")})
    assert again.status_code == 409
    assert active(built) == 8


@pytest.mark.parametrize(("given", "status"), [("", 401), ("hvt_guess", 401), ("read", 403)])
def test_nobody_else_decides(client: TestClient, built: Catalogue, given: str, status: int) -> None:
    run_id, reader = held_run(built).id, token(built, "read")
    typed = reader if given == "read" else given
    for action in ("confirm", "discard"):
        answer = client.post(f"/runs/{run_id}/{action}", data={"token": typed})
        assert answer.status_code == status
        assert 'role="alert"' in answer.text
        assert reader not in answer.text
        # A token in the address, or in a header that a browser sends by itself, counts for nothing.
        assert client.post(f"/runs/{run_id}/{action}?token={typed}", data={}).status_code == 401
    assert active(built) == 8


def test_without_any_token_the_page_says_how_to_make_one(client: TestClient, built: Catalogue) -> None:
    answer = client.post(f"/runs/{held_run(built).id}/confirm", data={"token": "x"})
    assert answer.status_code == 403
    assert "harvester token create" in answer.text


@pytest.mark.parametrize("path", ["/runs/999", "/runs/999/held", "/sources/nobody", "/runs?source=nobody"])
def test_what_is_not_there_is_told(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_runs_can_be_chosen_by_status(client: TestClient, built: Catalogue) -> None:
    run_id = held_run(built).id
    page = client.get("/runs?status=held").text
    assert f'<a href="/runs/{run_id}">' in page
    assert '<a href="/runs/1">' not in page
    assert client.get("/runs?status=nope").status_code == 400


def test_a_source_tells_when_it_is_harvested(client: TestClient, built: Catalogue) -> None:
    with writing(built.engine) as connection:
        values = {"schedule": "0 3 * * *", "next_run_at": NOW, "failing_since": NOW, "timezone": "Europe/Paris"}
        connection.execute(update(sources).values(**values))
    page = client.get("/sources/paris").text
    for part in ("0 3 * * *", "Europe/Paris", "2026-03-01 12:00", "Failing since"):
        assert part in page
    with writing(built.engine) as connection:
        connection.execute(update(sources).values(paused_at=NOW))
    assert "paused" in client.get("/sources").text


def test_every_code_is_on_the_page_and_in_the_api(client: TestClient) -> None:
    page = client.get("/problem-codes").text
    assert [code for code in table() if f'id="{code}"' not in page] == []
    assert [code["code"] for code in client.get("/api/problem-codes").json()["codes"]] == list(table())
