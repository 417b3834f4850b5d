"""Which record is the original, what the merged dataset takes from where: pure rules."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import ckan
from harvester.catalogue.store import RunRef
from harvester.connector import Page, Record, Source
from harvester.identity.hosts import host_of, same_portal
from harvester.identity.merging import merged
from harvester.identity.originals import Role, Stated, alone, judged, repeats
from harvester.mapping import Mapper, decided
from harvester.model import Dataset

CITY, REGION, NATION = "https://opendata.city.org", "https://data.region.org", "https://national.example"


def stated(number: int, home: str, guid: str = "d", loop: bool = False, **raw: Any) -> Stated:
    given_host = host_of(home)
    dataset = Dataset.of({"title": {"fr": "Arbres"}, "identifier": guid, **raw})
    return Stated(number, given_host.split(".")[-2], guid, home, dataset, loop)


def udata_copy(number: int, of: str, guid: str, home: str = NATION, **raw: Any) -> Stated:
    """As the udata connector fills in a `harvest` block."""
    page = f"{of}/dataset/{guid}"
    told: dict[str, Any] = {
        "other_identifier": [{"notation": guid, "agency": host_of(of)}],
        "landing_page": [page, f"{home}/datasets/x"],
        "source": [{"uri": page}],
    }
    return stated(number, home, f"copy-of-{guid}", **(told | raw))


def ckan_copy(number: int, home: str = REGION, **raw: Any) -> Stated:
    """As the CKAN connector fills in the extras of ckanext-harvest, which give a title and no address."""
    told = {"landing_page": [f"{home}/dataset/x"], "record": {"source": [{"name": "Ville"}]}}
    return stated(number, home, "x", **(told | raw))


def roles(records: list[Stated]) -> dict[int, str]:
    return {number: str(found.role) for number, found in judged(records).standings.items()}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("data.city.org", "download.data.city.org", True),
        ("city.org", "opendata.city.org", True),
        ("paris.example.org", "lyon.example.org", False),
        ("gouv.fr", "data.gouv.fr", False),
        ("data.gouv.fr", "static.data.gouv.fr", True),
        ("city.org", "mycity.org", False),
        ("", "", False),
    ],
)
def test_hosts_of_one_portal(one: str, other: str, same: bool) -> None:
    assert same_portal(one, other) is same_portal(other, one) is same


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.City.org:8443/x", "city.org"),
        ("http://user:secret@data.city.org/x", "data.city.org"),
        ("data.city.org", "data.city.org"),
        ("http://[broken", ""),
        ("Ville de Paris", ""),
        ("urn:uuid:1", ""),
        ("", ""),
    ],
)
def test_host_of(address: str, host: str) -> None:
    assert host_of(address) == host


def test_one_that_names_no_origin_is_the_original() -> None:
    found = alone(Dataset.of({"title": "A", "landing_page": [f"{CITY}/d"]}), CITY)
    assert (found.role, found.origin) == (Role.ORIGINAL, None)


def test_one_that_says_where_it_comes_from_is_republished() -> None:
    copy = udata_copy(1, CITY, "arbres")
    found = alone(copy.dataset, copy.home)
    assert (found.role, found.origin) == (Role.REPUBLISHED, "opendata.city.org")
    assert "opendata.city.org" in found.why


def test_ckan_names_the_portal_without_its_address() -> None:
    copy = ckan_copy(1)
    assert alone(copy.dataset, copy.home)[:2] == (Role.REPUBLISHED, "Ville")


def test_what_the_data_were_made_from_is_no_origin() -> None:
    derived = {"title": "A", "landing_page": [f"{CITY}/d"], "source": [{"uri": "https://ign.example/bdtopo"}]}
    assert alone(Dataset.of(derived), CITY).role is Role.ORIGINAL


def test_an_identifier_of_a_resolver_is_no_origin() -> None:
    given_doi = {"title": "A", "other_identifier": [{"notation": "10.1/x", "agency": "https://doi.org"}]}
    assert alone(Dataset.of(given_doi), CITY).role is Role.ORIGINAL


def test_iri_and_page_elsewhere() -> None:
    raw = {"title": "A", "uri": "https://data.region.org/d/1", "landing_page": ["https://data.region.org/p/1"]}
    assert alone(Dataset.of(raw), NATION)[:2] == (Role.REPUBLISHED, "data.region.org")
    assert alone(Dataset.of(raw), REGION).role is Role.ORIGINAL
    assert alone(Dataset.of({"title": "A", "landing_page": ["https://data.region.org/p"]}), NATION).role is Role.UNKNOWN


OURS = "https://catalogue.example:8000"


@pytest.mark.parametrize(
    "raw",
    [
        {"uri": f"{OURS}/datasets/k3vxq2m5dzr7ttq5"},
        {"other_identifier": [{"notation": "x", "agency": "catalogue.example:8000"}]},
        {"record": {"uri": f"{OURS}/datasets/k3vxq2m5dzr7ttq5#record-1"}},
        {"source": [{"uri": f"{OURS}/datasets/k3vxq2m5dzr7ttq5"}]},
    ],
)
def test_what_repeats_our_export_is_neutral(raw: dict[str, Any]) -> None:
    dataset = Dataset.of({"title": "A", **raw})
    assert alone(dataset, NATION, OURS).role is Role.LOOP
    assert alone(dataset, NATION, "https://other.example").role is not Role.LOOP


def test_our_own_feed_as_a_source_is_a_loop_and_another_port_is_not() -> None:
    plain = Dataset.of({"title": "A"})
    assert repeats(plain, f"{OURS}/catalog.ttl", OURS)
    assert not repeats(plain, "https://catalogue.example:9000/x", OURS)
    assert not repeats(Dataset.of({"title": "About it", "landing_page": [OURS]}), NATION, OURS)
    assert not repeats(plain, "", "")


def test_explicit_provenance_wins_over_everything() -> None:
    city = stated(9, CITY, "arbres", issued="2024-01-01")
    copy = udata_copy(1, CITY, "arbres", issued="2001-01-01")
    verdict = judged([copy, city])
    assert verdict.original == 9
    assert "opendata.city.org" in verdict.reason
    assert verdict.standings[1][:2] == (Role.REPUBLISHED, "opendata.city.org")


def test_a_chain_of_copies_leads_to_its_end() -> None:
    city = stated(3, CITY, "arbres")
    region = udata_copy(2, CITY, "arbres", home=REGION)
    nation = udata_copy(1, REGION, region.guid)
    assert judged([nation, region, city]).original == 3
    assert roles([nation, region, city]) == {1: "republished", 2: "republished", 3: "original"}


def test_an_original_that_is_not_harvested() -> None:
    verdict = judged([udata_copy(1, CITY, "arbres"), udata_copy(2, CITY, "arbres", home=REGION)])
    assert verdict.original is None
    assert verdict.reason == "the original is at opendata.city.org, not harvested here"
    assert {found.role for found in verdict.standings.values()} == {Role.REPUBLISHED}


def test_an_original_known_under_another_address_of_its_portal() -> None:
    """Federated on data.opendatasoft.com from the vendor's own name of the portal."""
    city = stated(1, CITY, "les-arbres-de-la-ville", landing_page=[f"{CITY}/explore/dataset/les-arbres-de-la-ville/"])
    copy = udata_copy(2, "https://city.opendatasoft.com", "les-arbres-de-la-ville")
    assert judged([copy, city]).original == 1


def test_records_that_name_each_other_decide_nothing() -> None:
    one = udata_copy(1, REGION, "a", home=CITY)
    other = udata_copy(2, CITY, "b", home=REGION)
    assert judged([one, other]).original is None


def test_a_page_at_another_portal_makes_that_one_the_original() -> None:
    city = stated(1, CITY, "a", landing_page=[f"{CITY}/d/a"])
    nation = stated(2, NATION, "b", landing_page=[f"{CITY}/d/a", f"{NATION}/d/b"])
    assert judged([city, nation]).original == 1
    assert judged([city, nation]).standings[2][:2] == (Role.REPUBLISHED, "opendata.city.org")


def test_dct_source_that_names_the_page_of_another_record() -> None:
    city = stated(1, CITY, "a", landing_page=[f"{CITY}/d/a"])
    nation = stated(2, NATION, "b", landing_page=[f"{NATION}/d/b"], source=[{"uri": "http://opendata.city.org/d/a/"}])
    assert judged([city, nation]).original == 1
    assert judged([city, nation]).standings[2].role is Role.REPUBLISHED


def test_another_identifier_that_is_the_address_of_another_record() -> None:
    city = stated(1, CITY, "a", uri=f"{CITY}/d/a")
    nation = stated(2, NATION, "b", other_identifier=[{"notation": f"{CITY}/d/a"}])
    assert judged([city, nation]).original == 1


def test_the_only_one_with_its_own_files() -> None:
    files = [{"download_url": "https://opendata.city.org/a.csv"}]
    city = stated(1, CITY, "a", distribution=files)
    region = stated(2, REGION, "b", distribution=[{"download_url": "https://cdn.example/a.csv"}])
    assert judged([city, region]).original == 1


def test_dates_where_nothing_else_tells_and_nothing_where_they_do_not() -> None:
    early, late = stated(1, REGION, "b", issued="2012-05-01"), stated(2, CITY, "a", issued="2015-01-01")
    assert judged([late, early]).original == 1
    assert "2012-05-01" in judged([late, early]).reason
    tie = judged([late, stated(3, REGION, "c", issued="2015-01-01")])
    assert tie.original is None
    assert {found.role for found in tie.standings.values()} == {Role.UNKNOWN}


def test_a_loop_counts_for_nothing() -> None:
    """It has the most fields, the latest date and claims: none of it is worth anything."""
    city = stated(5, CITY, "a")
    loop = udata_copy(1, "https://elsewhere.example", "z", modified="2099-01-01", keyword=["x"], loop=True)
    found = merged([loop, city])
    assert found.verdict.original == 5
    assert found.shown == 5
    assert not found.dataset.keyword
    assert found.verdict.standings[1].role is Role.LOOP
    assert merged([loop]).verdict.original is None


def test_the_original_comes_first_and_others_fill_the_gaps() -> None:
    city = stated(1, CITY, "arbres", title={"fr": "Arbres"}, description={"fr": "Court"})
    copy = udata_copy(2, CITY, "arbres", title={"fr": "Les arbres", "en": "Trees"}, description={"fr": "Long " * 50})
    copy = udata_copy(2, CITY, "arbres", title={"fr": "Les arbres", "en": "Trees"}, license="cc-by", theme=["ENVI"])
    found = merged([copy, city])
    assert found.dataset.title == {"fr": "Arbres", "en": "Trees"}
    assert found.dataset.description == {"fr": "Court"}
    assert (found.fields["title"], found.fields["title@en"], found.fields["theme"]) == (1, 2, 2)
    assert found.dataset.theme == copy.dataset.theme


def test_what_belongs_to_a_record_never_comes_from_another() -> None:
    city = stated(1, CITY, "arbres")
    found = merged([city, udata_copy(2, CITY, "arbres", uri="https://national.example/d/1")])
    assert found.dataset.uri is None
    assert found.dataset.source == ()
    assert found.dataset.other_identifier == ()
    assert found.dataset.identifier == city.dataset.identifier


def test_conditions_are_of_one_record() -> None:
    city = stated(1, CITY, "arbres", license="cc-by")
    found = merged([city, udata_copy(2, CITY, "arbres", rights="All rights reserved, no reuse")])
    assert found.dataset.license == city.dataset.license
    assert not found.dataset.rights


def test_texts_without_a_language_are_not_joined_by_others() -> None:
    city = stated(1, CITY, "arbres", title="Arbres")
    assert merged([city, udata_copy(2, CITY, "arbres", title={"en": "Trees"})]).dataset.title == {"": "Arbres"}


def test_machine_translations_are_left_out() -> None:
    city = stated(1, CITY, "arbres")
    copy = udata_copy(2, CITY, "arbres", title={"en-t-fr-t0-mtec": "Trees"})
    assert set(merged([city, copy]).dataset.title) == {"fr"}


def test_files_of_copies_only_in_formats_the_original_lacks() -> None:
    files = [{"download_url": f"{CITY}/a.csv", "format": "CSV"}]
    copies = [
        {"download_url": f"{NATION}/old.csv", "format": "CSV"},
        {"download_url": f"{NATION}/a.geojson", "format": "GeoJSON"},
        {"access_url": f"{NATION}/unknown"},
        {"download_url": "http://www.opendata.city.org/a.csv/", "format": "XLSX"},
    ]
    found = merged([stated(1, CITY, "arbres", distribution=files), udata_copy(2, CITY, "arbres", distribution=copies)])
    assert [part.download_url for part in found.dataset.distribution] == [
        (f"{CITY}/a.csv",),
        (f"{NATION}/a.geojson",),
    ]
    assert (found.fields["distribution"], found.fields["distribution:GEOJSON"]) == (1, 2)


def test_without_an_original_the_most_complete_record_is_shown() -> None:
    one = udata_copy(1, CITY, "arbres")
    other = udata_copy(2, CITY, "arbres", home=REGION, keyword=["arbre"], theme=["ENVI"])
    assert merged([one, other]).shown == 2
    fresher = udata_copy(3, CITY, "arbres", modified="2026-01-01")
    older = udata_copy(4, CITY, "arbres", home=REGION, modified="2020-01-01")
    assert merged([older, fresher]).shown == 3


HOMES = st.sampled_from([CITY, REGION, NATION, "https://[", "not an address", "https://catalogue.example"])
WORDS = st.one_of(
    st.sampled_from([f"{CITY}/dataset/a", f"{REGION}/x", "a", "x", "http://[", "\ud800", "", "2020-01-01", "CSV"]),
    st.text(max_size=20),
)
RAWS = st.fixed_dictionaries(
    {"title": st.dictionaries(st.sampled_from(["fr", "en", ""]), st.text(min_size=1, max_size=9), min_size=1)},
    optional={
        "uri": WORDS,
        "identifier": st.lists(WORDS, max_size=3),
        "landing_page": st.lists(WORDS, max_size=3),
        "source": st.lists(st.fixed_dictionaries({"uri": WORDS}), max_size=2),
        "other_identifier": st.lists(st.fixed_dictionaries({"notation": WORDS, "agency": WORDS}), max_size=3),
        "issued": WORDS,
        "modified": WORDS,
        "license": WORDS,
        "rights": WORDS,
        "keyword": st.lists(WORDS, max_size=3),
        "distribution": st.lists(st.fixed_dictionaries({"download_url": WORDS, "format": WORDS}), max_size=3),
    },
)


@given(
    st.lists(st.tuples(HOMES, WORDS, RAWS, st.booleans()), min_size=1, max_size=6), st.randoms(use_true_random=False)
)
def test_the_order_of_the_records_changes_nothing(
    given_records: list[tuple[str, str, dict[str, Any], bool]], chance: random.Random
) -> None:
    records = []
    for number, (home, guid, raw, loop) in enumerate(given_records):
        dataset = Dataset.of({**raw, "identifier": raw.get("identifier") or ["z"]})
        records.append(Stated(number, f"source-{number % 3}", f"{guid}{number}", home, dataset, loop))
    found = merged(records)
    mixed = list(records)
    chance.shuffle(mixed)
    again = merged(mixed)
    assert (found.dataset, found.shown, dict(found.fields)) == (again.dataset, again.shown, dict(again.fields))
    assert found.verdict == again.verdict
    originals = [s for s in found.verdict.standings.values() if s.role is Role.ORIGINAL]
    assert len(originals) == (found.verdict.original is not None)
    assert found.verdict.standings.keys() == {record.record_id for record in records}


def test_five_hundred_records_are_one_dataset() -> None:
    city = stated(0, CITY, "arbres")
    copies = [udata_copy(n, CITY, "arbres", home=f"https://portal-{n}.example.org") for n in range(1, 500)]
    found = merged([*copies, city])
    assert found.verdict.original == 0
    assert sum(s.role is Role.REPUBLISHED for s in found.verdict.standings.values()) == 499


@pytest.mark.parametrize(
    ("extras", "role", "origin"),
    [
        ([], Role.ORIGINAL, None),
        ([{"key": "harvest_source_title", "value": "Ville"}], Role.REPUBLISHED, "Ville"),
        (
            [
                {"key": "harvest_source_title", "value": "Ville"},
                {"key": "harvest_source_url", "value": "https://opendata.city.org/dcat.xml"},
            ],
            Role.REPUBLISHED,
            "opendata.city.org",
        ),
    ],
)
def test_a_run_tells_what_a_package_is(extras: list[dict[str, str]], role: Role, origin: str | None) -> None:
    """Through the connector, as a run does it; the extras are those of ckanext-harvest."""
    package = {"id": "0f1e", "name": "arbres", "title": "Arbres", "extras": extras}
    mapper = Mapper(ckan, Source("region", REGION), always=False, ours=OURS)
    page = Page((Record("0f1e", package),))
    (outcome,) = decided(page, {}, mapper, RunRef(1, 1, "region"), [])
    assert outcome.standing is not None
    assert outcome.standing[:2] == (role, origin)
