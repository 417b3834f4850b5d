"""Texts as they can be compared across portals, which change marks, case, spaces and accents but not words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LINK = re.compile(r"\b(?:https?://|www\.)\S+")
_TARGET = re.compile(r"\]\([^)\s]*\)")
_TAG = re.compile(r"</?[a-zA-Z][^>]{0,500}>")
_NOT_WORD = re.compile(r"[\W_]+")
_BRACKETS = re.compile(r"\([^)]*\)")


@lru_cache(maxsize=16_384)
def squashed(text: str) -> str:
    """Letters and digits alone, in lower case, without accents."""
    return _NOT_WORD.sub("", _plain(text))


@lru_cache(maxsize=4_096)
def worded(text: str) -> str:
    """The same of a long text, without markup and addresses: portals turn one into the other."""
    return _NOT_WORD.sub("", _plain(_LINK.sub(" ", _TAG.sub(" ", _TARGET.sub("]", text)))))


@lru_cache(maxsize=16_384)
def slug(text: str) -> str:
    """A keyword as portals make tags of it."""
    return _NOT_WORD.sub("-", _plain(text)).strip("-")


@lru_cache(maxsize=16_384)
def body_name(text: str) -> str:
    """The name of an organisation without what stands in brackets, an acronym as a rule."""
    return squashed(_BRACKETS.sub(" ", text)) or squashed(text)


def _plain(text: str) -> str:
    found = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in found if not unicodedata.combining(mark))
