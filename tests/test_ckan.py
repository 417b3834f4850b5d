"""The CKAN connector: its mapping against written fixtures, its walk against a portal with CKAN's own rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors import ckan
from connectors.ckan import keys
from connectors.ckan.dataset import licence_hints
from connectors.ckan.options import Options
from connectors.ckan.reading import decoded, flat, folded
from connectors.ckan.roots import candidates, root_of
from connectors.ckan.walk import Trail, make_record, wanted
from harvester.connector import Page, Record, Source, Walk
from harvester.errors import Blocked, RecordError, SourceError, Unavailable
from harvester.http import Http
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.serving import Portal, Reply, Request, as_transport, html_reply, json_reply
from harvester.settings import Settings

FIXTURES = Path(__file__).parent / "portals" / "ckan"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json") if not path.name.endswith(".expected.json"))
SOURCE = Source("s", "https://portal.example/data", ckan.Options())


def package(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"{number:08d}",
        "name": f"dataset-{number}",
        "title": f"Dataset {number}",
        "state": "active",
        "private": False,
        "type": "dataset",
        "metadata_modified": f"2024-01-{1 + number % 28:02d}T00:00:00.000000",
        "resources": [],
        **more,
    }


def http_to(portal: Portal) -> Http:
    return Http(Settings(private_hosts=("portal.example",)), transport=as_transport(portal), sleep=lambda _: None)


def walked(portal: Portal, url: str = "http://portal.example", walk: Walk | None = None, **options: Any) -> list[Page]:
    source = Source("s", url, ckan.Options(**options))
    return list(ckan.fetch(source, http_to(portal), walk or Walk()))


def guids(pages: list[Page]) -> list[str]:
    return [record.guid for page in pages for record in page.records if not record.deleted]


def normalised(payload: Any, url: str = SOURCE.url) -> dict[str, Any]:
    dataset = ckan.normalise(Record("g", payload), Source("s", url, ckan.Options()))
    return dataset.plain() | {"problems": [f"{problem.field}: {problem.code}" for problem in dataset.problems]}


@pytest.mark.parametrize("name", NAMES)
def test_payload_becomes_the_expected_dataset(name: str) -> None:
    payload = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    expected = json.loads((FIXTURES / f"{name}.expected.json").read_text("utf-8"))
    assert normalised(payload) == expected


def test_there_are_fixtures() -> None:
    assert len(NAMES) >= 8


def test_normalise_does_not_touch_the_payload() -> None:
    payload = json.loads((FIXTURES / "dcat_extras.json").read_text("utf-8"))
    before = json.dumps(payload)
    normalised(payload)
    assert json.dumps(payload) == before


@pytest.mark.parametrize("extras", ["list", "dict", "prefixed", "top", "dcat_"])
def test_a_custom_field_is_found_wherever_it_stands(extras: str) -> None:
    shapes: dict[str, dict[str, Any]] = {
        "list": {"extras": [{"key": "issued", "value": "2019-05-01"}]},
        "dict": {"extras": {"issued": "2019-05-01"}},
        "prefixed": {"extras_issued": "2019-05-01"},
        "top": {"issued": "2019-05-01"},
        "dcat_": {"extras": [{"key": "dcat_issued", "value": "2019-05-01"}]},
    }
    assert normalised(package(1) | shapes[extras])["issued"] == "2019-05-01"


def test_top_level_wins_over_extras() -> None:
    both = package(1, issued="2020-01-01", extras=[{"key": "issued", "value": "1999-01-01"}])
    assert normalised(both)["issued"] == "2020-01-01"
    assert normalised(both | {"issued": ""})["issued"] == "1999-01-01"


def test_an_unreadable_explicit_date_gives_way_to_the_record_date() -> None:
    found = normalised(package(1, issued="soon", metadata_created="2020-01-01T10:00:00.5"))
    assert found["issued"] == "2020-01-01T10:00:00.5Z"


@pytest.mark.parametrize(
    ("digest", "algorithm"),
    [("0" * 32, "md5"), ("0" * 40, "sha1"), ("0" * 64, "sha256"), (f"sha256:{'0' * 64}", "sha256"), ("0" * 33, None)],
)
def test_the_length_of_a_digest_tells_its_algorithm(digest: str, algorithm: str | None) -> None:
    checksum = normalised(package(1, resources=[{"url": "https://a.example/a.csv", "hash": digest}]))["distribution"][0]
    assert checksum["checksum"].get("algorithm", {}).get("text") == algorithm
    assert checksum["checksum"]["value"] == digest.removeprefix("sha256:")


def test_licence_of_the_package_goes_to_resources_without_one() -> None:
    own = {"url": "https://a.example/b.csv", "license": "http://creativecommons.org/licenses/by/3.0/"}
    found = normalised(package(1, license_id="cc-zero", resources=[{"url": "https://a.example/a.csv"}, own]))
    assert [each["license"]["text"] for each in found["distribution"]] == ["cc-zero", own["license"]]


def test_licence_not_specified_is_no_licence() -> None:
    found = normalised(package(1, license_id="notspecified", license_title="License not specified"))
    assert "license" not in found


def test_pages_of_the_producer_come_before_the_page_of_the_portal() -> None:
    found = normalised(
        package(1, url="https://producer.example/x"), "https://portal.example/data/api/3/action/package_search"
    )
    assert found["landing_page"] == ["https://producer.example/x", "https://portal.example/data/dataset/dataset-1"]


def test_a_page_on_the_portal_itself_is_the_only_one() -> None:
    found = normalised(package(1, url="https://portal.example/explorer/x"))
    assert found["landing_page"] == ["https://portal.example/explorer/x"]


def test_periods_of_files_cover_the_dataset() -> None:
    dated = [
        {"url": f"https://a.example/{y}.csv", "period_start": f"{y}-01-01", "period_end": f"{y}-12-31"}
        for y in (2017, 2016)
    ]
    assert normalised(package(1, resources=dated))["temporal"] == [{"start": "2016-01-01", "end": "2017-12-31"}]


def test_a_label_of_a_blank_node_is_never_a_value() -> None:
    assert "type" not in normalised(package(1, dcat_type="n1049372e768c4429a6b2200c22f5f1a4b7"))


def test_series_are_told_from_datasets() -> None:
    assert normalised(package(1, type="dataset_series"))["kind"] == "series"


def extras(**said: Any) -> list[dict[str, Any]]:
    return [{"key": key.replace("_", "-"), "value": value} for key, value in said.items()]


def distributions(*resources: dict[str, Any]) -> list[dict[str, Any]]:
    return list(normalised(package(1, resources=list(resources)))["distribution"])


FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"


def test_a_licence_is_told_by_its_address_before_its_title() -> None:
    vague = {"license_title": "Creative Commons Attribution", "license_id": "cc-by"}
    found = normalised(package(1, **vague, license_url="http://creativecommons.org/licenses/by/3.0/au/"))
    assert licence_hints(flat({**vague, "license_url": "https://l.example"})) == [
        "Creative Commons Attribution",
        "cc-by",
        "https://l.example",
    ]
    assert found["license"]["text"] == "Creative Commons Attribution"


@pytest.mark.parametrize(
    ("unit", "metres"), [("km", 10_000), ("m", 10), ("urn:ogc:def:uom:EPSG::9001", 10), ("kilometres", 10_000)]
)
def test_a_resolution_has_the_unit_of_another_key(unit: str, metres: int) -> None:
    found = normalised(package(1, extras=extras(spatial_resolution="10", spatial_resolution_units=unit)))
    assert found["spatial_resolution_in_meters"] == metres


def test_only_the_dates_of_metadata_are_in_utc() -> None:
    dated = {"created": "2016-03-21T12:26:36", "last_modified": "2016-03-21T12:26:36"}
    (found,) = distributions({"url": "https://a.example/a.csv", **dated})
    assert (found["issued"], found["modified"]) == ("2016-03-21T12:26:36", "2016-03-21T12:26:36")
    (found,) = distributions({"url": "https://a.example/a.csv", "metadata_modified": "2016-03-21T01:26:36"})
    assert found["modified"] == "2016-03-21T01:26:36Z"


@pytest.mark.parametrize("word", ["jurisdiction", "regionale", "Nationale"])
def test_how_large_an_area_is_does_not_name_a_place(word: str) -> None:
    assert "spatial" not in normalised(package(1, geocover=word))


@pytest.mark.parametrize("key", ["spatial", "spatial_coverage", "bbox"])
@pytest.mark.parametrize("said", ["[[43.0, 2.0], [44.0, 3.0]]", [[43.0, 2.0], [44.0, 3.0]]])
def test_two_corners_are_a_box(key: str, said: Any) -> None:
    assert normalised(package(1, **{key: said}))["spatial"] == [{"bbox": [2.0, 43.0, 3.0, 44.0]}]


def test_an_access_service_keeps_what_it_says() -> None:
    service = {
        "title": "WFS",
        "endpoint_url": ["https://a.example/wfs"],
        "hvd_category": ["http://data.europa.eu/bna/c_ac64a52d"],
        "applicable_legislation": ["http://data.europa.eu/eli/reg_impl/2023/138/oj"],
        "conforms_to": ["http://www.opengis.net/def/serviceType/ogc/wfs"],
        "format": ["WFS"],
        "rights": "R",
        "contact": [{"name": "C", "email": "c@a.example"}],
        "publisher": [{"name": "P"}],
        "keyword": ["k"],
        "theme": ["http://publications.europa.eu/resource/authority/data-theme/ENVI"],
        "landing_page": "https://a.example/page",
        "documentation": ["https://a.example/doc"],
        "language": ["fr"],
    }
    (found,) = distributions({"url": "https://a.example/x", "access_services": json.dumps([service])})
    (kept,) = found["access_service"]
    assert kept["contact_point"] == [{"name": {"": "C"}, "email": "c@a.example"}]
    assert kept["publisher"] == {"name": {"": "P"}}
    assert kept["page"] == ["https://a.example/doc"]
    assert kept["format"] == [{"text": "WFS", "uri": f"{FILE_TYPE}WFS_SRVC"}]
    said = ("hvd_category", "applicable_legislation", "conforms_to", "rights", "keyword", "theme", "language")
    assert all(kept[field] for field in (*said, "landing_page"))


def test_responsible_parties_keep_their_names() -> None:
    parties = [
        {"name": "A", "roles": ["owner", "pointOfContact"]},
        {"name": "B", "roles": ["author"]},
        {"name": "C", "roles": ["publisher"]},
    ]
    said = extras(responsible_party=json.dumps(parties), contact_email="a@a.example")
    found = normalised(package(1, organization={"title": "O"}, extras=said))
    assert found["publisher"] == {"name": {"": "O"}}
    assert found["creator"] == [{"name": {"": "B"}}]
    assert found["contact_point"] == [
        {"name": {"": "A"}, "email": "a@a.example", "role": "pointOfContact"},
        {"name": {"": "C"}, "role": "publisher"},
    ]
    assert normalised(package(1, extras=said))["publisher"] == {"name": {"": "A"}}


def test_keys_of_the_swiss_portal() -> None:
    found = normalised(
        package(
            1,
            temporals=[{"start_date": "2010-01-01", "end_date": "2012-12-31"}],
            relations=[{"url": "https://a.example/r", "label": {"fr": "Lien"}}],
            see_alsos=[{"dataset_identifier": "8@office"}],
            qualified_relations=[{"relation": "https://a.example/q", "had_role": "https://a.example/role"}],
        )
    )
    assert found["temporal"] == [{"start": "2010-01-01", "end": "2012-12-31"}]
    assert found["relation"] == [{"uri": "https://a.example/r", "name": {"fr": "Lien"}}, {"name": {"": "8@office"}}]
    assert found["qualified_relation"] == [{"target": {"uri": "https://a.example/q"}, "role": "https://a.example/role"}]


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ({"url": "https://a.example/ows", "resource_locator_protocol": "OGC:WFS"}, "WFS_SRVC"),
        ({"url": "https://a.example/ows?SERVICE=WMS&request=GetCapabilities"}, "WMS_SRVC"),
        ({"url": "https://a.example/arcgis/rest/services/A/FeatureServer/0"}, "REST"),
        ({"url": "https://a.example/arcgis/rest/services/A/MapServer"}, "MAP_SRVC"),
    ],
)
def test_a_service_without_a_format_is_told_by_protocol_or_address(resource: dict[str, Any], code: str) -> None:
    (found,) = distributions({"format": "", **resource})
    assert found["format"]["uri"] == FILE_TYPE + code
    assert found["access_service"][0]["format"][0]["uri"] == FILE_TYPE + code


def test_what_is_in_a_package_is_told_by_the_address() -> None:
    (found,) = distributions({"url": "https://a.example/a.shp.zip", "format": "ZIP"})
    assert found["format"]["uri"] == f"{FILE_TYPE}SHP"
    assert found["package_format"]["uri"].endswith("/application/zip")


@pytest.mark.parametrize(
    ("word", "mime", "text"),
    [
        ("SHP", "application/zip", "https://www.iana.org/assignments/media-types/application/vnd.shp"),
        ("CSV", "application/octet-stream", "https://www.iana.org/assignments/media-types/text/csv"),
        ("XML", "text/xml", "text/xml"),
    ],
)
def test_a_media_type_has_no_words_for_another(word: str, mime: str, text: str) -> None:
    (found,) = distributions({"url": "https://a.example/x", "format": word, "mimetype": mime})
    assert found["media_type"]["text"] == text
    assert found["media_type"]["uri"].endswith(text.removeprefix("https://www.iana.org/assignments/media-types/"))


def test_words_for_the_page_of_the_producer_are_reported_and_kept() -> None:
    found = normalised(package(1, url="Ifes/PROAD"))
    assert found["source"] == [{"name": {"": "Ifes/PROAD"}}]
    assert found["problems"] == ["landing_page: bad-url"]


@pytest.mark.parametrize("broken", ["http://[::1", "http://[x"])
def test_a_broken_host_is_reported(broken: str) -> None:
    assert "landing_page: bad-url" in normalised(package(1, url=broken))["problems"]


def test_quality_goes_with_the_lineage() -> None:
    assert normalised(package(1, lineage="L", accuracy="5 m", data_quality="Q"))["provenance"] == {"": "L\n5 m\nQ"}


def test_an_archive_stands_for_an_empty_address() -> None:
    (found,) = distributions({"url": "", "dwca_url": "https://a.example/archive.do?r=x", "format": "DWC_ARCHIVE"})
    assert found["access_url"] == ["https://a.example/archive.do?r=x"]


def test_the_name_of_a_contact_comes_before_the_text_that_holds_it() -> None:
    said = {"administrative_contact": "A. Name - dr. - a@a.example - +32 1", "administrative_contact_name": "A. Name"}
    assert normalised(package(1, **said))["contact_point"] == [{"name": {"": "A. Name"}, "email": "a@a.example"}]


def test_a_series_of_iso_has_no_type_besides() -> None:
    found = normalised(package(1, extras=extras(resource_type="series")))
    assert (found["kind"], found.get("type")) == ("series", None)


def test_what_is_no_package_is_a_record_error() -> None:
    with pytest.raises(RecordError) as error:
        ckan.normalise(Record("g", ["x"]), SOURCE)
    assert error.value.code == "not-an-object"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(
        [
            "[",
            "{",
            "[1]",
            '{"a": [null]}',
            "https://a.example/ü?x=[1]",
            "http://[",
            "2020-01-01/2021",
            "POLYGON((0 0))",
            "a@b.example",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "key",
                    "value",
                    "name",
                    "url",
                    "title",
                    "start",
                    "bbox",
                    "type",
                    "coordinates",
                    "roles",
                    "format",
                    "@id",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
CORE = ("title", "notes", "name", "url", "organization", "author", "maintainer", "spatial", "bbox", "responsible-party")
LATER = (
    "extras",
    "contact",
    "creator",
    "qualified_relation",
    "qualified_attribution",
    "relationships_as_subject",
    "sample",
)


def named_in(*tables: Any) -> Iterator[str]:
    """Every key that the tables name, however nested."""
    for table in tables:
        yield from (
            (table,) if isinstance(table, str) else named_in(*(table.values() if isinstance(table, dict) else table))
        )


KEYS = st.sampled_from(
    [*CORE, *LATER, *named_in(keys.LONE, keys.MANY, keys.POINTED, keys.THEMES, keys.PLACES, keys.PERIODS)]
)
FILE = (
    "url",
    "name",
    "format",
    "mimetype",
    "hash",
    "created",
    "schema",
    "access_services",
    "datastore_active",
    "language",
)
FILE_TABLES = (keys.RESOURCE_LONE, keys.RESOURCE_SERVICES, keys.RESOURCE_LICENCE, keys.RESOURCE_PAGES)
RESOURCE_KEYS = st.sampled_from([*FILE, *named_in(*FILE_TABLES)])


@given(st.dictionaries(KEYS, JSON, max_size=8), st.lists(st.dictionaries(RESOURCE_KEYS, JSON, max_size=6), max_size=2))
def test_no_shape_of_payload_breaks_the_mapping(payload: dict[str, Any], resources: list[Any]) -> None:
    named = {"id": "x", "title": "T", "resources": resources, **payload}
    with suppress(RecordError):
        ckan.normalise(Record("g", named), SOURCE)


@given(JSON)
def test_records_are_made_or_refused(item: Any) -> None:
    with suppress(RecordError):
        assert make_record(item).guid


def test_keys_are_folded_and_json_texts_decoded() -> None:
    assert folded("Frequência de Atualização") == "frequencia_de_atualizacao"
    assert folded("dcat_type") == "dcat_type"
    assert flat({"a": None, "b": " ", "c": "x", "extras": [{"key": "C-d", "value": "y"}]}) == {"c": "x", "c_d": "y"}
    assert decoded("[{&quot;a&quot;: 1}]") == [{"a": 1}]
    assert decoded("[not json") == "[not json"


@pytest.mark.parametrize(
    ("package_", "kept"),
    [
        ({"state": "active"}, True),
        ({}, True),
        ({"state": "draft"}, False),
        ({"state": "deleted"}, False),
        ({"state": "active", "private": True}, False),
        ({"state": "Active", "private": True, "type": "Dataset"}, True),
        ({"state": "active", "type": "harvest"}, False),
        ({"state": "active", "type": "showcase"}, False),
        ({"state": "active", "type": "geodataset"}, True),
        ({"state": ["x"], "type": ["y"]}, True),
    ],
)
def test_only_public_datasets_in_use_are_wanted(package_: dict[str, Any], kept: bool) -> None:
    assert wanted(package_) is kept


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://p.example", "https://p.example"),
        ("https://p.example/", "https://p.example"),
        ("p.example/dataset/", "https://p.example"),
        ("https://p.example/dataset/foo?x=1", "https://p.example"),
        ("https://p.example/fr/dataset", "https://p.example"),
        ("https://p.example/pt_BR/", "https://p.example"),
        ("https://p.example/data", "https://p.example/data"),
        ("https://p.example/data/dataset/foo", "https://p.example/data"),
        ("https://p.example/data/api/3/action/package_search?q=x", "https://p.example/data"),
        ("https://p.example/api/3", "https://p.example"),
        ("https://p.example//api/3/action/", "https://p.example"),
        ("https://p.example/fr/indexer/service/ckan", "https://p.example/fr/indexer/service/ckan"),
        ("https://p.example/fr/indexer/service/ckan/", "https://p.example/fr/indexer/service/ckan"),
        ("https://p.example:8080/catalog.ttl", "https://p.example:8080"),
    ],
)
def test_the_likeliest_root(url: str, root: str) -> None:
    assert root_of(url) == root


def test_roots_above_and_beside_are_tried_too() -> None:
    tried = candidates("https://p.example/portal/fr/dataset/x")
    assert tried[:4] == (
        "https://p.example/portal",
        "https://p.example/portal/fr",
        "https://p.example",
        "https://p.example/data",
    )
    assert candidates("http://[") == candidates("ftp://p.example") == candidates("") == ()


@pytest.mark.parametrize("root", ["", "/data", "/fr/indexer/service/ckan"])
@pytest.mark.parametrize("behind", ["", "/", "/dataset/dataset-3", "/api/3/action/package_search"])
def test_the_api_is_found_from_any_address(root: str, behind: str) -> None:
    portal = ckan_portal([package(n) for n in range(7)], title="P", root=root)
    assert len(guids(walked(portal, f"http://portal.example{root}{behind}"))) == 7


def test_every_dataset_is_walked_once_in_the_order_of_ids() -> None:
    pages = walked(ckan_portal([package(n) for n in range(620)], title="P"))
    assert guids(pages) == [f"{n:08d}" for n in range(620)]
    assert {page.advertised for page in pages} == {620}


def capped(portal: Portal, most: int) -> Portal:
    def answer(request: Request) -> Reply:
        rows = request.get("rows")
        return portal(request.asking(rows=min(int(rows), most)) if rows else request)

    return answer


def test_a_silent_cap_loses_nothing() -> None:
    assert len(guids(walked(capped(ckan_portal([package(n) for n in range(230)], title="P"), 30)))) == 230


def test_what_is_no_public_dataset_is_dropped_and_counts_for_the_portal_s_total() -> None:
    packages = [package(1), package(2, type="harvest"), package(3, type="showcase"), package(4)]
    pages = walked(ckan_portal(packages, title="P"))
    assert guids(pages) == ["00000001", "00000004"]
    assert pages[-1].advertised == 4
    assert sum(record.deleted for page in pages for record in page.records) == 2


def test_a_walk_resumes_after_its_cursor_with_the_same_total() -> None:
    packages = [package(n, type="harvest" if n < 3 else "dataset") for n in range(30)]
    first, *rest = walked(ckan_portal(packages, title="P"), page_size=10)
    resumed = walked(ckan_portal(packages, title="P"), walk=Walk(cursor=first.cursor), page_size=10)
    assert [page.records for page in resumed] == [page.records for page in rest]
    assert resumed[-1].advertised == 30


def test_since_asks_for_what_changed() -> None:
    packages = [package(n) for n in range(28)]
    pages = walked(ckan_portal(packages, title="P"), walk=Walk(since=datetime(2024, 1, 20, tzinfo=UTC)))
    assert guids(pages) == [f"{n:08d}" for n in range(19, 28)]


def test_options_become_one_filter_query() -> None:
    options = ckan.Options(organizations=("a", 'b"'), groups=("g",), fq="-tags:x")
    since = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert options.clauses(since) == (
        '+organization:("a" OR "b") +groups:"g" -tags:x +metadata_modified:[2024-01-01T12:00:00Z TO *]'
    )
    assert ckan.Options().clauses(None) == ""


def test_one_organisation() -> None:
    packages = [package(n, organization={"name": "a" if n % 2 else "b"}) for n in range(10)]
    assert len(guids(walked(ckan_portal(packages, title="P"), organizations=("a",)))) == 5


def test_without_search_the_current_list_is_walked() -> None:
    portal = ckan_portal([package(n) for n in range(12)], title="P", disabled=["package_search"])
    assert sorted(guids(walked(portal))) == [f"{n:08d}" for n in range(12)]


def test_filters_without_a_search_are_refused() -> None:
    portal = ckan_portal([package(1)], title="P", disabled=["package_search"])
    with pytest.raises(SourceError) as error:
        walked(portal, groups=("g",))
    assert error.value.code == "no-search"


def test_an_organisation_that_does_not_exist_is_no_empty_catalogue() -> None:
    portal = ckan_portal([package(1, organization={"name": "a"})], title="P")
    with pytest.raises(SourceError) as error:
        walked(portal, organizations=("b",))
    assert error.value.code == "unknown-organization"


def test_an_organisation_without_datasets_is_empty() -> None:
    portal = ckan_portal([package(1)], title="P", organisations=[{"id": "1", "name": "a", "title": "A"}])
    assert guids(walked(portal, organizations=("a",))) == []


def test_one_bad_moment_does_not_end_a_walk() -> None:
    portal = ckan_portal([package(n) for n in range(5)], title="P")
    moments = iter(range(100))

    def flaky(request: Request) -> Reply:
        return html_reply("busy", 503) if next(moments) < 2 else portal(request)

    assert len(guids(walked(flaky))) == 5


def test_actions_behind_a_gateway() -> None:
    portal = ckan_portal([package(n) for n in range(5)], title="P", root="/technology/v3")
    behind = lambda request: portal(replace(request, path=request.path.replace("/v3/action", "/v3/api/3/action")))  # noqa: E731
    assert len(guids(walked(behind, "http://portal.example/technology/v3/action/"))) == 5
    assert root_of("http://portal.example/technology/v3/action/") == ""


def hidden(portal: Portal, *actions: str) -> Portal:
    """Some actions answered with the 404 page of the theme, as a front server does that closes them."""
    return lambda request: html_reply("404 page not found") if request.path.endswith(actions) else portal(request)


@pytest.mark.parametrize("as_list", [False, True])
def test_without_any_list_of_datasets_each_name_is_shown(as_list: bool) -> None:
    portal = ckan_portal([package(n) for n in range(60)], title="P", show_as_list=as_list)
    pages = walked(hidden(portal, "package_search", "current_package_list_with_resources"))
    assert len(guids(pages)) == 60
    assert pages[-1].advertised == 60


def test_a_name_that_shows_nothing_is_a_deleted_dataset() -> None:
    portal = ckan_portal([package(n) for n in range(3)], title="P")

    def ghostly(request: Request) -> Reply:
        if request.path.endswith("package_list"):
            return json_reply({"success": True, "result": ["dataset-0", "ghost", "dataset-2"]})
        return hidden(portal, "package_search", "current_package_list_with_resources")(request)

    pages = walked(ghostly)
    assert guids(pages) == ["00000000", "00000002"]
    assert pages[-1].advertised == 3
    assert not pages[-1].problems


def answering(reply: Reply, count: int = 40) -> Portal:
    """A CKAN that is found, then answers every page with `reply`."""
    portal = ckan_portal([package(n) for n in range(count)], title="P")
    return lambda request: reply if request.get("rows") not in ("", "0") else portal(request)


FAULTS: dict[str, tuple[Reply, type[SourceError]]] = {
    "success false": (
        json_reply({"success": False, "error": {"__type": "Search Query Error", "message": "Requête invalide"}}),
        SourceError,
    ),
    "refused in words": (
        json_reply({"success": False, "error": {"__type": "Authorization Error", "message": "Acceso denegado"}}, 200),
        Blocked,
    ),
    "index down": (
        json_reply({"success": False, "error": {"__type": "Search Error", "message": "x"}}, 409),
        Unavailable,
    ),
    "bare string": (json_reply("Bad request: Action name not known: package_search", 400), SourceError),
    "string with 200": (json_reply("Something went wrong"), SourceError),
    "page of HTML": (html_reply("Maintenance", 200), Unavailable),
    "no result": (json_reply({"help": "x"}), Unavailable),
    "empty object": (json_reply({"success": True, "result": {}}), Unavailable),
    "no list": (json_reply({"success": True, "result": {"count": 40, "results": None}}), Unavailable),
    "cut": (Reply(200, b'{"success": true, "result": {"count": 40, "results": [{"id": "1"'), Unavailable),
    "error of a theme": (html_reply("500", 500), Unavailable),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_faulty_answer_is_never_an_empty_catalogue(fault: str) -> None:
    reply, kind = FAULTS[fault]
    with pytest.raises(SourceError) as error:
        walked(answering(reply))
    assert isinstance(error.value, kind)
    assert error.value.url


def test_the_type_of_an_error_is_its_code() -> None:
    with pytest.raises(SourceError) as error:
        walked(answering(FAULTS["success false"][0]))
    assert error.value.code == "ckan-search-query-error"
    assert "Requête invalide" in error.value.message


def cutting(portal: Portal, most: int) -> Portal:
    """Bodies above a size come cut, as from portals that send 1.5 MB at most."""

    def answer(request: Request) -> Reply:
        reply = portal(request)
        return Reply(reply.status, reply.body[:most], reply.content_type)

    return answer


def test_pages_that_come_cut_are_asked_for_in_smaller_pieces() -> None:
    pages = walked(cutting(ckan_portal([package(n) for n in range(120)], title="P"), 9_000))
    assert len(guids(pages)) == 120


def test_one_dataset_that_breaks_its_page_is_reported_alone() -> None:
    portal = ckan_portal([package(n) for n in range(25)], title="P")

    def broken(request: Request) -> Reply:
        reply = portal(request)
        return html_reply("500 Missing is not JSON serializable", 500) if b'"Dataset 13"' in reply.body else reply

    pages = walked(broken, page_size=10)
    assert len(guids(pages)) == 24
    assert [error.code for page in pages for error in page.problems] == ["unreadable-record"]


def test_items_that_are_no_packages_are_reported() -> None:
    items = [package(1), None, "x", {"title": "without id"}]
    pages = walked(answering(json_reply({"success": True, "result": {"count": 4, "results": items}})), page_size=10)
    assert guids(pages) == ["00000001"]
    assert [error.code for error in pages[0].problems] == ["not-an-object", "not-an-object", "no-guid"]


@pytest.mark.parametrize(
    ("portal", "code"),
    [
        (lambda request: html_reply("404"), "not-ckan"),
        (lambda request: json_reply({"message": "not found"}, 404), "not-ckan"),
        (lambda request: html_reply("Attention Required", 403), "blocked"),
        (lambda request: html_reply("down", 503), "http-503"),
    ],
)
def test_where_there_is_no_ckan_the_reason_is_told(portal: Portal, code: str) -> None:
    with pytest.raises(SourceError) as error:
        walked(portal)
    assert error.value.code == code


def test_recognise_tells_what_stands_there() -> None:
    http = http_to(ckan_portal([package(n) for n in range(5)], title="Portail", root="/data"))
    found = ckan.recognise(http, "http://portal.example/data/dataset/dataset-1")
    assert found is not None
    assert (found.url, found.title, found.advertised) == ("http://portal.example/data", "Portail", 5)
    assert found.sample is not None
    assert found.sample.startswith("Dataset")


@pytest.mark.parametrize("url", ["http://portal.example/", "not a url", "ftp://portal.example"])
def test_recognise_says_no(url: str) -> None:
    assert ckan.recognise(http_to(lambda request: html_reply("404")), url) is None


CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


def packages_in(value: Any) -> Iterator[dict[str, Any]]:
    steps: tuple[Callable[[Any], Any], ...] = (lambda v: v["result"], lambda v: v["results"])
    for step in steps:
        value = step(value) if isinstance(value, dict) and {"result", "results"} & value.keys() else value
    yield from (item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict))


@pytest.mark.skipif(not CORPUS.exists(), reason="the reference corpus is not beside this checkout")
def test_every_real_payload_is_accepted_and_mapped() -> None:
    count = 0
    for path in sorted((CORPUS / "ckan").glob("*.json")):
        if "list" in path.stem or "magda" in path.stem:
            continue
        for item in packages_in(json.loads(path.read_text("utf-8-sig"))):
            record = make_record(item)
            dataset = ckan.normalise(record, SOURCE)
            assert dataset.title, path.name
            assert dataset.landing_page, path.name
            count += 1
    assert count > 200


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({"title-fr": "Eau", "title_nl": "Water"}, {"": "T", "fr": "Eau", "nl": "Water"}),
        ({"extras": [{"key": "title-fr", "value": "Eau"}]}, {"": "T", "fr": "Eau"}),
        ({"title": "Eau", "title-fr": "Eau"}, {"fr": "Eau"}),
        ({"title": '{"fr": "Eau", "nl": "Water"}'}, {"fr": "Eau", "nl": "Water"}),
        ({"title": {"fr": "Eau"}, "title_en": "Water"}, {"fr": "Eau", "en": "Water"}),
        ({"title_translated": {"fr": "Eau", "nl-t-fr": "Water"}}, {"": "T", "fr": "Eau", "nl-t-fr": "Water"}),
        ({"title_translated": {"fr": "Eau"}, "title_fr": "Onde"}, {"": "T", "fr": "Eau"}),
        ({"title_id": "7", "title_is": "x"}, {"": "T"}),
    ],
)
def test_titles_in_several_languages(more: dict[str, Any], title: dict[str, str]) -> None:
    assert normalised({"id": "1", "title": "T", **more})["title"] == title


def test_keywords_in_several_languages_stand_beside_the_plain_ones() -> None:
    said = {"id": "1", "title": "T", "tags": [{"name": "eau"}], "keywords-nl": "water, lucht", "tags_de": ["Wasser"]}
    assert normalised(said)["keyword"] == {"": ["eau"], "de": ["Wasser"], "nl": ["lucht", "water"]}


def test_who_answers_for_the_metadata_is_a_contact_with_that_role() -> None:
    spread = {"id": "1", "title": "T", "metadata_contact_name": "Archive", "metadata_contact_email": "a@a.example"}
    one = {"name": {"": "Archive"}, "email": "a@a.example", "role": "metadata"}
    assert normalised(spread)["contact_point"] == [one]
    whole = {"id": "1", "title": "T", "metadata_contact": {"name": "Archive", "email": "a@a.example", "role": "author"}}
    assert normalised(whole)["contact_point"] == [one | {"role": "author"}]


def test_what_status_show_says_is_the_catalogue() -> None:
    pages = walked(ckan_portal([package(1)], title="P", description="All of it", site_url="https://data.example"))
    assert [page.catalogue for page in pages] == [
        {"title": "P", "description": "All of it", "homepage": "https://data.example", "language": "fr"}
    ]


@pytest.mark.parametrize("answer", [[], None, "down", {"site_title": {"x": 1}, "site_url": 7, "locale_default": []}])
def test_a_status_of_any_shape_is_no_trouble(answer: Any) -> None:
    inner = ckan_portal([package(1)], title="P")
    said = json_reply({"success": True, "result": answer})
    (page,) = walked(lambda request: said if request.path.endswith("status_show") else inner(request))
    assert guids([page]) == ["00000001"]
    assert isinstance(page.catalogue, dict)


@pytest.mark.parametrize("given", ["50", 50])
def test_the_page_size_may_come_from_a_command_line(given: object) -> None:
    assert Options.model_validate({"page_size": given}).page_size == 50
    with pytest.raises(ValidationError):
        Options.model_validate({"page_size": "²"})


class Sliced(list[str]):
    """A list that counts what is taken out of it."""

    taken = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.taken += len(found) if isinstance(key, slice) else 1
        return found


def test_the_cursors_of_a_long_list_of_names_cost_each_name_once() -> None:
    names = Sliced(f"jeu-{number}" for number in range(5000))
    trail = Trail(names)
    cursors = [trail.after(number) for number in range(50, 5001, 50)]
    assert len(set(cursors)) == 100
    assert names.taken == 5000
    assert Trail(names).shown_already(cursors[41]) == 2100
    changed = Sliced([*names[:7], "autre", *names[8:]])
    again = Trail(changed)
    assert again.shown_already(cursors[41]) == 0
    assert again.after(50) == Trail(changed).after(50)
