"""From a tree (expanded JSON-LD) to the raw values `Dataset.of` cleans, along the rows of the profile.

Literals where nodes belong, nodes where literals belong and older predicates are read all the same; nothing is cleaned
here but the names of nodes: a value the model cannot use is dropped, and reported, there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from harvester.fields import place
from harvester.fields.terms import term
from harvester.model import (
    TYPE_VOCABULARIES,
    Agent,
    ContactPoint,
    DataService,
    Dataset,
    Location,
    Part,
    PeriodOfTime,
    Resource,
)
from harvester.rdf.namespaces import expand
from harvester.rdf.profile import CONCEPT, DERIVED, REFERENCE, ROLES, SERVES, TEXT, Kind
from harvester.rdf.stated import (
    LABELS,
    Asked,
    all_of,
    all_under,
    in_order,
    label_of,
    literals,
    stated,
    texts_of,
    trees_in,
    untyped,
)
from harvester.rdf.trees import Tree
from harvester.vocabularies import VOCABULARIES

# Where a node without a name keeps the address it stands for.
_ADDRESSES = all_of(
    "foaf:homepage schema:url foaf:page vcard:hasValue vcard:hasURL dcat:accessURL rdfs:seeAlso foaf:Document"
    " dcat:endpointURL rdf:value rdfs:label dct:identifier dct:source"
)
_SHAPED = all_of("gsp:asGeoJSON gsp:asWKT locn:geometry gsp:hasGeometry rdfs:label rdf:value")
_SERIES = expand("dcat:DatasetSeries")
_PLACE = expand("ch:place")
_MAILBOXES = all_of("foaf:mbox vcard:hasEmail schema:email vcard:email")
_DEEPEST = 12
_DIGITS = re.compile(r"[0-9]{1,19}")


def read(tree: Tree) -> dict[str, Any]:
    """The raw values of a dataset."""
    raw = _part(tree, Dataset, 0)
    raw["kind"] = "series" if _SERIES in all_under(tree, "@type") else "dataset"
    if roles := _roles(tree):
        raw["qualified_attribution"] = [*raw.get("qualified_attribution", ()), *roles]
    services = _reversed(tree, SERVES)
    if services:
        ordered = in_order(tree, "service", services)
        raw["service"] = [_service(service, tree.get("@id")) for service in ordered]
    return raw


def _roles(tree: Tree) -> list[dict[str, Any]]:
    """The agents that stand under a property named after their role."""
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
        raw["serves_dataset"] = [iri for iri in raw.get("serves_dataset", ()) if iri != dataset]
    return raw


def _reversed(tree: Tree, predicate: str) -> list[Tree]:
    reverse = tree.get("@reverse")
    return all_under(reverse, predicate) if isinstance(reverse, dict) else []


def _part(tree: Tree, cls: type[Part], depth: int) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    if depth > _DEEPEST:
        return raw
    if "uri" in cls.model_fields and isinstance(tree.get("@id"), str):
        raw["uri"] = tree["@id"]
    vocabulary = TYPE_VOCABULARIES.get(cls, "")
    derived = texts_of(tree, DERIVED)
    for row in stated(cls, tree):
        if row.field in derived and row.field != "serves_dataset":
            continue
        value = _READERS[row.kind](Asked(tree, row, vocabulary, depth))
        if value not in (None, [], "", {}):
            raw[row.field] = value
    return raw


def _texts(asked: Asked) -> Any:
    return asked.first(lambda values: [untyped(label) for value in trees_in(values) for label in literals(value)])


def _names(asked: Asked) -> Any:
    """The shortest names first, two per language: under the IRI of its ministry, every department adds its own.

    The second one has the model report that there are others.
    """
    by_language: dict[str, list[Any]] = defaultdict(list)
    for text in sorted(_texts(asked) or (), key=_length):
        by_language[text["@language"] if isinstance(text, dict) else ""].append(text)
    return [text for texts in by_language.values() for text in texts[:2]]


def _length(text: Any) -> int:
    return len(str(text["@value"] if isinstance(text, dict) else text))


def _text(asked: Asked) -> Any:
    return asked.first(lambda values: [found for value in trees_in(values) if (found := label_of(value))][:1])


def _lines(asked: Asked) -> Any:
    return asked.first(
        lambda values: [found for value in trees_in(values) if (found := label_of(value) or value.get("@id"))]
    )


def _every_text(asked: Asked) -> Any:
    """All the values of what should be one: the model keeps one, and reports the others."""
    found = _lines(asked)
    return found[0] if found and len(found) == 1 else found


def _integer(asked: Asked) -> Any:
    """A whole number as it is: by way of a float, large ones would be rounded."""
    found = _text(asked)
    text = found[0] if found else None
    return int(text) if isinstance(text, str) and _DIGITS.fullmatch(text) else found


def _dates(asked: Asked) -> Any:
    """Of several dates the latest: a feed that repeats `modified` adds the newest."""
    found = asked.first(lambda values: [text for value in trees_in(values) if (text := label_of(value))])
    return max(map(str, found)) if found else None


def _address(value: Tree) -> Any:
    """The IRI of a node, the text of a literal, the address a node without a name stands for."""
    if name := value.get("@id") or value.get("@value"):
        return name
    inner = (found for predicate in _ADDRESSES for found in trees_in(all_under(value, predicate)))
    return next((address for found in inner if (address := found.get("@id") or found.get("@value"))), None)


def _addresses(asked: Asked) -> Any:
    return asked.first(lambda values: [found for value in trees_in(values) if (found := _address(value))])


def _one_address(asked: Asked) -> Any:
    return next(iter(_addresses(asked) or ()), None)


def _phone(asked: Asked) -> Any:
    found = _one_address(asked)
    return unquote(found.removeprefix("tel:")) if isinstance(found, str) and found.startswith("tel:") else found


def _statement(asked: Asked) -> Any:
    """The labels of the statements; the IRI of one without a label."""

    def said(values: list[Tree]) -> list[Any]:
        nodes = trees_in(values)
        labels = [untyped(label) for value in nodes for label in literals(value)]
        return labels or [value["@id"] for value in nodes if "@id" in value][:1]

    return asked.first(said)


def _known(vocabulary: str, iri: Any) -> bool:
    return isinstance(iri, str) and VOCABULARIES[vocabulary].concept(iri) is not None


def _hints(value: Tree, vocabulary: str) -> list[Any]:
    """What may tell the term: the IRI where the vocabulary has it, else the label, the IRI and what else is stated."""
    if all_under(value, CONCEPT):
        return [_paired(texts_of(value, TEXT), trees_in(all_under(value, CONCEPT)))]
    iri = value.get("@id")
    if iri is None or not _known(vocabulary, iri):
        others = [_address(value), *(label["@value"] for label in literals(value))]
        return [hint for hint in (label_of(value), iri, *others) if isinstance(hint, str)]
    return [iri]


def _paired(texts: list[str], nodes: list[Tree]) -> dict[str, Any]:
    """A term in its stored form: what was written, and the concept it was taken for."""
    return {
        "text": next(iter(texts), None),
        "uri": next((node["@id"] for node in nodes if isinstance(node.get("@id"), str)), None),
    }


def _decided(vocabulary: str, hints: list[str]) -> Any:
    """A text of ours and its concept as hints; in their stored form where the text alone would decide otherwise."""
    found = term(vocabulary, hints)
    stored = term(vocabulary, {"text": hints[0], "uri": hints[-1]})
    return hints if found == stored else {"text": hints[0], "uri": hints[-1]}


def _own_texts(asked: Asked) -> list[str]:
    return texts_of(asked.tree, asked.row.own + "Text")


def _term(asked: Asked) -> Any:
    own = _own_texts(asked)
    nodes = asked.first(trees_in) or []
    if own:
        return _decided(asked.vocabulary, [own[0], *(node["@id"] for node in nodes if "@id" in node)])
    paired_first = sorted(nodes, key=lambda node: not all_under(node, CONCEPT))
    if paired_first and all_under(paired_first[0], CONCEPT):
        return _hints(paired_first[0], asked.vocabulary)[0]
    return [hint for node in paired_first for hint in _hints(node, asked.vocabulary)]


def _terms(asked: Asked) -> Any:
    """One list of hints per term; a text of ours takes the place of the concept it means."""
    nodes = asked.first(trees_in) or []
    own: list[Any] = [[text] for text in _own_texts(asked)]
    own += [_hints(node, asked.vocabulary)[0] for node in nodes if all_under(node, CONCEPT)]
    meant = {found.uri for hints in own if (found := term(asked.vocabulary, hints))}
    plain = [node for node in nodes if not all_under(node, CONCEPT) and node.get("@id", "") not in meant]
    return own + [hints for node in plain if (hints := _hints(node, asked.vocabulary))]


def _parts(asked: Asked) -> Any:
    cls = asked.row.part
    assert cls is not None
    found = asked.first(
        lambda values: [part for value in trees_in(values) if (part := _described(value, cls, asked.depth))]
    )
    return _without_repeated_places(found or []) if cls is Location else found


def _one_part(asked: Asked) -> Any:
    return next(iter(_parts(asked) or ()), None)


def _described(value: Tree, cls: type[Part], depth: int) -> dict[str, Any]:
    if "@value" in value:
        return _from_literal(untyped(value), cls)
    if REFERENCE in value:
        # What the writer added for the shapes' sake is no name: only the label is the source's.
        value = {key: value[key] for key in ("@id", LABELS[0]) if key in value}
    raw = _part(value, cls, depth + 1)
    if cls is Resource and "name" not in raw:
        boxes = (box for predicate in _MAILBOXES for box in trees_in(all_under(value, predicate)))
        if mail := next((found for box in boxes if isinstance(found := _address(box), str)), None):
            raw["name"] = mail.removeprefix("mailto:")
    return _located(value, raw) if cls is Location else raw


def _from_literal(literal: Any, cls: type[Part]) -> dict[str, Any]:
    """A part of which the feed gives one text only."""
    text = literal["@value"] if isinstance(literal, dict) else literal
    if cls in (Agent, ContactPoint, Resource):
        web = isinstance(text, str) and text.startswith(("http://", "https://"))
        return {"uri": text} if web else {"email": text} if _is_mail(text) else {"name": [literal]}
    if cls is Location:
        return {"place": text} if not _is_shape(text) else {"bbox": text, "geometry": text}
    if cls is PeriodOfTime and isinstance(text, str):
        # schema.org writes ISO 8601 intervals.
        start, interval, end = text.partition("/")
        return {"start": start.strip("."), "end": end.strip(".") if interval else start}
    name = _TEXT_FIELDS.get(cls.__name__)
    return {name: text} if name else {}


_TEXT_FIELDS = {
    "Identifier": "notation",
    "Distribution": "access_url",
    "DataService": "endpoint_url",
    "Checksum": "value",
}


def _is_mail(text: Any) -> bool:
    return isinstance(text, str) and (text.lower().startswith("mailto:") or ("@" in text and " " not in text))


def _is_shape(text: Any) -> bool:
    return isinstance(text, str) and (text.lstrip().startswith("{") or "(" in text or text.count(",") == 3)


def _located(value: Tree, raw: dict[str, Any]) -> dict[str, Any]:
    """A location: its IRI is the place it stands for, unless the writer named the place apart."""
    labelled = raw.get("place")
    if labelled is None and "@id" in value:
        known = _known("place", value["@id"])
        raw["place"] = [value["@id"]] if known else _hints(value, "place")
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
    own = _own_texts(asked)
    nodes = trees_in(all_under(asked.tree, _PLACE))
    if own:
        return [own[0], *(node["@id"] for node in nodes if "@id" in node)]
    return [hint for node in nodes for hint in _hints(node, "place")] or None


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


_READERS: dict[Kind, Callable[[Asked], Any]] = {
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
    Kind.TERM: _term,
    Kind.TERMS: _terms,
    Kind.PART: _one_part,
    Kind.PARTS: _parts,
    Kind.BBOX: _shape,
    Kind.CENTROID: _shape,
    Kind.GEOMETRY: _shape,
    Kind.PLACE: _place,
}
