"""Documents too large for memory: the same trees as from memory, whatever the layout; nothing left on the disk."""

from __future__ import annotations

import gzip
import io
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.feeds import SYNTAXES, TYPES, feed
from connectors import dcat
from harvester.connector import Body, Page, Source, Walk
from harvester.errors import SourceError
from harvester.http import Http
from harvester.jsonio import digest
from harvester.model import Catalogue, Dataset
from harvester.rdf.graph import MOST_HELD, Graph, Literal
from harvester.rdf.parse import LIMITS, Limits, parse_file
from harvester.rdf.reading import read, read_catalogue
from harvester.rdf.shelf import Facts, Shelf
from harvester.rdf.text import MOST_TEXT
from harvester.rdf.trees import catalogue, datasets
from harvester.samples.serving import Portal, Reply, Request, as_transport
from harvester.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "corpus"
FIXTURES = sorted(path for path in (ROOT / "tests" / "portals" / "dcat").iterdir() if ".expected" not in path.name)
BASE = "http://portal.example/feed"
# Nothing fits: every document is read from its file, every statement goes to disk.
DISK = Limits(text=0, held=0)
TITLE = "http://purl.org/dc/terms/title"
XML = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/">{}</rdf:RDF>'


def told(body: bytes, limits: Limits, content_type: str | None = None) -> Any:
    """All that is read from a body: the trees, the troubles, or the error."""
    try:
        graph = parse_file(io.BytesIO(body), base=BASE, content_type=content_type, limits=limits)
    except SourceError as error:
        return error.code
    with closing(graph):
        found = datasets(graph)
        trees = [(item.guid, digest(item.tree), item.modified) for item in found]
        about = catalogue(graph)
        return (
            sorted(trees, key=str),
            sorted(found.repeated),
            [(trouble.code, trouble.lossy) for trouble in graph.troubles],
            digest(about),
            [sorted(said(graph, predicate)) for predicate in (TITLE, "http://www.w3.org/ns/dcat#dataset")],
        )


def said(graph: Graph, predicate: str) -> list[str]:
    return [text for value in graph.every(predicate) if not (text := str(value)).startswith("_:")]


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_a_document_says_the_same_from_memory_and_from_disk(path: Path) -> None:
    assert told(path.read_bytes(), DISK) == told(path.read_bytes(), LIMITS)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the corpus of real payloads is not beside this checkout")
def test_real_feeds_say_the_same_from_memory_and_from_disk() -> None:
    kinds = ("dcat-jsonld", "dcat-rdfxml", "dcat-turtle", "edge-fixtures")
    feeds = [path for kind in kinds for path in sorted((SHARED / kind).iterdir()) if path.stat().st_size < 400_000]
    differing = [path.name for path in feeds if told(path.read_bytes(), DISK) != told(path.read_bytes(), LIMITS)]
    assert len(feeds) > 50
    assert differing == []


NAMES = st.sampled_from([f"<http://x.example/{n}>" for n in range(6)] + [f"_:b{n}" for n in range(6)])
CLASSES = st.sampled_from(["Dataset", "Catalog", "Distribution", "CatalogRecord", "DataService", "DatasetSeries"])
LITERALS = st.sampled_from(['"a"', '"b"@fr', '"2024-01-01"^^<http://www.w3.org/2001/XMLSchema#date>', '"a"@en'])
PREDICATES = st.sampled_from(
    [f"<http://purl.org/dc/terms/{name}>" for name in ("title", "publisher", "relation", "hasPart", "identifier")]
    + [f"<http://www.w3.org/ns/dcat#{name}>" for name in ("dataset", "distribution", "servesDataset", "catalog")]
    + ["<http://xmlns.com/foaf/0.1/primaryTopic>", "<https://schema.org/name>", "<http://schema.org/name>"]
    + [f"<http://www.w3.org/1999/02/22-rdf-syntax-ns#{name}>" for name in ("first", "rest")]
)
TYPED = st.builds(
    "{} <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://www.w3.org/ns/dcat#{}> .".format, NAMES, CLASSES
)
SAID = st.builds("{} {} {} .".format, NAMES, PREDICATES, st.one_of(NAMES, LITERALS))


@given(st.lists(st.one_of(SAID, TYPED), min_size=1, max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_graph_gives_the_same_trees_from_memory_and_from_disk(lines: list[str]) -> None:
    body = "\n".join(lines).encode()
    assert told(body, DISK, "application/n-triples") == told(body, LIMITS, "application/n-triples")


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_what_is_far_apart_in_a_document_comes_together(syntax: str, tmp_path: Path) -> None:
    number = feed(tmp_path / "feed", syntax, 300_000)
    body = (tmp_path / "feed").read_bytes()
    apart = told(body, DISK, TYPES[syntax])
    assert apart == told(body, LIMITS, TYPES[syntax])
    assert len(apart[0]) == number
    if syntax == "ntriples":
        lines = body.splitlines(keepends=True)
        Random(1).shuffle(lines)
        assert told(b"".join(lines), DISK, TYPES[syntax])[0] == apart[0]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "iso-8859-1", "cp1252"])
def test_large_documents_come_in_every_encoding(encoding: str) -> None:
    text = XML.format(
        '<rdf:Description rdf:about="http://x.example/1"><dct:title>Été à Liège</dct:title></rdf:Description>'
    )
    head = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>\n'
    graph = parse_file(io.BytesIO((head + text).encode(encoding)), base=BASE, limits=DISK)
    with closing(graph):
        assert graph.values("http://x.example/1", TITLE) == [Literal("Été à Liège")]
        assert graph.troubles == []


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
        '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        f'<!DOCTYPE l [<!-- {"x" * 1_200_000} --><!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>',
    ],
    ids=["growing", "outside", "far from the start"],
)
def test_dangerous_entities_are_refused_in_large_documents(head: str) -> None:
    body = (head + XML.format("")).encode()
    with pytest.raises(SourceError) as caught:
        parse_file(io.BytesIO(body), base=BASE, limits=DISK)
    assert caught.value.code == "unsafe-xml"


CONTEXT = {"dct": "http://purl.org/dc/terms/", "dcat": "http://www.w3.org/ns/dcat#"}
NODES = [{"@id": f"http://x.example/{n}", "@type": "dcat:Dataset", "dct:title": f"T{n}"} for n in range(250)]


@pytest.mark.parametrize(
    "document",
    [
        {"@context": CONTEXT, "@graph": NODES},
        {"@graph": NODES, "@context": CONTEXT},
        {"@context": CONTEXT, "@id": "http://x.example/c", "@type": "dcat:Catalog", "dcat:dataset": NODES},
        {"@context": CONTEXT, "@type": ["dcat:Catalog"], "dct:title": "Ours", "dcat:dataset": NODES},
        {"@context": "https://elsewhere.example/c", "@type": "Catalog", "dataset": NODES, "title": ["a", "b"]},
        [{"@context": CONTEXT, **node} for node in NODES],
        NODES[0] | {"@context": CONTEXT},
    ],
    ids=["graph", "context last", "catalogue", "catalogue without a name", "context elsewhere", "list", "one node"],
)
def test_large_json_ld_is_read_piece_by_piece(document: Any) -> None:
    body = json.dumps(document).encode()
    assert told(body, DISK) == told(body, LIMITS)


@pytest.mark.parametrize("body", [b'{"@graph": [{"@id": "http://x.example/1", ', b'{"a" 1}', b"[1, 2"])
def test_large_json_that_is_broken_is_refused(body: bytes) -> None:
    assert told(body, DISK) == "bad-json"


def test_a_shelf_keeps_what_a_dictionary_keeps() -> None:
    chance, kept = Random(3), dict[str, Facts]()
    shelf = Shelf(places=20)
    with closing(shelf):
        for _ in range(60):
            nodes = {
                f"n{chance.randrange(90)}": {f"p{chance.randrange(3)}": [{"@value": str(chance.randrange(4))}]}
                for _ in range(7)
            }
            for name, facts in nodes.items():
                for predicate, values in facts.items():
                    before = kept.setdefault(name, {}).setdefault(predicate, [])
                    before += [value for value in values if value not in before]
            shelf.put(nodes)
        assert {name: shelf.get(name) for name in kept} == kept
        assert sorted(shelf.names()) == sorted(kept)
        assert all(name in shelf for name in kept)
        assert "other" not in shelf
        assert shelf.get("other") is None


def test_a_long_description_is_read_once_however_often_it_is_asked_for() -> None:
    shelf = Shelf()
    with closing(shelf):
        made = [{"@id": f"http://x.example/{number}"} for number in range(5000)]
        shelf.put({"org": {"made": made}, "d": {"title": [{"@value": "T"}]}})
        asked = [shelf.get(name) for name in ("org", "d", "org")]
        assert asked[0] is asked[2]
        shelf.put({"org": {"made": [{"@id": "http://x.example/last"}]}})
        assert shelf.get("org") == {"made": [*made, {"@id": "http://x.example/last"}]}


def test_a_description_repeated_with_every_dataset_is_written_once() -> None:
    shelf = Shelf()
    with closing(shelf):
        for number in range(500):
            shelf.put({"org": {"name": [{"@value": "Us"}]}, f"d{number}": {"title": [{"@value": "T"}]}})
        assert shelf.get("org") == {"name": [{"@value": "Us"}]}
        places = [name for name in shelf.names() if name == "org"]
    assert places == ["org"]


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    feed(tmp_path / "feed", "turtle", 300_000)
    body = io.BytesIO((tmp_path / "feed").read_bytes())
    with no_file_larger_than(10_000), pytest.raises(SourceError, match="TMPDIR") as caught:
        parse_file(body, base=BASE, limits=DISK)
    assert caught.value.code == "no-disk"


def test_temporary_files_that_cannot_be_made_are_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert told(b'<http://x.example/1> <http://purl.org/dc/terms/title> "A" .', DISK) == "no-disk"


def serving(body: bytes, content_type: str) -> Portal:
    def portal(request: Request) -> Reply:
        return Reply(200, body, content_type)

    return portal


def walk(body: bytes, content_type: str, known: Any = lambda digest: None, cap: int = 512 << 20) -> Iterator[Page]:
    allowed = Settings(private_hosts=("127.0.0.1",), max_response_bytes=cap)
    http = Http(allowed, transport=as_transport(serving(body, content_type)))
    return dcat.fetch(Source("feed", "http://127.0.0.1/feed"), http, Walk(known=known))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, int]:
    path = tmp_path_factory.mktemp("large") / "feed"
    number = feed(path, "turtle", MOST_TEXT + 500_000)
    return path.read_bytes(), number


def test_a_large_feed_is_walked_in_pages_and_leaves_nothing_behind(large: tuple[bytes, int]) -> None:
    body, number = large
    before = open_files()
    pages = list(walk(gzip.compress(body, 1), "text/turtle"))
    assert open_files() == before
    assert number * 60 > MOST_HELD
    assert [len(page.records) for page in pages[:-2]] == [100] * (len(pages) - 2)
    assert len({record.guid for page in pages for record in page.records}) == number
    assert pages[-1].whole is not None
    assert pages[-1].whole.records == number
    dataset = Dataset.of(read(pages[-2].records[-1].payload))
    assert dataset.publisher is not None
    assert dataset.publisher.name
    assert dataset.distribution[0].license is not None
    (again,) = walk(body, "text/turtle", known=lambda digest: Body(digest, number))
    assert again.unchanged is not None


def test_a_walk_that_is_stopped_leaves_nothing_behind(large: tuple[bytes, int]) -> None:
    before = open_files()
    pages = walk(large[0], "text/turtle")
    assert len(next(pages).records) == 100
    assert open_files() > before
    pages.close()  # type: ignore[attr-defined]
    assert open_files() == before


def test_a_feed_for_which_there_is_no_room_is_an_error_that_says_what_to_do(large: tuple[bytes, int]) -> None:
    before = open_files()
    with no_file_larger_than(1_000_000), pytest.raises(SourceError, match="TMPDIR") as caught:
        list(walk(large[0], "text/turtle"))
    assert caught.value.code == "no-disk"
    assert open_files() == before


def test_the_cap_holds_for_large_feeds(large: tuple[bytes, int]) -> None:
    before = open_files()
    with pytest.raises(SourceError) as caught:
        list(walk(gzip.compress(large[0], 1), "text/turtle", cap=MOST_TEXT + 100_000))
    assert caught.value.code == "too-large"
    assert open_files() == before


def test_a_large_feed_with_an_error_keeps_what_stands_around_it(large: tuple[bytes, int]) -> None:
    body, number = large
    middle = body.index(b"\n\n", len(body) // 2)
    pages: list[Page] = []
    with pytest.raises(SourceError) as caught:
        pages.extend(
            walk(body[:middle] + b"\n<http://x.example/broken> dct:title own:thing .\n" + body[middle:], "text/turtle")
        )
    assert caught.value.code == "broken-document"
    assert sum(len(page.records) for page in pages) >= number - 1
    assert all(page.doubtful for page in pages if page.records)


CATALOGUES = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @base <http://x.example/> .
<sub> a dcat:Catalog ; dct:title "Part" ; dcat:dataset <d1> .
<root> a dcat:Catalog ; dct:title "All"@en ; dcat:catalog <sub> ; dct:hasPart <d1> ; dcat:dataset <d1> , <d2> ;
  dct:publisher [ foaf:name "Us" ] ; foaf:homepage <home> ; dcat:themeTaxonomy <themes> ; dcat:record <r1> , <r2> ;
  dcat:service [ a dcat:DataService ; dct:title "S" ; dcat:endpointURL <api> ] .
<d1> a dcat:Dataset ; dct:title "One" . <d2> a dcat:Dataset ; dct:title "Two" .
<r1> a dcat:CatalogRecord ; foaf:primaryTopic <d1> ; dct:modified "2024-02-03" ; dct:source <old> .
<old> a dcat:CatalogRecord ; foaf:primaryTopic <d1> ; dct:modified "2020-01-01" .
<r2> a foaf:Document ; foaf:primaryTopic <d2> ; dct:title "A page about it" ."""


@pytest.mark.parametrize("limits", [LIMITS, DISK], ids=["memory", "disk"])
def test_the_catalogue_of_a_feed_is_the_one_that_holds_the_others(limits: Limits) -> None:
    graph = parse_file(io.BytesIO(CATALOGUES.encode()), base=BASE, limits=limits)
    with closing(graph):
        tree = catalogue(graph)
    assert tree is not None
    about = Catalogue.of(read_catalogue(tree))
    assert (about.uri, about.title) == ("http://x.example/root", {"en": "All"})
    assert about.publisher is not None
    assert about.publisher.name == {"": "Us"}
    assert [(part.uri, part.name) for part in about.has_part] == [("http://x.example/sub", {"": "Part"})]
    assert [service.title for service in about.service] == [{"": "S"}]
    assert about.homepage == "http://x.example/home"


def test_the_first_page_of_a_walk_says_what_the_catalogue_is() -> None:
    pages = list(walk(CATALOGUES.encode(), "text/turtle"))
    assert [page.catalogue is not None for page in pages] == [True, False]
    assert pages[0].catalogue is not None
    assert pages[0].catalogue["uri"] == "http://x.example/root"


def test_a_page_too_large_for_memory_says_what_the_catalogue_is_too() -> None:
    words = " , ".join(f'"word {number}"' for number in range(MOST_HELD + 1))
    more = "<http://x.example/page> <http://www.w3.org/ns/hydra/core#next> <http://127.0.0.1/feed?page=2> ."
    first = f"{CATALOGUES}\n<d1> dcat:keyword {words} .\n{more}"
    second = CATALOGUES.replace("<d1>", "<d3>").replace("<d2>", "<d4>")

    def portal(request: Request) -> Reply:
        return Reply(200, (second if dict(request.query).get("page") == "2" else first).encode(), "text/turtle")

    with Http(Settings(private_hosts=("127.0.0.1",)), transport=as_transport(portal)) as http:
        pages = list(dcat.fetch(Source("feed", "http://127.0.0.1/feed"), http, Walk()))
    assert [record.guid[-2:] for page in pages for record in page.records] == ["d1", "d2", "d3", "d4"]
    assert pages[0].catalogue is not None
    assert pages[0].catalogue["uri"] == "http://x.example/root"


def test_the_record_of_a_dataset_is_read_from_the_register_of_its_source() -> None:
    found = {
        record.guid: record.payload for page in walk(CATALOGUES.encode(), "text/turtle") for record in page.records
    }
    one, two = (Dataset.of(read(found[f"http://x.example/d{n}"])) for n in (1, 2))
    assert one.record is not None
    assert (one.record.uri, one.record.modified) == ("http://x.example/old", "2020-01-01")
    assert two.record is None
