"""Describes the nodes a graph points at, once each: concepts with their labels and schemes, and typed resources.

With every term described, the shapes need no vocabulary loaded beside the export.
"""

from __future__ import annotations

from functools import lru_cache

import pyoxigraph as ox

from harvester.rdf.graph import TYPE
from harvester.rdf.namespaces import expand
from harvester.rdf.nodes import named, spoken
from harvester.vocabularies import Concept

_TYPE = ox.NamedNode(TYPE)
_LABEL = ox.NamedNode(expand("skos:prefLabel"))
_IN_SCHEME = ox.NamedNode(expand("skos:inScheme"))
_TITLE = ox.NamedNode(expand("dct:title"))
_CONCEPT, _SCHEME = expand("skos:Concept"), expand("skos:ConceptScheme")
# Classes of the shapes whose members are no SKOS concepts.
_NO_CONCEPTS = frozenset(map(expand, ("dct:MediaType", "spdx:ChecksumAlgorithm")))
# Beyond this, descriptions are repeated rather than remembered: a whole catalogue is written in flat memory.
MOST_REMEMBERED = 500_000


class Describer:
    """Adds descriptions to `out`, each node's once."""

    def __init__(self, out: list[ox.Triple]) -> None:
        self.out = out
        self.said: set[int] = set()

    def concept(self, concept: Concept, node: ox.NamedNode, range: str) -> None:
        """A concept of a vocabulary, in all the languages we know it in."""
        if not self._first(node, range):
            return
        self._add(node, _TYPE, _class(range))
        if range in _NO_CONCEPTS:
            return
        self._add(node, _TYPE, _class(_CONCEPT))
        for tag, label in (concept.labels or {"": concept.code}).items():
            self._add(node, _LABEL, spoken(label, tag))
        if concept.scheme and (scheme := named(concept.scheme)) is not None:
            self._add(node, _IN_SCHEME, scheme)
            self.scheme(scheme)

    def foreign(self, text: str, node: ox.NamedNode, range: str) -> bool:
        """A concept of a source's own, labelled as it calls it; False when it was described in other words before."""
        if self._first(node, range):
            self.said.add(hash((node.value, range, text)))
            self._add(node, _TYPE, _class(range))
            if range != _CONCEPT:
                self._add(node, _TYPE, _class(_CONCEPT))
            self._add(node, _LABEL, ox.Literal(text))
            return True
        return hash((node.value, range, text)) in self.said

    def typed(self, node: ox.NamedNode, range: str) -> ox.NamedNode:
        """A resource of a class."""
        if self._first(node, range):
            self._add(node, _TYPE, _class(range))
        return node

    def scheme(self, node: ox.NamedNode) -> None:
        """A concept scheme, titled after the last segment of its IRI."""
        if self._first(node, _SCHEME):
            self._add(node, _TYPE, _class(_SCHEME))
            self._add(node, _TITLE, ox.Literal(_title(node.value), language="en"))

    def _first(self, node: ox.NamedNode, range: str) -> bool:
        if len(self.said) > MOST_REMEMBERED:
            self.said.clear()
        mark = hash((node.value, range))
        if mark in self.said:
            return False
        self.said.add(mark)
        return True

    def _add(self, node: ox.NamedNode, predicate: ox.NamedNode, value: ox.NamedNode | ox.Literal) -> None:
        self.out.append(ox.Triple(node, predicate, value))


@lru_cache(maxsize=64)
def _class(iri: str) -> ox.NamedNode:
    return ox.NamedNode(iri)


def _title(iri: str) -> str:
    words = [part for part in iri.rstrip("/").split("/") if not part[:1].isdigit()]
    return words[-1].replace("-", " ").capitalize()
