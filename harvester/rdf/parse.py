"""A body of RDF, in whatever syntax and shape, as a `Graph`: repaired where the meaning is plain, reported always."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pyoxigraph as ox

from harvester import jsonio
from harvester.errors import SourceError
from harvester.fields.web import iri
from harvester.rdf.graph import Graph, Literal, Object, Trouble
from harvester.rdf.jsonld import localised, without_trailing_commas
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
_STRING = "http://www.w3.org/2001/XMLSchema#string"
_AMPERSAND = re.compile(
    r"(<!\[CDATA\[.*?\]\]>)|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)(\w{1,32};)?", re.S
)
# Characters XML 1.0 forbids; portals copy them from word processors.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def parse(body: bytes, *, base: str, content_type: str | None = None) -> Graph:
    """The graph a body describes; `base` is the address it came from, `content_type` a hint.

    Raises `SourceError` for what is no RDF at all (`not-rdf`), for JSON that cannot be read (`bad-json`) and for
    XML with dangerous entities (`unsafe-xml`).  Syntax errors are in `Graph.troubles`: what stood around them is read.
    """
    text = text_of(body, content_type)
    syntax = syntax_of(text, content_type, base)
    graph = _READERS[syntax](text, iri(base) or "http://localhost/")
    if not graph.size and graph.troubles:
        raise SourceError(f"not readable as {syntax}: {graph.troubles[0].message}", code="not-rdf", url=base)
    return graph


def _read(text: str, syntax: Syntax, base: str) -> Graph:
    graph = Graph()
    shared: dict[str, str] = {}
    quads = ox.parse(text.encode("utf-8", "replace"), _FORMATS[syntax], base_iri=base, lenient=True)
    for quad in _sound(quads, graph, syntax):
        subject, value = quad.subject, quad.object
        name = value.value if isinstance(value, ox.NamedNode) else ""
        graph.add(
            _node(subject, shared),
            shared.setdefault(quad.predicate.value, quad.predicate.value),
            shared.setdefault(name, name) if name else _object(value, shared),
        )
    return graph


def _sound(quads: Iterator[ox.Quad], graph: Graph, syntax: Syntax) -> Iterator[ox.Quad]:
    """The statements around the syntax errors, which are noted: the parser goes on behind each."""
    errors = 0
    while errors < MOST_ERRORS:
        try:
            yield next(quads)
        except StopIteration:
            return
        except (SyntaxError, ValueError) as error:
            errors += 1
            if errors <= MOST_NOTED:
                message = _located(error)
                # Text beside elements breaks the rules of RDF/XML: that text is lost, and nothing around it.
                lossy = not (syntax is Syntax.XML and message.startswith("Unexpected"))
                graph.troubles.append(Trouble("syntax-error", f"{syntax}: {message}", lossy))


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
    return _read(text, Syntax.TRIG, base)


def _lines(text: str, base: str) -> Graph:
    """N-Triples; Turtle whose first statement looks like a line of them is read as Turtle."""
    graph = _read(text, Syntax.QUADS, base)
    if not graph.troubles:
        return graph
    turtle = _read(text, Syntax.TRIG, base)
    return turtle if turtle.size > graph.size else graph


def _xml(text: str, base: str) -> Graph:
    """RDF/XML; when it is not well-formed, once more with stray ampersands and control characters made good."""
    body = prepared_xml(text, base)
    graph = _read(body, Syntax.XML, base)
    if not complete_xml(body):
        graph.troubles.append(Trouble("truncated", "the XML ends before its root element does", lossy=True))
    if not any(trouble.lossy for trouble in graph.troubles):
        return graph
    repaired = _CONTROL.sub(" ", _AMPERSAND.sub(_escaped, body))
    if repaired == body:
        return graph
    again = _read(repaired, Syntax.XML, base)
    again.troubles += [trouble for trouble in graph.troubles if trouble.code == "truncated"]
    again.troubles.insert(0, Trouble("repaired-xml", f"not well-formed, repaired: {graph.troubles[0].message}"))
    return again


def _escaped(found: re.Match[str]) -> str:
    if found.group(1):
        return found.group(1)
    name = found.group(2) or ""
    character = html.unescape(f"&{name}") if name else ""
    return character if name and character != f"&{name}" else f"&amp;{name}"


def _json(text: str, base: str) -> Graph:
    repairs: list[Trouble] = []
    try:
        document = jsonio.loads(text)
    except ValueError as first:
        repairs.append(Trouble("repaired-json", f"not JSON, repaired: {first}"))
        try:
            document = jsonio.loads(without_trailing_commas(text))
        except ValueError:
            raise SourceError(f"not readable as JSON: {first}", code="bad-json", url=base) from first
    local, remote = localised(document)
    graph = _read(jsonio.dumps(local).decode(), Syntax.JSON, base)
    graph.troubles[:0] = repairs
    if remote:
        graph.troubles.append(
            Trouble("remote-context", f"JSON-LD contexts are not fetched: {', '.join(sorted(set(remote))[:3])}")
        )
    return graph


_READERS = {Syntax.XML: _xml, Syntax.TRIG: _turtle, Syntax.QUADS: _lines, Syntax.JSON: _json}
