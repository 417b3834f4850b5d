"""How deep the elements of an XML document stand in each other: parsers slow down with the square of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from harvester.errors import SourceError

# Catalogues go some twenty levels deep.
MOST_LEVELS = 1000
_PIECE = 1 << 20
# A comment longer than this is not waited for.
_LONGEST = 16 << 20
# An end tag; a start tag of an element that is not empty; what is no markup whatever it holds.  Atomic and possessive
# groups, and ends that may be missing: no document makes this search slow.
_TAG = re.compile(
    rb"<(?:(?P<end>/)[^<>]*+>"
    rb"|[^\s<>\"'/!?=][^<>\"']*+(?:\"[^\"]*+\"[^<>\"']*+|'[^']*+'[^<>\"']*+)*+(?<!/)(?P<start>>)"
    rb"|!--(?:.*?-->|(?P<comment>.*))"
    rb"|!\[CDATA\[(?:.*?\]\]>|(?P<section>.*))"
    rb"|\?(?:.*?\?>|(?P<instruction>.*)))",
    re.S,
)


def refuse_depth(document: bytes | IO[bytes], url: str) -> None:
    """Raises `SourceError` (`unsafe-xml`) for a document of absurdly many levels; a file is read to its end."""
    depth, rest = 0, b""
    for piece in _pieces(document):
        rest += piece
        done = 0
        for tag in _TAG.finditer(rest):
            if tag.lastgroup == "start":
                depth += 1
            elif tag.lastgroup == "end":
                depth -= 1
            elif tag.lastgroup is not None:
                break  # it goes on in the next piece
            if depth > MOST_LEVELS:
                message = f"the elements of the XML stand in each other more than {MOST_LEVELS} levels deep"
                raise SourceError(message, code="unsafe-xml", url=url)
            done = tag.end()
        begun = rest.find(b"<", done)
        rest = rest[begun:] if begun >= 0 and len(rest) - begun < _LONGEST else b""


def _pieces(document: bytes | IO[bytes]) -> Iterator[bytes]:
    if isinstance(document, bytes):
        yield document
        return
    while piece := document.read(_PIECE):
        yield piece
