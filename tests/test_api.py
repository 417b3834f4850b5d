"""The HTTP API: search, datasets, sources, runs, errors, documentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from starlette.testclient import TestClient

from api.formats import FORMATS
from api.secrets import HIDDEN, hidden, hidden_url
from harvester.catalogue.database import writing
from harvester.catalogue.store import Problem
from harvester.catalogue.tables import datasets
from harvester.search import open_index, refresh
from harvester.search.filters import FILTERS
from harvester.settings import Settings
from tests.catalogues import Catalogue, application, catalogue
from tests.databases import database_url

pytestmark = pytest.mark.usefixtures("database")

SECRETS = {
    "api_key": "s3cret-1",
    "headers": {"X-Whatever": "s3cret-2"},
    "nested": [{"clientSecret": "s3cret-3", "keyword": "open"}],
    "url": "https://user:s3cret-4@example.org/?token=s3cret-5&page=2",
    "organisation": "ville",
}


def raws(number: int) -> list[dict[str, Any]]:
    return [
        {
            "identifier": f"d{n}",
            "title": {"fr": f"Relevé {n}", "en": f"Survey {n}"},
            "description": "Texte <script>alert(1)</script> de test",
            "theme": ["Transports"] if n % 2 else ["Environnement"],
            "license": ["licence inconnue de tous"],
            "landing_page": f"https://example.org/d/{n}",
            "distribution": [
                {"title": "a", "format": "csv", "download_url": f"https://example.org/{n}.csv"},
                {"title": "b", "format": "json", "access_url": f"https://example.org/{n}"},
            ],
        }
        for n in range(number)
    ]


@pytest.fixture(scope="module")
def built(database: str, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    found = catalogue(tmp_path_factory.mktemp("api"))
    found.source("paris", options=SECRETS, url="https://me:s3cret-6@paris.example.org/")
    found.add("paris", raws(25))
    found.add("lyon", [{"identifier": "gone", "title": "Parti"}, {"identifier": "here", "title": "<b>Là</b> & “ici”"}])
    found.retire("lyon", "gone")
    problems = [Problem("normalise", "warning", "bad-date", f"n {n}", guid=f"d{n}") for n in range(4)]
    found.report("paris", *problems, Problem("fetch", "error", "blocked", "refused"))
    refresh(found.engine, open_index(found.settings))
    return found


@pytest.fixture(scope="module")
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings), raise_server_exceptions=False) as found:
        yield found


def fine(client: TestClient, path: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, path: str, expected: int, code: str, **parameters: Any) -> Any:
    answer = client.get(path, params=parameters, follow_redirects=False)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (expected, expected, code), body
    assert {"type", "title", "detail", "instance"} <= body.keys()
    assert body["instance"] == path
    return body


def test_search_answers_results_facets_and_pages(client: TestClient) -> None:
    found = fine(client, "/api/datasets", q="releves", size=10, facets="theme,source", lang="en")
    assert (found["total"], found["relaxed"], len(found["results"])) == (25, "all", 10)
    assert {v["value"]: (v["label"], v["count"]) for v in found["facets"]["theme"]["values"]} == {
        "ENVI": ("Environment", 13),
        "TRAN": ("Transport", 12),
    }
    assert found["facets"]["source"]["values"][0]["label"] == "Portal paris"
    assert found["previous"] is None
    second = fine(client, found["next"])
    assert second["page"] == 2
    assert {r["id"] for r in second["results"]}.isdisjoint(r["id"] for r in found["results"])
    last = fine(client, second["next"])
    assert (len(last["results"]), last["next"]) == (5, None)
    assert fine(client, found["results"][0]["url"])["id"] == found["results"][0]["id"]


def test_search_filters_by_repeated_parameters(client: TestClient) -> None:
    assert fine(client, "/api/datasets", theme="TRAN")["total"] == 12
    assert fine(client, "/api/datasets", theme=["TRAN", "ENVI"], source="paris")["total"] == 25
    assert fine(client, "/api/datasets", theme="TRAN", source="lyon")["total"] == 0
    assert fine(client, "/api/datasets", bbox="", period="", modified_since="")["total"] == 26


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"size": 0}, "invalid-request"),
        ({"size": 101}, "invalid-request"),
        ({"page": "x"}, "invalid-request"),
        ({"page": 10_000, "size": 100}, "too-deep"),
        ({"sort": "views"}, "invalid-request"),
        ({"bbox": "1,2"}, "bad-filter"),
        ({"period": "then"}, "bad-filter"),
        ({"facets": "nope"}, "unknown-facet"),
        ({"nope": "1"}, "unknown-parameter"),
        ({"lang": "<script>"}, "invalid-request"),
    ],
)
def test_search_refuses_what_cannot_be(client: TestClient, parameters: dict[str, Any], code: str) -> None:
    body = refused(client, "/api/datasets", 400, code, **parameters)
    assert body["errors"][0]["field"] in {*parameters, "page"}


def test_deep_paging_names_the_export(client: TestClient) -> None:
    assert "/catalog" in refused(client, "/api/datasets", 400, "too-deep", page=10_000, size=20)["detail"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(q=st.text(max_size=80), name=st.sampled_from([item.name for item in FILTERS]), value=st.text(max_size=30))
def test_no_input_breaks_the_search(client: TestClient, q: str, name: str, value: str) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in (q, value)]
    answer = client.get("/api/datasets", params={"q": clean[0], name: clean[1]})
    assert answer.status_code in (200, 400)
    assert client.get("/", params={"q": clean[0]}).status_code == 200


def test_a_dataset_is_shown_whole(client: TestClient, built: Catalogue) -> None:
    key = built.key("paris", "d1")
    found = fine(client, f"/api/datasets/{key}")
    assert found["id"] == key
    assert found["iri"] == f"http://127.0.0.1:8000/datasets/{key}"
    assert [part["title"] for part in found["metadata"]["distribution"]] == [{"": "a"}, {"": "b"}]
    assert [(r["source"], r["guid"], r["status"]) for r in found["records"]] == [("paris", "d1", "active")]
    assert fine(client, found["records"][0]["payload"])["title"]["fr"] == "Relevé 1"
    assert set(found["links"]) == {form.media_type for form in FORMATS}
    assert all(client.get(path).status_code == 200 for path in found["links"].values())


def test_a_retired_dataset_is_gone_with_its_facts(client: TestClient, built: Catalogue) -> None:
    key = built.key("lyon", "gone")
    body = refused(client, f"/api/datasets/{key}", 410, "dataset-retired")
    assert body["retired_at"].startswith("2026-03-01")
    assert [(r["source"], r["guid"], r["title"]) for r in body["records"]] == [("lyon", "gone", "Parti")]
    refused(client, f"/datasets/{key}", 410, "dataset-retired")
    refused(client, f"/datasets/{key}.ttl", 410, "dataset-retired")


def test_a_merged_dataset_points_at_the_one_that_took_it_in(tmp_path: Any) -> None:
    built = catalogue(tmp_path)
    built.add("a", [{"identifier": "1", "title": "Un"}, {"identifier": "2", "title": "Deux"}])
    kept, merged = built.key("a", "1"), built.key("a", "2")
    into = select(datasets.c.id).where(datasets.c.key == kept).scalar_subquery()
    with writing(built.engine) as connection:
        connection.execute(update(datasets).where(datasets.c.key == merged).values(merged_into_id=into))
    client = TestClient(application(built.settings))
    body = refused(client, f"/api/datasets/{merged}", 308, "dataset-merged")
    assert body["merged_into"] == kept
    assert fine(client, f"/api/datasets/{merged}")["id"] == kept
    assert client.get(f"/datasets/{merged}.ttl", follow_redirects=False).headers["location"] == f"/datasets/{kept}.ttl"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/datasets/nothing", "no-such-dataset"),
        ("/api/datasets/a%00b", "no-such-dataset"),
        ("/api/datasets/nothing/records/1/payload", "no-such-record"),
        ("/datasets/nothing", "no-such-dataset"),
        ("/datasets/nothing.ttl", "no-such-dataset"),
        ("/datasets/nothing.exe", "no-such-format"),
        ("/api/sources/nothing", "no-such-source"),
        ("/api/runs/99", "no-such-run"),
        ("/api/runs/99/problems", "no-such-run"),
        ("/api/runs/99/changes", "no-such-run"),
        ("/catalog.exe", "no-such-format"),
        ("/export.exe", "no-such-format"),
        ("/export.nt?source=nobody", "no-such-source"),
        ("/nothing", "not-found"),
        ("/static/nothing", "not-found"),
    ],
)
def test_what_is_not_there(client: TestClient, path: str, code: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_a_payload_is_only_found_under_its_dataset(client: TestClient, built: Catalogue) -> None:
    one, other = (fine(client, f"/api/datasets/{built.key('paris', guid)}") for guid in ("d1", "d2"))
    path = f"/api/datasets/{one['id']}/records/{other['records'][0]['id']}/payload"
    refused(client, path, 404, "no-such-record")


def test_sources_hide_their_secrets(client: TestClient, built: Catalogue) -> None:
    answer = client.get("/api/sources")
    assert "s3cret" not in answer.text
    paris = next(source for source in answer.json()["sources"] if source["name"] == "paris")
    assert paris["options"]["organisation"] == "ville"
    assert paris["options"]["nested"][0]["keyword"] == "open"
    assert (paris["records"], paris["last_run"]["status"]) == (25, "running")
    page = f"/datasets/{built.key('paris', 'd1')}"
    for path in ("/api/sources/paris", "/", "/catalog.ttl?source=paris", page, f"/api{page}"):
        assert "s3cret" not in client.get(path, headers={"accept": "text/html, */*;q=0.1"}).text


@pytest.mark.parametrize(
    "name",
    ["key", "apiKey", "API-KEY", "api_token", "X-Auth-Token", "password", "Authorization", "client_secret", "cookie"],
)
def test_secret_names(name: str) -> None:
    assert hidden({name: "x"}) == {name: HIDDEN}


@pytest.mark.parametrize("name", ["keyword", "keywords", "author", "organisation", "monkey", "passage", "pattern"])
def test_names_that_are_no_secrets(name: str) -> None:
    assert hidden({name: "x"}) == {name: "x"}


def test_secrets_in_addresses() -> None:
    assert hidden_url("https://a:b@example.org:8443/x?api_key=1&q=2") == (
        "https://example.org:8443/x?api_key=%28hidden%29&q=2"
    )


def test_sources_are_paged(client: TestClient) -> None:
    first = fine(client, "/api/sources", limit=1)
    assert [source["name"] for source in first["sources"]] == ["lyon"]
    second = fine(client, first["next"])
    assert [source["name"] for source in second["sources"]] == ["paris"]
    assert fine(client, second["next"]) == {"sources": [], "next": None}
    assert fine(client, "/api/sources/lyon")["records"] == 1


def test_runs_with_problems_and_changes(client: TestClient, built: Catalogue) -> None:
    runs = fine(client, "/api/runs", limit=1)
    assert [run["source"] for run in runs["runs"]] == ["lyon"]
    assert [run["source"] for run in fine(client, runs["next"])["runs"]] == ["paris"]
    assert fine(client, "/api/runs", status="failed")["runs"] == []
    run_id = fine(client, "/api/runs", source="paris")["runs"][0]["id"]
    assert fine(client, f"/api/runs/{run_id}")["source"] == "paris"
    first = fine(client, f"/api/runs/{run_id}/problems", limit=3)
    rest = fine(client, first["next"])
    assert [p["code"] for p in [*first["problems"], *rest["problems"]]] == ["bad-date"] * 4 + ["blocked"]
    assert len(fine(client, f"/api/runs/{run_id}/problems", severity="error")["problems"]) == 1
    changes = fine(client, f"/api/runs/{run_id}/changes", limit=20)
    assert (len(changes["changes"]), len(fine(client, changes["next"])["changes"])) == (20, 5)
    assert changes["changes"][0]["dataset"] == built.key("paris", "d0")
    refused(client, "/api/runs", 404, "no-such-source", source="nobody")
    refused(client, "/api/runs", 400, "invalid-request", status="odd")
    refused(client, f"/api/runs/{1 << 70}", 400, "invalid-request")


def test_unmatched_values(client: TestClient) -> None:
    values = fine(client, "/api/vocabularies/unmatched", vocabulary="licence")["values"]
    assert (values[0]["text"], values[0]["count"]) == ("licence inconnue de tous", 25)
    assert fine(client, "/api/vocabularies/unmatched", source="lyon")["values"] == []
    refused(client, "/api/vocabularies/unmatched", 404, "no-such-vocabulary", vocabulary="nope")


def test_health(client: TestClient) -> None:
    assert fine(client, "/health/live")["status"] == "ok"
    assert fine(client, "/health/ready")["datasets_indexed"] == 26


def test_a_catalogue_without_tables_or_index_is_not_ready(tmp_path: Any) -> None:
    bare = Settings(data=tmp_path, database_url=database_url(tmp_path, migrated=False))
    client = TestClient(application(bare), raise_server_exceptions=False)
    assert client.get("/health/live").status_code == 200
    body = refused(client, "/health/ready", 503, "database-unavailable")
    assert not any(word in str(body).lower() for word in ("sqlite", "psycopg", "socket"))
    empty = catalogue(tmp_path)
    assert fine(TestClient(application(empty.settings)), "/api/datasets", q="x")["total"] == 0


def test_an_unexpected_error_tells_nothing(built: Catalogue) -> None:
    app = application(built.settings)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("s3cret")

    answer = TestClient(app, raise_server_exceptions=False).get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "unexpected")
    assert "s3cret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_methods(client: TestClient) -> None:
    answer = client.post("/api/datasets")
    assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]
    head = client.head("/api/datasets")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


@pytest.mark.parametrize("path", ["/", "/api/datasets", "/nothing", "/catalog.ttl", "/static/style.css"])
def test_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path, headers={"origin": "https://other.example"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["access-control-allow-origin"] == "*"


def test_the_documentation_is_whole(client: TestClient) -> None:
    document = fine(client, "/openapi.json")
    tags = {tag["name"] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert set(operation["tags"]) <= tags, path
            assert all(_exemplified(parameter) for parameter in operation.get("parameters", [])), path
            for status, answer in operation["responses"].items():
                assert status != "422", path
                assert answer["description"], path
                assert status != "200" or all(map(_shown, answer["content"].values())), path
    for name, schema in document["components"]["schemas"].items():
        for field, facts in schema.get("properties", {}).items():
            assert {"examples", "example", "$ref", "items", "anyOf", "additionalProperties", "const"} & facts.keys(), (
                name,
                field,
            )


def _shown(content: dict[str, Any]) -> bool:
    return bool(content.get("example") or content.get("schema", {}).get("$ref"))


def _exemplified(parameter: dict[str, Any]) -> bool:
    facts = {**parameter.get("schema", {}), **parameter}
    return bool({"examples", "example", "enum", "default"} & facts.keys()) and bool(parameter.get("description"))


def test_every_filter_is_a_documented_parameter(client: TestClient) -> None:
    parameters = fine(client, "/openapi.json")["paths"]["/api/datasets"]["get"]["parameters"]
    described = {parameter["name"]: parameter.get("description", "") for parameter in parameters}
    for item in FILTERS:
        assert item.description in described[item.name]


def test_the_description_for_people_names_every_endpoint_and_needs_no_other_host(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    for path in client.get("/openapi.json").json()["paths"]:
        assert path in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert "<script" not in page.text
