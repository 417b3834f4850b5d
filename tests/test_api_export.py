"""DCAT-AP over HTTP: formats, negotiation, paging, caching; and the pages for people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyoxigraph as ox
import pytest
from starlette.testclient import TestClient

from api.deps import connection
from api.formats import accepted, offers
from api.pages.rendering import safe
from harvester.catalogue import queries
from harvester.search import open_index, refresh
from tests.catalogues import Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

DCAT = "http://www.w3.org/ns/dcat#"
HYDRA = "http://www.w3.org/ns/hydra/core#"
SYNTAX = {
    "ttl": ox.RdfFormat.TURTLE,
    "rdf": ox.RdfFormat.RDF_XML,
    "jsonld": ox.RdfFormat.JSON_LD,
    "nt": ox.RdfFormat.N_TRIPLES,
    "nq": ox.RdfFormat.N_QUADS,
    "trig": ox.RdfFormat.TRIG,
}
TYPES = {
    "ttl": "text/turtle",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
    "nt": "application/n-triples",
    "nq": "application/n-quads",
    "trig": "application/trig",
}


@pytest.fixture
def built(tmp_path: object) -> Catalogue:
    found = catalogue(tmp_path, public_url="https://data.example.org/")  # type: ignore[arg-type]
    found.add("paris", [{"identifier": f"d{n}", "title": f"Relevé {n}"} for n in range(7)])
    evil = {
        "identifier": "evil",
        "title": '<script>alert("t")</script>Titre "cité" & <img src=x onerror=alert(1)>',
        "landing_page": "https://example.org/?a=1&b=%3Cscript%3E",
        "uri": "https://example.org/id/evil",
        "keyword": ["<i>mot</i>", "'\"><svg/onload=alert(1)>"],
        "distribution": [{"title": "fichier", "access_url": "https://example.org/f", "format": "<u>odd</u>"}],
    }
    found.add("lyon", [evil])
    refresh(found.engine, open_index(found.settings))
    return found


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings)) as found:
        yield found


def parsed(body: bytes, suffix: str) -> list[ox.Quad]:
    return list(ox.parse(body, format=SYNTAX[suffix], base_iri="https://base.example/"))


def objects(quads: list[ox.Quad], predicate: str) -> list[str]:
    return [_value(quad.object) for quad in quads if quad.predicate.value == predicate]


def _value(term: object) -> str:
    assert isinstance(term, ox.NamedNode | ox.BlankNode | ox.Literal)
    return term.value


def listed(quads: list[ox.Quad], query: str = "") -> set[str]:
    ours = [quad for quad in quads if _value(quad.subject) == f"https://data.example.org/catalog{query}"]
    return set(objects(ours, f"{DCAT}dataset"))


@pytest.mark.parametrize("suffix", SYNTAX)
def test_the_catalogue_in_every_format(client: TestClient, suffix: str) -> None:
    answer = client.get(f"/catalog.{suffix}")
    assert answer.headers["content-type"].split(";")[0] == TYPES[suffix]
    quads = parsed(answer.content, suffix)
    assert len(listed(quads)) == 8
    assert objects(quads, f"{HYDRA}totalItems") == ["8"]


def test_hydra_pages_lead_through_everything_once(client: TestClient) -> None:
    path, seen = "/catalog.ttl?page_size=3", []
    for _ in range(5):
        answer = client.get(path)
        quads = parsed(answer.content, "ttl")
        seen += sorted(listed(quads))
        following = objects(quads, f"{HYDRA}next")
        assert bool(following) == ('rel="next"' in answer.headers["link"])
        if not following:
            break
        path = following[0].removeprefix("https://data.example.org")
    assert len(seen) == len(set(seen)) == 8
    assert "https://example.org/id/evil" in seen


def test_a_source_is_a_catalogue_of_its_own(client: TestClient) -> None:
    quads = parsed(client.get("/catalog.nt?source=lyon").content, "nt")
    assert listed(quads, "?source=lyon") == {"https://example.org/id/evil"}
    assert objects(quads, f"{HYDRA}totalItems") == ["1"]
    assert not listed(quads)


def test_what_cannot_be_asked(client: TestClient) -> None:
    assert client.get("/catalog.nt?source=nobody").json()["code"] == "no-such-source"
    assert client.get("/catalog.nt?space=nowhere").json()["code"] == "no-such-space"
    assert client.get("/catalog.nt?page=2").json()["code"] == "unknown-parameter"
    assert client.get("/catalog.nt?modified_since=yesterday").json()["code"] == "bad-parameter"
    assert client.get("/catalog.nt?page_size=501").status_code == 400
    assert client.get("/catalog.nt?after=-1").status_code == 400


def test_beyond_the_last_page_there_is_nothing(client: TestClient) -> None:
    answer = client.get("/catalog.nt?after=1000000")
    assert answer.status_code == 200
    assert not listed(parsed(answer.content, "nt"))
    assert 'rel="next"' not in answer.headers["link"]


def test_an_empty_catalogue_has_one_page(tmp_path: object) -> None:
    client = TestClient(application(catalogue(tmp_path).settings))  # type: ignore[arg-type]
    assert objects(parsed(client.get("/catalog.ttl").content, "ttl"), f"{HYDRA}totalItems") == ["0"]


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        (None, "text/turtle"),
        ("*/*", "text/turtle"),
        ("application/rdf+xml", "application/rdf+xml"),
        ("application/xml;q=0.9, application/n-triples;q=0.2", "application/rdf+xml"),
        ("application/json", "application/ld+json"),
        ("text/turtle;q=0.3, application/ld+json", "application/ld+json"),
        ("text/turtle;q=0, */*", "application/rdf+xml"),
        ("text/html, */*;q=0.1", "text/turtle"),
    ],
)
def test_negotiation(client: TestClient, accept: str | None, sent: str) -> None:
    answer = client.get("/catalog", headers={"accept": accept} if accept else {"accept": ""})
    assert answer.headers["content-type"].split(";")[0] == sent
    assert "Accept" in answer.headers["vary"].split(", ")


def test_nothing_acceptable_names_what_there_is(client: TestClient, built: Catalogue) -> None:
    for path in ("/catalog", f"/datasets/{built.key('lyon', 'evil')}"):
        answer = client.get(path, headers={"accept": "image/png"})
        assert (answer.status_code, answer.json()["code"]) == (406, "not-acceptable")
        assert "text/turtle" in answer.json()["offered"]


def test_accept_prefers_the_most_specific_range() -> None:
    types = offers(html=True)
    assert accepted("text/*;q=0.1, text/turtle;q=0.5, */*;q=0.2", types) == "text/turtle"
    assert accepted("text/html;q=x", types) is None
    assert accepted("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", types) == "text/html"


def test_unchanged_pages_are_not_sent_again(client: TestClient, built: Catalogue) -> None:
    first = client.get("/catalog.ttl")
    etag = first.headers["etag"]
    same = client.get("/catalog.ttl", headers={"if-none-match": f'"other", {etag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert client.get("/catalog.ttl", headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get("/catalog.nt").headers["etag"] != etag
    assert client.get("/catalog.ttl?page_size=3").headers["etag"] != etag
    built.add("paris", [{"identifier": "d0", "title": "Changé"}])
    changed = client.get("/catalog.ttl", headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert "Changé" in changed.text


@pytest.mark.parametrize("suffix", SYNTAX)
def test_a_dataset_in_every_format(client: TestClient, built: Catalogue, suffix: str) -> None:
    key = built.key("lyon", "evil")
    direct = client.get(f"/datasets/{key}.{suffix}")
    negotiated = client.get(f"/datasets/{key}", headers={"accept": TYPES[suffix]})
    assert direct.headers["content-type"].split(";")[0] == TYPES[suffix]
    assert direct.content == negotiated.content
    assert listed(parsed(direct.content, suffix)) == {"https://example.org/id/evil"}
    assert 'rel="alternate"' in direct.headers["link"]


def test_a_browser_gets_a_page_with_everything_escaped(client: TestClient, built: Catalogue) -> None:
    key = built.key("lyon", "evil")
    answer = client.get(f"/datasets/{key}", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "Accept" in answer.headers["vary"]
    for page in (
        answer.text,
        client.get("/", params={"q": '"><script>x</script>', "keyword": "'\"><svg/onload=y>"}).text,
    ):
        assert "<script" not in page
        assert "<svg" not in page
        assert "onerror=" not in page
    assert f'href="/datasets/{key}.ttl"' in answer.text
    assert 'rel="nofollow noopener"' in answer.text


def test_the_home_page_finds_filters_and_pages(client: TestClient, built: Catalogue) -> None:
    page = client.get("/", params={"q": "relevé", "size": 5}).text
    assert "7 datasets" in page
    assert f"/datasets/{built.key('paris', 'd0')}" in page
    assert "page=2" in page
    assert "source=paris" in page
    chosen = client.get("/?q=releve&source=PARIS").text
    assert 'href="/?q=releve"' in chosen
    assert 'name="source" value="PARIS"' in chosen
    assert "none has all the words" in client.get("/?q=relevé+zzzzzz+d0+yyyyyy").text


def test_addresses_that_a_browser_must_not_follow() -> None:
    assert safe("https://example.org/") == "https://example.org/"
    assert [
        safe(url) for url in ("javascript:alert(1)", "data:text/html,x", "//example.org", "http:", "http://[", None)
    ] == [None] * 6


def test_a_request_reads_one_state_of_the_catalogue(built: Catalogue) -> None:
    reading = contextmanager(connection)
    with reading(built.engine) as opened:
        before = queries.visible_count(opened)
        built.add("paris", [{"identifier": "late", "title": "Plus tard"}])
        assert queries.visible_count(opened) == before
    with reading(built.engine) as opened:
        assert queries.visible_count(opened) == before + 1


@pytest.mark.parametrize("suffix", SYNTAX)
def test_the_whole_catalogue_is_one_download(client: TestClient, suffix: str) -> None:
    answer = client.get(f"/export.{suffix}")
    assert answer.headers["content-type"].split(";")[0] == TYPES[suffix]
    assert "attachment" in answer.headers["content-disposition"]
    assert len(listed(parsed(answer.content, suffix))) == 8
    of_source = parsed(client.get(f"/export.{suffix}?source=lyon").content, suffix)
    assert listed(of_source, "?source=lyon") == {"https://example.org/id/evil"}
