"""A large JSON-LD document as many small ones that say the same, each self-contained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, Any

import ijson

from harvester import jsonio
from harvester.rdf.jsonld import localised

# As many members of a long array make one document.
MEMBERS = 100
_ROOT = "_:root-of-the-document"
# Arrays under these hold nodes; other keywords are said of the root itself.
_CONTAINERS = ("@graph", "@included")
_STEPS = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}


@dataclass(slots=True)
class _Outline:
    """The outermost object: what it says in few words, and the names of its arrays."""

    said: dict[str, Any] = field(default_factory=dict)
    arrays: list[str] = field(default_factory=list)


def pieces(file: IO[bytes], remote: list[str]) -> Iterator[bytes]:
    """The documents; `remote` fills with the addresses of contexts that ours stand in for.

    Raises `ijson.JSONError` where the text is no JSON.
    """
    start = file.tell()
    outline = _outlined(file)
    if outline is None:
        file.seek(start)
        yield from _batches(file, "item", {}, "@graph", remote)
        return
    said = {**outline.said, "@id": outline.said.get("@id", _ROOT)}
    # What gives the terms of the document their meaning goes with every piece of it.
    frame: dict[str, Any] = {key: said[key] for key in ("@context", "@id", "@type") if key in said}
    yield _local(said, remote)
    for name in outline.arrays:
        file.seek(start)
        yield from _batches(file, f"{name}.item", frame, name, remote)


def _batches(file: IO[bytes], prefix: str, frame: dict[str, Any], name: str, remote: list[str]) -> Iterator[bytes]:
    members = ijson.items(file, prefix, use_float=True)
    opening = _local(dict(frame), remote)[:-1] + b"," + jsonio.dumps(name) + b":"
    while batch := list(islice(members, MEMBERS)):
        written = jsonio.dumps(batch)
        # Most members have no context of their own: there is nothing to replace in them.
        yield _local({**frame, name: batch}, remote) if b'"@context"' in written else opening + written + b"}"


def _local(document: dict[str, Any], remote: list[str]) -> bytes:
    local, found = localised(document)
    if len(remote) < MEMBERS:
        remote += found
    return jsonio.dumps(local)


def _outlined(file: IO[bytes]) -> _Outline | None:
    """The outline of an object; None of an array.  Raises ValueError for what is nested absurdly deep."""
    outline, depth, key, builder, is_object = _Outline(), 0, "", None, True
    for event, value in ijson.basic_parse(file, use_float=True):
        step = _STEPS.get(event, 0)
        if depth > jsonio.MAX_DEPTH:
            raise ValueError(f"nested deeper than {jsonio.MAX_DEPTH} levels")
        if depth == 0:
            is_object = event == "start_map"
        if (depth > 1 and builder is None) or not is_object:
            # Inside the arrays, which is nearly all of the document.
            depth += step
            continue
        if depth == 1 and event == "map_key":
            key, builder = value, ijson.ObjectBuilder()
        elif depth == 1 and event == "start_array" and (key[:1] != "@" or key in _CONTAINERS):
            outline.arrays.append(key)
            builder = None
        elif builder is not None:
            builder.event(event, value)
        depth += step
        if depth == 1 and builder is not None and event != "map_key":
            outline.said[key], builder = builder.value, None
    return outline if is_object else None
