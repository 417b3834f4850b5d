"""data.json feeds: recognised, streamed record by record, mapped."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import dcat_us
from connectors.dcat_us import terms
from connectors.dcat_us.feed import guid_of
from harvester.connector import Page, Record, Source
from harvester.errors import RecordError, SourceError

FIXTURES = Path(__file__).parent / "portals" / "dcat_us"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.json") if not path.name.endswith(".expected.json"))
SOURCE = Source("s", "https://agency.example/data.json")
URL = SOURCE.url


def pod(number: int, **more: Any) -> dict[str, Any]:
    return {"identifier": f"id-{number}", "title": f"Dataset {number}", "accessLevel": "public", **more}


def pages_of(document: Any) -> list[Page]:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(dcat_us.fetch_pages(io.BytesIO(raw), URL))


def guids(document: Any) -> list[str]:
    return [record.guid for page in pages_of(document) for record in page.records]


def normalised(payload: Any) -> dict[str, Any]:
    dataset = dcat_us.normalise(Record("g", payload), SOURCE)
    return dataset.plain() | {"problems": [f"{problem.field}: {problem.code}" for problem in dataset.problems]}


def mapped(**more: Any) -> dict[str, Any]:
    return normalised({"pod": pod(1, **more), "catalogue": {}})


@pytest.mark.parametrize("name", NAMES)
def test_payload_becomes_the_expected_dataset(name: str) -> None:
    payload = json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))
    assert normalised(payload) == json.loads((FIXTURES / f"{name}.expected.json").read_text("utf-8"))


def test_there_are_fixtures() -> None:
    assert len(NAMES) >= 5


POD = "https://project-open-data.cio.gov/v1.1/schema"


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        (json.dumps({"conformsTo": POD, "dataset": []}), True),
        ('\n\n{"@type": "dcat:Catalog", "dataset": [{"ti', True),
        ('\ufeff{"dataset": [', True),
        (json.dumps({"themeTaxonomy": [{"id": "x"}]})[:-3], True),
        ('[{"title": "x", "accessLevel": "public"', True),
        ('{"@type": "dcat:Dataset", "title": "x", "contactPoint": {}', True),
        ('{"@type": "Catalog", "conformsTo": {"title": "DCAT-US 3.0"}, "dataset": [', True),
        ('{"@context": {"dcat": "http://www.w3.org/ns/dcat#"}, "dcat:dataset": [', False),
        ('{"@context": {"dataset": "http://www.w3.org/ns/dcat#dataset"}, "dataset": [', False),
        ('{"@graph": [{"@type": "dcat:Dataset"', False),
        ('[{"@id": "x", "http://www.w3.org/ns/dcat#dataset": []', False),
        ('[{"id": "x", "resources": []', False),
        ('{"success": true, "result": {}}', False),
        ('{"@context": {"themeTaxonomy": {"@id": "dcat:themeTaxonomy"}}, "@id": "x", "title": "T"', False),
        ('{"@context": {"themes": "http://www.w3.org/ns/dcat#themeTaxonomy", "a": "' + "b" * 70_000, False),
        ('{"@context": [{"a": "b"}], "@graph": [{"conformsTo": "' + POD, False),
        ('{"@graph": [{"http://purl.org/dc/terms/conformsTo": "' + POD, False),
        ('[{"http://www.w3.org/ns/dcat#dataset": [], "x": "' + POD, False),
        ('{"@context": "https://a.example/dcat-ap.jsonld", "@type": "Catalogue", "dataset": [{"title": "x"', False),
        ('{"@context": "' + POD + '/catalog.jsonld", "@type": "dcat:Catalog", "dataset": [{"ti', True),
        ('{"@context": ["' + POD + '/catalog.jsonld", {"x": "y"}], "dataset": [{"ti', True),
        ('{"@context": "https://a.example/c.jsonld", "dataset": [{"accessLevel": "public"', True),
        ('{"@context": {"x": "y"}, "conformsTo": "' + POD + '", "dataset": [{"ti', True),
        ('{"title": NaN, "conformsTo": "' + POD + '", "dataset": [{"ti', True),
        ("<rdf:RDF>", False),
        ("", False),
        ("@prefix dcat: <http://www.w3.org/ns/dcat#> .", False),
    ],
)
def test_what_looks_like_a_feed(head: str, answer: bool) -> None:
    assert dcat_us.looks_like_pod(head.encode()) is answer


def test_the_feed_may_be_utf_16() -> None:
    raw = json.dumps({"conformsTo": POD, "dataset": [pod(1, title="Été")]}, ensure_ascii=False).encode("utf-16")
    assert dcat_us.looks_like_pod(raw)
    assert pages_of(raw)[0].records[0].payload["pod"]["title"] == "Été"


SHAPES: dict[str, Any] = {
    "catalogue": {"conformsTo": POD, "dataset": [pod(1), pod(2)]},
    "bare list": [pod(1), pod(2)],
    "list of a catalogue": [{"@type": "dcat:Catalog", "dataset": [pod(1), pod(2)]}],
    "one object for a list": {"dataset": pod(1), "datasetSeries": pod(2)},
    "catalogues in catalogues": {"catalog": [{"dataset": [pod(1)], "catalog": {"dataset": [pod(2)]}}]},
    "null entries": {"dataset": [None, pod(1), {}, pod(2), None]},
    "services and records aside": {
        "service": [pod(8, dataset=[pod(9)])],
        "record": [{"dataset": [pod(9)]}],
        "dataset": [pod(1), pod(2)],
    },
    "a repetition": {"dataset": [pod(1), pod(2), pod(1)]},
}


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_of_feed_gives_its_datasets(shape: str) -> None:
    assert guids(SHAPES[shape]) == ["id-1", "id-2"]


def test_a_document_may_be_one_dataset() -> None:
    assert guids({"@type": "dcat:Dataset", **pod(1)}) == ["id-1"]


@pytest.mark.parametrize("empty", [{"dataset": []}, {"@type": "dcat:Catalog", "dataset": []}, [], {"dataset": None}])
def test_an_empty_feed_is_a_feed(empty: Any) -> None:
    assert pages_of(empty) == []


@pytest.mark.parametrize("other", [{"error": "x"}, {}, "x", 1, None])
def test_other_json_is_no_feed(other: Any) -> None:
    with pytest.raises(SourceError) as error:
        pages_of(other)
    assert error.value.code == "not-pod"


def test_pages_hold_a_hundred_records() -> None:
    pages = pages_of({"dataset": [pod(n) for n in range(250)]})
    assert [len(page.records) for page in pages] == [100, 100, 50]


@pytest.mark.parametrize("tail", ["", ",]}", "nonsense", '"\\u12"]}'])
def test_a_feed_that_breaks_gives_what_came_before(tail: str) -> None:
    raw = (json.dumps({"dataset": [pod(n) for n in range(150)]})[:-2] + "," + tail).encode()
    found: list[str] = []
    with pytest.raises(SourceError) as error:
        found.extend(record.guid for page in dcat_us.fetch_pages(io.BytesIO(raw), URL) for record in page.records)
    assert found == [f"id-{n}" for n in range(150)]
    assert error.value.code == "not-json"
    assert "150 datasets" in error.value.message


def test_absurd_nesting_is_refused() -> None:
    raw = b'{"dataset": [{"title": ' + b"[" * 5000 + b"]" * 5000 + b"}]}"
    with pytest.raises(SourceError) as error:
        pages_of(raw)
    assert error.value.code == "not-json"


def test_stray_latin_1_bytes_do_not_break_the_feed() -> None:
    raw = '\n{"dataset": [{"identifier": "1", "title": "Été"}, {"identifier": "2", "title": "Œuvre"}]}'
    mixed = raw.replace("Été", "\udcc9t\udce9").encode("utf-8", "surrogateescape")
    titles = [record.payload["pod"]["title"] for page in pages_of(mixed) for record in page.records]
    assert titles == ["Été", "Œuvre"]


class Trickle(io.BytesIO):
    """A stream that gives one byte at a time, so that pieces end inside characters."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(0 if size == 0 else 1)


def test_characters_cut_between_pieces_are_whole() -> None:
    raw = json.dumps({"dataset": [pod(1, title="Été – 数据")]}, ensure_ascii=False).encode()
    (page,) = dcat_us.fetch_pages(Trickle(raw), URL)
    assert page.records[0].payload["pod"]["title"] == "Été – 数据"


def test_numbers_are_storable() -> None:
    raw = b'{"dataset": [{"identifier": 1, "title": "x", "a": 1.5, "b": 123456789012345678901234567890, "c": 1e999}]}'
    payload = pages_of(raw)[0].records[0].payload["pod"]
    assert (payload["a"], payload["b"], payload["c"]) == (1.5, 123456789012345678901234567890, None)


def test_memory_stays_flat() -> None:
    def document(count: int) -> bytes:
        filler = {"description": "word " * 400}
        return json.dumps({"dataset": [pod(n, **filler) for n in range(count)]}).encode()

    def peak(raw: bytes) -> int:
        tracemalloc.start()
        try:
            for _ in dcat_us.fetch_pages(io.BytesIO(raw), URL):
                continue
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(document(500)), peak(document(4000))
    assert large < 2 * small


def test_two_datasets_under_one_identifier_are_told() -> None:
    (page,) = pages_of({"dataset": [pod(1), pod(1, title="Another"), pod(1, title="Another"), "x"]})
    assert [record.payload["pod"]["title"] for record in page.records] == ["Dataset 1"]
    assert [(error.code, error.guid) for error in page.problems] == [
        ("repeated-identifier", "id-1"),
        ("not-an-object", None),
    ]


@pytest.mark.parametrize(
    ("dataset", "guid"),
    [
        ({"identifier": " a "}, "a"),
        ({"identifier": 7}, "7"),
        ({"identifier": {"@type": "Identifier", "@id": "https://a.example/1"}}, "https://a.example/1"),
        ({"identifier": [{"notation": "n"}]}, "n"),
        ({"identifier": "", "@id": "https://a.example/2"}, "https://a.example/2"),
        ({"landingPage": "https://a.example/3"}, "https://a.example/3"),
        ({"distribution": [None, {"accessURL": "https://a.example/4"}]}, "https://a.example/4"),
        ({"accessURL": "https://a.example/5"}, "https://a.example/5"),
    ],
)
def test_the_identifier_of_a_dataset(dataset: dict[str, Any], guid: str) -> None:
    assert guid_of(dataset) == guid


def test_without_any_identifier_the_content_stands_for_it() -> None:
    assert guid_of({"title": "x", "a": 1}) == guid_of({"a": 1, "title": "x"}) != guid_of({"title": "y"})


def test_what_the_catalogue_says_travels_with_each_dataset() -> None:
    labels = [{"id": "t1", "label": "Theme one"}, {"id": "t2", "label": "Theme two"}]
    feed = {
        "title": "C",
        "publisher": {"name": "P"},
        "themeTaxonomy": labels,
        "modified": "2020",
        "dataset": [pod(1, theme=["t1"])],
    }
    (record,) = pages_of(feed)[0].records
    assert record.payload["catalogue"] == {"title": "C", "publisher": {"name": "P"}, "themes": {"t1": "Theme one"}}
    found = normalised(record.payload)
    assert found["publisher"]["name"] == {"": "P"}
    assert found["theme"][0]["text"] == "Theme one"


def test_the_publisher_of_the_dataset_comes_first() -> None:
    payload = {"pod": pod(1, publisher={"name": "Own"}), "catalogue": {"publisher": {"name": "P"}}}
    assert normalised(payload)["publisher"]["name"] == {"": "Own"}


@pytest.mark.parametrize(
    ("spatial", "field", "value"),
    [
        ("1.6,48.4,3.4,49.1", "bbox", [1.6, 48.4, 3.4, 49.1]),
        ([1.6, 48.4, 3.4, 49.1], "bbox", [1.6, 48.4, 3.4, 49.1]),
        ({"west": 1, "south": 2, "east": 3, "north": 4}, "bbox", [1.0, 2.0, 3.0, 4.0]),
        ('{"type":"Point","coordinates":[1,2]}', "geometry", '{"coordinates":[1,2],"type":"Point"}'),
        ("POINT (1 2)", "geometry", '{"coordinates":[1,2],"type":"Point"}'),
        ("Lincoln, Nebraska", "name", {"": "Lincoln, Nebraska"}),
        ("Polygon of the city", "name", {"": "Polygon of the city"}),
    ],
)
def test_places_in_every_form(spatial: Any, field: str, value: Any) -> None:
    assert mapped(spatial=spatial)["spatial"][0][field] == value


@pytest.mark.parametrize(
    ("temporal", "ends"),
    [
        ("2000-01-15T00:45:00Z/2010-01-15T00:06:00Z", {"start": "2000-01-15T00:45:00Z", "end": "2010-01-15T00:06:00Z"}),
        ("2011-01-01T03:00:00.000Z/2016-12-31", {"start": "2011-01-01T03:00:00Z", "end": "2016-12-31"}),
        ("2000/..", {"start": "2000"}),
        ("../2000", {"end": "2000"}),
        ("2000-01-01/P1Y", {"start": "2000-01-01"}),
        ("2010 to 2015", {"start": "2010", "end": "2015"}),
        ("2015", {"start": "2015", "end": "2015"}),
        ({"startDate": "1991-01-01", "endDate": "2020-12-31"}, {"start": "1991-01-01", "end": "2020-12-31"}),
    ],
)
def test_periods_in_every_form(temporal: Any, ends: dict[str, str]) -> None:
    assert mapped(temporal=temporal)["temporal"] == [ends]


@pytest.mark.parametrize("said", ["[[-14.5, -179], [71, 179.5]]", [[-14.5, -179], [71, 179.5]]])
def test_two_corners_with_latitude_first_are_a_box(said: Any) -> None:
    assert mapped(spatial=said)["spatial"] == [{"bbox": [-179.0, -14.5, 179.5, 71.0]}]


@pytest.mark.parametrize(
    ("temporal", "start", "end"),
    [
        ("2009-2012", "2009", "2012"),
        ("2010 à 2015", "2010", "2015"),
        ("2010 bis 2015", "2010", "2015"),
        ("01/01/2010-31/12/2010", "2010-01-01", "2010-12-31"),
        ("du 01/01/2010 au 31/12/2010", "2010-01-01", "2010-12-31"),
        ("2011–12", "2011", "2012"),
        ("1999/00", "1999", "2000"),
        ("2011-12", "2011-12", "2011-12"),
    ],
)
def test_periods_as_people_write_them(temporal: str, start: str, end: str) -> None:
    assert mapped(temporal=temporal)["temporal"] == [{"start": start, "end": end}]


def test_a_telephone_number_has_no_scheme() -> None:
    assert mapped(contactPoint={"fn": "A", "tel": "tel:+1-202"})["contact_point"][0]["telephone"] == "+1-202"


def test_agents_without_a_field_keep_their_role() -> None:
    publisher = {"name": "B", "subOrganizationOf": {"name": "D", "subOrganizationOf": [{"name": "G"}]}}
    found = mapped(contributor=[{"name": "C"}], rightsHolder={"@id": "https://a.example/r"}, publisher=publisher)
    told = [(each["target"], each["role"].rpartition("/")[2]) for each in found["qualified_attribution"]]
    assert told == [
        ({"name": {"": "C"}}, "ctb"),
        ({"uri": "https://a.example/r"}, "cph"),
        ({"name": {"": "D"}}, "org#hasSubOrganization"),
        ({"name": {"": "G"}}, "org#hasSubOrganization"),
    ]


def test_texts_that_share_a_field_are_joined() -> None:
    limits = [{"@type": "AccessRestriction", "restrictionStatus": "SRU", "specificRestriction": {"prefLabel": "FOIA"}}]
    found = mapped(
        rights="R",
        liabilityStatement={"label": "L"},
        provenance=["a", {"label": "b"}],
        description="D",
        notes="N",
        distribution=[{"accessURL": "https://a.example/x", "accessRestriction": limits}],
    )
    assert found["rights"] == {"": "R; L"}
    assert found["provenance"] == {"": "a\nb"}
    assert found["description"] == {"": "D\n\nN"}
    assert found["distribution"][0]["rights"] == {"": "SRU, FOIA"}


def test_an_access_service_keeps_what_it_says() -> None:
    service = {
        "title": "S",
        "endpointURL": "https://a.example/e",
        "contactPoint": [{"fn": "C"}],
        "publisher": {"name": "P"},
        "theme": ["http://publications.europa.eu/resource/authority/data-theme/ENVI"],
        "language": ["en"],
        "hvdCategory": ["http://data.europa.eu/bna/c_ac64a52d"],
    }
    (kept,) = mapped(distribution=[{"accessURL": "https://a.example/x", "accessService": service}])["distribution"]
    (found,) = kept["access_service"]
    assert found["contact_point"] == [{"name": {"": "C"}}]
    assert found["publisher"] == {"name": {"": "P"}}
    assert all(found[field] for field in ("theme", "language", "hvd_category"))


def serving(*names: str) -> dict[str, Any]:
    return {"title": "S", "endpointURL": "https://a.example/e", "servesDataset": [{"@id": name} for name in names]}


@pytest.mark.parametrize("wrap", [lambda feed: feed, lambda feed: [feed], lambda feed: {"catalog": [feed]}])
def test_services_of_the_catalogue_go_with_the_datasets_they_serve(wrap: Callable[[Any], Any]) -> None:
    (page,) = pages_of(wrap({"service": [serving("id-1", "id-3")], "dataset": [pod(1), pod(2)]}))
    first, second = (normalised(record.payload) for record in page.records)
    assert [each["endpoint_url"] for each in first["service"]] == [["https://a.example/e"]]
    assert "service" not in second
    assert page.notes == ()


def test_services_that_no_dataset_can_have_are_told() -> None:
    pods = [pod(n) for n in range(150)]
    first, last = pages_of({"dataset": pods, "service": [serving("id-1"), serving(), serving("id-149")]})
    assert [(note.code, note.value) for note in last.notes] == [("unattached-services", 2)]
    assert first.notes == ()
    assert "services" in last.records[-1].payload["catalogue"]


def test_a_repetition_for_modified_is_how_often_it_changes() -> None:
    found = mapped(modified="R/P1D")
    assert found["accrual_periodicity"]["text"] == "R/P1D"
    assert "modified" not in found
    assert found["problems"] == []


def test_an_empty_mail_address_is_no_problem() -> None:
    found = mapped(contactPoint={"fn": "A", "hasEmail": "mailto:"})
    assert found["contact_point"] == [{"name": {"": "A"}}]
    assert found["problems"] == []


def test_a_web_form_for_a_mail_address_is_kept() -> None:
    found = mapped(contactPoint={"fn": "A", "hasEmail": "https://a.example/ask"})
    assert found["contact_point"] == [{"name": {"": "A"}, "url": "https://a.example/ask"}]


def test_unknown_licence_is_none() -> None:
    assert "license" not in mapped(license="https://project-open-data.cio.gov/unknown-license")


def test_a_series_is_told_from_a_dataset() -> None:
    assert normalised({"pod": {"@type": "DatasetSeries", "title": "S"}, "catalogue": {}})["kind"] == "series"


def test_an_address_that_answers_questions_is_a_service() -> None:
    url = "https://maps.example/wms?service=WMS&request=GetCapabilities"
    (distribution,) = mapped(distribution=[{"accessURL": url, "format": "WMS"}])["distribution"]
    (service,) = distribution["access_service"]
    assert service["endpoint_url"] == ["https://maps.example/wms?service=WMS"]
    assert service["endpoint_description"] == [url]


@pytest.mark.parametrize("payload", [None, "x", [], {}, {"pod": []}, {"pod": None, "catalogue": 1}])
def test_what_is_no_dataset_is_a_record_error(payload: Any) -> None:
    with pytest.raises(RecordError) as error:
        dcat_us.normalise(Record("g", payload), SOURCE)
    assert error.value.code == "not-an-object"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=12)
    | st.sampled_from(["https://a.example/[x]", "http://[", "1,2,3,4", "a/b", "R/P1D", "mailto:", "ENVELOPE(1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["@id", "name", "prefLabel", "bbox", "coordinates", "type", "agent", "relation", "fn"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def named_in(*tables: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for table in tables:
        for names in table.values():
            yield from names


OWN = ("contactPoint", "publisher", "distribution", "spatial", "temporal", "theme", "superTheme", "keyword", "modified")
LATER = (
    "otherIdentifier",
    "qualifiedRelation",
    "qualifiedAttribution",
    "sample",
    "service",
    "webService",
    "landingPage",
)
KEYS = st.sampled_from(
    [
        *OWN,
        *LATER,
        *terms.ROLES,
        *terms.PROVENANCE,
        *terms.RIGHTS,
        "accessRestriction",
        *named_in(terms.LONE, terms.MANY, terms.POINTED),
    ]
)
FILE = (
    "accessURL",
    "downloadURL",
    "format",
    "mediaType",
    "checksum",
    "accessService",
    "license",
    "describedBy",
    "identifier",
)
FILE_KEYS = st.sampled_from([*FILE, *named_in(terms.FILE_LONE)])


@given(st.dictionaries(KEYS, JSON, max_size=8), st.lists(st.dictionaries(FILE_KEYS, JSON, max_size=6), max_size=2))
def test_no_shape_of_dataset_breaks_the_mapping(dataset: dict[str, Any], files: list[Any]) -> None:
    payload = {
        "pod": {"title": "T", "distribution": files, **dataset},
        "catalogue": {"publisher": dataset.get("publisher")},
    }
    with suppress(RecordError):
        dcat_us.normalise(Record("g", payload), SOURCE)


@given(JSON)
def test_no_json_breaks_the_reading(document: Any) -> None:
    with suppress(SourceError):
        pages_of({"dataset": document})
    with suppress(SourceError):
        pages_of(document)


CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"


@pytest.mark.skipif(not CORPUS.exists(), reason="the reference corpus is not beside this checkout")
def test_every_real_feed_is_read_and_mapped() -> None:
    count = 0
    for path in sorted((CORPUS / "data-json").iterdir()):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        assert dcat_us.looks_like_pod(raw[:4096]), path.name
        for page in dcat_us.fetch_pages(io.BytesIO(raw), URL):
            assert not page.problems, path.name
            for record in page.records[:20]:
                dataset = dcat_us.normalise(record, SOURCE)
                assert dataset.title, path.name
                assert dataset.identifier, path.name
            count += len(page.records)
    assert count > 5000


@pytest.mark.parametrize("flaw", [b"NaN", b'"a\nb"'])
def test_one_bad_token_does_not_cost_the_rest(flaw: bytes) -> None:
    rows = [b'{"identifier": "%d", "title": %s, "accessLevel": "public"}' % (n, b'"T"') for n in range(250)]
    rows[7] = b'{"identifier": "7", "title": "T", "description": %s, "accessLevel": "public"}' % flaw
    pages = list(dcat_us.fetch_pages(io.BytesIO(b'{"dataset": [%s]}' % b",".join(rows)), "http://p.example/data.json"))
    assert [record.guid for page in pages for record in page.records] == [str(n) for n in range(250)]
    assert not [problem for page in pages for problem in page.problems]
    assert {note.code for page in pages for note in page.notes} == {"mended-json"}
