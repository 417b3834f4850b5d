"""Reading RDF: every syntax and encoding, whatever the headers say; what is repaired, what is refused, what is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors import dcat
from harvester.connector import Record, Source
from harvester.errors import SourceError
from harvester.rdf import parse as parsing
from harvester.rdf.graph import Graph, Literal
from harvester.rdf.jsonld import localised, without_trailing_commas
from harvester.rdf.parse import parse
from harvester.rdf.trees import datasets

BASE = "https://feed.example/f"
FIXTURES = Path(__file__).parent / "portals" / "dcat"
PAYLOADS = sorted(path for path in FIXTURES.iterdir() if ".expected" not in path.name)
TITLE, KEYWORD = "http://purl.org/dc/terms/title", "http://www.w3.org/ns/dcat#keyword"
TTL = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> ."""
XML = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dct="http://purl.org/dc/terms/"'
    ' xmlns:dcat="http://www.w3.org/ns/dcat#">{}</rdf:RDF>'
)


def xml(inside: str) -> bytes:
    return XML.format(f'<dcat:Dataset rdf:about="https://x.example/1">{inside}</dcat:Dataset>').encode()


def titles(graph: Graph) -> list[str]:
    return [value.value for value in graph.every(TITLE) if isinstance(value, Literal)]


def codes(graph: Graph) -> list[tuple[str, bool]]:
    return [(trouble.code, trouble.lossy) for trouble in graph.troubles]


@pytest.mark.parametrize("path", PAYLOADS, ids=lambda path: path.name)
def test_payloads_become_the_expected_datasets(path: Path) -> None:
    graph = parse(path.read_bytes(), base=BASE)
    source = Source("feed", BASE)
    found = {item.guid: dcat.normalise(Record(item.guid, item.tree), source).plain() for item in datasets(graph)}
    expected = json.loads((FIXTURES / f"{path.stem}.expected.json").read_text("utf-8"))
    assert found == expected["datasets"]
    assert [trouble.code for trouble in graph.troubles] == expected["notes"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("syntax", ["ttl", "xml", "json"])
def test_encodings_are_recognised(syntax: str, encoding: str) -> None:
    text = {
        "ttl": f'{TTL} <https://x.example/1> a dcat:Dataset ; dct:title "Été" .',
        "xml": '<?xml version="1.0" encoding="ISO-8859-1"?>' + xml("<dct:title>Été</dct:title>").decode(),
        "json": '{"@id": "https://x.example/1", "@type": "dcat:Dataset", "dct:title": "Été"}',
    }[syntax]
    assert titles(parse(text.encode(encoding), base=BASE)) == ["Été"]


def test_latin_1_is_believed_where_utf_8_is_impossible() -> None:
    body = '<?xml version="1.0" encoding="ISO-8859-1"?>' + xml("<dct:title>Été</dct:title>").decode()
    assert titles(parse(body.encode("iso-8859-1"), base=BASE)) == ["Été"]


def test_repeated_statements_are_held_once() -> None:
    said = '<https://x.example/1> dct:title "A", "B" . '
    graph = parse((TTL + said * 50).encode(), base=BASE)
    assert titles(graph) == ["A", "B"]


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"# only a comment", b"<!DOCTYPE html><html><body>oops</body></html>", b"<html><p>no", b"\xff\xfe"],
)
def test_what_is_no_rdf_is_refused(body: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        parse(body, base=BASE)
    assert caught.value.code == "not-rdf"


@pytest.mark.parametrize(
    "subset",
    [
        '<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a "x">',
        f'<!ENTITY a "{"x" * 300}">',
    ],
)
def test_dangerous_entities_are_refused(subset: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(f"<!DOCTYPE l [{subset}]>".encode() + xml("<dct:title>&a;</dct:title>"), base=BASE)
    assert caught.value.code == "unsafe-xml"


def test_short_entities_are_read() -> None:
    head = b'<!DOCTYPE rdf:RDF [<!ENTITY who "Tom">]>'
    assert titles(parse(head + xml("<dct:title>&who;</dct:title>"), base=BASE)) == ["Tom"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Tom & Jerry", "Tom & Jerry"), ("caf&eacute;", "café"), ("<![CDATA[a & b]]> &", "a & b &")],
)
def test_xml_that_is_not_well_formed_is_repaired(written: str, meant: str) -> None:
    graph = parse(xml(f"<dct:title>{written}</dct:title>"), base=BASE)
    assert titles(graph) == [meant]
    assert codes(graph)[0] == ("repaired-xml", False)
    assert not any(trouble.lossy for trouble in graph.troubles)


def test_control_characters_do_not_keep_a_document_from_being_put_right() -> None:
    graph = parse(xml("stray <dct:title>a\x0bb</dct:title>"), base=BASE)
    assert titles(graph) == ["a b"]
    assert codes(graph) == [("repaired-xml", False), ("repaired-rdf-xml", False)]


def test_a_cut_document_has_lost_something() -> None:
    graph = parse(xml("<dct:title>A</dct:title>")[:-10], base=BASE)
    assert titles(graph) == ["A"]
    assert ("truncated", True) in codes(graph)


def test_well_known_prefixes_need_no_declaration() -> None:
    body = '@prefix dcat: <http://www.w3.org/ns/dcat#> .\n<https://x.example/1> a dcat:Dataset ; dct:title "A" ;'
    graph = parse(f'{body} foaf:page <https://x.example/p> ; dcat:keyword "foaf:x" .'.encode(), base=BASE)
    assert titles(graph) == ["A"]
    assert graph.values("https://x.example/1", KEYWORD) == [Literal("foaf:x")]
    assert codes(graph) == [("undeclared-prefix", False)]
    assert "dct, foaf;" in graph.troubles[0].message


def test_a_declaration_of_the_document_wins() -> None:
    text = '@prefix foaf: <https://own.example/> .\n<https://x.example/1> dct:title "A" ; foaf:page "p" .'
    assert list(parse(text.encode(), base=BASE).every("https://own.example/page")) == [Literal("p")]


def test_prefixes_nobody_knows_lose_their_statements() -> None:
    graph = parse(f'{TTL} <https://x.example/1> dct:title "A" ; own:thing 1 .'.encode(), base=BASE)
    assert titles(graph) == ["A"]
    assert codes(graph) == [("syntax-error", True)]


def test_well_known_prefixes_need_no_declaration_in_xml() -> None:
    body = xml("<dct:title>A</dct:title>").replace(b' xmlns:dct="http://purl.org/dc/terms/"', b"")
    graph = parse(b"<!-- <rdf:RDF> -->" + body, base=BASE)
    assert titles(graph) == ["A"]
    assert codes(graph) == [("undeclared-prefix", False)]


REPAIRABLE = {
    "properties right inside a property": (
        "<dct:temporal><dcat:startDate>2024</dcat:startDate><dcat:endDate>2025</dcat:endDate></dct:temporal>",
        ("http://www.w3.org/ns/dcat#endDate", Literal("2025")),
    ),
    "one property inside a property": (
        '<dct:publisher><dct:title xml:lang="fr">Nous</dct:title></dct:publisher>',
        (TITLE, Literal("Nous", "fr")),
    ),
    "several nodes inside a property": (
        '<dcat:distribution><dcat:Distribution rdf:about="https://x.example/a"/>'
        '<dcat:Distribution rdf:about="https://x.example/b"/></dcat:distribution>',
        ("http://www.w3.org/ns/dcat#distribution", "https://x.example/b"),
    ),
    "a reference with its label": (
        '<dcat:theme rdf:resource="https://x.example/t">Wasser</dcat:theme>',
        ("http://www.w3.org/2000/01/rdf-schema#label", Literal("Wasser")),
    ),
    "text beside elements": ("stray <dct:title>A</dct:title>", (TITLE, Literal("A"))),
}


@pytest.mark.parametrize("case", REPAIRABLE)
def test_elements_in_the_wrong_place_are_put_right(case: str) -> None:
    inside, (predicate, value) = REPAIRABLE[case]
    graph = parse(xml(f"<dct:identifier>i</dct:identifier>{inside}"), base=BASE)
    assert value in list(graph.every(predicate))
    assert codes(graph) == [("repaired-rdf-xml", False)]
    assert ("stray" in graph.troubles[0].message) == (case == "text beside elements")


def test_sound_parts_are_untouched_by_a_repair_beside_them() -> None:
    sound = (
        '<dct:description rdf:parseType="Literal">x &lt; y</dct:description>'
        "<dct:spatial><dct:Location><dct:title>L</dct:title></dct:Location></dct:spatial>"
        '<dct:relation rdf:parseType="Resource"><dct:title>R</dct:title></dct:relation>'
        '<dcat:theme rdf:parseType="Collection"><rdf:Description rdf:about="https://x.example/t"/></dcat:theme>'
    )
    alone, beside = (list(datasets(parse(xml(inside), base=BASE))) for inside in (sound, "stray" + sound))
    assert alone == beside


def test_too_many_errors_are_a_loss_and_only_some_are_listed() -> None:
    bad = "\n".join(f"<https://x.example/{n}> own:thing {n} ." for n in range(parsing.MOST_ERRORS + 5))
    graph = parse(
        f'{TTL} <https://x.example/> dct:title "A" .\n{bad} <https://x.example/> dct:title "B" .'.encode(), base=BASE
    )
    assert titles(graph) == ["A"]
    assert len(graph.troubles) == parsing.MOST_NOTED
    assert codes(graph)[:2] == [("too-many-errors", True), ("syntax-error", True)]


JSON: dict[str, Any] = {
    "@id": "https://x.example/1",
    "@type": "Dataset",
    "title": "A",
    "landingPage": "https://x.example/p",
}


@pytest.mark.parametrize(
    "context",
    [
        None,
        "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
        {"title": "http://purl.org/dc/terms/title"},
        ["https://elsewhere.example/c", {"title": {"@id": TITLE}}],
        {"@import": "https://elsewhere.example/c"},
    ],
)
def test_contexts_elsewhere_are_never_needed(context: Any) -> None:
    document = JSON if context is None else {"@context": context, **JSON}
    graph = parse(json.dumps(document).encode(), base=BASE)
    assert titles(graph) == ["A"]
    assert list(graph.every("http://www.w3.org/ns/dcat#landingPage")) == ["https://x.example/p"]
    remote = "elsewhere" in json.dumps(context) or isinstance(context, str)
    assert codes(graph) == ([("remote-context", False)] if remote else [])


def test_a_list_of_nodes_is_a_document() -> None:
    assert titles(parse(json.dumps([JSON]).encode(), base=BASE)) == ["A"]


def test_contexts_are_replaced_at_any_depth_and_named() -> None:
    document, remote = localised(
        {"a": [{"@context": "https://a.example"}], "@context": ["https://b.example", {"x": "y"}]}
    )
    assert sorted(remote) == ["https://a.example", "https://b.example"]
    assert "https://" not in json.dumps(document["a"][0]["@context"]).replace("https://w3id.org/", "")
    assert {"x": "y"} in document["@context"]


def test_schema_org_has_its_own_words() -> None:
    body = json.dumps(
        {"@context": "http://schema.org", "@type": "Dataset", "name": "A", "contentUrl": "https://x.example/"}
    )
    assert list(parse(body.encode(), base=BASE).every("http://schema.org/contentUrl")) == [
        Literal("https://x.example/")
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [('{"a": [1, 2,],}', '{"a": [1, 2]}'), ('{"a": "x,}"}', '{"a": "x,}"}'), (r'{"a": "\",}",}', r'{"a": "\",}"}')],
)
def test_trailing_commas_go_and_texts_stay(written: str, meant: str) -> None:
    assert json.loads(without_trailing_commas(written)) == json.loads(meant)


def test_hand_written_json_is_read_and_noted() -> None:
    graph = parse(b'{"@id": "https://x.example/1", "dct:title": "A",}', base=BASE)
    assert titles(graph) == ["A"]
    assert codes(graph) == [("repaired-json", False)]


@pytest.mark.parametrize("body", [b'{"@id": "https://x.example/1", "dct:title": ', b'{"a" 1}'])
def test_broken_json_is_refused(body: bytes) -> None:
    with pytest.raises(SourceError) as caught:
        parse(body, base=BASE)
    assert caught.value.code == "bad-json"


@pytest.mark.parametrize("suffix", [".ttl", ".nt"])
@pytest.mark.parametrize(
    ("tag", "language"), [("@fr_FR", "fr-fr"), ("@français", ""), ("@", ""), ("@fr", "fr"), ("@fr-t-nl", "fr-t-nl")]
)
def test_a_bad_language_tag_costs_only_itself(tag: str, language: str, suffix: str) -> None:
    rows = [
        f'<http://e.example/{n}> <http://purl.org/dc/terms/title> "a \\"@x b"{tag if n == 1 else "@fr"} .'
        for n in range(3)
    ]
    graph = parse("\n".join(rows).encode(), base=f"http://e.example/feed{suffix}")
    titles = [
        value for n in range(3) for value in graph.values(f"http://e.example/{n}", "http://purl.org/dc/terms/title")
    ]
    assert [getattr(value, "language", None) or "" for value in titles] == ["fr", language, "fr"]
    assert not [trouble for trouble in graph.troubles if trouble.lossy]
