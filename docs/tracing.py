"""Which keys of a portal's payload fill which fields of the model, found by taking the keys away one at a time.

Nothing is written down beside the code: a key fills a field if the field loses something when the key is missing.
Where another key would have stood in, that one is found in the next round, with the first ones gone.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from harvester.errors import RecordError
from harvester.model import Part

Field = tuple[type[Part], str]
Filled = dict[Field, Counter[str]]
Path_ = tuple[str | int, ...]
Build = Callable[[Any], Part]

_ROUNDS = 4
_WRONG = ("hostile", "wrong-types")
# Lists of {"key": ..., "value": ...} name their members themselves (CKAN).
_NAMING = ("key", "value")
_LANGUAGE = re.compile("(?!id)[a-z]{2}")


def filled(part: Part) -> Filled:
    """What each field of each class of the model holds in a part and its parts."""
    found: Filled = {(type(part), ""): Counter(part=1)}
    for name, value in part.__dict__.items():
        if not value or name == "problems":
            continue
        items = value if isinstance(value, tuple) else (value,)
        texts = found.setdefault((type(part), name), Counter())
        for item in items:
            texts["part" if isinstance(item, Part) else repr(item)] += 1
            if isinstance(item, Part):
                for field, inner in filled(item).items():
                    found.setdefault(field, Counter()).update(inner)
    return found


def sources(payload: Any, build: Build) -> dict[Field, set[str]]:
    """field -> the keys of one payload that fill it."""
    found: dict[Field, set[str]] = {}
    rest = deepcopy(payload)
    for _ in range(_ROUNDS):
        told = _round(rest, build)
        new = {
            field: names
            for field, paths in told.items()
            if (names := {_named(rest, path) for path in paths} - found.get(field, set()))
        }
        if not new:
            break
        for field, names in new.items():
            found.setdefault(field, set()).update(names)
        # Without what names it nothing could be built in the next round.
        spent = {path for (_, name), paths in told.items() if name != "identifier" for path in paths}
        for path in sorted(spent, key=_depth, reverse=True):
            _expendable(rest, path, build)
    return found


def _depth(path: Path_) -> tuple[int, tuple[tuple[int, str], ...]]:
    """The innermost last; of the items of a list the later ones last, so that removing them moves no other."""
    return len(path), tuple((step, "") if isinstance(step, int) else (0, step) for step in path)


def _round(payload: Any, build: Build) -> dict[Field, list[Path_]]:
    part = build(payload)
    whole = filled(part)
    lost = {path: set(_lost(whole, without, build)) for path, without in _variants(payload)}
    reach = {path: sum(kind is type(part) for kind, _ in fields) for path, fields in lost.items()}
    told: dict[Field, list[Path_]] = {}
    for path, fields in lost.items():
        for field in fields:
            told.setdefault(field, []).append(path)
    return {field: _telling(field, paths, told, reach) for field, paths in told.items() if field[1]}


def _telling(field: Field, paths: list[Path_], told: dict[Field, list[Path_]], reach: dict[Path_, int]) -> list[Path_]:
    """The innermost keys; of a field that holds parts the keys that cost the whole the least.

    A key without which there is no such part at all tells nothing of one field of it, if another key beside it does.
    """
    kind, name = field
    parts = "harvester.model" in str(kind.model_fields[name].annotation)
    fatal = set(told.get((kind, ""), ()))
    mild = [path for path in paths if path not in fatal]
    kept = [p for p in paths if p not in fatal or not _any_within(p if parts else p[:-1], mild, parts)]
    rank = {path: (reach[path], len(path)) if parts else (0, -len(path)) for path in kept}
    return [path for path in kept if not any(_related(path, other) and rank[other] < rank[path] for other in kept)]


def _any_within(start: Path_, paths: list[Path_], deep: bool) -> bool:
    return any(path[: len(start)] == start and (deep or len(path) == len(start) + 1) for path in paths)


def _related(path: Path_, other: Path_) -> bool:
    shared = min(len(path), len(other))
    return path[:shared] == other[:shared]


def _lost(whole: Filled, payload: Any, build: Build) -> Iterator[Field]:
    try:
        left = filled(build(payload))
    except RecordError:
        return
    for field, texts in whole.items():
        if texts - left.get(field, Counter()):
            yield field


def _variants(payload: Any) -> Iterator[tuple[Path_, Any]]:
    """The payload without each of its members in turn, at any depth; of a list, without its items."""
    for path in list(_paths(payload)):
        changed = deepcopy(payload)
        _remove(changed, path)
        yield path, changed


def _paths(value: Any, path: Path_ = ()) -> Iterator[Path_]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not (isinstance(inner, list) and inner and all(map(_names_itself, inner))):
                yield (*path, key)
            yield from _paths(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            if _names_itself(inner):
                yield (*path, number)
            else:
                yield from _paths(inner, (*path, number))


def _remove(payload: Any, path: Path_) -> None:
    *before, last = path
    for step in before:
        payload = payload[step]
    del payload[last]


def _expendable(payload: Any, path: Path_, build: Build) -> None:
    """Take a key away for good, unless nothing can be built without it."""
    changed = deepcopy(payload)
    try:
        _remove(changed, path)
        build(changed)
    except (RecordError, KeyError, IndexError):
        return
    _remove(payload, path)


def _names_itself(item: Any) -> bool:
    return isinstance(item, dict) and all(name in item for name in _NAMING)


def _named(payload: Any, path: Path_) -> str:
    """A path as a person reads it: `resources[].url`, `extras[].spatial`."""
    text = ""
    for step in path:
        by_language = isinstance(payload, dict) and all(_LANGUAGE.fullmatch(str(key)) for key in payload)
        payload = payload[step]
        if by_language:
            return f"{text}.*"
        if isinstance(step, str):
            text += f".{step}" if text else step
        else:
            text += f"[].{payload['key']}" if _names_itself(payload) else "[]"
    return text


def payloads(folder: Path) -> list[Any]:
    """The payloads of a folder of fixtures, without those that are wrong on purpose."""
    told = (path for path in folder.glob("*.json") if not path.name.endswith(".expected.json"))
    names = sorted(path for path in told if not path.stem.startswith(_WRONG))
    return [json.loads(path.read_text("utf-8")) for path in names]


def traced(found: list[Any], build: Build) -> dict[Field, set[str]]:
    """field -> the keys that fill it in any of the payloads."""
    merged: dict[Field, set[str]] = {}
    for payload in found:
        for field, names in sources(payload, build).items():
            merged.setdefault(field, set()).update(names)
    return merged
