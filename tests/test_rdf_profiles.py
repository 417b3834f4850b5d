"""What is exported violates no official shape of any profile; what a profile does not know is kept aside."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pyshacl
import pytest
import rdflib
from hypothesis import HealthCheck, Phase, given, settings
from rdflib import DCAT, RDF, URIRef

from harvester.model import Catalogue, Dataset
from harvester.rdf.entries import CatalogueInfo, Entry, RecordInfo
from harvester.rdf.export import page
from harvester.rdf.namespaces import PREFIXES
from harvester.rdf.parse import parse
from harvester.rdf.profiles import PROFILES
from harvester.rdf.reading import read
from harvester.rdf.trees import datasets
from harvester.rdf.writing import write
from tests.rdf_datasets import CATALOGUE, DATASET
from tests.test_rdf_catalogue import INFO, PAGING, STONE, entry, graph

SHARED = Path(__file__).resolve().parents[2] / "shared" / "dcat-ap"
SHACL = rdflib.Namespace("http://www.w3.org/ns/shacl#")
CH, DCATAP = rdflib.Namespace(PREFIXES["ch"]), rdflib.Namespace(PREFIXES["dcatap"])
LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
MOBILITY = "http://data.europa.eu/bna/c_b79e35eb"
beside = pytest.mark.skipif(
    not SHARED.exists(), reason="the official shapes are not beside this checkout (../shared/dcat-ap)"
)
FILES = {
    "dcat-ap-3.0.1": ("dcat-ap-3.0.1", ("shapes", "range", "mdr-vocabularies.shape", "dcat-ap-SHACL")),
    "dcat-ap-2.1.1": (
        "dcat-ap-2.1.1",
        tuple(f"dcat-ap_2.1.1_shacl_{name}" for name in ("shapes", "range", "mdr-vocabularies.shape")),
    ),
    "dcat-ap-hvd-3.0.0": ("dcat-ap-hvd-3.0.0", ("hvd-SHACL-full",)),
}
HVD: dict[str, Any] = {
    "uri": "https://data.example/hvd",
    "title": {"fr": "Arrêts"},
    "applicable_legislation": [LAW],
    "hvd_category": [MOBILITY],
    "license": "lov2",
    "contact_point": [{"name": "Nous", "email": "a@b.example"}],
    "landing_page": ["https://data.example/page"],
    "in_series": [{"uri": "https://data.example/series", "name": "Série"}],
    "distribution": [{"access_url": "https://data.example/a.csv"}],
    "service": [{"uri": "https://data.example/api", "title": "API", "endpoint_url": "https://data.example/api/v1"}],
}


# A validator takes a second for an example: as many as there is time for, none twice to make it smaller.
QUICKLY = settings(
    max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)


@cache
def shapes(profile: str) -> rdflib.Graph:
    folder, names = FILES[profile]
    found = rdflib.Graph()
    for name in names:
        found.parse(SHARED / "shapes" / folder / f"{name}.ttl")
    # The official file points at two shapes that it does not contain, which stops the validator.
    for shape, inner in list(found.subject_objects(SHACL.property)):
        if found.value(inner, SHACL.path) is None:
            found.remove((shape, SHACL.property, inner))
    return found


def violations(data: bytes, profile: str) -> list[str]:
    parsed = graph(data, "nt")
    _, report, _ = pyshacl.validate(parsed, shacl_graph=shapes(profile), inference="none", meta_shacl=False)
    results = (result for result in report.objects(None, SHACL.result))
    return [
        " ".join(str(report.value(result, what)) for what in (SHACL.focusNode, SHACL.resultPath, SHACL.resultMessage))
        for result in results
        if (result, SHACL.resultSeverity, SHACL.Violation) in report
    ]


def exported(dataset: Dataset, profile: str) -> rdflib.Graph:
    return graph(write(dataset, "nt", "https://data.example/1", PROFILES[profile]), "nt")


@beside
@pytest.mark.parametrize("profile", ["dcat-ap-3.0.1", "dcat-ap-2.1.1"])
@pytest.mark.parametrize("sample", ["golden.ttl", "golden-hvd.ttl", "minimal-irionly.ttl"])
def test_pages_of_the_official_samples_have_no_violation(sample: str, profile: str) -> None:
    found = datasets(parse((SHARED / "sample" / sample).read_bytes(), base="https://feed.example/"))
    entries = [entry(number, Dataset.of(read(item.tree))) for number, item in enumerate(found)]
    data = page(INFO, [*entries, entry(99), STONE], PAGING, "nt", PROFILES[profile])
    assert violations(data, profile) == []


@beside
@pytest.mark.parametrize("profile", ["dcat-ap-3.0.1", "dcat-ap-2.1.1"])
@QUICKLY
@given(raw=DATASET, about=CATALOGUE)
def test_no_dataset_and_no_catalogue_violates_anything(
    raw: dict[str, Any], about: dict[str, Any], profile: str
) -> None:
    source = CatalogueInfo("https://cat.example/source/any", Catalogue.of(about))
    record = RecordInfo("https://cat.example/record/1", source, "guid", "2026-01-01", "2026-01-01")
    one = Entry("https://cat.example/dataset/1", Dataset.of(raw), (record,))
    assert violations(page(INFO, [one], None, "nt", PROFILES[profile]), profile) == []


@beside
@QUICKLY
@given(raw=DATASET)
def test_no_high_value_dataset_violates_anything(raw: dict[str, Any]) -> None:
    service, distribution = HVD["service"][0], HVD["distribution"][0]
    dataset = Dataset.of(
        {
            **raw,
            "license": "lov2",
            "hvd_category": [*raw.get("hvd_category", ()), MOBILITY],
            "service": [*raw.get("service", ()), service],
            "distribution": [*raw.get("distribution", ()), distribution],
        }
    )
    data = page(INFO, [entry(1, dataset), STONE], None, "nt", PROFILES["dcat-ap-hvd-3.0.0"])
    assert (None, DCAT.distribution, None) in graph(data, "nt")
    assert violations(data, "dcat-ap-hvd-3.0.0") == []
    assert violations(data, "dcat-ap-3.0.1") == []


def test_dcat_ap_2_has_its_own_names_for_what_changed() -> None:
    dataset = Dataset.of(
        {
            "title": "T",
            "kind": "series",
            "version": "7",
            "in_series": [{"uri": "https://data.example/s", "name": "S"}],
            "distribution": [
                {
                    "status": "COMPLETED",
                    "byte_size": 2**62 - 1,
                    "checksum": {"algorithm": "sha1", "value": "00ff"},
                },
                {"checksum": {"algorithm": "sha256", "value": "00ff"}},
            ],
        }
    )
    found = exported(dataset, "dcat-ap-2.1.1")
    assert [str(value) for value in found.objects(None, rdflib.OWL.versionInfo)] == ["7"]
    assert URIRef("http://purl.org/adms/status/Completed") in set(
        found.objects(None, URIRef(PREFIXES["adms"] + "status"))
    )
    assert [value.n3() for value in found.objects(None, DCAT.byteSize)] == [
        rdflib.Literal(str(2**62 - 1), datatype=rdflib.XSD.decimal).n3()
    ]
    assert (None, RDF.type, URIRef(PREFIXES["dcat"] + "DatasetSeries")) not in found
    assert (None, URIRef(PREFIXES["dcat"] + "inSeries"), None) not in found
    assert len(set(found.objects(None, URIRef(PREFIXES["spdx"] + "checksum")))) == 1
    assert len(set(found.objects(None, CH.checksum))) == 1


def test_high_value_is_copied_and_never_guessed() -> None:
    reason = PROFILES["dcat-ap-hvd-3.0.0"].reason
    assert reason(Dataset.of(HVD)) is None
    assert PROFILES["dcat-ap-3.0.1"].reason(Dataset.of({"title": "T"})) is None
    for field, why in (
        ("hvd_category", "its source does not say which HVD category it belongs to"),
        ("distribution", "it has no distribution"),
        ("service", "it has no data service"),
        ("license", "neither it nor all of its distributions and services have a licence"),
    ):
        assert reason(Dataset.of({name: value for name, value in HVD.items() if name != field})) == why
    plain = Dataset.of(
        {name: value for name, value in HVD.items() if name not in ("hvd_category", "applicable_legislation")}
    )
    assert reason(plain) == "its source does not call it a high-value dataset"
    assert (None, RDF.type, DCAT.Dataset) not in graph(
        page(INFO, [entry(1, plain)], None, "nt", PROFILES["dcat-ap-hvd-3.0.0"]), "nt"
    )


def test_what_a_high_value_dataset_has_goes_on_to_its_parts_and_is_marked() -> None:
    found = exported(Dataset.of(HVD), "dcat-ap-hvd-3.0.0")
    service = URIRef("https://data.example/api")
    [distribution] = found.subjects(RDF.type, DCAT.Distribution)
    assert found.value(distribution, DCATAP.applicableLegislation) == URIRef(LAW)
    assert sorted(str(name) for name in found.objects(distribution, CH.derived)) == [
        "applicable_legislation",
        "license",
    ]
    assert found.value(service, DCATAP.hvdCategory) == URIRef(MOBILITY)
    assert {str(name) for name in found.objects(service, CH.derived)} >= {"contact_point", "hvd_category", "page"}
    assert found.value(service, DCAT.contactPoint) is not None
