"""A file of RDF as a store to take datasets from one by one, and what could not be read of it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyoxigraph as ox

from harvester import jsonio
from harvester.errors import UsageError
from harvester.rdf.jsonld import localised
from harvester.rdf.namespaces import expand
from harvester.rdf.sniff import Syntax, refuse_entities, syntax_of, text_of, xml_start
from harvester.validate.terms import kept

Node = ox.NamedNode | ox.BlankNode

_FORMATS = {
    Syntax.XML: ox.RdfFormat.RDF_XML,
    Syntax.TRIG: ox.RdfFormat.TRIG,
    Syntax.QUADS: ox.RdfFormat.N_QUADS,
    Syntax.JSON: ox.RdfFormat.JSON_LD,
}
_TYPE = expand("rdf:type")
# A document with more errors than this is told to be none.
MOST_ERRORS = 100
# The store's own bulk loading takes half as much memory again.
AT_ONCE = 10_000


class Feed:
    """Statements of one or several documents; `typed` has the nodes of each class in the order of the document."""

    def __init__(self, directory: Path | None = None) -> None:
        self.store = ox.Store(None if directory is None else str(directory))
        self.typed: dict[str, dict[Node, None]] = {}
        # The store has an order of its own; people count in that of the document.
        self.positions: dict[Node, int] = {}
        self.problems: list[str] = []

    def read(self, path: Path) -> None:
        """Add a file.  Raises `UsageError` for one that is absent, `SourceError` for one that is no RDF at all."""
        try:
            body = path.read_bytes()
            body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(f"{path} cannot be read: {reason}", code="no-file") from error
        self.parse(body, path.resolve().as_uri())

    def parse(self, body: bytes, base: str) -> None:
        """Add a document in any syntax we know; what cannot be read of it is in `problems`."""
        text = text_of(body, None)
        syntax = syntax_of(text, None, base)
        if syntax is Syntax.XML:
            text = text[xml_start(text) :]
            refuse_entities(text, base)
        data = self._json(text) if syntax is Syntax.JSON else text.encode("utf-8", "replace")
        # The parser holds what it reads: the text is no longer needed.
        del text, body
        quads = self._noted(self._sound(data, syntax, base))
        while some := list(islice(quads, AT_ONCE)):
            self.store.extend(some)

    def _json(self, text: str) -> bytes:
        try:
            document, remote = localised(jsonio.loads(text))
        except ValueError as error:
            self.problems.append(f"the JSON cannot be read: {error}")
            return b"{}"
        if remote:
            self.problems.append(
                f"JSON-LD contexts are not fetched, ours stood in for {', '.join(sorted(set(remote)))}"
            )
        return jsonio.dumps(document)

    def _sound(self, data: bytes, syntax: Syntax, base: str) -> Iterator[ox.Quad]:
        """The statements around the syntax errors: the parser goes on behind each."""
        quads = ox.parse(data, _FORMATS[syntax], base_iri=base, lenient=True, rename_blank_nodes=False)
        for _ in range(MOST_ERRORS):
            try:
                yield from quads
            except (SyntaxError, ValueError) as error:
                self.problems.append(f"syntax error: {error}")
            else:
                return
        self.problems.append(f"more than {MOST_ERRORS} syntax errors: the rest was not read")

    def _noted(self, quads: Iterator[ox.Quad]) -> Iterator[ox.Quad]:
        for quad in quads:
            kind, subject = quad.object, quad.subject
            if quad.predicate.value == _TYPE and isinstance(kind, ox.NamedNode) and isinstance(subject, Node):
                self.typed.setdefault(kind.value, {})[subject] = None
                self.positions.setdefault(subject, len(self.positions))
            yield kept(quad)
