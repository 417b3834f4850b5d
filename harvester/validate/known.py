"""What vocabularies say of terms that a document only mentions: those we know by heart, and files that a user names.

Publishers need not copy the EU tables into their feeds: whoever checks them is expected to have the tables at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import pyoxigraph as ox

from harvester.rdf.namespaces import expand
from harvester.validate.parts import HVD_LAW, Described
from harvester.vocabularies import VOCABULARIES, Concept

# vocabulary -> the class the profile wants its concepts to be of, beside skos:Concept.
_CLASSES = {
    "access-right": "dct:RightsStatement",
    "availability": "",
    "checksum-algorithm": "spdx:ChecksumAlgorithm",
    "data-theme": "",
    "dataset-type": "",
    "file-type": "dct:MediaTypeOrExtent",
    "frequency": "dct:Frequency",
    "hvd-category": "",
    "language": "dct:LinguisticSystem",
    "licence": "dct:LicenseDocument",
    "media-type": "dct:MediaType",
    "place": "dct:Location",
    "publisher-type": "",
    "status": "",
}
_TYPE, _LABEL = ox.NamedNode(expand("rdf:type")), ox.NamedNode(expand("skos:prefLabel"))
_IN_SCHEME, _TITLE = ox.NamedNode(expand("skos:inScheme")), ox.NamedNode(expand("dct:title"))
_CONCEPT, _SCHEME = ox.NamedNode(expand("skos:Concept")), ox.NamedNode(expand("skos:ConceptScheme"))
_LAW = ox.NamedNode(expand("eli:LegalResource"))
# SPDX writes http, the shapes of DCAT-AP https.
_SPDX = "https://spdx.org/rdf/terms#"


def nothing(iri: str) -> list[ox.Quad]:
    """For documents that have to describe every term themselves."""
    return []


@lru_cache(maxsize=8192)
def by_heart(iri: str) -> list[ox.Quad]:
    """What our own tables say of an IRI, exactly as it is written there."""
    node = ox.NamedNode(iri)
    if iri == HVD_LAW:
        return [ox.Quad(node, _TYPE, _LAW)]
    if iri in _schemes():
        return list(_scheme(node))
    spelled = iri.replace("https:", "http:", 1) if iri.startswith(_SPDX) else iri
    found = [(name, VOCABULARIES[name].concept(spelled)) for name in _CLASSES]
    exact = [(name, concept) for name, concept in found if concept is not None and concept.uri == spelled]
    return [quad for name, concept in exact for quad in _concept(node, name, concept)]


def in_store(store: ox.Store) -> Described:
    """What a store says of an IRI."""
    return lambda iri: list(store.quads_for_pattern(ox.NamedNode(iri), None, None))


def either(first: Described, second: Described) -> Described:
    """What one says, else the other."""
    return lambda iri: first(iri) or second(iri)


@lru_cache(maxsize=1)
def _schemes() -> frozenset[str]:
    return frozenset(VOCABULARIES[name].scheme for name in _CLASSES)


def _concept(node: ox.NamedNode, vocabulary: str, concept: Concept) -> Iterator[ox.Quad]:
    yield ox.Quad(node, _TYPE, _CONCEPT)
    if kind := _CLASSES[vocabulary]:
        yield ox.Quad(node, _TYPE, ox.NamedNode(expand(kind)))
    yield ox.Quad(node, _LABEL, ox.Literal(next(iter(concept.labels.values()), concept.code)))
    if concept.scheme:
        yield ox.Quad(node, _IN_SCHEME, ox.NamedNode(concept.scheme))


def _scheme(node: ox.NamedNode) -> Iterator[ox.Quad]:
    yield ox.Quad(node, _TYPE, _SCHEME)
    yield ox.Quad(node, _TITLE, ox.Literal(node.value.rstrip("/").rpartition("/")[2], language="en"))
