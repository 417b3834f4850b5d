"""What an export is made of: IRIs that stay for ever, the records behind a dataset, what is asked of the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from starlette.testclient import TestClient

from harvester import export, sources
from harvester.catalogue import store, walking
from harvester.catalogue.database import writing
from harvester.rdf.entries import Entry
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

ROOT = "https://data.example.org"
IRI = "https://example.org/id/1"


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path, public_url=ROOT)


def raw(name: str, **more: Any) -> dict[str, Any]:
    return {"identifier": name, "title": name, "uri": IRI, **more}


def entries(found: Catalogue, **options: Any) -> list[Entry]:
    with found.engine.connect() as connection:
        ids = walking.ids(connection, walking.Stretch())
        return export.entries(connection, found.settings, ids, **options)


def test_an_iri_stays_when_its_first_source_goes(built: Catalogue) -> None:
    built.add("paris", [raw("a", landing_page="https://a.example/")], keyed=True)
    key = built.key("paris", "a")
    other = {"uri": "https://other.example/1", "other_identifier": [{"notation": IRI}]}
    built.add("lyon", [raw("b") | other], keyed=True)
    assert [entry.iri for entry in entries(built)] == [IRI]
    built.retire("paris", "a")
    with writing(built.engine) as connection:
        sources.remove(connection, "paris", NOW)
    [entry] = entries(built)
    assert entry.iri == IRI
    assert [record.source.iri for record in entry.records] == [f"{ROOT}/catalog?source=lyon"]
    with TestClient(application(built.settings)) as client:
        assert client.get(f"/api/datasets/{key}").json()["iri"] == IRI


def test_an_iri_stays_when_a_source_gives_another(built: Catalogue) -> None:
    built.add("paris", [raw("a")])
    built.add("paris", [raw("a") | {"uri": "https://example.org/new"}])
    assert [entry.iri for entry in entries(built)] == [IRI]
    built.retire("paris", "a")
    assert entries(built) == []
    built.add("paris", [raw("a")])
    assert [entry.iri for entry in entries(built)] == [IRI]


def test_datasets_taken_in_one_after_the_other_are_all_named(built: Catalogue) -> None:
    names = [f"https://example.org/id/{n}" for n in range(4)]
    for number, iri in enumerate(names):
        uri = None if number == 2 else iri
        identified = {"uri": uri, "other_identifier": [{"notation": iri}]}
        built.add(f"s{number}", [raw("x") | identified], keyed=True)
    keys = [built.key(f"s{number}", "x") for number in range(4)]
    # The third becomes the fourth's, then all become the first's.
    for source, pair in (("one", names[2:]), ("two", names[1:3]), ("three", names[:2])):
        both = {"uri": None, "other_identifier": [{"notation": iri} for iri in pair]}
        built.add(source, [raw("y") | both], keyed=True)
    [entry] = entries(built)
    assert entry.iri == names[0]
    known = {identifier.notation for identifier in entry.identifiers}
    assert {names[1], names[3], f"{ROOT}/datasets/{keys[2]}"} <= known
    with TestClient(application(built.settings)) as client:
        for key in keys[1:]:
            moved = client.get(f"/datasets/{key}.ttl", follow_redirects=False)
            assert (moved.status_code, moved.headers["location"]) == (308, f"/datasets/{keys[0]}.ttl")


def test_records_tell_what_their_sources_say(built: Catalogue) -> None:
    own = {"uri": "https://paris.example/record/1", "modified": "2020-01-02", "title": {"fr": "Fiche"}}
    built.add("paris", [raw("a", record=own) | {"landing_page": "https://paris.example/page"}], keyed=True)
    page = {"modified": "2021-03-04", "landing_page": "https://lyon.example/page", "uri": None}
    built.add("lyon", [raw("b") | page | {"other_identifier": [{"notation": IRI}]}], keyed=True)
    built.source("paris")
    with writing(built.engine) as connection:
        said = {"uri": "https://paris.example/catalog", "title": {"fr": "Paris Data"}, "description": {"fr": "Tout"}}
        store.edit_source(connection, built.source("paris").source_id, {"catalogue": said})
    [entry] = entries(built)
    first, second = entry.records
    assert stated(first.upstream)["uri"] == "https://paris.example/record/1"
    assert (stated(second.upstream)["uri"], stated(second.upstream)["modified"]) == (
        "https://lyon.example/page", "2021-03-04",
    )  # fmt: skip
    assert (first.source.upstream, first.source.about.title) == ("https://paris.example/catalog", {"fr": "Paris Data"})
    assert (second.source.upstream, second.source.about.title) == (None, {"": "Portal lyon"})
    assert first.last_seen is not None
    assert [record.last_seen for record in entries(built, sights=False)[0].records] == [None, None]


def stated(upstream: Any) -> dict[str, Any]:
    return upstream if isinstance(upstream, dict) else dict(upstream)


def test_pages_are_read_in_as_many_queries_as_their_size_is(built: Catalogue) -> None:
    built.add("paris", [raw(f"p{n}") | {"uri": f"{IRI}-{n}"} for n in range(60)])
    counted: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        counted.append(statement)

    event.listen(built.engine, "before_cursor_execute", count)
    assert len(entries(built)) == 60
    assert len(counted) < 12


def test_datasets_that_are_only_mentioned_are_described(built: Catalogue) -> None:
    built.add("paris", [raw("a"), raw("b") | {"uri": f"{IRI}/b", "relation": [{"uri": IRI}]}])
    with built.engine.connect() as connection:
        found = export.known(connection, [IRI, "https://nobody.example/", "nul\x00"])
        assert {iri: dataset["title"] for iri, dataset in found.items()} == {IRI: {"": "a"}}
    built.retire("paris", "a")
    with built.engine.connect() as connection:
        assert export.known(connection, [IRI]) == {}


@pytest.mark.parametrize("together", [True, False])
def test_an_iri_names_one_dataset(built: Catalogue, together: bool) -> None:
    claims = [raw("a"), raw("b")]
    for batch in [claims] if together else [claims[:1], claims[1:]]:
        built.add("paris", batch)
    assert [entry.iri for entry in entries(built)] == [IRI, f"{ROOT}/datasets/{built.key('paris', 'b')}"]


def test_our_own_words_are_no_markup(built: Catalogue) -> None:
    title = 'Vélo <b>&"x" &amp; <script>'
    told = built.settings.model_copy(update={"title": title, "publisher": "A <b> & Co\x00"})
    about = export.info(told).about
    assert (about.title, about.description) == ({"fr": title}, {"fr": title})
    assert about.publisher is not None
    assert (about.publisher.name, about.publisher.uri) == ({"": "A <b> & Co"}, f"{ROOT}/#publisher")
    part = export.info(told, title={"en": "a <i>\udcff"}, description={"en": "<p>b\n\n c"}).about
    assert (part.title, part.description) == ({"en": "a <i>"}, {"en": "<p>b\n\n c"})


@pytest.mark.parametrize("claim", ["/catalog", "/catalog?source=paris", "/#publisher", "/datasets/k#record-1"])
def test_no_dataset_is_called_what_we_call_something_else(built: Catalogue, claim: str) -> None:
    built.add("paris", [raw("a") | {"uri": ROOT + claim}])
    [entry] = entries(built)
    assert entry.iri == f"{ROOT}/datasets/{built.key('paris', 'a')}"
