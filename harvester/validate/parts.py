"""A catalogue cut into parts that can be checked alone: a dataset with all that belongs to it, a catalogue's links."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import pyoxigraph as ox
from rdflib import URIRef

from harvester.rdf.namespaces import expand
from harvester.validate.feeds import Feed
from harvester.validate.terms import Node, Triple, is_sound, node_of, property_of, term_of

# What is known of an IRI beside the document.
Described = Callable[[str], list[ox.Quad]]
OxNode = ox.NamedNode | ox.BlankNode

CATALOGUE, DATASET, SERVICE = expand("dcat:Catalog"), expand("dcat:Dataset"), expand("dcat:DataService")
SERIES, RECORD = expand("dcat:DatasetSeries"), expand("dcat:CatalogRecord")
# What is a part of its own, and in other parts only mentioned, with its classes.
APART = frozenset((CATALOGUE, DATASET, SERIES, RECORD))
_TYPE = ox.NamedNode(expand("rdf:type"))
_CONCEPT, _SCHEME = expand("skos:Concept"), expand("skos:ConceptScheme")
_IN_SCHEME = expand("skos:inScheme")
_TOPIC, _IN_SERIES = expand("foaf:primaryTopic"), expand("dcat:inSeries")
_SERVES = expand("dcat:servesDataset")
_CATEGORY, _LAW = expand("dcatap:hvdCategory"), expand("dcatap:applicableLegislation")
HVD_LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
# The lists that may be as long as the catalogue: they are cut.
_LONG = {
    CATALOGUE: frozenset(map(expand, ("dcat:dataset", "dcat:record", "dcat:service", "dcat:catalog", "dct:hasPart"))),
    SERVICE: frozenset((_SERVES,)),
}
_EVERY_LONG = frozenset().union(*_LONG.values())
MOST_MENTIONED = 50
LINKS = 1000


@dataclass(slots=True)
class Step:
    """How a node was reached: from where, by which property, as which of several."""

    origin: Node
    predicate: str
    number: int


@dataclass(slots=True)
class Part:
    """Statements about one resource and what belongs to it.

    `mentioned` are nodes of other parts, `only` the properties of the resource this part is there for (all when
    empty), `unsound` the names in it that are no IRIs; not `listed` is what the document stands in for: it counts
    where it is at home.
    """

    root: Node
    kind: str
    triples: list[Triple] = field(default_factory=list)
    mentioned: set[Node] = field(default_factory=set)
    steps: dict[Node, Step] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    unsound: list[tuple[Node, str, str]] = field(default_factory=list)
    covers: set[int] = field(default_factory=set)
    listed: bool = True

    @property
    def is_dataset(self) -> bool:
        """Whether this is all there is of a dataset or series, and no stand-in or piece of a list."""
        return self.kind in (DATASET, SERIES) and self.listed and not self.only


class Cutter:
    """Takes parts out of a feed; what terms are that it only mentions, others may know."""

    def __init__(self, feed: Feed, elsewhere: Described) -> None:
        self._store, self._positions, self._elsewhere = feed.store, feed.positions, elsewhere

    def part(self, root: OxNode, kind: str) -> Part:
        """One resource with its parts, its records and the services that serve it."""
        growth = _Growth(self, root, kind)
        growth.grow()
        return growth.part

    def links(self, root: OxNode, kind: str) -> Iterator[Part]:
        """What of the long lists of a catalogue or a service is not in its part, with the classes of what they list."""
        for predicate in sorted(_LONG.get(kind, ())):
            quads = islice(self._store.quads_for_pattern(root, ox.NamedNode(predicate), None), LINKS, None)
            while piece := list(islice(quads, LINKS)):
                yield self._piece(root, kind, predicate, piece)

    def _piece(self, root: OxNode, kind: str, predicate: str, quads: list[ox.Quad]) -> Part:
        node = node_of(root)
        part = Part(node, kind, only=frozenset((predicate,)))
        part.triples.append((node, URIRef(_TYPE.value), URIRef(kind)))
        for number, quad in enumerate(quads, 1):
            value = term_of(quad.object)
            part.triples.append((node, URIRef(predicate), value))
            if isinstance(quad.object, OxNode):
                target = node_of(quad.object)
                part.steps[target] = Step(node, predicate, number)
                if target != node:
                    part.mentioned.add(target)
                    part.triples += self.classes(quad.object)
        return part

    def about(self, node: OxNode) -> tuple[list[ox.Quad], bool]:
        """What is said of a node, and whether only a vocabulary says it."""
        found = list(self._store.quads_for_pattern(node, None, None))
        found.sort(key=lambda quad: self._position(quad.object))
        known = self._elsewhere(node.value) if isinstance(node, ox.NamedNode) and is_sound(node.value) else []
        return found + known, not found and bool(known)

    def _position(self, value: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple) -> int:
        return self._positions.get(value, 0) if isinstance(value, OxNode) else 0

    def pointing(self, node: OxNode, predicate: str) -> list[OxNode]:
        """The nodes that point at one; of those that only mention it, a few are enough."""
        quads = self._store.quads_for_pattern(None, ox.NamedNode(predicate), node)
        few = islice(quads, MOST_MENTIONED) if predicate == _IN_SERIES else quads
        return [quad.subject for quad in few if isinstance(quad.subject, OxNode)]

    def classes(self, node: OxNode) -> list[Triple]:
        """What a node is said to be."""
        found = self._store.quads_for_pattern(node, _TYPE, None)
        return [(node_of(node), URIRef(_TYPE.value), term_of(quad.object)) for quad in found]


class _Growth:
    """One part while it grows."""

    def __init__(self, cutter: Cutter, root: OxNode, kind: str) -> None:
        self._cutter, self._root = cutter, root
        self.part = Part(node_of(root), kind)
        self._waiting: deque[OxNode] = deque([root])
        self._seen: set[OxNode] = {root}

    def grow(self) -> None:
        self._incoming()
        while self._waiting:
            node = self._waiting.popleft()
            self.part.covers.add(hash(node))
            quads, foreign = self._cutter.about(node)
            if foreign:
                self.part.mentioned.add(node_of(node))
            self._describe(node, quads)

    def _incoming(self) -> None:
        """Records and services point at their dataset, members at their series."""
        for predicate in (_TOPIC, _SERVES, _IN_SERIES):
            for number, node in enumerate(self._cutter.pointing(self._root, predicate), 1):
                if node in self._seen:
                    continue
                self.part.steps[node_of(node)] = Step(self.part.root, f"^{predicate}", number)
                if predicate == _IN_SERIES:
                    self._mention(node)
                    self.part.triples.append((node_of(node), URIRef(predicate), self.part.root))
                else:
                    self._seen.add(node)
                    self._waiting.append(node)

    def _describe(self, node: OxNode, quads: list[ox.Quad]) -> None:
        kinds = {quad.object.value for quad in quads if quad.predicate == _TYPE and isinstance(quad.object, OxNode)}
        if node == self._root and isinstance(node, ox.NamedNode) and not is_sound(node.value):
            self.part.unsound.append((node_of(node), "", node.value))
        subject, numbers = node_of(node), dict[str, int]()
        for quad in quads:
            predicate, value = quad.predicate.value, quad.object
            link = property_of(quad.predicate)
            numbers[predicate] = number = numbers.get(predicate, 0) + 1
            if isinstance(value, ox.Literal) or quad.predicate == _TYPE or not isinstance(value, OxNode):
                self.part.triples.append((subject, link, term_of(value)))
            elif self._wanted(node, kinds, predicate, value, number):
                self.part.triples.append((subject, link, node_of(value)))
                self._reach(value, Step(subject, predicate, number))

    def _wanted(self, node: OxNode, kinds: set[str], predicate: str, value: OxNode, number: int) -> bool:
        """Whether to follow a statement: vocabularies and long lists would lead through everything."""
        if _SCHEME in kinds or (_CONCEPT in kinds and predicate.startswith(_IN_SCHEME.removesuffix("inScheme"))):
            return predicate == _IN_SCHEME
        most = LINKS if node == self._root else MOST_MENTIONED
        return number <= most or predicate not in _EVERY_LONG or value == self._root

    def _reach(self, node: OxNode, step: Step) -> None:
        if node in self._seen:
            return
        self.part.steps.setdefault(node_of(node), step)
        if isinstance(node, ox.NamedNode) and not is_sound(node.value):
            self.part.unsound.append((step.origin, step.predicate, node.value))
        if self._apart(node):
            self._mention(node)
            return
        self._seen.add(node)
        self._waiting.append(node)

    def _apart(self, node: OxNode) -> bool:
        return any(str(kind) in APART for _, _, kind in self._cutter.classes(node))

    def _mention(self, node: OxNode) -> None:
        self._seen.add(node)
        self.part.mentioned.add(node_of(node))
        self.part.triples += self._cutter.classes(node)


def cut(feed: Feed, targets: Iterable[str], elsewhere: Described) -> Iterator[Part]:
    """Every part of a feed in the order of the document: datasets, series, catalogues, then what belongs to none."""
    cutter = Cutter(feed, elsewhere)
    covered: set[int] = set()
    for kind in (DATASET, SERIES, CATALOGUE, *sorted(set(targets) - {DATASET, SERIES, CATALOGUE})):
        for node in feed.typed.get(kind, ()):
            if hash(node) not in covered:
                part = cutter.part(node, kind)
                covered |= part.covers
                yield part
                yield from cutter.links(node, kind)


def is_hvd(part: Part) -> bool:
    """Whether the part is about a high-value dataset."""
    said = ((str(predicate), str(value)) for subject, predicate, value in part.triples if subject == part.root)
    return any(predicate == _CATEGORY or (predicate == _LAW and value == HVD_LAW) for predicate, value in said)


def batches(parts: Iterable[Part], most: int) -> Iterator[list[Part]]:
    """Parts in groups of about so many statements."""
    held: list[Part] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part.triples)
        if size >= most:
            yield held
            held, size = [], 0
    if held:
        yield held
