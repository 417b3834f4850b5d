"""A graph: what the statements of one document say of each node, and what went wrong reading them.

Small ones are held in memory, large ones on disk (`harvester.rdf.shelf`); both answer alike.  Values stand as
expanded JSON-LD has them (JSON-LD 1.1, section 9), which is what trees are made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from harvester.rdf.namespaces import canonical, expand
from harvester.rdf.shelf import Facts, Shelf, Value, once

TYPE = expand("rdf:type")
_FIRST, _REST, _NIL = expand("rdf:first"), expand("rdf:rest"), expand("rdf:nil")
_CHAIN = frozenset((_FIRST, _REST))
LONGEST_LIST = 100_000
MOST_SPELLINGS = 4096
MOST_FLATTENED = 1000
# As many statements are held in memory, some 500 bytes each.
MOST_HELD = 20_000

DATASETS = frozenset(map(expand, ("dcat:Dataset", "dcat:DatasetSeries", "schema:Dataset")))
CATALOGUES = frozenset(map(expand, ("dcat:Catalog", "dcat:Catalogue")))
_KINDS = DATASETS | CATALOGUES
LISTED = expand("dcat:dataset")
_VIEW = expand("hydra:PartialCollectionView")
# How a page links to the next one, and tells its place among the others (Hydra of several versions).
NEXT = ("hydra:next", "hydra:nextPage")
PLACED = (
    *("hydra:view", "hydra:first", "hydra:firstPage", "hydra:previous", "hydra:previousPage"),
    *("hydra:last", "hydra:lastPage"),
)
# What a document says of itself and of the order of things: found without looking through all of it.
_INDEXED = frozenset(
    map(
        expand,
        (
            "dcat:dataset",
            "dcat:servesDataset",
            "foaf:primaryTopic",
            *NEXT,
            *PLACED,
            "hydra:totalItems",
        ),
    )
)

_SPECIAL = _INDEXED | {_FIRST}


class _Spellings(dict[str, str]):
    """Properties and classes as we know them, by the way they are spelt."""

    def __missing__(self, spelt: str) -> str:
        if len(self) >= MOST_SPELLINGS:
            self.clear()
        # A property that looks like a keyword of JSON-LD must not become one.
        self[spelt] = known = f"about:{spelt}" if spelt.startswith("@") else canonical(spelt)
        return known


_CANONICAL = _Spellings()
_ALONE = {kind: frozenset((kind,)) for kind in _KINDS}


class Literal(NamedTuple):
    """A value; `language` and `datatype` are "" for plain strings."""

    value: str
    language: str = ""
    datatype: str = ""


# An IRI, or the label of a blank node with its "_:".
Node = str
Object = Node | Literal


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something wrong in a document; `lossy` when statements were lost."""

    code: str
    message: str
    lossy: bool = False


def blank(node: Node) -> bool:
    """Whether the node has no IRI."""
    return node.startswith("_:")


class Graph:
    """Statements by subject and predicate; `held` is how many may be held in memory."""

    def __init__(self, held: int = MOST_HELD) -> None:
        self.troubles: list[Trouble] = []
        # Whether the document calls itself one page of several.
        self.is_view = False
        self.size = 0
        self._held = held
        self._nodes: dict[Node, Facts] = {}
        self._shelf: Shelf | None = None
        # The datasets and catalogues, in the order of the document.
        self._kinds: dict[Node, frozenset[str]] = {}
        self._indexed: dict[str, list[tuple[Node, Value]]] = {predicate: [] for predicate in _INDEXED}
        self._lists: dict[Node, list[Value]] | None = None
        self._flattened: dict[Node, Facts] = {}
        self._plain = {TYPE}

    def __contains__(self, node: Node) -> bool:
        """Whether anything is said of the node."""
        return node in (self._nodes if self._shelf is None else self._shelf)

    def described(self) -> Callable[[Node], bool]:
        """`node in graph`, for whoever asks very often once all is added."""
        return self._nodes.__contains__ if self._shelf is None else self._shelf.described()

    def close(self) -> None:
        """Give back what is on disk."""
        if self._shelf is not None:
            self._shelf.close()

    def add(self, described: Iterable[dict[str, Any]], size: int) -> None:
        """Note statements, `size` of them, as node objects of expanded JSON-LD."""
        nodes: dict[Node, Facts] = {} if self._shelf is not None else self._nodes
        for item in described:
            name = item.pop("@id", None)
            if "@graph" in item:
                # Which graph of a document a statement stands in means nothing to us.
                self.add(item.pop("@graph"), 0)
            if item and isinstance(name, str):
                self._note(name, item, nodes)
        self.size += size
        if self._shelf is not None:
            self._shelf.put(nodes)
        elif self.size > self._held:
            self._shelf, self._nodes = Shelf(), {}
            self._shelf.put(nodes)

    def _note(self, name: Node, item: dict[str, Any], nodes: dict[Node, Facts]) -> None:
        facts = nodes.get(name)
        if facts is None and self._plain.issuperset(item):
            # Nearly all nodes are described at once, in properties with nothing special about them.
            nodes[name] = item
            if TYPE in item:
                self._typed(name, item[TYPE])
            return
        if facts is None:
            facts = nodes[name] = {}
        for spelt, values in item.items():
            predicate = _CANONICAL[spelt]
            stored = self._noticed(name, predicate, values)
            before = facts.get(predicate)
            facts[predicate] = stored if before is None else before + stored
            if predicate == spelt and predicate not in _SPECIAL and len(self._plain) < MOST_SPELLINGS:
                self._plain.add(predicate)

    def _noticed(self, name: Node, predicate: str, values: list[Value]) -> list[Value]:
        """The values to store with the node; what is to be found without looking through all nodes is noted."""
        if predicate == TYPE:
            self._typed(name, values)
        elif predicate in self._indexed:
            self._indexed[predicate] += [(name, value) for value in values]
        elif predicate == _FIRST and self._lists is None:
            self._lists = {}
        return [] if predicate == LISTED else values

    def _typed(self, name: Node, values: list[Value]) -> None:
        for value in values:
            if "@id" in value:
                kind = value["@id"] = _CANONICAL[value["@id"]]
                if kind in _KINDS:
                    self._kinds[name] = self._kinds[name] | {kind} if name in self._kinds else _ALONE[kind]
                elif kind == _VIEW:
                    self.is_view = True

    def facts(self, node: Node) -> Facts:
        """What is said of a node, by predicate; RDF lists stand as their members."""
        found = self._nodes.get(node) if self._shelf is None else self._shelf.get(node)
        if found is None:
            return {}
        if self._lists is None:
            return found
        if node not in self._flattened:
            if len(self._flattened) >= MOST_FLATTENED:
                self._flattened.clear()
            self._flattened[node] = self._flat(found, self._lists)
        return self._flattened[node]

    def values(self, node: Node, predicate: str) -> list[Object]:
        """The objects of a statement, in the order of the document, each once."""
        if predicate == LISTED:
            return _objects([value for subject, value in self._pairs(LISTED) if subject == node])
        return _objects(self.facts(node).get(predicate, []))

    def types(self, node: Node) -> set[str]:
        return {value["@id"] for value in self.facts(node).get(TYPE, ()) if "@id" in value}

    def of_type(self, classes: Iterable[str]) -> Iterator[Node]:
        """Every dataset or catalogue of one of the classes, in the order of the document."""
        wanted = set(classes)
        return (node for node, kinds in self._kinds.items() if not wanted.isdisjoint(kinds))

    def uses(self, predicate: str) -> bool:
        """Whether anything is said with a property; of thousands in one document, the later ones are not told."""
        return predicate in self._plain or bool(self._indexed.get(predicate))

    def kinds(self, node: Node) -> frozenset[str]:
        """Which of the classes of datasets and catalogues the node is of."""
        return self._kinds.get(node, frozenset())

    def subjects(self, predicate: str) -> dict[Node, list[Node]]:
        """object node -> the subjects that point to it with the predicate."""
        pointing: dict[Node, dict[Node, None]] = {}
        for subject, value in self._pairs(predicate):
            if "@id" in value:
                pointing.setdefault(value["@id"], {})[subject] = None
        return {node: list(subjects) for node, subjects in pointing.items()}

    def every(self, predicate: str) -> Iterator[Object]:
        """Every object of the predicate, whatever the subject."""
        for _, value in self._pairs(predicate):
            yield _object(value)

    def _pairs(self, predicate: str) -> Iterator[tuple[Node, Value]]:
        """Subject and object of every statement with the predicate."""
        if predicate not in self._indexed:
            names = self._nodes if self._shelf is None else self._shelf.names()
            for name in names:
                yield from ((name, value) for value in once(self.facts(name).get(predicate, [])))
        elif self._lists is None:
            yield from self._indexed[predicate]
        else:
            for name, value in self._indexed[predicate]:
                yield from ((name, member) for member in self._members(value, self._lists))

    def _flat(self, facts: Facts, known: dict[Node, list[Value]]) -> Facts:
        return {
            predicate: values
            if predicate in _CHAIN
            else [member for value in values for member in self._members(value, known)]
            for predicate, values in facts.items()
        }

    def _members(self, value: Value, known: dict[Node, list[Value]]) -> list[Value]:
        """The members of a list, which is followed once however many statements point at it; else the value."""
        head = value.get("@id", "")
        if head not in known:
            if head != _NIL and _FIRST not in self._raw(head):
                return [value]
            known[head] = list(self._followed(head))
        return known[head]

    def _followed(self, head: Node) -> Iterator[Value]:
        seen: set[Node] = set()
        while head != _NIL and head not in seen and len(seen) < LONGEST_LIST:
            seen.add(head)
            facts = self._raw(head)
            yield from facts.get(_FIRST, ())[:1]
            head = next((rest["@id"] for rest in facts.get(_REST, ()) if "@id" in rest), _NIL)

    def _raw(self, node: Node) -> Facts:
        return (self._nodes.get(node) if self._shelf is None else self._shelf.get(node)) or {}


def _objects(values: list[Value]) -> list[Object]:
    return [_object(value) for value in once(values)]


def _object(value: Value) -> Object:
    if "@id" in value:
        return value["@id"]
    return Literal(value["@value"], value.get("@language", ""), value.get("@type", ""))
