"""How places are written: a place alone is its concept; one with a shape or name is a node beside the concept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harvester.model import Location
from harvester.rdf.concepts import concept, foreign
from harvester.rdf.derived import facts_of, words_of
from harvester.rdf.nodes import named
from harvester.rdf.profile import SHAPES, Row
from harvester.vocabularies import VOCABULARIES

if TYPE_CHECKING:
    from harvester.rdf.writing import Block, Compiled, Pen

_RANGE = SHAPES[Location].by_field["place"].range
_SHAPED = ("name", "bbox", "centroid", "geometry")
Emit = Callable[["Block", list[bytes], Any], None]


def spatial_writer(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    """For rows of locations."""
    inner, syntax = pen.compiled(Location), pen.syntax
    before, behind = pen.around(compiled.first, row.predicate)

    def emit(block: Block, facts: list[bytes], value: Sequence[Any]) -> None:
        planned = [node for item in value for node in _planned(block, item)]
        unnamed = sum(name is None for name, _ in planned) > 1
        nodes: dict[str, tuple[int, str, int]] = {}
        count = 0
        for name, item in planned:
            if name is not None:
                nodes.setdefault(name, (0, name, 0))
                continue
            extra = [pen.position(inner.first, count)] if unnamed else ()
            nodes[block.part_named(None, inner, item, extra)] = 2, "", count
            count += 1
        if len(nodes) > 1:
            block.order(row.field, list(nodes.values()))
        facts += syntax.several(before, map(syntax.ref, nodes), behind)

    return emit


def _planned(block: Block, item: Any) -> list[tuple[str | None, Any]]:
    """The nodes a location takes: the concept of its place, and one of its own where it has more to say."""
    given = facts_of(item)
    place = given.get("place")
    text, uri = words_of(place) if place else ("", None)
    node = named(uri) if uri else None
    if node is None:
        return [(None, item)]
    worded = _told(block, text, uri or "", node)
    if any(given.get(name) for name in _SHAPED):
        return [(node, None), (None, item)]
    return [(node, None) if worded else (None, item)]


def _told(block: Block, text: str, uri: str, node: str) -> bool:
    """Describe the concept of a place; whether its description has the words of the source."""
    known = VOCABULARIES["place"].concept(uri)
    if known is not None:
        if (node, _RANGE) not in block.said:
            block.tell_all(concept(block.pen.syntax, known, node, _RANGE))
        return text == known.uri
    if block.first(node, _RANGE):
        block.said.add((node, _RANGE + "\n" + text))
        block.add(foreign(block.pen.syntax, text, node, _RANGE))
        return True
    return (node, _RANGE + "\n" + text) in block.said


def place_writer(pen: Pen, row: Row, compiled: Compiled) -> Emit:
    """For the place a location stands for."""
    under = pen.around(compiled.first, row.predicate)
    words = pen.around(compiled.first, row.own + "Text")

    def emit(block: Block, facts: list[bytes], value: Any) -> None:
        text, uri = words_of(value)
        node = named(uri) if uri else None
        if node is not None:
            facts.append(under[0] + pen.syntax.ref(node) + under[1])
        if node is None or text != uri:
            facts.append(words[0] + pen.syntax.text(text) + words[1])

    return emit
