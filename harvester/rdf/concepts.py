"""Describes the concepts a graph points at: with every term described, the shapes need no vocabulary beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from harvester.rdf.namespaces import expand
from harvester.rdf.nodes import language, named

if TYPE_CHECKING:
    from harvester.rdf.syntax import Syntax
    from harvester.vocabularies import Concept

_LABEL, _IN_SCHEME, _TITLE = expand("skos:prefLabel"), expand("skos:inScheme"), expand("dct:title")
CONCEPT, SCHEME = expand("skos:Concept"), expand("skos:ConceptScheme")
# Classes of the shapes whose members are no SKOS concepts.
_NO_CONCEPTS = frozenset(map(expand, ("dct:MediaType", "spdx:ChecksumAlgorithm")))
# What the shapes want a member of a class to be called by.
_NAMING = {CONCEPT: _LABEL, SCHEME: _TITLE}
# (node, class, description): what has to be told of a node.
Told = tuple[str, str, bytes]


def spoken(syntax: Syntax, texts: Mapping[str, str]) -> list[bytes]:
    """The objects for texts by language."""
    tagged = ((language(tag), text) for tag, text in texts.items())
    return [syntax.spoken(text, tag) if tag else syntax.text(text) for tag, text in tagged]


def resource(syntax: Syntax, node: str, range: str) -> Told:
    """A resource of a class; one of the classes that must have a label is called by the last segment of its IRI."""
    facts = _types(syntax, range)
    if naming := _NAMING.get(range):
        before, behind = syntax.around(range, naming)
        words = [part for part in re.split("[/#]", node) if part and not part[0].isdigit()]
        facts = [*facts, before + syntax.spoken(words[-1].replace("-", " ").capitalize(), "en") + behind]
    return node, range, syntax.node(node, facts)


@cache
def _types(syntax: Syntax, range: str) -> list[bytes]:
    return syntax.types((range,))


def concept(syntax: Syntax, known: Concept, node: str, range: str) -> list[Told]:
    """A concept of a vocabulary, in all the languages we know it in, and its scheme."""
    if range in _NO_CONCEPTS:
        return [resource(syntax, node, range)]
    facts = _typed_and_labelled(syntax, range, known.labels or {"": known.code})
    iri = named(known.scheme) if known.scheme else None
    if iri is None:
        return [(node, range, syntax.node(node, facts))]
    before, behind = syntax.around(CONCEPT, _IN_SCHEME)
    facts.append(before + syntax.ref(iri) + behind)
    return [(node, range, syntax.node(node, facts)), resource(syntax, iri, SCHEME)]


def foreign(syntax: Syntax, text: str, node: str, range: str) -> bytes:
    """A concept of a source's own, labelled as it calls it."""
    return syntax.node(node, _typed_and_labelled(syntax, range, {"": text}))


def _typed_and_labelled(syntax: Syntax, range: str, labels: Mapping[str, str]) -> list[bytes]:
    classes = (CONCEPT, range) if range != CONCEPT else (CONCEPT,)
    before, behind = syntax.around(CONCEPT, _LABEL)
    return [*syntax.types(classes), *syntax.several(before, spoken(syntax, labels), behind)]
