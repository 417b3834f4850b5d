"""What the API, the pages and the commands tell of links."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from typer.testing import CliRunner

from harvester import tokens
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.cli import app
from harvester.links import store
from harvester.links.checking import check_due
from harvester.links.following import FOLLOWER
from tests.catalogues import NOW, Catalogue, application, catalogue
from tests.databases import database_url
from tests.linked import Clock, File, Web, asking, web

pytestmark = pytest.mark.usefixtures("database")
FILES = {
    "/good.csv": File(),
    "/wrong.csv": File(b"%PDF-1.4 x", "application/pdf"),
    "/moved.csv": File(b"", None, 301, headers={"Location": "/good.csv"}),
}


def raws(server: Web) -> list[dict[str, Any]]:
    urls = [server.url(path) for path in (*FILES, "/gone.csv")]
    formula = [{"title": "=1+1", "download_url": server.url(f"/none{n}.csv"), "format": "CSV"} for n in range(3)]
    return [
        {"identifier": f"d{n}", "title": f"=Jeu {n}", "distribution": [{"download_url": url, "format": "CSV"}]}
        for n, url in enumerate(urls)
    ] + [{"identifier": "many", "title": "Plusieurs", "distribution": formula}]


@pytest.fixture(scope="module")
def built(database: str, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Five datasets with links of every kind, checked; and a source that nobody has checked."""
    found = catalogue(tmp_path_factory.mktemp("links"))
    store.begin(found.engine)
    clock = Clock()
    with web(dict(FILES)) as server:
        found.add("paris", raws(server))
        found.source("lyon")
        follow(found.engine, FOLLOWER, clock)
        with asking(found.settings) as http:
            check_due(found.engine, found.settings, clock, http=http)
    return found


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings)) as opened:
        yield opened


def test_what_is_wrong_with_a_source_comes_in_pages(client: TestClient) -> None:
    path: str | None = "/api/sources/paris/links?limit=2"
    lines = []
    while path:
        page = client.get(path).json()
        lines += page["links"]
        path = page["next"]
    assert page["addresses"] == {"broken": 4, "ok": 3}
    assert page["faults"] == {"broken": 4, "warning": 1, "notice": 1}
    assert sorted(line["fault"] for line in lines) == ["format", "gone", "gone", "gone", "gone", "moved"]
    moved = next(line for line in lines if line["fault"] == "moved")
    assert moved["target"].endswith("/good.csv")
    assert moved["advice"].startswith("Update the address")
    wrong = next(line for line in lines if line["fault"] == "format")
    assert (wrong["declared"], wrong["found"], wrong["severity"]) == ("CSV", "PDF", "warning")
    assert {line["distribution"] for line in lines} == {None, "=1+1"}


def test_a_report_is_filtered(client: TestClient) -> None:
    found = client.get("/api/sources/paris/links?severity=broken").json()["links"]
    assert {line["fault"] for line in found} == {"gone"}
    assert [line["fault"] for line in client.get("/api/sources/paris/links?fault=moved").json()["links"]] == ["moved"]
    assert client.get("/api/sources/paris/links?severity=bad").status_code == 400
    for after in ("x", "1-", "-1", "1-1-1", "9" * 60):
        assert client.get("/api/sources/paris/links", params={"after": after}).status_code == 400
    assert client.get("/api/sources/nobody/links").status_code == 404


def test_a_report_as_a_file_has_every_line_and_no_formula(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/api/sources/paris/links.csv").text)))
    assert len(rows) == 6
    assert {row["title"] for row in rows} == {"'=Jeu 1", "'=Jeu 2", "'=Jeu 3", "Plusieurs"}
    lines = client.get("/api/sources/paris/links.ndjson").text.splitlines()
    assert {orjson.loads(line)["fault"] for line in lines} == {"gone", "format", "moved"}
    assert "What to do: Correct the address" in client.get("/api/sources/paris/links.txt").text


def test_addresses_are_listed_by_state(client: TestClient, built: Catalogue) -> None:
    page = client.get("/api/links?state=broken&limit=3").json()
    assert page["totals"]["ok"] == 3
    assert len(page["links"]) == 3
    assert page["links"][0]["status"] == 404
    assert len(client.get(page["next"]).json()["links"]) == 1
    assert len(client.get("/api/links?host=data.example").json()["links"]) == 7
    assert client.get("/api/links?host=none.example").json()["links"] == []


def test_a_dataset_tells_of_its_links(client: TestClient, built: Catalogue) -> None:
    key = built.key("paris", "many")
    found = client.get(f"/api/datasets/{key}/links").json()
    assert (found["state"], len(found["links"])) == ("broken", 3)
    assert client.get(f"/api/datasets/{built.key('paris', 'd0')}/links").json() == {"state": "ok", "links": []}
    page = client.get(f"/datasets/{key}", headers={"accept": "text/html"}).text
    assert "none1.csv" in page
    assert "there is nothing at this address" in page


def test_the_page_of_a_source(client: TestClient) -> None:
    page = client.get("/sources/paris/links").text
    assert "7 addresses, 7 checked: 4 broken, 3 ok." in page
    assert page.count("What to do") == 1
    assert "=Jeu 1" in client.get("/sources/paris/links?fault=format").text
    assert "none1.csv" not in client.get("/sources/paris/links?fault=format").text
    assert "harvester links check lyon" in client.get("/sources/lyon/links").text
    assert 'href="/sources/paris/links"' in client.get("/sources/paris").text


def test_who_may_have_links_checked(client: TestClient, built: Catalogue) -> None:
    path = "/api/sources/paris/links/check"
    assert client.post(path).status_code == 403
    with writing(built.engine) as connection:
        token = tokens.create(connection, "runner", "run", NOW)
    headers = {"authorization": f"Bearer {token}"}
    assert client.post(path, headers=headers).json() == {"queued": 7}
    assert client.post("/api/sources/nobody/links/check", headers=headers).status_code == 404


def test_prometheus_sees_how_many_there_are(client: TestClient) -> None:
    families = {family.name: family for family in text_string_to_metric_families(client.get("/metrics").text)}
    found = {sample.labels["state"]: sample.value for sample in families["harvester_links"].samples}
    assert (found["broken"], found["ok"], found["failing"]) == (4, 3, 0)


def test_the_commands_check_and_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = catalogue(tmp_path)
    given = {"DATA": str(tmp_path), "DATABASE_URL": database_url(tmp_path), "PRIVATE_HOSTS": "127.0.0.1"}
    for name, value in (given | {"LINKS_INTERVAL": "0", "MAX_CRAWL_DELAY": "0"}).items():
        monkeypatch.setenv(f"HARVESTER_{name}", value)
    with web(dict(FILES)) as server:
        parts = [{"download_url": f"http://127.0.0.1:{server.port}{path}", "format": "CSV"} for path in (*FILES, "/no")]
        built.add("paris", [{"identifier": "a", "title": "Accidents", "distribution": parts}])
        assert "1 asked" in command("links", "check", "--limit", "1")
        assert "3 asked" in command("links", "check", "paris")
        assert "0 asked" in command("links", "check")
        assert "0 asked" in command("links", "check", "paris", "--again")
    assert "What to do" in command("links", "report", "paris")
    assert len(command("links", "report", "paris", "--format", "csv").splitlines()) == 4
    lines = command("links", "report", "paris", "--format", "json", "--severity", "broken").splitlines()
    assert [orjson.loads(line)["fault"] for line in lines] == ["gone"]
    told = orjson.loads(command("links", "status", "--json"))
    assert told["addresses"]["ok"] == 3
    assert "Accidents" in command("search", "--filter", "links=broken", "accidents")


def command(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout
