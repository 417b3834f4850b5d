"""Pages and exports: closed in themselves, paged for Hydra readers, and accepted by the official shapes."""

from __future__ import annotations

from pathlib import Path

import pyshacl
import pytest
import rdflib

from harvester.model import Catalogue, Dataset
from harvester.rdf.catalogue import page
from harvester.rdf.entries import CatalogueInfo, Entry, Paging, RecordInfo
from harvester.rdf.export import export
from harvester.rdf.graph import Literal
from harvester.rdf.parse import parse
from harvester.rdf.reading import read
from harvester.rdf.serialise import serialise
from harvester.rdf.trees import datasets

SHARED = Path(__file__).parents[1] / ".." / "shared" / "dcat-ap"
SHACL = rdflib.Namespace("http://www.w3.org/ns/shacl#")
INFO = CatalogueInfo(
    "https://cat.example/catalog",
    Catalogue.of(
        {"title": {"fr": "Tout"}, "description": {"fr": "Le catalogue"}, "publisher": {"name": {"fr": "Nous"}}}
    ),
)
PAGING = Paging(
    "https://cat.example/catalog?page=1",
    2,
    1,
    "https://cat.example/catalog?page=1",
    "https://cat.example/catalog?page=2",
    next="https://cat.example/catalog?page=2",
)


def entry(number: int, dataset: Dataset | None = None) -> Entry:
    record = RecordInfo(
        f"https://cat.example/record/{number}",
        CatalogueInfo("https://cat.example/source/a", Catalogue.of({"title": "Portail A"})),
        f"guid-{number}",
        "2026-01-01",
        "2026-01-02T03:04:05Z",
    )
    plain = Dataset.of(
        {"title": f"Jeu {number}", "distribution": [{"download_url": "http://x.example/a.csv", "format": "csv"}]}
    )
    chosen = dataset or plain
    return Entry(chosen.uri or f"https://cat.example/dataset/{number}", chosen, (record,))


@pytest.mark.parametrize("name", ["ttl", "nt", "rdf", "jsonld"])
def test_an_export_in_chunks_is_one_document(name: str) -> None:
    entries = [entry(number) for number in range(1500)]
    chunks = list(export(INFO, iter(entries), name))
    assert len(chunks) > 3
    graph = parse(b"".join(chunks), base="https://cat.example/")
    assert not graph.troubles
    assert [found.guid for found in datasets(graph)] == [entry.iri for entry in entries]


def test_a_page_links_its_neighbours() -> None:
    graph = parse(serialise(page(INFO, [entry(1)], PAGING), "ttl"), base="https://cat.example/")
    assert list(graph.every("http://www.w3.org/ns/hydra/core#next")) == ["https://cat.example/catalog?page=2"]
    assert [found.guid for found in datasets(graph)] == ["https://cat.example/dataset/1"]


SERIES = "https://cat.example/dataset/series"


@pytest.mark.parametrize("first", ["series", "member"])
def test_a_dataset_is_described_once_however_late_it_is_written(first: str) -> None:
    member = Dataset.of({"title": "Jeu", "in_series": [{"uri": SERIES, "name": "Autre nom"}]})
    series = Dataset.of({"uri": SERIES, "kind": "series", "title": "La série"})
    entries = [entry(1, member), entry(2, series)]
    body = b"".join(export(INFO, entries if first == "member" else entries[::-1], "nt"))
    found = {item.guid: item.tree for item in datasets(parse(body, base="https://cat.example/"))}
    assert len(found) == 2
    again = Dataset.of(read(found[SERIES])).model_copy(update={"other_identifier": ()})
    assert again.plain() == series.plain()


@pytest.mark.parametrize("way", [1, -1])
def test_a_series_described_nowhere_has_what_the_shapes_demand(way: int) -> None:
    members = [Dataset.of({"title": "A", "service": [{"title": "S", "serves_dataset": [SERIES]}]})]
    members += [Dataset.of({"title": name, "in_series": [{"uri": SERIES, "name": name}]}) for name in "BC"]
    entries = [entry(number, member) for number, member in enumerate(members[::way])]
    graph = parse(serialise(page(INFO, entries), "nt"), base=INFO.iri)
    assert {kind.rpartition("#")[2] for kind in graph.types(SERIES)} == {"Dataset", "DatasetSeries"}
    assert graph.values(SERIES, "http://purl.org/dc/terms/title") == [Literal("B" if way > 0 else "C")]
    assert len(list(datasets(graph))) == 3


@pytest.mark.skipif(not SHARED.exists(), reason="the official shapes are not beside this checkout (../shared/dcat-ap)")
@pytest.mark.parametrize("sample", ["golden.ttl", "golden-hvd.ttl", "minimal-irionly.ttl"])
def test_pages_have_no_violation(sample: str) -> None:
    found = datasets(parse((SHARED / "sample" / sample).read_bytes(), base="https://feed.example/"))
    entries = [entry(number, Dataset.of(read(item.tree))) for number, item in enumerate(found)]
    data = rdflib.Graph().parse(data=serialise(page(INFO, [*entries, entry(99)], PAGING), "nt").decode(), format="nt")
    shapes = rdflib.Graph()
    for name in ("shapes", "range", "mdr-vocabularies.shape"):
        shapes.parse(SHARED / "shapes" / "dcat-ap-3.0.1" / f"{name}.ttl")
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none", meta_shacl=False)
    results = [result for result in report.objects(None, SHACL.result)]
    violations = [result for result in results if (result, SHACL.resultSeverity, SHACL.Violation) in report]
    assert [str(report.value(result, SHACL.resultMessage)) for result in violations] == []
