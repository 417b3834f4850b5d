"""Parts of the catalogue over HTTP: walks while it changes, profiles, validators, what changed since."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyoxigraph as ox
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from starlette.testclient import TestClient

from api.formats import accepted, offers, profile_accepted, profile_of, ranges
from harvester.catalogue.database import writing
from harvester.catalogue.tables import sources
from harvester.rdf.profiles import PROFILES
from harvester.spaces import add as add_space
from harvester.spaces import edit as edit_space
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

ROOT = "https://data.example.org"
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
HYDRA = "http://www.w3.org/ns/hydra/core#"
ADMS = "http://www.w3.org/ns/adms#"
HVD = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
HIGH_VALUE: dict[str, Any] = {
    "applicable_legislation": [HVD],
    "license": "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
    "contact_point": [{"name": "Service", "email": "opendata@example.org"}],
    "hvd_category": ["http://data.europa.eu/bna/c_a9135398"],
    "distribution": [{"access_url": "https://example.org/data.csv"}],
    "service": [{"uri": "https://example.org/api", "title": "API", "endpoint_url": "https://example.org/api"}],
}


def raw(name: str, title: str = "", **more: Any) -> dict[str, Any]:
    return {"identifier": name, "title": title or f"Relevé {name}", "uri": f"https://example.org/id/{name}", **more}


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    found = catalogue(tmp_path, public_url=ROOT)
    ville = {"name": "Ville de Paris"}
    found.add("paris", [raw(f"p{n}", publisher=ville, theme=["EDUC" if n % 2 else "ENVI"]) for n in range(6)])
    found.add("lyon", [raw("l0"), raw("l1", **HIGH_VALUE), raw("l2")])
    with writing(found.engine) as connection:
        add_space(connection, "culture", NOW, title={"fr": "Culture"}, given={"theme": ["EDUC"]})
    return found


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    with TestClient(application(built.settings)) as found:
        yield found


def triples(answer: Any) -> list[tuple[str, str, str]]:
    assert answer.status_code == 200, answer.text
    parsed = ox.parse(answer.content, format=ox.RdfFormat.N_TRIPLES)
    return [(value(q.subject), q.predicate.value, value(q.object)) for q in parsed]


def value(term: object) -> str:
    assert isinstance(term, ox.NamedNode | ox.BlankNode | ox.Literal)
    return term.value


def listed(answer: Any, query: str = "") -> list[str]:
    found = triples(answer)
    return sorted(o.rsplit("/", 1)[1] for s, p, o in found if (s, p) == (f"{ROOT}/catalog{query}", f"{DCAT}dataset"))


def links(answer: Any) -> dict[str, str]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers["link"])
    return {rel: address for address, rel in found if rel not in ("alternate", "profile")}


def walked(client: TestClient, path: str) -> list[Any]:
    answers: list[Any] = []
    following: str | None = path
    while following is not None and len(answers) < 50:
        answers.append(client.get(following))
        following = links(answers[-1]).get("next")
    return answers


CHANGES = st.lists(st.tuples(st.sampled_from(["add", "change", "retire", "merge"]), st.integers(0, 11)), max_size=4)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(1, 4), steps=st.lists(CHANGES, min_size=1, max_size=8), view=st.sampled_from(["", "&source=paris"])
)
def test_whoever_follows_next_sees_what_stays_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, size: int, steps: list[list[tuple[str, int]]], view: str
) -> None:
    found = catalogue(tmp_path_factory.mktemp("walk"), public_url=ROOT)
    found.add("paris", [raw(f"p{n}") for n in range(8)], keyed=True)
    found.add("lyon", [raw(f"l{n}") for n in range(2)], keyed=True)
    query = view.replace("&", "?")
    with TestClient(application(found.settings)) as client:
        always = set(listed(client.get(f"/catalog.nt?page_size=100{view}"), query))
        seen: list[str] = []
        following: str | None = f"/catalog.nt?page_size={size}{view}"
        for step in range(40):
            answer = client.get(following or "")
            seen += listed(answer, query)
            following = links(answer).get("next")
            if following is None:
                break
            for action, number in steps[step] if step < len(steps) else []:
                disturb(found, action, number)
            always &= set(listed(client.get(f"/catalog.nt?page_size=100{view}"), query))
        assert following is None
        assert len(seen) == len(set(seen))
        assert always <= set(seen)


def disturb(found: Catalogue, action: str, number: int) -> None:
    name = f"p{number}"
    if action == "retire":
        found.retire("paris", name)
    elif action == "merge":
        # What a third portal lists under the IRI of another's dataset is that dataset.
        found.add("nice", [raw(f"n{number}") | {"uri": f"https://example.org/id/{name}"}], keyed=True)
    else:
        found.add("paris", [raw(name, f"Relevé {action} {number}")], keyed=True)


def test_pages_link_back_and_to_the_last(client: TestClient) -> None:
    answers = walked(client, "/catalog.nt?page_size=4")
    assert [len(listed(answer)) for answer in answers] == [4, 4, 1]
    forward = [urlsplit(str(answer.request.url)) for answer in answers]
    told = [links(answer) for answer in answers]
    assert [urlsplit(told[n]["prev"]).query for n in (2, 1)] == [forward[1].query, forward[0].query]
    assert "prev" not in told[0]
    assert {urlsplit(one["last"]).query for one in told} == {forward[2].query}
    assert {urlsplit(one["first"]).query for one in told} == {forward[0].query}
    facts = {p: o for s, p, o in triples(answers[1]) if p.startswith(HYDRA)}
    assert facts[f"{HYDRA}itemsPerPage"] == "4"
    assert facts[f"{HYDRA}totalItems"] == "9"
    assert facts[f"{HYDRA}next"] == f"{ROOT}{told[1]['next']}"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?source=lyon", ["l0", "l1", "l2"]),
        ("?publisher=Ville+de+Paris", ["p0", "p1", "p2", "p3", "p4", "p5"]),
        ("?space=culture", ["p1", "p3", "p5"]),
        ("?hvd=true", ["l1"]),
        ("?source=paris&space=culture", ["p1", "p3", "p5"]),
        ("?source=lyon&space=culture", []),
    ],
)
def test_a_part_is_a_catalogue_of_its_own(client: TestClient, query: str, expected: list[str]) -> None:
    answers = walked(client, f"/catalog.nt{query}&page_size=2")
    assert sorted(name for answer in answers for name in listed(answer, query)) == expected
    facts = triples(answers[0])
    assert (f"{ROOT}/catalog{query}", f"{HYDRA}totalItems", str(len(expected))) in facts
    assert not any(s == f"{ROOT}/catalog" for s, _, _ in facts)
    whole = client.get(f"/export.nt{query}")
    assert listed(whole, query) == expected


def test_a_part_follows_what_was_written_a_moment_ago(client: TestClient, built: Catalogue) -> None:
    assert listed(client.get("/catalog.nt?space=culture"), "?space=culture") == ["p1", "p3", "p5"]
    built.add("lyon", [raw("l2", theme=["EDUC"])])
    built.add("paris", [raw("p1", theme=["ENVI"])])
    assert listed(client.get("/catalog.nt?space=culture"), "?space=culture") == ["l2", "p3", "p5"]
    built.retire("paris", "p3")
    assert listed(client.get("/catalog.nt?space=culture"), "?space=culture") == ["l2", "p5"]


def test_high_value_profile_has_high_value_datasets_only(client: TestClient) -> None:
    answer = client.get("/catalog.nt?profile=hvd")
    assert listed(answer, "?hvd=true") == ["l1"]
    assert "dcat-ap-hvd" in answer.headers["content-profile"] or "hvd" in answer.headers["content-profile"]


@pytest.mark.parametrize(
    ("parameters", "headers", "name"),
    [
        ({}, {}, "dcat-ap-3.0.1"),
        ({"profile": "dcat-ap-2.1.1"}, {}, "dcat-ap-2.1.1"),
        ({"profile": "DCAT-AP-2.1.1"}, {"accept-profile": "<https://unknown.example/>"}, "dcat-ap-2.1.1"),
        ({}, {"accept-profile": "<https://semiceu.github.io/DCAT-AP/releases/2.1.1/>"}, "dcat-ap-2.1.1"),
        ({}, {"accept-profile": "<https://unknown.example/a,b>, <dcat-ap-2.1.1>;q=0.5"}, "dcat-ap-2.1.1"),
        ({}, {"accept-profile": "*"}, "dcat-ap-3.0.1"),
        ({}, {"accept": 'application/n-triples;profile="dcat-ap-2.1.1"'}, "dcat-ap-2.1.1"),
        ({}, {"accept": 'text/turtle;q=0.1, application/n-triples;profile="dcat-ap-2";q=1'}, "dcat-ap-2.1.1"),
    ],
)
def test_profiles_are_negotiated(
    client: TestClient, parameters: dict[str, str], headers: dict[str, str], name: str
) -> None:
    answer = client.get("/catalog", params=parameters, headers={"accept": "application/n-triples", **headers})
    assert answer.status_code == 200, answer.text
    told = re.findall(r'<([^>]*)>; rel="profile"', answer.headers["link"])
    assert PROFILES[name].iri in told
    assert any(f"/releases/{name.removeprefix('dcat-ap-')}" in iri for iri in told)
    assert answer.headers["content-profile"].startswith("<http")
    assert {"Accept", "Accept-Profile"} <= set(re.split(r",\s*", answer.headers["vary"]))


def test_an_unknown_profile_is_told_what_there_is(client: TestClient, built: Catalogue) -> None:
    for path in ("/catalog.ttl", "/export.ttl", f"/datasets/{built.key('lyon', 'l0')}.ttl"):
        asked = client.get(f"{path}?profile=dcat-ap-9")
        assert (asked.status_code, asked.json()["code"]) == (400, "unknown-profile")
        assert "dcat-ap-2.1.1" in [profile["name"] for profile in asked.json()["profiles"]]
    header = client.get("/catalog", headers={"accept-profile": "<https://unknown.example/>"})
    assert (header.status_code, header.json()["code"]) == (406, "unknown-profile")
    media = client.get("/catalog", headers={"accept": 'text/turtle;profile="https://unknown.example/"'})
    assert media.status_code == 406
    assert [profile["name"] for profile in media.json()["profiles"]]


def test_the_profile_parameter_of_json_ld_is_not_ours(client: TestClient) -> None:
    accept = 'application/ld+json;profile="http://www.w3.org/ns/json-ld#compacted"'
    answer = client.get("/catalog", headers={"accept": accept})
    assert answer.headers["content-type"].startswith("application/ld+json")


@given(st.text(max_size=60))
@example(";")
def test_any_header_is_read(header: str) -> None:
    assert accepted(header, offers()) is None or accepted(header, offers()) in offers()
    profile_accepted(header)
    profile_of(header, "text/turtle")
    assert all(0 <= found.quality <= 1 for found in ranges(header))


def test_tags_change_with_the_datasets_of_the_page_only(client: TestClient, built: Catalogue) -> None:
    key = built.key("lyon", "l0")
    paths = (f"/datasets/{key}.nt", "/catalog.nt?source=lyon", "/catalog.nt?source=paris", "/catalog.nt?page_size=2")
    before = [client.get(path).headers["etag"] for path in paths]
    assert len(set(before)) == len(paths)
    built.add("lyon", [raw("l0", "Autre titre")])
    after = [client.get(path).headers["etag"] for path in paths]
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, False, True, True]
    for path, tag in zip(paths, after, strict=True):
        same = client.get(path, headers={"if-none-match": tag})
        assert (same.status_code, same.content) == (304, b"")
        assert client.head(path).headers["etag"] == tag


def test_each_representation_has_its_own_tag(client: TestClient, built: Catalogue) -> None:
    key = built.key("lyon", "l0")
    for path in ("/catalog", f"/datasets/{key}"):
        asked = [f"{path}.nt", f"{path}.ttl", f"{path}.nt?profile=dcat-ap-2.1.1"]
        assert len({client.get(address).headers["etag"] for address in asked}) == 3


def test_what_has_no_date_is_sent_again(client: TestClient, built: Catalogue) -> None:
    """A space, or the title of a source, may change long after the newest dataset did."""
    dataset = f"/datasets/{built.key('lyon', 'l0')}.ttl"
    tags: dict[str, str] = {}
    for path in (dataset, "/catalog.ttl?source=lyon", "/catalog.ttl?space=culture"):
        first = client.get(path)
        tags[path] = first.headers["etag"]
        assert "last-modified" not in first.headers
        assert client.get(path, headers={"if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}).status_code == 200
        assert client.get(path, headers={"if-none-match": tags[path]}).status_code == 304
    with writing(built.engine) as connection:
        edit_space(connection, "culture", NOW, given={"theme": ["EDUC", "SOCI"]})
        connection.execute(update(sources).where(sources.c.name == "lyon").values(title="Lyon"))
    for path, tag in tags.items():
        assert client.get(path, headers={"if-none-match": tag}).status_code == 200


def test_canonical_and_alternate_addresses(client: TestClient, built: Catalogue) -> None:
    key = built.key("lyon", "l0")
    one = client.get(f"/datasets/{key}.ttl?profile=dcat-ap-2.1.1").headers["link"]
    assert f'<{ROOT}/datasets/{key}>; rel="canonical"' in one
    assert f'</datasets/{key}.jsonld?profile=dcat-ap-2.1.1>; rel="alternate"; type="application/ld+json"' in one
    page = client.get("/catalog?source=lyon").headers["link"]
    assert f'<{ROOT}/catalog?page_size=100&source=lyon>; rel="canonical"' in page
    assert '</catalog.nt?page_size=100&source=lyon>; rel="alternate"' in page


def since(client: TestClient, moment: datetime, query: str = "") -> tuple[list[str], dict[str, str]]:
    """Live datasets, and status by IRI of those that are gone."""
    live: list[str] = []
    gone: dict[str, str] = {}
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    for answer in walked(client, f"/catalog.nt?page_size=2&modified_since={text}{query}"):
        found = triples(answer)
        live += listed(answer, query.replace("&", "?", 1))
        ended = {s for s, p, o in found if p == f"{ADMS}status" and o.endswith("/deleted")}
        gone |= {o: s for s, p, o in found if s in ended and p.endswith("primaryTopic")}
    return live, gone


def test_what_changed_since_and_what_is_gone(client: TestClient, built: Catalogue) -> None:
    later = built.now = NOW + timedelta(days=1)
    assert since(client, later) == ([], {})
    built.add("paris", [raw("p0", "Changé"), raw("p9", "Nouveau")])
    built.retire("lyon", "l1", "l2")
    built.add("lyon", [raw("l2", "Revenu")])
    live, gone = since(client, later)
    assert live == ["p0", "l2", "p9"] or sorted(live) == ["l2", "p0", "p9"]
    assert set(gone) == {"https://example.org/id/l1"}
    live, gone = since(client, later, "&source=lyon")
    assert (live, set(gone)) == (["l2"], {"https://example.org/id/l1"})
    live, gone = since(client, later, "&space=culture")
    assert live == []
    assert "https://example.org/id/p0" in gone
    assert since(client, NOW)[0].__len__() == 9


def total(answer: Any) -> list[str]:
    return [o for _, p, o in triples(answer) if p == f"{HYDRA}totalItems"]


def test_a_total_counts_datasets_or_is_left_out(client: TestClient, built: Catalogue) -> None:
    assert total(client.get("/catalog.nt?hvd=true")) == ["1"]
    # High-value by its legislation, and without the category that the profile asks for.
    built.add("lyon", [raw("l0", **(HIGH_VALUE | {"hvd_category": []}))])
    assert total(client.get("/catalog.nt?hvd=true")) == ["2"]
    answer = client.get("/catalog.nt?profile=hvd&page_size=1")
    assert total(answer) == []
    assert "last" not in links(answer)
    assert not any(p == f"{HYDRA}last" for _, p, _ in triples(answer))
    assert [n for a in walked(client, "/catalog.nt?profile=hvd&page_size=1") for n in listed(a, "?hvd=true")] == ["l1"]


def test_what_is_gone_is_no_item(client: TestClient, built: Catalogue) -> None:
    built.add("nice", [raw("n0")], keyed=True)
    built.add("nancy", [raw("other", "Relevé n0") | {"uri": "https://example.org/id/n0"}], keyed=True)
    later = built.now = NOW + timedelta(days=1)
    built.add("paris", [raw("p0", "Changé"), raw("p1", "Changé", theme=["EDUC"])])
    built.retire("lyon", "l1")
    built.retire("nice", "n0")
    text = later.strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, expected in (("", ["3"]), ("&source=paris", ["2"]), ("&source=nice", ["0"]), ("&space=culture", [])):
        answers = walked(client, f"/catalog.nt?page_size=2&modified_since={text}{query}")
        assert [total(answer) for answer in answers] == [expected] * len(answers)
        assert links(answers[0])["last"].split("&")[0] in str(answers[-1].request.url)


@pytest.mark.parametrize(
    "query", ["&space=culture", "&publisher=Ville+de+Paris", "&hvd=true", "&source=paris&hvd=true"]
)
def test_what_left_a_part_is_gone_from_that_part(client: TestClient, built: Catalogue, query: str) -> None:
    full = HIGH_VALUE | {"publisher": {"name": "Ville de Paris"}, "theme": ["EDUC"]}
    built.add("paris", [raw(f"p{n}", **full) for n in range(3)])
    later = built.now = NOW + timedelta(days=1)
    assert since(client, later, query) == ([], {})
    built.add("paris", [raw("p0", "Changé", **full), raw("p1", "Ailleurs"), raw("p2", "Ailleurs")])
    live, gone = since(client, later, query)
    assert live == ["p0"]
    assert set(gone) == {"https://example.org/id/p1", "https://example.org/id/p2"}


def test_a_space_that_was_changed_is_to_be_walked_again(client: TestClient, built: Catalogue) -> None:
    with writing(built.engine) as connection:
        edit_space(connection, "culture", NOW + timedelta(days=1), given={"theme": ["ENVI"]})
    answer = client.get("/catalog.nt?space=culture&modified_since=2026-03-02T11:59:59Z")
    assert (answer.status_code, answer.json()["code"]) == (410, "space-changed")
    assert answer.json()["changed_at"] == "2026-03-02T12:00:00Z"
    assert "walk it again without modified_since" in answer.json()["detail"]
    assert client.get("/catalog.nt?space=culture&modified_since=2026-03-02T12:00:01Z").status_code == 200
    assert client.get("/catalog.nt?modified_since=2026-03-02").status_code == 200
    assert listed(client.get("/catalog.nt?space=culture"), "?space=culture") == ["p0", "p2", "p4"]


def test_merged_datasets_are_gone_and_say_where_to(client: TestClient, built: Catalogue) -> None:
    built.add("nice", [raw("n1") | {"landing_page": "https://x.example/1"}], keyed=True)
    built.add("nancy", [raw("n2") | {"landing_page": "https://x.example/2"}], keyed=True)
    ended = built.key("nancy", "n2")
    later = built.now = NOW + timedelta(days=1)
    names = ("https://example.org/id/n1", "https://example.org/id/n2")
    both = {"uri": None, "other_identifier": [{"notation": name} for name in names]}
    built.add("metz", [raw("m") | both], keyed=True)
    kept = built.key("nancy", "n2")
    assert kept != ended
    live, gone = since(client, later)
    assert live == ["n1"]
    assert set(gone) == {"https://example.org/id/n2"}
    moved = client.get(f"/datasets/{ended}.ttl?profile=dcat-ap-2.1.1", follow_redirects=False)
    assert moved.status_code == 308
    assert moved.headers["location"] == f"/datasets/{kept}.ttl?profile=dcat-ap-2.1.1"
    facts = triples(client.get(f"/datasets/{kept}.nt"))
    notations = {o for _, p, o in facts if p.endswith("core#notation")}
    assert "https://example.org/id/n2" in notations


def test_a_dataset_that_left_a_source_is_gone_from_that_source_alone(client: TestClient, built: Catalogue) -> None:
    built.add("nice", [raw("n0")], keyed=True)
    built.add("nancy", [raw("other", "Relevé n0") | {"uri": "https://example.org/id/n0"}], keyed=True)
    later = built.now = NOW + timedelta(days=1)
    built.retire("nice", "n0")
    live, gone = since(client, later, "&source=nice")
    assert (live, set(gone)) == ([], {"https://example.org/id/n0"})
    live, gone = since(client, later)
    assert (live, gone) == (["n0"], {})


def test_a_walk_says_until_when_it_is_complete(client: TestClient, built: Catalogue) -> None:
    answers = walked(client, "/catalog.nt?page_size=2&modified_since=2026-01-01")
    told = {o for a in answers for s, p, o in triples(a) if (s, p) == (f"{ROOT}/catalog", f"{DCT}modified")}
    assert len(told) == 1
    until = datetime.fromisoformat(told.pop())
    assert timedelta(minutes=9) < datetime.now(UTC) - until < timedelta(minutes=12)
    following = {links(answer)["monitor"] for answer in answers}
    assert following == {f"/catalog.nt?page_size=2&modified_since={until:%Y-%m-%dT%H%%3A%M%%3A%SZ}"}


@pytest.mark.parametrize("text", ["2026-01-01", "2026-01-01T10:00:00Z", "2026-01-01T11:00:00+01:00", "2026"])
def test_instants_and_dates_are_read(client: TestClient, text: str) -> None:
    # The plus sign as it is typed, unescaped.
    assert client.get(f"/catalog.nt?modified_since={text}").status_code == 200
