"""Constraints as sentences, and what to do about them: tables, and what a shape says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from rdflib import SH, SKOS, BNode, Graph, Literal, URIRef
from rdflib.term import Node as Term

from harvester.rdf.namespaces import PREFIXES
from harvester.validate.rules import CODE_LISTS, labels

MOST_SHOWN = 160
_KINDS = {
    SH.Literal: "text",
    SH.IRI: "an address (IRI)",
    SH.BlankNode: "a description without address",
    SH.BlankNodeOrIRI: "an address (IRI) or a description",
    SH.IRIOrLiteral: "an address (IRI) or text",
    SH.BlankNodeOrLiteral: "text or a description",
}
_CLASSES = {
    "adms:Identifier": "an identifier",
    "dcat:Catalog": "a catalogue",
    "dcat:CatalogRecord": "a catalogue record",
    "dcat:DataService": "a data service",
    "dcat:Dataset": "a dataset",
    "dcat:DatasetSeries": "a dataset series",
    "dcat:Distribution": "a distribution",
    "dct:LicenseDocument": "a licence",
    "dct:Location": "a place",
    "dct:MediaType": "a media type",
    "dct:PeriodOfTime": "a period of time",
    "dct:Standard": "a standard",
    "eli:LegalResource": "a law",
    "foaf:Agent": "an organisation or person",
    "foaf:Document": "a page",
    "skos:Concept": "a concept",
    "skos:ConceptScheme": "a table of concepts",
    "vcard:Kind": "a contact",
}
_SCHEMES = {scheme: found.label for found in CODE_LISTS.values() for scheme in found.schemes}
_PATTERNS = {found.pattern: found.label for found in CODE_LISTS.values() if found.pattern}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@lru_cache(maxsize=4096)
def short(iri: str) -> str:
    """`dct:title` for its IRI; other IRIs as they are."""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and len(iri) > len(namespace):
            return f"{prefix}:{iri[len(namespace) :]}"
    return iri


def named(curie: str, target: str = "") -> str:
    """What people call a property (of a class), or a class."""
    known = labels()
    found = known.get((target, curie)) or known.get(("", curie))
    return found or _CAMEL.sub(" ", re.split(r"[:/#]", curie.rstrip("/#"))[-1]).lower()


def shown(value: Term | None) -> str:
    """A value as it is quoted: text in quotation marks, with its language or type."""
    if value is None:
        return ""
    text = " ".join(str(value).split())
    text = text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
    if isinstance(value, BNode):
        return "(a description without address)"
    if not isinstance(value, Literal):
        return text
    kind = f"@{value.language}" if value.language else f" ({short(str(value.datatype))})" if value.datatype else ""
    return f"“{text}”{kind}"


class Reader:
    """Reads out of a graph of shapes what a result is about."""

    def __init__(self, shapes: Graph) -> None:
        self._shapes = shapes

    def problem(self, shape: Term | None, component: URIRef, value: Term | None) -> tuple[str, str]:
        """One sentence without subject, and the group of advice it belongs to."""
        name = str(component).rpartition("#")[2].removesuffix("ConstraintComponent")
        group, say = _SENTENCES.get(name, ("other", Reader._unknown))
        return say(self, shape or BNode(), value), group

    def name(self, shape: Term | None) -> str:
        """What the shape calls its property, in English if it can."""
        found = sorted(self._all(shape, SH.name), key=lambda text: str(getattr(text, "language", "")) not in ("en", ""))
        return str(found[0]) if found else ""

    def message(self, shape: Term | None) -> str:
        """What the shape itself says."""
        return next((str(text) for said in (SH.message, SH.description) for text in self._all(shape, said)), "")

    def _all(self, shape: Term | None, predicate: URIRef) -> list[Term]:
        return [] if shape is None else list(self._shapes.objects(shape, predicate))

    def _one(self, shape: Term, predicate: URIRef) -> str:
        return next((str(value) for value in self._all(shape, predicate)), "")

    def _missing(self, shape: Term, value: Term | None) -> str:
        least = self._one(shape, SH.minCount)
        return "is missing" if least in ("", "1") else f"is not given often enough: {least} times at least"

    def _several(self, shape: Term, value: Term | None) -> str:
        most = self._one(shape, SH.maxCount)
        return f"stands more than once; only {most} may" if most == "1" else f"stands more than {most} times"

    def _node_kind(self, shape: Term, value: Term | None) -> str:
        kinds = (_KINDS.get(URIRef(str(kind))) for kind in self._all(shape, SH.nodeKind))
        wanted = next(filter(None, kinds), "something else")
        found = "text" if isinstance(value, Literal) else _KINDS[SH.BlankNode]
        return f"is {_KINDS[SH.IRI] if isinstance(value, URIRef) else found}; {wanted} is wanted"

    def _class(self, shape: Term, value: Term | None) -> str:
        wanted = " and ".join(self._classes(shape))
        if isinstance(value, Literal):
            return f"is text; {wanted} is wanted"
        return f"points at something that is not said to be {wanted}"

    def _classes(self, shape: Term) -> list[str]:
        names = [short(str(name)) for name in self._all(shape, SH["class"])]
        return [f"{_CLASSES.get(name, named(name))} ({name})" for name in names]

    def _datatype(self, shape: Term, value: Term | None) -> str:
        wanted = short(self._one(shape, SH.datatype))
        if wanted == "rdf:langString":
            return "has no language tag"
        if isinstance(value, Literal) and value.datatype and short(str(value.datatype)) == wanted:
            return f"is no valid {wanted}"
        return f"is not typed as {wanted}"

    def _node(self, shape: Term, value: Term | None) -> str:
        expected = sorted(set(self._expected(shape)))
        return f"is not {' or '.join(expected)}" if expected else self._unknown(shape, value)

    def _or(self, shape: Term, value: Term | None) -> str:
        wanted = [f"{named(short(path))} ({short(path)})" for path in self._wanted(shape)]
        if wanted:
            return f"has neither {' nor '.join(wanted)}"
        expected = sorted(set(self._choices(shape)))
        return f"is not {' or '.join(expected)}" if expected else self._unknown(shape, value)

    def _expected(self, shape: Term) -> Iterator[str]:
        for inner in self._all(shape, SH.node):
            yield from self._described(inner)

    def _choices(self, shape: Term) -> Iterator[str]:
        for head in self._all(shape, SH["or"]):
            for choice in self._shapes.items(head):
                yield from self._described(choice)

    def _wanted(self, shape: Term) -> Iterator[str]:
        """The properties one of which has to be there."""
        for head in self._all(shape, SH["or"]):
            for choice in self._shapes.items(head):
                if self._all(choice, SH.minCount):
                    yield self._one(choice, SH.path)

    def _described(self, shape: Term) -> Iterator[str]:
        """What a value has to be, in the words of the tables."""
        datatypes = [short(str(kind)) for kind in self._all(shape, SH.datatype)]
        yield from (f"typed as {kind}" for kind in datatypes)
        yield from self._classes(shape)
        patterns = list(map(str, self._all(shape, SH.pattern)))
        yield from (f"in {_PATTERNS[text]}" if text in _PATTERNS else f"like {text}" for text in patterns)
        for inner in self._all(shape, SH.property):
            if (inner, SH.path, SKOS.inScheme) in self._shapes:
                schemes = self._all(inner, SH.hasValue)
                yield from (f"in {_SCHEMES.get(str(scheme), str(scheme))}" for scheme in schemes)
        yield from self._choices(shape)
        yield from self._expected(shape)

    def _has_value(self, shape: Term, value: Term | None) -> str:
        return f"does not include {self._one(shape, SH.hasValue)}"

    def _pattern(self, shape: Term, value: Term | None) -> str:
        pattern = self._one(shape, SH.pattern)
        known = _PATTERNS.get(pattern)
        return f"is not in {known}" if known else f"does not look like {pattern}"

    def _empty(self, shape: Term, value: Term | None) -> str:
        return "is empty" if not str(value or "").strip() else f"is shorter than {self._one(shape, SH.minLength)}"

    def _unknown(self, shape: Term, value: Term | None) -> str:
        return self.message(shape) or "does not fit its shape"


_Say = Callable[[Reader, Term, Term | None], str]
_SENTENCES: dict[str, tuple[str, _Say]] = {
    "MinCount": ("missing", Reader._missing),
    "MaxCount": ("several", Reader._several),
    "NodeKind": ("kind", Reader._node_kind),
    "Class": ("class", Reader._class),
    "Datatype": ("type", Reader._datatype),
    "Node": ("list", Reader._node),
    "Or": ("list", Reader._or),
    "HasValue": ("list", Reader._has_value),
    "Pattern": ("list", Reader._pattern),
    "MinLength": ("text", Reader._empty),
}
