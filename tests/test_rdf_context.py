"""The terms of our JSON-LD are those of the official context."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import orjson
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from rdflib.compare import isomorphic

from harvester.model import Dataset
from harvester.rdf.context import context
from harvester.rdf.namespaces import PREFIXES
from harvester.rdf.writing import write
from tests.rdf_datasets import DATASET

OFFICIAL = Path(__file__).resolve().parents[2] / "shared" / "dcat-ap" / "context" / "dcat-ap-3.0.1.jsonld"
beside = pytest.mark.skipif(
    not OFFICIAL.exists(), reason=f"the official context is not beside this checkout ({OFFICIAL})"
)


def official() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(OFFICIAL.read_bytes())["@context"]
    return found


def graph(document: dict[str, Any]) -> rdflib.Graph:
    with warnings.catch_warnings():
        # rdflib's JSON-LD reader uses its own deprecated class.
        warnings.simplefilter("ignore", DeprecationWarning)
        return rdflib.Graph().parse(data=orjson.dumps(document), format="json-ld")


@beside
def test_every_term_is_the_official_one() -> None:
    theirs, ours = official(), context()
    shared = {name: ours[name] for name in ours if name not in PREFIXES and name != "@version"}
    assert len(shared) > 30
    assert shared == {name: theirs[name] for name in shared}
    # What is left out names nothing we write, and Oxigraph refuses some of it.
    left = set(theirs) - set(shared)
    assert left == {"Literal", "TemporalLiteral", "Resource", *(name for name in left if name.startswith("Xsd:"))}


@beside
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATASET)
def test_the_official_context_in_place_of_ours_says_the_same(raw: dict[str, Any]) -> None:
    document = orjson.loads(write(Dataset.of(raw), "jsonld"))
    replaced = {**document, "@context": [official(), PREFIXES]}
    assert isomorphic(graph(document), graph(replaced))


def test_the_official_terms_are_used() -> None:
    raw = {"uri": "https://data.example/1", "title": {"fr": "T"}, "modified": "2026-01-01", "theme": ["ENVI"]}
    document = orjson.loads(write(Dataset.of({**raw, "distribution": [{"access_url": "http://x.example/"}]}), "jsonld"))
    [dataset] = [node for node in document["@graph"] if node["@id"] == "https://data.example/1"]
    assert dataset["@type"][0] == "Dataset"
    assert {"title", "modificationDate", "theme", "datasetDistribution"} < set(dataset)
    [distribution] = [node for node in document["@graph"] if node.get("@type") == ["Distribution"]]
    assert distribution["accessUrl"] == [{"@id": "http://x.example/"}]
