"""The datasets of a graph, each as one tree: expanded JSON-LD with what the feed says of its parts nested in it.

A tree depends on what is stated alone: not on the order of statements, nor on the labels of blank nodes, which never
appear in it.  Other datasets and catalogues are only referred to, by IRI and title.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from harvester.fields.when import instant, when
from harvester.jsonio import canonical, digest
from harvester.rdf.graph import TYPE, Graph, Literal, Node, Object, blank
from harvester.rdf.namespaces import expand
from harvester.rdf.profile import REFERENCE, SERVES

Tree = dict[str, Any]

DATASETS = frozenset(map(expand, ("dcat:Dataset", "dcat:DatasetSeries", "schema:Dataset")))
CATALOGUES = frozenset(map(expand, ("dcat:Catalog", "dcat:Catalogue")))
# Of what is only referred to, these are told from the rest: to be part of them means something else.
_COLLECTIONS = CATALOGUES | {expand("dcat:DatasetSeries")}
_LISTED = expand("dcat:dataset")
_TOPIC = expand("foaf:primaryTopic")
# What stands for the IRI a dataset does not have, the best first.
_IDENTIFYING = tuple(
    map(expand, ("dct:identifier", "schema:identifier", "dc:identifier", "dcat:landingPage", "schema:url"))
)
_MODIFIED = expand("dct:modified")
# What makes a node more than a reference.
_SAYS = tuple(
    map(
        expand,
        ("dct:title", "dct:description", "dct:identifier", "dcat:distribution", "dcat:landingPage", "schema:name"),
    )
)
_NAMES = tuple(map(expand, ("dct:title", "rdfs:label", "schema:name")))
# What a catalogue says of its content: never part of a dataset.
_OUTWARD = frozenset(
    map(expand, ("dcat:dataset", "dcat:record", "dcat:catalog", "dcat:service", "hydra:member", "hydra:view"))
)
# The order of a vocabulary: followed, it would bring every concept into every dataset.
_STRUCTURE = frozenset(
    map(
        expand,
        (
            "skos:inScheme",
            "skos:topConceptOf",
            "skos:hasTopConcept",
            "skos:broader",
            "skos:narrower",
            "skos:member",
            "skos:related",
            "skos:exactMatch",
        ),
    )
)
_DEEPEST = 6
_MOST_NODES = 50_000
# A service of a whole portal lists all its datasets, a publisher all it made: written into each of those datasets, a
# catalogue would be quadratic.
_MOST_REFERENCES = 25


@dataclass(frozen=True, slots=True)
class Found:
    """One dataset of a feed."""

    guid: str
    tree: Tree
    modified: datetime | None


@dataclass(slots=True)
class Datasets:
    """What was found in a graph: iterate once; `repeated` fills with the guids that came more than once."""

    graph: Graph
    repeated: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Found]:
        seen: set[str] = set()
        grower = _Grower(self.graph)
        for node in grower.records():
            tree = grower.tree(node)
            guid = guid_of(node, tree)
            if guid in seen:
                self.repeated.append(guid)
                continue
            seen.add(guid)
            yield Found(guid, tree, _modified(tree))

    def count(self) -> int:
        """How many descriptions there are; growing no tree makes it cheap."""
        return sum(1 for _ in _Grower(self.graph).records())


def datasets(graph: Graph) -> Datasets:
    """Every dataset and series the graph describes, in the order of the document."""
    return Datasets(graph)


def guid_of(node: Node, tree: Tree) -> str:
    """The IRI; for a dataset without one its identifier, its landing page, or a digest of all it says."""
    if not blank(node):
        return node
    for predicate in _IDENTIFYING:
        for value in tree.get(predicate, ()):
            if name := value.get("@value") or value.get("@id"):
                return str(name)
    return digest(tree).hex()


def _modified(tree: Tree) -> datetime | None:
    dates = (when(value.get("@value")) for value in tree.get(_MODIFIED, ()))
    return max((moment for date in dates if (moment := instant(date))), default=None)


class _Grown(NamedTuple):
    """A part of a tree; `whole` when nothing was cut off, so that it is the same wherever the node is met."""

    tree: Tree
    nodes: int
    height: int
    whole: bool


class _Grower:
    """Grows trees from one graph.  Parts that datasets share (their publisher, a licence) are grown once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._left = 0
        # Only what was met before is kept: most parts belong to one dataset.
        self._met: set[Node] = set()
        self._known: dict[Node, _Grown] = {}
        self._many: dict[tuple[Node, str], tuple[list[Object], frozenset[Object]]] = {}

    @cached_property
    def _listed(self) -> frozenset[Node]:
        return frozenset(value for value in self._graph.every(_LISTED) if isinstance(value, str))

    @cached_property
    def _serving(self) -> dict[Node, list[Node]]:
        return self._graph.subjects(SERVES)

    @cached_property
    def _records_of(self) -> dict[Node, list[Node]]:
        return self._graph.subjects(_TOPIC)

    @cached_property
    def _whole(self) -> frozenset[Node]:
        """Datasets and catalogues: what a tree refers to and never contains."""
        typed = self._graph.of_type(DATASETS | CATALOGUES)
        return self._listed.union(typed)

    def records(self) -> Iterator[Node]:
        """The nodes that are datasets of this feed; some portals list them without saying what they are."""
        for node in dict.fromkeys((*self._graph.of_type(DATASETS), *self._untyped())):
            facts = self._graph.nodes.get(node, {})
            reference = REFERENCE in facts and node not in self._listed
            if not reference and any(predicate in facts for predicate in _SAYS) and not self._is_catalogue(node):
                yield node

    def _untyped(self) -> Iterator[Node]:
        for value in self._graph.every(_LISTED):
            if isinstance(value, str) and not self._graph.types(value):
                yield value

    def _is_catalogue(self, node: Node) -> bool:
        return not CATALOGUES.isdisjoint(self._graph.types(node))

    def tree(self, root: Node) -> Tree:
        """The tree of one dataset, with the services that serve it and the records about it under `@reverse`."""
        self._left = _MOST_NODES
        tree = self._expanded(root, (root,)).tree
        reverse = {
            predicate: nested
            for predicate, subjects in ((SERVES, self._serving), (_TOPIC, self._records_of))
            if (nested := _settled([self._pointing(subject, root) for subject in subjects.get(root, ())]))
        }
        return {**tree, "@reverse": reverse} if reverse else tree

    def _pointing(self, subject: Node, root: Node) -> Tree:
        return self._reference(subject) if subject in self._whole else self._grown(subject, (root,)).tree

    def _grown(self, node: Node, path: tuple[Node, ...]) -> _Grown:
        """The part of the tree under a node, remembered where it does not depend on the way here."""
        known = self._known.get(node)
        if known is not None and len(path) + known.height <= _DEEPEST + 1 and known.nodes <= self._left:
            self._left -= known.nodes
            return known
        grown = self._expanded(node, (*path, node))
        if grown.whole and node in self._met:
            self._known[node] = grown
        self._met.add(node)
        return grown

    def _expanded(self, node: Node, path: tuple[Node, ...]) -> _Grown:
        tree: Tree = {} if blank(node) else {"@id": node}
        nodes, height, whole = 1, 0, True
        self._left -= 1
        facts = self._graph.nodes.get(node, {})
        for predicate in sorted(facts):
            if predicate == TYPE:
                tree["@type"] = sorted(name for name in self._graph.types(node) if not blank(name))
            elif predicate not in _OUTWARD:
                values, all_of_them = self._listed_there(node, predicate, facts[predicate], path)
                grown = [self._value(value, predicate, path) for value in values]
                if settled := _settled([part.tree for part in grown]):
                    tree[predicate] = settled
                whole = whole and all_of_them and all(part.whole for part in grown)
                nodes += sum(part.nodes for part in grown)
                height = max(height, *(part.height for part in grown), 0)
        return _Grown(tree, nodes, height + 1, whole)

    def _listed_there(
        self, node: Node, predicate: str, values: list[Object], path: tuple[Node, ...]
    ) -> tuple[list[Object], bool]:
        """The values that belong to the tree, and whether that is all: of many datasets, only the one it is about."""
        if len(values) <= _MOST_REFERENCES or len(path) == 1:
            return values, True
        key = node, predicate
        if key not in self._many:
            whole: frozenset[Object] = frozenset(value for value in values if value in self._whole)
            self._many[key] = [value for value in values if value not in whole], whole
        kept, others = self._many[key]
        return [*kept, path[0]] if path[0] in others else kept, not others

    def _value(self, value: Object, predicate: str, path: tuple[Node, ...]) -> _Grown:
        if isinstance(value, Literal):
            return _Grown(_literal(value), 0, 0, True)
        if value not in self._graph.nodes:
            return _Grown({} if blank(value) else {"@id": value}, 0, 0, True)
        if value in self._whole or predicate in _STRUCTURE:
            return _Grown(self._reference(value), 0, 0, True)
        if value in path or len(path) > _DEEPEST or self._left <= 0:
            return _Grown(self._reference(value), 0, 0, False)
        return self._grown(value, path)

    def _reference(self, node: Node) -> Tree:
        named: Tree = {} if blank(node) else {"@id": node}
        if kinds := sorted(self._graph.types(node) & _COLLECTIONS):
            named["@type"] = kinds
        # A stand-in's title is its writer's; its label is the source's.
        names = _NAMES[1:2] if REFERENCE in self._graph.nodes.get(node, ()) else _NAMES
        for predicate in names:
            literals = [value for value in self._graph.values(node, predicate) if isinstance(value, Literal)]
            if settled := _settled([_literal(value) for value in literals]):
                return {**named, predicate: settled}
        return named


def _literal(value: Literal) -> Tree:
    if value.language:
        return {"@value": value.value, "@language": value.language}
    return {"@value": value.value, "@type": value.datatype} if value.datatype else {"@value": value.value}


def _settled(values: list[Tree]) -> list[Tree]:
    """The values in an order of their own, without repetition; empty ones left out."""
    kept = [value for value in values if value]
    if len(kept) < 2:
        return kept
    keyed = {sort_key(value): value for value in kept}
    return [keyed[key] for key in sorted(keyed)]


def sort_key(value: Tree) -> tuple[int, str, bytes]:
    """Nodes by IRI, then literals, then nodes without a name."""
    if "@value" in value:
        return 1, str(value["@value"]), f"{value.get('@language', '')}\n{value.get('@type', '')}".encode()
    return (0, value["@id"], b"") if "@id" in value else (2, "", canonical(value))
