"""What may tell which concept a node of a tree stands for, and the address that stands for a node without a name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from harvester.fields.terms import term
from harvester.rdf.profile import CONCEPT, TEXT
from harvester.rdf.stated import Asked, all_of, all_under, label_of, literals, texts_of, trees_in
from harvester.rdf.trees import Tree
from harvester.vocabularies import VOCABULARIES

# Where a node without a name keeps the address it stands for.
_ADDRESSES = all_of(
    "foaf:homepage schema:url foaf:page vcard:hasValue vcard:hasURL dcat:accessURL rdfs:seeAlso foaf:Document"
    " dcat:endpointURL rdf:value rdfs:label dct:identifier dct:source"
)
_LONGEST_IRI = 500


def address_of(value: Tree) -> Any:
    """The IRI of a node, the text of a literal, the address a node without a name stands for."""
    if name := value.get("@id") or value.get("@value"):
        return name
    inner = (found for predicate in _ADDRESSES for found in trees_in(all_under(value, predicate)))
    return next((address for found in inner if (address := found.get("@id") or found.get("@value"))), None)


def is_known(vocabulary: str, iri: Any) -> bool:
    """Whether the IRI is that of a concept of the vocabulary."""
    return isinstance(iri, str) and len(iri) <= _LONGEST_IRI and _is_concept(vocabulary, iri)


@lru_cache(maxsize=16_384)
def _is_concept(vocabulary: str, iri: str) -> bool:
    return VOCABULARIES[vocabulary].concept(iri) is not None


def hints_of(value: Tree, vocabulary: str) -> list[Any]:
    """What may tell the term: the IRI where the vocabulary has it, else the label, the IRI and what else is stated."""
    iri, said = value.get("@id"), value.get("@value")
    if type(said) is str and CONCEPT not in value:
        return [said]
    if len(value) == 1 and isinstance(iri, str):
        return [iri]
    if CONCEPT in value and all_under(value, CONCEPT):
        return [_paired(texts_of(value, TEXT), trees_in(all_under(value, CONCEPT)))]
    if iri is None or not is_known(vocabulary, iri):
        others = [address_of(value), *(label["@value"] for label in literals(value))]
        return [hint for hint in (label_of(value), iri, *others) if isinstance(hint, str)]
    return [iri]


def _paired(texts: list[str], nodes: list[Tree]) -> dict[str, Any]:
    """A term in its stored form: what was written, and the concept it was taken for."""
    return {
        "text": next(iter(texts), None),
        "uri": next((node["@id"] for node in nodes if isinstance(node.get("@id"), str)), None),
    }


def as_decided(vocabulary: str, hints: list[str]) -> Any:
    """A text of ours and its concept as hints; in their stored form where the text alone would decide otherwise."""
    found = term(vocabulary, hints)
    stored = term(vocabulary, {"text": hints[0], "uri": hints[-1]})
    return hints if found == stored else {"text": hints[0], "uri": hints[-1]}


def own_texts(asked: Asked) -> list[str]:
    """What the source wrote for a term, where our own export keeps it apart."""
    return texts_of(asked.tree, asked.row.own + "Text")
