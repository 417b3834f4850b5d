"""A catalogue around its datasets: what it says of itself, its sources, its records and tombstones, its pages (Hydra).

Every source is a catalogue in ours and lists its datasets; every record of ours tells when the dataset was seen and
leads to the source's own record.  What a source does not say of itself is derived and marked, as for datasets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from harvester.fields.languages import preferred
from harvester.model import Catalogue
from harvester.rdf.concepts import CONCEPT, Told, resource
from harvester.rdf.derived import Context, Facts, facts_of
from harvester.rdf.entries import CatalogueInfo, Entry, Paging, RecordInfo, Tombstone
from harvester.rdf.namespaces import expand
from harvester.rdf.nodes import XSD, named
from harvester.rdf.profile import LAST_SEEN
from harvester.rdf.syntax import Syntax
from harvester.rdf.writing import Block

_RECORD, _IS_DATASET = expand("dcat:CatalogRecord"), expand("dcat:Dataset")
_STANDARD, _TOPIC, _SOURCE = expand("dct:Standard"), expand("foaf:primaryTopic"), expand("dct:source")
_LABEL, _DERIVED_FROM = expand("rdfs:label"), expand("prov:wasDerivedFrom")
_DATASET, _HAS_RECORD = expand("dcat:dataset"), expand("dcat:record")
# https://semiceu.github.io/ADMS/releases/2.00/, section "Change type".
_CHANGE = "http://purl.org/adms/changetype/"


class _Standing(NamedTuple):
    """What all records of ours in one state say alike."""

    told: tuple[Told, Told]
    types: list[bytes]
    facts: list[bytes]


@cache
def _under(syntax: Syntax, predicate: str) -> tuple[bytes, bytes]:
    return syntax.around("", predicate if "//" in predicate else expand(predicate))


@cache
def _standing(syntax: Syntax, change: str, profile: str) -> _Standing:
    status = syntax.ref(_CHANGE + change).join(_under(syntax, "adms:status"))
    conforms = syntax.ref(profile).join(_under(syntax, "dct:conformsTo"))
    told = resource(syntax, _CHANGE + change, CONCEPT), resource(syntax, profile, _STANDARD)
    return _Standing(told, syntax.types((_RECORD,)), [status, conforms])


class Publication:
    """Writes the nodes of one catalogue into a block."""

    def __init__(self, block: Block, catalogue: CatalogueInfo) -> None:
        self._block, self._pen, self._syntax = block, block.pen, block.pen.syntax
        self._catalogue = catalogue
        self._node = catalogue.iri
        # catalogue -> property -> what it lists.
        self._lists: dict[str, dict[str, list[str]]] = {}

    def catalogue(self, paging: Paging | None = None) -> None:
        """Our own catalogue, and where this page of it stands."""
        extra: list[bytes] = []
        if paging is not None:
            extra = [self._fact("hydra:view", self._syntax.ref(paging.iri))]
            if paging.total is not None:
                total = self._syntax.typed(str(paging.total), XSD + "integer")
                extra.insert(0, self._fact("hydra:totalItems", total))
            self._view(paging)
        self._described(self._catalogue, Context(self._node), extra)

    def source(self, source: CatalogueInfo) -> None:
        """A catalogue that ours was made from, as a part of ours."""
        node = named(source.iri)
        if node is None or node == self._node:
            return
        context = Context(node, preferred(source.about.title) or node)
        self._described(source, context)
        for predicate in ("dcat:catalog", "dct:hasPart"):
            self._list(self._node, expand(predicate), node)

    def entry(self, entry: Entry) -> None:
        """A dataset and its records, listed by our catalogue and by its sources."""
        given = facts_of(entry.dataset)
        identifiers = _identifiers(entry, given)
        if identifiers:
            given = {**given, "other_identifier": identifiers}
        subject = self._block.dataset(given, entry.iri)
        self._list(self._node, _DATASET, subject)
        upstream = given.get("record")
        stated = [info.upstream for info in entry.records if info.upstream]
        for info in entry.records:
            own = info.upstream
            if own is None and upstream and not stated:
                own, upstream = upstream, None
            self._record(subject, info, own)
        if upstream and not entry.records:
            self._block.record(subject, upstream)

    def tombstone(self, stone: Tombstone) -> None:
        """A dataset that is no more: its last record, and a stand-in for it, which the catalogue does not list."""
        node, topic = named(stone.record), named(stone.iri)
        if node is None or topic is None or not self._pen.profile.elsewhere:
            return
        self._registered(node, topic, stone.first_seen, stone.ended, "deleted")
        self._block.mention(topic, _IS_DATASET, {})
        if stone.merged_into and (other := named(stone.merged_into)):
            replaced = self._fact("dct:isReplacedBy", self._syntax.ref(other))
            self._block.add(self._syntax.node(topic, [replaced]))
        self._list(self._node, _HAS_RECORD, node)

    def finish(self) -> None:
        """Write what the catalogues list."""
        for node, lists in self._lists.items():
            facts: list[bytes] = []
            for predicate, members in lists.items():
                facts += self._pen.facts("", predicate, [self._syntax.ref(member) for member in members])
            self._block.add(self._syntax.node(node, facts))
        self._lists.clear()

    def _fact(self, curie: str, value: bytes) -> bytes:
        before, behind = _under(self._syntax, curie)
        return before + value + behind

    def _date(self, curie: str, value: str) -> bytes:
        return self._fact(curie, self._syntax.date(value))

    def _list(self, catalogue: str, predicate: str, member: str) -> None:
        members = self._lists.setdefault(catalogue, {}).setdefault(predicate, [])
        if not members or members[-1] != member:
            members.append(member)

    def _described(self, info: CatalogueInfo, context: Context, extra: Iterable[bytes] = ()) -> None:
        node = named(info.iri) or info.iri
        upstream = named(info.upstream) if info.upstream else None
        if upstream is not None and upstream != node:
            extra = [*extra, self._fact(_DERIVED_FROM, self._syntax.ref(upstream))]
        self._block.enter(f"Catalogue {node}")
        self._block.context = context
        self._block.written(node)
        self._block.describe(node, self._pen.compiled(Catalogue), facts_of(info.about), [*extra])

    def _view(self, paging: Paging) -> None:
        syntax = self._syntax
        facts = syntax.types((expand("hydra:PartialCollectionView"),))
        facts.append(self._fact("hydra:itemsPerPage", syntax.typed(str(paging.page_size), XSD + "integer")))
        for name in ("first", "previous", "next", "last"):
            if address := getattr(paging, name):
                facts.append(self._fact(f"hydra:{name}", syntax.ref(address)))
        self._block.add(syntax.node(paging.iri, facts))
        self._block.add(syntax.node(self._node, syntax.types((expand("hydra:Collection"),))))

    def _record(self, subject: str, info: RecordInfo, upstream: Any) -> None:
        node, source = named(info.iri), named(info.source.iri)
        if node is None:
            return
        change = "created" if info.first_seen == info.last_changed else "updated"
        extra = [self._fact("dct:identifier", self._syntax.text(info.guid))]
        if info.last_seen:
            extra.append(self._date(LAST_SEEN, info.last_seen))
        if upstream:
            other = self._block.record(subject, upstream, info.iri, info.first_seen)
            extra.append(self._fact(_SOURCE, self._syntax.ref(other)))
        self._registered(node, subject, info.first_seen, info.last_changed, change, extra)
        self._list(self._node, _HAS_RECORD, node)
        if source is not None and source != self._node:
            self._list(source, _DATASET, subject)
            self._list(source, _HAS_RECORD, node)

    def _registered(
        self, node: str, topic: str, issued: str, modified: str, change: str, extra: Iterable[bytes] = ()
    ) -> None:
        syntax, standing = self._syntax, _standing(self._syntax, change, self._pen.profile.iri)
        for told in standing.told:
            self._block.tell(*told)
        facts = [
            *standing.types,
            self._fact(_TOPIC, syntax.ref(topic)),
            self._date("dct:issued", issued),
            self._date("dct:modified", modified),
            *standing.facts,
            *extra,
        ]
        self._block.add(syntax.node(node, facts))


def _identifiers(entry: Entry, given: Facts) -> list[Any]:
    """Every identifier the dataset ever had, as it says itself and as we know, each once."""
    stated = [*(given.get("other_identifier") or ())]
    seen = {facts_of(item).get("notation") for item in stated}
    for item in _known(entry, given):
        if item["notation"] not in seen:
            seen.add(item["notation"])
            stated.append(item)
    return stated


def _known(entry: Entry, given: Facts) -> Iterator[dict[str, Any]]:
    for item in entry.identifiers:
        yield item.__dict__
    for info in entry.records:
        yield {"notation": info.guid, "agency": preferred(info.source.about.title)}
    uri = given.get("uri")
    if uri and uri != entry.iri:
        yield {"notation": uri, "agency": _agency(uri)}


def _agency(uri: str) -> str | None:
    try:
        return urlsplit(uri).hostname
    except ValueError:
        return None
