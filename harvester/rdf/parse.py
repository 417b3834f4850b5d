"""A body of RDF, in whatever syntax and shape, as a `Graph`: repaired where the meaning is plain, reported always."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyoxigraph as ox

from harvester import jsonio
from harvester.errors import SourceError
from harvester.fields.web import iri
from harvester.rdf.graph import Graph, Literal, Object, Trouble
from harvester.rdf.jsonld import localised, without_trailing_commas
from harvester.rdf.repairs import LINE_REPAIRS, TURTLE_REPAIRS, XML_REPAIRS, Repair
from harvester.rdf.sniff import Syntax, complete_xml, prepared_xml, syntax_of, text_of

_FORMATS = {
    Syntax.XML: ox.RdfFormat.RDF_XML,
    Syntax.TRIG: ox.RdfFormat.TRIG,
    Syntax.QUADS: ox.RdfFormat.N_QUADS,
    Syntax.JSON: ox.RdfFormat.JSON_LD,
}
# A document with more errors than this is not what we think it is.
MOST_ERRORS = 1000
MOST_NOTED = 20
REMOTE_CONTEXT = "remote-context"
_STRING = "http://www.w3.org/2001/XMLSchema#string"


def parse(body: bytes, *, base: str, content_type: str | None = None) -> Graph:
    """The graph a body describes; `base` is the address it came from, `content_type` a hint.

    Raises `SourceError` for what is no RDF at all (`not-rdf`), for JSON that cannot be read (`bad-json`) and for
    XML with dangerous entities (`unsafe-xml`).  Syntax errors are in `Graph.troubles`: what stood around them is read.
    """
    text = text_of(body, content_type)
    # Feeds may be large: nothing is held twice that can be held once.
    del body
    syntax = syntax_of(text, content_type, base)
    graph = _READERS[syntax](text, iri(base) or "http://localhost/")
    if not graph.size and graph.troubles:
        raise SourceError(f"not readable as {syntax}: {graph.troubles[0].message}", code="not-rdf", url=base)
    graph.troubles = _few(graph.troubles)
    return graph


def _few(troubles: list[Trouble]) -> list[Trouble]:
    """As many as anyone reads; that something was lost is never among what is left out."""
    kept, others = troubles[:MOST_NOTED], troubles[MOST_NOTED:]
    if not any(trouble.lossy for trouble in kept):
        kept += [trouble for trouble in others if trouble.lossy][:1]
    return kept


def _read(text: str | bytes, syntax: Syntax, base: str) -> Graph:
    graph = Graph()
    shared: dict[str, str] = {}
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    quads = ox.parse(data, _FORMATS[syntax], base_iri=base, lenient=True)
    for quad in _sound(quads, graph, syntax):
        subject, value = quad.subject, quad.object
        name = value.value if isinstance(value, ox.NamedNode) else ""
        graph.add(
            _node(subject, shared),
            shared.setdefault(quad.predicate.value, quad.predicate.value),
            shared.setdefault(name, name) if name else _object(value, shared),
        )
    graph.settle()
    return graph


def _sound(quads: Iterator[ox.Quad], graph: Graph, syntax: Syntax) -> Iterator[ox.Quad]:
    """The statements around the syntax errors, which are noted: the parser goes on behind each."""
    for _ in range(MOST_ERRORS):
        try:
            yield from quads
        except (SyntaxError, ValueError) as error:
            graph.troubles.append(Trouble("syntax-error", f"{syntax}: {_located(error)}", lossy=True))
        else:
            return
    message = f"more than {MOST_ERRORS} errors: the rest is not read"
    graph.troubles.insert(0, Trouble("too-many-errors", message, lossy=True))


def _located(error: Exception) -> str:
    line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
    message = str(getattr(error, "msg", None) or error)
    return message if line is None or "line" in message else f"{message} (line {line}, column {column})"


def _node(term: ox.NamedNode | ox.BlankNode | ox.Triple, shared: dict[str, str]) -> str:
    name = term.value if isinstance(term, ox.NamedNode) else str(term)
    return shared.setdefault(name, name)


def _object(term: ox.NamedNode | ox.BlankNode | ox.Literal | ox.Triple, shared: dict[str, str]) -> Object:
    if not isinstance(term, ox.Literal):
        return _node(term, shared)
    if term.language:
        return Literal(term.value, shared.setdefault(term.language, term.language))
    datatype = term.datatype.value
    return Literal(term.value, "", "" if datatype == _STRING else shared.setdefault(datatype, datatype))


def _turtle(text: str, base: str) -> Graph:
    return _repaired(text, Syntax.TRIG, TURTLE_REPAIRS, base)


def _lines(text: str, base: str) -> Graph:
    """N-Triples; Turtle whose first statement looks like a line of them is read as Turtle."""
    graph = _repaired(text, Syntax.QUADS, LINE_REPAIRS, base)
    if not any(trouble.lossy for trouble in graph.troubles):
        return graph
    turtle = _turtle(text, base)
    return turtle if turtle.size > graph.size else graph


def _xml(text: str, base: str) -> Graph:
    """RDF/XML, repaired until it can be read; a document that ends too early is told."""
    body = prepared_xml(text, base)
    graph = _repaired(body, Syntax.XML, XML_REPAIRS, base)
    if not complete_xml(body):
        graph.troubles.append(Trouble("truncated", "the XML ends before its root element does", lossy=True))
    return graph


def _repaired(text: str, syntax: Syntax, repairs: Iterable[Repair], base: str) -> Graph:
    """The graph of a text, read again after each repair that found something to do."""
    graph = _read(text, syntax, base)
    done: list[Trouble] = []
    for repair in repairs:
        repaired = repair(text, graph.troubles) if graph.troubles else None
        if repaired is not None:
            text, story = repaired
            done.append(story)
            graph = _read(text, syntax, base)
    graph.troubles[:0] = done
    return graph


def _json(text: str, base: str) -> Graph:
    data, troubles = _self_contained(text, base)
    graph = _read(data, Syntax.JSON, base)
    graph.troubles[:0] = troubles
    return graph


def _self_contained(text: str, base: str) -> tuple[bytes, list[Trouble]]:
    """JSON-LD that needs no context from elsewhere, and what had to be done for it."""
    troubles: list[Trouble] = []
    try:
        document = jsonio.loads(text)
    except ValueError as first:
        troubles.append(Trouble("repaired-json", f"not JSON, repaired: {first}"))
        try:
            document = jsonio.loads(without_trailing_commas(text))
        except ValueError:
            raise SourceError(f"not readable as JSON: {first}", code="bad-json", url=base) from first
    local, remote = localised(document)
    if remote:
        names = ", ".join(sorted(set(remote))[:3])
        troubles.append(Trouble(REMOTE_CONTEXT, f"JSON-LD contexts are not fetched, ours stand in for them: {names}"))
    return jsonio.dumps(local), troubles


_READERS = {Syntax.XML: _xml, Syntax.TRIG: _turtle, Syntax.QUADS: _lines, Syntax.JSON: _json}
