"""The datasets of a graph, each as one tree: expanded JSON-LD with what the feed says of its parts nested in it.

A tree depends on what is stated alone: not on the order of statements, nor on the labels of blank nodes, which never
appear in it.  Other datasets and catalogues are only referred to, by IRI and title.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from harvester.fields.when import instant, when
from harvester.jsonio import canonical, digest
from harvester.rdf.graph import TYPE, Graph, Literal, Node, Object, blank
from harvester.rdf.namespaces import expand
from harvester.rdf.profile import REFERENCE, SERVES

Tree = dict[str, Any]

DATASETS = frozenset(map(expand, ("dcat:Dataset", "dcat:DatasetSeries", "schema:Dataset")))
CATALOGUES = frozenset(map(expand, ("dcat:Catalog", "dcat:Catalogue")))
_LISTED = expand("dcat:dataset")
_TOPIC = expand("foaf:primaryTopic")
_IDENTIFIER, _LANDING = expand("dct:identifier"), expand("dcat:landingPage")
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
_DEEPEST = 6
_MOST_NODES = 50_000
# A service of a whole portal lists all its datasets: written into each of them, a catalogue would be quadratic.
_MOST_SERVED = 25


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


def datasets(graph: Graph) -> Datasets:
    """Every dataset and series the graph describes, in the order of the document."""
    return Datasets(graph)


def guid_of(node: Node, tree: Tree) -> str:
    """The IRI; for a dataset without one its identifier, its landing page, or a digest of all it says."""
    if not blank(node):
        return node
    for predicate in (_IDENTIFIER, _LANDING):
        for value in tree.get(predicate, ()):
            if name := value.get("@value") or value.get("@id"):
                return str(name)
    return digest(tree).hex()


def _modified(tree: Tree) -> datetime | None:
    dates = (when(value.get("@value")) for value in tree.get(_MODIFIED, ()))
    return max((moment for date in dates if (moment := instant(date))), default=None)


class _Grower:
    """Grows trees from one graph."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._left = 0

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
        tree = self._expanded(root, (root,))
        reverse = {
            predicate: nested
            for predicate, subjects in ((SERVES, self._serving), (_TOPIC, self._records_of))
            if (nested := _settled(self._pointing(subject, root) for subject in subjects.get(root, ())))
        }
        return {**tree, "@reverse": reverse} if reverse else tree

    def _pointing(self, subject: Node, root: Node) -> Tree:
        return self._reference(subject) if subject in self._whole else self._expanded(subject, (root, subject))

    def _expanded(self, node: Node, path: tuple[Node, ...]) -> Tree:
        facts = self._graph.nodes.get(node, {})
        tree: Tree = {} if blank(node) else {"@id": node}
        self._left -= 1
        for predicate in sorted(facts):
            if predicate == TYPE:
                tree["@type"] = sorted(name for name in self._graph.types(node) if not blank(name))
            elif predicate not in _OUTWARD:
                values = self._graph.values(node, predicate)
                values = self._served(values, path[0]) if predicate == SERVES else values
                if settled := _settled(self._value(value, path) for value in values):
                    tree[predicate] = settled
        return tree

    def _served(self, values: list[Object], root: Node) -> list[Object]:
        return values if len(values) <= _MOST_SERVED else [value for value in values if value == root]

    def _value(self, value: Object, path: tuple[Node, ...]) -> Tree:
        if isinstance(value, Literal):
            return _literal(value)
        if value not in self._graph.nodes:
            return {} if blank(value) else {"@id": value}
        if value in path or value in self._whole or len(path) > _DEEPEST or self._left <= 0:
            return self._reference(value)
        return self._expanded(value, (*path, value))

    def _reference(self, node: Node) -> Tree:
        named: Tree = {} if blank(node) else {"@id": node}
        # A stand-in's title is its writer's; its label is the source's.
        names = _NAMES[1:2] if REFERENCE in self._graph.nodes.get(node, ()) else _NAMES
        for predicate in names:
            literals = (value for value in self._graph.values(node, predicate) if isinstance(value, Literal))
            if settled := _settled(map(_literal, literals)):
                return {**named, predicate: settled}
        return named


def _literal(value: Literal) -> Tree:
    if value.language:
        return {"@value": value.value, "@language": value.language}
    return {"@value": value.value, "@type": value.datatype} if value.datatype else {"@value": value.value}


def _settled(values: Iterator[Tree] | map[Tree]) -> list[Tree]:
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
