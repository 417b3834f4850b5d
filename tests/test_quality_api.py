"""Quality through the API, the pages and the command line: the same figures everywhere."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient
from typer.testing import CliRunner

from harvester import spaces
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.cli import app
from harvester.errors import UsageError
from harvester.quality import INDICATORS
from harvester.quality.assessing import FOLLOWER
from harvester.settings import Settings
from tests.catalogues import Catalogue, application
from tests.test_quality_kept import raw

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LINKS = 80


@pytest.fixture
def kept(engine: Engine, settings: Settings) -> Catalogue:
    made = Catalogue(settings, engine, now=NOW)
    made.add("a", [raw("whole"), raw("bare", keyword=None, theme=None, title={"en": "=2+3"})])
    made.add("b", [raw("other", keyword=None, publisher={"name": "Another"})])
    follow(engine, FOLLOWER, lambda: NOW)
    return made


@pytest.fixture
def client(kept: Catalogue, settings: Settings) -> Iterator[TestClient]:
    with TestClient(application(settings)) as found:
        yield found


def got(client: TestClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def points(told: Any, rule: str = "mean", reading: str = "now") -> float:
    return next(float(s["points"]) for s in told["scores"] if (s["rule"], s["reading"]) == (rule, reading))


@pytest.mark.parametrize(
    ("query", "datasets", "mean"),
    [("", 3, 405 - LINKS - 30), ("?source=a", 2, 405 - LINKS - 30), ("?publisher=Another", 1, 405 - LINKS - 30),
     ("?source=b&publisher=Another", 1, 405 - LINKS - 30), ("?publisher=Nobody", 0, 0)],
)  # fmt: skip
def test_the_score_of_a_part(client: TestClient, query: str, datasets: int, mean: float) -> None:
    told = got(client, f"/api/quality{query}")
    assert (told["datasets"], points(told), told["up_to_date"]) == (datasets, mean, True)
    assert points(told, reading="checked") == (mean + LINKS if datasets else 0)
    assert [item["name"] for item in told["indicators"]] == [item.name for item in INDICATORS]
    assert got(client, told["links"]["fixes"])["fixes"] is not None


def test_the_score_of_a_space(client: TestClient, kept: Catalogue) -> None:
    with writing(kept.engine) as connection:
        spaces.add(connection, "tides", NOW, given={"publisher": ["Another"]})
    told = got(client, "/api/quality?space=tides")
    assert (told["datasets"], points(told)) == (1, 405 - LINKS - 30)


def test_what_would_win_most_and_the_datasets_behind_it(client: TestClient) -> None:
    told = got(client, "/api/quality/fixes?mend=keyword&mend=category")
    first, second = told["fixes"][:2]
    assert (first["indicator"], first["datasets"], first["to_win"]) == ("keyword", 2, 20)
    assert first["words"] == "these 2 datasets lack keywords: 30 points each"
    assert first["after"]["mean"] == 405 - LINKS - 10
    assert (second["indicator"], second["datasets"]) == ("category", 1)
    assert points(told["what_if"] | {"scores": told["what_if"]["scores"]}) == 405 - LINKS
    found: list[dict[str, Any]] = []
    following = first["list"] + "?limit=1"
    while following:
        page = got(client, following)
        assert len(page["datasets"]) <= 1
        found, following = [*found, *page["datasets"]], page["next"]
    assert {row["guid"] for row in found} == {"bare", "other"}
    assert found[0]["gaps"][0] == "keyword"


def test_the_list_for_a_producer_holds_no_formula(client: TestClient) -> None:
    for answer in (
        client.get("/api/quality/fixes/category/datasets.csv?source=a"),
        client.get("/api/quality/fixes/category/datasets?source=a", headers={"accept": "text/csv"}),
    ):
        [row] = csv.DictReader(io.StringIO(answer.text))
        assert (row["source"], row["guid"], row["title"], row["points"]) == ("a", "bare", "'=2+3", "265")
        assert row["lacks"] == "Categories"
        assert "keyword" in row["all_gaps"].split()


def test_links_are_unknown_until_they_are_checked(client: TestClient) -> None:
    fix = next(f for f in got(client, "/api/quality/fixes")["fixes"] if f["indicator"] == "access_url_status")
    assert (fix["datasets"], fix["unchecked"], fix["to_win"]) == (0, 3, 0)
    assert got(client, fix["list"])["datasets"] == []


def test_one_dataset(client: TestClient, kept: Catalogue) -> None:
    told = got(client, f"/api/datasets/{kept.key('a', 'bare')}/quality")
    assert [score["points"] for score in told["scores"]] == [265, 345]
    met = {item["name"]: item["met"] for item in told["indicators"]}
    assert (met["keyword"], met["publisher"], met["access_url_status"]) == (False, True, None)
    assert [item["name"] for item in told["indicators"] if item["fix"]] == ["keyword", "category"]
    assert "licence" in told["distributions"][0]["met"]
    assert client.get("/api/datasets/nothing/quality").status_code == 404


def test_trend_sources_and_indicators(client: TestClient) -> None:
    [day] = got(client, "/api/quality/trend?source=a")["days"]
    assert (day["day"], day["datasets"], day["points"]["mean"], day["bands"]["mean"]) == ("2026-05-01", 2, 295, "good")
    told = got(client, "/api/quality/sources?limit=1")
    assert (told["sources"][0]["name"], told["sources"][0]["latest"]["points"]["mean"]) == ("a", 295)
    assert [row["name"] for row in got(client, told["next"])["sources"]] == ["b"]
    table = got(client, "/api/quality/indicators")["indicators"]
    assert sum(row["points"] for row in table if row["metric"]) == 405


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("/api/quality?source=zz", 404, "no-such-source"), ("/api/quality?space=zz", 404, "no-such-space"),
     ("/api/quality/fixes/zz/datasets", 404, "unknown-indicator"),
     ("/api/quality/fixes?mend=zz", 404, "unknown-indicator"),
     ("/api/quality/fixes/keyword/datasets?after=x", 400, "bad-parameter")],
)  # fmt: skip
def test_mistakes_are_told(client: TestClient, path: str, status: int, code: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_pages(client: TestClient) -> None:
    page = client.get("/quality").text
    assert "these 2 datasets lack keywords: 30 points each" in page
    assert '<a href="/quality?source=a">' in page
    assert "295.0" in page
    of_source = client.get("/quality?source=a").text
    assert "Portal a" in of_source
    assert "2026-05-01" in of_source
    listed = client.get("/quality/category").text
    assert "=2+3" in listed
    assert "Datasets that lack a theme" in listed
    assert client.get("/quality/zz").status_code == 404
    assert "Nothing of it was assessed" in client.get("/quality?publisher=Nobody").text


@pytest.fixture
def command(kept: Catalogue, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("HARVESTER_DATA", str(settings.data))
    if settings.database_url:
        monkeypatch.setenv("HARVESTER_DATABASE_URL", settings.database_url)
    return CliRunner()


def run(command: CliRunner, *arguments: str) -> str:
    found = command.invoke(app, ["quality", *arguments], catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.stdout


def test_the_command_line(command: CliRunner, kept: Catalogue) -> None:
    assert "295.0 of 405, good" in run(command, "a")
    assert points(json.loads(run(command, "show", "a", "--format", "json"))) == 295
    assert points(json.loads(run(command, "--publisher", "Another", "--format", "json"))) == 295
    rows = list(csv.DictReader(io.StringIO(run(command, "--format", "csv"))))
    assert (len(rows), rows[0]["indicator"], rows[0]["mean_met"], rows[0]["mean_points"]) == (
        23,
        "keyword",
        "1",
        "10.0",
    )
    assert "+15.0  one dataset does not have this: Keywords: 30 points" in run(command, "fixes", "a")
    [fix, *_] = csv.DictReader(io.StringIO(run(command, "fixes", "--format", "csv")))
    assert (fix["indicator"], fix["datasets"], fix["after_mean"]) == ("keyword", "2", "315.0")
    assert "'=2+3" in run(command, "fixes", "a", "--datasets", "category")
    assert "265 of 405, good" in run(command, "dataset", kept.key("a", "bare"))
    assert "3 datasets assessed" in run(command, "rebuild")
    with pytest.raises(UsageError, match="no format"):
        run(command, "--format", "pdf")
