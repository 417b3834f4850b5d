"""Nothing lost: the table of properties is made from the code, and every key and field it names really is one."""

from __future__ import annotations

import csv
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from connectors import ckan, dcat, dcat_us
from connectors.ckan import keys
from connectors.dcat_us import terms
from connectors.opendatasoft import home
from harvester.connector import Record, Source, Walk
from harvester.errors import RecordError
from harvester.fields.terms import Term
from harvester.http import Http
from harvester.model import Agent, Catalogue, Dataset, Distribution
from harvester.rdf.profile import SHAPES
from harvester.samples.serving import Reply, as_transport
from harvester.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
OFFICIAL = ROOT.parent / "shared" / "dcat-ap" / "tables" / "dcat-ap-3.0.1-properties.csv"
CKAN = Source("s", "https://portal.example", ckan.Options())
AGENCY = Source("s", "https://agency.example/data.json")
# What holds no property of its own: the class of the dataset, and what is told of the cleaning.
APART = {"problems", "kind"}


@pytest.fixture(scope="module")
def properties() -> Any:
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        return import_module("properties")
    finally:
        sys.path.remove(str(ROOT / "docs"))


@pytest.fixture(scope="module")
def claims(properties: Any) -> Any:
    return properties.claims()


def test_the_table_is_up_to_date(properties: Any) -> None:
    told = (ROOT / "docs" / "properties.md").read_text("utf-8")
    assert told == properties.page(), "run: python docs/generate.py"


def test_the_list_of_properties_is_that_of_the_specification(properties: Any) -> None:
    if not OFFICIAL.exists():
        pytest.skip("the table of the specification is not there")
    with OFFICIAL.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    official = {(r["class"], r["property"], r["level"][0], r["card"].replace("..n", "..*")) for r in rows}
    assert {tuple(each) for each in properties.specified()} == official


def test_every_property_has_a_field_or_is_made_by_the_export(properties: Any) -> None:
    for each in properties.specified():
        kind = properties.CLASSES[each.owner]
        row = kind and properties._row_of(kind, each.name)
        key = (each.owner, each.name)
        assert row or key in properties.MADE or key in properties.MISSING, key


def test_every_field_of_the_model_is_exported_and_filled_by_some_connector(claims: Any) -> None:
    for kind, shape in SHAPES.items():
        written = {row.field for row in shape.rows}
        held = set(kind.model_fields) - APART - {"uri"}
        # The record and the services of a dataset are nodes beside it.
        assert held - written <= {"record", "service"}, kind
        for field in held:
            assert any((kind, field) in found for found in claims.values()), (kind, field)


def test_the_connectors_fill_what_their_portals_tell(claims: Any) -> None:
    """A floor under the table: a field that no longer is filled by anything must not just vanish from it."""
    least = {"ckan": 132, "udata": 79, "opendatasoft": 83, "dcat_us": 141, "dcat": 141}
    assert {name: len(claims[name]) for name, number in least.items() if len(claims[name]) < number} == {}
    for name in ("ckan", "udata", "opendatasoft", "dcat_us"):
        for field in ("title", "description", "publisher", "contact_point", "distribution", "record", "license"):
            assert field == "record" or (Dataset, field) in claims[name], (name, field)


@pytest.mark.parametrize("name", ["ckan", "udata", "opendatasoft", "dcat_us"])
def test_what_the_table_claims_is_filled_and_what_is_filled_is_claimed(name: str, properties: Any, claims: Any) -> None:
    build, found = properties._BUILDERS[name], properties.payloads(properties.FIXTURES / name)
    filled = {field for payload in found for field in properties.filled(build(payload))}
    claimed = {(kind, field) for kind, field in claims[name] if kind is not Catalogue}
    assert claimed <= filled
    # A record is always there: its address is made of the address of the portal and of whatever names the dataset.
    assert {(kind, field) for kind, field in filled - claimed if field} <= {(Dataset, "record"), (Dataset, "kind")}


def test_tracing_finds_keys_their_fallbacks_and_nothing_else(properties: Any) -> None:
    def build(said: Any) -> Dataset:
        agent = said.get("org") or {}
        return Dataset.of(
            {
                "identifier": said.get("id"),
                "title": said.get("title") or said.get("name"),
                "publisher": {"name": agent.get("name"), "email": agent.get("mail")},
                "distribution": [{"access_url": each.get("url")} for each in said.get("files", ())],
            }
        )

    payload = {
        "id": "1",
        "title": "T",
        "name": "N",
        "colour": "red",
        "org": {"name": "O", "mail": "o@o.example", "logo": "x"},
        "files": [{"url": "https://a.example/1", "size": 1}],
    }
    assert properties.traced([payload], build) == {
        (Dataset, "identifier"): {"id"},
        (Dataset, "title"): {"title", "name"},
        (Dataset, "publisher"): {"org"},
        (Agent, "name"): {"org.name"},
        (Agent, "email"): {"org.mail"},
        (Dataset, "distribution"): {"files"},
        (Distribution, "access_url"): {"files[].url"},
    }


def test_a_key_without_which_nothing_can_be_built_is_not_taken_away(properties: Any) -> None:
    def build(said: Any) -> Dataset:
        if "id" not in said:
            raise RecordError("no id", code="no-id")
        return Dataset.of({"title": said.get("title"), "identifier": said["id"]})

    assert properties.traced([{"id": "1", "title": "T"}], build) == {(Dataset, "title"): {"title"}}


SPECIMENS: dict[str, Any] = {
    "access_rights": "PUBLIC",
    "access_service": "https://api.example/wms",
    "applicable_legislation": "http://data.europa.eu/eli/reg_impl/2023/138/oj",
    "availability": "STABLE",
    "byte_size": "7",
    "compress_format": "application/gzip",
    "endpoint_description": "https://api.example/description",
    "endpoint_url": "https://api.example/",
    "hvd_category": "http://data.europa.eu/bna/c_dd313021",
    "is_referenced_by": "https://paper.example/1",
    "issued": "2020-01-02",
    "landing_page": "https://page.example/",
    "language": "fr",
    "modified": "2021-01-02",
    "package_format": "application/zip",
    "page": "https://page.example/doc",
    "policy": "https://policy.example/1",
    "serves_dataset": "https://data.example/1",
    "spatial_resolution_in_meters": "5",
    "status": "COMPLETED",
    "temporal_resolution": "P1D",
    "uri": "https://data.example/id/1",
}


def specimen(field: str) -> Any:
    return SPECIMENS.get(field, "https://thing.example/1" if field in keys.POINTED else "Some words")


def package(key: str, value: Any) -> Dataset:
    return ckan.normalise(Record("1", {"id": "1", "title": "T", key: value}), CKAN)


PACKAGE_KEYS = {
    **keys.LONE,
    **keys.MANY,
    **keys.POINTED,
    "accrual_periodicity": keys.FREQUENCY,
    "issued": keys.ISSUED,
    "modified": keys.MODIFIED,
    "theme": keys.THEMES,
    "type": keys.TYPES,
    "license": keys.LICENCE,
    "language": keys.LANGUAGES,
    "rights": keys.RIGHTS,
    "provenance": (*keys.LINEAGE, *keys.QUALITY),
    "keyword": keys.KEYWORDS,
    "page": keys.PAGES,
    "relation": keys.RELATIONS,
    "other_identifier": keys.OTHER_IDENTIFIERS,
    "spatial_resolution_in_meters": keys.SPATIAL_RESOLUTION,
}


@pytest.mark.parametrize(
    ("field", "key"), [(field, key) for field, names in PACKAGE_KEYS.items() for key in names], ids="{0[1]}".format
)
def test_every_key_of_a_ckan_package_fills_its_field(field: str, key: str) -> None:
    bare = ckan.normalise(Record("1", {"id": "1", "title": "T"}), CKAN)
    value = {"fr": ["eau"]} if key in ("tags_translated", "keyword_fluent") else specimen(field)
    assert getattr(package(key, value), field) != getattr(bare, field)


@pytest.mark.parametrize(
    ("field", "key"), [(field, key) for field, names in keys.RESOURCE_LONE.items() for key in names], ids=str
)
def test_every_key_of_a_ckan_resource_fills_its_field(field: str, key: str) -> None:
    resource = {"url": "https://files.example/a", key: specimen(field)}
    made = ckan.normalise(Record("1", {"id": "1", "title": "T", "resources": [resource]}), CKAN)
    assert getattr(made.distribution[0], field)


POD_KEYS = {
    **terms.LONE,
    **terms.MANY,
    **terms.POINTED,
    "issued": terms.ISSUED,
    "modified": terms.MODIFIED,
    "license": terms.LICENCE,
    "page": terms.PAGES,
    "provenance": terms.PROVENANCE,
    "rights": (*terms.RIGHTS, *terms.RESTRICTIONS),
    "creator": terms.CREATORS,
}


@pytest.mark.parametrize(
    ("field", "key"), [(field, key) for field, names in POD_KEYS.items() for key in names], ids=str
)
def test_every_key_of_a_data_json_dataset_fills_its_field(field: str, key: str) -> None:
    pod = {"identifier": "1", **({} if field == "title" else {"title": "T"}), key: specimen(field)}
    assert getattr(dcat_us.normalise(Record("1", {"pod": pod, "catalogue": {}}), AGENCY), field)


@pytest.mark.parametrize(
    ("field", "key"), [(field, key) for field, names in terms.FILE_LONE.items() for key in names], ids=str
)
def test_every_key_of_a_data_json_distribution_fills_its_field(field: str, key: str) -> None:
    pod = {
        "identifier": "1",
        "title": "T",
        "distribution": [{"downloadURL": "https://f.example/a", key: specimen(field)}],
    }
    made = dcat_us.normalise(Record("1", {"pod": pod, "catalogue": {}}), AGENCY)
    value = getattr(made.distribution[0], field)
    assert value
    assert not isinstance(value, Term) or value.text


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (
            "<!doctype html><html class=x lang='fr-FR'><head><title> Données &amp; cie\n</title>"
            '<meta property="og:image" content="x"><meta name="description" content="L\'open data">',
            {"title": {"fr-fr": "Données & cie"}, "description": {"fr-fr": "L'open data"}, "language": ["FRA"]},
        ),
        ("<html><head><TITLE>Portal</TITLE><meta content='All data' name=description>", {"title": {"": "Portal"}}),
        ("<title></title>", {}),
        ("", {}),
        ("<html lang=" + "<" * 30_000, {}),
    ],
)
def test_the_head_of_a_home_page_says_what_the_portal_is(page: str, expected: dict[str, Any]) -> None:
    about = Catalogue.of(home.portal(page))
    assert about.title == expected.get("title", {})
    assert [term.uri and term.uri[-3:] for term in about.language] == expected.get("language", [])
    if "All data" not in page:
        assert about.description == expected.get("description", {})


def test_a_feed_with_every_property_fills_every_field(settings: Settings, properties: Any, claims: Any) -> None:
    feed = (ROOT / "tests" / "data" / "dcat" / "complete.ttl").read_bytes()
    source = Source("s", "https://data.example/catalog.ttl", dcat.Options())
    with Http(settings, transport=as_transport(lambda _: Reply(200, feed, "text/turtle"))) as http:
        pages = list(dcat.fetch(source, http, Walk()))
    datasets = [dcat.normalise(record, source) for page in pages for record in page.records]
    catalogue = Catalogue.of({name: value for page in pages for name, value in (page.catalogue or {}).items()})
    parts: list[Dataset | Catalogue] = [*datasets, catalogue]
    filled = {field for part in parts for field in properties.filled(part)}
    assert {f"{kind.__name__}.{field}" for kind, field in claims["dcat"].keys() - filled} == set()
    assert [problem for part in parts for problem in part.problems] == []
