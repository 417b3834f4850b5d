"""From a tree (expanded JSON-LD) to the raw values `Dataset.of` cleans, along the rows of the profile.

Literals where nodes belong, nodes where literals belong and older predicates are read all the same; nothing is cleaned
here but the names of nodes: a value the model cannot use is dropped, and reported, there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from harvester.fields.terms import term
from harvester.model import (
    TERM_FIELDS,
    TYPE_VOCABULARIES,
    Agent,
    ContactPoint,
    DataService,
    Dataset,
    Location,
    Part,
    Resource,
)
from harvester.rdf.namespaces import expand
from harvester.rdf.profile import CONCEPT, DERIVED, ORDER, ORDERED, POSITION, REFERENCE, SERVES, SHAPES, TEXT, Kind, Row
from harvester.rdf.trees import Tree, sort_key
from harvester.vocabularies import VOCABULARIES


def _all_of(curies: str) -> tuple[str, ...]:
    return tuple(expand(curie) for curie in curies.split())


_LABELS = _all_of(
    "rdfs:label skos:prefLabel dct:title foaf:name schema:name rdf:value skos:notation dct:identifier skos:altLabel"
    " dct:description dc:title vcard:organization-name dcat:startDate vcard:organisation-name vcard:fn rdfs:comment"
    " time:inXSDDate time:inXSDDateTime time:inXSDDateTimeStamp time:inDateTime schema:value skos:definition"
)
# Where a node without a name keeps the address it stands for.
_ADDRESSES = _all_of(
    "foaf:homepage schema:url foaf:page vcard:hasValue vcard:hasURL dcat:accessURL rdfs:seeAlso foaf:Document"
    " dcat:endpointURL rdf:value rdfs:label dct:identifier dct:source"
)
_SHAPED = _all_of("gsp:asGeoJSON gsp:asWKT locn:geometry gsp:hasGeometry rdfs:label rdf:value")
_SERIES = expand("dcat:DatasetSeries")
_PLACE = expand("ch:place")
_PREFERRED = ("fr", "en", "")
_DEEPEST = 12


def read(tree: Tree) -> dict[str, Any]:
    """The raw values of a dataset."""
    raw = _part(tree, Dataset, 0)
    raw["kind"] = "series" if _SERIES in _all(tree, "@type") else "dataset"
    services = _reversed(tree, SERVES)
    if services:
        ordered = _in_order(tree, "service", services)
        raw["service"] = [_service(service, tree.get("@id")) for service in ordered]
    return raw


def _service(tree: Tree, dataset: Any) -> dict[str, Any]:
    """A service, without the dataset it was found by where the writer says that it only added it."""
    raw = _part(tree, DataService, 1)
    if "serves_dataset" in _texts_of(tree, DERIVED):
        raw["serves_dataset"] = [iri for iri in raw.get("serves_dataset", ()) if iri != dataset]
    return raw


def _reversed(tree: Tree, predicate: str) -> list[Tree]:
    reverse = tree.get("@reverse")
    return _all(reverse, predicate) if isinstance(reverse, dict) else []


def _part(tree: Tree, cls: type[Part], depth: int) -> dict[str, Any]:
    raw: dict[str, Any] = {}
    if depth > _DEEPEST:
        return raw
    if "uri" in cls.model_fields and isinstance(tree.get("@id"), str):
        raw["uri"] = tree["@id"]
    vocabulary = TYPE_VOCABULARIES.get(cls, "")
    derived = _texts_of(tree, DERIVED)
    for row in SHAPES[cls].rows:
        if row.field in derived and row.field != "serves_dataset":
            continue
        value = _READERS[row.kind](_Asked(tree, row, vocabulary, depth))
        if value not in (None, [], "", {}):
            raw[row.field] = value
    return raw


class _Asked:
    """One question: the values of a row in a tree."""

    __slots__ = ("depth", "row", "tree", "vocabulary")

    def __init__(self, tree: Tree, row: Row, vocabulary: str, depth: int) -> None:
        self.tree, self.row, self.depth = tree, row, depth
        self.vocabulary = TERM_FIELDS.get(row.field) or vocabulary

    def candidates(self) -> Iterator[list[Tree]]:
        """The values under each predicate of the row, the best predicate first; our own beside the best."""
        row = self.row
        for predicate in (row.predicate, *row.also):
            found = _all(self.tree, predicate)
            if predicate == row.predicate != row.own:
                found = [*found, *_all(self.tree, row.own)]
            if found:
                yield _in_order(self.tree, row.field, found) if row.kind in ORDERED else found

    def first(self, read: Callable[[list[Tree]], Any]) -> Any:
        """What `read` makes of the first predicate that gives anything."""
        return next((found for values in self.candidates() if (found := read(values))), None)


def _in_order(tree: Tree, field: str, values: list[Tree]) -> list[Tree]:
    """The values in the order the writer noted; alphabetical, as trees are, without a note."""
    if len(values) < 2:
        return values
    known = sorted(values, key=_rank)
    for note in _texts_of(tree, ORDER):
        name, *places = note.split()
        if name == field and sorted(places) == sorted(map(str, range(len(known)))):
            return [known[int(place)] for place in places]
    return known


def _rank(value: Tree) -> tuple[int, str, int, bytes]:
    kind, name, rest = sort_key(value)
    position = next((text for text in _texts_of(value, POSITION) if text.isdigit()), "") if kind == 2 else ""
    return kind, name, int(position or 0), rest


def _all(tree: Tree, key: str) -> list[Any]:
    found = tree.get(key)
    return found if isinstance(found, list) else []


def _nodes(values: list[Any]) -> list[Tree]:
    return [value for value in values if isinstance(value, dict)]


def _texts_of(tree: Tree, predicate: str) -> list[str]:
    return [value["@value"] for value in _nodes(_all(tree, predicate)) if isinstance(value.get("@value"), str)]


def _literals(value: Tree) -> list[Tree]:
    """The literal; for a node the labels under the first predicate that has any, down one node."""
    if "@value" in value:
        return [value]
    for predicate in _LABELS:
        labels = [label for label in _nodes(_all(value, predicate)) if "@value" in label]
        if labels:
            return labels
    return []


def _label(value: Tree) -> Any:
    """One text for a value: French or English where there is a choice."""
    labels = {str(label.get("@language", ""))[:2].lower(): label["@value"] for label in reversed(_literals(value))}
    return next((labels[tag] for tag in _PREFERRED if tag in labels), next(iter(labels.values()), None))


def _texts(asked: _Asked) -> Any:
    return asked.first(lambda values: [_untyped(label) for value in _nodes(values) for label in _literals(value)])


def _untyped(literal: Tree) -> Any:
    language = literal.get("@language")
    return {"@value": literal["@value"], "@language": language} if language else literal["@value"]


def _text(asked: _Asked) -> Any:
    return asked.first(lambda values: [found for value in _nodes(values) if (found := _label(value))][:1])


def _lines(asked: _Asked) -> Any:
    return asked.first(
        lambda values: [found for value in _nodes(values) if (found := _label(value) or value.get("@id"))]
    )


def _dates(asked: _Asked) -> Any:
    """Of several dates the latest: a feed that repeats `modified` adds the newest."""
    found = asked.first(lambda values: [text for value in _nodes(values) if (text := _label(value))])
    return max(map(str, found)) if found else None


def _address(value: Tree) -> Any:
    """The IRI of a node, the text of a literal, the address a node without a name stands for."""
    if name := value.get("@id") or value.get("@value"):
        return name
    inner = (found for predicate in _ADDRESSES for found in _nodes(_all(value, predicate)))
    return next((address for found in inner if (address := found.get("@id") or found.get("@value"))), None)


def _addresses(asked: _Asked) -> Any:
    return asked.first(lambda values: [found for value in _nodes(values) if (found := _address(value))])


def _one_address(asked: _Asked) -> Any:
    return next(iter(_addresses(asked) or ()), None)


def _phone(asked: _Asked) -> Any:
    found = _one_address(asked)
    return unquote(found.removeprefix("tel:")) if isinstance(found, str) and found.startswith("tel:") else found


def _statement(asked: _Asked) -> Any:
    """The labels of the statements; the IRI of one without a label."""

    def said(values: list[Tree]) -> list[Any]:
        nodes = _nodes(values)
        labels = [_untyped(label) for value in nodes for label in _literals(value)]
        return labels or [value["@id"] for value in nodes if "@id" in value][:1]

    return asked.first(said)


def _known(vocabulary: str, iri: Any) -> bool:
    return isinstance(iri, str) and VOCABULARIES[vocabulary].concept(iri) is not None


def _hints(value: Tree, vocabulary: str) -> list[Any]:
    """What may tell the term: the IRI where the vocabulary has it, else the label, the IRI and what else is stated."""
    if _all(value, CONCEPT):
        return [*_texts_of(value, TEXT), *(node.get("@id") for node in _nodes(_all(value, CONCEPT)))]
    iri = value.get("@id")
    if iri is None or not _known(vocabulary, iri):
        others = [_address(value), *(label["@value"] for label in _literals(value))]
        return [hint for hint in (_label(value), iri, *others) if isinstance(hint, str)]
    return [iri]


def _own_texts(asked: _Asked) -> list[str]:
    return _texts_of(asked.tree, asked.row.own + "Text")


def _term(asked: _Asked) -> Any:
    own = _own_texts(asked)
    nodes = asked.first(_nodes) or []
    if own:
        return [own[0], *(node["@id"] for node in nodes if "@id" in node)]
    paired_first = sorted(nodes, key=lambda node: not _all(node, CONCEPT))
    return [hint for node in paired_first for hint in _hints(node, asked.vocabulary)]


def _terms(asked: _Asked) -> Any:
    """One list of hints per term; a text of ours takes the place of the concept it means."""
    nodes = asked.first(_nodes) or []
    own: list[list[Any]] = [[text] for text in _own_texts(asked)]
    own += [_hints(node, asked.vocabulary) for node in nodes if _all(node, CONCEPT)]
    meant = {found.uri for hints in own if (found := term(asked.vocabulary, hints))}
    plain = [node for node in nodes if not _all(node, CONCEPT) and node.get("@id", "") not in meant]
    return own + [hints for node in plain if (hints := _hints(node, asked.vocabulary))]


def _parts(asked: _Asked) -> Any:
    cls = asked.row.part
    assert cls is not None
    found = asked.first(
        lambda values: [part for value in _nodes(values) if (part := _described(value, cls, asked.depth))]
    )
    return _without_repeated_places(found or []) if cls is Location else found


def _one_part(asked: _Asked) -> Any:
    return next(iter(_parts(asked) or ()), None)


def _described(value: Tree, cls: type[Part], depth: int) -> dict[str, Any]:
    if "@value" in value:
        return _from_literal(_untyped(value), cls)
    if REFERENCE in value:
        # What the writer added for the shapes' sake is no name: only the label is the source's.
        value = {key: value[key] for key in ("@id", _LABELS[0]) if key in value}
    raw = _part(value, cls, depth + 1)
    return _located(value, raw) if cls is Location else raw


def _from_literal(literal: Any, cls: type[Part]) -> dict[str, Any]:
    """A part of which the feed gives one text only."""
    text = literal["@value"] if isinstance(literal, dict) else literal
    if cls in (Agent, ContactPoint, Resource):
        web = isinstance(text, str) and text.startswith(("http://", "https://"))
        return {"uri": text} if web else {"email": text} if _is_mail(text) else {"name": [literal]}
    if cls is Location:
        return {"place": text} if not _is_shape(text) else {"bbox": text, "geometry": text}
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


def _place(asked: _Asked) -> Any:
    own = _own_texts(asked)
    nodes = _nodes(_all(asked.tree, _PLACE))
    if own:
        return [own[0], *(node["@id"] for node in nodes if "@id" in node)]
    return [hint for node in nodes for hint in _hints(node, "place")] or None


def _shape(asked: _Asked) -> Any:
    """The text of a geometry; a node keeps it in one of several properties."""

    def drawn(values: list[Tree]) -> list[Any]:
        return [text for value in _nodes(values) for text in _drawings(value)]

    found = asked.first(drawn) or []
    return next(
        (text for text in found if isinstance(text, str) and text.lstrip().startswith("{")), next(iter(found), None)
    )


def _drawings(value: Tree) -> Iterator[Any]:
    if "@value" in value:
        yield value["@value"]
        return
    for predicate in _SHAPED:
        yield from (inner["@value"] for inner in _nodes(_all(value, predicate)) if "@value" in inner)


_READERS: dict[Kind, Callable[[_Asked], Any]] = {
    Kind.TEXTS: _texts,
    Kind.WORDS: _texts,
    Kind.TEXT: _text,
    Kind.LINES: _lines,
    Kind.DATE: _dates,
    Kind.DURATION: _text,
    Kind.DECIMAL: _text,
    Kind.INTEGER: _text,
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
