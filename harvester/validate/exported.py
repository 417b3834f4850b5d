"""What we would export, page by page, as parts to check, with where each dataset comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from rdflib import Graph
from sqlalchemy import Connection, Engine

from harvester import export
from harvester.catalogue import queries, walking
from harvester.errors import UsageError
from harvester.rdf.entries import CatalogueInfo
from harvester.rdf.export import page
from harvester.rdf.nodes import named
from harvester.rdf.profiles import profile_named
from harvester.settings import Settings
from harvester.validate.feeds import Feed
from harvester.validate.parts import CATALOGUE, Part
from harvester.validate.running import Asked, parts_of

PAGE = 100
# Findings come a few batches behind the pages.
REMEMBERED = 5000


@dataclass(frozen=True, slots=True)
class Origin:
    """A dataset of ours: its key, and the source and guid of each of its records."""

    key: str
    records: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Exported:
    """The parts of an export; `datasets` counts those taken."""

    engine: Engine
    settings: Settings
    asked: Asked
    shapes: Graph
    source_id: int | None = None
    datasets: int = 0
    _origins: dict[str, Origin] = field(default_factory=dict)
    _catalogues: set[str] = field(default_factory=set)

    def origin(self, iri: str) -> Origin | None:
        """Where a dataset of the latest pages comes from; None for one that is only mentioned."""
        return self._origins.get(iri)

    @property
    def about(self) -> CatalogueInfo:
        """The catalogue the datasets are exported in."""
        return export.info(self.settings)

    def parts(self, after: str | None = None, limit: int | None = None) -> Iterator[Part]:
        """Every part, from behind the dataset with the key `after`.  Raises `UsageError` for a key that is none."""
        position = 0 if after is None else self._position(after)
        left = limit
        while left is None or left > 0:
            most = PAGE if left is None else min(PAGE, left)
            with self.engine.connect() as connection:
                ids = walking.ids(connection, walking.Stretch(self.source_id), after=position, limit=most)
                held, body = self._page(connection, ids)
            if not ids:
                return
            position = ids[-1]
            left = None if left is None else left - len(ids)
            yield from self._cut(body, held)

    def _position(self, key: str) -> int:
        with self.engine.connect() as connection:
            view = queries.dataset_by_key(connection, key)
        if view is None:
            raise UsageError(f"there is no dataset {key}", code="unknown-dataset")
        return view.id

    def _page(self, connection: Connection, ids: list[int]) -> tuple[set[str], bytes]:
        """The names of these datasets, and what is exported of them."""
        held = set()
        for view in queries.dataset_views(connection, ids):
            records = tuple((record.source, record.guid) for record in view.records if record.status == "active")
            iri = export.dataset_iri(self.settings, view)
            held.add(named(iri) or iri)
            self._origins[named(iri) or iri] = Origin(view.key, records)
        while len(self._origins) > REMEMBERED:
            del self._origins[next(iter(self._origins))]
        self.datasets += len(ids)
        return held, page(
            self.about,
            export.entries(connection, self.settings, ids),
            name="nt",
            profile=profile_named(self.asked.profile),
            known=lambda iris: export.known(connection, iris),
        )

    def _cut(self, body: bytes, held: set[str]) -> Iterator[Part]:
        feed = Feed()
        feed.parse(body, self.about.iri)
        for part in parts_of(feed, self.asked, self.shapes):
            part.listed = str(part.root) in held
            if part.kind != CATALOGUE or str(part.root) not in self._catalogues:
                yield part
            if part.kind == CATALOGUE:
                self._catalogues.add(str(part.root))
