"""A body of RDF, in whatever syntax and shape, as a `Graph`: repaired where the meaning is plain, reported always."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import IO, Any, NamedTuple

import ijson
import orjson
import pyoxigraph as ox

from harvester import jsonio
from harvester.errors import SourceError
from harvester.fields.web import iri
from harvester.rdf.depth import refuse_depth
from harvester.rdf.graph import MOST_HELD, Graph, Trouble
from harvester.rdf.jsonld import localised, without_trailing_commas
from harvester.rdf.pieces import pieces
from harvester.rdf.repairs import LINE_REPAIRS, TURTLE_REPAIRS, XML_REPAIRS, Repair
from harvester.rdf.sniff import Syntax, complete_xml, declares, refuse_entities, syntax_of, unsafe, xml_start
from harvester.rdf.text import MOST_TEXT, Text, opened

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
# So many at a time pass from the parser to the graph.
STATEMENTS = 500


class Limits(NamedTuple):
    """What is held in memory: so many bytes of text, so many statements; beyond that, documents are read from disk."""

    text: int = MOST_TEXT
    held: int = MOST_HELD


LIMITS = Limits()


class _Where(NamedTuple):
    base: str
    held: int


def parse(body: bytes, *, base: str, content_type: str | None = None) -> Graph:
    """The graph a body describes; `base` is the address it came from, `content_type` a hint.

    Raises `SourceError` for what is no RDF at all (`not-rdf`), for JSON that cannot be read (`bad-json`) and for
    XML with dangerous entities (`unsafe-xml`).  Syntax errors are in `Graph.troubles`: what stood around them is read.
    """
    return parse_file(io.BytesIO(body), base=base, content_type=content_type)


def parse_file(file: IO[bytes], *, base: str, content_type: str | None = None, limits: Limits = LIMITS) -> Graph:
    """The graph a file describes, of any size: a large one is held on disk, until it is closed.

    Raises what `parse` does, and `SourceError` (`no-disk`) where there is no room for that.
    """
    with ExitStack() as stack:
        text = opened(file, content_type, stack, limits.text)
        syntax = syntax_of(text.head, content_type, base)
        graph = _READERS[syntax](text, _Where(iri(base) or "http://localhost/", limits.held))
    if not graph.size and graph.troubles:
        graph.close()
        raise SourceError(f"not readable as {syntax}: {graph.troubles[0].message}", code="not-rdf", url=base)
    graph.troubles = _few(graph.troubles)
    return graph


def _few(troubles: list[Trouble]) -> list[Trouble]:
    """As many as anyone reads; that something was lost is never among what is left out."""
    kept, others = troubles[:MOST_NOTED], troubles[MOST_NOTED:]
    if not any(trouble.lossy for trouble in kept):
        kept += [trouble for trouble in others if trouble.lossy][:1]
    return kept


def _read(documents: Iterable[bytes | IO[bytes]], syntax: Syntax, where: _Where) -> Graph:
    """The graph of one document, or of several that are one."""
    graph = Graph(where.held)
    try:
        for document in documents:
            quads = ox.parse(document, _FORMATS[syntax], base_iri=where.base, lenient=True)
            for chunk in _sound(quads, graph.troubles, syntax):
                graph.add(_described(chunk), len(chunk))
    except BaseException:
        graph.close()
        raise
    return graph


def _described(quads: list[ox.Quad]) -> list[dict[str, Any]]:
    """The statements as node objects of JSON-LD: made and read by others, far quicker than one by one."""
    try:
        written = ox.serialize(quads, format=ox.RdfFormat.JSON_LD)
    except OSError:
        # What RDF 1.2 added has no form in JSON-LD yet, nor a place in DCAT.
        written = ox.serialize(filter(None, map(_older, quads)), format=ox.RdfFormat.JSON_LD)
    described: list[dict[str, Any]] = orjson.loads(written or b"[]")
    return described


def _older(quad: ox.Quad) -> ox.Quad | None:
    """The statement in RDF 1.1; None for one about statements."""
    value = quad.object
    if isinstance(value, ox.Triple) or isinstance(quad.subject, ox.Triple):
        return None
    if isinstance(value, ox.Literal) and value.direction is not None:
        return ox.Quad(quad.subject, quad.predicate, ox.Literal(value.value, language=value.language))
    return quad


def _sound(quads: Iterator[ox.Quad], troubles: list[Trouble], syntax: Syntax) -> Iterator[list[ox.Quad]]:
    """The statements around the syntax errors, which are noted: the parser goes on behind each."""
    for _ in range(MOST_ERRORS):
        chunk: list[ox.Quad] = []
        try:
            while True:
                chunk.extend(islice(quads, STATEMENTS))
                if not chunk:
                    return
                yield chunk
                chunk = []
        except (SyntaxError, ValueError) as error:
            troubles.append(Trouble("syntax-error", f"{syntax}: {_located(error)}", lossy=True))
            # What came before the error is in there.
            if chunk:
                yield chunk
    message = f"more than {MOST_ERRORS} errors: the rest is not read"
    troubles.insert(0, Trouble("too-many-errors", message, lossy=True))


def _located(error: Exception) -> str:
    line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
    message = str(getattr(error, "msg", None) or error)
    return message if line is None or "line" in message else f"{message} (line {line}, column {column})"


def _turtle(text: Text, where: _Where) -> Graph:
    return _repaired(text, Syntax.TRIG, TURTLE_REPAIRS, where)


def _lines(text: Text, where: _Where) -> Graph:
    """N-Triples; Turtle whose first statement looks like a line of them is read as Turtle."""
    graph = _repaired(text, Syntax.QUADS, LINE_REPAIRS, where)
    if not any(trouble.lossy for trouble in graph.troubles):
        return graph
    turtle = _turtle(text, where)
    best, other = (turtle, graph) if turtle.size > graph.size else (graph, turtle)
    other.close()
    return best


def _xml(text: Text, where: _Where) -> Graph:
    """RDF/XML, repaired until it can be read; a document that ends too early is told."""
    text.drop(xml_start(text.head))
    if declares(text.head):
        if text.has_behind_head(b"<!ENTITY"):
            raise unsafe(where.base)
        refuse_entities(text.head, where.base)
    refuse_depth(text.data(), where.base)
    graph = _repaired(text, Syntax.XML, XML_REPAIRS, where)
    if not complete_xml(text.head, text.tail):
        graph.troubles.append(Trouble("truncated", "the XML ends before its root element does", lossy=True))
    return graph


def _repaired(text: Text, syntax: Syntax, repairs: Iterable[Repair], where: _Where) -> Graph:
    """The graph of a text, read again after each repair that found something to do."""
    graph = _read([text.data()], syntax, where)
    whole = text.whole() if graph.troubles else None
    done: list[Trouble] = []
    for repair in repairs:
        mended = repair(whole, graph.troubles) if graph.troubles and whole is not None else None
        if mended is not None:
            whole, story = mended
            done.append(story)
            graph.close()
            graph = _read([whole.encode("utf-8", "replace")], syntax, where)
    graph.troubles[:0] = done
    return graph


def _json(text: Text, where: _Where) -> Graph:
    """JSON-LD that needs no context from elsewhere, and what had to be done for it."""
    data = text.data()
    if isinstance(data, bytes):
        document, troubles = _self_contained(text.head, where)
        graph = _read([document], Syntax.JSON, where)
    else:
        graph, troubles = _piecewise(data, where)
    graph.troubles[:0] = troubles
    return graph


def _piecewise(file: IO[bytes], where: _Where) -> tuple[Graph, list[Trouble]]:
    remote: list[str] = []
    try:
        return _read(pieces(file, remote), Syntax.JSON, where), _foreign(remote)
    except (ijson.JSONError, ValueError) as error:
        raise SourceError(f"not readable as JSON: {error}", code="bad-json", url=where.base) from error


def _self_contained(text: str, where: _Where) -> tuple[bytes, list[Trouble]]:
    troubles: list[Trouble] = []
    try:
        document = jsonio.loads(text)
    except ValueError as first:
        troubles.append(Trouble("repaired-json", f"not JSON, repaired: {first}"))
        try:
            document = jsonio.loads(without_trailing_commas(text))
        except ValueError:
            raise SourceError(f"not readable as JSON: {first}", code="bad-json", url=where.base) from first
    local, remote = localised(document)
    return jsonio.dumps(local), [*troubles, *_foreign(remote)]


def _foreign(remote: list[str]) -> list[Trouble]:
    if not remote:
        return []
    names = ", ".join(sorted(set(remote))[:3])
    return [Trouble(REMOTE_CONTEXT, f"JSON-LD contexts are not fetched, ours stand in for them: {names}")]


_READERS = {Syntax.XML: _xml, Syntax.TRIG: _turtle, Syntax.QUADS: _lines, Syntax.JSON: _json}
