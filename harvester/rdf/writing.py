"""Writes datasets as DCAT-AP that its shapes accept and `reading` gives back unchanged.

What the profile demands and the source does not say is filled in and marked `ch:derived`; what the profile forbids
(a format outside the EU table, say) stands under a property of our own.  A `Pen` knows one format and profile: for each
class a list of (field, how to write it), worked out once.  A `Block` is what is written with it, whole in itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any

from harvester.model import Agent, CatalogRecord, ContactPoint, DataService, Dataset, Distribution, Part, Resource
from harvester.rdf import hvd
from harvester.rdf.claims import Claims, Shared
from harvester.rdf.concepts import Told, spoken
from harvester.rdf.derived import RULES, Context, Facts, facts_of
from harvester.rdf.measures import MEASURES, measures_writer
from harvester.rdf.namespaces import expand
from harvester.rdf.naming import Call, Names, said
from harvester.rdf.nodes import XSD, named
from harvester.rdf.profile import CALLED, DERIVED, KIND, NAME, NAMELESS, ORDER, POSITION, REFERENCE, SERVES, Shape
from harvester.rdf.profiles import DEFAULT, Profile
from harvester.rdf.serialise import syntax_of
from harvester.rdf.syntax import Syntax
from harvester.rdf.values import EMITTERS, Emit, added_to, services_writer

_DATASET, _SERIES = expand("dcat:Dataset"), expand("dcat:DatasetSeries")
LABEL = expand("rdfs:label")
_RECORD, _TOPIC = expand("dcat:CatalogRecord"), expand("foaf:primaryTopic")
_MOST_PLANS = 4096
_CATALOG = expand("dcat:Catalog")
# What has a stand-in where it is only mentioned.
_STOOD_FOR = (_DATASET, _SERIES, _CATALOG)
# What many datasets share, and their sources may describe in different ways.
_SHARED = (Agent, ContactPoint, DataService)
# What the catalogue says of datasets that are only mentioned: IRI -> dataset or its stored form; a title will do.
Known = Callable[[Collection[str]], Mapping[str, Any]]


def write(dataset: Dataset, name: str = "nt", iri: str | None = None, profile: Profile = DEFAULT) -> bytes:
    """One dataset in one of the formats, named `iri` (else by its own, else not at all): a document of its own."""
    pen = pen_for(name, profile)
    block = Block(pen)
    subject = block.dataset(dataset, iri or dataset.uri)
    if dataset.record:
        block.record(subject, dataset.record)
    block.finish()
    return pen.syntax.head + block.taken() + pen.syntax.foot


@dataclass(slots=True)
class Compiled:
    """A class of the model as one pen writes it: the facts of its classes, and what to do with each field."""

    cls: type[Part]
    classes: tuple[str, ...]
    first: str
    types: list[bytes]
    fill: Callable[[Facts, Context], dict[str, Any]] | None
    rows: list[tuple[str, Emit]] = field(default_factory=list)
    plans: dict[tuple[str, ...], list[tuple[str, Emit]]] = field(default_factory=dict)

    def plan(self, names: tuple[str, ...]) -> list[tuple[str, Emit]]:
        """The rows for these fields: stored datasets have few of all there are, and mostly the same few."""
        found = self.plans.get(names)
        if found is None:
            if len(self.plans) > _MOST_PLANS:
                self.plans.clear()
            there = frozenset(names)
            found = self.plans[names] = [row for row in self.rows if row[0] in there]
        return found


class Pen:
    """A format and a profile, with all that is the same for every dataset."""

    def __init__(self, syntax: Syntax, profile: Profile) -> None:
        self.syntax: Syntax = syntax
        self.profile: Profile = profile
        self._compiled: dict[tuple[type[Part], str, bool], Compiled] = {}
        self.position = lru_cache(_MOST_PLANS)(self._position)

    def compiled(self, cls: type[Part], range: str = "", typed: bool = True) -> Compiled:
        """How to write a class; `range` is the class a resource is typed with, if it is `typed` at all."""
        found = self._compiled.get((cls, range, typed))
        return found or self._compile(cls, range, typed)

    def _compile(self, cls: type[Part], range: str, typed: bool) -> Compiled:
        shape: Shape = self.profile.shapes[cls]
        # Of a dataset that is only mentioned, the stand-in tells the classes.
        own = (range,) if range and not (cls is Resource and range in _STOOD_FOR) else ()
        types = (*shape.types, *own) if typed else ()
        compiled = Compiled(cls, types, next(iter(types), ""), self.syntax.types(types), self._filler(cls))
        # Entered before its rows are known: a class may contain itself.
        self._compiled[cls, range, typed] = compiled
        compiled.rows = [(row.field, EMITTERS[row.kind](self, row, compiled)) for row in shape.rows]
        if cls is Dataset:
            compiled.rows.append(("service", services_writer(self)))
        if cls in (Dataset, Distribution):
            compiled.rows.append((MEASURES, measures_writer(self)))
        return compiled

    def _filler(self, cls: type[Part]) -> Callable[[Facts, Context], dict[str, Any]] | None:
        """What fills in the fields of a class that the profile demands."""
        demanded, of_hvd = RULES.get(cls), hvd.RULES.get(cls) if self.profile.only_hvd else None
        if demanded is None or of_hvd is None:
            return demanded or of_hvd
        return lambda facts, context: demanded(facts, context) | of_hvd(facts, context)

    def around(self, cls: str, predicate: str) -> tuple[bytes, bytes]:
        """What stands before and behind an object."""
        return self.syntax.around(cls, predicate)

    def _position(self, first: str, place: int) -> bytes:
        """The place of a node of a class among its like."""
        return self.fact(first, POSITION, self.syntax.typed(str(place), XSD + "integer"))

    def fact(self, cls: str, predicate: str, value: bytes) -> bytes:
        """A predicate with its object."""
        before, behind = self.around(cls, predicate)
        return before + value + behind

    def facts(self, cls: str, predicate: str, values: Sequence[bytes]) -> list[bytes]:
        """A predicate with its objects, of which there may be none."""
        before, behind = self.around(cls, predicate)
        return self.syntax.several(before, values, behind) if values else []


def _iri_of(given: Facts) -> str | None:
    uri = given.get("uri")
    return named(uri) if uri else None


@cache
def pen_for(name: str, profile: Profile) -> Pen:
    """The pen of a format and a profile.  Raises `UsageError` for an unknown format."""
    return Pen(syntax_of(name), profile)


class Block:
    """Nodes written with one pen.

    A node that several mention alike is described once.  What is described otherwise under the same IRI, or under that
    of a dataset, is a node of its own without a name: one dataset's facts are never told of another's.  `shared` is
    what the rest of the document says of shared nodes.
    """

    def __init__(self, pen: Pen, reserved: Iterable[str] = (), shared: Shared | None = None) -> None:
        self.pen = pen
        self._reserved = {node for iri in reserved if (node := named(iri))}
        self.claims = Claims({} if shared is None else shared)
        self._names = Names(self.claims)
        self._meant: dict[str, bytes] = {}
        self.context = Context()
        self.said: set[tuple[str, ...]] = set()
        self.orders: list[str] = []
        self._out: list[bytes] = []
        self._written: set[str] = set()
        self._mentioned: dict[str, tuple[str, Mapping[str, str]]] = {}
        # What the labels of nodes without a name are made from: the node with a name that they belong to.
        self._root, self._mark, self._count = "", "", 0
        self._subject = self._owner = ""
        self._called: list[bytes] = []

    def taken(self) -> bytes:
        """All that was written since the last time."""
        nodes = [node for node in self._out if node]
        self._out.clear()
        return self.pen.syntax.joint.join(nodes)

    def add(self, node: bytes) -> None:
        self._out.append(node)

    def dataset(self, dataset: Dataset | Facts, iri: str | None) -> str:
        """One dataset with all its parts, and the services that serve it; its IRI or label is given back."""
        given = facts_of(dataset)
        subject = named(iri) if iri else None
        self.enter(f"Dataset {iri or given.get('identifier') or given.get('title')}")
        if subject is None:
            subject = self.label()
        else:
            self.written(subject)
        self.context = Context.of(given, iri)
        series = given.get("kind") == "series"
        extra: list[bytes] = []
        if series and not self.pen.profile.series:
            series, extra = False, [self.pen.fact("", KIND, self.pen.syntax.text("series"))]
        self._subject = subject
        self.describe(subject, self.pen.compiled(Dataset, _SERIES if series else ""), given, extra)
        return subject

    def record(self, subject: str, record: CatalogRecord | Facts, ours: str = "", seen: str = "") -> str:
        """What a source itself registered of a dataset; the date it must have is derived from when we saw it first.

        `ours` is our own record, which has a name of its own whatever the source calls its.
        """
        given = facts_of(record)
        uri = given.get("uri")
        iri = named(uri) if uri and uri != ours else None
        node = self._agreed(iri, CatalogRecord, said(given, subject, seen)) if iri else None
        if node is not None and not self.first(node, _RECORD):
            return node
        self.enter(f"CatalogRecord {node or ours or subject}")
        around = self.context
        self.context = Context(around.address, around.title, seen or around.modified, around.dataset)
        node = node or self.label()
        extra = [self.pen.fact(_RECORD, _TOPIC, self.pen.syntax.ref(subject))]
        if iri is not None and iri != node:
            extra.append(self.pen.fact(_RECORD, NAME, self.pen.syntax.ref(iri)))
        self.describe(node, self.pen.compiled(CatalogRecord), given, extra)
        return node

    def serve(self, node: str, service: Facts) -> None:
        """Say that a service serves the dataset that is being written."""
        pen, dataset = self.pen, self._subject
        facts = [pen.fact("", SERVES, pen.syntax.ref(dataset))]
        if dataset not in (service.get("serves_dataset") or ()):
            facts.append(pen.fact("", DERIVED, pen.syntax.text("serves_dataset")))
        self.add(pen.syntax.node(node, facts))

    def part(self, compiled: Compiled, item: Any) -> str:
        """A part of something, named by its IRI if it has one that means nothing else."""
        return self.part_named(self.name(compiled, facts_of(item)), compiled, item)

    def part_named(self, subject: str | None, compiled: Compiled, item: Any, extra: Sequence[bytes] = ()) -> str:
        """The same under the `name` it was given; `extra` facts are of nodes without one."""
        given = facts_of(item)
        iri = _iri_of(given)
        if subject is None:
            if iri is not None:
                extra = [*extra, self.pen.fact(compiled.first, NAME, self.pen.syntax.ref(iri))]
            subject = self.label()
            if compiled.cls is DataService and self.pen.profile.only_hvd:
                # The interface to high-value data must have an IRI.
                subject = NAMELESS + subject[2:]
            self.describe(subject, compiled, given, extra)
        elif compiled.cls is Resource:
            self._resource(subject, compiled, given)
        elif self.first(subject, compiled.cls.__name__ + compiled.first):
            outer = self._root, self._mark, self._count
            self.enter(f"{compiled.cls.__name__} {subject} {self._meant.get(subject, b'').hex()}")
            self.describe(subject, compiled, given)
            self._root, self._mark, self._count = outer
        return subject

    def _resource(self, subject: str, compiled: Compiled, given: Facts) -> None:
        name = given.get("name") or {}
        call = self._names.call(subject, name, self._owner)
        if call is Call.APART:
            self._called.append(self._call(subject, name))
        if self.first(subject, compiled.cls.__name__ + compiled.first) or call is Call.LABEL:
            self.describe(subject, compiled, given if call is Call.LABEL else {})
        for owner in self._names.silent(subject) if call is Call.LABEL else ():
            self.add(self.pen.syntax.node(owner, [self._call(subject, {})]))

    def _call(self, resource: str, name: Mapping[str, str]) -> bytes:
        """The fact that the node which is being written calls a resource so; an empty name is none."""
        pen, syntax, node = self.pen, self.pen.syntax, self.label()
        self.add(
            syntax.node(node, [pen.fact("", NAME, syntax.ref(resource)), *pen.facts("", LABEL, spoken(syntax, name))])
        )
        return pen.fact("", CALLED, syntax.ref(node))

    def name(self, compiled: Compiled, given: Facts) -> str | None:
        """The IRI under which a part is described here; None for one that has none, or has one that means another."""
        iri = _iri_of(given)
        if iri is None or compiled.cls is Resource:
            return iri
        filled = compiled.fill(given, self.context) if compiled.fill is not None else None
        return self._agreed(iri, compiled.cls, said(given, filled, compiled.first))

    def _agreed(self, iri: str, cls: type[Part], told: bytes) -> str | None:
        if iri == self._subject or iri in self._reserved or iri in self._written:
            return None
        digest = blake2b(told, digest_size=9, person=cls.__name__.encode()).digest()
        if cls in _SHARED and not self.claims.hold(iri, digest):
            return None
        return iri if self._meant.setdefault(iri, digest) == digest else None

    def describe(self, subject: str, compiled: Compiled, given: Facts, extra: Sequence[bytes] = ()) -> None:
        """A node with the fields of a part, and `extra` facts."""
        pen, orders, at = self.pen, self.orders, len(self._out)
        owner, called = self._owner, self._called
        self._owner, self._called, self.orders = subject, [], []
        self._out.append(b"")
        facts = [*compiled.types, *extra]
        if compiled.fill is not None and (filled := compiled.fill(given, self.context)):
            facts += pen.facts(compiled.first, DERIVED, [pen.syntax.text(name) for name in filled])
            facts += added_to(pen, compiled, given, filled)
            given = {**given, **filled}
        for name, emit in compiled.plan(tuple(given)):
            value = given[name]
            if value or value == 0:
                emit(self, facts, value)
        if self.orders:
            facts += pen.facts(compiled.first, ORDER, [pen.syntax.text(order) for order in self.orders])
        facts += self._called
        self._out[at] = pen.syntax.node(subject, facts) if facts else b""
        self._owner, self._called, self.orders = owner, called, orders

    def first(self, node: str, kind: str) -> bool:
        """Whether the node was not yet described as this kind of thing; it is from now on."""
        if (node, kind) in self.said:
            return False
        self.said.add((node, kind))
        return True

    def tell(self, node: str, range: str, text: bytes) -> None:
        """Add the description of a node as a member of a class, once."""
        if self.first(node, range):
            self._out.append(text)

    def tell_all(self, told: Sequence[Told]) -> None:
        """The same, of a concept and of what belongs to it: where it is described, so is that."""
        if told and (told[0][0], told[0][1]) not in self.said:
            for node, range, text in told:
                self.tell(node, range, text)

    def enter(self, root: str) -> None:
        """Labels are from now on made from this."""
        self._root, self._mark, self._count = root, "", 0

    def label(self) -> str:
        """The label of a node without a name: the same in every export, and no other node's."""
        if not self._mark:
            self._mark = blake2b(self._root.encode("utf-8", "replace"), digest_size=9).hexdigest()
        self._count += 1
        return f"_:b{self._mark}x{self._count}"

    def order(self, name: str, keys: Sequence[tuple[int, str, int]]) -> None:
        """Note the order of the values of a field where it is not the one `reading` finds them in.

        A key ranks a value as `reading` does: names, then literals, then nodes without a name by their places.
        """
        ranks = {key: rank for rank, key in enumerate(sorted(keys))}
        order = [ranks[key] for key in keys]
        if order != sorted(order):
            self.orders.append(f"{name} {' '.join(map(str, order))}")

    def mention(self, node: str, range: str, name: Mapping[str, str]) -> None:
        """A dataset that is perhaps described elsewhere; the first name it is mentioned by is kept."""
        if node not in self._written:
            before, named_before = self._mentioned.get(node, (range, {}))
            self._mentioned[node] = _SERIES if _SERIES in (before, range) else range, named_before or name

    def mention_part(self, item: Any, range: str) -> None:
        """The same, of a dataset that is mentioned by a part."""
        given = facts_of(item)
        if (uri := given.get("uri")) and (node := named(uri)):
            self.mention(node, range, given.get("name") or {})

    def written(self, node: str) -> None:
        """The node needs no stand-in."""
        self._written.add(node)
        self._mentioned.pop(node, None)

    def named(self) -> list[str]:
        """The IRIs under which parts are described."""
        return list(self._meant)

    def unfinished(self) -> tuple[set[str], dict[str, tuple[str, Mapping[str, str]]]]:
        """The datasets written, and those that were only mentioned, each with class and name: left to the caller."""
        return self._written, self._mentioned

    def finish(self, known: Known | None = None) -> None:
        """Give the datasets that were only mentioned what the shapes demand of any dataset."""
        found = known(list(self._mentioned)) if known and self._mentioned else {}
        for node, (range, name) in self._mentioned.items():
            self._stand_in(node, range, name, found.get(node))
        self._mentioned.clear()

    def _stand_in(self, node: str, range: str, name: Mapping[str, str], known: Any) -> None:
        pen, syntax = self.pen, self.pen.syntax
        given: dict[str, Any] = {"title": name or {"": node}, "description": name or {"": node}}
        if known is not None:
            shown = facts_of(known)
            given = {name: shown.get(name) or {} for name in given}
            given |= RULES[Dataset](given, Context.of(shown, node))
            range = _SERIES if shown.get("kind") == "series" and pen.profile.series else _DATASET
        of_catalogue = range == _CATALOG
        types = (range,) if of_catalogue else pen.compiled(Dataset, range if range == _SERIES else "").classes
        first = types[0]
        facts = syntax.types(types)
        facts.append(pen.fact(first, REFERENCE, syntax.typed("true", XSD + "boolean")))
        for field_name, texts in given.items():
            facts += pen.facts(first, expand(f"dct:{field_name}"), spoken(syntax, texts))
        if of_catalogue:
            self.enter(f"Catalogue {node}")
            publisher = self.part(pen.compiled(Agent), {"name": given["title"]})
            facts.append(pen.fact(first, expand("dct:publisher"), syntax.ref(publisher)))
        self._out.append(syntax.node(node, facts))
