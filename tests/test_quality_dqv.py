"""Measurements of quality in exports (DQV): what they say; exports stay valid, and reading gives back the same."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from rdflib import DCAT, RDF, Graph, Literal, Namespace
from sqlalchemy import Engine
from starlette.testclient import TestClient

from harvester.links import LinkFacts
from harvester.links.addresses import address_of
from harvester.links.facts import Known
from harvester.model import Dataset
from harvester.quality import INDICATORS, Level
from harvester.quality.dqv import VOCABULARY, with_measures
from harvester.rdf.measures import MEASURES
from harvester.rdf.profiles import PROFILES
from harvester.rdf.writing import Block, pen_for, write
from harvester.settings import Settings
from tests.catalogues import Catalogue, application
from tests.rdf_datasets import DATASET
from tests.test_quality import CSV, PAGE, PERFECT, violations
from tests.test_quality_kept import raw
from tests.test_rdf_roundtrip import back

DQV = Namespace("http://www.w3.org/ns/dqv#")
IRI = "https://data.example/the-dataset"
AT = datetime(2026, 5, 1, tzinfo=UTC)


def links(**known: int) -> LinkFacts:
    addresses = {"page": PAGE, "csv": CSV}
    return LinkFacts(
        {address_of(addresses[name]).id: Known("ok", status, status, None, AT) for name, status in known.items()}
    )


def written(found: Dataset, known: LinkFacts, name: str = "nt", profile: str = "dcat-ap-3.0.1") -> bytes:
    pen = pen_for(name, PROFILES[profile])
    block = Block(pen)
    block.dataset(with_measures(found.plain(), known, IRI), IRI)
    block.finish()
    return pen.syntax.head + block.taken() + pen.syntax.foot


def measured(graph: Graph, node: Any) -> dict[str, Any]:
    found = {}
    for measurement in graph.objects(node, DQV.hasQualityMeasurement):
        assert (measurement, RDF.type, DQV.QualityMeasurement) in graph
        [metric], [value] = graph.objects(measurement, DQV.isMeasurementOf), graph.objects(measurement, DQV.value)
        assert isinstance(value, Literal)
        assert str(metric).startswith(VOCABULARY)
        found[str(metric).removeprefix(VOCABULARY)] = value.toPython()
    return found


def test_a_dataset_and_its_distribution_are_measured() -> None:
    lacking = Dataset.of({name: value for name, value in PERFECT.items() if name not in ("keyword", "issued")})
    graph = Graph().parse(data=written(lacking, links(page=200, csv=404)), format="nt")
    node = next(graph.subjects(RDF.type, DCAT.Dataset))
    own = measured(graph, node)
    assert own["scoring"] == 405 - 30 - 30 - 5
    scores = {"findability": 70, "accessibility": 70, "interoperability": 110, "reusability": 75, "contextuality": 15}
    assert {name: own[f"{name}Scoring"] for name in scores} == scores
    assert (own["keywordAvailability"], own["spatialAvailability"], own["dcatApCompliance"]) == (False, True, True)
    assert (own["dateIssuedAvailability"], own["dateModifiedAvailability"]) == (False, True)
    part = measured(graph, graph.value(node, DCAT.distribution))
    assert (part["accessUrlStatusCode"], part["downloadUrlStatusCode"]) == (200, 404)
    assert (part["knownLicence"], part["formatMediaTypeNonProprietary"]) == (True, True)
    on_parts = {item.metric for item in INDICATORS if item.level is not Level.DATASET}
    assert set(part) == on_parts
    dates = {"dateIssuedAvailability", "dateModifiedAvailability"}
    assert set(own) == {item.metric for item in INDICATORS} - on_parts | dates | {f"{n}Scoring" for n in scores} | {
        "scoring"
    }


def test_links_that_were_never_checked_are_not_measured() -> None:
    graph = Graph().parse(data=written(Dataset.of(PERFECT), links()), format="nt")
    part = measured(graph, graph.value(next(graph.subjects(RDF.type, DCAT.Dataset)), DCAT.distribution))
    assert not {name for name in part if name.endswith("StatusCode")}


@pytest.mark.parametrize("profile", [name for name in PROFILES if "hvd" not in name])
def test_an_export_with_measurements_is_valid(profile: str) -> None:
    body = written(Dataset.of(PERFECT), links(page=200), profile=profile)
    assert b"hasQualityMeasurement" in body
    assert violations(body) == [] or profile != "dcat-ap-3.0.1"


@pytest.mark.parametrize("name", ["ttl", "rdf", "jsonld", "nt"])
def test_every_format_says_the_same(name: str) -> None:
    formats = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld", "nt": "nt"}
    body = written(Dataset.of(PERFECT), links(page=200), name)
    with warnings.catch_warnings():
        # rdflib's readers of JSON-LD and of quads use its own deprecated class.
        warnings.simplefilter("ignore", DeprecationWarning)
        graph = Graph().parse(data=body, format=formats[name])
    node = next(graph.subjects(RDF.type, DCAT.Dataset))
    expected = Graph().parse(data=written(Dataset.of(PERFECT), links(page=200)), format="nt")
    assert measured(graph, node) == measured(expected, next(expected.subjects(RDF.type, DCAT.Dataset)))


@given(DATASET)
def test_reading_gives_back_the_dataset_without_them(raw_dataset: dict[str, Any]) -> None:
    found = Dataset.of(raw_dataset)
    plain = found.model_copy(update={"record": None})
    assert back(written(plain, links(page=200, csv=404))) == back(write(plain, iri=IRI))


def test_the_stored_form_is_left_as_it_is() -> None:
    plain = Dataset.of(PERFECT).plain()
    with_measures(plain, links())
    assert MEASURES not in plain
    assert all(MEASURES not in item for item in plain["distribution"])


def test_the_api_adds_them_when_asked(engine: Engine, settings: Settings) -> None:
    kept = Catalogue(settings, engine)
    kept.add("a", [raw("1"), raw("2", keyword=None)])
    key = kept.key("a", "1")
    with TestClient(application(settings)) as client:
        for path in (f"/datasets/{key}.nt", "/catalog.nt", "/export.nt"):
            bare, asked = client.get(path), client.get(f"{path}?quality=true")
            assert "hasQualityMeasurement" not in bare.text
            assert asked.text.count(f"<{DQV.hasQualityMeasurement}>") >= 28
            assert "piveau.eu/ns/voc#scoring" in asked.text
            if "etag" in bare.headers:
                assert bare.headers["etag"] != asked.headers["etag"]
        linked = client.get("/catalog.ttl?quality=true&page_size=1").headers["link"]
        assert "quality=true" in next(part for part in linked.split(",") if 'rel="next"' in part)
