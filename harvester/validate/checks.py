"""Runs shapes over parts of a catalogue, and tells what does not fit where it stands and in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyshacl
from rdflib import RDF, SH, Graph, URIRef
from rdflib.term import Node as Term

from harvester.errors import UsageError
from harvester.rdf.namespaces import expand
from harvester.validate.advice import advice
from harvester.validate.findings import Finding, Severity
from harvester.validate.parts import Part
from harvester.validate.places import Places
from harvester.validate.words import Reader, named, short, shown

# Of several values where one is wanted, so many are told.
MOST_VALUES = 3
_DERIVED = URIRef(expand("ch:derived"))
_SEVERITIES = {str(SH.Warning): Severity.WARNING, str(SH.Info): Severity.WARNING}
_UNSOUND = "holds characters that no IRI may hold, or no scheme"


@dataclass(frozen=True, slots=True)
class _Result:
    """One `sh:result` of the engine's report."""

    focus: Term
    path: Term | None
    value: Term | None
    component: URIRef
    severity: Severity
    shape: Term | None
    message: str


class Checker:
    """Checks parts, many at once; `exported` when the catalogue is ours and what to do may be our configuration."""

    def __init__(self, shapes: Graph, *, exported: bool = False) -> None:
        self._shapes, self._exported = shapes, exported
        self._reader = Reader(shapes)

    def check(self, parts: Sequence[Part]) -> list[Finding]:
        """What is wrong in each part, or was filled in by us; nodes that are only mentioned are not judged."""
        data = Graph()
        for part in parts:
            for triple in part.triples:
                data.add(triple)
        places = Places(data, parts)
        found = [
            self._finding(data, places, result)
            for result in self._results(data)
            if places.judges(result.focus, result.path)
        ]
        return [*found, *self._unsound(places, parts), *self._derived(data, places)]

    def _results(self, data: Graph) -> Iterator[_Result]:
        if not len(data):
            return
        # Only what the report itself holds: the results of inner shapes hang on `sh:detail`.
        report = self._report(data)
        for result in report.objects(None, SH.result):
            facts = {predicate: value for predicate, value in report.predicate_objects(result)}
            yield _Result(
                facts[SH.focusNode],
                facts.get(SH.resultPath),
                facts.get(SH.value),
                URIRef(str(facts[SH.sourceConstraintComponent])),
                _SEVERITIES.get(str(facts[SH.resultSeverity]), Severity.VIOLATION),
                facts.get(SH.sourceShape),
                str(facts.get(SH.resultMessage, "")),
            )

    def _report(self, data: Graph) -> Graph:
        try:
            _, report, _ = pyshacl.validate(
                data, shacl_graph=self._shapes, inference="none", do_owl_imports=False, meta_shacl=False, inplace=True
            )
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise UsageError(f"the shapes cannot be used: {reason}", code="bad-shapes") from error
        if not isinstance(report, Graph):
            raise UsageError(f"the shapes cannot be used: {report}", code="bad-shapes")
        return report

    def _finding(self, data: Graph, places: Places, result: _Result) -> Finding:
        problem, group = self._reader.problem(result.shape, result.component, result.value)
        text = shown(result.value)
        if group == "several" and isinstance(result.path, URIRef):
            text = ", ".join(sorted(shown(item) for item in data.objects(result.focus, result.path))[:MOST_VALUES])
        prefixed, label = self._property(places, result)
        component = str(result.component).rpartition("#")[2].removesuffix("ConstraintComponent")
        return places.finding(
            result.severity, result.focus, prefixed, label, text, problem,
            advice(prefixed, group, problem, self._exported), component,
        )  # fmt: skip

    def _property(self, places: Places, result: _Result) -> tuple[str, str]:
        if isinstance(result.path, URIRef):
            prefixed = short(str(result.path))
            return prefixed, named(prefixed, places.kind(result.focus))
        name = self._reader.name(result.shape)
        # The report holds a copy of the path without its insides: the shape has it whole.
        path = None if result.shape is None else self._shapes.value(result.shape, SH.path)
        return ("" if path is None else _written(self._shapes, path)), name

    def _unsound(self, places: Places, parts: Sequence[Part]) -> Iterator[Finding]:
        for part in parts:
            for node, predicate, iri in part.unsound:
                prefixed = short(predicate.removeprefix("^"))
                label = named(prefixed, places.kind(node)) if prefixed else "its own address"
                said = advice(prefixed, "iri", _UNSOUND, self._exported)
                yield places.finding(Severity.VIOLATION, node, prefixed, label, iri, _UNSOUND, said, "IRI")

    def _derived(self, data: Graph, places: Places) -> Iterator[Finding]:
        for node, mark in data.subject_objects(_DERIVED):
            if not places.judges(node, None):
                continue
            prefixed = places.marked(node, mark)
            values = sorted(shown(value) for value in data.objects(node, URIRef(expand(prefixed)))) if prefixed else []
            problem = "is not stated; we filled it in"
            yield places.finding(
                Severity.DERIVED, node, prefixed or str(mark), named(prefixed or str(mark), places.kind(node)),
                ", ".join(values[:MOST_VALUES]), problem, advice(prefixed, "derived", problem, self._exported),
                "derived",
            )  # fmt: skip


def _written(shapes: Graph, path: Term) -> str:
    """A path as it is written in SPARQL."""
    if isinstance(path, URIRef):
        return short(str(path))
    if (inner := shapes.value(path, SH.inversePath)) is not None:
        return f"^{_written(shapes, inner)}"
    if (head := shapes.value(path, SH.alternativePath)) is not None:
        return "|".join(_written(shapes, one) for one in shapes.items(head))
    if shapes.value(path, RDF.first) is not None:
        return "/".join(_written(shapes, one) for one in shapes.items(path))
    return ""
