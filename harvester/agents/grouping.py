"""Which faces are one agent's: pure, explained, and the same in whatever order the faces come.

First what is certain: a person's word, a registered number, the same page at the same portal, the same name there.
Then what is likely among the units so found: the same name, an acronym that is spelt out elsewhere, the same words at
the same domain.  Nothing likely joins units that differ in number, kind or country; where it would do so by a detour,
the weakest evidence gives way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from harvester.agents.faces import Face
from harvester.agents.names import shared

# A change of any rule in this package.
RULES = 1
# A number, domain or page that so many different names share is the portal's, not theirs.
MOST_NAMES = 12


class Edge(NamedTuple):
    """Two faces that are one agent's, by which rule, and why in words."""

    a: bytes
    b: bytes
    rule: str
    why: str


class Group(NamedTuple):
    """The faces of one agent, and what joins them."""

    faces: tuple[Face, ...]
    edges: tuple[Edge, ...]


class Key(NamedTuple):
    """Under which faces find each other: the kind of evidence, and what it says."""

    kind: str
    value: tuple[str, ...]


Pins = Mapping[bytes, str]
# A pin that begins so takes a face out of every rule.
ALONE = "-"


def keys(face: Face) -> frozenset[Key]:
    """Everything that another face of the same agent may share."""
    found = [Key("number", number) for number in face.numbers]
    found += [Key("page", (face.page,))] if face.page else []
    for name in face.names:
        if name.core and not name.vague:
            found.append(Key("name", (name.kind, *name.core)))
            found += [Key("domain", (domain, *name.core)) for domain in face.domains]
        if name.core:
            found.append(Key("local", (face.source, name.kind, *name.core)))
        if name.short:
            found.append(Key("acronym", (name.short,)))
    return frozenset([*found, *(Key("acronym", (short,)) for short in face.acronyms)])


def grouped(faces: Iterable[Face], pins: Pins | None = None) -> list[Group]:
    """The agents that these faces are; `pins` are what people decided: digest -> the agent it is of."""
    known = sorted({face.digest: face for face in faces}.values(), key=lambda face: face.digest)
    pinned = pins or {}
    certain = [*_by_hand(known, pinned), *_by_key(known, pinned)]
    units = [Unit(tuple(part), pinned) for part in _components(known, certain)]
    likely = _likely(units)
    groups = []
    for part in _components(known, [*certain, *likely]):
        digests = {face.digest for face in part}
        inside = [edge for edge in likely if edge.a in digests]
        groups += _sound(part, [edge for edge in certain if edge.a in digests], inside, pinned)
    return groups


@dataclass(frozen=True)
class Unit:
    """Faces that are certainly one agent's."""

    faces: tuple[Face, ...]
    pins: Pins

    @cached_property
    def countries(self) -> frozenset[str]:
        """Where it is."""
        return frozenset(filter(None, (face.country for face in self.faces)))

    @cached_property
    def numbers(self) -> dict[str, frozenset[str]]:
        """Scheme -> its numbers."""
        found: dict[str, set[str]] = {}
        for face in self.faces:
            for scheme, number in face.numbers:
                found.setdefault(scheme, set()).add(number)
        return {scheme: frozenset(values) for scheme, values in found.items()}

    @cached_property
    def kinds(self) -> frozenset[str]:
        """What it says it is."""
        return frozenset(name.kind for face in self.faces for name in face.names if name.kind)

    @cached_property
    def people(self) -> frozenset[str]:
        """The agents that people said it is."""
        return frozenset(self.pins[face.digest] for face in self.faces if face.digest in self.pins)

    @property
    def alone(self) -> bool:
        """Whether a person took it out of every rule."""
        return any(agent.startswith(ALONE) for agent in self.people)

    def differs(self, other: Unit) -> str:
        """Why it cannot be the same agent as another unit; "" where nothing speaks against it."""
        if self.people and other.people and self.people != other.people:
            return "a person told them apart"
        for scheme, values in self.numbers.items():
            others = other.numbers.get(scheme, values)
            if not values & others:
                return f"{scheme} {min(values)} and {min(others)}"
        if self.kinds and other.kinds and not self.kinds & other.kinds:
            return f"one is a {min(self.kinds)}, the other a {min(other.kinds)}"
        if self.countries and other.countries and not self.countries & other.countries:
            return f"one is in {min(self.countries)}, the other in {min(other.countries)}"
        return ""


def _by_hand(faces: Sequence[Face], pins: Pins) -> Iterator[Edge]:
    held: dict[str, list[Face]] = {}
    for face in faces:
        if face.digest in pins:
            held.setdefault(pins[face.digest], []).append(face)
    for many in held.values():
        yield from _chained(many, "by hand", "a person says so")


def _by_key(faces: Sequence[Face], pins: Pins) -> Iterator[Edge]:
    """Numbers, pages, and names within one source, unless they are no one's own or people decided otherwise."""
    for key, many in _held(faces, ("number", "page", "local")).items():
        cores = {name.core for face in many for name in face.names}
        if key.kind != "local" and len(cores) > MOST_NAMES:
            continue
        for part in _undisputed(many, key, pins):
            yield from _chained(part, key.kind, _WORDS[key.kind](key))


_WORDS: dict[str, Callable[[Key], str]] = {
    "number": lambda key: f"both have {key.value[0]} {key.value[1]}",
    "page": lambda key: f"both are {key.value[0]}",
    "local": lambda key: f"{key.value[0]} calls both {' '.join(key.value[2:])!r}",
}


def _undisputed(many: Sequence[Face], key: Key, pins: Pins) -> Iterator[list[Face]]:
    """The faces, apart where people told them apart, or where a name is all that those of different numbers share."""
    many = [face for face in many if not pins.get(face.digest, "").startswith(ALONE)]
    agents = {pins[face.digest] for face in many if face.digest in pins}
    if len(agents) > 1:
        yield [face for face in many if face.digest not in pins]
        return
    numbers: dict[str, set[str]] = {}
    for scheme, number in (found for face in many for found in face.numbers):
        numbers.setdefault(scheme, set()).add(number)
    if key.kind != "number" and any(len(values) > 1 for values in numbers.values()):
        apart = [face for face in many if not face.numbers]
        yield from (apart, *([face for face in many if face.numbers == same] for same in _distinct(many)))
        return
    yield list(many)


def _distinct(many: Sequence[Face]) -> list[frozenset[tuple[str, str]]]:
    return sorted({face.numbers for face in many if face.numbers}, key=sorted)


def _likely(units: Sequence[Unit]) -> list[Edge]:
    unit_of = {face.digest: number for number, unit in enumerate(units) for face in unit.faces}
    faces = [face for unit in units for face in unit.faces]
    edges: list[Edge] = []
    for key, many in sorted(_held(faces, ("name", "domain", "acronym")).items()):
        held = {unit_of[face.digest]: face for face in reversed(many)}
        taking = {number: units[number] for number in sorted(held) if not units[number].alone}
        if len({agent for unit in taking.values() for agent in unit.people}) > 1:
            # What people have placed differently is where they placed it; the others go by themselves.
            taking = {number: unit for number, unit in taking.items() if not unit.people}
        if len(taking) > 1:
            edges += _RULES[key.kind](key, many, taking, held)
    return edges


# Where settlers named their towns and counties after each other's: there is a Springfield in 34 states.
_NAMESAKES = frozenset({"au", "ca", "us"})
_LOCAL = frozenset({"town", "department", "district"})


def _same_name(key: Key, many: Sequence[Face], units: dict[int, Unit], holders: dict[int, Face]) -> Iterator[Edge]:
    """Each country by itself; a unit of no known country goes where there is only one."""
    kind, *core = key.value
    # Towns of one name are told apart by a number or a domain; without them nobody knows which one is meant.
    if kind in ("town", "") and shared(tuple(core)):
        return
    countries = sorted({country for unit in units.values() for country in unit.countries})
    for country in countries or [""]:
        lone = len(countries) < 2
        part = {n: u for n, u in units.items() if country in u.countries or (not u.countries and lone)}
        if kind in _LOCAL and country in _NAMESAKES:
            continue
        if not _disputed(list(part.values())):
            yield from _chained([holders[n] for n in part], "name", f"both are called {' '.join(core)!r}{_in(country)}")


def _same_domain(key: Key, many: Sequence[Face], units: dict[int, Unit], holders: dict[int, Face]) -> Iterator[Edge]:
    """The same words at the same domain: "Lyon" and "Ville de Lyon", both at mairie-lyon.fr."""
    domain, *core = key.value
    if not _disputed(list(units.values())):
        yield from _chained(list(holders.values()), "domain", f"both are {' '.join(core)!r} at {domain}")


def _acronym(key: Key, many: Sequence[Face], units: dict[int, Unit], holders: dict[int, Face]) -> Iterator[Edge]:
    """An acronym and the name that it is spelt out as, where all who spell it out agree."""
    short = key.value[0]
    countries = sorted({country for unit in units.values() for country in unit.countries}) or [""]
    for country in countries:
        lone = len(countries) < 2
        part = {n: u for n, u in units.items() if country in u.countries or (not u.countries and lone)}
        here = {face.digest for unit in part.values() for face in unit.faces}
        spelt = {name.core for f in many if f.digest in here for name in f.names if name.short == short}
        if len(spelt) == 1 and not _disputed(list(part.values())):
            words = " ".join(next(iter(spelt)))
            yield from _chained(
                [holders[n] for n in part], "acronym", f"{short} is spelt out as {words!r}{_in(country)}"
            )


_RULES = {"name": _same_name, "domain": _same_domain, "acronym": _acronym}
# The weakest first: what gives way when a detour would join what differs.
_WEAKEST = ("domain", "acronym", "name")


def _in(country: str) -> str:
    return f" in {country.upper()}" if country else ""


def _disputed(units: Sequence[Unit]) -> bool:
    """Whether any two of the units cannot be one agent; said of all of them together, so that it costs one look."""
    found: dict[str, frozenset[str]] = {}
    for unit in units:
        facts = {**unit.numbers, "#people": unit.people, "#kinds": unit.kinds, "#countries": unit.countries}
        for name, values in facts.items():
            if not values:
                continue
            common = found.get(name, values) & values
            if not common:
                return True
            found[name] = common
    return False


def _sound(part: list[Face], certain: list[Edge], likely: list[Edge], pins: Pins) -> list[Group]:
    """The part as one group, or as several where its units differ."""
    kept = list(likely)
    for rule in (None, *_WEAKEST):
        kept = [edge for edge in kept if edge.rule != rule]
        parts = _components(part, [*certain, *kept])
        if all(_agree(each, certain, pins) for each in parts):
            break
    groups = []
    for each in parts:
        digests = {face.digest for face in each}
        groups.append(Group(tuple(each), tuple(edge for edge in (*certain, *kept) if edge.a in digests)))
    return groups


def _agree(part: list[Face], certain: list[Edge], pins: Pins) -> bool:
    units = [Unit(tuple(each), pins) for each in _components(part, certain)]
    return len(units) < 2 or not _disputed(units)


def _held(faces: Iterable[Face], kinds: tuple[str, ...]) -> dict[Key, list[Face]]:
    found: dict[Key, list[Face]] = {}
    for face in faces:
        for key in keys(face):
            if key.kind in kinds:
                found.setdefault(key, []).append(face)
    return dict(sorted(found.items()))


def _chained(faces: Sequence[Face], rule: str, why: str) -> Iterator[Edge]:
    """Edges enough to hold the faces together."""
    ordered = sorted(faces, key=lambda face: face.digest)
    return (Edge(one.digest, other.digest, rule, why) for one, other in pairwise(ordered))


def _components(faces: Sequence[Face], edges: Iterable[Edge]) -> list[list[Face]]:
    parent = {face.digest: face.digest for face in faces}

    def root(digest: bytes) -> bytes:
        while parent[digest] != digest:
            parent[digest] = digest = parent[parent[digest]]
        return digest

    for edge in edges:
        if edge.a in parent and edge.b in parent:
            one, other = sorted((root(edge.a), root(edge.b)))
            parent[other] = one
    found: dict[bytes, list[Face]] = {}
    for face in faces:
        found.setdefault(root(face.digest), []).append(face)
    return [found[digest] for digest in sorted(found)]
