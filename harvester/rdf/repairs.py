"""Repairs of RDF documents whose meaning is plain although their syntax is wrong; each says what it did.

A repair takes the text and the syntax errors met in it, and gives the repaired text with its story, or None when it
has nothing to offer.
"""

from __future__ import annotations

import html
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator

from harvester.rdf.graph import Trouble
from harvester.rdf.namespaces import DECLARABLE, PREFIXES

Repair = Callable[[str, list[Trouble]], tuple[str, Trouble] | None]

_AMPERSAND = re.compile(
    r"(<!\[CDATA\[.*?\]\]>)|&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)(\w{1,32};)?", re.S
)
# Characters written as numbers; halves of a pair, as JavaScript counts them, follow each other.
_NUMBERED = re.compile(r"(<!\[CDATA\[.*?\]\]>)|(?:&#(?:[0-9]{1,7}|x[0-9a-fA-F]{1,6});)+", re.S)
_NUMBER = re.compile(r"&#(?:([0-9]+)|x([0-9a-fA-F]+));")
# Characters XML 1.0 forbids; portals copy them from word processors.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_UNDECLARED = re.compile(r"[Pp]refix ([\w.-]+): has not been declared|Unknown prefix ([\w.-]+):")
# Of several such prefixes in one statement the parser names the first: the others are looked for.
_NAMES = "|".join(sorted(map(re.escape, DECLARABLE), key=len, reverse=True))
_USED_IN_TURTLE = re.compile(rf"(?<![\w:/<.#-])({_NAMES}):[A-Za-z_]")
_DECLARED_IN_TURTLE = re.compile(r"prefix\s+([\w.-]+)\s*:", re.I)
_USED_IN_XML = re.compile(rf"<({_NAMES}):[A-Za-z_]")
_DECLARED_IN_XML = re.compile(r"\sxmlns:([\w.-]+)\s*=")
# A literal's closing quote and what stands behind it; a quote within a literal is escaped.
_TAG = re.compile(r"((?<!\\)[\"'])@([^\s;,.\])\"'@]*)(?=[\s;,.\])])")
_SOUND_TAG = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_ROOT_NAME = re.compile(r"<[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?(?=[\s/>])")
# Re-reading as a tree costs some ten times the document; beyond this the loss is reported instead.
LONGEST_TREE = 64_000_000
_DEEPEST_TREE = 200
_MOST_QUOTED = 3

_RDF = f"{{{PREFIXES['rdf']}}}"
_LABEL = f"{{{PREFIXES['rdfs']}}}label"
_ROOT, _PARSE, _RESOURCE = _RDF + "RDF", _RDF + "parseType", _RDF + "resource"
# What stands on a property, never on a node.
_OF_PROPERTIES = frozenset((_RDF + "datatype", _RESOURCE, _PARSE, "{http://www.w3.org/XML/1998/namespace}lang"))


def escaped(text: str, troubles: list[Trouble]) -> tuple[str, Trouble] | None:
    """XML with stray ampersands, HTML entities and control characters made good."""
    if not any(trouble.lossy for trouble in troubles):
        return None
    repaired = _CONTROL.sub(" ", _NUMBERED.sub(_numbered, _AMPERSAND.sub(_escaped, text)))
    if repaired == text:
        return None
    return repaired, Trouble("repaired-xml", f"not well-formed, repaired: {troubles[0].message}")


def declared_in_xml(text: str, troubles: list[Trouble]) -> tuple[str, Trouble] | None:
    """XML with the well-known prefixes it uses declared on its root element."""
    prefixes = _undeclared(text, troubles, _USED_IN_XML, _DECLARED_IN_XML)
    root = _root(text) if prefixes else None
    if root is None:
        return None
    names = "".join(f' xmlns:{prefix}="{DECLARABLE[prefix]}"' for prefix in prefixes)
    return text[:root] + names + text[root:], _told(prefixes)


def declared_in_turtle(text: str, troubles: list[Trouble]) -> tuple[str, Trouble] | None:
    """Turtle with the well-known prefixes it uses declared ahead; no line is added, so that positions stay true."""
    prefixes = _undeclared(text, troubles, _USED_IN_TURTLE, _DECLARED_IN_TURTLE)
    if not prefixes:
        return None
    lines = "".join(f"@prefix {prefix}: <{DECLARABLE[prefix]}> . " for prefix in prefixes)
    return lines + text, _told(prefixes)


def tagged_in_turtle(text: str, troubles: list[Trouble]) -> tuple[str, Trouble] | None:
    """Turtle whose language tags are tags: `fr_FR` becomes `fr-FR`; what is none (`français`, nothing) is taken off."""
    if not any(trouble.lossy for trouble in troubles):
        return None
    dropped: list[str] = []
    repaired = _TAG.sub(lambda found: _tag(found, dropped), text)
    if repaired == text:
        return None
    told = ", ".join(repr(tag[:30]) for tag in dict.fromkeys(dropped)) or "underscores became hyphens"
    return repaired, Trouble("bad-language-tag", f"language tags that are none were taken off: {told}")


def _tag(found: re.Match[str], dropped: list[str]) -> str:
    tag = found.group(2).replace("_", "-")
    if _SOUND_TAG.fullmatch(tag):
        return f"{found.group(1)}@{tag}"
    dropped.append(found.group(2))
    return found.group(1)


def striped(text: str, troubles: list[Trouble]) -> tuple[str, Trouble] | None:
    """RDF/XML whose properties and nodes alternate again, without text where only elements may stand."""
    if len(text) > LONGEST_TREE or not any("Unexpected" in trouble.message for trouble in troubles):
        return None
    try:
        root = ET.fromstring(text)
    except ET.ParseError:
        return None
    dropped = list(_nodes_in(root, 0) if root.tag == _ROOT else _node(root, 0))
    quoted = ", ".join(repr(words[:60]) for words in dropped[:_MOST_QUOTED])
    story = f"; text beside elements was left out, {len(dropped)} times: {quoted}" if dropped else ""
    message = f"elements of RDF/XML were in the wrong place and were put right{story}"
    return ET.tostring(root, encoding="unicode"), Trouble("repaired-rdf-xml", message)


# In this order: XML must be well-formed before its elements can be moved.
XML_REPAIRS: tuple[Repair, ...] = (escaped, declared_in_xml, striped)
TURTLE_REPAIRS: tuple[Repair, ...] = (declared_in_turtle, tagged_in_turtle)
LINE_REPAIRS: tuple[Repair, ...] = (tagged_in_turtle,)


def _escaped(found: re.Match[str]) -> str:
    if found.group(1):
        return found.group(1)
    name = found.group(2) or ""
    character = html.unescape(f"&{name}") if name else ""
    return character if name and character != f"&{name}" else f"&amp;{name}"


def _numbered(found: re.Match[str]) -> str:
    """The characters meant by their numbers where XML knows one of them not; as they are written otherwise."""
    numbers = [int(ten) if ten else int(sixteen, 16) for ten, sixteen in _NUMBER.findall(found.group())]
    if found.group(1) or not any(_forbidden(number) for number in numbers):
        return found.group()
    text = "".join(chr(number) if number <= sys.maxunicode else " " for number in numbers)
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return html.escape(_CONTROL.sub(" ", whole))


def _forbidden(number: int) -> bool:
    return 0xD800 <= number < 0xE000 or number > sys.maxunicode or _CONTROL.match(chr(number)) is not None


def _undeclared(text: str, troubles: list[Trouble], used: re.Pattern[str], declared: re.Pattern[str]) -> list[str]:
    said = (match for trouble in troubles for match in _UNDECLARED.finditer(trouble.message))
    named = {match.group(1) or match.group(2) for match in said}
    if not named & DECLARABLE.keys():
        return []
    return sorted((named & DECLARABLE.keys()) | (set(used.findall(text)) - set(declared.findall(text))))


def _root(text: str) -> int | None:
    """Where the name of the root element ends."""
    at = 0
    while (found := _ROOT_NAME.search(text, at)) is not None:
        opened = text.rfind("<!--", at, found.start())
        if opened < 0:
            return found.end()
        closed = text.find("-->", opened)
        if closed < 0:
            return None
        at = closed
    return None


def _told(prefixes: list[str]) -> Trouble:
    return Trouble("undeclared-prefix", f"prefixes are used but never declared: {', '.join(prefixes)}; as usual then")


def _words(element: ET.Element) -> Iterator[str]:
    """The text right inside an element and between its children, taken away."""
    for owner, name in ((element, "text"), *((child, "tail") for child in element)):
        words = getattr(owner, name)
        if words and words.strip():
            yield " ".join(words.split())
            setattr(owner, name, None)


def _nodes_in(parent: ET.Element, depth: int) -> Iterator[str]:
    """Put right what stands where only node elements may; gives the text that had to go."""
    yield from _words(parent)
    for child in parent:
        yield from _node(child, depth)


def _node(node: ET.Element, depth: int) -> Iterator[str]:
    if depth > _DEEPEST_TREE:
        return
    yield from _words(node)
    node[:] = [each for child in node for each in _one_node_each(child)]
    for child in node:
        yield from _property(child, depth + 1)


def _one_node_each(element: ET.Element) -> Iterator[ET.Element]:
    """A property that holds several nodes, as several properties."""
    if len(element) < 2 or element.get(_PARSE) or _is_record(element):
        yield element
        return
    for child in element:
        single = ET.Element(element.tag, element.attrib)
        single.append(child)
        yield single


def _property(element: ET.Element, depth: int) -> Iterator[str]:
    kind = element.get(_PARSE)
    if kind in ("Literal", "Collection"):
        return
    if kind == "Resource" or _is_record(element):
        element.set(_PARSE, "Resource")
        yield from _node(element, depth)
    elif len(element):
        yield from _nodes_in(element, depth)
    elif element.get(_RESOURCE) and (element.text or "").strip():
        _labelled(element)


def _is_record(element: ET.Element) -> bool:
    """Whether properties stand right inside a property: the node between them was forgotten."""
    named = any(child.get(_RDF + "about") is not None for child in element)
    return not named and not element.get(_RESOURCE) and any(_is_property(child) for child in element)


def _is_property(element: ET.Element) -> bool:
    lower = element.tag.rpartition("}")[2][:1].islower()
    bare = lower and len(element) == 0 and bool((element.text or "").strip())
    return bare or not _OF_PROPERTIES.isdisjoint(element.keys())


def _labelled(element: ET.Element) -> None:
    """A reference with text inside: the text names what is referred to."""
    node = ET.SubElement(element, _RDF + "Description", {_RDF + "about": element.attrib.pop(_RESOURCE)})
    label = ET.SubElement(node, _LABEL)
    label.text, element.text = (element.text or "").strip(), None
