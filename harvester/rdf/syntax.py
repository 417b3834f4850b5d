"""How statements stand in each format: N-Triples, Turtle, RDF/XML, JSON-LD 1.1, as bytes.

Nodes are written one after the other and never nested, so that one that is repeated says the same each time.
N-Quads and TriG have all statements in the default graph, where every reader looks.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache

import orjson

from harvester.rdf.context import class_of, context, term_of
from harvester.rdf.namespaces import PREFIXES, expand, shortened
from harvester.rdf.nodes import date_type

# What XML 1.0 (section 2.2) cannot hold even as references, and lone surrogates, which no encoding can.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# How JSON escapes the control characters among them.
_UNICODE, _FEED, _BACK = b"\\u00", b"\\f", b"\\b"
_TYPE = expand("rdf:type")
_CACHED = 4096


def cleaned(text: str) -> str:
    """The text with what some format cannot hold replaced: all formats say the same."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def quoted(text: str) -> bytes:
    """The text in quotes, with the escapes that JSON, N-Triples and Turtle have in common."""
    try:
        token = orjson.dumps(text)
    except TypeError:
        return orjson.dumps(cleaned(text))
    if b"\\" in token and (_UNICODE in token or _FEED in token or _BACK in token):
        return orjson.dumps(cleaned(text))
    return orjson.dumps(cleaned(text)) if "\ufffe" in text or "\uffff" in text else token


def escaped(text: str) -> bytes:
    """The text as the content of an XML element; a carriage return that is not escaped is read as a line feed."""
    if not text.isprintable():
        text = cleaned(text)
    raw = text.encode().replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    return raw.replace(b"\r", b"&#13;")


class Syntax(ABC):
    """A format.  An object is a token; a fact is a predicate with its object, to be put under a subject."""

    head = b""
    # Stands before every node but the first.
    joint = b""
    foot = b""

    def __init__(self) -> None:
        self.ref = lru_cache(_CACHED)(self._ref)
        self.datatype = lru_cache(_CACHED)(self._datatype)
        self.around = cache(self._around)
        self.date = lru_cache(_CACHED)(self._date)

    @abstractmethod
    def _ref(self, node: str) -> bytes:
        """The object for a valid IRI or a label with `_:`."""

    @abstractmethod
    def _datatype(self, iri: str) -> bytes:
        """What of a typed literal tells the type."""

    @abstractmethod
    def text(self, text: str) -> bytes:
        """The object for a plain literal."""

    @abstractmethod
    def spoken(self, text: str, tag: str) -> bytes:
        """The object for a literal in a language."""

    @abstractmethod
    def typed(self, text: str, datatype: str) -> bytes:
        """The object for a literal of a datatype."""

    def _date(self, value: str) -> bytes:
        """The object for a date, of the type that its precision has."""
        return self.typed(value, date_type(value))

    @abstractmethod
    def _around(self, cls: str, predicate: str) -> tuple[bytes, bytes]:
        """What stands before and behind the object of a predicate, on a node whose first class is `cls`."""

    @abstractmethod
    def node(self, subject: str, facts: Sequence[bytes]) -> bytes:
        """A subject with its facts."""

    def several(self, before: bytes, objects: Iterable[bytes], behind: bytes) -> list[bytes]:
        """The facts of several objects of one predicate."""
        return [before + value + behind for value in objects]

    def types(self, classes: Sequence[str]) -> list[bytes]:
        """The facts that tell the classes of a node."""
        before, behind = self.around("", _TYPE)
        return self.several(before, map(self.ref, classes), behind) if classes else []


class NTriples(Syntax):
    """A statement a line."""

    def _ref(self, node: str) -> bytes:
        return node.encode() if node.startswith("_:") else b"<%b>" % node.encode()

    def _datatype(self, iri: str) -> bytes:
        return b"^^" + self.ref(iri)

    def text(self, text: str) -> bytes:
        return quoted(text)

    def spoken(self, text: str, tag: str) -> bytes:
        return quoted(text) + b"@" + tag.encode()

    def typed(self, text: str, datatype: str) -> bytes:
        return quoted(text) + self.datatype(datatype)

    def _around(self, cls: str, predicate: str) -> tuple[bytes, bytes]:
        return b"<%b> " % predicate.encode(), b""

    def node(self, subject: str, facts: Sequence[bytes]) -> bytes:
        start = self.ref(subject) + b" "
        return start + (b" .\n" + start).join(facts) + b" .\n"


class Turtle(NTriples):
    """The facts of a subject together; a predicate with several objects once."""

    head = b"".join(b"@prefix %b: <%b> .\n" % (prefix.encode(), iri.encode()) for prefix, iri in PREFIXES.items())

    def _datatype(self, iri: str) -> bytes:
        return b"^^" + shortened(iri).encode()

    def _around(self, cls: str, predicate: str) -> tuple[bytes, bytes]:
        return (b"a " if predicate == _TYPE else shortened(predicate).encode() + b" "), b""

    def several(self, before: bytes, objects: Iterable[bytes], behind: bytes) -> list[bytes]:
        return [before + b" , ".join(objects)]

    def types(self, classes: Sequence[str]) -> list[bytes]:
        return [b"a " + " , ".join(map(shortened, classes)).encode()] if classes else []

    def node(self, subject: str, facts: Sequence[bytes]) -> bytes:
        return b"\n%b %b .\n" % (self.ref(subject), b" ;\n    ".join(facts))


class RdfXml(Syntax):
    """A description per subject."""

    head = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF'
        + b"".join(b'\n    xmlns:%b="%b"' % (prefix.encode(), iri.encode()) for prefix, iri in PREFIXES.items())
        + b">\n"
    )
    foot = b"</rdf:RDF>\n"

    def _ref(self, node: str) -> bytes:
        if node.startswith("_:"):
            return b' rdf:nodeID="%b"></' % node[2:].encode()
        return b' rdf:resource="%b"></' % escaped(node)

    def _datatype(self, iri: str) -> bytes:
        return b' rdf:datatype="%b">' % escaped(iri)

    def text(self, text: str) -> bytes:
        return b">" + escaped(text) + b"</"

    def spoken(self, text: str, tag: str) -> bytes:
        return b' xml:lang="%b">%b</' % (tag.encode(), escaped(text))

    def typed(self, text: str, datatype: str) -> bytes:
        return self.datatype(datatype) + escaped(text) + b"</"

    def _around(self, cls: str, predicate: str) -> tuple[bytes, bytes]:
        name = shortened(predicate).encode()
        return b"  <" + name, name + b">\n"

    def node(self, subject: str, facts: Sequence[bytes]) -> bytes:
        labelled = subject.startswith("_:")
        name = b'nodeID="%b"' % subject[2:].encode() if labelled else b'about="%b"' % escaped(subject)
        return b"<rdf:Description rdf:%b>\n%b</rdf:Description>\n" % (name, b"".join(facts))


class JsonLd(Syntax):
    """A node object per subject, all in one array; values say in full what they are, whatever the context coerces."""

    head = b'{"@context":' + orjson.dumps(context()) + b',\n"@graph":[\n'
    joint = b",\n"
    foot = b"\n]}\n"

    def _ref(self, node: str) -> bytes:
        return b'{"@id":%b}' % quoted(node)

    def _datatype(self, iri: str) -> bytes:
        return b',"@type":%b}' % quoted(shortened(iri))

    def text(self, text: str) -> bytes:
        return b'{"@value":' + quoted(text) + b"}"

    def spoken(self, text: str, tag: str) -> bytes:
        return b'{"@value":%b,"@language":"%b"}' % (quoted(text), tag.encode())

    def typed(self, text: str, datatype: str) -> bytes:
        return b'{"@value":%b%b' % (quoted(text), self.datatype(datatype))

    def _around(self, cls: str, predicate: str) -> tuple[bytes, bytes]:
        return quoted(term_of(cls, predicate)) + b":", b""

    def several(self, before: bytes, objects: Iterable[bytes], behind: bytes) -> list[bytes]:
        return [b"%b[%b]" % (before, b",".join(objects))]

    def types(self, classes: Sequence[str]) -> list[bytes]:
        names = [class_of(classes[0]), *map(shortened, classes[1:])] if classes else []
        return [b'"@type":' + orjson.dumps(names)] if names else []

    def node(self, subject: str, facts: Sequence[bytes]) -> bytes:
        return b'{"@id":%b,\n  %b}' % (quoted(subject), b",\n  ".join(facts))
