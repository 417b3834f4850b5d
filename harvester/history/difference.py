"""What lies between two states of a dataset, in the form it is stored in: told by field, exact in both directions.

A difference is JSON: `["+", after]` where nothing was, `["-", before]` where nothing is left, `["=", before, after]`,
`["{", {key: difference}]` within an object, `["[", {...}]` within a list.  Items of lists are matched by what names
them, not by their position.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from harvester import jsonio
from harvester.fields.languages import preferred

Delta = list[Any]

# What names a thing in a list, strongest first; what two things of one list share names neither.
NAMES = (
    "uri", "identifier", "notation", "download_url", "access_url", "endpoint_url", "target", "place", "title", "name",
    "text",
)  # fmt: skip
_TERM = frozenset(("text", "uri"))
_NUMBERS = frozenset((int, float))
_LONGEST_LABEL = 200
_MOST_LABELLED = 20
_BY_LANGUAGE = ("title", "name")
_ABSENT = object()


def difference(before: Any, after: Any) -> Delta | None:
    """What turns `before` into `after`, both JSON; None when nothing does."""
    if type(before) is dict and type(after) is dict and not (_is_term(before) and _is_term(after)):
        inner = {key: found for key in sorted({*before, *after}) if (found := _of_key(before, after, key))}
        return ["{", inner] if inner else None
    if type(before) is list and type(after) is list and not (_is_vector(before) or _is_vector(after)):
        return _of_lists(before, after)
    return None if _same(before, after) else ["=", before, after]


def reversed_(delta: Delta | None) -> Delta | None:
    """The difference the other way round."""
    if delta is None:
        return None
    return _REVERSED[delta[0]](delta)


def applied(delta: Delta | None, value: Any) -> Any:
    """The state after a difference, from the state before it; None stands for nothing at all."""
    if delta is None:
        return value
    found = _APPLIED[delta[0]](delta, value)
    return None if found is _ABSENT else found


def before(delta: Delta | None, value: Any) -> Any:
    """The state before a difference, from the state after it."""
    return applied(reversed_(delta), value)


def label(item: Any) -> str:
    """What a person calls a value of a dataset; "" for a thing without a name.  Long texts are cut."""
    if type(item) is list:
        return ", ".join(label(one) for one in item[:_MOST_LABELLED])[:_LONGEST_LABEL]
    if type(item) is not dict:
        return (item if type(item) is str else jsonio.dumps(item).decode())[:_LONGEST_LABEL]
    for name in _BY_LANGUAGE:
        if type(item.get(name)) is dict:
            return label(preferred(item[name]) or "")
    return next((label(item[name]) for name in ("text", *NAMES) if item.get(name)), "")


def _of_key(before: dict[str, Any], after: dict[str, Any], key: str) -> Delta | None:
    if key not in before:
        return ["+", after[key]]
    if key not in after:
        return ["-", before[key]]
    # Most fields are what they were: to see that at once costs less than to compare their parts.
    return None if _same(before[key], after[key]) else difference(before[key], after[key])


def _is_term(value: dict[str, Any]) -> bool:
    return "text" in value and value.keys() <= _TERM


def _is_vector(value: list[Any]) -> bool:
    """Coordinates: one value, whose parts mean nothing alone."""
    return bool(value) and _NUMBERS.issuperset(map(type, value))


def _same(before: Any, after: Any) -> bool:
    """Equal to the byte: for Python 1, 1.0 and True are equal."""
    return type(before) is type(after) and (before == after if type(before) is str else _text(before) == _text(after))


def _text(value: Any) -> bytes:
    return jsonio.canonical(value)


def _of_lists(before: list[Any], after: list[Any]) -> Delta | None:
    pairs = _matched(before, after)
    arrived = set(pairs.values())
    kept = sorted(pairs)
    rank = {new: place for place, new in enumerate(sorted(arrived))}
    order = [0] * len(kept)
    for place, old in enumerate(kept):
        order[rank[pairs[old]]] = place
    names = _labels(after)
    changed = [
        [place, names[pairs[old]], found]
        for place, old in enumerate(kept)
        if (found := difference(before[old], after[pairs[old]]))
    ]
    spec = {
        "-": [[number, item] for number, item in enumerate(before) if number not in pairs],
        "+": [[number, item] for number, item in enumerate(after) if number not in arrived],
        "~": changed,
        "order": order if order != list(range(len(order))) else [],
    }
    spec = {name: value for name, value in spec.items() if value}
    return ["[", spec] if spec else None


def _labels(items: list[Any]) -> list[str]:
    """What each item is called: those called alike are numbered, those without a name go by their place."""
    names = [label(item) or str(place) for place, item in enumerate(items, 1)]
    several = {name for name, number in Counter(names).items() if number > 1}
    met: Counter[str] = Counter()
    for place, name in enumerate(names):
        if name in several:
            met[name] += 1
            names[place] = f"{name} ({met[name]})"
    return names


def _matched(before: list[Any], after: list[Any]) -> dict[int, int]:
    """Place before -> place after, of the items that stayed: what is equal first, then what has the same name."""
    waiting: dict[bytes, deque[int]] = {}
    for place, item in enumerate(after):
        waiting.setdefault(_text(item), deque()).append(place)
    pairs: dict[int, int] = {}
    for place, item in enumerate(before):
        if same := waiting.get(_text(item)):
            pairs[place] = same.popleft()
    gone = [place for place in range(len(before)) if place not in pairs]
    new = sorted(place for places in waiting.values() for place in places)
    for name in NAMES:
        if not gone or not new:
            return pairs
        pairs |= _named_alike(name, (before, gone), (after, new))
        arrived = set(pairs.values())
        gone = [place for place in gone if place not in pairs]
        new = [place for place in new if place not in arrived]
    if len(gone) == len(new) == 1 and _is_successor(before, after, before[gone[0]], after[new[0]]):
        pairs[gone[0]] = new[0]
    return pairs


def _named_alike(name: str, old: tuple[list[Any], list[int]], new: tuple[list[Any], list[int]]) -> dict[int, int]:
    mine, theirs = _by_name(name, *old), _by_name(name, *new)
    return {place: theirs[key] for key, place in mine.items() if key in theirs}


def _by_name(name: str, items: list[Any], places: list[int]) -> dict[bytes, int]:
    """Name -> the one place where it stands."""
    found: dict[bytes, int] = {}
    several: set[bytes] = set()
    for place in places:
        item = items[place]
        if type(item) is not dict or not item.get(name):
            continue
        key = _text(item[name])
        if key in found:
            several.add(key)
        found[key] = place
    return {key: place for key, place in found.items() if key not in several}


def _is_successor(before: list[Any], after: list[Any], old: Any, new: Any) -> bool:
    """Whether the only thing that went is what the only new one was: it has no name, or nothing stands beside it."""
    if type(old) is not dict or type(new) is not dict:
        return len(before) == len(after) == 1
    return not any(old.get(name) and new.get(name) for name in NAMES)


def _reversed_list(delta: Delta) -> Delta:
    spec = delta[1]
    order = spec.get("order") or []
    after = {old: new for new, old in enumerate(order)}
    turned = {
        "-": spec.get("+"),
        "+": spec.get("-"),
        "~": sorted(
            ([after.get(place, place), name, reversed_(inner)] for place, name, inner in spec.get("~", ())),
            key=lambda each: each[0],
        ),
        "order": [after[place] for place in range(len(order))],
    }
    return ["[", {name: value for name, value in turned.items() if value}]


def _applied_list(delta: Delta, value: Any) -> list[Any]:
    spec = delta[1]
    gone = {place for place, _ in spec.get("-", ())}
    kept = [item for place, item in enumerate(value) if place not in gone]
    for place, _, inner in spec.get("~", ()):
        kept[place] = applied(inner, kept[place])
    if order := spec.get("order"):
        kept = [kept[place] for place in order]
    return _inserted(kept, spec.get("+", ()))


def _inserted(kept: Sequence[Any], new: Iterable[Sequence[Any]]) -> list[Any]:
    waiting, made = iter(kept), list[Any]()
    for place, item in new:
        while len(made) < place:
            made.append(next(waiting))
        made.append(item)
    return [*made, *waiting]


def _applied_object(delta: Delta, value: Any) -> dict[str, Any]:
    made = dict(value)
    for key, inner in delta[1].items():
        found = _APPLIED[inner[0]](inner, made.get(key))
        if found is _ABSENT:
            del made[key]
        else:
            made[key] = found
    return made


_REVERSED: dict[str, Callable[[Delta], Delta]] = {
    "+": lambda delta: ["-", delta[1]],
    "-": lambda delta: ["+", delta[1]],
    "=": lambda delta: ["=", delta[2], delta[1]],
    "{": lambda delta: ["{", {key: reversed_(inner) for key, inner in delta[1].items()}],
    "[": _reversed_list,
}
_APPLIED: dict[str, Callable[[Delta, Any], Any]] = {
    "+": lambda delta, _: delta[1],
    "-": lambda delta, _: _ABSENT,
    "=": lambda delta, _: delta[2],
    "{": _applied_object,
    "[": _applied_list,
}
