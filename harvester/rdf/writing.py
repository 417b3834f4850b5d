"""From a dataset to triples of DCAT-AP 3.0.1 that its shapes accept and `reading` gives back unchanged.

What the profile demands and the source does not say is filled in and marked `ch:derived`; what the profile forbids
(a format outside the EU table, say) stands under a property of our own.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any

import pyoxigraph as ox

from harvester.fields.terms import Term, term
from harvester.model import (
    DataService,
    Dataset,
    Location,
    Part,
)
from harvester.rdf.concepts import Describer
from harvester.rdf.derived import Context, derived
from harvester.rdf.graph import TYPE
from harvester.rdf.namespaces import PREFIXES, expand
from harvester.rdf.nodes import known_node, named, spoken, typed
from harvester.rdf.profile import (
    CLOSED,
    CONCEPT,
    DERIVED,
    ORDER,
    POSITION,
    REFERENCE,
    SERVES,
    SHAPES,
    TEXT,
    Row,
    Shape,
)
from harvester.rdf.values import WRITERS
from harvester.vocabularies import VOCABULARIES

Node = ox.NamedNode | ox.BlankNode
# The shapes know the algorithms of SPDX by https IRIs, which SPDX itself does not.
_SPELLED = re.compile(r"^http(?=://spdx\.org/)")
_WKT = PREFIXES["gsp"] + "wktLiteral"
_GEOJSON = PREFIXES["gsp"] + "geoJSONLiteral"
_LABEL, _PREF_LABEL = expand("rdfs:label"), expand("skos:prefLabel")
_CONCEPT_CLASS = expand("skos:Concept")
_DATASET, _SERIES = expand("dcat:Dataset"), expand("dcat:DatasetSeries")
_DATASETS = (_DATASET, _SERIES)
_PLACE_CLASS = SHAPES[Location].by_field["place"].range
_TITLE, _DESCRIPTION = expand("dct:title"), expand("dct:description")


def write(dataset: Dataset, iri: str | None = None) -> list[ox.Triple]:
    """The triples of one dataset, named `iri` (else by its own, else not at all)."""
    writer = Writer()
    writer.dataset(dataset, iri or dataset.uri)
    writer.finish()
    return writer.out


class Writer:
    """Writes datasets into one graph: a node that several mention is described once, as it was met first.

    Datasets that others mention get a stand-in only at the end, by `finish`, if they were not written themselves.
    """

    def __init__(self) -> None:
        self.out: list[ox.Triple] = []
        # Hashes: of a million datasets every IRI has to be remembered.
        self._written: set[int] = set()
        self._mentioned: dict[str, tuple[ox.NamedNode, str, dict[str, str]]] = {}
        self.describer = Describer(self.out)
        self._said = self.describer.said
        self._root = ""
        self._count = 0
        self._context = Context()

    def dataset(self, dataset: Dataset, iri: str | None) -> Node:
        """One dataset with all its parts, and the services that serve it."""
        self._root = blake2b(
            (iri or "\n".join(dataset.identifier) or repr(dataset.title)).encode(), digest_size=9
        ).hexdigest()
        self._count = 0
        subject: Node = (named(iri) if iri else None) or self.blank()
        self._context = Context.of(dataset, iri)
        if isinstance(subject, ox.NamedNode):
            self._written.add(hash(subject.value))
            self._mentioned.pop(subject.value, None)
        if dataset.kind == "series":
            self.add(subject, TYPE, known_node(_SERIES))
        self._describe(subject, dataset, SHAPES[Dataset])
        self._services(dataset.service, subject)
        return subject

    def part(self, part: Part, row: Row | None = None) -> Node:
        """A part of a dataset, named by its IRI if it has one."""
        iri = getattr(part, "uri", None)
        subject: Node = (named(iri) if iri else None) or self.blank()
        if isinstance(subject, ox.NamedNode):
            mark = hash((subject.value, type(part).__name__))
            if mark in self._said:
                return subject
            self._said.add(mark)
        self._describe(subject, part, SHAPES[type(part)])
        return subject

    def take(self) -> list[ox.Triple]:
        """What was written since the last time."""
        taken = self.out[:]
        self.out.clear()
        return taken

    def scheme(self, iri: str) -> ox.NamedNode:
        """A concept scheme, described."""
        node = ox.NamedNode(iri)
        self.describer.scheme(node)
        return node

    def add(self, subject: Node, predicate: str, value: Any) -> None:
        self.out.append(ox.Triple(subject, known_node(predicate), value))

    def _describe(self, subject: Node, part: Part, shape: Shape) -> None:
        for name in shape.types:
            self.add(subject, TYPE, known_node(name))
        filled = derived(part, self._context)
        for name in filled:
            self.add(subject, DERIVED, ox.Literal(name))
        for name, value in {**part.__dict__, **filled}.items():
            row = shape.by_field.get(name)
            if row is not None and value not in (None, (), {}):
                WRITERS[row.kind](self, subject, row, value, part)

    def blank(self) -> ox.BlankNode:
        """A blank node whose label is the same in every export, and no other dataset's."""
        self._count += 1
        return ox.BlankNode(f"b{self._root}x{self._count}")

    def _services(self, services: tuple[DataService, ...], dataset: Node) -> None:
        nodes: list[Node] = []
        for service in services:
            node = self.part(service)
            nodes.append(node)
            self.add(node, SERVES, dataset)
            if isinstance(dataset, ox.NamedNode) and dataset.value not in service.serves_dataset:
                self.add(node, DERIVED, ox.Literal("serves_dataset"))
        self.order(dataset, "service", nodes)

    def several(self, subject: Node, row: Row, nodes: list[tuple[str, Any]]) -> None:
        """The objects of an ordered row, each with its predicate, and their order where it is not the alphabet's."""
        for predicate, node in nodes:
            self.add(subject, predicate, node)
        self.order(subject, row.field, [node for _, node in nodes])

    def order(self, subject: Node, field: str, nodes: list[Any]) -> None:
        if len(nodes) < 2:
            return
        unnamed = [node for node in nodes if isinstance(node, ox.BlankNode)]
        places = {node.value: place for place, node in enumerate(unnamed)}
        for node in unnamed if len(unnamed) > 1 else ():
            self.add(node, POSITION, typed(str(places[node.value]), "integer"))
        keys = [_rank(node, places) for node in nodes]
        ranks = {key: rank for rank, key in enumerate(sorted(keys))}
        order = [ranks[key] for key in keys]
        if order != sorted(order):
            self.add(subject, ORDER, ox.Literal(f"{field} {' '.join(map(str, order))}"))

    def typed_node(self, iri: str, range: str) -> ox.NamedNode | None:
        """The node of an IRI, typed as the shapes want the object of its property to be."""
        node = named(iri)
        if node is None or not range:
            return node
        if range in _DATASETS:
            return self.stand_in(node, range, {})
        return self.describer.typed(node, range)

    def stand_in(self, node: ox.NamedNode, range: str, name: dict[str, str]) -> ox.NamedNode:
        """A dataset that is perhaps described elsewhere; the first name it is mentioned by is kept."""
        if hash(node.value) not in self._written:
            _, before, named_before = self._mentioned.get(node.value, (node, range, {}))
            self._mentioned[node.value] = node, _SERIES if _SERIES in (before, range) else range, named_before or name
        return node

    def finish(self) -> None:
        """Give the datasets that were only mentioned what the shapes demand of any dataset."""
        for node, range, name in self._mentioned.values():
            self._stand_in(node, range, name)
        self._mentioned.clear()

    def _stand_in(self, node: ox.NamedNode, range: str, name: dict[str, str]) -> None:
        self.add(node, TYPE, known_node(range))
        if range == _SERIES:
            self.add(node, TYPE, known_node(_DATASET))
        self.add(node, REFERENCE, typed("true", "boolean"))
        for predicate in (_TITLE, _DESCRIPTION):
            for tag, text in (name or {"": node.value}).items():
                self.add(node, predicate, spoken(text, tag))

    def term(self, subject: Node, row: Row, item: Term, vocabulary: str, *, alone: bool) -> None:
        """A term: its concept where the profile takes it, and the source's own words where they say more."""
        concept = VOCABULARIES[vocabulary].concept(item.uri) if item.uri else None
        if item.uri is None:
            self._only_text(subject, row, item, vocabulary)
        elif concept is None and vocabulary in CLOSED:
            self.paired(subject, row, item)
        else:
            node = named(_SPELLED.sub("https", item.uri) if vocabulary == "checksum-algorithm" else item.uri)
            if node is None:
                self.paired(subject, row, item)
                return
            self.add(subject, row.predicate, node)
            if concept is not None:
                self.describer.concept(concept, node, row.range)
                if item.text != node.value:
                    self._words(subject, row, item, vocabulary, alone=alone)
            elif not self.describer.foreign(item.text, node, row.range):
                self.paired(subject, row, item)

    def _words(self, subject: Node, row: Row, item: Term, vocabulary: str, *, alone: bool) -> None:
        meant = term(vocabulary, item.text)
        if alone or (meant is not None and meant.uri == item.uri):
            self.add(subject, row.own + "Text", ox.Literal(item.text))
        else:
            self.paired(subject, row, item)

    def _only_text(self, subject: Node, row: Row, item: Term, vocabulary: str) -> None:
        if vocabulary in CLOSED or vocabulary in ("data-theme", "place"):
            self.add(subject, row.own + "Text", ox.Literal(item.text))
            return
        node = self.blank()
        self.add(subject, row.predicate, node)
        self.add(node, TYPE, known_node(row.range))
        self.add(node, _PREF_LABEL if row.range == _CONCEPT_CLASS else _LABEL, ox.Literal(item.text))

    def paired(self, subject: Node, row: Row, item: Term) -> None:
        node = self.blank()
        self.add(subject, row.own, node)
        self.add(node, TEXT, ox.Literal(item.text))
        concept = named(item.uri or "")
        self.add(node, CONCEPT, concept if concept is not None else ox.Literal(item.uri or ""))


def _rank(node: Any, places: dict[str, int]) -> tuple[int, str, int]:
    """As `reading` ranks what it finds: names, then literals, then nodes without a name by their places."""
    if isinstance(node, ox.NamedNode):
        return 0, node.value, 0
    return (1, node.value, 0) if isinstance(node, ox.Literal) else (2, "", places[node.value])
