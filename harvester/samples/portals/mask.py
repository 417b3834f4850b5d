"""Field masks of flask-restx (the `X-Fields` header): `data{id,title},next_page`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Field -> the mask inside it (None: all of it); the field "*" stands for all the others.
Mask = dict[str, "Mask | None"]

TOKEN = re.compile(r"\s*([\w:*-]+|[{},])\s*")


class MaskError(ValueError):
    """The mask cannot be read; flask-restx answers 400."""


def read_mask(text: str) -> Mask | None:
    """The mask a header holds, None when it holds none."""
    text = text.strip()
    if not text:
        return None
    inner = text[1:-1] if text.startswith("{") and text.endswith("}") else text
    if TOKEN.sub("", inner):
        raise MaskError(f"Parse error: Unexpected character in {text!r}")
    tokens = iter(TOKEN.findall(inner))
    mask = _fields(tokens)
    if next(tokens, None) is not None:
        raise MaskError("Parse error: Unexpected closing brace")
    return mask


def _fields(tokens: Iterator[str]) -> Mask:
    """Read fields up to the closing brace or the end."""
    mask: Mask = {}
    name = ""
    for token in tokens:
        if token == "}":
            break
        if token == "{":
            if not name:
                raise MaskError("Parse error: Missing field name")
            mask[name] = _fields(tokens)
        elif token != ",":
            name = token
            mask[name] = None
    return mask


def masked(value: Any, mask: Mask | None) -> Any:
    """The part of a value that a mask lets through; a list is masked item by item."""
    if mask is None:
        return value
    if isinstance(value, list | tuple):
        return [masked(item, mask) for item in value]
    if not isinstance(value, Mapping):
        return value
    kept = dict(value) if "*" in mask else {}
    named = {name: masked(value.get(name), inner) for name, inner in mask.items() if name != "*"}
    return kept | named
