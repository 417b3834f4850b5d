"""Pages and exports of a catalogue: one document each, closed, with the records and catalogues behind the datasets."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from contextlib import closing
from typing import Any

import pytest
import rdflib
from rdflib import DCAT, DCTERMS, FOAF, PROV, RDF, SKOS, URIRef

from harvester.errors import UsageError
from harvester.model import CatalogRecord, Catalogue, Dataset, Identifier
from harvester.rdf.entries import CatalogueInfo, Entry, Paging, RecordInfo, Tombstone
from harvester.rdf.export import Document, export, page
from harvester.rdf.namespaces import PREFIXES
from harvester.rdf.parse import parse
from harvester.rdf.profiles import PROFILES, profile_named
from harvester.rdf.reading import read
from harvester.rdf.trees import datasets

ADMS, CH = rdflib.Namespace(PREFIXES["adms"]), rdflib.Namespace(PREFIXES["ch"])
THEIRS = {"nt": "nt", "ttl": "turtle", "rdf": "xml", "jsonld": "json-ld", "nq": "nquads", "trig": "trig"}
INFO = CatalogueInfo(
    "https://cat.example/catalog",
    Catalogue.of(
        {"title": {"fr": "Tout"}, "description": {"fr": "Le catalogue"}, "publisher": {"name": {"fr": "Nous"}}}
    ),
)
SOURCE = CatalogueInfo(
    "https://cat.example/source/a", Catalogue.of({"title": {"fr": "Portail A"}}), "https://a.example/catalogue"
)
FIRST = "https://cat.example/catalog?page=1"
PAGING = Paging(FIRST, 2, 1, FIRST, "https://cat.example/catalog?page=2", next="https://cat.example/catalog?page=2")
SERIES = "https://cat.example/dataset/series"
STONE = Tombstone(
    "https://cat.example/dataset/gone", "https://cat.example/record/gone", "2026-01-01", "2026-02-02T00:00:00Z",
    "https://cat.example/dataset/1",
)  # fmt: skip


def entry(number: int, dataset: Dataset | None = None, **more: Any) -> Entry:
    record = RecordInfo(
        f"https://cat.example/record/{number}",
        SOURCE,
        f"guid-{number}",
        "2026-01-01",
        "2026-01-02T03:04:05Z",
        "2026-01-05T03:04:05Z",
        more.pop("upstream", None),
    )
    plain = Dataset.of(
        {"title": f"Jeu {number}", "distribution": [{"download_url": "http://x.example/a.csv", "format": "csv"}]}
    )
    chosen = dataset or plain
    return Entry(chosen.uri or f"https://cat.example/dataset/{number}", chosen, (record,), **more)


def graph(data: bytes, name: str = "ttl") -> rdflib.Graph:
    with warnings.catch_warnings():
        # rdflib's JSON-LD and dataset readers use their own deprecated classes.
        warnings.simplefilter("ignore", DeprecationWarning)
        if name not in ("nq", "trig"):
            return rdflib.Graph().parse(data=data, format=THEIRS[name])
        quads = rdflib.Dataset(default_union=True)
        quads.parse(data=data, format=THEIRS[name])
        found = rdflib.Graph()
        for triple in quads.triples((None, None, None)):
            found.add(triple)
        return found


def node(number: int) -> URIRef:
    return URIRef(f"https://cat.example/dataset/{number}")


@pytest.mark.parametrize("name", ["ttl", "nt", "rdf", "jsonld"])
def test_an_export_in_pieces_is_one_document(name: str) -> None:
    entries = [entry(number) for number in range(1100)]
    chunks = list(export(INFO, iter(entries), name))
    assert len(chunks) > 5
    with closing(parse(b"".join(chunks), base="https://cat.example/")) as parsed:
        assert not parsed.troubles
        assert [found.guid for found in datasets(parsed)] == [entry.iri for entry in entries]


@pytest.mark.parametrize("name", THEIRS)
def test_blocks_that_were_kept_are_put_together_in_any_order(name: str) -> None:
    document = Document(INFO, name, known=lambda iris: {})
    head, foot = document.head([SOURCE], PAGING), document.foot()
    blocks = [Document(INFO, name, known=lambda iris: {}).block([entry(number)]) for number in range(4)]
    whole = Document(INFO, name, known=lambda iris: {}).block([entry(number) for number in range(4)])
    found = [graph(head + body + foot, name) for body in (b"".join(blocks), b"".join(blocks[::-1]), whole)]
    assert len({len(one) for one in found}) == 1
    for one in found:
        assert set(one.objects(URIRef(INFO.iri), DCAT.dataset)) == {node(number) for number in range(4)}


def test_the_same_entries_give_the_same_bytes_whatever_came_before() -> None:
    document = Document(INFO, "nt", known=lambda iris: {})
    document.block([entry(number) for number in range(10)])
    assert document.block([entry(3)]) == Document(INFO, "nt", known=lambda iris: {}).block([entry(3)])


@pytest.mark.parametrize("name", THEIRS)
def test_nothing_at_all_is_a_document_too(name: str) -> None:
    assert (URIRef(INFO.iri), RDF.type, DCAT.Catalog) in graph(b"".join(export(INFO, [], name)), name)


def test_a_page_links_its_neighbours() -> None:
    parsed = parse(page(INFO, [entry(1)], PAGING), base="https://cat.example/")
    assert [
        value["@id"] if isinstance(value, dict) else value for value in parsed.every(PREFIXES["hydra"] + "next")
    ] == ["https://cat.example/catalog?page=2"]
    assert [found.guid for found in datasets(parsed)] == ["https://cat.example/dataset/1"]


def test_unknown_formats_and_profiles_are_refused_at_once() -> None:
    with pytest.raises(UsageError, match="no RDF format 'doc'"):
        export(INFO, [], "doc")
    with pytest.raises(UsageError, match="no profile 'dcat-ap-9'"):
        profile_named("dcat-ap-9")
    assert profile_named("<http://data.europa.eu/r5r/>").name == "dcat-ap-3.0.1"
    assert profile_named("HVD") is PROFILES["dcat-ap-hvd-3.0.0"]


@pytest.mark.parametrize("first", ["series", "member"])
def test_a_dataset_is_described_once_however_late_it_is_written(first: str) -> None:
    member = Dataset.of({"title": "Jeu", "in_series": [{"uri": SERIES, "name": "Autre nom"}]})
    series = Dataset.of({"uri": SERIES, "kind": "series", "title": "La série"})
    entries = [entry(1, member), entry(2, series)]
    body = b"".join(export(INFO, entries if first == "member" else entries[::-1], "nt"))
    found = {item.guid: item.tree for item in datasets(parse(body, base="https://cat.example/"))}
    assert len(found) == 2
    again = Dataset.of(read(found[SERIES])).model_copy(update={"other_identifier": (), "record": None})
    assert again.plain() == series.plain()


@pytest.mark.parametrize("way", [1, -1])
def test_a_series_described_nowhere_has_what_the_shapes_demand(way: int) -> None:
    members = [Dataset.of({"title": "A", "service": [{"title": "S", "serves_dataset": [SERIES]}]})]
    members += [Dataset.of({"title": name, "in_series": [{"uri": SERIES, "name": name}]}) for name in "BC"]
    entries = [entry(number, member) for number, member in enumerate(members[::way])]
    found = graph(page(INFO, entries))
    assert set(found.objects(URIRef(SERIES), RDF.type)) == {
        DCAT.Dataset,
        URIRef(PREFIXES["dcat"] + "DatasetSeries"),
        DCAT.Resource,
    }
    assert [str(title) for title in found.objects(URIRef(SERIES), DCTERMS.title)] == ["B" if way > 0 else "C"]
    assert len(list(datasets(parse(page(INFO, entries), base=INFO.iri)))) == 3


def test_of_a_dataset_on_another_page_only_what_it_says_itself_is_told() -> None:
    member = Dataset.of({"title": "Jeu", "in_series": [{"uri": SERIES, "name": "Autre nom"}]})
    series = Dataset.of({"uri": SERIES, "kind": "series", "title": {"fr": "La série"}})
    asked: list[list[str]] = []

    def known(iris: Collection[str]) -> dict[str, Dataset]:
        asked.append(list(iris))
        return {SERIES: series}

    mention = graph(page(INFO, [entry(1, member)], known=known))
    itself = graph(page(INFO, [entry(2, series)]))
    assert asked == [[SERIES]]
    added = set(mention.triples((URIRef(SERIES), None, None))) - set(itself.triples((URIRef(SERIES), None, None)))
    # The name it is mentioned by, and that this is a mention.
    assert {predicate for _, predicate, _ in added} == {rdflib.RDFS.label, CH.reference}


def test_a_record_tells_when_we_saw_the_dataset_and_what_its_source_registered() -> None:
    upstream = CatalogRecord.model_validate(
        {"uri": "https://a.example/record/7", "modified": "2025-05-05", "title": {"fr": "Fiche"}}
    )
    found = graph(page(INFO, [entry(1, upstream=upstream)]))
    record = URIRef("https://cat.example/record/1")
    assert found.value(record, FOAF.primaryTopic) == node(1)
    assert str(found.value(record, DCTERMS.issued)) == "2026-01-01"
    assert str(found.value(record, DCTERMS.modified)) == "2026-01-02T03:04:05+00:00"
    assert str(found.value(record, CH.lastSeen)) == "2026-01-05T03:04:05+00:00"
    assert str(found.value(record, DCTERMS.identifier)) == "guid-1"
    assert found.value(record, ADMS.status) == URIRef("http://purl.org/adms/changetype/updated")
    theirs = found.value(record, DCTERMS.source)
    assert theirs == URIRef("https://a.example/record/7")
    assert found.value(theirs, FOAF.primaryTopic) == node(1)
    assert str(found.value(theirs, DCTERMS.modified)) == "2025-05-05"


def test_a_record_of_the_source_without_a_date_gets_one_that_is_marked() -> None:
    dataset = Dataset.of({"title": "T", "record": {"title": {"fr": "Fiche"}}})
    found = graph(page(INFO, [entry(1, dataset)]))
    theirs = found.value(URIRef("https://cat.example/record/1"), DCTERMS.source)
    assert str(found.value(theirs, DCTERMS.title)) == "Fiche"
    assert str(found.value(theirs, DCTERMS.modified)) == "2026-01-01"
    assert str(found.value(theirs, CH.derived)) == "modified"


def test_every_identifier_is_there_once() -> None:
    dataset = Dataset.of(
        {
            "title": "T",
            "uri": "https://other.example/d/1",
            "other_identifier": [{"notation": "guid-1", "agency": "A"}, {"notation": "10.5072/x", "agency": "DOI"}],
        }
    )
    one = entry(1, dataset, identifiers=(Identifier(notation="old", agency="B"), Identifier(notation="10.5072/x")))
    found = graph(page(INFO, [Entry("https://cat.example/dataset/1", *(one.dataset, one.records, one.identifiers))]))
    seen = [
        (str(found.value(item, SKOS.notation)), str(found.value(item, ADMS.schemaAgency)))
        for item in found.objects(node(1), ADMS.identifier)
    ]
    assert sorted(seen) == [
        ("10.5072/x", "DOI"), ("guid-1", "A"), ("https://other.example/d/1", "other.example"), ("old", "B"),
    ]  # fmt: skip


def test_the_sources_are_catalogues_in_ours_with_their_datasets() -> None:
    found = graph(page(INFO, [entry(1), entry(2)]))
    ours, source = URIRef(INFO.iri), URIRef(SOURCE.iri)
    assert (ours, DCAT.catalog, source) in found
    assert (ours, DCTERMS.hasPart, source) in found
    assert set(found.objects(source, DCAT.dataset)) == {node(1), node(2)}
    assert len(set(found.objects(source, DCAT.record))) == 2
    assert (source, PROV.wasDerivedFrom, URIRef("https://a.example/catalogue")) in found
    assert {str(name) for name in found.objects(source, CH.derived)} == {"description", "publisher", "theme_taxonomy"}
    assert str(found.value(found.value(source, DCTERMS.publisher), FOAF.name)) == "Portail A"


def test_a_catalogue_is_described_in_the_head_or_else_in_the_foot() -> None:
    for sources in ([SOURCE], []):
        document = Document(INFO, "nt")
        data = document.head(sources) + document.block([entry(1)]) + document.foot()
        titles = [str(title) for title in graph(data, "nt").objects(URIRef(SOURCE.iri), DCTERMS.title)]
        assert titles == ["Portail A"]


def test_what_is_gone_leaves_a_record_and_is_listed_no_more() -> None:
    data = page(INFO, [entry(1), STONE])
    found = graph(data)
    record, gone = URIRef(STONE.record), URIRef(STONE.iri)
    assert found.value(record, ADMS.status) == URIRef("http://purl.org/adms/changetype/deleted")
    assert found.value(record, FOAF.primaryTopic) == gone
    assert str(found.value(record, DCTERMS.modified)) == "2026-02-02T00:00:00+00:00"
    assert found.value(gone, DCTERMS.isReplacedBy) == node(1)
    assert (None, DCAT.dataset, gone) not in found
    assert [item.guid for item in datasets(parse(data, base=INFO.iri))] == [str(node(1))]


def test_the_catalogue_of_one_source_is_no_part_of_itself() -> None:
    found = graph(page(SOURCE, [entry(1)]))
    source = URIRef(SOURCE.iri)
    assert set(found.objects(source, DCAT.dataset)) == {node(1)}
    assert (source, DCAT.catalog, source) not in found
    assert len(set(found.objects(source, DCTERMS.publisher))) == 1
    assert (source, PROV.wasDerivedFrom, URIRef("https://a.example/catalogue")) in found


def test_a_shared_agent_that_two_sources_describe_is_described_once_in_a_whole_document() -> None:
    shared = "https://org.example/agent"
    kinds = ["http://purl.org/adms/publishertype/NationalAuthority", "http://purl.org/adms/publishertype/Company"]
    document = Document(INFO, "nt")
    blocks = [
        document.block(
            [entry(number, Dataset.of({"title": "A", "publisher": {"uri": shared, "name": "X", "type": kind}}))]
        )
        for number, kind in enumerate(kinds)
    ]
    body = document.head() + b"".join(blocks) + document.foot()
    graph = rdflib.Graph().parse(data=body, format="nt")
    assert len([*graph.objects(rdflib.URIRef(shared), rdflib.DCTERMS.type)]) == 1
    found = [Dataset.of(read(item.tree)).publisher for item in datasets(parse(body, base=INFO.iri))]
    assert [(agent.uri, agent.type.uri) for agent in found if agent and agent.type] == [
        (shared, kind) for kind in kinds
    ]


def test_a_part_never_speaks_for_a_dataset_of_the_same_page() -> None:
    first = Dataset.of(
        {"uri": "https://x.example/1", "title": "One", "publisher": {"uri": "https://x.example/2", "name": "P"}}
    )
    second = Dataset.of({"uri": "https://x.example/2", "title": "Two", "issued": "2020-01-01"})
    body = page(INFO, [entry(1, first), entry(2, second)], name="ttl")
    found = {item.guid: Dataset.of(read(item.tree)) for item in datasets(parse(body, base=INFO.iri))}
    assert found["https://x.example/2"].title == {"": "Two"}
    publisher = found["https://x.example/1"].publisher
    assert publisher is not None
    assert (publisher.uri, publisher.name) == ("https://x.example/2", {"": "P"})
    graph = rdflib.Graph().parse(data=body, format="turtle")
    assert (rdflib.URIRef("https://x.example/2"), rdflib.RDF.type, rdflib.FOAF.Agent) not in graph
