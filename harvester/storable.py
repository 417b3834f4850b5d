"""Texts and identifiers as every database keeps them: no NUL (PostgreSQL) and no lone surrogate (UTF-8) in them."""

from __future__ import annotations

import re
from hashlib import blake2b

# So many characters, of four bytes each, fit into an index of PostgreSQL (2,704 bytes) beside a number or two.
LONGEST = 600
_WORDS = 500
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def text(value: str) -> str:
    """The text with a replacement character for each character that cannot be kept."""
    if value.isascii() and "\x00" not in value:
        return value
    return _UNSTORABLE.sub("\ufffd", value)


def identifier(value: str) -> str:
    """The identifier, when it can be kept; else its readable beginning and a digest, so that no two become one."""
    kept = text(value)
    if kept == value and len(kept) <= LONGEST:
        return value
    mark = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    return f"{kept[:_WORDS]}~{mark}"
