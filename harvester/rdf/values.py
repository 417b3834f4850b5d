"""How each kind of the profile is written: per kind a function that makes, for a row, the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harvester.model import DataService, Location, Part, Resource
from harvester.rdf.concepts import resource, spoken
from harvester.rdf.derived import facts_of, words_of
from harvester.rdf.namespaces import PREFIXES, expand
from harvester.rdf.nodes import XSD, decimal, duration_type, hex_type, is_hex, language, named
from harvester.rdf.profile import Kind, Row
from harvester.rdf.spatial import place_writer, spatial_writer
from harvester.rdf.terms import term_writer, terms_writer
from harvester.vocabularies import VOCABULARIES

if TYPE_CHECKING:
    from harvester.rdf.syntax import Syntax
    from harvester.rdf.writing import Block, Compiled, Pen

_WKT = PREFIXES["gsp"] + "wktLiteral"
_GEOJSON = PREFIXES["gsp"] + "geoJSONLiteral"
_LABEL = expand("rdfs:label")
_MENTIONED = (expand("dcat:Dataset"), expand("dcat:DatasetSeries"), expand("dcat:Catalog"))

Emit = Callable[["Block", list[bytes], Any], None]
Make = Callable[["Pen", Row, "Compiled"], Emit]


def _literal(tokens: Callable[[Syntax], Callable[[Any], bytes]]) -> Make:
    def make(pen: Pen, row: Row, compiled: Compiled) -> Emit:
        before, behind = pen.around(compiled.first, row.predicate)
        token = tokens(pen.syntax)

        def emit(block: Block, facts: list[bytes], value: Any) -> None:
            facts.append(before + token(value) + behind)

        return emit

    return make


def _texts(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    before, behind = pen.around(compiled.first, row.predicate)
    syntax = pen.syntax

    def emit(block: Block, facts: list[bytes], value: Mapping[str, str]) -> None:
        if len(value) > 1:
            facts += syntax.several(before, spoken(syntax, value), behind)
            return
        for tag, text in value.items():
            found = language(tag) if tag else ""
            facts.append(before + (syntax.spoken(text, found) if found else syntax.text(text)) + behind)

    return emit


def _words(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    before, behind = pen.around(compiled.first, row.predicate)
    syntax = pen.syntax

    def emit(block: Block, facts: list[bytes], value: Mapping[str, Sequence[str]]) -> None:
        tokens: list[bytes] = []
        for tag, words in value.items():
            found = language(tag) if tag else ""
            tokens += [syntax.spoken(word, found) for word in words] if found else map(syntax.text, words)
        if tokens:
            facts += syntax.several(before, tokens, behind)

    return emit


def _lines(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    before, behind = pen.around(compiled.first, row.predicate)
    syntax, name = pen.syntax, row.field

    def emit(block: Block, facts: list[bytes], value: Sequence[str]) -> None:
        if len(value) > 1:
            facts += syntax.several(before, map(syntax.text, value), behind)
            block.order(name, [(1, line, 0) for line in value])
        else:
            facts.append(before + syntax.text(value[0]) + behind)

    return emit


def _iri(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    before, behind = pen.around(compiled.first, row.predicate)
    syntax, range, dataset = pen.syntax, row.range, row.range in _MENTIONED

    def emit(block: Block, facts: list[bytes], value: str) -> None:
        node = named(value)
        if not node:
            return
        if dataset:
            block.mention(node, range, {})
        elif range and block.first(node, range):
            block.add(resource(syntax, node, range)[2])
        facts += syntax.several(before, (syntax.ref(node),), behind)

    return emit


def _iris(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    before, behind = pen.around(compiled.first, row.predicate)
    syntax, range, name, dataset = pen.syntax, row.range, row.field, row.range in _MENTIONED
    single = _iri(pen, row, compiled)

    def emit(block: Block, facts: list[bytes], value: Sequence[str]) -> None:
        if len(value) == 1:
            single(block, facts, value[0])
            return
        nodes = [node for iri in value if (node := named(iri))]
        if not nodes:
            return
        if dataset:
            for node in nodes:
                block.mention(node, range, {})
        elif range:
            for node in nodes:
                if block.first(node, range):
                    block.add(resource(syntax, node, range)[2])
        if len(nodes) > 1:
            nodes = list(dict.fromkeys(nodes))
            block.order(name, [(0, node, 0) for node in nodes])
        facts += syntax.several(before, map(syntax.ref, nodes), behind)

    return emit


def _scheme(prefix: str, safe: str) -> Make:
    def make(pen: Pen, row: Row, compiled: Compiled) -> Emit:
        before, behind = pen.around(compiled.first, row.predicate)

        def emit(block: Block, facts: list[bytes], value: str) -> None:
            if (node := named(prefix + quote(value, safe=safe, errors="replace"))) is not None:
                facts.append(before + pen.syntax.ref(node) + behind)
                if row.range:
                    block.tell(*resource(pen.syntax, node, row.range))

        return emit

    return make


def _statement(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    syntax = pen.syntax
    before, behind = pen.around(compiled.first, row.predicate)
    types, label = syntax.types((row.range,)), pen.around(row.range, _LABEL)

    def emit(block: Block, facts: list[bytes], value: Mapping[str, str]) -> None:
        node = block.label()
        facts.append(before + syntax.ref(node) + behind)
        block.add(syntax.node(node, [*types, *syntax.several(label[0], spoken(syntax, value), label[1])]))

    return emit


def _sound_checksum(pen: Pen, checksum: Mapping[str, Any]) -> bool:
    algorithm, taken = checksum.get("algorithm"), pen.profile.algorithms
    uri = words_of(algorithm)[1] if algorithm else None
    if uri is None or (taken is not None and uri not in taken):
        return False
    return VOCABULARIES["checksum-algorithm"].concept(uri) is not None and is_hex(checksum.get("value") or "")


def _has_name(pen: Pen, part: Mapping[str, Any]) -> bool:
    return named(part.get("uri") or "") is not None


# What a part must have for the shapes to take it under the predicate of its row; else our own property has it.
_FITS: dict[str, Callable[[Pen, Mapping[str, Any]], Any]] = {
    "qualified_attribution": lambda pen, part: part.get("role") and part.get("target"),
    "qualified_relation": lambda pen, part: (
        pen.profile.elsewhere and part.get("role") and part.get("target") and _has_name(pen, facts_of(part["target"]))
    ),
    "other_identifier": lambda pen, part: part.get("notation") is not None,
    "checksum": _sound_checksum,
}


def _laid(block: Block, items: Sequence[tuple[Any, Compiled]], name: str) -> list[str]:
    """Write parts that stand under one predicate and note their order: the node of each."""
    names = [block.name(inner, facts_of(item)) for item, inner in items]
    numbered = names.count(None) > 1
    nodes: list[str] = []
    keys: list[tuple[int, str, int]] = []
    for (item, inner), iri in zip(items, names, strict=True):
        # Among its like, a node without a name has the place at which it stands.
        extra = (block.pen.position(inner.first, len(keys)),) if numbered and iri is None else ()
        nodes.append(node := block.part_named(iri, inner, item, extra))
        keys.append((2, "", len(keys)) if node.startswith("_:") else (0, node, 0))
    if len(keys) > 1:
        block.order(name, list(dict.fromkeys(keys)))
    return nodes


def _lone(block: Block, facts: list[bytes], item: Any, inner: Compiled, places: Iterable[tuple[bytes, bytes]]) -> None:
    """Write the only part under a predicate, or two: there is no order to note, and no place."""
    syntax = block.pen.syntax
    node = syntax.ref(block.part(inner, item))
    for before, behind in places:
        facts += syntax.several(before, (node,), behind)


def _parts(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    assert row.part is not None
    if row.part is Location:
        return spatial_writer(pen, row, compiled)
    syntax, range, name = pen.syntax, row.range, row.field
    # What does not fit is not said to be of the class: the shapes would want more of it.
    inner, bare = pen.compiled(row.part, row.range), pen.compiled(row.part, typed=False)
    under, own = pen.around(compiled.first, row.predicate), pen.around(compiled.first, row.own)
    mentions = row.part is Resource and range in _MENTIONED
    fits, most, marked = _FITS.get(row.field, _has_name if mentions else None), row.most, row.marked

    def emit(block: Block, facts: list[bytes], value: Sequence[Any]) -> None:
        if len(value) == 1:
            sound = fits is None or bool(fits(pen, facts_of(value[0])))
            _lone(
                block, facts, value[0], inner if sound else bare, (under, own) if marked else (under if sound else own,)
            )
            if mentions:
                block.mention_part(value[0], range)
            return
        fitting = [fits is None or bool(fits(pen, facts_of(item))) for item in value]
        if most:
            fitting[most:] = [False] * len(fitting[most:])
        nodes = _laid(block, [(item, inner if fit else bare) for item, fit in zip(value, fitting, strict=True)], name)
        if mentions:
            for item in value:
                block.mention_part(item, range)
        for (before, behind), sound in ((under, True), (own, False)):
            found = [node for node, fit in zip(nodes, fitting, strict=True) if fit is sound or (marked and not sound)]
            if found:
                facts += syntax.several(before, map(syntax.ref, dict.fromkeys(found)), behind)

    return emit


def added_to(pen: Pen, compiled: Compiled, given: Mapping[str, Any], filled: Mapping[str, Any]) -> list[bytes]:
    """Of the lists of IRIs that were added to, what the source itself has in them."""
    facts: list[bytes] = []
    for row in pen.profile.shapes[compiled.cls].rows:
        if row.field in filled and row.kind is Kind.IRIS and (said := given.get(row.field)):
            nodes = [node for iri in said if (node := named(iri))]
            facts += pen.facts(compiled.first, row.own, [pen.syntax.ref(node) for node in nodes])
    return facts


def services_writer(pen: Pen) -> Emit:
    """For the services of a dataset, which point at it."""
    inner = pen.compiled(DataService)

    def emit(block: Block, facts: list[bytes], value: Sequence[Any]) -> None:
        nodes = _laid(block, [(item, inner) for item in value], "service")
        for node, item in dict(zip(nodes, value, strict=True)).items():
            block.serve(node, facts_of(item))

    return emit


def _part(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    several = _parts(pen, row, compiled)

    def emit(block: Block, facts: list[bytes], value: Part) -> None:
        several(block, facts, (value,))

    return emit


def _bbox(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    box, own = pen.around(compiled.first, row.predicate), pen.around(compiled.first, row.own)
    syntax = pen.syntax

    def emit(block: Block, facts: list[bytes], value: Sequence[float]) -> None:
        west, south, east, north = value
        if west > east:
            # Across the antimeridian a polygon would say the rest of the world.
            facts.append(own[0] + syntax.text(f"[{west!r},{south!r},{east!r},{north!r}]") + own[1])
            return
        ring = ((west, south), (east, south), (east, north), (west, north), (west, south))
        shape = f"POLYGON(({','.join(f'{x!r} {y!r}' for x, y in ring)}))"
        facts.append(box[0] + syntax.typed(shape, _WKT) + box[1])

    return emit


def _typed(datatype: str, text: Callable[[Any], str] = str) -> Make:
    return _literal(lambda syntax: lambda value: syntax.typed(text(value), datatype))


EMITTERS: dict[Kind, Make] = {
    Kind.TEXTS: _texts,
    Kind.NAMES: _texts,
    Kind.WORDS: _words,
    Kind.TEXT: _literal(lambda syntax: syntax.text),
    Kind.LINES: _lines,
    Kind.DATE: _literal(lambda syntax: syntax.date),
    Kind.DURATION: _literal(lambda syntax: lambda value: syntax.typed(value, duration_type(value))),
    Kind.DECIMAL: _typed(XSD + "decimal", decimal),
    Kind.INTEGER: _typed(XSD + "nonNegativeInteger"),
    Kind.HEX: _literal(lambda syntax: lambda value: syntax.typed(value, hex_type(value))),
    Kind.IRI: _iri,
    Kind.IRIS: _iris,
    Kind.URLS: _iris,
    Kind.MAIL: _scheme("mailto:", "@!#$&'*+-/=?^_`{|}~."),
    Kind.PHONE: _scheme("tel:", "+-.()"),
    Kind.STATEMENT: _statement,
    Kind.TERM: term_writer,
    Kind.TERMS: terms_writer,
    Kind.PART: _part,
    Kind.PARTS: _parts,
    Kind.BBOX: _bbox,
    Kind.CENTROID: _typed(_WKT, lambda point: f"POINT({point[0]!r} {point[1]!r})"),
    Kind.GEOMETRY: _typed(_GEOJSON),
    Kind.PLACE: place_writer,
}
