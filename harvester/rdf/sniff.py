"""What a body is, whatever its headers say: its characters as UTF-8, its syntax, and the dangers it may hold."""

from __future__ import annotations

import re
from enum import StrEnum

from harvester.errors import SourceError
from harvester.jsonio import decode


class Syntax(StrEnum):
    """The serialisations of RDF we read; Turtle is read as TriG, N-Triples as N-Quads, which contain them."""

    XML = "RDF/XML"
    TRIG = "Turtle"
    QUADS = "N-Triples"
    JSON = "JSON-LD"


_HINTS = (
    (re.compile(r"json", re.I), Syntax.JSON),
    (re.compile(r"n-?triples|n-?quads|\.n[tq]\b", re.I), Syntax.QUADS),
    (re.compile(r"turtle|trig|n3|\.ttl\b", re.I), Syntax.TRIG),
    (re.compile(r"xml|\.rdf\b", re.I), Syntax.XML),
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.I)
_DECLARED = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
_XML_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_ELEMENT = re.compile(r"<(?:\?xml|!--|!DOCTYPE|[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?(?:\s[^<>]*)?/?>)", re.I)
_HTML = re.compile(r"<(?:!DOCTYPE\s+html|html|head|body)\b", re.I)
_LINE = re.compile(
    r"(?:<[^>\n]*>|_:\S+)[ \t]+<[^>\n]*>[ \t]+(?:<[^>\n]*>|_:\S+|\"(?:[^\"\\\n]|\\.)*\"(?:@[\w-]+|\^\^<[^>\n]*>)?)"
    r"[ \t]*(?:<[^>\n]*>|_:\S+)?[ \t]*\.[ \t]*(?:#.*)?(?:\r?\n|$)"
)
# Atomic and possessive groups: what a hostile document makes of backtracking is no affair of ours.
_COMMENTS = re.compile(r"(?>\s+|#[^\n]*+(?:\n|$))*+")
_ASIDE = r"(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->))*+"
_DOCTYPE = re.compile(_ASIDE + r"<!DOCTYPE", re.I | re.S)
_ROOT = re.compile(
    _ASIDE + r"(?:<!DOCTYPE[^\[>]*+(?:\[[^\]]*+\]\s*+)?>)?+" + _ASIDE + r"<([A-Za-z_][\w:.-]*+)", re.S | re.I
)
_ENTITY = re.compile(r"<!ENTITY\s+(%?)\s*([\w.:-]+)\s+(?:(SYSTEM|PUBLIC)\b|\"([^\"]*)\"|'([^']*)')", re.I)
_HARMLESS = re.compile(r"&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});")
_LONGEST_ENTITY = 256
_MOST_ENTITIES = 200
_HEAD = 4096


def text_of(body: bytes, content_type: str | None) -> str:
    """The characters of the body.  UTF-8 is believed when it is valid: declarations of Latin-1 before UTF-8 abound."""
    return decode(body, charset_of(body, content_type)).lstrip("\ufeff \t\r\n")


def charset_of(body: bytes, content_type: str | None) -> str | None:
    """The charset that the document declares, or its header."""
    declared = _DECLARED.match(body[:_HEAD])
    header = _CHARSET.search(content_type or "")
    return declared.group(1).decode() if declared else header.group(1) if header else None


def syntax_of(text: str, content_type: str | None, url: str) -> Syntax:
    """The syntax the text is written in; the header and the address only decide where the text could be several.

    Raises `SourceError` (`not-rdf`) for HTML and for an empty body.
    """
    start = text[_end(_COMMENTS, text[:_HEAD]) :][:_HEAD]
    if not start:
        raise SourceError("the answer is empty: no RDF, no JSON", code="not-rdf", url=url)
    if _HTML.search(start[:512]) and "rdf:RDF" not in start:
        raise SourceError("the answer is an HTML page, not RDF", code="not-rdf", url=url)
    if start[0] == "{" or (start[0] == "[" and _hinted(content_type, url) is not Syntax.TRIG):
        return Syntax.JSON
    if _ELEMENT.match(start):
        return Syntax.XML
    if _LINE.match(start):
        return Syntax.QUADS
    hinted = _hinted(content_type, url)
    return hinted if hinted is Syntax.XML and start[0] == "<" and "://" not in start[:80] else Syntax.TRIG


def xml_start(text: str) -> int:
    """Where the document begins behind its declaration, which speaks of bytes that are no more."""
    return _end(_XML_DECLARATION, text)


def declares(head: str) -> bool:
    """Whether there is a document type, which may declare entities."""
    return _DOCTYPE.match(head) is not None


def refuse_entities(head: str, url: str) -> None:
    """Raises `SourceError` (`unsafe-xml`) for entities that grow or reach outside; short ones (OWL's) are harmless."""
    if found := _DOCTYPE.match(head):
        _refuse_entities(_declarations(head, found.end()), url)


def unsafe(url: str) -> SourceError:
    """The error for entities that are not known to be harmless."""
    return SourceError("the XML declares entities that grow or reach outside", code="unsafe-xml", url=url)


def complete_xml(head: str, tail: str) -> bool:
    """Whether the document ends with the end of its root element: a cut file may be well-formed as far as it goes."""
    root = _ROOT.match(head)
    end = tail[-_HEAD:].rstrip()
    while end.endswith("-->") and "<!--" in end:
        end = end[: end.rindex("<!--")].rstrip()
    return root is None or end.endswith("/>") or re.search(rf"</{re.escape(root.group(1))}\s*+>$", end) is not None


def _declarations(body: str, start: int) -> str:
    """The document type, to the end of its internal subset; all of the document when it never ends."""
    bracket, closing = body.find("[", start), body.find(">", start)
    if bracket < 0 or closing < bracket:
        return body[start : closing + 1]
    end = body.find("]", bracket)
    # An entity's value may hold a "]": the last declaration counts, wherever it hides.
    last = body.rfind("<!ENTITY", bracket)
    return body[start : max(end, body.find(">", last) if last >= 0 else -1) + 1 or None]


def _refuse_entities(subset: str, url: str) -> None:
    entities = list(_ENTITY.finditer(subset))
    safe = len(entities) == subset.upper().count("<!ENTITY") and len(entities) <= _MOST_ENTITIES
    for entity in entities:
        parameter, _, outside, double, single = entity.groups()
        value = _HARMLESS.sub("", double or single or "")
        safe = safe and not (parameter or outside or "&" in value or "%" in value or len(value) > _LONGEST_ENTITY)
    if not safe:
        raise unsafe(url)


def _hinted(content_type: str | None, url: str) -> Syntax | None:
    for hint in (content_type or "", url):
        for pattern, syntax in _HINTS:
            if pattern.search(hint):
                return syntax
    return None


def _end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found else 0
