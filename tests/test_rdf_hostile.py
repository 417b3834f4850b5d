"""No value can break a document: whatever stands in whatever field, every format is read, and says the same."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import orjson
import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester.catalogue.packing import dataset_json
from harvester.catalogue.trusted import trusted
from harvester.model import Dataset, Part
from harvester.rdf.profile import SHAPES, Kind, Row
from harvester.rdf.profiles import DEFAULT, PROFILES
from harvester.rdf.writing import Block, pen_for, write
from tests.rdf_datasets import DATASET

READERS = {
    "nt": ("nt", ox.RdfFormat.N_TRIPLES),
    "ttl": ("turtle", ox.RdfFormat.TURTLE),
    "rdf": ("xml", ox.RdfFormat.RDF_XML),
    "jsonld": ("json-ld", ox.RdfFormat.JSON_LD),
}
NASTY = (
    "a b", '"', "'", "\\", "\\u0000", "<>", "</rdf:RDF>", "]]>", "&amp;", "\x00", "\x1b[0m", "\x7f", "\x85", "\u2028",
    "\r", "a\r\nb", "\t", "\ufffe", "\uffff", "\ufdd0", "\U0001fffe", "\ud800", "a\udfffb", "_:b0", "dct:title", "@id",
    "@value", "{}", "[]", "null", "\N{PILE OF POO}", "\u202e", "\N{COMBINING ACUTE ACCENT}", " ", "%", "%zz", "-", "#",
)  # fmt: skip
ADDRESSES = (
    "http://x.example/a b", "http://x.example/<a>", 'http://x.example/"', "http://x.example/\\", "http://x.example/%zz",
    "http://x.example/{a}|^`", "http://x.example/\x00", "http://x.example/\ud800", "http://x.example/\ufffe",
    "http://x.example/\n", "http://x.example/é?q=é#é", "http://[::1", "http://x.example:99999999/", "http://", "http:",
    "javascript:alert(1)", "urn:uuid:1", "urn:", "mailto:a b@c", "//x.example/a", "/a", "a", "?", "dct:title", "time:x",
    "http://x.example/a/../b/./c", "HTTP://X.EXAMPLE", "http://u:p@x.example/'", "http://x.example/##", "data:,a b",
    "http://x.example/\u202e", "http://x.example/\ue000", "http://x.example/&amp;&", "http://é.example/",
)  # fmt: skip
TAGS = st.sampled_from(["", "fr", "FR", "fr_BE", "fr-t-nl", "x", "francais-de-france", "1", "a b", "é", '"', "\ud800"])
TEXT = st.one_of(st.sampled_from(NASTY), st.text(st.characters(exclude_categories=()), max_size=8))
ADDRESS = st.one_of(st.sampled_from(ADDRESSES), TEXT.map(lambda text: f"http://x.example/{text}"), TEXT)
NUMBER = st.floats(-180, 180)
TERM = st.fixed_dictionaries({"text": TEXT}, optional={"uri": ADDRESS})
SINGLE: dict[Kind, st.SearchStrategy[Any]] = {
    **dict.fromkeys((Kind.TEXTS, Kind.NAMES, Kind.STATEMENT), st.dictionaries(TAGS, TEXT, max_size=2)),
    **dict.fromkeys((Kind.TEXT, Kind.DATE, Kind.DURATION, Kind.HEX, Kind.MAIL, Kind.PHONE, Kind.GEOMETRY), TEXT),
    **dict.fromkeys((Kind.IRIS, Kind.URLS), st.lists(ADDRESS, max_size=3)),
    **dict.fromkeys((Kind.TERM, Kind.PLACE), TERM),
    Kind.WORDS: st.dictionaries(TAGS, st.lists(TEXT, max_size=2), max_size=2),
    Kind.LINES: st.lists(TEXT, max_size=3),
    Kind.TERMS: st.lists(TERM, max_size=3),
    Kind.IRI: ADDRESS,
    Kind.DECIMAL: NUMBER,
    Kind.INTEGER: st.integers(0, 2**70),
    Kind.BBOX: st.tuples(NUMBER, NUMBER, NUMBER, NUMBER),
    Kind.CENTROID: st.tuples(NUMBER, NUMBER),
}


def value(row: Row, depth: int) -> st.SearchStrategy[Any]:
    if row.part is None:
        return SINGLE[row.kind]
    inner = part(row.part, depth + 1)
    return inner if row.kind is Kind.PART else st.lists(inner, max_size=2)


def part(cls: type[Part], depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Any fields of a class in their stored form, and any strings in them."""
    fields = {row.field: value(row, depth) for row in SHAPES[cls].rows if row.part is None or depth < 3}
    if "uri" in cls.model_fields:
        fields["uri"] = ADDRESS
    return st.dictionaries(st.sampled_from(sorted(fields)), st.none(), max_size=6).flatmap(
        lambda chosen: st.fixed_dictionaries({name: fields[name] for name in chosen})
    )


def hostile() -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(part(Dataset), st.lists(part(*SERVICE), max_size=2), part(*RECORD)).map(
        lambda found: {**found[0], "service": found[1], "record": found[2]}
    )


SERVICE = (next(cls for cls in SHAPES if cls.__name__ == "DataService"), 1)
RECORD = (next(cls for cls in SHAPES if cls.__name__ == "CatalogRecord"), 1)


def statements(data: bytes, name: str) -> Counter[tuple[str, str, str]]:
    with warnings.catch_warnings():
        # rdflib's JSON-LD reader uses its own deprecated class.
        warnings.simplefilter("ignore", DeprecationWarning)
        graph = rdflib.Graph().parse(data=data, format=READERS[name][0])
    return Counter((_shown(s), p.n3(), _shown(o)) for s, p, o in graph)


def _shown(node: Any) -> str:
    return "_:" if isinstance(node, rdflib.BNode) else str(node.n3())


def quads(data: bytes, name: str) -> Counter[str]:
    found = {str(quad.triple) for quad in ox.parse(data, format=READERS[name][1])}
    return Counter(" ".join("_:" if word.startswith("_:") else word for word in text.split(" ")) for text in found)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile(), st.sampled_from(sorted(PROFILES)))
def test_every_reader_reads_the_same_in_every_format(raw: dict[str, Any], profile: str) -> None:
    documents = {name: write(trusted(raw), name, profile=PROFILES[profile]) for name in READERS}
    theirs = {name: statements(data, name) for name, data in documents.items()}
    others = {name: quads(data, name) for name, data in documents.items()}
    assert all(found == theirs["nt"] for found in theirs.values())
    assert all(found == others["nt"] for found in others.values())
    assert theirs["nt"].total() == others["nt"].total() > 0


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(hostile())
def test_cleaned_datasets_are_written_too(raw: dict[str, Any]) -> None:
    dataset = Dataset.of({**raw, "title": "T"})
    found = [quads(write(dataset, name), name) for name in READERS]
    assert all(other == found[0] for other in found[1:])


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(DATASET, st.sampled_from(sorted(READERS)))
def test_the_stored_form_is_written_as_the_dataset_is(raw: dict[str, Any], name: str) -> None:
    dataset = Dataset.of(raw)
    blocks = Block(pen_for(name, DEFAULT)), Block(pen_for(name, DEFAULT))
    for block, found in zip(blocks, (dataset, orjson.loads(dataset_json(dataset))), strict=True):
        block.dataset(found, "https://data.example/1")
        block.finish()
    assert blocks[0].taken() == blocks[1].taken()


@pytest.mark.parametrize("name", READERS)
def test_ten_thousand_distributions_are_one_dataset(name: str) -> None:
    distributions = [{"access_url": [f"http://x.example/{n}"], "title": {"fr": f"Tome {n}"}} for n in range(10_000)]
    data = write(trusted({"title": {"": "T"}, "distribution": distributions[::-1]}), name, "https://data.example/1")
    found = sum(1 for quad in ox.parse(data, format=READERS[name][1]) if quad.predicate.value.endswith("#accessURL"))
    assert found == 10_000


@pytest.mark.parametrize("name", READERS)
def test_a_text_of_a_megabyte_is_whole(name: str) -> None:
    text = 'é"<\\\n&' * 150_000
    data = write(trusted({"title": {"": "T"}, "description": {"fr": text}}), name, "https://data.example/1")
    [found] = [quad.object for quad in ox.parse(data, format=READERS[name][1]) if quad.object.value == text]
    assert found.language == "fr"
