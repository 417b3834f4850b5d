"""The API of histories: a run's diff in pages and streams, a dataset's history, its state at any instant."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from harvester.catalogue import store
from harvester.catalogue.database import writing
from harvester.catalogue.store import Problem, RunRef
from harvester.catalogue.tables import runs
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def built(database: str, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Two runs of one source; the second updates one of five datasets and retires another."""
    found = catalogue(tmp_path_factory.mktemp("histories"))
    found.add("one", [{"identifier": f"g{n}", "title": f"Jeu {n}"} for n in range(5)])
    with writing(found.engine) as connection:
        connection.execute(update(runs).values(status="succeeded", ended_at=NOW))
        first = found.runs["one"]
        run_id = store.add_run(connection, first.source_id, "full", "running", NOW + DAY)
    found.runs["one"] = RunRef(run_id, first.source_id, "one")
    found.now = NOW + DAY
    keywords = [f"mot {n}" for n in range(700)]
    found.add("one", [{"identifier": "g0", "title": "=Autre", "keyword": keywords}])
    found.retire("one", "g1")
    found.report("one", Problem("fetch", "error", "blocked", "refused", "g2", url="https://a.example"))
    return found


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings)) as opened:
        yield opened


def get(client: TestClient, path: str, status: int = 200, **headers: str) -> Any:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json() if "json" in answer.headers["content-type"].replace("ndjson", "") else answer


def test_a_diff_comes_in_pages(client: TestClient) -> None:
    path: str | None = "/api/runs/2/diff?limit=2"
    lines = []
    while path:
        page = get(client, path)
        assert len(page["changes"]) <= 2
        lines += page["changes"]
        path = page["next"]
    assert [(line["action"], line["guid"], line["code"]) for line in lines] == [
        ("updated", "g0", None), ("retired", "g1", None), ("failed", "g2", "blocked"),
    ]  # fmt: skip
    assert lines[0]["source"] == "one"
    assert lines[0]["dataset"]
    assert lines[0]["at"]
    assert (len(lines[0]["changes"]), lines[0]["omitted"]) == (500, 201)
    assert lines[0]["changes"][0] == {
        "path": "keyword[mot 0]", "change": "added", "from": None, "to": "mot 0", "words": "keyword 'mot 0' added",
    }  # fmt: skip
    assert page["unchanged_named"] is True


def test_actions_can_be_chosen_and_stay_chosen(client: TestClient) -> None:
    page = get(client, "/api/runs/1/diff?action=created&action=retired&limit=3")
    rest = get(client, page["next"])
    assert [line["guid"] for line in page["changes"] + rest["changes"]] == [f"g{n}" for n in range(5)]
    assert (rest["next"] is None) or get(client, rest["next"])["changes"] == []
    assert get(client, "/api/runs/1/diff?action=updated")["changes"] == []
    assert get(client, "/api/runs/1/diff")["unchanged_named"] is False
    assert get(client, "/api/runs/1/diff?action=stolen", 400)["code"] == "unknown-action"
    assert get(client, "/api/runs/1/diff?after=x", 400)["code"] == "bad-parameter"
    assert get(client, "/api/runs/99/diff", 404)["code"] == "no-such-run"


def test_a_diff_is_streamed_in_the_form_asked_for(client: TestClient) -> None:
    by_name = get(client, "/api/runs/2/diff.csv")
    assert by_name.text == get(client, "/api/runs/2/diff", accept="text/csv").text
    assert by_name.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(by_name.text)))
    assert len(rows) == 701 + 2
    assert [row["to"] for row in rows if row["path"] == "title"] == ["'=Autre"]
    lines = [orjson.loads(line) for line in get(client, "/api/runs/2/diff.ndjson").text.splitlines()]
    assert [line["action"] for line in lines] == ["updated", "retired", "failed"]
    assert len(lines[0]["changes"]) == 701
    text = get(client, "/api/runs/2/diff.txt?action=retired").text
    assert text.startswith("retired ")
    assert text.count("\n") == 1
    assert get(client, "/api/runs/2/diff", accept="text/plain;q=0.9, text/html")
    assert get(client, "/api/runs/2/diff", 406, accept="text/html")["code"] == "not-acceptable"
    get(client, "/api/runs/2/diff.pdf", 400)
    get(client, "/api/runs/99/diff.csv", 404)


def test_a_dataset_has_a_history(client: TestClient, built: Catalogue) -> None:
    key = built.key("one", "g0")
    page = get(client, f"/api/datasets/{key}/history?limit=1")
    rest = get(client, page["next"])
    assert [(line["action"], line["run"]) for line in page["changes"] + rest["changes"]] == [
        ("updated", 2), ("created", 1),
    ]  # fmt: skip
    gone = get(client, f"/api/datasets/{built.key('one', 'g1')}/history")
    assert [line["action"] for line in gone["changes"]] == ["retired", "created"]
    assert get(client, "/api/datasets/nothing/history", 404)["code"] == "unknown-dataset"


def test_any_past_state_can_be_read(client: TestClient, built: Catalogue) -> None:
    key, gone = built.key("one", "g0"), built.key("one", "g1")
    before = get(client, f"/api/datasets/{key}/at/2026-03-01T12:00:00Z")
    assert (before["metadata"]["title"], before["source"], before["guid"]) == ({"": "Jeu 0"}, "one", "g0")
    assert get(client, f"/api/datasets/{key}/at/2026-03-02T14:00:00+02:00")["metadata"]["title"] == {"": "=Autre"}
    assert get(client, f"/api/datasets/{key}/at/2026-03-01", 404)["code"] == "not-there"
    assert get(client, f"/api/datasets/{gone}/at/2026-03-02")["metadata"]["title"] == {"": "Jeu 1"}
    assert get(client, f"/api/datasets/{gone}/at/2026-03-03", 404)["code"] == "not-there"
    assert get(client, f"/api/datasets/{key}/at/gestern", 400)["code"] == "bad-parameter"
    assert get(client, "/api/datasets/nothing/at/2026-03-03", 404)["code"] == "no-such-dataset"
