"""The fake Opendatasoft portal and DCAT feed page, filter and refuse as the real ones do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from harvester.samples.portals.dcat import FORMATS, HYDRA, dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.serving import Portal, Reply, ask

ODS = "/api/explore/v2.1/catalog/"


def answer(portal: Portal, target: str, headers: Mapping[str, str] | None = None) -> Any:
    reply = ask(portal, target, headers)
    assert reply.status == 200, reply.body
    return reply.json()


# --- Opendatasoft


def ods_datasets(count: int) -> list[dict[str, Any]]:
    return [
        {
            "dataset_id": f"jeu-{number:05}",
            "has_records": True,
            "data_visible": number % 2 == 0,
            "features": ["geo"] if number % 2 else [],
            "attachments": [],
            "metas": {
                "default": {
                    "title": f"Jeu {number}",
                    "modified": None if number % 10 == 0 else f"2026-0{1 + number % 9}-01T00:00:00+00:00",
                    "publisher": f"Direction {number % 3}",
                    "keyword": ["eau"] if number % 2 else ["eau", "air"],
                    "records_count": number,
                }
            },
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def ods() -> Portal:
    return opendatasoft_portal(ods_datasets(10_100), title="Portail")


@pytest.mark.parametrize(
    ("arguments", "expected"), [("", 10), ("limit=100", 100), ("limit=-1", 100), ("limit=100&offset=9900", 100)]
)
def test_ods_pages_within_its_limits(ods: Portal, arguments: str, expected: int) -> None:
    page = answer(ods, f"{ODS}datasets?{arguments}")
    assert (page["total_count"], len(page["results"])) == (10_100, expected)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("limit=101", "InvalidRESTParameterError"),
        ("limit=-2", "InvalidRESTParameterError"),
        ("limit=many", "InvalidRESTParameterError"),
        ("limit=100&offset=9901", "InvalidRESTParameterError"),
        ("offset=10000", "InvalidRESTParameterError"),
        ("order_by=datetime", "ODSQLError"),
        ("where=datetime is null", "ODSQLError"),
        ("where=dataset_id > 'jeu'", "ODSQLError"),
        ("where=modified >= date'yesterday'", "ODSQLSyntaxError"),
        ("where=invalid_function()", "ODSQLSyntaxError"),
    ],
)
def test_ods_refuses_what_is_out_of_range_or_unknown(ods: Portal, arguments: str, code: str) -> None:
    reply = ask(ods, f"{ODS}datasets?{arguments}")
    assert (reply.status, reply.json()["error_code"]) == (400, code)


def test_ods_words_its_refusals_as_seen(ods: Portal) -> None:
    assert ask(ods, f"{ODS}datasets?limit=99999").json()["message"] == (
        "Invalid value for limit API parameter: 99999 was found but -1 <= limit <= 100 is expected."
    )
    assert ask(ods, f"{ODS}datasets?order_by=datetime").json()["message"] == (
        "ODSQL query is malformed: Unknown field: datetime. Clause(s) containing the error(s): order_by."
    )


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("modified >= date'2026-09-01'", 1010),
        ("modified < date'2026-02-01T00:00:00Z'", 1010),
        ("default.modified is null", 1010),
        ("modified is not null AND modified <= date'2026-01-01'", 1010),
        ("publisher = 'Direction 1' and records_count < 10", 3),
        ("modified > date'2027-01-01'", 0),
    ],
)
def test_ods_filters_by_odsql(ods: Portal, where: str, expected: int) -> None:
    assert answer(ods, f"{ODS}datasets?limit=1&where={where}")["total_count"] == expected


def test_ods_orders_with_the_undated_last(ods: Portal) -> None:
    for direction in ("asc", "desc"):
        found = answer(ods, f"{ODS}exports/json?order_by=modified {direction}")
        dates = [item["metas"]["default"]["modified"] for item in found]
        dated = [date for date in dates if date]
        assert dated == sorted(dated, reverse=direction == "desc")
        assert dates[len(dated) :] == [None] * 1010


def test_the_ods_export_has_no_window(ods: Portal) -> None:
    assert len(answer(ods, f"{ODS}exports/json")) == 10_100
    assert len(answer(ods, f"{ODS}exports/json?limit=20&offset=10090")) == 10
    assert ask(ods, f"{ODS}exports/telex").json()["error_code"] == "InvalidExportFormat"


def test_ods_says_which_data_may_be_read(ods: Portal) -> None:
    assert ask(ods, f"{ODS}datasets/jeu-00001/records").json()["error_code"] == "ForbiddenAccess"
    assert answer(ods, f"{ODS}datasets/jeu-00002/records")["total_count"] == 2
    missing = ask(ods, f"{ODS}datasets/jeu-x")
    assert (missing.status, missing.json()["message"]) == (404, "The requested dataset jeu-x does not exist.")
    offered = answer(ods, f"{ODS}datasets/jeu-00002/exports")["links"]
    assert "shp" not in {link["rel"] for link in offered}


def test_ods_sends_its_quota_with_every_answer(ods: Portal) -> None:
    for target in (f"{ODS}datasets", f"{ODS}datasets/jeu-x"):
        assert ask(ods, target).headers["X-RateLimit-Limit"] == "5000"


def test_ods_counts_facets_and_refines(ods: Portal) -> None:
    facets = answer(ods, f"{ODS}facets?facet=publisher")["facets"]
    counts = {value["name"]: value["count"] for value in facets[0]["facets"]}
    refined = answer(ods, f"{ODS}datasets?refine=publisher:Direction 1&limit=1")
    assert refined["total_count"] == counts["Direction 1"]


def test_the_older_apis_of_ods_show_the_same_datasets(ods: Portal) -> None:
    for prefix in ("/api/v2", "/api/explore/v2.0"):
        page = answer(ods, f"{prefix}/catalog/datasets?limit=2&offset=1")
        assert page["total_count"] == 10_100
        assert [one["dataset"]["dataset_id"] for one in page["datasets"]] == ["jeu-00001", "jeu-00002"]
    flat = answer(ods, "/api/datasets/1.0/search/?rows=2&start=1")
    assert flat["nhits"] == 10_100
    assert [one["metas"]["keyword"] for one in flat["datasets"]] == ["eau", ["eau", "air"]]
    assert len(answer(ods, "/api/datasets/1.0/search/?rows=-1")["datasets"]) == 10_100
    assert answer(ods, "/api/datasets/1.0/jeu-00007/")["datasetid"] == "jeu-00007"


def test_ods_serves_only_the_versions_it_has() -> None:
    old = opendatasoft_portal(ods_datasets(3), title="Ancien", versions=("v1",))
    assert ask(old, f"{ODS}datasets").status == 404
    assert answer(old, "/api/datasets/1.0/search/")["nhits"] == 3


# --- DCAT

BLOCK = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<https://feed.example/{0}> a dcat:Dataset ; dct:title "Jeu {0}"@fr ; dct:publisher [ dct:title "Agence" ] ;
  dct:relation <https://feed.example/other> . <https://feed.example/other> a dcat:Dataset .
"""


def feed(count: int = 7, **options: Any) -> Portal:
    return dcat_portal([BLOCK.format(number) for number in range(count)], title="Flux", page_size=3, **options)


def triples(reply: Reply, form: RdfFormat = RdfFormat.TURTLE) -> list[Any]:
    return list(parse(reply.body, form))


def values(reply: Reply, predicate: str) -> list[Any]:
    return [quad.object for quad in triples(reply) if quad.predicate.value == predicate]


def listed(reply: Reply) -> list[str]:
    return [node.value for node in values(reply, "http://www.w3.org/ns/dcat#dataset")]


@pytest.mark.parametrize(
    ("style", "predicate", "kind"), [("partial", "next", NamedNode), ("paged", "nextPage", Literal)]
)
def test_a_feed_is_walked_by_its_links_in_both_styles(style: str, predicate: str, kind: type) -> None:
    portal, target, found = feed(hydra=style), "http://feed.example/catalog.ttl", list[str]()
    for _ in range(3):
        reply = ask(portal, target)
        found += listed(reply)
        assert [node.value for node in values(reply, HYDRA + "totalItems")] == ["7"]
        following = values(reply, HYDRA + predicate)
        assert all(isinstance(node, kind) for node in following)
        target = following[0].value if following else ""
    assert target == ""
    assert found == [f"https://feed.example/{number}" for number in range(7)]


def test_a_single_file_has_no_paging() -> None:
    reply = ask(feed(hydra=""), "/catalog.ttl?page=2")
    assert len(listed(reply)) == 7
    assert HYDRA.encode() not in reply.body.replace(b"@prefix hydra: <" + HYDRA.encode(), b"")


@pytest.mark.parametrize("extension", sorted(FORMATS))
def test_a_feed_says_the_same_in_every_serialisation(extension: str) -> None:
    reply = ask(feed(), f"http://feed.example/catalog.{extension}")
    turtle = ask(feed(), f"http://feed.example/catalog.{extension}".replace(extension, "ttl"))
    assert reply.content_type == FORMATS[extension].content_type
    titles = [
        quad.object.value for quad in triples(reply, FORMATS[extension].format) if "title" in quad.predicate.value
    ]
    assert sorted(titles) == sorted(quad.object.value for quad in triples(turtle) if "title" in quad.predicate.value)


def test_a_feed_may_lie_about_its_type_its_total_and_its_pages() -> None:
    assert ask(feed(content_type="text/plain"), "/catalog.ttl").head() == {"Content-Type": "text/plain"}
    assert ask(feed(content_type=""), "/catalog.ttl").head() == {}
    assert values(ask(feed(total=99), "/catalog.ttl"), HYDRA + "totalItems")[0].value == "99"
    assert ask(feed(), "/catalog.ttl?page=0").status == 400
    assert listed(ask(feed(), "/catalog.ttl?page=9")) == []


def test_a_feed_is_found_from_its_home_page_and_by_negotiation() -> None:
    assert b'type="application/rdf+xml" href="/catalog.rdf"' in ask(feed(), "/").body
    reply = ask(feed(), "http://feed.example/catalog", {"Accept": "application/ld+json"})
    assert (reply.status, reply.headers["Location"]) == (302, "http://feed.example/catalog.jsonld")
    assert ask(feed(), "/catalogue.ttl").status == 404


def test_a_feed_repeats_itself_byte_for_byte() -> None:
    assert ask(feed(), "/catalog.ttl").body == ask(feed(), "/catalog.ttl").body
