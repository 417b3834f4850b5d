"""Rules, shapes and findings: each violation is found where it stands, and as the official shapes find it."""

from __future__ import annotations

from pathlib import Path

import pyshacl
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import SH

from harvester.errors import SourceError, UsageError
from harvester.rdf.namespaces import expand
from harvester.validate import Finding, Severity, Totals, read_shapes
from harvester.validate.feeds import Feed
from harvester.validate.parts import CATALOGUE, LINKS, Cutter, batches
from harvester.validate.running import Asked, checked, parts_of, quieten
from harvester.validate.shapes import without_dangling
from tests.validated import PREFIXES, VARIANTS, expected, turtle

BASE = "https://harbour.example/"
V3 = [f"dcat-ap-3.0.1/{name}.ttl" for name in ("shapes", "range", "mdr-vocabularies.shape")]
OFFICIAL = {
    "dcat-ap-3.0.1": V3,
    "dcat-ap-2.1.1": [
        f"dcat-ap-2.1.1/dcat-ap_2.1.1_shacl_{name}.ttl" for name in ("shapes", "range", "mdr-vocabularies.shape")
    ],
    "dcat-ap-hvd-3.0.0": [*V3, "dcat-ap-hvd-3.0.0/hvd-SHACL-full.ttl"],
}
CLOSED = Asked("dcat-ap-3.0.1", closed=True)
Place = tuple[str, str]


@pytest.fixture(autouse=True)
def _quiet() -> None:
    quieten()


def feed_of(body: bytes) -> Feed:
    feed = Feed()
    feed.parse(body, BASE)
    return feed


def findings(body: bytes, asked: Asked | None = None, processes: int = 1) -> list[Finding]:
    asked = asked or CLOSED
    parts = parts_of(feed_of(body), asked, asked.graph())
    return [finding for _, found in checked(parts, asked, processes) for finding in found]


def violations(body: bytes, asked: Asked | None = None) -> list[Finding]:
    return [found for found in findings(body, asked) if found.severity is Severity.VIOLATION]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_change_violates_what_it_touches_and_nothing_else(name: str) -> None:
    assert {found.path for found in violations(turtle(name))} == expected(name)


def places(found: list[Finding]) -> set[Place]:
    """Which properties of which nodes; nodes without a name are alike."""
    return {("" if finding.node[:4] != "http" else finding.node, predicate(finding.path)) for finding in found}


def predicate(path: str) -> str:
    """The IRI of a property; results about several properties have none."""
    return "" if not path or "|" in path else expand(path)


def as_they_say(data: rdflib.Graph, shapes: rdflib.Graph) -> set[Place]:
    """The violations the official way: the whole graph against the files as they are."""
    _, report, _ = pyshacl.validate(data, shacl_graph=shapes, inference="none")
    assert isinstance(report, rdflib.Graph)
    found = set()
    for result in report.objects(None, SH.result):
        if (result, SH.resultSeverity, SH.Violation) in report:
            focus, path = report.value(result, SH.focusNode), report.value(result, SH.resultPath)
            found.add((named_or_not(focus), named_or_not(path)))
    return found


def named_or_not(node: object) -> str:
    return str(node) if isinstance(node, rdflib.URIRef) else ""


def untouched(paths: list[Path]) -> rdflib.Graph:
    shapes = rdflib.Graph()
    for path in paths:
        shapes.parse(path)
    without_dangling(shapes)
    return shapes


@pytest.mark.parametrize("profile", OFFICIAL)
def test_our_rules_and_the_official_shapes_agree(profile: str, shared: Path) -> None:
    paths = [shared / "dcat-ap/shapes" / name for name in OFFICIAL[profile]]
    official, theirs = untouched(paths), Asked("dcat-ap-3.0.1", tuple(paths), closed=True)
    ours = Asked(profile, closed=True)
    samples = [path.read_bytes() for path in sorted((shared / "dcat-ap/sample").glob("*.ttl"))]
    # Every variant on a host of its own, all in one document.
    variants = b"".join(turtle(name).replace(b"harbour", b"h%d" % n) for n, name in enumerate(VARIANTS))
    for body in (*samples, variants):
        wanted = as_they_say(rdflib.Graph().parse(data=body, format="turtle", publicID=BASE), official)
        assert places(violations(body, theirs)) == wanted
        assert places(of_all(body, ours)) == wanted
        assert wanted or body in samples


def of_all(body: bytes, asked: Asked) -> list[Finding]:
    """The violations of every part: the official files ask of any dataset to be a high-value one."""
    parts = parts_of(feed_of(body), CLOSED, asked.graph())
    found = [finding for _, several in checked(parts, asked) for finding in several]
    return [finding for finding in found if finding.severity is Severity.VIOLATION]


def test_property_shapes_of_their_own_find_the_same(shared: Path) -> None:
    """Read shapes name their targets themselves, which is twice as fast; nothing is found or lost by it."""
    paths = [shared / "dcat-ap/shapes" / name for name in OFFICIAL["dcat-ap-3.0.1"]]
    data = rdflib.Graph().parse(shared / "dcat-ap/sample/minimal-irionly.ttl")
    assert as_they_say(data, read_shapes(paths)) == as_they_say(data, untouched(paths))


def test_what_is_wrong_is_told_where_it_stands() -> None:
    body = turtle("size as an integer").replace(b"dcat:distribution <csv>", b"dcat:distribution <map> , <csv>")
    other = b'<map> a dcat:Distribution ; dct:title "Map"@en ; dcat:accessURL <map.png> .'
    body = body.replace(b"<csv> a dcat:Distribution ;", other + b" <csv> a dcat:Distribution ;")
    (found,) = violations(body)
    assert (found.resource, found.title, found.where) == (f"{BASE}ds", "Tides", "distribution 2 «Table»")
    assert (found.path, found.label, found.value) == ("dcat:byteSize", "byte size", "“12” (xsd:integer)")
    assert found.problem == "is not typed as xsd:nonNegativeInteger"
    assert found.advice == "give the size in bytes, a whole number"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no access URL", "is missing"),
        ("two rights", "stands more than once; only 1 may"),
        ("licence as text", "is text; a licence (dct:LicenseDocument) is wanted"),
        ("licence not described", "points at something that is not said to be a licence (dct:LicenseDocument)"),
        ("frequency not in the table", "is not in the EU table of frequencies"),
        ("algorithm as SPDX names it", "is not in the SPDX list of checksum algorithms"),
        (
            "distribution issued as plain text",
            "is not typed as xsd:date or typed as xsd:dateTime",
        ),
        ("size below zero", "is no valid xsd:nonNegativeInteger"),
        ("title as an address", "is an address (IRI); text is wanted"),
        ("record about a page", "is not a catalogue (dcat:Catalog) or a data service (dcat:DataService)"),
    ],
)
def test_a_sentence_says_what_is_wrong(name: str, problem: str) -> None:
    assert [found.problem for found in violations(turtle(name)) if found.problem.startswith(problem)]


def test_the_tables_are_at_hand_unless_a_file_has_to_be_complete() -> None:
    eu = "http://publications.europa.eu/resource/authority/"
    body = turtle("nothing").replace(b"dct:language <english>", f"dct:language <{eu}language/FRA>".encode())
    assert violations(body, Asked("dcat-ap-3.0.1")) == []
    assert {found.path for found in violations(body)} == {"dct:language"}
    invented = body.replace(b"language/FRA", b"language/XXYYZZ")
    assert {found.path for found in violations(invented, Asked("dcat-ap-3.0.1"))} == {"dct:language"}


def test_a_vocabulary_describes_what_the_data_only_mention(tmp_path: Path) -> None:
    file = tmp_path / "own.ttl"
    file.write_bytes((PREFIXES + "<other> a dct:LicenseDocument .").encode())
    asked = Asked("dcat-ap-3.0.1", vocabulary=(file,), closed=True)
    assert violations(turtle("licence not described"), asked) == []


def test_what_only_a_vocabulary_describes_is_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "own.ttl"
    file.write_bytes((PREFIXES + "<daily> a skos:Concept ; skos:inScheme eu:frequency .").encode())
    body = turtle("nothing").replace(b'<daily> a dct:Frequency , skos:Concept ; skos:prefLabel "daily"@en ;', b"<d2> ")
    wrong = violations(body, Asked("dcat-ap-3.0.1", vocabulary=(file,), closed=True))
    assert {(found.node, found.path) for found in wrong} == {(f"{BASE}ds", "dct:accrualPeriodicity")}


def test_recommendations_are_warnings() -> None:
    wished = {found.path for found in findings(turtle("nothing")) if found.severity is Severity.WARNING}
    assert {"adms:status", "dct:license", "dct:publisher"} <= wished
    assert {found.path for found in findings(turtle("title without language tag"))} - wished == {"dct:title"}


def test_what_an_export_filled_in_is_told() -> None:
    own = "@prefix ch: <https://w3id.org/catalogue-harvester/ns#> . "
    body = own.encode() + turtle("nothing").replace(
        b"dcat:accessURL <tides.csv>", b'dcat:accessURL <tides.csv> ; ch:derived "access_url"'
    )
    (found,) = (found for found in findings(body) if found.severity is Severity.DERIVED)
    assert (found.where, found.path, found.value) == ("distribution «Table»", "dcat:accessURL", f"{BASE}tides.csv")


def test_a_node_that_many_datasets_share_is_told_once() -> None:
    body = turtle("publisher without name") + b"".join(
        f'<d{n}> a dcat:Dataset ; dct:title "T"@en ; dct:description "D"@en ; dct:publisher <port> .'.encode()
        for n in range(300)
    )
    totals = Totals()
    told = [found for found in violations(body) if totals.new(found)]
    assert [(found.node, found.path) for found in told] == [(f"{BASE}port", "foaf:name")]
    assert totals.of(Severity.VIOLATION) == 1


def test_a_long_catalogue_is_cut_and_every_link_is_looked_at() -> None:
    number = 2 * LINKS + 10
    listed = " , ".join(f"<x{n}>" for n in range(number))
    body = turtle("nothing") + f"<cat> dcat:dataset {listed} .".encode()
    feed = feed_of(body)
    cutter = Cutter(feed, lambda iri: [])
    parts = list(parts_of(feed, CLOSED, CLOSED.graph()))
    assert max(len(part.triples) for part in parts) < 3 * LINKS
    assert len([part for part in parts if part.kind == CATALOGUE]) == 3
    assert len(list(cutter.links(next(iter(feed.typed[CATALOGUE])), CATALOGUE))) == 2
    assert len(violations(body)) == number


def test_parts_are_checked_together_without_mixing() -> None:
    """Whatever stands in one batch, findings are about the dataset they belong to."""
    names = ["no title", "no access URL", "two licences"]
    bodies = [turtle(name).replace(BASE.encode(), f"https://h{n}.example/".encode()) for n, name in enumerate(names)]
    feed = Feed()
    for body in bodies:
        feed.parse(body, BASE)
    parts = list(parts_of(feed, CLOSED, CLOSED.graph()))
    assert len(list(batches(parts, 100_000))) == 1
    found = [item for _, several in checked(parts, CLOSED) for item in several if item.severity is Severity.VIOLATION]
    assert {(item.resource, item.path) for item in found} == {
        ("https://h0.example/ds", "dct:title"),
        ("https://h1.example/ds", "dcat:accessURL"),
        ("https://h2.example/ds", "dct:license"),
    }


def test_two_processes_find_what_one_finds() -> None:
    body = turtle("two licences")
    assert set(findings(body, CLOSED, 2)) == set(findings(body, CLOSED, 1))


HVD = """
<ds> dcatap:hvdCategory <http://data.europa.eu/bna/c_b79e35eb> ;
  dcatap:applicableLegislation <http://data.europa.eu/eli/reg_impl/2023/138/oj> .
<other> a dcat:Dataset ; dct:title "Other"@en .
"""


def test_only_high_value_datasets_are_held_to_their_profile() -> None:
    body = turtle("nothing") + HVD.encode()
    wrong = violations(body, Asked("dcat-ap-hvd-3.0.0"))
    assert {found.resource for found in wrong} == {f"{BASE}ds"}
    assert {(found.where, found.path) for found in wrong if found.where} >= {
        ("distribution «Table»", "dcatap:applicableLegislation"),
        ("data service «Interface»", "dcat:contactPoint"),
        ("data service «Interface»", "dct:license|dct:rights"),
    }
    assert violations(turtle("nothing"), Asked("dcat-ap-hvd-3.0.0")) == []


def test_names_and_tags_that_are_none_are_told_and_stop_nothing() -> None:
    body = (
        b"<https://h.example/a b> a <http://www.w3.org/ns/dcat#Dataset> .\n"
        b'<https://h.example/a b> <http://purl.org/dc/terms/title> "T"@toolongsubtag .\n'
        b"<https://h.example/a b> <http://www.w3.org/ns/dcat#distribution> <https://h.example/{x}> .\n"
        b'<https://h.example/{x}> <http://purl.org/dc/terms/issued> "x"^^<http://h.example/d t> .\n'
    )
    found = violations(body)
    assert {(item.path, item.value) for item in found if item.constraint == "IRI"} == {
        ("", "https://h.example/a b"),
        ("dcat:distribution", "https://h.example/{x}"),
    }


@settings(max_examples=10)
@given(st.text(max_size=40), st.text(max_size=40), st.sampled_from(["", "@fr", "@x", "^^xsd:date", "^^<a b>"]))
def test_hostile_values_are_judged(text: str, name: str, kind: str) -> None:
    quoted = text.encode("utf-8", "replace").decode().translate({n: None for n in (*range(32), 34, 92)})
    address = name.encode("utf-8", "replace").decode().translate({n: None for n in (*range(32), 62, 92)})
    body = (
        turtle("nothing") + f'<ds> dct:title "{quoted}"{kind} ; dct:language <{address}> , "{quoted}"{kind} .'.encode()
    )
    assert {found.path for found in violations(body)} >= {"dct:language"}


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"", "not-rdf"), (b"<html><body>Sorry</body></html>", "not-rdf")],
)
def test_what_is_no_rdf_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        feed_of(body)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ["<a> <b> .", "<a> <b> <c> ."])
def test_files_without_shapes_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "no.ttl").write_text(text, "utf-8")
    with pytest.raises(UsageError):
        read_shapes([tmp_path])


def test_statements_around_a_syntax_error_are_judged() -> None:
    kind, dataset = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", "<http://www.w3.org/ns/dcat#Dataset>"
    lines = (f"<https://h.example/{n}> {kind} {dataset} ." for n in "ab")
    feed = feed_of("\nthis is no statement\n".join(lines).encode())
    assert len(feed.problems) == 1
    found = [item for _, several in checked(parts_of(feed, CLOSED, CLOSED.graph()), CLOSED) for item in several]
    missing = {item.resource for item in found if item.path == "dct:title" and item.severity is Severity.VIOLATION}
    assert missing == {"https://h.example/a", "https://h.example/b"}
