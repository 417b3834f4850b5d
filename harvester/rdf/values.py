"""How each kind of the profile is written: one small function per kind, called by `writing.Writer`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pyoxigraph as ox

from harvester.fields.terms import Term
from harvester.model import (
    TERM_FIELDS,
    TYPE_VOCABULARIES,
    Attribution,
    Checksum,
    Identifier,
    Location,
    Part,
    Relationship,
    Resource,
)
from harvester.rdf.graph import TYPE
from harvester.rdf.namespaces import PREFIXES, expand
from harvester.rdf.nodes import dated, decimal, hexadecimal, is_hex, known_node, named, spoken, typed
from harvester.rdf.profile import SHAPES, Kind, Row
from harvester.vocabularies import VOCABULARIES

if TYPE_CHECKING:
    from harvester.rdf.writing import Writer

Node = ox.NamedNode | ox.BlankNode
_WKT = PREFIXES["gsp"] + "wktLiteral"
_GEOJSON = PREFIXES["gsp"] + "geoJSONLiteral"
_LABEL = expand("rdfs:label")
_DATASETS = (expand("dcat:Dataset"), expand("dcat:DatasetSeries"))
_PLACE_CLASS = SHAPES[Location].by_field["place"].range

_Write = Callable[["Writer", Node, Row, Any, Part], None]


def _literal(make: Callable[[Any], ox.Literal]) -> _Write:
    def write_one(writer: Writer, subject: Node, row: Row, value: Any, part: Part) -> None:
        writer.add(subject, row.predicate, make(value))

    return write_one


def _texts(writer: Writer, subject: Node, row: Row, value: dict[str, str], part: Part) -> None:
    for tag, text in value.items():
        writer.add(subject, row.predicate, spoken(text, tag))


def _words(writer: Writer, subject: Node, row: Row, value: dict[str, tuple[str, ...]], part: Part) -> None:
    for tag, words in value.items():
        for word in words:
            writer.add(subject, row.predicate, spoken(word, tag))


def _lines(writer: Writer, subject: Node, row: Row, value: tuple[str, ...], part: Part) -> None:
    writer.several(subject, row, [(row.predicate, ox.Literal(line)) for line in value])


def _iri(writer: Writer, subject: Node, row: Row, value: str, part: Part) -> None:
    if (node := writer.typed_node(value, row.range)) is not None:
        writer.add(subject, row.predicate, node)


def _iris(writer: Writer, subject: Node, row: Row, value: tuple[str, ...], part: Part) -> None:
    nodes = (writer.typed_node(iri, row.range) for iri in value)
    writer.several(subject, row, [(row.predicate, node) for node in nodes if node is not None])


def _scheme(prefix: str, safe: str) -> _Write:
    def write_one(writer: Writer, subject: Node, row: Row, value: str, part: Part) -> None:
        if (node := named(prefix + quote(value, safe=safe))) is not None:
            writer.add(subject, row.predicate, node)

    return write_one


def _statement(writer: Writer, subject: Node, row: Row, value: dict[str, str], part: Part) -> None:
    node = writer.blank()
    writer.add(subject, row.predicate, node)
    writer.add(node, TYPE, known_node(row.range))
    for tag, text in value.items():
        writer.add(node, _LABEL, spoken(text, tag))


def _vocabulary(row: Row, part: Part) -> str:
    return TERM_FIELDS.get(row.field) or TYPE_VOCABULARIES[type(part)]


def _term(writer: Writer, subject: Node, row: Row, value: Term, part: Part) -> None:
    writer.term(subject, row, value, _vocabulary(row, part), alone=True)


def _terms(writer: Writer, subject: Node, row: Row, value: tuple[Term, ...], part: Part) -> None:
    vocabulary = _vocabulary(row, part)
    worded = {item.uri for item in value if item.uri and item.text != item.uri}
    for item in value:
        if item.text == item.uri and item.uri in worded:
            # Beside another wording of the same concept, the bare concept must be said in words too.
            writer.paired(subject, row, item)
        else:
            writer.term(subject, row, item, vocabulary, alone=False)


def _fits(row: Row, part: Part) -> bool:
    """Whether the shapes take the part under the predicate of its row; else our own property has it."""
    if isinstance(part, Attribution):
        return bool(part.role and part.target)
    if isinstance(part, Relationship):
        return bool(part.role and part.target and part.target.uri)
    if isinstance(part, Identifier):
        return part.notation is not None
    if isinstance(part, Checksum):
        return _sound_checksum(part)
    return True


def _sound_checksum(part: Checksum) -> bool:
    algorithm = part.algorithm.uri if part.algorithm else None
    concept = VOCABULARIES["checksum-algorithm"].concept(algorithm) if algorithm else None
    return concept is not None and is_hex(part.value or "")


def _parts(writer: Writer, subject: Node, row: Row, value: tuple[Part, ...], part: Part) -> None:
    nodes: list[tuple[str, Node]] = []
    for item in value:
        predicate = row.predicate if _fits(row, item) else row.own
        found = _location(writer, item) if isinstance(item, Location) else (_part_node(writer, row, item),)
        nodes += [(predicate, node) for node in found]
    writer.several(subject, row, list(dict.fromkeys(nodes)))


def _part(writer: Writer, subject: Node, row: Row, value: Part, part: Part) -> None:
    node = _part_node(writer, row, value)
    writer.add(subject, row.predicate if _fits(row, value) else row.own, node)


def _part_node(writer: Writer, row: Row, item: Part) -> Node:
    node = writer.part(item, row)
    if isinstance(item, Resource) and row.range in _DATASETS:
        if isinstance(node, ox.NamedNode):
            writer.stand_in(node, row.range, item.name)
    elif isinstance(item, Resource) and row.range:
        writer.add(node, TYPE, known_node(row.range))
    return node


def _location(writer: Writer, item: Location) -> tuple[Node, ...]:
    """A place alone is its concept; one with a shape or name of its own is a node beside the concept."""
    place = item.place
    node = named(place.uri) if place is not None and place.uri else None
    if place is None or node is None:
        return (writer.part(item),)
    concept = VOCABULARIES["place"].concept(place.uri or "")
    bare = not (item.name or item.bbox or item.centroid or item.geometry)
    wording = place.text == (concept.uri if concept else None)
    if concept is not None:
        writer.describer.concept(concept, node, _PLACE_CLASS)
    else:
        wording = writer.describer.foreign(place.text, node, _PLACE_CLASS)
    if bare:
        return (node if wording else writer.part(item),)
    return node, writer.part(item)


def _place(writer: Writer, subject: Node, row: Row, value: Term, part: Part) -> None:
    node = named(value.uri) if value.uri else None
    if node is not None:
        writer.add(subject, row.predicate, node)
    if node is None or value.text != value.uri:
        writer.add(subject, row.own + "Text", ox.Literal(value.text))


def _bbox(writer: Writer, subject: Node, row: Row, value: tuple[float, float, float, float], part: Part) -> None:
    west, south, east, north = value
    if west > east:
        # Across the antimeridian a polygon would say the rest of the world.
        writer.add(subject, row.own, ox.Literal(f"[{west!r},{south!r},{east!r},{north!r}]"))
        return
    ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
    writer.add(subject, row.predicate, typed(f"POLYGON(({','.join(f'{x!r} {y!r}' for x, y in ring)}))", _WKT))


WRITERS: dict[Kind, _Write] = {
    Kind.TEXTS: _texts,
    Kind.NAMES: _texts,
    Kind.WORDS: _words,
    Kind.TEXT: _literal(ox.Literal),
    Kind.LINES: _lines,
    Kind.DATE: _literal(dated),
    Kind.DURATION: _literal(lambda value: typed(value, "duration")),
    Kind.DECIMAL: _literal(decimal),
    Kind.INTEGER: _literal(lambda value: typed(str(value), "nonNegativeInteger")),
    Kind.HEX: _literal(hexadecimal),
    Kind.IRI: _iri,
    Kind.IRIS: _iris,
    Kind.URLS: _iris,
    Kind.MAIL: _scheme("mailto:", "@!#$&'*+-/=?^_`{|}~."),
    Kind.PHONE: _scheme("tel:", "+-.()"),
    Kind.STATEMENT: _statement,
    Kind.TERM: _term,
    Kind.TERMS: _terms,
    Kind.PART: _part,
    Kind.PARTS: _parts,
    Kind.BBOX: _bbox,
    Kind.CENTROID: _literal(lambda value: typed(f"POINT({value[0]!r} {value[1]!r})", _WKT)),
    Kind.GEOMETRY: _literal(lambda value: typed(value, _GEOJSON)),
    Kind.PLACE: _place,
}
