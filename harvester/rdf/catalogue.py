"""A catalogue as RDF: closed pages with Hydra paging in udata's form, and the parts of a whole export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyoxigraph as ox

from harvester.model import Agent, Identifier
from harvester.rdf.entries import CatalogueInfo, Entry, Paging, RecordInfo
from harvester.rdf.graph import TYPE
from harvester.rdf.namespaces import PREFIXES, expand
from harvester.rdf.nodes import dated, named, spoken, typed
from harvester.rdf.profile import PAGE
from harvester.rdf.writing import Writer

_PROFILE = PREFIXES["dcatap"]
_THEMES = "http://publications.europa.eu/resource/authority/data-theme"


@dataclass(slots=True)
class _Sources:
    """The source catalogues met, each described once."""

    seen: set[str] = field(default_factory=set)

    def first(self, iri: str) -> bool:
        new = iri not in self.seen
        self.seen.add(iri)
        return new


def page(catalogue: CatalogueInfo, entries: Iterable[Entry], paging: Paging | None = None) -> list[ox.Triple]:
    """One page: the catalogue, its datasets, and for each the records it was made from."""
    writer = Writer()
    _head(writer, catalogue)
    if paging is not None:
        _paging(writer, catalogue, paging)
    sources = _Sources()
    for entry in entries:
        _entry(writer, catalogue, entry, sources)
    writer.finish()
    return writer.out


def parts(catalogue: CatalogueInfo, entries: Iterable[Entry]) -> Iterator[list[ox.Triple]]:
    """The triples of a whole catalogue, dataset by dataset."""
    writer = Writer()
    sources = _Sources()
    _head(writer, catalogue)
    for entry in entries:
        _entry(writer, catalogue, entry, sources)
        yield writer.take()
    writer.finish()
    yield writer.take()


def _head(writer: Writer, catalogue: CatalogueInfo) -> None:
    node = ox.NamedNode(catalogue.iri)
    writer.add(node, TYPE, ox.NamedNode(expand("dcat:Catalog")))
    about = catalogue.about
    for predicate, texts in (("dct:title", about.title), ("dct:description", about.description or about.title)):
        for tag, text in texts.items():
            writer.add(node, expand(predicate), spoken(text, tag))
    writer.add(node, expand("dct:publisher"), writer.part(about.publisher or Agent()))
    writer.add(node, expand("dcat:themeTaxonomy"), writer.scheme(_THEMES))
    if about.homepage and (home := writer.typed_node(about.homepage, expand(PAGE))) is not None:
        writer.add(node, expand("foaf:homepage"), home)
    if about.modified:
        writer.add(node, expand("dct:modified"), dated(about.modified))


def _paging(writer: Writer, catalogue: CatalogueInfo, paging: Paging) -> None:
    node, view = ox.NamedNode(catalogue.iri), ox.NamedNode(paging.iri)
    writer.add(node, TYPE, ox.NamedNode(expand("hydra:Collection")))
    writer.add(node, expand("hydra:totalItems"), typed(str(paging.total), "integer"))
    writer.add(node, expand("hydra:view"), view)
    writer.add(view, TYPE, ox.NamedNode(expand("hydra:PartialCollectionView")))
    writer.add(view, expand("hydra:itemsPerPage"), typed(str(paging.page_size), "integer"))
    for name in ("first", "previous", "next", "last"):
        if address := getattr(paging, name):
            writer.add(view, expand(f"hydra:{name}"), ox.NamedNode(address))


def _entry(writer: Writer, catalogue: CatalogueInfo, entry: Entry, sources: _Sources) -> None:
    node = ox.NamedNode(catalogue.iri)
    subject = writer.dataset(entry.dataset, entry.iri)
    writer.add(node, expand("dcat:dataset"), subject)
    known = {item.notation for item in entry.dataset.other_identifier}
    for info in entry.records:
        if info.guid not in known:
            known.add(info.guid)
            writer.add(
                subject,
                expand("adms:identifier"),
                writer.part(Identifier(notation=info.guid, agency=next(iter(info.source.about.title.values()), None))),
            )
        _record(writer, node, subject, info)
        _source(writer, catalogue, subject, info, sources)


def _record(writer: Writer, catalogue: ox.NamedNode, subject: ox.NamedNode | ox.BlankNode, info: RecordInfo) -> None:
    record = ox.NamedNode(info.iri)
    writer.add(catalogue, expand("dcat:record"), record)
    writer.add(record, TYPE, ox.NamedNode(expand("dcat:CatalogRecord")))
    writer.add(record, expand("foaf:primaryTopic"), subject)
    writer.add(record, expand("dct:issued"), dated(info.first_seen))
    writer.add(record, expand("dct:modified"), dated(info.last_changed))
    writer.add(record, expand("dct:identifier"), ox.Literal(info.guid))
    profile = writer.typed_node(_PROFILE, expand("dct:Standard"))
    if profile is not None:
        writer.add(record, expand("dct:conformsTo"), profile)


def _source(
    writer: Writer,
    catalogue: CatalogueInfo,
    subject: ox.NamedNode | ox.BlankNode,
    info: RecordInfo,
    sources: _Sources,
) -> None:
    """The catalogue a record came from, and that the dataset is in it."""
    source = named(info.source.iri)
    if source is None:
        return
    writer.add(source, expand("dcat:dataset"), subject)
    if not sources.first(info.source.iri):
        return
    writer.add(ox.NamedNode(catalogue.iri), expand("dcat:catalog"), source)
    writer.add(source, TYPE, ox.NamedNode(expand("dcat:Catalog")))
    for predicate in ("dct:title", "dct:description"):
        for tag, text in info.source.about.title.items():
            writer.add(source, expand(predicate), spoken(text, tag))
    writer.add(source, expand("dct:publisher"), writer.part(catalogue.about.publisher or Agent()))
    writer.add(source, expand("dcat:themeTaxonomy"), writer.scheme(_THEMES))
