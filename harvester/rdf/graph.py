"""A graph in memory: what the statements of one document say of each node, and what went wrong reading them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from harvester.rdf.namespaces import canonical, expand

TYPE = expand("rdf:type")
_FIRST, _REST, _NIL = expand("rdf:first"), expand("rdf:rest"), expand("rdf:nil")
_CHAIN = frozenset((_FIRST, _REST))
LONGEST_LIST = 100_000


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


@dataclass(slots=True)
class Graph:
    """Statements by subject and predicate."""

    nodes: dict[Node, dict[str, list[Object]]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    size: int = 0

    def add(self, subject: Node, predicate: str, value: Object) -> None:
        """Note one statement; predicates and classes are brought to the spelling we know."""
        predicate = canonical(predicate)
        if predicate == TYPE and isinstance(value, str):
            value = canonical(value)
        facts = self.nodes.get(subject)
        if facts is None:
            facts = self.nodes[subject] = {}
        facts.setdefault(predicate, []).append(value)
        self.size += 1

    def settle(self) -> None:
        """Make every statement stand once, and RDF lists stand as their members: to be called when all is added."""
        lists = _Lists(self.nodes)
        for facts in self.nodes.values():
            for predicate, found in facts.items():
                if len(found) > 1:
                    # Feeds repeat the description of their publisher with every dataset.
                    facts[predicate] = found = list(dict.fromkeys(found))
                if lists.any and predicate not in _CHAIN:
                    facts[predicate] = lists.replaced(found)

    def values(self, node: Node, predicate: str) -> list[Object]:
        """The objects of a statement, in the order of the document."""
        return self.nodes.get(node, {}).get(predicate, [])

    def types(self, node: Node) -> set[str]:
        return {value for value in self.nodes.get(node, {}).get(TYPE, ()) if isinstance(value, str)}

    def of_type(self, classes: Iterable[str]) -> Iterator[Node]:
        """Every node of one of the classes, in the order of the document."""
        wanted = set(classes)
        for node, facts in self.nodes.items():
            if not wanted.isdisjoint(value for value in facts.get(TYPE, ()) if isinstance(value, str)):
                yield node

    def subjects(self, predicate: str) -> dict[Node, list[Node]]:
        """object node -> the subjects that point to it with the predicate."""
        pointing: dict[Node, list[Node]] = {}
        for subject, facts in self.nodes.items():
            for value in facts.get(predicate, ()):
                if isinstance(value, str):
                    pointing.setdefault(value, []).append(subject)
        return pointing

    def every(self, predicate: str) -> Iterator[Object]:
        """Every object of the predicate, whatever the subject."""
        for node, facts in self.nodes.items():
            if predicate in facts:
                yield from self.values(node, predicate)


class _Lists:
    """The RDF lists of a graph: each is followed once, however many statements point at it."""

    def __init__(self, nodes: dict[Node, dict[str, list[Object]]]) -> None:
        self._nodes = nodes
        self._known: dict[Node, list[Object]] = {}
        self.any = any(_FIRST in facts for facts in nodes.values())

    def replaced(self, values: list[Object]) -> list[Object]:
        """The values with the members of lists in their place."""
        if not any(self._is_list(value) for value in values):
            return values
        if len(values) == 1:
            return self._members(values[0])
        return [item for value in values for item in self._members(value)]

    def _is_list(self, value: Object) -> bool:
        return isinstance(value, str) and (value == _NIL or _FIRST in self._nodes.get(value, ()))

    def _members(self, value: Object) -> list[Object]:
        if not isinstance(value, str) or not self._is_list(value):
            return [value]
        if value not in self._known:
            self._known[value] = list(self._followed(value))
        return self._known[value]

    def _followed(self, head: Node) -> Iterator[Object]:
        seen: set[Node] = set()
        while head != _NIL and head not in seen and len(seen) < LONGEST_LIST:
            seen.add(head)
            facts = self._nodes.get(head, {})
            yield from facts.get(_FIRST, ())[:1]
            head = next((rest for rest in facts.get(_REST, ()) if isinstance(rest, str)), _NIL)
