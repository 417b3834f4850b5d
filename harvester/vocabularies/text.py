"""Keys under which labels, codes and IRIs are looked up: accents, case, punctuation, HTML and encodings undone."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

# Licence fields hold whole legal texts; what names the licence stands well before this.
LONGEST = 20_000

_COMBINING = re.compile("[\u0300-\u036f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_NOT_KEY = re.compile(r"[^\w+#.]+|_+")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_PERCENT = re.compile(r"%[0-9A-Fa-f]{2}")
_IRI = re.compile(r"(?:https?:)?//\S+$|www\.\S+\.\S+$|(?:[a-z0-9-]+\.)+[a-z]{2,}/\S*$", re.IGNORECASE)
_IRI_HEAD = re.compile(r"^(?:(?:https?:)?/+(?:www\.)?|www\.)", re.IGNORECASE)
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "’": "'"})


def tidy(text: str) -> str:
    """The text as it was meant: entities, percent signs, mis-decoded UTF-8 and invisible characters undone."""
    text = _INVISIBLE.sub("", text[:LONGEST])
    if "&" in text:
        text = html.unescape(text)
    if _PERCENT.search(text) and " " not in text.strip() and "://" not in text:
        text = unquote(text)
    if "Ã" in text or "Â" in text:
        text = _redecoded(text)
    return text.strip(" \t\r\n\"'«»“”`")


def _redecoded(text: str) -> str:
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def untagged(text: str) -> str:
    """The text without HTML tags."""
    return _TAG.sub(" ", text) if "<" in text else text


def fold(text: str) -> str:
    """The key of a label or code: no accents, no case, single spaces; keeps letters of any script, digits, `+#.`"""
    plain = text.lower() if text.isascii() else _unaccented(text)
    words = _NOT_KEY.sub(" ", plain).split()
    return " ".join(filter(None, (word.strip(".") for word in words)) if "." in plain else words)


def _unaccented(text: str) -> str:
    return _COMBINING.sub("", unicodedata.normalize("NFKD", text)).casefold().translate(_LIGATURES)


def is_iri(text: str) -> bool:
    """A lone web address, with or without its scheme."""
    return _IRI.match(text) is not None


def iri_key(text: str) -> str:
    """The key of an IRI: no scheme, `www.`, final slash, nor case."""
    bare = _IRI_HEAD.sub("", text.strip(), count=1)
    return unquote(bare).casefold().rstrip("/#?")
