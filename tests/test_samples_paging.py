"""The fake CKAN and udata page, filter and refuse as the real software does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, ask

ACTION = "/api/3/action/"


def answer(portal: Portal, target: str, headers: Mapping[str, str] | None = None) -> Any:
    reply = ask(portal, target, headers)
    assert reply.status == 200, reply.body
    return reply.json()


# --- CKAN


def packages(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"id-{number:05}",
            "name": f"jeu-{count - number:05}",
            "title": f"Jeu {number}",
            "state": "active",
            "private": False,
            "metadata_modified": f"2026-01-{1 + number % 28:02}T10:00:00.000001",
            "organization": {"id": f"o{number % 3}", "name": f"org-{number % 3}", "title": f"Org {number % 3}"},
            "resources": [{"format": "CSV"}],
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def ckan() -> Portal:
    return ckan_portal(packages(1200), title="Portail", root="/data", site_url="https://ckan.example")


def search(portal: Portal, arguments: str = "") -> Any:
    return answer(portal, f"/data{ACTION}package_search?{arguments}")["result"]


@pytest.mark.parametrize(("arguments", "expected"), [("", 10), ("rows=300", 300), ("rows=5000", 1000), ("rows=0", 0)])
def test_ckan_lowers_rows_to_its_maximum_without_saying_so(ckan: Portal, arguments: str, expected: int) -> None:
    result = search(ckan, arguments)
    assert (result["count"], len(result["results"])) == (1200, expected)
    assert {"facets", "search_facets", "sort"} <= result.keys()


def test_a_ckan_walk_by_id_meets_every_package_once(ckan: Portal) -> None:
    found = [
        package["id"]
        for first in range(0, 1300, 100)
        for package in search(ckan, f"sort=id+asc&rows=100&start={first}")["results"]
    ]
    assert found == [f"id-{number:05}" for number in range(1200)]


def test_ckan_sorts_by_last_change_unless_told_otherwise(ckan: Portal) -> None:
    dates = [package["metadata_modified"] for package in search(ckan, "rows=1000")["results"]]
    assert dates == sorted(dates, reverse=True)


def test_ckan_filters_by_date_and_by_organisation(ckan: Portal) -> None:
    changed = search(ckan, "fq=metadata_modified:[2026-01-20T00:00:00Z TO *]&rows=1000")
    assert {package["metadata_modified"] >= "2026-01-20" for package in changed["results"]} == {True}
    assert 0 < changed["count"] < 1200
    assert search(ckan, "fq=organization:org-1")["count"] == 400
    assert search(ckan, "fq=-organization:org-1 res_format:CSV")["count"] == 800
    assert search(ckan, "fq=organization:unknown")["count"] == 0


@pytest.mark.parametrize(
    "arguments", ["limit=10", "sort=nothing+asc", "fq=metadata_modified:[2026-01-20T00:00:00 TO *]"]
)
def test_ckan_refuses_what_it_does_not_know(ckan: Portal, arguments: str) -> None:
    reply = ask(ckan, f"/data{ACTION}package_search?{arguments}")
    assert reply.status == 400
    assert reply.json()["success"] is False
    assert reply.json()["error"]["__type"] == "Search Query Error"


def test_ckan_answers_an_unknown_action_with_a_bare_string(ckan: Portal) -> None:
    reply = ask(ckan, f"/data{ACTION}package_serach")
    assert (reply.status, reply.json()) == (400, "Bad request: Action name not known: package_serach")


def test_ckan_knows_only_its_own_mount_point(ckan: Portal) -> None:
    reply = ask(ckan, f"{ACTION}package_search")
    assert (reply.status, reply.content_type) == (404, "text/html; charset=utf-8")


def test_ckan_hides_drafts_and_private_packages() -> None:
    hidden: list[dict[str, Any]] = [
        {"id": "a", "name": "a", "private": True},
        {"id": "b", "name": "b", "state": "deleted"},
    ]
    portal = ckan_portal([*hidden, {"id": "c", "name": "c"}], title="Portail")
    assert answer(portal, f"{ACTION}package_search")["result"]["count"] == 1
    shown = {key: ask(portal, f"{ACTION}package_show?id={key}") for key in "abcd"}
    assert {key: reply.status for key, reply in shown.items()} == {"a": 403, "b": 404, "c": 200, "d": 404}
    assert shown["d"].json()["error"]["__type"] == "Not Found Error"


def test_ckan_caps_its_lists(ckan: Portal) -> None:
    assert len(answer(ckan, f"/data{ACTION}package_list?limit=7&offset=3")["result"]) == 7
    many = [{"name": f"org-{number}", "title": f"{number:03}"} for number in range(60)]
    portal = ckan_portal(packages(9), title="Portail", organisations=many)
    assert len(answer(portal, f"{ACTION}organization_list")["result"]) == 60
    full = answer(portal, f"{ACTION}organization_list?all_fields=true&limit=50")["result"]
    assert (len(full), full[0]["package_count"]) == (25, 3)


def test_ckan_reports_who_it_is(ckan: Portal) -> None:
    status = answer(ckan, f"/data{ACTION}status_show")["result"]
    assert (status["site_title"], status["site_url"]) == ("Portail", "https://ckan.example")
    assert answer(ckan, "/data/api/3") == {"version": 3}


def test_a_dkan_shows_a_list_of_one_and_may_lack_the_search() -> None:
    portal = ckan_portal(packages(2), title="DKAN", show_as_list=True, disabled=["package_search"])
    assert len(answer(portal, f"{ACTION}package_show?id=id-00001")["result"]) == 1
    assert ask(portal, f"{ACTION}package_search").status == 400


# --- udata


def items(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{number:024x}",
            "slug": f"jeu-{number}",
            "title": f"Jeu {number}",
            "created_at": f"20{10 + number % 15}-01-01T00:00:00",
            "organization": {"id": f"{number % 2:024x}", "slug": f"org-{number % 2}", "name": "Organisation"},
            "resources": [{"id": f"r{number}", "url": "https://files.example/a.csv"}],
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def udata() -> Portal:
    return udata_portal(items(45), title="Portail")


def test_following_next_page_walks_all_of_udata(udata: Portal) -> None:
    target: str | None = "https://portail.example/api/1/datasets/?sort=created"
    found, sizes = [], []
    while target:
        page = answer(udata, target)
        sizes.append((page["page"], page["page_size"], len(page["data"]), page["total"]))
        found += [item["id"] for item in page["data"]]
        target = page["next_page"]
        assert target is None or target.startswith("https://portail.example/api/1/datasets/?sort=created&page=")
    assert sizes == [(1, 20, 20, 45), (2, 20, 20, 45), (3, 20, 5, 45)]
    assert len(set(found)) == 45


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("page=0", 400),
        ("page_size=-1", 400),
        ("page=x", 400),
        ("sort=colour", 400),
        ("organization=org-1", 400),
        ("archived=true", 401),
        ("page=4", 404),
        ("page_size=1000", 200),
        ("page_size=1001", 502),
    ],
)
def test_udata_refuses_what_it_cannot_page(udata: Portal, arguments: str, status: int) -> None:
    assert ask(udata, f"/api/1/datasets/?{arguments}").status == status


def test_udata_filters_by_the_identifier_of_an_organisation(udata: Portal) -> None:
    assert answer(udata, f"/api/1/datasets/?organization={1:024x}")["total"] == 22
    assert answer(udata, "/api/1/organizations/org-1/datasets/")["total"] == 22


def test_udata_honours_a_field_mask(udata: Portal) -> None:
    headers = {"X-Fields": "data{id,resources{url}},next_page,total"}
    page = answer(udata, "/api/1/datasets/?page_size=1&sort=created", headers)
    assert page["data"] == [{"id": "0" * 24, "resources": [{"url": "https://files.example/a.csv"}]}]
    assert page.keys() == {"data", "next_page", "total"}
    assert len(answer(udata, "/api/1/datasets/", {"X-Fields": "*"}).keys()) == 6
    assert ask(udata, "/api/1/datasets/", {"X-Fields": "data[id]"}).status == 400


def test_udata_keeps_tombstones() -> None:
    hidden: dict[str, dict[str, Any]] = {
        "private": {"private": True},
        "archived": {"archived": "2026-01-01"},
        "deleted": {"deleted": "2026"},
    }
    held = [{"id": key, "slug": f"slug-{key}", **marks} for key, marks in hidden.items()]
    portal = udata_portal([*held, {"id": "open", "slug": "slug-open"}], title="Portail")
    assert answer(portal, "/api/1/datasets/")["total"] == 1
    statuses = {key: ask(portal, f"/api/1/datasets/slug-{key}/").status for key in (*hidden, "open", "other")}
    assert statuses == {"private": 404, "archived": 200, "deleted": 410, "open": 200, "other": 404}
    assert ask(portal, "/api/1/datasets/deleted/").json() == {"message": "Dataset has been deleted"}


def test_the_search_of_udata_stops_at_its_window() -> None:
    portal = udata_portal([{"id": str(number), "resources": []} for number in range(10_050)], title="Grand")
    assert answer(portal, "/api/1/datasets/?page_size=1")["total"] == 10_050
    last = answer(portal, "/api/2/datasets/search/?page=100&page_size=100")
    assert (last["total"], len(last["data"]), last["next_page"]) == (10_000, 100, None)
    beyond = ask(portal, "/api/2/datasets/search/?page=101&page_size=100")
    assert beyond.status == 400
    assert beyond.json()["message"].startswith("Result window is too large: page 101")


def test_udata_v2_links_to_the_resources(udata: Portal) -> None:
    link = answer(udata, "/api/2/datasets/search/?page_size=1&sort=created")["data"][0]["resources"]
    assert (link["rel"], link["total"]) == ("subsection", 1)
    assert answer(udata, link["href"])["data"] == [{"id": "r0", "url": "https://files.example/a.csv"}]


def test_udata_redirects_to_the_address_with_a_slash(udata: Portal) -> None:
    reply = ask(udata, "http://portail.example/api/1/datasets?page=2")
    assert (reply.status, reply.headers["Location"]) == (308, "http://portail.example/api/1/datasets/?page=2")


@pytest.mark.parametrize("path", ["datasets/licenses/", "datasets/frequencies/", "organizations/", "site/"])
def test_udata_serves_its_reference_lists(udata: Portal, path: str) -> None:
    assert answer(udata, f"/api/1/{path}")
