"""What blocks of a dump share: a dump that copies most of its blocks says what one written anew says."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from harvester import dumps
from harvester.dumps import SIZE, Wanted
from harvester.rdf.claims import MOST, Claims, Shared
from harvester.search import open_index
from harvester.streams import stream
from harvester.views import view
from tests.catalogues import NOW, Catalogue, catalogue

pytestmark = pytest.mark.usefixtures("database")

AGENT = "https://org.example.org/agent"
NAME = ox.NamedNode("http://xmlns.com/foaf/0.1/name")


def raw(number: int, publisher: str) -> dict[str, Any]:
    agent = {"uri": AGENT, "name": publisher}
    return {"identifier": f"p{number}", "title": f"Relevé {number}", "publisher": agent}


def dumped(found: Catalogue, folder: Path | None = None) -> bytes:
    """The dump as N-Triples; made without anything to copy from when it goes to a folder of its own."""
    settings = found.settings if folder is None else found.settings.model_copy(update={"data": folder})
    with found.engine.connect() as connection:
        part = view(connection, settings)
    dumps.make(found.engine, open_index(found.settings), settings, [Wanted(part, "nt")], lambda *_: None, NOW)
    return gzip.decompress((dumps.folder(settings) / "catalogue.nt.gz").read_bytes())


def names(body: bytes) -> set[str]:
    quads = ox.parse(body, format=ox.RdfFormat.N_TRIPLES)
    return {quad.object.value for quad in quads if quad.subject == ox.NamedNode(AGENT) and quad.predicate == NAME}


@pytest.fixture
def built(tmp_path: Path) -> Catalogue:
    found = catalogue(tmp_path / "data", public_url="https://data.example.org")
    found.add("paris", [raw(number, "Ville") for number in range(3 * SIZE)])
    return found


def test_a_copied_block_does_not_contradict_one_that_changed(built: Catalogue, tmp_path: Path) -> None:
    assert names(dumped(built)) == {"Ville"}
    # The first block describes the agent in other words now; the others did not change.
    built.add("paris", [raw(0, "Ville de Paris")])
    body = dumped(built)
    assert names(body) == {"Ville de Paris"}
    assert body == dumped(built, tmp_path / "anew")


def test_what_was_told_apart_is_named_again_where_nothing_contradicts_it_any_more(
    built: Catalogue, tmp_path: Path
) -> None:
    built.add("paris", [raw(0, "Ville de Paris")])
    dumped(built)
    built.add("paris", [raw(0, "Ville")])
    body = dumped(built)
    assert names(body) == {"Ville"}
    assert body == dumped(built, tmp_path / "anew")


def test_a_part_under_the_iri_of_a_dataset_in_another_block_has_no_name(built: Catalogue) -> None:
    built.add("paris", [{"identifier": "agent", "uri": AGENT, "title": "A dataset under the IRI of an agent"}])
    with built.engine.connect() as connection:
        part = view(connection, built.settings)
    streamed = b"".join(stream(built.engine, open_index(built.settings), built.settings, part, "nt"))
    for body in (dumped(built), streamed):
        assert names(body) == set()
        assert body.count(b'"Ville"') > 0


def test_claims_are_answered_alike_wherever_they_are_asked() -> None:
    shared: Shared = {}
    first = Claims(shared)
    assert first.hold(AGENT, b"a" * 9)
    assert not first.hold(AGENT, b"b" * 9)
    packed = first.packed()
    first.settle()
    assert Claims.unpacked(shared, packed) is not None
    assert Claims.unpacked({}, packed) is not None
    other = Claims({})
    other.hold(AGENT, b"b" * 9)
    assert Claims.unpacked(shared, other.packed()) is None


def test_claims_of_another_making_fit_nowhere() -> None:
    assert Claims.unpacked({}, b"\0" * 7) is None


def test_what_is_remembered_of_a_long_document_is_bounded() -> None:
    shared: Shared = dict.fromkeys(range(MOST + 1), b"x" * 9)
    claims = Claims(shared)
    claims.hold(AGENT, b"a" * 9)
    claims.settle()
    assert len(shared) == 1
