"""Where in its dataset a node stands, as people find it: "distribution 2 «CSV», licence"."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from rdflib import RDF, Graph, URIRef
from rdflib.term import Node as Term

from harvester.rdf.namespaces import expand
from harvester.rdf.profile import SHAPES
from harvester.validate.findings import Finding, Severity
from harvester.validate.parts import Part, Step
from harvester.validate.terms import Node
from harvester.validate.words import named, short

# What gives a node a name, the first that is there.
_NAMES = tuple(
    URIRef(expand(name))
    for name in ("dct:title", "foaf:name", "vcard:fn", "skos:prefLabel", "rdfs:label", "skos:notation", "dct:format")
)
_LONGEST = 60
_BACKWARDS = {
    expand("foaf:primaryTopic"): "catalogue record",
    expand("dcat:servesDataset"): "data service",
    expand("dcat:inSeries"): "member",
}
_FIELDS = {(kind, row.field): row.predicate for shape in SHAPES.values() for kind in shape.types for row in shape.rows}


class Places:
    """The nodes of a batch of parts: to which part each belongs, and how it is reached in it."""

    def __init__(self, data: Graph, parts: Sequence[Part]) -> None:
        self._data = data
        self._owners: dict[Term, Part] = {}
        self._only: dict[Term, set[str]] = {}
        for part in parts:
            if part.only:
                self._only.setdefault(part.root, set()).update(part.only)
                continue
            for node in (part.root, *part.steps):
                if node not in part.mentioned:
                    self._owners.setdefault(node, part)
        for part in parts:
            # A root belongs to its own part, whatever else leads to it.
            if not part.only or part.root not in self._owners:
                self._owners[part.root] = part

    def judges(self, node: Term, path: Term | None) -> bool:
        """Whether the parts say all of a node that a result is about."""
        part = self._owners.get(node)
        if part is None:
            return False
        return not part.only or str(path) in self._only[node]

    def kind(self, node: Term) -> str:
        """The class of a node, prefixed, "" for none we know."""
        kinds = [short(str(kind)) for kind in self._data.objects(node, RDF.type)]
        return next((kind for kind in kinds if kind in _KNOWN), kinds[0] if kinds else "")

    def marked(self, node: Term, mark: Term) -> str:
        """The property a mark of our export is about: named by itself or by its field in the model."""
        if isinstance(mark, URIRef):
            return short(str(mark))
        for kind in self._data.objects(node, RDF.type):
            if (predicate := _FIELDS.get((str(kind), str(mark)))) is not None:
                return short(predicate)
        return ""

    def finding(
        self,
        severity: Severity,
        node: Term,
        prefixed: str,
        label: str,
        value: str,
        problem: str,
        advice: str,
        constraint: str,
    ) -> Finding:
        """A finding about a node, with the place it stands at."""
        part = self._owners[node]
        shared = isinstance(node, URIRef) and node != part.root
        return Finding(
            severity, str(part.root), self._name(part.root), str(node), self._where(part, node), prefixed, label,
            value, problem, advice, constraint, shared,
        )  # fmt: skip

    def _where(self, part: Part, node: Term) -> str:
        words: list[str] = []
        while isinstance(node, Node) and (step := part.steps.get(node)) is not None and len(words) < 12:
            words.append(self._step(step, node))
            node = step.origin
        return ", ".join(reversed(words))

    def _step(self, step: Step, node: Term) -> str:
        if step.predicate.startswith("^"):
            word, several = _BACKWARDS.get(step.predicate[1:], "what points here"), step.number > 1
        else:
            word = named(short(step.predicate), self.kind(step.origin))
            several = len(list(islice(self._data.objects(step.origin, URIRef(step.predicate)), 2))) > 1
        name = self._name(node)
        return word + (f" {step.number}" if several else "") + (f" «{name}»" if name else "")

    def _name(self, node: Term) -> str:
        for predicate in _NAMES:
            value = next((str(found) for found in self._data.objects(node, predicate)), "")
            text = " ".join(value.split()) if predicate != _NAMES[-1] else value.rpartition("/")[2]
            if text:
                return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        return ""


_KNOWN = frozenset(short(kind) for shape in SHAPES.values() for kind in shape.types if kind != expand("dcat:Resource"))
