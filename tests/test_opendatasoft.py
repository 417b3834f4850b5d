"""The Opendatasoft connector: walks beyond the window of 10,000, older APIs, and what it makes of payloads."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors import opendatasoft
from connectors.opendatasoft.apis import filters_of
from connectors.opendatasoft.windows import record_of
from harvester.connector import Page, Record, Source, Walk
from harvester.errors import Blocked, RecordError, SourceError, Unavailable
from harvester.http import Http
from harvester.identity import match_keys
from harvester.model import Dataset
from harvester.samples.faults import misbehaving
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport, json_reply
from harvester.settings import Settings

ROOT = "http://127.0.0.1"
FOLDER = Path(__file__).parent / "portals/opendatasoft"
PAIRS = sorted(path for path in FOLDER.glob("*.json") if ".expected" not in path.name)
SOURCE = Source("portal", "https://data.montrieux.example/")
START = datetime(2020, 1, 1, tzinfo=UTC)


def datasets(count: int, modified: Callable[[int], datetime | None]) -> list[dict[str, Any]]:
    return [dataset(number, modified(number)) for number in range(count)]


def dataset(number: int, modified: datetime | None) -> dict[str, Any]:
    stamp = modified.isoformat() if modified else None
    default = {
        "title": f"Jeu {number}",
        "modified": stamp,
        "metadata_processed": stamp,
        "theme": ["Eau"] * (number % 2),
    }
    return {"dataset_id": f"jeu-{number}", "visibility": "domain", "data_visible": True, "metas": {"default": default}}


def hourly(number: int) -> datetime | None:
    return START + timedelta(hours=number) if number % 10 else None


SMALL = datasets(330, hourly)


def client(portal: Portal) -> Http:
    settings = Settings(private_hosts=("127.0.0.1",))
    return Http(settings, transport=as_transport(portal), sleep=lambda seconds: None)


def walked(portal: Portal, url: str = ROOT, walk: Walk | None = None, **options: Any) -> list[Page]:
    source = Source("portal", url, opendatasoft.Options(**options))
    return list(opendatasoft.fetch(source, client(portal), walk or Walk()))


def guids(pages: list[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records]


def holding(items: list[dict[str, Any]], **more: Any) -> Portal:
    return opendatasoft_portal(items, title="P", **more)


def without_exports(portal: Portal) -> Portal:
    refusal = json_reply({"error_code": "InvalidExportFormat", "message": "Invalid export format."}, 400)
    return lambda request: refusal if "/exports" in request.path else portal(request)


def normalised(name: str) -> Dataset:
    payload = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return opendatasoft.normalise(record_of(payload), SOURCE)


def mixed(number: int) -> datetime | None:
    """A tenth without a date, a third on one instant, the others anywhere, several to the second."""
    if number % 10 == 0:
        return None
    return START if number % 3 == 0 else START + timedelta(seconds=Random(number).randrange(4000) / 2)


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_payloads_become_the_expected_datasets(path: Path) -> None:
    found = normalised(path.stem)
    expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
    assert json.loads(json.dumps(found.plain())) == expected["dataset"]
    assert [[problem.field, problem.code] for problem in found.problems] == expected["problems"]


def test_the_catalogue_is_at_the_public_address() -> None:
    [page, *_] = walked(holding(SMALL), public_url="https://data.montrieux.example/explore/")
    assert page.catalogue is not None
    assert page.catalogue["homepage"] == "https://data.montrieux.example/"


def test_a_walk_is_complete_beyond_the_window() -> None:
    pages = walked(without_exports(holding(datasets(11_000, mixed))))
    assert sorted(guids(pages)) == sorted(f"jeu-{number}" for number in range(11_000))
    assert {page.advertised for page in pages} == {11_000}


@pytest.mark.parametrize("modified", [lambda number: START, lambda number: None], ids=["one instant", "no dates"])
def test_more_datasets_of_one_date_than_a_window_holds_come_from_the_export(
    modified: Callable[[int], datetime | None],
) -> None:
    found = guids(walked(holding(datasets(10_300, modified))))
    assert len(found) == len(set(found)) == 10_300


def test_without_the_export_such_a_walk_fails_and_is_never_short() -> None:
    with pytest.raises(SourceError) as caught:
        walked(without_exports(holding(datasets(10_300, lambda number: START))))
    assert caught.value.code == "window"


def test_no_request_is_repeated_for_a_small_portal() -> None:
    assert len(guids(walked(holding(SMALL)))) == 330


@pytest.mark.parametrize("refused", ["where", "order_by"])
def test_a_portal_that_refuses_the_query_is_read_from_its_export(refused: str) -> None:
    portal = holding(SMALL)

    def strict(request: Request) -> Reply:
        return json_reply({"error_code": "ODSQLError"}, 400) if request.get(refused) else portal(request)

    assert sorted(guids(walked(strict))) == sorted(item["dataset_id"] for item in SMALL)


@pytest.mark.parametrize("ignored", ["where", "order_by"])
def test_a_portal_that_ignores_the_query_loses_nothing(ignored: str) -> None:
    shuffled = Random(7).sample(SMALL, len(SMALL))
    portal = holding(shuffled)
    found = guids(walked(lambda request: portal(request.without([ignored]))))
    assert sorted(found) == sorted(item["dataset_id"] for item in SMALL)


@pytest.mark.parametrize("odd", [b"9" * 400, b"NaN", b"-Infinity"])
def test_an_odd_number_in_an_export_costs_no_dataset(odd: bytes) -> None:
    portal = holding(SMALL)

    def odder(request: Request) -> Reply:
        if request.get("where"):
            return json_reply({"error_code": "ODSQLError"}, 400)
        reply = portal(request)
        if "/exports" not in request.path:
            return reply
        start = reply.body.index(b"{", len(reply.body) // 2)
        return Reply(200, reply.body[:start] + b'{"odd": ' + odd + b"}," + reply.body[start:], "application/json")

    assert len({guid for guid in guids(walked(odder)) if guid.startswith("jeu-")}) == 330


def test_an_export_wrapped_like_a_list_is_read_too() -> None:
    portal = holding(SMALL)

    def wrapped(request: Request) -> Reply:
        if request.get("where"):
            return json_reply({"error_code": "ODSQLError"}, 400)
        reply = portal(request)
        return json_reply({"total_count": 330, "results": reply.json()}) if "/exports" in request.path else reply

    assert len(set(guids(walked(wrapped)))) == 330


@pytest.mark.parametrize("position", [0, 2, 3])
def test_a_walk_resumes_from_any_cursor(position: int) -> None:
    pages = walked(holding(SMALL))
    cursor = pages[position].cursor
    rest = guids(walked(holding(SMALL), walk=Walk(cursor=cursor)))
    assert set(guids(pages[: position + 1])) | set(rest) == {item["dataset_id"] for item in SMALL}


@pytest.mark.parametrize("cursor", ["page-3", "2020-01-02T00:00:00+00:00", "w5-never", "export", "w1-9999-99-99"])
def test_a_cursor_of_another_kind_begins_at_the_start(cursor: str) -> None:
    assert len(set(guids(walked(holding(SMALL), walk=Walk(cursor=cursor))))) == 330


def test_a_resumed_walk_still_compares_what_came_with_what_is_counted() -> None:
    portal = holding(SMALL)

    def hiding(request: Request) -> Reply:
        reply = portal(request)
        if "/exports" in request.path or b'"results"' not in reply.body:
            return reply
        answer = reply.json()
        kept = [item for item in answer["results"] if item["dataset_id"] != "jeu-251"]
        return json_reply(answer | {"results": kept})

    pages = walked(hiding)
    assert "jeu-251" in guids(pages)
    for page in pages[:4]:
        assert "jeu-251" in guids(walked(hiding, walk=Walk(cursor=page.cursor))), page.cursor


def test_an_incremental_walk_brings_the_changes_and_the_undated() -> None:
    since = START + timedelta(hours=300)
    found = set(guids(walked(holding(SMALL), walk=Walk(since=since))))
    late = {f"jeu-{number}" for number in range(300, 330)}
    undated = {f"jeu-{number}" for number in range(0, 330, 10)}
    assert found == late | undated


@pytest.mark.parametrize("version", ["v2.1", "v2.0", "v1"])
def test_every_version_of_the_api_is_walked(version: str) -> None:
    portal = holding(SMALL, versions=(version,))
    found = guids(walked(portal))
    assert sorted(found) == sorted(item["dataset_id"] for item in SMALL)
    recognised = opendatasoft.recognise(client(portal), f"{ROOT}/explore/")
    assert recognised is not None
    assert (recognised.url, recognised.advertised, recognised.sample) == (f"{ROOT}/", 330, "Jeu 0")


def test_facets_of_url_and_options_filter() -> None:
    found = guids(walked(holding(SMALL), f"{ROOT}/explore/?refine.theme=Eau"))
    assert sorted(found) == sorted(f"jeu-{number}" for number in range(1, 330, 2))
    assert sorted(guids(walked(holding(SMALL), refine=('theme:"Eau"',)))) == sorted(found)
    assert guids(walked(holding(SMALL), f"{ROOT}/explore/dataset/jeu-7/information/")) == ["jeu-7"]


def test_old_apis_take_no_condition() -> None:
    with pytest.raises(SourceError):
        walked(holding(SMALL, versions=("v1",)), where="federated = false")


def test_filters_as_pages_and_apis_write_them() -> None:
    asked = filters_of('https://x.fr/explore/?q=eau&refine.theme=A "B"&sort=title&exclude=publisher:"C"')
    assert asked == [("where", 'search("eau")'), ("refine", 'theme:"A \\"B\\""'), ("exclude", 'publisher:"C"')]


@pytest.mark.parametrize(
    "fault",
    ["500-once", "503-first", "429-date", "hang-up", "html-once", "lying-total", "page-loop", "inserted", "removed"],
)
def test_passing_trouble_loses_nothing(fault: str) -> None:
    assert len(set(guids(walked(misbehaving(holding(SMALL), fault))))) == 330


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("403-wall", Blocked),
        ("html-always", Unavailable),
        ("truncated", Unavailable),
        ("empties-later", SourceError),
        ("success-false", SourceError),
        ("private-redirect", SourceError),
    ],
)
def test_lasting_trouble_is_never_a_complete_walk(fault: str, error: type[SourceError]) -> None:
    with pytest.raises(error):
        walked(misbehaving(holding(SMALL), fault))


def test_a_record_that_breaks_its_page_costs_one_record() -> None:
    items = datasets(330, lambda number: START + timedelta(hours=number))
    portal = holding(items)

    def broken(request: Request) -> Reply:
        reply = portal(request)
        heavy = "exports" not in request.path and b'"jeu-150"' in reply.body
        return Reply(500) if heavy else reply

    pages = walked(broken)
    assert len(set(guids(pages))) == 330
    assert {problem.code for page in pages for problem in page.problems} == {"unreadable-record"}


def test_another_portal_is_not_taken_for_one() -> None:
    assert opendatasoft.recognise(client(lambda request: json_reply({"results": "x"})), ROOT) is None
    assert opendatasoft.recognise(client(lambda request: Reply(200, b"<html>", "text/html")), ROOT) is None
    with pytest.raises(SourceError):
        walked(lambda request: Reply(404, b"404", "text/html"))


@pytest.mark.parametrize("item", [None, "x", {}, {"dataset_id": 7}, {"dataset": {"links": []}}])
def test_an_item_without_identifier_is_reported(item: Any) -> None:
    with pytest.raises(RecordError):
        record_of(item)


@pytest.mark.parametrize("number", [150, 330])
def test_items_without_identifier_are_told_once_each_however_often_they_are_shown(number: int) -> None:
    items = datasets(number, hourly)
    for place in (3, 99, number - 1):
        del items[place]["dataset_id"]
    pages = walked(holding(items))
    problems = [problem for page in pages for problem in page.problems]
    assert [problem.code for problem in problems] == ["no-identifier"] * 3
    assert len({problem.value for problem in problems}) == 3
    assert len(guids(pages)) == number - 3


def test_data_that_is_not_visible_has_no_exports() -> None:
    found = normalised("data-not-visible")
    assert [part.identifier for part in found.distribution] == ["triage_xlsx"]
    assert found.access_rights is not None
    assert found.access_rights.text == "RESTRICTED"
    assert found.rights


def test_a_federated_copy_shares_keys_with_its_original() -> None:
    original = opendatasoft.normalise(
        Record("continents", dataset(1, START) | {"dataset_id": "continents"}),
        Source("p", "https://public.opendatasoft.com"),
    )
    shared = set(match_keys(normalised("federated-copy"), SOURCE.url)) & set(
        match_keys(original, "https://public.opendatasoft.com")
    )
    assert "id:public.opendatasoft.com:continents" in shared


def test_a_shapefile_is_not_offered_beyond_fifty_thousand_records() -> None:
    assert "shp" not in {part.identifier for part in normalised("older-v1-flat").distribution}
    assert "shp" in {part.identifier for part in normalised("geographic-with-interop").distribution}


def test_normalise_refuses_what_is_no_object() -> None:
    with pytest.raises(RecordError):
        opendatasoft.normalise(Record("x", ["a"]), SOURCE)


def test_real_catalogues_are_all_accepted(shared: Path) -> None:
    folder = shared / "corpus/opendatasoft"
    accepted = 0
    for path in sorted(folder.glob("*.json")):
        answer = json.loads(path.read_text("utf-8"))
        for item in answer.get("results") or answer.get("datasets") or [answer]:
            if any(key in item for key in ("dataset", "dataset_id", "datasetid")):
                found = opendatasoft.normalise(record_of(item), SOURCE)
                accepted += bool(found.title and found.landing_page)
    assert accepted >= 38


def described(groups: dict[str, Any] | None = None, default: dict[str, Any] | None = None, **item: Any) -> Dataset:
    payload = {"dataset_id": "x", "visibility": "domain", "data_visible": True, **item}
    metas = {"default": {"title": "X", **(default or {})}, **(groups or {})}
    return opendatasoft.normalise(record_of(payload | {"metas": metas}), SOURCE)


def code_of(term: Any) -> str | None:
    return term.uri.rstrip("/").rpartition("/")[2] if term and term.uri else None


@pytest.mark.parametrize(
    ("territory", "references", "codes"),
    [
        (["Paris"], None, ["FRA_PAR"]),
        (["France"], ["world_fr"], ["FRA"]),
        (["Paris"], ["fr_80_75056"], ["75056"]),
        (["Paris"], ["fr_60_75"], ["75"]),
        (["Île-de-France"], ["fr_40_11"], ["11"]),
        ([], ["fr_40_11"], ["11"]),
        # The vendor's code and the name must agree, and the name must lie in the country of the code.
        (["Lyon"], ["fr_80_75056"], ["FRA_LIO"]),
        (["Paris"], ["us_60_48277"], [None]),
        (["Paris", "Lyon"], ["us_60_48277"], [None, None]),
        (["World"], ["world"], ["6295630"]),
        (["New South Wales"], ["au_40_1"], ["2155400"]),
        (["Bayern"], ["de_40_09"], ["DE2"]),
        (["Bayern"], ["fr_40_09"], [None]),
        (["Nulle part"], ["fr_9_zz"], [None]),
    ],
)
def test_territories_become_places_where_code_and_name_are_sure(
    territory: list[str], references: list[str] | None, codes: list[str | None]
) -> None:
    found = described(default={"territory": territory, "geographic_reference": references})
    assert [code_of(one.place) for one in found.spatial] == codes


@pytest.mark.parametrize("references", [[7], [None, {}], "fr_80_75056", {"fr": 1}, ["x" * 5000]])
def test_references_of_any_shape_are_survived(references: Any) -> None:
    found = described(default={"territory": ["Paris"], "geographic_reference": references})
    assert [one.name for one in found.spatial] == [{"": "Paris"}]


@pytest.mark.parametrize("group", ["dcat", "dcat_ap", "dcat_ap_ch", "dublin-core", "geodcat_ap"])
@pytest.mark.parametrize("spelling", ["camel", "snake"])
def test_names_of_dcat_are_read_in_every_group_and_spelling(group: str, spelling: str) -> None:
    told = {
        "landing_page": "https://exemple.fr/jeu",
        "documentation": "https://exemple.fr/notice.pdf, https://exemple.fr/methode",
        "version": "2.1",
        "version_notes": "Corrigé.",
        "in_series": "https://exemple.fr/serie",
        "other_identifier": "doi:10.1/x",
        "temporal_resolution": "P1D",
        "is_referenced_by": "https://doi.org/10.1/x",
        "conforms_to": "https://exemple.fr/schema",
        "has_version": "https://exemple.fr/v3",
        "is_part_of": "https://exemple.fr/tout",
        "access_rights": ["Open"],
        "accrual_periodicity": "annual",
        "provenance": "Relevé de terrain.",
        "temporal_start": "2020-01-01",
        "temporal_end": "2020-12-31",
        "issued": "2022-01-04T00:00:00+00:00",
        "contact_name": "Mairie",
        "contact_url": "https://exemple.fr/contact",
        "spatial": "France",
    }
    found = described({group: told if spelling == "snake" else {camel(key): value for key, value in told.items()}})
    assert found.problems == ()
    assert "https://exemple.fr/jeu" in found.landing_page
    assert set(found.page) == {"https://exemple.fr/notice.pdf", "https://exemple.fr/methode"}
    assert (found.version, found.temporal_resolution) == ("2.1", "P1D")
    assert [one.uri for one in (*found.in_series, *found.conforms_to, *found.has_version, *found.relation)] == [
        f"https://exemple.fr/{tail}" for tail in ("serie", "schema", "v3", "tout")
    ]
    assert "doi:10.1/x" in {one.notation for one in found.other_identifier}
    assert found.is_referenced_by == ("https://doi.org/10.1/x",)
    assert [code_of(term) for term in (found.access_rights, found.accrual_periodicity)] == ["PUBLIC", "ANNUAL"]
    assert (found.version_notes, found.provenance) == ({"": "Corrigé."}, {"": "Relevé de terrain."})
    plain = found.plain()
    assert plain["issued"].startswith("2022-01-04")
    assert plain["temporal"] == [{"start": "2020-01-01", "end": "2020-12-31"}]
    assert plain["contact_point"] == [{"name": {"": "Mairie"}, "url": "https://exemple.fr/contact"}]
    assert [code_of(one.place) for one in found.spatial] == ["FRA"]


def camel(key: str) -> str:
    head, *rest = key.split("_")
    return head + "".join(part.title() for part in rest)


@pytest.mark.parametrize(
    ("stated", "is_visible", "code", "kept"),
    [
        ("PUBLIC", False, "RESTRICTED", True),
        (["Shared"], False, "RESTRICTED", True),
        ("NON_PUBLIC", False, "NON_PUBLIC", False),
        ("Shared", True, "PUBLIC", True),
        ("RESTRICTED", True, "RESTRICTED", False),
    ],
)
def test_what_the_portal_does_counts_before_what_it_says(stated: Any, is_visible: bool, code: str, kept: bool) -> None:
    found = described({"dcat": {"accessRights": stated}}, data_visible=is_visible)
    said = stated if isinstance(stated, str) else stated[0]
    assert code_of(found.access_rights) == code
    assert any(said in text for text in found.rights.values()) is kept


def test_periods_are_read_from_one_text() -> None:
    found = described({"dcat": {"temporal": "2015/2020"}})
    assert [(str(one.start), str(one.end)) for one in found.temporal] == [("2015", "2020")]


def test_keywords_joined_by_semicolons_are_told_apart() -> None:
    found = described(default={"keyword": ["arbre;vert", "eau &amp; air", "a, b"]})
    assert sorted(found.keyword[""]) == ["a, b", "arbre", "eau & air", "vert"]


def test_the_licence_of_another_group_reaches_the_distributions() -> None:
    found = described({"dublin-core": {"license": "CC BY 4.0"}}, has_records=True)
    assert found.license is not None
    assert {part.license for part in found.distribution} == {found.license}
