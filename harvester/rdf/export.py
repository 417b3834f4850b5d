"""A catalogue of any size as RDF, in pieces that are one document when put together: head, blocks, foot.

A block is whole in itself: all nodes it points at are described in it.  The same entries give the same bytes, but for
an agent, contact or service that an earlier block of the document described otherwise under the same IRI: it is a node
without a name here.  A block copied from another document takes part in that comparison with its claims.

Only the datasets that are not in the block need the rest of the catalogue: `known` is asked for those that are
mentioned, and which parts bear the IRI of one.  Without it, the foot describes those that no block had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from harvester.rdf.catalogue import Publication
from harvester.rdf.claims import Claims, Shared
from harvester.rdf.entries import CatalogueInfo, Entry, Paging, Tombstone
from harvester.rdf.profiles import DEFAULT, Profile
from harvester.rdf.writing import Block, Known, pen_for

BLOCK = 200


class Document:
    """One document in one format and profile.  Raises `UsageError` for an unknown format."""

    def __init__(
        self, catalogue: CatalogueInfo, name: str, profile: Profile = DEFAULT, known: Known | None = None
    ) -> None:
        self._pen = pen_for(name, profile)
        self._catalogue, self._known = catalogue, known
        self._told: set[str] = set()
        self._met: dict[str, CatalogueInfo] = {}
        # Without `known`: hashes of what was written, for of a million datasets every IRI has to be remembered.
        self._written: set[int] = set()
        self._shared: Shared = {}
        # What the last block said of nodes that it shares with others.
        self.claims = b""
        self._mentioned: dict[str, tuple[str, Mapping[str, str]]] = {}

    def head(self, sources: Iterable[CatalogueInfo] = (), paging: Paging | None = None) -> bytes:
        """The prologue, our catalogue, the place of this page, and the catalogues ours was made from."""
        block, publication = self._begin()
        publication.catalogue(paging)
        for source in sources:
            self._told.add(source.iri)
            publication.source(source)
        publication.finish()
        block.finish()
        return self._pen.syntax.head + block.taken()

    def block(self, entries: Iterable[Entry | Tombstone]) -> bytes:
        """Datasets and tombstones.  The catalogues they came from are described in the head, or else in the foot."""
        held = [*entries]
        block = self._block(held)
        if self._known is not None and (named := block.named()) and (taken := self._known(named)):
            # Parts that bear the IRIs of datasets which stand elsewhere: they are told apart from those too.
            block = self._block(held, taken)
        block.claims.settle()
        self.claims = block.claims.packed()
        if self._known is None:
            self._remember(block)
        else:
            block.finish(self._known)
        return self._joined(block)

    def copied(self, claims: bytes) -> bool:
        """Whether a block with these claims fits in here as it is; the document goes on as if it were written."""
        found = Claims.unpacked(self._shared, claims)
        if found is None:
            return False
        found.settle()
        return True

    def _block(self, entries: Sequence[Entry | Tombstone], taken: Iterable[str] = ()) -> Block:
        block, publication = self._begin([*(entry.iri for entry in entries), *taken])
        for entry in entries:
            if isinstance(entry, Tombstone):
                publication.tombstone(entry)
            elif self._pen.profile.reason(entry.dataset) is None:
                publication.entry(entry)
                self._met |= {info.source.iri: info.source for info in entry.records}
        publication.finish()
        return block

    def foot(self) -> bytes:
        """What was pointed at and not described, and the epilogue."""
        block, publication = self._begin()
        for iri, source in self._met.items():
            if iri not in self._told:
                publication.source(source)
        publication.finish()
        for node, (range, name) in self._mentioned.items():
            if hash(node) not in self._written:
                block.mention(node, range, name)
        block.finish()
        return self._joined(block) + self._pen.syntax.foot

    def _begin(self, datasets: Iterable[str] = ()) -> tuple[Block, Publication]:
        block = Block(self._pen, (self._catalogue.iri, *datasets), self._shared)
        return block, Publication(block, self._catalogue)

    def _joined(self, block: Block) -> bytes:
        body = block.taken()
        return self._pen.syntax.joint + body if body else b""

    def _remember(self, block: Block) -> None:
        written, mentioned = block.unfinished()
        self._written.update(map(hash, written))
        for node, (range, name) in mentioned.items():
            self._mentioned.setdefault(node, (range, name))


def page(
    catalogue: CatalogueInfo,
    entries: Iterable[Entry | Tombstone],
    paging: Paging | None = None,
    name: str = "ttl",
    profile: Profile = DEFAULT,
    known: Known | None = None,
) -> bytes:
    """One page of a catalogue, as a document of its own."""
    document = Document(catalogue, name, profile, known)
    body = document.block(entries)
    return document.head((), paging) + body + document.foot()


def export(
    catalogue: CatalogueInfo,
    entries: Iterable[Entry | Tombstone],
    name: str,
    profile: Profile = DEFAULT,
    known: Known | None = None,
) -> Iterator[bytes]:
    """A whole catalogue, piece by piece.  Raises `UsageError` for an unknown format before the first."""
    document = Document(catalogue, name, profile, known)
    return _pieces(document, iter(entries))


def _pieces(document: Document, entries: Iterator[Entry | Tombstone]) -> Iterator[bytes]:
    yield document.head()
    while held := list(islice(entries, BLOCK)):
        yield document.block(held)
    yield document.foot()
