"""What is written is read back the same, and other libraries read it too."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdflib.compare import isomorphic

from harvester.errors import UsageError
from harvester.model import Dataset, Part
from harvester.rdf.parse import parse
from harvester.rdf.profile import SHAPES
from harvester.rdf.reading import read
from harvester.rdf.trees import datasets
from harvester.rdf.writing import write
from tests.rdf_datasets import COVERED, DATASET, EU

FORMATS = ("nt", "ttl", "rdf", "jsonld", "nq", "trig")


@pytest.mark.parametrize("cls", SHAPES, ids=lambda cls: cls.__name__)
def test_every_field_of_the_model_is_tried(cls: type[Part]) -> None:
    assert COVERED[cls] == set(cls.model_fields) - {"problems"}


def back(body: bytes) -> Dataset:
    found = list(datasets(parse(body, base="https://feed.example/")))
    assert len(found) == 1
    return Dataset.of(read(found[0].tree))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATASET, st.sampled_from(FORMATS))
def test_what_is_written_is_read_back(raw: dict[str, Any], name: str) -> None:
    dataset = Dataset.of(raw)
    assert back(write(dataset, name)).plain() == dataset.plain()


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATASET)
def test_every_format_is_the_same_graph_to_another_library(raw: dict[str, Any]) -> None:
    dataset = Dataset.of(raw)
    graphs = [
        _parsed(write(dataset, name).decode(), theirs)
        for name, theirs in (("nt", "nt"), ("ttl", "turtle"), ("rdf", "xml"), ("jsonld", "json-ld"))
    ]
    assert len({len(graph) for graph in graphs}) == 1
    assert all(isomorphic(graphs[0], graph) for graph in graphs[1:])


def _parsed(data: str, syntax: str) -> rdflib.Graph:
    with warnings.catch_warnings():
        # rdflib's JSON-LD reader uses its own deprecated class.
        warnings.simplefilter("ignore", DeprecationWarning)
        return rdflib.Graph().parse(data=data, format=syntax)


def test_the_order_of_places_is_kept_beside_their_concepts() -> None:
    shape = {"type": "Point", "coordinates": [1, 2.5]}
    places = [{"place": "France", "geometry": shape}, {"place": EU + "country/BEL"}, {"place": "Atlantis"}]
    for chosen in itertools.permutations(places):
        dataset = Dataset.of({"title": "T", "spatial": chosen})
        assert back(write(dataset)) == dataset


def test_large_numbers_are_not_rounded() -> None:
    dataset = Dataset.of({"title": "T", "distribution": [{"byte_size": 2**62 - 1}]})
    assert back(write(dataset)).distribution[0].byte_size == 2**62 - 1


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(UsageError, match="no RDF format 'doc'"):
        write(Dataset.of({"title": "T"}), "doc")


SAME = "http://x.example/same"


@pytest.mark.parametrize("name", ["nt", "ttl", "rdf", "jsonld"])
@pytest.mark.parametrize(
    "raw",
    [
        {"publisher": {"uri": SAME, "name": "A"}, "creator": [{"uri": SAME, "name": "B", "email": "b@x.example"}]},
        {"publisher": {"uri": SAME}, "creator": [{"uri": SAME, "name": "B", "email": "b@x.example"}]},
        {
            "publisher": {"uri": SAME, "name": "A"},
            "contact_point": [{"uri": SAME, "name": "A", "email": "c@x.example"}],
        },
        {"uri": SAME, "record": {"uri": SAME, "title": "rec", "modified": "2020-01-01"}},
        {"uri": SAME, "distribution": [{"uri": SAME, "title": "file", "license": "CC0"}]},
        {"distribution": [{"uri": SAME, "title": "one"}, {"uri": SAME, "title": "two"}, {"title": "three"}]},
        {
            "service": [{"uri": SAME, "title": "one", "endpoint_url": "http://x.example/1"}],
            "distribution": [{"access_service": [{"uri": SAME, "title": "two", "endpoint_url": "http://x.example/2"}]}],
        },
        {
            "qualified_attribution": [
                {"target": {"uri": SAME, "name": said}, "role": f"http://x.example/{said}"} for said in ("one", "two")
            ]
        },
    ],
)
def test_an_iri_that_means_two_things_mixes_neither(raw: dict[str, Any], name: str) -> None:
    dataset = Dataset.of({"title": "T", **raw})
    assert back(write(dataset, name)).plain() == dataset.plain()
