"""Whether the export of a dataset has what DCAT-AP 3.0.1 demands, by the table of rules that validation reads.

What the profile restricts in other ways (one value, a type, a code list) no export of ours can break: the writer puts
what does not fit under a property of our own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from harvester.model import DataService, Dataset, Part
from harvester.rdf.derived import RULES, Context, Facts, facts_of
from harvester.rdf.namespaces import expand
from harvester.rdf.nodes import named
from harvester.rdf.profile import SHAPES, Kind
from harvester.validate.rules import rules

_NODES = (Kind.IRIS, Kind.URLS)


@dataclass(frozen=True, slots=True)
class Compliance:
    """Whether all is there that must be, and what of it was filled in by us, as `distribution.access_url`."""

    conforms: bool
    filled: tuple[str, ...] = ()


def compliance(facts: Facts, context: Context) -> Compliance:
    """Of a dataset or its stored form."""
    conforms, filled = True, dict[str, None]()
    for path, part, cls in _parts(Dataset, facts, ""):
        demanded = _demanded(cls)
        missing = [name for name, kind in demanded if not _there(part.get(name), kind)]
        if not missing:
            continue
        completed = {**part, **RULES[cls](part, context)} if cls in RULES else part
        conforms = conforms and all(_there(completed.get(name), kind) for name, kind in demanded)
        filled |= dict.fromkeys(f"{path}{name}" for name in missing)
    return Compliance(conforms, tuple(filled))


@cache
def _demanded(cls: type[Part]) -> tuple[tuple[str, Kind], ...]:
    """The mandatory fields of a class."""
    paths = {expand(rule.path) for rule in rules("dcat-ap-3.0.1") if rule.least and expand(rule.target) in _types(cls)}
    return tuple((row.field, row.kind) for row in SHAPES[cls].rows if row.predicate in paths)


def _types(cls: type[Part]) -> tuple[str, ...]:
    return SHAPES[cls].types


@cache
def _inner(cls: type[Part]) -> tuple[tuple[str, type[Part]], ...]:
    """The fields of a class whose parts, or parts of theirs, have mandatory fields that the writer does not see to.

    A checksum or a relation that lacks one is not written as such (`harvester.rdf.values`).
    """
    rows = [(row.field, row.part) for row in SHAPES[cls].rows if row.part in RULES or row.part in _HOLDERS]
    services: list[tuple[str, type[Part] | None]] = [("service", DataService)] if cls is Dataset else []
    return tuple((name, part) for name, part in (*rows, *services) if part is not None)


_HOLDERS = tuple(
    cls for cls, shape in SHAPES.items() if cls not in RULES and any(row.part in RULES for row in shape.rows)
)


def _parts(cls: type[Part], facts: Facts, path: str) -> Iterator[tuple[str, Facts, type[Part]]]:
    """A part and all that it holds, each with where it stands."""
    if _demanded(cls):
        yield path, facts, cls
    for name, inner in _inner(cls):
        value = facts.get(name)
        for item in value if isinstance(value, list | tuple) else (value,) if value else ():
            yield from _parts(inner, facts_of(item), f"{path}{name}.")


def _there(value: object, kind: Kind) -> bool:
    if kind in _NODES and isinstance(value, list | tuple):
        return any(named(iri) for iri in value)
    return bool(value)
