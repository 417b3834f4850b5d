"""What a tree states: the rows of the profile it speaks of, its values in their order, the labels of its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from harvester.model import TERM_FIELDS, TYPE_VOCABULARIES, Part
from harvester.rdf.graph import CATALOGUES
from harvester.rdf.namespaces import PREFIXES, expand
from harvester.rdf.profile import ORDER, ORDERED, POSITION, SHAPES, Kind, Row, own
from harvester.rdf.trees import Tree, sort_key


def all_of(curies: str) -> tuple[str, ...]:
    """The IRIs of several `prefix:name`."""
    return tuple(expand(curie) for curie in curies.split())


LABELS = all_of(
    "rdfs:label skos:prefLabel dct:title foaf:name schema:name rdf:value skos:notation dct:identifier skos:altLabel"
    " dct:description dc:title vcard:organization-name dcat:startDate vcard:organisation-name vcard:fn rdfs:comment"
    " time:inXSDDate time:inXSDDateTime time:inXSDDateTimeStamp time:inDateTime schema:value skos:definition"
)
# Fields whose values may stand under several predicates at once.
_UNITED = frozenset((Kind.IRIS, Kind.PARTS, Kind.TERMS))
# These say the same once more, of nodes of their own: they are asked only where the others are silent.
_PARALLEL = (PREFIXES["schema"], PREFIXES["dc"])
_SERIES = expand("dcat:DatasetSeries")
_IN_SERIES = own("in_series")
_PREFERRED = ("fr", "en", "")


class Stated(NamedTuple):
    """A row that a tree says something of: the predicates it is said with, the best first, and whether in our own.

    `alone` is the one predicate it is said with, where nothing else has to be looked at.
    """

    row: Row
    vocabulary: str
    predicates: tuple[str, ...]
    own: bool
    alone: str


@lru_cache(maxsize=4096)
def stated(cls: type[Part], predicates: tuple[str, ...]) -> tuple[Stated, ...]:
    """What a tree with these predicates says of a class: a fifth of its rows, as a rule.

    Trees of one feed have few shapes, so that this is hardly ever worked out.
    """
    said, rows = set(predicates), SHAPES[cls].rows
    places = _places(cls)
    found = sorted({place for predicate in said for place in places.get(predicate, ())})
    return tuple(_stated(rows[place], said, TYPE_VOCABULARIES.get(cls, "")) for place in found)


def _stated(row: Row, said: set[str], vocabulary: str) -> Stated:
    own = row.predicate != row.own and row.own in said
    among = tuple(p for p in (row.predicate, *row.also) if p in said or (own and p == row.predicate))
    simple = len(among) == 1 and not own and row.own + "Text" not in said and (row.field, among[0]) not in _FITS
    return Stated(row, TERM_FIELDS.get(row.field) or vocabulary, among, own, among[0] if simple else "")


@cache
def _places(cls: type[Part]) -> dict[str, tuple[int, ...]]:
    """predicate -> the places, in the table, of the rows that are read from it."""
    places: dict[str, tuple[int, ...]] = {}
    for place, row in enumerate(SHAPES[cls].rows):
        for predicate in {row.predicate, *row.also, row.own, row.own + "Text"}:
            places[predicate] = (*places.get(predicate, ()), place)
    return places


class Asked:
    """One question: the values of a row in a tree."""

    __slots__ = ("depth", "row", "said", "tree", "vocabulary")

    def __init__(self, tree: Tree, said: Stated, depth: int) -> None:
        self.tree, self.said, self.depth = tree, said, depth
        self.row, self.vocabulary = said.row, said.vocabulary

    def candidates(self) -> list[list[Tree]]:
        """The values under each predicate of the row, the best predicate first; our own beside the best.

        The predicates of a field with many values are one, unless they repeat the others in other words.
        """
        row = self.row
        found = list(self._found())
        if len(found) > 1 and row.kind in _UNITED:
            found = _united(found)
        ordered = row.kind in ORDERED
        return [in_order(self.tree, row.field, values) if ordered else values for _, values in found]

    def _found(self) -> Iterator[tuple[str, list[Tree]]]:
        row, tree = self.row, self.tree
        for predicate in self.said.predicates:
            found = trees_in(all_under(tree, predicate))
            if predicate == row.predicate and self.said.own:
                found = [*found, *trees_in(all_under(tree, row.own))]
            elif found and (fits := _FITS.get((row.field, predicate))):
                found = [value for value in found if fits(value, tree)]
            if found:
                yield predicate, found

    def first(self, read: Callable[[list[Tree]], Any]) -> Any:
        """What `read` makes of the first predicate that gives anything."""
        for values in self.candidates():
            if found := read(values):
                return found
        return None


def _is_series(value: Any, tree: Tree) -> bool:
    return _SERIES in all_under(value, "@type")


def _is_no_collection(value: Any, tree: Tree) -> bool:
    if _is_series(value, tree) or not CATALOGUES.isdisjoint(map(str, all_under(value, "@type"))):
        return False
    # Profiles without series say that a dataset is part of one, and mark it.
    return all(value.get("@id") != series.get("@id") for series in trees_in(all_under(tree, _IN_SERIES)))


# What a predicate that several fields are read from says of one of them.
_FITS: dict[tuple[str, str], Callable[[Any, Tree], bool]] = {
    ("theme", expand("dct:subject")): lambda value, _: "@value" not in value,
    ("in_series", expand("dct:isPartOf")): _is_series,
    ("relation", expand("dct:isPartOf")): _is_no_collection,
}


def _united(found: list[tuple[str, list[Tree]]]) -> list[tuple[str, list[Tree]]]:
    """The values of all predicates as those of the first, and apart those that are only asked where it is silent."""
    together: list[Tree] = []
    parallel: list[tuple[str, list[Tree]]] = []
    for predicate, values in found:
        if predicate.startswith(_PARALLEL):
            parallel.append((predicate, values))
        else:
            together += _new(values, together)
    return [(found[0][0], together), *parallel] if together else parallel


def _new(values: list[Any], before: list[Any]) -> list[Any]:
    """The values whose nodes are not among those before."""
    known = {value["@id"] for value in trees_in(before) if isinstance(value.get("@id"), str)}
    return [value for value in trees_in(values) if value.get("@id") not in known and value not in before]


def in_order(tree: Tree, field: str, values: list[Tree]) -> list[Tree]:
    """The values in the order the writer noted; alphabetical, as trees are, without a note."""
    if len(values) < 2:
        return values
    known = sorted(values, key=_rank)
    for note in texts_of(tree, ORDER) if ORDER in tree else ():
        name, *places = note.split()
        if name == field and sorted(places) == sorted(map(str, range(len(known)))):
            return [known[int(place)] for place in places]
    return known


def values_alone(tree: Tree, said: Stated) -> list[Tree]:
    """The values of what is said with one predicate alone.  As they stand in a tree, they are in alphabetical order."""
    values = tree[said.alone]
    if type(values) is list and len(values) == 1 and type(values[0]) is dict:
        return values
    values = trees_in(all_under(tree, said.alone))
    if len(values) > 1 and said.row.kind in ORDERED and _has_places(tree, values):
        return in_order(tree, said.row.field, values)
    return values


def _has_places(tree: Tree, values: list[Tree]) -> bool:
    return ORDER in tree or any(POSITION in value for value in values)


def _rank(value: Tree) -> tuple[int, str, int, bytes]:
    kind, name, rest = sort_key(value)
    position = next((text for text in texts_of(value, POSITION) if text.isdigit()), "") if kind == 2 else ""
    return kind, name, int(position or 0), rest


def all_under(tree: Tree, key: str) -> list[Any]:
    """The values under a key; none for what is no list."""
    found = tree.get(key)
    return found if isinstance(found, list) else []


def trees_in(values: list[Any]) -> list[Tree]:
    """The values that are nodes or literals."""
    for value in values:
        if type(value) is not dict:
            return [value for value in values if isinstance(value, dict)]
    return values


def texts_of(tree: Tree, predicate: str) -> list[str]:
    """The texts under a predicate."""
    if predicate not in tree:
        return []
    return [value["@value"] for value in trees_in(all_under(tree, predicate)) if isinstance(value.get("@value"), str)]


def literals(value: Tree) -> list[Tree]:
    """The literal; for a node the labels under the first predicate that has any, down one node."""
    if "@value" in value:
        return [value]
    if len(value) == 1 and "@id" in value:
        return []
    for predicate in LABELS:
        if predicate in value:
            labels = [label for label in trees_in(all_under(value, predicate)) if "@value" in label]
            if labels:
                return labels
    return []


def label_of(value: Tree) -> Any:
    """One text for a value: French or English where there is a choice."""
    if "@value" in value:
        return value["@value"]
    found = literals(value)
    if len(found) < 2:
        return found[0]["@value"] if found else None
    labels = {str(label.get("@language", ""))[:2].lower(): label["@value"] for label in reversed(found)}
    return next((labels[tag] for tag in _PREFERRED if tag in labels), next(iter(labels.values()), None))


def untyped(literal: Tree) -> Any:
    """A literal as text, with its language where it has one."""
    language = literal.get("@language")
    return {"@value": literal["@value"], "@language": language} if language else literal["@value"]
