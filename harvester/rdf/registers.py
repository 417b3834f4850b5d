"""The records in which registers list a dataset, and which of them is the one of its own source."""

from __future__ import annotations

from harvester.rdf.namespaces import expand
from harvester.rdf.stated import all_under, trees_in
from harvester.rdf.trees import Tree

_TOPIC, _RECORD, _SOURCE = expand("foaf:primaryTopic"), expand("dcat:CatalogRecord"), expand("dct:source")
# Generations of catalogues made from catalogues.
_DEEPEST = 12


def reversed_in(tree: Tree, predicate: str) -> list[Tree]:
    """What points at the root of the tree with the predicate."""
    reverse = tree.get("@reverse")
    return all_under(reverse, predicate) if isinstance(reverse, dict) else []


def record_in(tree: Tree) -> Tree | None:
    """What the dataset's own source registered of it: a catalogue made from others names their records as sources."""
    found = [record for record in trees_in(reversed_in(tree, _TOPIC)) if _RECORD in all_under(record, "@type")]
    known = {record["@id"]: record for record in found if isinstance(record.get("@id"), str)}
    upstream = [node["@id"] for record in found for node in _upstream(record, known, tree) if "@id" in node]
    first = [record for record in found if record.get("@id") not in upstream] or found
    chained = (record for record in first if _upstream(record, known, tree))
    record = next(chained, next(iter(first), None))
    return _deepest(record, known, tree) if record else None


def _deepest(record: Tree, known: dict[str, Tree], dataset: Tree) -> Tree:
    met = [record]
    while len(met) < _DEEPEST:
        further = next((node for node in _upstream(met[-1], known, dataset) if node not in met), None)
        if further is None:
            break
        met.append(further)
    return met[-1]


def _upstream(record: Tree, known: dict[str, Tree], dataset: Tree) -> list[Tree]:
    """The other records of the same dataset that a record names as its sources."""
    nodes = [node for node in trees_in(all_under(record, _SOURCE)) if "@value" not in node]
    named = (_nameless(node, dataset) if "@id" not in node else known.get(str(node["@id"])) for node in nodes)
    return [node for node in named if node is not None and node is not record]


def _nameless(node: Tree, dataset: Tree) -> Tree | None:
    """The node, if it is a record of the dataset."""
    topics = [topic.get("@id") for topic in trees_in(all_under(node, _TOPIC))]
    return node if _RECORD in all_under(node, "@type") and topics in ([], [dataset.get("@id")]) else None
