"""Shapes as a graph: made from our own rules, or read from the files someone publishes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rdflib import RDF, SH, SKOS, XSD, BNode, Graph, Literal, URIRef
from rdflib.collection import Collection

from harvester.errors import UsageError
from harvester.rdf.namespaces import expand
from harvester.validate.feeds import Feed
from harvester.validate.rules import CODE_LISTS, CodeList, Rule, rules
from harvester.validate.terms import triple_of

Node = URIRef | BNode
Said = list[tuple[URIRef, Node | Literal]]
_NODE_KINDS = {"literal": SH.Literal, "text": SH.Literal, "iri": SH.IRI, "node": SH.BlankNodeOrIRI}
_DATES = (XSD.date, XSD.dateTime, XSD.gYear, XSD.gYearMonth)
_FORMATS = ("*.ttl", "*.rdf", "*.jsonld", "*.nt")


def own_shapes(profile: str) -> Graph:
    """The shapes of one of our profiles; what the official files call a violation is one here."""
    maker = _Maker()
    for rule in rules(profile):
        maker.rule(rule)
    return maker.graph


class _Maker:
    """Every rule becomes property shapes that name their target themselves: one per severity."""

    def __init__(self) -> None:
        self.graph = Graph()

    def rule(self, rule: Rule) -> None:
        demanded: Said = [*self._cardinality(rule), *self._kind(rule), *self._range(rule)]
        wished: Said = [(SH.minCount, Literal(1))] if rule.level in "MR" and not rule.least else []
        if rule.node == "date?":
            wished.append((SH.node, self._date()))
        self._shape(rule, SH.Violation, demanded)
        self._shape(rule, SH.Warning, wished)
        if rule.values:
            severity = SH.Violation if rule.values.endswith("!") else SH.Warning
            self._shape(rule, severity, self._values(rule.values[:-1]))
        if rule.node == "text":
            self._shape(rule, SH.Warning, [(SH.minLength, Literal(1))])
            self._shape(rule, SH.Warning, [(SH.datatype, RDF.langString)])

    def _shape(self, rule: Rule, severity: URIRef, constraints: Said) -> None:
        if not constraints:
            return
        shape = BNode()
        self._say(shape, RDF.type, SH.PropertyShape)
        self._say(shape, SH.targetClass, URIRef(expand(rule.target)))
        self._say(shape, SH.path, self._path(rule.path))
        self._say(shape, SH.severity, severity)
        self._say(shape, SH.name, Literal(rule.label))
        for predicate, value in constraints:
            self._say(shape, predicate, value)

    def _cardinality(self, rule: Rule) -> Said:
        found: Said = []
        if rule.least:
            found.append((SH.minCount, Literal(rule.least)))
        if rule.most is not None:
            found.append((SH.maxCount, Literal(rule.most)))
        return found

    def _kind(self, rule: Rule) -> Said:
        if rule.node in _NODE_KINDS:
            return [(SH.nodeKind, _NODE_KINDS[rule.node])]
        if rule.node == "date":
            return [(SH.node, self._date())]
        return [(SH.datatype, URIRef(expand(rule.node)))] if ":" in rule.node else []

    def _range(self, rule: Rule) -> Said:
        classes = [URIRef(expand(name)) for name in rule.range]
        if len(classes) > 1:
            return [(SH["or"], self._list([self._blank((SH["class"], name)) for name in classes]))]
        return [(SH["class"], name) for name in classes]

    def _values(self, values: str) -> Said:
        if values.startswith("="):
            return [(SH.hasValue, URIRef(values[1:]))]
        return [(SH.nodeKind, SH.IRI), (SH.node, self._code_list(CODE_LISTS[values]))]

    def _code_list(self, found: CodeList) -> Node:
        choices = [self._blank((SH.property, self._member(scheme, found.typed))) for scheme in found.schemes]
        if found.pattern:
            choices.append(self._blank((SH.pattern, Literal(found.pattern))))
        return choices[0] if len(choices) == 1 else self._blank((SH["or"], self._list(choices)))

    def _member(self, scheme: str, typed: bool) -> Node:
        shape = self._blank((SH.path, SKOS.inScheme), (SH.hasValue, URIRef(scheme)), (SH.nodeKind, SH.IRI))
        if typed:
            self._say(shape, SH["class"], SKOS.ConceptScheme)
        return shape

    def _date(self) -> Node:
        choices: list[Node] = [self._blank((SH.datatype, datatype)) for datatype in _DATES]
        return self._blank((SH["or"], self._list(choices)))

    def _path(self, text: str) -> Node:
        """`a|b` is either, `a/b` one after the other, `^a` backwards."""
        if "|" in text:
            return self._blank((SH.alternativePath, self._list([self._path(one) for one in text.split("|")])))
        if "/" in text:
            return self._list([self._path(one) for one in text.split("/")])
        return self._blank((SH.inversePath, self._path(text[1:]))) if text[0] == "^" else URIRef(expand(text))

    def _blank(self, *said: tuple[URIRef, Node | Literal]) -> BNode:
        node = BNode()
        for predicate, value in said:
            self._say(node, predicate, value)
        return node

    def _list(self, members: Sequence[Node]) -> BNode:
        head = BNode()
        Collection(self.graph, head, list(members))
        return head

    def _say(self, subject: Node, predicate: URIRef, value: Node | Literal) -> None:
        self.graph.add((subject, predicate, value))


def read_shapes(places: Iterable[Path]) -> Graph:
    """The shapes of files and folders, `owl:imports` not followed.  Raises `UsageError` for what cannot be read."""
    graph = Graph()
    for place in places:
        for path in _files(place):
            _read(graph, path)
    if not any(graph.triples((None, SH.path, None))):
        raise UsageError(f"no SHACL shape in {', '.join(map(str, places))}", code="no-shapes")
    without_dangling(graph)
    hoisted(graph)
    return graph


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    return sorted(path for pattern in _FORMATS for path in place.glob(pattern))


def _read(graph: Graph, path: Path) -> None:
    feed = Feed()
    feed.read(path)
    if feed.problems:
        raise UsageError(f"{path} cannot be read as RDF: {feed.problems[0]}", code="bad-shapes")
    for quad in feed.store:
        graph.add(triple_of(quad))


def without_dangling(graph: Graph) -> None:
    """Take away references to property shapes that no file describes: the engine stops at them (DCAT-AP 3.0.1, HVD)."""
    for shape, wanted in list(graph.subject_objects(SH.property)):
        if graph.value(wanted, SH.path) is None:
            graph.remove((shape, SH.property, wanted))


def hoisted(graph: Graph) -> None:
    """Let property shapes name the target of their node shape themselves: the same results in half the time.

    The engine takes all targets of a shape at once, but the properties of a node shape node by node.
    """
    for shape in set(graph.subjects(SH.targetClass)):
        if any(graph.subjects(None, shape)) or (shape, SH.deactivated, None) in graph:
            continue
        for wanted in list(graph.objects(shape, SH.property)):
            for target in graph.objects(shape, SH.targetClass):
                graph.add((wanted, SH.targetClass, target))
            graph.remove((shape, SH.property, wanted))
