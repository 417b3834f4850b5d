"""What tells one description from another, and by which name a resource goes that several datasets mention.

The name that came first is its label; whoever calls it otherwise, or gives it no name, says so itself (`ch:called`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from hashlib import blake2b
from typing import Any

import orjson

from harvester.model import Part
from harvester.rdf.claims import DIGEST, Claims
from harvester.rdf.derived import Facts, words_of

Name = Mapping[str, str]
_SAID = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class Call(Enum):
    """What has to be written for a name: the label of the resource, nothing, or a mark of whoever gave it."""

    LABEL = 1
    NOTHING = 2
    APART = 3


class Names:
    """The names of the resources of one block; `claims` tell what other blocks of the document call them."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self._labels: dict[str, Name] = {}
        self._silent: dict[str, list[str]] = {}

    def call(self, node: str, name: Name, owner: str) -> Call:
        """How `owner` has to call a resource."""
        label = self._labels.get(node)
        if label is not None:
            return Call.NOTHING if label == name else Call.APART
        if not name:
            self._silent.setdefault(node, []).append(owner)
            return Call.NOTHING
        if not self._claims.hold(f"name of {node}", _digest(name)):
            return Call.APART
        self._labels[node] = name
        return Call.LABEL

    def silent(self, node: str) -> list[str]:
        """Those that mentioned a resource without a name before it had one."""
        return self._silent.pop(node, [])


def _digest(name: Name) -> bytes:
    return blake2b(said(name), digest_size=DIGEST).digest()


def said(given: Facts, *context: Any) -> bytes:
    """What tells one description from another: the same for a part and for its stored form."""
    said = _filled(given), context
    try:
        return orjson.dumps(said, default=_plain, option=_SAID)
    except TypeError:
        # Half a surrogate pair is no UTF-8.
        return json.dumps(said, default=_plain, sort_keys=True).encode()


def _plain(item: Any) -> Any:
    return _filled(item.__dict__) if isinstance(item, Part) else words_of(item)


def _filled(given: Facts) -> Facts:
    return {name: value for name, value in given.items() if value or value == 0}
