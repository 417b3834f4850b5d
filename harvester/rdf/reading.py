"""From a tree (expanded JSON-LD) to the raw values `Dataset.of` cleans, along the rows of the profile.

Literals where nodes belong, nodes where literals belong and older predicates are read all the same; nothing is cleaned
here but the names of nodes: a value the model cannot use is dropped, and reported, there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from harvester.fields import place
from harvester.fields.terms import term
from harvester.model import (
    Agent,
    CatalogRecord,
    Catalogue,
    DataService,
    Dataset,
    Location,
    Part,
    Resource,
)
from harvester.rdf.hints import address_of, as_decided, hints_of, is_known, own_texts
from harvester.rdf.literal import from_literal
from harvester.rdf.namespaces import expand
from harvester.rdf.profile import CALLED, CONCEPT, DERIVED, KIND, NAME, NAMELESS, REFERENCE, ROLES, SERVES, SHAPES, Kind
from harvester.rdf.registers import record_in, reversed_in
from harvester.rdf.stated import (
    LABELS,
    Asked,
    Stated,
    all_of,
    all_under,
    in_order,
    label_of,
    literals,
    stated,
    texts_of,
    trees_in,
    untyped,
    values_alone,
)
from harvester.rdf.trees import Tree

_SHAPED = all_of("gsp:asGeoJSON gsp:asWKT locn:geometry gsp:hasGeometry rdfs:label rdf:value")
_SERIES = expand("dcat:DatasetSeries")
_PLACE = expand("ch:place")
_MAILBOXES = all_of("foaf:mbox vcard:hasEmail schema:email vcard:email")
_DEEPEST = 12
_NAMED = frozenset(cls for cls in SHAPES if "uri" in cls.model_fields)
_DIGITS = re.compile(r"[0-9]{1,19}")
# What is made of the values under one predicate.
_Read = Callable[[list[Tree], Stated, int], Any]


def read(tree: Tree) -> dict[str, Any]:
    """The raw values of a dataset."""
    raw = _part(tree, Dataset, 0)
    series = _SERIES in all_under(tree, "@type") or "series" in texts_of(tree, KIND)
    raw["kind"] = "series" if series else "dataset"
    if roles := _roles(tree):
        raw["qualified_attribution"] = [*raw.get("qualified_attribution", ()), *roles]
    if record := record_in(tree):
        raw["record"] = _part(record, CatalogRecord, 1)
    services = reversed_in(tree, SERVES)
    if services:
        ordered = in_order(tree, "service", services)
        raw["service"] = [_service(service, tree.get("@id")) for service in ordered]
    return raw


def read_catalogue(tree: Tree) -> dict[str, Any]:
    """The raw values of a catalogue."""
    return _part(tree, Catalogue, 0)


def _roles(tree: Tree) -> list[dict[str, Any]]:
    """The agents that stand under a property named after their role."""
    if ROLES.keys().isdisjoint(tree):
        return []
    return [
        {"target": _described(value, Agent, 0), "role": role}
        for predicate, role in ROLES.items()
        if predicate in tree
        for value in trees_in(all_under(tree, predicate))
    ]


def _service(tree: Tree, dataset: Any) -> dict[str, Any]:
    """A service, without the dataset it was found by where the writer says that it only added it."""
    raw = _part(tree, DataService, 1)
    if "serves_dataset" in texts_of(tree, DERIVED):
        served = raw.get("serves_dataset", ())
        raw["serves_dataset"] = [iri for iri in (served if isinstance(served, list) else [served]) if iri != dataset]
    return raw


def _borne(tree: Tree) -> str | None:
    """The IRI of a node that could not bear it where it was written."""
    return next((node["@id"] for node in trees_in(all_under(tree, NAME)) if isinstance(node.get("@id"), str)), None)


def _part(tree: Tree, cls: type[Part], depth: int) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    if depth > _DEEPEST:
        return raw
    iri = (tree.get("@id") or (NAME in tree and _borne(tree))) if cls in _NAMED else None
    if iri and not str(iri).startswith(NAMELESS):
        raw["uri"] = iri
    derived = texts_of(tree, DERIVED) if DERIVED in tree else ()
    for name, said, read_values in _plan(cls, tuple(tree)):
        if name in derived and name != "serves_dataset":
            # What the writer added to is told apart from what it added.
            if own := [node["@id"] for node in trees_in(all_under(tree, said.row.own)) if "@id" in node]:
                raw[name] = own
            continue
        if read_values is not None:
            value = read_values(values_alone(tree, said), said, depth)
        else:
            value = _READERS[said.row.kind](Asked(tree, said, depth))
        if value or value == 0:
            raw[name] = value
    if CALLED in tree:
        _call(raw, tree, cls)
    return raw


def _call(raw: dict[str, Any], tree: Tree, cls: type[Part]) -> None:
    """Give resources the names that this very node calls them by, where their labels are those of others."""
    names = {_borne(node): _texts_in([node]) for node in trees_in(all_under(tree, CALLED))}
    fields = (raw.get(row.field) for row in SHAPES[cls].rows if row.part is Resource)
    for found in fields:
        for part in found if isinstance(found, list) else [found]:
            if isinstance(part, dict) and (iri := part.get("uri")) in names:
                part.pop("name", None)
                part |= {"name": names[iri]} if names[iri] else {}


@lru_cache(maxsize=4096)
def _plan(cls: type[Part], predicates: tuple[str, ...]) -> tuple[tuple[str, Stated, _Read | None], ...]:
    """What a tree with these predicates states of a class: the field, where it stands, how values alone are read."""
    found = stated(cls, predicates)
    return tuple((said.row.field, said, _VALUES.get(said.row.kind) if said.alone else None) for said in found)


def _lone(found: list[Any]) -> Any:
    """The values; a lone text by itself, which is cleaned much faster than a list."""
    return found[0] if len(found) == 1 and type(found[0]) is str else found


def _texts_in(values: list[Tree]) -> list[Any]:
    return [untyped(label) for value in values for label in literals(value)]


def _texts(values: list[Tree], *_: Any) -> Any:
    if len(values) == 1 and "@value" in (only := values[0]):
        text = untyped(only)
        return text if type(text) is str else [text]
    return _lone(_texts_in(values))


def _names(values: list[Tree], *_: Any) -> Any:
    """The shortest names first, two per language: under the IRI of its ministry, every department adds its own.

    The second one has the model report that there are others.
    """
    found = _texts_in(values)
    if len(found) < 2:
        return _lone(found)
    by_language: dict[str, list[Any]] = defaultdict(list)
    for text in sorted(found, key=_length):
        by_language[text["@language"] if isinstance(text, dict) else ""].append(text)
    return [text for texts in by_language.values() for text in texts[:2]]


def _length(text: Any) -> int:
    return len(str(text["@value"] if isinstance(text, dict) else text))


def _text(values: list[Tree], *_: Any) -> Any:
    return _lone(next(([found] for value in values if (found := label_of(value))), []))


def _lines(values: list[Tree], *_: Any) -> Any:
    return _lone([found for value in values if (found := label_of(value) or value.get("@id"))])


def _every_text(values: list[Tree], *_: Any) -> Any:
    """All the values of what should be one: the model keeps one, and reports the others."""
    found = _lines(values)
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _integer(values: list[Tree], *_: Any) -> Any:
    """A whole number as it is: by way of a float, large ones would be rounded."""
    found = _text(values)
    return int(found) if isinstance(found, str) and _DIGITS.fullmatch(found) else found


def _dates(values: list[Tree], *_: Any) -> Any:
    """Of several dates the latest: a feed that repeats `modified` adds the newest."""
    if len(values) == 1 and type(said := values[0].get("@value")) is str and said:
        return said
    return max((str(found) for value in values if (found := label_of(value))), default=None)


def _addresses(values: list[Tree], *_: Any) -> Any:
    if len(values) == 1 and type(name := values[0].get("@id")) is str and name:
        return name
    return _lone([found for value in values if (found := address_of(value))])


def _one_address(values: list[Tree], *_: Any) -> Any:
    return next((found for value in values if (found := address_of(value))), None)


def _phone(values: list[Tree], *_: Any) -> Any:
    found = _one_address(values)
    return unquote(found.removeprefix("tel:")) if isinstance(found, str) and found.startswith("tel:") else found


def _statement(values: list[Tree], *_: Any) -> list[Any]:
    """The labels of the statements; the IRI of one without a label."""
    return _texts_in(values) or [value["@id"] for value in values if "@id" in value][:1]


def _term_in(values: list[Tree], said: Stated, *_: Any) -> Any:
    if len(values) == 1 and CONCEPT not in values[0]:
        return _lone(hints_of(values[0], said.vocabulary))
    if paired := [node for node in values if CONCEPT in node and all_under(node, CONCEPT)]:
        return hints_of(paired[0], said.vocabulary)[0]
    return _lone([hint for node in values for hint in hints_of(node, said.vocabulary)])


def _term(asked: Asked) -> Any:
    own = own_texts(asked)
    nodes = asked.first(trees_in) or []
    if own:
        return as_decided(asked.vocabulary, [own[0], *(node["@id"] for node in nodes if "@id" in node)])
    return _term_in(nodes, asked.said)


def _terms_in(values: list[Tree], said: Stated, depth: int, texts: Sequence[str] = ()) -> list[Any]:
    """One list of hints per term; a text of ours takes the place of the concept it means."""
    own: list[Any] = [[text] for text in texts]
    own += [hints_of(node, said.vocabulary)[0] for node in values if CONCEPT in node and all_under(node, CONCEPT)]
    if own:
        meant = {found.uri for hints in own if (found := term(said.vocabulary, hints))}
        values = [node for node in values if not all_under(node, CONCEPT) and node.get("@id", "") not in meant]
    return own + [hints for node in values if (hints := hints_of(node, said.vocabulary))]


def _terms(asked: Asked) -> Any:
    return _terms_in(asked.first(trees_in) or [], asked.said, asked.depth, own_texts(asked))


def _parts(values: list[Tree], said: Stated, depth: int) -> list[Any]:
    cls = said.row.part
    assert cls is not None
    found = [part for value in values if (part := _described(value, cls, depth))]
    return _without_repeated_places(found) if cls is Location and len(found) > 1 else found


def _one_part(values: list[Tree], said: Stated, depth: int) -> Any:
    return next(iter(_parts(values, said, depth)), None)


def _described(value: Tree, cls: type[Part], depth: int) -> dict[str, Any]:
    if "@value" in value:
        return from_literal(untyped(value), cls)
    if REFERENCE in value:
        # What the writer added for the shapes' sake is no name: only the label is the source's.
        value = {key: value[key] for key in ("@id", LABELS[0]) if key in value}
    raw = _part(value, cls, depth + 1)
    if cls is Resource and "name" not in raw:
        boxes = (box for predicate in _MAILBOXES for box in trees_in(all_under(value, predicate)))
        if mail := next((found for box in boxes if isinstance(found := address_of(box), str)), None):
            raw["name"] = mail.removeprefix("mailto:")
    return _located(value, raw) if cls is Location else raw


def _located(value: Tree, raw: dict[str, Any]) -> dict[str, Any]:
    """A location: its IRI is the place it stands for, unless the writer named the place apart."""
    labelled = raw.get("place")
    if labelled is None and "@id" in value:
        known = is_known("place", value["@id"])
        raw["place"] = [value["@id"]] if known else hints_of(value, "place")
        raw.pop("name", None)
    return raw


def _without_repeated_places(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The writer repeats the concept of a place beside the location that has more to say."""
    apart = {_iri_of(part["place"]) for part in found if part.get("place") and part.keys() > {"place"}}
    return [part for part in found if part.keys() != {"place"} or _iri_of(part["place"]) not in apart]


def _iri_of(hints: Any) -> Any:
    found = term("place", hints)
    return found.uri or found.text if found else None


def _place(asked: Asked) -> Any:
    own = own_texts(asked)
    nodes = trees_in(all_under(asked.tree, _PLACE))
    if own:
        return [own[0], *(node["@id"] for node in nodes if "@id" in node)]
    return [hint for node in nodes for hint in hints_of(node, "place")] or None


def _shape(asked: Asked) -> Any:
    """The text of a geometry; a node keeps it in one of several properties."""

    def drawn(values: list[Tree]) -> list[Any]:
        return [text for value in trees_in(values) for text in _drawings(value)]

    found = [text for values in asked.candidates() for text in drawn(values)]
    if len(found) < 2:
        return next(iter(found), None)
    found.sort(key=lambda text: not str(text).lstrip().startswith("{"))
    understood = _UNDERSTOOD[asked.row.kind]
    return next((text for text in found if understood(text) is not None), found[0])


_UNDERSTOOD: dict[Kind, Callable[[Any], Any]] = {
    Kind.BBOX: place.bbox,
    Kind.CENTROID: place.centroid,
    Kind.GEOMETRY: place.geometry,
}


def _drawings(value: Tree) -> Iterator[Any]:
    if "@value" in value:
        yield value["@value"]
        return
    for predicate in _SHAPED:
        yield from (inner["@value"] for inner in trees_in(all_under(value, predicate)) if "@value" in inner)


# What is made of the values under one predicate ...
_VALUES: dict[Kind, _Read] = {
    Kind.TEXTS: _texts,
    Kind.NAMES: _names,
    Kind.WORDS: _texts,
    Kind.TEXT: _text,
    Kind.LINES: _lines,
    Kind.DATE: _dates,
    Kind.DURATION: _text,
    Kind.DECIMAL: _every_text,
    Kind.INTEGER: _integer,
    Kind.HEX: _text,
    Kind.IRI: _one_address,
    Kind.IRIS: _addresses,
    Kind.URLS: _addresses,
    Kind.MAIL: _one_address,
    Kind.PHONE: _phone,
    Kind.STATEMENT: _statement,
    Kind.TERM: _term_in,
    Kind.TERMS: _terms_in,
    Kind.PART: _one_part,
    Kind.PARTS: _parts,
}


def _first_of(read_values: _Read) -> Callable[[Asked], Any]:
    return lambda asked: asked.first(lambda values: read_values(values, asked.said, asked.depth))


# ... and of a row, which several may speak of.
_READERS: dict[Kind, Callable[[Asked], Any]] = {
    **{kind: _first_of(read_values) for kind, read_values in _VALUES.items()},
    Kind.TERM: _term,
    Kind.TERMS: _terms,
    Kind.BBOX: _shape,
    Kind.CENTROID: _shape,
    Kind.GEOMETRY: _shape,
    Kind.PLACE: _place,
}
