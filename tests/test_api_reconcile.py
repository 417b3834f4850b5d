"""Reconciliations through the API, on pages and from the command line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner

from harvester import tokens
from harvester.catalogue.database import writing
from harvester.cli import app as command_line
from harvester.reconcile.serving import Reconciler
from harvester.samples import CKAN
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.settings import Settings
from tests.catalogues import application
from tests.test_reconcile import Pair, copy


@pytest.fixture
def pair(engine: Engine, settings: Settings) -> Pair:
    made = Pair(engine, settings)
    made.publish(*(f"jeu{number}" for number in range(12)))
    made.hold(*(f"jeu{number}" for number in range(8)), "reste")
    made.hold("jeu0", title="=Un autre titre", modified="2020-01-01")
    made.catalogue.add("national", [copy("jeu1") | {"identifier": "again"}], keyed=True)
    return made


@pytest.fixture
def client(pair: Pair, settings: Settings) -> Iterator[TestClient]:
    with TestClient(application(settings)) as found:
        yield found


@pytest.fixture
def runner(engine: Engine) -> dict[str, str]:
    with writing(engine) as connection:
        return {"Authorization": f"Bearer {tokens.create(connection, 'mine', 'run', utcnow())}"}


def serve_one(pair: Pair) -> bool:
    return Reconciler(pair.engine, 1.0, utcnow, 5).one()


def asked(client: TestClient, runner: dict[str, str]) -> Any:
    return client.post("/api/reconciliations", json={"source": "producer", "target": "national"}, headers=runner)


def test_it_is_asked_for_worked_out_beside_and_read_in_pages(
    client: TestClient, pair: Pair, runner: dict[str, str]
) -> None:
    answer = asked(client, runner)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    place = answer.headers["location"]
    assert asked(client, runner).json()["id"] == answer.json()["id"]
    assert serve_one(pair)
    assert not serve_one(pair)
    found = client.get(place).json()
    assert found["status"] == "succeeded"
    assert found["counts"]["verdicts"] == {"matched": 7, "divergent": 1, "duplicate": 1, "orphan": 1, "missing": 4}
    assert found["summary"][0] == "producer -> national: 8 of 12 records arrived (66.7 %)."
    page, seen = client.get(f"{place}/lines?limit=3").json(), []
    while True:
        seen += [line["number"] for line in page["lines"]]
        if not page["next"]:
            break
        page = client.get(page["next"]).json()
    assert seen == list(range(1, 15))
    (divergent,) = client.get(f"{place}/lines?verdict=divergent").json()["lines"]
    assert divergent["fields"][0]["field"] == "title"
    assert divergent["source"]["id"] == "jeu0"
    assert len(client.get(f"{place}/lines?reason=unknown").json()["lines"]) == 4
    assert client.get(f"{place}/lines?change=solved").json()["lines"] == []


def test_files_for_the_producer(client: TestClient, pair: Pair, runner: dict[str, str]) -> None:
    place = asked(client, runner).headers["location"]
    serve_one(pair)
    answer = client.get(f"{place}/lines.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="producer-national-1.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert len(rows) == 14
    (row,) = [row for row in rows if row["verdict"] == "divergent"]
    assert row["target_title"] == "'=Un autre titre"
    assert row["source_url"] == "https://producer.example.org/dataset/jeu0"
    assert row["todo"]
    assert len(client.get(f"{place}/lines.ndjson").text.splitlines()) == 14
    whole = json.loads(client.get(f"{place}/lines.json?verdict=orphan").text)
    assert (whole["source"], [line["verdict"] for line in whole["lines"]]) == ("producer", ["orphan"])
    assert "producer -> national" in client.get(f"{place}/lines.txt").text
    assert client.get(f"{place}/lines.pdf").status_code == 400


def test_only_those_who_may_ask_and_only_for_what_is(client: TestClient, pair: Pair, runner: dict[str, str]) -> None:
    body = {"source": "producer", "target": "national"}
    assert client.post("/api/reconciliations", json=body).status_code in (401, 403)
    other = client.post("/api/reconciliations", json=body | {"target": "nobody"}, headers=runner)
    assert other.status_code == 404
    same = client.post("/api/reconciliations", json=body | {"target": "producer"}, headers=runner)
    assert (same.status_code, same.json()["code"]) == (400, "same-source")
    assert client.get("/api/reconciliations/99").status_code == 404
    assert client.get("/api/reconciliations?source=nobody").status_code == 404
    assert client.get("/api/reconciliations/99/lines").status_code == 404


def test_it_can_be_cancelled_once(client: TestClient, pair: Pair, runner: dict[str, str]) -> None:
    place = asked(client, runner).headers["location"]
    assert client.post(f"{place}/cancel").status_code in (401, 403)
    assert client.post(f"{place}/cancel", headers=runner).json()["status"] == "cancelled"
    assert client.post(f"{place}/cancel", headers=runner).status_code == 409
    assert not serve_one(pair)


def test_the_trend_the_matrix_and_where_else(client: TestClient, pair: Pair, runner: dict[str, str]) -> None:
    cells = client.get("/api/reconciliations/matrix?target=national").json()["cells"]
    assert [(cell["source"], cell["records"], cell["reconciliation"]) for cell in cells] == [("producer", 12, None)]
    asked(client, runner)
    serve_one(pair)
    pair.hold("jeu9", "jeu10")
    asked(client, runner)
    serve_one(pair)
    trend = client.get("/api/reconciliations?source=producer&target=national&succeeded=true").json()["reconciliations"]
    assert [one["counts"]["verdicts"]["missing"] for one in trend] == [2, 4]
    assert trend[0]["counts"]["changes"]["solved"] == {"missing": 2}
    solved = client.get("/api/reconciliations/2/lines?change=solved").json()["lines"]
    assert [(line["source"]["id"], line["was"]) for line in solved] == [("jeu9", "missing"), ("jeu10", "missing")]
    (cell,) = client.get("/api/reconciliations/matrix?target=national").json()["cells"]
    assert (cell["arrived"], cell["share"], cell["reconciliation"]) == (10, round(10 / 12, 4), 2)
    page = client.get("/api/reconciliations/elsewhere?source=producer&limit=5").json()
    assert len(page["records"]) == 5
    assert page["records"][2]["elsewhere"][0]["source"] == "national"
    assert client.get(page["next"]).json()["records"][0]["record"]["id"] == "jeu5"


def test_pages_show_every_verdict_and_escape_what_portals_wrote(
    client: TestClient, pair: Pair, runner: dict[str, str]
) -> None:
    pair.publish("jeu11", title='5 < 6 & "<co')
    asked(client, runner)
    waiting = client.get("/reconciliations/1").text
    assert 'http-equiv="refresh"' in waiting
    serve_one(pair)
    text = client.get("/reconciliations/1").text
    assert "8 of 12 records arrived" in text
    assert "5 &lt; 6 &amp; &#34;&lt;co" in text
    assert "Un autre titre" in client.get("/reconciliations/1?verdict=divergent").text
    assert "Un autre titre" not in client.get("/reconciliations/1?verdict=missing").text
    assert 'href="/reconciliations/1"' in client.get("/reconciliations").text
    assert client.get("/reconciliations/7").status_code == 404


@pytest.fixture
def shell(pair: Pair, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HARVESTER_DATA", str(settings.data))
    monkeypatch.setenv("HARVESTER_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("HARVESTER_PRIVATE_HOSTS", "127.0.0.1")
    return CliRunner()


def printed(shell: CliRunner, *words: str) -> str:
    result = shell.invoke(command_line, ["reconcile", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_line_tells_and_writes(shell: CliRunner, tmp_path: Path) -> None:
    assert "8 of 12 records arrived" in printed(shell, "producer", "national")
    file = tmp_path / "told.csv"
    printed(shell, "show", "1", "--format", "csv", "--verdict", "missing", "--output", str(file))
    assert [row["verdict"] for row in csv.DictReader(io.StringIO(file.read_text("utf-8-sig")))] == ["missing"] * 4
    assert len(printed(shell, "show", "1", "--format", "ndjson").splitlines()) == 14
    assert "producer" in printed(shell, "list", "--source", "producer")
    assert json.loads(printed(shell, "matrix", "national", "--json"))[0]["arrived"] == 8
    assert "is queued" in printed(shell, "producer", "national", "--queue")
    assert "cancelled" in printed(shell, "cancel", "2")
    assert "national: matched" in printed(shell, "producer")


@pytest.mark.parametrize(
    "words", [("producer", "nobody"), ("show", "9"), ("show", "1", "--format", "pdf"), ("cancel", "9")]
)
def test_mistakes_are_told(shell: CliRunner, words: tuple[str, ...]) -> None:
    assert shell.invoke(command_line, ["reconcile", *words]).exit_code != 0


def test_advice_before_a_portal_is_added(
    shell: CliRunner, client: TestClient, pair: Pair, runner: dict[str, str]
) -> None:
    rows = CKAN.rows()
    half = [row["title"] for row in rows[::2]]
    pair.catalogue.add(
        "national",
        [
            {
                "identifier": row["id"],
                "title": row["title"],
                "other_identifier": [{"notation": row["id"]}],
                "modified": "2015-01-01",
            }
            for row in rows[::2]
        ],
        keyed=True,
    )
    server = serve(CKAN.portal())
    try:
        told = json.loads(printed(shell, "advise", server.url + CKAN.path, "--json"))
        body = {"url": server.url + CKAN.path, "sample": 20}
        answer = client.post("/api/reconciliations/advice", json=body, headers=runner).json()
    finally:
        server.close()
    (through,) = told["through"]
    assert through["source"] == "national"
    assert 0.4 < through["share"] < 0.6
    assert through["found"] <= len(half)
    assert through["older_days"] > 365
    assert "of this portal is already here through national" in through["words"]
    assert answer["looked_at"] == 20
