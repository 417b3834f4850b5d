"""What each dataset calls what it points at, and what each profile says of it, is read back for that dataset alone."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester.model import Catalogue, Dataset
from harvester.rdf.entries import CatalogueInfo, Entry, RecordInfo
from harvester.rdf.export import Document, page
from harvester.rdf.parse import parse
from harvester.rdf.profile import NAMELESS
from harvester.rdf.profiles import PROFILES
from harvester.rdf.reading import read
from harvester.rdf.trees import datasets
from harvester.rdf.writing import write
from tests.rdf_datasets import DATASET

SHARED = "https://elsewhere.example/shared"
INFO = CatalogueInfo("https://cat.example/catalog", Catalogue.of({"title": "All"}))
SEEN = "2020-01-01T00:00:00Z"
FORMATS = ("nt", "ttl", "rdf", "jsonld")
PARTS = ("service", "distribution", "sample")
DCAT_AP_2, HVD = PROFILES["dcat-ap-2.1.1"], PROFILES["dcat-ap-hvd-3.0.0"]


def entry(number: int, raw: dict[str, Any]) -> Entry:
    iri = f"https://cat.example/d{number}"
    record = RecordInfo(f"https://cat.example/r{number}", INFO, f"g{number}", SEEN, SEEN)
    return Entry(iri, Dataset.of({"uri": iri, "title": f"Title {number}"} | raw), (record,))


def back(body: bytes) -> list[dict[str, Any]]:
    found = datasets(parse(body, base="https://feed.example/"))
    return [Dataset.of(read(each.tree)).plain() for each in found]


NAMES: dict[str, Any] = {"one": "Une", "other": {"fr": "Autre", "nl": "Ander"}, "none": {}}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("field", ["relation", "in_series", "conforms_to", "source", "has_version"])
@pytest.mark.parametrize("order", list(permutations(NAMES)), ids="-".join)
def test_each_dataset_has_its_own_name_for_what_several_mention(order: tuple[str, ...], field: str, name: str) -> None:
    entries = [entry(n, {field: [{"uri": SHARED, "name": NAMES[said]}]}) for n, said in enumerate(order)]
    found = {each["uri"]: each[field] for each in back(page(INFO, entries, name=name))}
    for each in entries:
        assert isinstance(each.dataset, Dataset)
        assert found[each.iri] == each.dataset.plain()[field]


def test_names_that_differ_from_block_to_block_do_not_mix() -> None:
    document = Document(INFO, "nt", known=lambda _: {})
    entries = [entry(n, {"relation": [{"uri": SHARED, "name": said}]}) for n, said in enumerate(("Une", "Autre"))]
    body = document.head() + b"".join(document.block([each]) for each in entries) + document.foot()
    found = {each["uri"]: each["relation"][0]["name"] for each in back(body)}
    assert found == {"https://cat.example/d0": {"": "Une"}, "https://cat.example/d1": {"": "Autre"}}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATASET, st.sampled_from(FORMATS))
def test_what_is_written_as_dcat_ap_2_is_read_back(raw: dict[str, Any], name: str) -> None:
    dataset = Dataset.of(raw)
    assert back(write(dataset, name, profile=DCAT_AP_2)) == [dataset.plain()]


def _without_words(part: dict[str, Any]) -> dict[str, Any]:
    """A service takes the categories of its dataset where it has none that is known: its own words go with them."""
    inner = [_without_words(item) for item in part.get("access_service", ())]
    return {key: value for key, value in part.items() if key != "hvd_category"} | (
        {"access_service": inner} if inner else {}
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATASET, st.sampled_from(FORMATS))
def test_what_is_written_as_hvd_is_read_back(raw: dict[str, Any], name: str) -> None:
    plain = Dataset.of(raw).plain()
    lists = {name: [_without_words(part) for part in plain[name]] for name in PARTS if name in plain}
    dataset = Dataset.of(plain | lists)
    assert back(write(dataset, name, profile=HVD)) == [dataset.plain()]


def test_the_law_that_was_added_is_told_from_those_the_source_names() -> None:
    law = "https://law.example/1"
    dataset = Dataset.of({"uri": SHARED, "title": "T", "applicable_legislation": [law], "service": [{"title": "S"}]})
    body = write(dataset, "nt", profile=HVD)
    assert b"eli/reg_impl/2023/138" in body
    assert NAMELESS.encode() in body
    assert back(body) == [dataset.plain()]
