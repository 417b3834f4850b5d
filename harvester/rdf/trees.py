"""The datasets of a graph, each as one tree: expanded JSON-LD with what the feed says of its parts nested in it.

A tree depends on what is stated alone: not on the order of statements, nor on the labels of blank nodes, which never
appear in it.  Other datasets and catalogues are only referred to, by IRI: what else is said of them may stand on
another page of the feed, and a tree is the same however the feed was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, cast

from harvester.fields.when import instant, when
from harvester.jsonio import canonical, digest
from harvester.rdf.graph import CATALOGUES, DATASETS, LISTED, TYPE, Graph, Node, blank
from harvester.rdf.namespaces import expand
from harvester.rdf.profile import DERIVED, LAST_SEEN, REFERENCE, SERVES
from harvester.rdf.shelf import Facts, Value, once

Tree = dict[str, Any]

# Of what is only referred to, these are told from the rest: to be part of them means something else.
_COLLECTIONS = CATALOGUES | {expand("dcat:DatasetSeries")}
_TOPIC = expand("foaf:primaryTopic")
_PART_OF = expand("dct:isPartOf")
# Portals give their catalogue and its publisher one IRI: here its name is the name of an agent.
_AGENTS = frozenset(map(expand, ("dct:publisher", "dct:creator", "dcat:contactPoint")))
# Whoever writes these labels other datasets where they are mentioned, with the names the source mentions them by.
_MENTIONING = (REFERENCE, DERIVED, LAST_SEEN)
_LABEL = expand("rdfs:label")
# What stands for the IRI a dataset does not have, the best first.
_IDENTIFYING = tuple(
    map(expand, ("dct:identifier", "schema:identifier", "dc:identifier", "dcat:landingPage", "schema:url"))
)
_MODIFIED = expand("dct:modified")
# What makes a node more than a reference.
_SAYS = frozenset(
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
_OF_DATASETS = _OUTWARD - frozenset(map(expand, ("dcat:catalog", "dcat:service")))
_SUBCATALOGUES = tuple(map(expand, ("dcat:catalog", "dct:hasPart")))
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
_MOST_CATALOGUES = 1000
# Parts that datasets share are kept, as long as so many others come between.
_MOST_KEPT = 20_000


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

    def any(self) -> bool:
        """Whether there is one."""
        return next(_Grower(self.graph).records(), None) is not None


def datasets(graph: Graph) -> Datasets:
    """Every dataset and series the graph describes, in the order of the document."""
    return Datasets(graph)


def catalogue(graph: Graph) -> Tree | None:
    """The tree of the catalogue a feed is: the one that no other contains, and that lists datasets."""
    catalogues = list(graph.of_type(CATALOGUES))[:_MOST_CATALOGUES]
    inside = {
        value["@id"]
        for node in catalogues
        for predicate in _SUBCATALOGUES
        for value in graph.facts(node).get(predicate, ())
        if value.get("@id", node) != node
    }
    ranked = sorted(catalogues, key=lambda node: (node in inside, LISTED not in graph.facts(node)))
    return _Grower(graph).catalogue(ranked[0]) if ranked else None


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


_NOTHING = _Grown({}, 0, 0, True)


class _Grower:
    """Grows trees from one graph.  Parts that datasets share (their publisher, a licence) are grown once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._described = graph.described()
        self._names_parts = False
        self._left = 0
        # Only what was met before is kept: most parts belong to one dataset.
        self._met: set[Node] = set()
        self._known: dict[Node, _Grown] = {}
        self._many: dict[tuple[Node, str], tuple[list[Value], frozenset[Node]]] = {}

    @cached_property
    def _listed(self) -> dict[Node, None]:
        return dict.fromkeys(value for value in self._graph.every(LISTED) if isinstance(value, str))

    @cached_property
    def _serving(self) -> dict[Node, list[Node]]:
        return self._graph.subjects(SERVES)

    @cached_property
    def _records_of(self) -> dict[Node, list[Node]]:
        return self._graph.subjects(_TOPIC)

    @cached_property
    def _labels_mentions(self) -> bool:
        return any(map(self._graph.uses, _MENTIONING))

    def _is_whole(self, node: Node) -> bool:
        """Datasets and catalogues: what a tree refers to and never contains."""
        return node in self._listed or bool(self._graph.kinds(node))

    def records(self) -> Iterator[Node]:
        """The nodes that are datasets of this feed; some portals list them without saying what they are."""
        graph, listed = self._graph, self._listed
        for node in dict.fromkeys((*graph.of_type(DATASETS), *self._untyped())):
            if CATALOGUES.isdisjoint(graph.kinds(node)):
                facts = graph.facts(node)
                reference = REFERENCE in facts and node not in listed
                if not reference and not _SAYS.isdisjoint(facts):
                    yield node

    def _untyped(self) -> Iterator[Node]:
        return (node for node in self._listed if not self._graph.kinds(node) and not self._graph.types(node))

    def tree(self, root: Node) -> Tree:
        """The tree of one dataset, with the services that serve it and the records about it under `@reverse`."""
        self._left = _MOST_NODES
        tree = self._expanded(root, (root,)).tree
        reverse = {
            predicate: nested
            for predicate, pointing in ((SERVES, self._serving), (_TOPIC, self._records_of))
            if root in pointing and (nested := _settled([self._pointing(subject, root) for subject in pointing[root]]))
        }
        return {**tree, "@reverse": reverse} if reverse else tree

    def _pointing(self, subject: Node, root: Node) -> Tree:
        return self._reference(subject) if self._is_whole(subject) else self._grown(subject, (root,)).tree

    def _grown(self, node: Node, path: tuple[Node, ...]) -> _Grown:
        """The part of the tree under a node, remembered where it does not depend on the way here."""
        known = self._known.get(node)
        if known is not None and len(path) + known.height <= _DEEPEST + 1 and known.nodes <= self._left:
            self._left -= known.nodes
            return known
        grown = self._expanded(node, (*path, node))
        if grown.whole and node in self._met:
            _keep_few(self._known)
            self._known[node] = grown
        else:
            _keep_few(self._met)
            self._met.add(node)
        return grown

    def catalogue(self, root: Node) -> Tree:
        """The tree of a catalogue, without its datasets and their records; its parts have names."""
        self._left, self._names_parts = _MOST_NODES, True
        facts = {
            predicate: [value for value in values if not self._is_dataset(value.get("@id"))]
            for predicate, values in self._graph.facts(root).items()
            if predicate not in _OF_DATASETS
        }
        return self._described_as(root, facts, (root,)).tree

    def _is_dataset(self, node: Node | None) -> bool:
        return node is not None and self._is_whole(node) and CATALOGUES.isdisjoint(self._graph.kinds(node))

    def _expanded(self, node: Node, path: tuple[Node, ...]) -> _Grown:
        facts = self._graph.facts(node)
        if not _OUTWARD.isdisjoint(facts):
            facts = {predicate: values for predicate, values in facts.items() if predicate not in _OUTWARD}
        return self._described_as(node, facts, path)

    def _described_as(self, node: Node, facts: Facts, path: tuple[Node, ...]) -> _Grown:
        tree: Tree = {} if blank(node) else {"@id": node}
        nodes, height, whole = 1, 0, True
        self._left -= 1
        described = self._described
        for predicate in sorted(facts):
            values = facts[predicate]
            only = values[0] if len(values) == 1 else None
            if predicate == TYPE:
                tree["@type"] = sorted({value["@id"] for value in values if "@id" in value and not _unnamed(value)})
            elif only and ((name := only.get("@id")) is None or not (name[:2] == "_:" or described(name))):
                tree[predicate] = values
            elif self._are_leaves(values):
                if settled := _settled(cast(list[Tree], values)):
                    tree[predicate] = settled
            else:
                values, all_of_them = self._listed_there(node, predicate, values, path)
                grown = [self._value(value, predicate, path) for value in values]
                if settled := _settled([part.tree for part in grown]):
                    tree[predicate] = settled
                for part in grown:
                    nodes += part.nodes
                    height = max(height, part.height)
                    whole = whole and part.whole
                whole = whole and all_of_them
        return _Grown(tree, nodes, height + 1, whole)

    def _are_leaves(self, values: list[Value]) -> bool:
        """Whether the values are literals and the names of nodes of which nothing is said: they stand as they are."""
        described = self._described
        if len(values) == 1 or len(values) > _MOST_REFERENCES:
            return False
        for value in values:
            name = value.get("@id")
            if name is not None and (name[:2] == "_:" or described(name)):
                return False
        return True

    def _listed_there(
        self, node: Node, predicate: str, values: list[Value], path: tuple[Node, ...]
    ) -> tuple[list[Value], bool]:
        """The values that belong to the tree, and whether that is all: of many datasets, only the one it is about."""
        if len(values) <= _MOST_REFERENCES or len(path) == 1:
            return once(values), True
        key = node, predicate
        if key not in self._many:
            values = once(values)
            if len(values) <= _MOST_REFERENCES:
                return values, True
            whole = frozenset(value["@id"] for value in values if "@id" in value and self._is_whole(value["@id"]))
            _keep_few(self._many)
            self._many[key] = [value for value in values if value.get("@id") not in whole], whole
        kept, others = self._many[key]
        return [*kept, {"@id": path[0]}] if path[0] in others else kept, not others

    def _value(self, value: Value, predicate: str, path: tuple[Node, ...]) -> _Grown:
        name = value.get("@id")
        if name is None:
            return _Grown(cast(Tree, value), 0, 0, True)
        if not self._described(name):
            return _NOTHING if blank(name) else _Grown(cast(Tree, value), 0, 0, True)
        if predicate in _STRUCTURE or self._is_whole(name):
            return _Grown(self._reference(name, predicate), 0, 0, True)
        if name in path or len(path) > _DEEPEST or self._left <= 0:
            return _Grown(self._reference(name), 0, 0, False)
        return self._grown(name, path)

    def _reference(self, node: Node, predicate: str = "") -> Tree:
        named: Tree = {} if blank(node) else {"@id": node}
        facts = self._graph.facts(node)
        # The page a collection stands on may be another: it is told only where it makes a difference.
        collections = self._graph.kinds(node) & _COLLECTIONS if predicate == _PART_OF else ()
        if collections:
            named["@type"] = sorted(collections)
        for name in self._names_of(node, predicate):
            literals = [value for value in facts.get(name, ()) if "@value" in value]
            if literals:
                return {**named, name: _settled(cast(list[Tree], literals))}
        return named

    def _names_of(self, node: Node, predicate: str) -> tuple[str, ...]:
        """What names a node, the best first; of a dataset or catalogue only what stands where it is mentioned."""
        if self._names_parts or predicate in _AGENTS or blank(node) or not self._is_whole(node):
            # A stand-in's title is its writer's; its label is the source's.
            return (_LABEL,) if REFERENCE in self._graph.facts(node) else _NAMES
        return (_LABEL,) if self._labels_mentions else ()


def _unnamed(value: Value) -> bool:
    return blank(value["@id"])


def _keep_few(kept: dict[Any, Any] | set[Any]) -> None:
    if len(kept) >= _MOST_KEPT:
        kept.clear()


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
