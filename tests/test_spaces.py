"""Spaces: validated when saved, searched within, shown to people and programs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from harvester import spaces
from harvester.catalogue.database import writing
from harvester.cli import app as commands
from harvester.errors import UsageError
from harvester.search import Scope, SearchRequest, open_index, refresh
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

EVIL = '<script>alert("t")</script>'


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    found = catalogue(tmp_path)
    raws: list[dict[str, Any]] = [
        {"identifier": "a", "title": "Musées de Lyon", "theme": ["EDUC"], "keyword": ["musée"]},
        {"identifier": "b", "title": "Musées de Paris", "theme": ["EDUC", "TRAN"]},
        {"identifier": "c", "title": "Bus de Lyon", "theme": ["TRAN"]},
    ]
    found.add("paris", raws)
    refresh(found.engine, open_index(found.settings))
    return found


def added(found: Catalogue, name: str, **values: Any) -> spaces.Space:
    with writing(found.engine) as connection:
        spaces.add(connection, name, NOW, **values)
        return spaces.named(connection, name)


def test_a_space_is_kept_as_it_was_given(built: Catalogue) -> None:
    given = {"theme": ["Education, culture and sport", "TRAN"], "keyword": ["musée"], "format": [" "]}
    space = added(built, "culture", title={"fr": " Culture ", "en": ""}, q=" lyon ", given=given)
    assert (space.title, space.description, space.q) == ({"fr": "Culture"}, {}, "lyon")
    assert space.filters == {"theme": ["Education, culture and sport", "TRAN"], "keyword": ["musée"]}
    assert added(built, "untitled", q="x").title == {"": "untitled"}


@pytest.mark.parametrize(
    ("values", "code", "told"),
    [
        ({"given": {"them": ["EDUC"]}}, "unknown-filter", "there are source, publisher, theme"),
        ({"given": {"theme": ["no such theme"]}}, "bad-filter", "'no such theme'"),
        ({"given": {"frequency": ["when we like"]}}, "bad-filter", "MONTHLY"),
        ({"given": {"hvd": ["perhaps"]}}, "bad-filter", "true or false"),
        ({"given": {"bbox": ["1,2,3"]}}, "bad-filter", "four numbers"),
        ({"given": {"source": ["nobody"]}}, "bad-filter", "there is no source 'nobody'"),
        ({"given": {"theme": []}}, "no-filter", "whole catalogue"),
        ({"q": "  "}, "no-filter", "whole catalogue"),
    ],
)
def test_what_cannot_be_a_space(built: Catalogue, values: dict[str, Any], code: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as error:
        added(built, "wrong", **values)
    assert error.value.code == code


def test_names_are_unique_and_plain(built: Catalogue) -> None:
    added(built, "culture", q="x")
    for name, code in (("culture", "name-taken"), ("Culture!", "bad-name"), ("", "bad-name")):
        with pytest.raises(UsageError) as error:
            added(built, name, q="x")
        assert error.value.code == code
    with built.engine.connect() as connection, pytest.raises(UsageError):
        spaces.named(connection, "nul\x00")


def test_editing_keeps_what_is_not_given(built: Catalogue) -> None:
    added(built, "culture", title={"fr": "Culture"}, given={"theme": ["EDUC"]})
    later = NOW + timedelta(days=1)
    with writing(built.engine) as connection:
        spaces.edit(connection, "culture", later, q="lyon")
        edited = spaces.named(connection, "culture")
        assert (edited.title, edited.q, edited.filters) == ({"fr": "Culture"}, "lyon", {"theme": ["EDUC"]})
        assert (edited.created_at, edited.changed_at) == (NOW, later)
        with pytest.raises(UsageError):
            spaces.edit(connection, "culture", later, given={"theme": ["nonsense"]})
        spaces.remove(connection, "culture")
        with pytest.raises(UsageError):
            spaces.remove(connection, "culture")


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(filters={"theme": ["EDUC"]}), 2),
        (Scope(q="lyon"), 2),
        (Scope(q="musées lyon"), 1),
        (Scope(q="musées inconnues"), 0),
        (Scope(q="!!!"), 0),
        (Scope(), 3),
    ],
)
def test_words_of_a_space_must_all_match(built: Catalogue, scope: Scope, expected: int) -> None:
    index = open_index(built.settings)
    assert index.size([scope]) == expected == len(index.ids([scope])) == len(index.among([scope], [1, 2, 3, 99]))
    within = index.search(SearchRequest(q="bus musées", within=(scope,), facets=("theme",)))
    assert within.total <= expected
    assert sum(value.count for value in within.facets["theme"]) <= 2 * expected


def test_ids_are_read_in_spans(built: Catalogue) -> None:
    index, everything = open_index(built.settings), [Scope()]
    ids = index.ids(everything)
    assert ids == sorted(ids)
    assert index.ids(everything, after=ids[0]) == ids[1:]
    assert index.ids(everything, upto=ids[1]) == ids[:2]
    assert index.ids(everything, limit=2) == ids[:2]
    assert index.ids(everything, limit=2, last=True) == ids[1:]


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    values: dict[str, Any] = {"title": {"fr": f"Culture {EVIL}"}, "description": {"fr": EVIL}}
    added(built, "culture", **values, given={"theme": ["EDUC"]})
    added(built, "lyon", q="lyon")
    with TestClient(application(built.settings)) as found:
        yield found


def test_spaces_are_listed_in_pages(client: TestClient) -> None:
    first = client.get("/api/spaces?limit=1").json()
    assert [space["name"] for space in first["spaces"]] == ["culture"]
    second = client.get(first["next"]).json()
    assert [(space["name"], space["datasets"]) for space in second["spaces"]] == [("lyon", 2)]
    assert client.get(second["next"]).json() == {"spaces": [], "next": None}


def test_one_space_leads_to_everything(client: TestClient, built: Catalogue) -> None:
    space = client.get("/api/spaces/culture").json()
    assert (space["datasets"], space["filters"]) == (2, {"theme": ["EDUC"]})
    paths = [space["page"], space["search"], *space["catalogue"].values()]
    assert [client.get(path).status_code for path in paths] == [200] * len(paths)
    assert client.get("/api/spaces/none").json()["code"] == "no-such-space"
    built.add("paris", [{"identifier": "d", "title": "Théâtres", "theme": ["EDUC"]}])
    assert client.get("/api/spaces/culture").json()["datasets"] == 3


def test_the_search_stays_within_a_space(client: TestClient) -> None:
    found = client.get("/api/datasets", params={"space": "culture", "q": "lyon"}).json()
    assert [item["title"] for item in found["results"]] == [{"": "Musées de Lyon"}]
    assert client.get("/api/datasets?space=none").status_code == 404
    page = client.get("/?space=lyon&q=bus").text
    assert "1 dataset" in page
    assert 'name="space" value="lyon"' in page
    assert "space=lyon&amp;q=bus&amp;" in page


def test_pages_of_spaces_are_escaped(client: TestClient) -> None:
    for path in ("/spaces", "/spaces/culture", "/?space=culture"):
        page = client.get(path)
        assert page.status_code == 200
        assert "<script" not in page.text
        assert "Culture" in page.text
    page = client.get("/spaces/culture")
    assert 'href="/catalog.ttl?space=culture"' in page.text
    assert 'href="/export.jsonld?space=culture"' in page.text
    assert 'rel="alternate"' in page.headers["link"]
    assert client.get("/spaces/none").status_code == 404


def run(built: Catalogue, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HARVESTER_DATA", str(built.settings.data))
    monkeypatch.setenv("HARVESTER_DATABASE_URL", built.settings.database_url)
    monkeypatch.setenv("COLUMNS", "200")
    return CliRunner().invoke(commands, list(arguments))


def test_commands(built: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    def ran(*arguments: str) -> str:
        result = run(built, *arguments, monkeypatch=monkeypatch)
        assert result.exception is None, result.output
        return str(result.output)

    filters = ("--filter", "theme=EDUC", "--filter", "theme=TRAN")
    ran("space", "add", "culture", "--title", "Culture", "--title", "en=Arts", *filters)
    with built.engine.connect() as connection:
        space = spaces.named(connection, "culture")
    assert (space.title, space.filters) == ({"fr": "Culture", "en": "Arts"}, {"theme": ["EDUC", "TRAN"]})
    assert "3 datasets" in ran("space", "add", "other", "--q", "de")
    assert "theme=EDUC" in ran("space", "list")
    ran("space", "edit", "culture", "--filter", "keyword=musée", "--filter", "theme=")
    assert "musée" in ran("space", "show", "culture")
    assert "Musées de Lyon" in ran("search", "--space", "culture")
    assert "Lyon" in ran("export", "--space", "culture", "--format", "nt")
    assert "space-culture.nt.gz" in ran("dump", "--space", "culture", "--format", "nt")
    ran("space", "remove", "culture", "--yes")
    wrong = run(built, "space", "show", "culture", monkeypatch=monkeypatch)
    assert isinstance(wrong.exception, UsageError)
