"""What datasets of several records show, everywhere: stored, told, exported, searched, counted; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from starlette.testclient import TestClient

from harvester import export
from harvester.catalogue import originals, past, queries, showing, walking
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.catalogue.forms import told
from harvester.catalogue.originals import Share
from harvester.catalogue.tables import changes, datasets, merged, records
from harvester.identity.originals import alone
from harvester.model import Dataset
from harvester.search import open_index, refresh
from tests.catalogues import NOW, Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

CITY, NATION = "https://city.example.org", "https://nation.example.org"
PAGE = f"{CITY}/dataset/arbres"
Raw = dict[str, Any]


def original(**more: Any) -> Raw:
    files = [{"download_url": f"{CITY}/arbres.csv", "format": "CSV"}]
    told_: Raw = {"identifier": "arbres", "title": {"fr": "Arbres"}, "landing_page": [PAGE], "distribution": files}
    return told_ | more


def copy(**more: Any) -> Raw:
    told_: Raw = {
        "identifier": "5f01",
        "title": {"fr": "Les arbres de la ville", "en": "Trees"},
        "other_identifier": [{"notation": "arbres", "agency": "city.example.org"}],
        "landing_page": [PAGE, f"{NATION}/datasets/5f01"],
        "source": [{"uri": PAGE}],
        "theme": ["ENVI"],
        "distribution": [{"download_url": f"{NATION}/arbres.geojson", "format": "GeoJSON"}],
    }
    return told_ | more


def together(found: Catalogue) -> int:
    """One dataset of every record that is there, as if they had been judged the same; its id."""
    with writing(found.engine) as connection:
        everything = list(connection.execute(select(datasets.c.id).order_by(datasets.c.id)).scalars())
        connection.execute(update(records).values(dataset_id=everything[0]))
        showing.show(connection, everything, NOW)
    return int(everything[0])


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    """The copy came first, so that nothing hangs on the order."""
    found = catalogue(tmp_path)
    found.add("nation", [copy()])
    found.add("city", [original()])
    return found


def view(found: Catalogue, dataset_id: int) -> queries.DatasetView:
    with found.engine.connect() as connection:
        key = walking.names(connection, [dataset_id])[dataset_id][0]
        seen = queries.dataset_by_key(connection, key)
    assert seen is not None
    return seen


def test_the_merged_dataset_and_where_it_is_from(built: Catalogue) -> None:
    seen = view(built, together(built))
    by_source = {record.source: record for record in seen.records}
    city, nation = by_source["city"], by_source["nation"]
    assert seen.dataset is not None
    assert seen.dataset.title == {"fr": "Arbres", "en": "Trees"}
    assert [part.download_url[0] for part in seen.dataset.distribution] == [
        f"{CITY}/arbres.csv",
        f"{NATION}/arbres.geojson",
    ]
    assert seen.original == city.id
    assert (seen.fields["title"], seen.fields["title@en"], seen.fields["theme"]) == (city.id, nation.id, nation.id)
    assert (city.role, city.shown, nation.role, nation.origin) == ("original", True, "republished", "city.example.org")
    assert "city.example.org" in seen.reason
    assert "city.example.org" in nation.why


def test_every_reader_shows_the_same(built: Catalogue) -> None:
    dataset_id = together(built)
    seen = view(built, dataset_id).dataset
    assert seen is not None
    with built.engine.connect() as connection:
        (shown,) = walking.shown(connection, [dataset_id])
        (listed,) = queries.visible_page(connection)
        (viewed,) = queries.dataset_views(connection, [dataset_id])
        (entry,) = export.entries(connection, built.settings, [dataset_id])
    assert walking.stored(shown.blob)["title"] == seen.title
    assert isinstance(entry.dataset, dict)
    assert entry.dataset["title"] == seen.title
    assert len(entry.records) == 2
    assert listed.dataset == viewed.dataset == seen


def test_by_iri_shows_the_merged_one(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    found.add("nation", [copy(uri=f"{NATION}/datasets/5f01")])
    found.add("city", [original()])
    dataset_id = together(found)
    with writing(found.engine) as connection:
        named = update(datasets).where(datasets.c.id == dataset_id)
        connection.execute(named.values(iri=f"{NATION}/datasets/5f01"))
    with found.engine.connect() as connection:
        by_iri = walking.by_iri(connection, [f"{NATION}/datasets/5f01"])
    assert [dataset["title"]["fr"] for dataset in by_iri.values()] == ["Arbres"]


def test_one_record_costs_no_row(built: Catalogue) -> None:
    with built.engine.connect() as connection:
        assert connection.execute(select(merged)).all() == []


def test_what_the_record_shown_says_alone_is_not_stored_twice(tmp_path: Path) -> None:
    found = catalogue(tmp_path)
    found.add("city", [original()])
    found.add("nation", [copy(title={"fr": "Arbres"}, theme=[], distribution=[])])
    together(found)
    with found.engine.connect() as connection:
        assert connection.execute(select(merged.c.dataset)).scalars().all() == [None]


def test_a_dataset_with_one_record_left_is_what_that_one_says(built: Catalogue) -> None:
    dataset_id = together(built)
    built.retire("city", "arbres")
    seen = view(built, dataset_id)
    assert seen.dataset is not None
    assert seen.dataset.title["fr"] == "Les arbres de la ville"
    nation = next(record for record in seen.records if record.source == "nation")
    assert (seen.original, nation.role, nation.origin, nation.shown) == (None, "republished", "city.example.org", True)
    with built.engine.connect() as connection:
        assert told(connection, [dataset_id]) == {}
    built.add("city", [original()])
    assert view(built, dataset_id).original is not None


def test_a_change_of_a_copy_is_a_change_of_the_dataset(built: Catalogue) -> None:
    dataset_id = together(built)
    built.add("nation", [copy(title={"fr": "x", "en": "Trees of the city"})])
    seen = view(built, dataset_id).dataset
    assert seen is not None
    assert seen.title == {"fr": "Arbres", "en": "Trees of the city"}
    with built.engine.connect() as connection:
        last = connection.execute(select(changes).order_by(changes.c.seq.desc()).limit(1)).one()
    assert (last.dataset_id, last.action) == (dataset_id, "updated")


def test_our_own_export_that_comes_back_is_neutral(built: Catalogue) -> None:
    with built.engine.connect() as connection:
        key = connection.execute(select(datasets.c.key).order_by(datasets.c.id)).scalars().first()
    ours = f"https://elsewhere-then.example/datasets/{key}"
    loop = {"identifier": "z", "title": {"fr": "Z"}, "uri": ours, "modified": "2099-01-01", "keyword": ["boucle"]}
    built.add("echo", [loop])
    seen = view(built, together(built))
    assert {record.source: record.role for record in seen.records}["echo"] == "loop"
    assert seen.dataset is not None
    assert not seen.dataset.keyword
    assert seen.original is not None


def test_shares_are_exact(built: Catalogue) -> None:
    built.add("alone", [{"identifier": str(n), "title": "T"} for n in range(3)])
    with writing(built.engine) as connection:
        row = connection.execute(select(records.c.source_id).where(records.c.guid == "0")).one()
        found = alone(Dataset.of({"title": "T"}), "https://alone.example.org")
        mine = update(records).where(records.c.source_id == row.source_id)
        connection.execute(mine.values(role=str(found.role), origin=found.origin))
    with writing(built.engine) as connection:
        two = list(connection.execute(select(datasets.c.id).order_by(datasets.c.id).limit(2)).scalars())
        connection.execute(update(records).where(records.c.dataset_id == two[1]).values(dataset_id=two[0]))
        showing.show(connection, two, NOW)
    built.retire("alone", "2")
    with built.engine.connect() as connection:
        ids = {name: row.id for name, row in walking.source_rows(connection).items()}
        shares = originals.shares(connection)
        assert originals.shares(connection, [ids["city"]]) == {ids["city"]: Share(original=1)}
        everything = originals.overall(connection)
    assert shares[ids["nation"]] == Share(republished=1)
    assert shares[ids["alone"]] == Share(original=2)
    assert (shares[ids["nation"]].share, shares[ids["alone"]].share, Share().share) == (0.0, 1.0, None)
    assert (everything.datasets, everything.original, everything.share) == (3, 3, 1.0)


@pytest.fixture
def client(built: Catalogue) -> Iterator[TestClient]:
    together(built)
    refresh(built.engine, open_index(built.settings))
    with TestClient(application(built.settings)) as found:
        yield found


def test_the_api_tells_fields_roles_and_reasons(client: TestClient) -> None:
    (hit,) = client.get("/api/datasets").json()["results"]
    answer = client.get(hit["url"]).json()
    city = next(record for record in answer["records"] if record["source"] == "city")
    nation = next(record for record in answer["records"] if record["source"] == "nation")
    assert answer["original"]["record"] == city["id"]
    assert answer["fields"]["title@en"] == nation["id"]
    assert (nation["role"], nation["origin"]) == ("republished", "city.example.org")
    assert hit["title"] == answer["metadata"]["title"] == {"fr": "Arbres", "en": "Trees"}


def test_search_by_original(client: TestClient) -> None:
    assert client.get("/api/datasets?original=original").json()["total"] == 1
    assert client.get("/api/datasets?original=republished").json()["total"] == 0
    assert client.get("/api/datasets?original_source=city").json()["total"] == 1
    found = client.get("/api/datasets?original_source=nation&facets=original_source").json()
    assert found["total"] == 0


def test_the_page_says_it_plainly(client: TestClient, built: Catalogue) -> None:
    (hit,) = client.get("/api/datasets").json()["results"]
    page = client.get(f"/datasets/{hit['id']}", headers={"accept": "text/html"}).text
    assert "Original: Portal city; nation says that it comes from city.example.org" in page
    assert "republished from city.example.org" in page
    assert "title@en" in page


def test_a_catalogue_from_before_is_brought_up_to_date(built: Catalogue) -> None:
    """As a migration leaves it: no roles, nothing merged, and the index has what the first record says."""
    dataset_id = together(built)
    built.add("alone", [{"identifier": "1", "title": "T"}])
    with writing(built.engine) as connection:
        connection.execute(delete(merged))
        connection.execute(update(records).values(role=None, origin=None))
        before = queries.last_change(connection)
    assert follow(built.engine, showing.FOLLOWER, lambda: NOW) > 0
    assert {record.role for record in view(built, dataset_id).records} == {"original", "republished"}
    with built.engine.connect() as connection:
        assert originals.overall(connection).original == 2
        told_again = {dataset for _, dataset in queries.changed_datasets(connection, before, 100)}
        assert dataset_id in told_again
        last = queries.last_change(connection)
    follow(built.engine, showing.FOLLOWER, lambda: NOW)
    with built.engine.connect() as connection:
        assert queries.last_change(connection) == last


def test_a_dataset_that_ended_leaves_nothing(built: Catalogue) -> None:
    dataset_id = together(built)
    built.retire("city", "arbres")
    built.retire("nation", "5f01")
    follow(built.engine, showing.FOLLOWER, lambda: NOW)
    with built.engine.connect() as connection:
        assert connection.execute(select(merged)).all() == []
        assert told(connection, [dataset_id]) == {}


def test_what_it_was_at_an_instant_is_what_its_records_made_then(built: Catalogue) -> None:
    """The second source came a day later, and a copy changed the day after that."""
    dataset_id = together(built)
    key = view(built, dataset_id).key
    built.now = NOW + timedelta(days=1)
    built.add("nation", [copy(title={"fr": "x", "en": "Trees of the city"})])
    with built.engine.connect() as connection:
        then = past.dataset_at(connection, key, NOW)
        now = past.dataset_at(connection, key, built.now)
    assert then is not None
    assert now is not None
    assert then.metadata is not None
    assert now.metadata is not None
    assert (then.source, then.metadata["title"]) == ("city", {"fr": "Arbres", "en": "Trees"})
    assert (now.source, now.metadata["title"]) == ("city", {"fr": "Arbres", "en": "Trees of the city"})
