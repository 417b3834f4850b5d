"""The udata connector: what its URLs mean, how it walks portals that behave or not, what it makes of payloads."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import udata
from connectors.udata.fields import periods
from connectors.udata.places import place_of
from harvester.connector import Page, Record, Source, Walk
from harvester.errors import Blocked, RecordError, SourceError, Unavailable
from harvester.http import Http
from harvester.identity import match_keys
from harvester.samples.faults import becomes, misbehaving
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport, json_reply
from harvester.settings import Settings

ROOT = "http://127.0.0.1"
PAIRS = sorted(
    path for path in (Path(__file__).parent / "portals/udata").glob("*.json") if ".expected" not in path.name
)
ORGANISATION = "a" * 24


def dataset(number: int, **more: Any) -> dict[str, Any]:
    stamp = f"2021-01-{1 + number // 86400:02}T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    organisation = {"id": ORGANISATION if number % 2 else "b" * 24, "slug": "ville" if number % 2 else "etat"}
    return {
        "id": f"{number:024x}",
        "slug": f"jeu-{number}",
        "title": f"Jeu {number}",
        "created_at": stamp,
        "last_update": stamp,
        "organization": organisation | {"name": "X"},
        "tags": ["eau"] if number % 3 == 0 else [],
        "resources": [],
        **more,
    }


DATASETS = [dataset(number) for number in range(330)]


def client(portal: Portal) -> Http:
    settings = Settings(private_hosts=("127.0.0.1",))
    return Http(settings, transport=as_transport(portal), sleep=lambda seconds: None)


def walked(portal: Portal, url: str = ROOT, walk: Walk | None = None, **options: Any) -> list[Page]:
    source = Source("portal", url, udata.Options(**options))
    return list(udata.fetch(source, client(portal), walk or Walk()))


def guids(pages: list[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records]


def recorded(asked: list[Request], portal: Portal) -> Portal:
    def answer(request: Request) -> Reply:
        asked.append(request)
        return portal(request)

    return answer


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_payloads_become_the_expected_datasets(path: Path) -> None:
    record = udata.record_of(json.loads(path.read_text("utf-8")))
    found = udata.normalise(record, Source("portal", "https://donnees.example.fr/"))
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    assert json.loads(json.dumps(found.plain())) == expected["dataset"]
    assert [[problem.field, problem.code] for problem in found.problems] == expected["problems"]


def test_a_copy_and_its_original_share_a_match_key() -> None:
    payload = json.loads((Path(__file__).parent / "portals/udata/harvested-opendatasoft.json").read_text("utf-8"))
    found = udata.normalise(udata.record_of(payload), Source("portal", "https://donnees.example.fr/"))
    keys = match_keys(found, "https://donnees.example.fr/")
    assert "id:data.montrieux.example:budget-primitif" in keys
    assert "id:donnees.example.fr:600000000000000000000002" in keys


@pytest.mark.parametrize(
    ("url", "root", "kept"),
    [
        ("https://x.fr", "https://x.fr", "https://x.fr/"),
        ("https://x.fr/fr/", "https://x.fr", "https://x.fr/"),
        ("https://x.fr/api/1/", "https://x.fr", "https://x.fr/"),
        ("https://x.fr/api/2/datasets/", "https://x.fr", "https://x.fr/"),
        ("https://x.fr/fr/datasets/", "https://x.fr", "https://x.fr/"),
        ("https://x.fr/portail/en/datasets/", "https://x.fr/portail", "https://x.fr/portail/"),
        ("https://x.fr/api/1/datasets/?tag=a&tag=b&page=3", "https://x.fr", "https://x.fr/api/1/datasets/?tag=a&tag=b"),
        ("https://x.fr/fr/organizations/ville/", "https://x.fr", "https://x.fr/api/1/datasets/?organization=ville"),
        (
            "https://x.fr/api/1/organizations/ville/datasets/",
            "https://x.fr",
            "https://x.fr/api/1/datasets/?organization=ville",
        ),
        ("https://x.fr/datasets/search?q=eau", "https://x.fr", "https://x.fr/api/1/datasets/?q=eau"),
        ("https://x.fr/fr/datasets/jeu-1/", "https://x.fr", "https://x.fr/api/1/datasets/jeu-1/"),
    ],
)
def test_urls_as_people_copy_them(url: str, root: str, kept: str) -> None:
    assert (place_of(url).root, place_of(url).url) == (root, kept)
    assert place_of(kept).url == kept


def test_a_walk_sees_every_dataset_once_in_four_requests() -> None:
    asked: list[Request] = []
    pages = walked(recorded(asked, udata_portal(DATASETS, title="P")))
    assert sorted(guids(pages)) == [item["id"] for item in DATASETS]
    assert {page.advertised for page in pages} == {330}
    lists = [request for request in asked if request.path.endswith("/datasets/")]
    assert [request.get("sort") for request in lists] == ["created"] * 4
    assert [request.path for request in asked if request not in lists] == ["/api/1/site/"]


def test_the_catalogue_is_at_the_public_address_and_site_is_no_name_of_it() -> None:
    [page, *_] = walked(udata_portal(DATASETS, title="P"), public_url="https://donnees.example.fr/fr/")
    assert page.catalogue == {"title": "P", "homepage": "https://donnees.example.fr/"}


def test_a_last_page_that_is_full_is_the_last() -> None:
    asked: list[Request] = []
    assert len(guids(walked(recorded(asked, udata_portal(DATASETS[:100], title="P"))))) == 100
    assert len([request for request in asked if request.get("page")]) == 1


def test_a_walk_resumes_from_its_cursor() -> None:
    pages = walked(udata_portal(DATASETS, title="P"))
    resumed = walked(udata_portal(DATASETS, title="P"), walk=Walk(cursor=pages[1].cursor))
    assert guids(resumed) == guids(pages[2:])


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (f"{ROOT}/fr/organizations/ville/", {}),
        (f"{ROOT}/api/1/datasets/?organization={ORGANISATION}", {}),
        (f"{ROOT}/api/1/datasets/?organization=ville", {}),
        (ROOT, {"organization": "ville"}),
        (ROOT, {"organization": ORGANISATION}),
    ],
)
def test_one_organisation_by_address_slug_or_identifier(url: str, options: dict[str, Any]) -> None:
    found = guids(walked(udata_portal(DATASETS, title="P"), url, **options))
    assert sorted(found) == [item["id"] for item in DATASETS if item["organization"]["id"] == ORGANISATION]


def test_filters_of_url_and_options_add_up() -> None:
    found = guids(walked(udata_portal(DATASETS, title="P"), f"{ROOT}/datasets/?tag=eau", organization="ville"))
    assert sorted(found) == [item["id"] for n, item in enumerate(DATASETS) if n % 2 and n % 3 == 0]


def test_an_unknown_organisation_stops_the_run() -> None:
    with pytest.raises(SourceError):
        walked(udata_portal(DATASETS, title="P"), organization="nobody")


def test_an_incremental_walk_stops_at_the_date_it_was_given() -> None:
    since = datetime(2021, 1, 1, 0, 4, tzinfo=UTC)
    asked: list[Request] = []
    found = guids(walked(recorded(asked, udata_portal(DATASETS, title="P")), walk=Walk(since=since)))
    assert set(found) >= {item["id"] for item in DATASETS[240:]}
    assert [request.get("sort") for request in asked if request.get("page")] == ["-last_update"]


def cut(number: int, total: int) -> Portal:
    """Shows so many of its datasets, whatever it counts, and says that nothing follows."""
    portal = udata_portal(DATASETS[:total], title="P")

    def answer(request: Request) -> Reply:
        reply = portal(request)
        if not request.path.endswith("/datasets/") or reply.status != 200:
            return reply
        said = json.loads(reply.body)
        start = (said["page"] - 1) * said["page_size"]
        return json_reply(said | {"data": said["data"][: max(0, number - start)], "next_page": None})

    return answer


@pytest.mark.parametrize(
    ("shown", "changed", "told"), [(10, 40, True), (10, 10, True), (10, 5, False), (250, 250, False), (120, 180, True)]
)
def test_a_list_of_changes_that_is_cut_short_is_told(shown: int, changed: int, told: bool) -> None:
    since = datetime(2021, 1, 1, (250 - changed) // 3600, (250 - changed) // 60 % 60, (250 - changed) % 60, tzinfo=UTC)
    pages = walked(cut(shown, 250), walk=Walk(since=since))
    assert ("unshown-datasets" in [note.code for page in pages for note in page.notes]) is told
    assert [page.advertised for page in pages] == [None] * len(pages)


def test_a_silent_cap_of_the_page_size_loses_nothing() -> None:
    portal = udata_portal(DATASETS, title="P")

    def capped(request: Request) -> Reply:
        return portal(request.asking(page_size=min(30, int(request.get("page_size") or 20))))

    assert len(set(guids(walked(capped)))) == 330


def test_a_record_that_breaks_its_page_costs_one_record() -> None:
    portal = udata_portal(DATASETS, title="P")

    def broken(request: Request) -> Reply:
        page, size = int(request.get("page") or 1), int(request.get("page_size") or 20)
        return Reply(500) if (page - 1) * size <= 123 < page * size else portal(request)

    pages = walked(broken)
    assert len(set(guids(pages))) == 329
    assert [problem.code for page in pages for problem in page.problems] == ["unreadable-record"]


def test_a_bare_list_is_read_whole() -> None:
    assert len(guids(walked(lambda request: json_reply(DATASETS)))) == 330


def test_datasets_removed_between_pages_hide_no_other() -> None:
    later = becomes(udata_portal(DATASETS[3:], title="P"), 1)(udata_portal(DATASETS, title="P"))
    assert set(guids(walked(later))) == {item["id"] for item in DATASETS}


@pytest.mark.parametrize(
    "fault", ["500-once", "503-first", "429-date", "hang-up", "html-once", "lying-total", "inserted"]
)
def test_passing_trouble_loses_nothing(fault: str) -> None:
    assert len(set(guids(walked(misbehaving(udata_portal(DATASETS, title="P"), fault))))) == 330


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("403-wall", Blocked),
        ("html-always", Unavailable),
        ("truncated", Unavailable),
        ("empties-later", Unavailable),
        ("success-false", SourceError),
        ("page-loop", SourceError),
        ("private-redirect", SourceError),
    ],
)
def test_lasting_trouble_is_never_a_complete_walk(fault: str, error: type[SourceError]) -> None:
    with pytest.raises(error):
        walked(misbehaving(udata_portal(DATASETS, title="P"), fault))


@pytest.mark.parametrize("mark", [{"archived": "2021-01-01"}, {"deleted": "2021-01-01"}, {"private": True}])
def test_what_a_list_shows_as_withdrawn_is_deleted(mark: dict[str, Any]) -> None:
    assert udata.record_of(dataset(1, **mark)).deleted
    assert not udata.record_of(dataset(1)).deleted


@pytest.mark.parametrize("mark", ["archived", "deleted", "private"])
@pytest.mark.parametrize("value", [None, False, "", "false", {"x": 1}, {"x": []}, ["x"], 1])
def test_a_mark_that_says_nothing_withdraws_nothing(mark: str, value: Any) -> None:
    assert not udata.record_of(dataset(1, **{mark: value})).deleted


@pytest.mark.parametrize("item", [None, "x", {}, {"id": 7}, {"id": {"$oid": "x"}}])
def test_an_item_without_identifier_is_reported(item: Any) -> None:
    with pytest.raises(RecordError):
        udata.record_of(item)


def test_one_dataset_is_looked_up() -> None:
    portal = udata_portal([dataset(1), dataset(2, deleted="2021-01-01"), dataset(3, archived="2021-01-01")], title="P")
    source, http = Source("portal", ROOT), client(portal)
    states = [udata.look(source, http, f"{number:024x}") for number in (1, 2, 3, 4)]
    assert [state and state.deleted for state in states] == [False, True, True, None]


def test_the_page_of_one_dataset_is_a_source_of_one() -> None:
    assert guids(walked(udata_portal(DATASETS, title="P"), f"{ROOT}/fr/datasets/jeu-7/")) == [f"{7:024x}"]


def test_it_recognises_its_own_kind() -> None:
    found = udata.recognise(client(udata_portal(DATASETS, title="Données")), f"{ROOT}/fr/")
    assert found is not None
    assert (found.connector, found.url, found.title, found.advertised) == ("udata", f"{ROOT}/", "Données", 330)
    assert udata.recognise(client(lambda request: json_reply({"total": 3, "data": "x"})), ROOT) is None
    assert udata.recognise(client(lambda request: Reply(200, b"<html>", "text/html")), ROOT) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2010-01-01-2012-12-31", [("2010-01-01", "2012-12-31")]),
        ("2010/2012", [("2010", "2012")]),
        (["2010", "2012"], [("2010", "2012")]),
        ({"start": "2010", "end": None}, [("2010", None)]),
        ("", []),
        (7, []),
    ],
)
def test_periods_of_every_generation(raw: Any, expected: list[tuple[Any, Any]]) -> None:
    assert [(period["start"], period["end"]) for period in periods(raw)] == expected


def test_real_datasets_of_data_gouv_fr_are_all_accepted(shared: Path) -> None:
    source = Source("portal", "https://www.data.gouv.fr/")
    lost: Counter[str] = Counter()
    known: Counter[bool] = Counter()
    with gzip.open(
        shared / "corpus/udata/fr-datagouv-demo-20221202-datasets-406.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        for line in lines:
            found = udata.normalise(udata.record_of(json.loads(line)), source)
            lost.update(problem.code for problem in found.problems)
            known.update(term.uri is not None for _, term in found.terms())
    assert sum(lost.values()) < 5
    assert known[True] > 0.98 * known.total()


def test_normalise_refuses_what_is_no_object() -> None:
    with pytest.raises(RecordError):
        udata.normalise(Record("x", ["a"]), Source("portal", ROOT))


def normalised(**more: Any) -> Any:
    return udata.normalise(udata.record_of(dataset(1, **more)), Source("portal", ROOT)).plain()


@pytest.mark.parametrize(
    ("extras", "expected"),
    [
        (
            {
                "responsible-party": '[{"name": "DREAL", "roles": ["pointOfContact"]}]',
                "contact-email": "mailto:a@exemple.fr",
            },
            [{"name": {"": "DREAL"}, "email": "a@exemple.fr", "role": "pointOfContact"}],
        ),
        ({"responsible-party": "DREAL"}, [{"name": {"": "DREAL"}}]),
        (
            {"contact_name": "Mairie", "contact_uri": "https://exemple.fr/c"},
            [{"name": {"": "Mairie"}, "url": "https://exemple.fr/c"}],
        ),
        (
            {"responsible-party": [7, {"roles": "x"}, {"name": ["Y"], "roles": {"a": 1}}]},
            [{"name": {"": "7"}}, {"role": "x"}, {"name": {"": "Y"}}],
        ),
        (
            {"publisher_name": "OSM", "publisher_email": "mailto:o@exemple.org"},
            [{"name": {"": "OSM"}, "email": "o@exemple.org", "role": "publisher"}],
        ),
    ],
)
def test_contacts_of_older_harvesters(extras: Any, expected: list[Any]) -> None:
    assert normalised(extras=extras)["contact_point"] == expected


def test_a_party_of_a_harvested_list_has_its_role() -> None:
    found = normalised(extras={"responsible-party": '[{"name": "IGN", "roles": ["owner", "pointOfContact"]}]'})
    assert [one["target"]["name"] for one in found["qualified_attribution"]] == [{"": "IGN"}]
    assert [one["role"] for one in found["contact_point"]] == ["pointOfContact"]


@pytest.mark.parametrize("role", ["publisher", "creator", "rightsHolder", "custodian"])
def test_a_form_is_no_home_page_and_attributed_parties_can_be_reached(role: str) -> None:
    form = "https://exemple.fr/formulaire"
    found = normalised(contact_points=[{"name": "IGN", "email": "i@exemple.fr", "contact_form": form, "role": role}])
    assert found["contact_point"] == [{"name": {"": "IGN"}, "email": "i@exemple.fr", "url": form, "role": role}]
    assert "homepage" not in found["publisher"]
    assert all("homepage" not in one for one in found.get("creator", []))


@pytest.mark.parametrize(
    ("own", "extras", "code"),
    [
        ("unknown", {"frequency": "http://publications.europa.eu/resource/authority/frequency/IRREG"}, "IRREG"),
        ({"id": "unknown", "label": "Inconnue"}, {"freqMAJ": "Annuelle"}, "ANNUAL"),
        (None, {"frequency-of-update": "", "freqMAJ": "Annuelle"}, "ANNUAL"),
        ("daily", {"freqMAJ": "Annuelle"}, "DAILY"),
        ("unknown", {}, "UNKNOWN"),
    ],
)
def test_the_frequency_of_the_remote_portal_stands_in_for_an_unknown_one(own: Any, extras: Any, code: str) -> None:
    assert normalised(frequency=own, extras=extras)["accrual_periodicity"]["uri"].endswith(f"/{code}")


def test_what_extras_tell_of_places_dates_access_and_systems() -> None:
    found = normalised(
        extras={
            "territory": "La Rochelle",
            "spatial_uri": "http://publications.europa.eu/resource/authority/country/FRA",
            "bbox-west-long": "-1.5",
            "bbox-south-lat": "45.5",
            "bbox-east-long": "-1.0",
            "bbox-north-lat": "46.5",
            "dataset-reference-date": '[{"type": "creation", "value": "2012-12-05"}, {"type": "revision", '
            '"value": "2015-03-04"}, {"type": ["x"]}, 7]',
            "spatial-reference-system": "France métropolitaine - RGF93 / Lambert-93",
            "access_constraints": '["Directive 2007/2/CE (INSPIRE), Pas de restriction d\'accès public"]',
        }
    )
    places = [one["place"]["uri"].rpartition("/")[2] for one in found["spatial"] if "place" in one]
    assert places == ["FRA", "FRA_LRH"]
    assert found["spatial"][-1]["bbox"] == [-1.5, 45.5, -1.0, 46.5]
    assert (found["issued"], found["modified"]) == ("2012-12-05", "2015-03-04")
    assert found["conforms_to"][0]["uri"] == "http://www.opengis.net/def/crs/EPSG/0/2154"
    assert found["access_rights"]["uri"].endswith("/PUBLIC")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("EPSG:2154", "2154"),
        ("http://www.opengis.net/def/crs/EPSG/0/3857", "3857"),
        ("urn:ogc:def:crs:EPSG::4326", "4326"),
        ("RGF93 / CC48", "3948"),
        ("WGS 84", "4326"),
        ("WGS 84 / UTM zone 20N", None),
        ("WGS 84 / Pseudo-Mercator", "3857"),
        ("Système local", None),
    ],
)
def test_coordinate_systems_by_name_or_code(name: str, code: str | None) -> None:
    (found,) = normalised(extras={"spatial-reference-system": name})["conforms_to"]
    assert found.get("uri") == (f"http://www.opengis.net/def/crs/EPSG/0/{code}" if code else None)


def test_constraints_that_contradict_each_other_decide_nothing() -> None:
    extras = {"access_rights": "PUBLIC", "access_constraints": "RESTRICTED"}
    assert "access_rights" not in normalised(extras=extras)


def test_zones_of_the_portal_come_before_places_of_the_remote_one() -> None:
    found = normalised(spatial={"zones": ["fr:commune:17300"]}, extras={"territory": "La Rochelle"})
    assert len(found["spatial"]) == 1
