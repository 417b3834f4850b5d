"""Parts of the catalogue that are read on their own: a source, a publisher, a space, high-value data, what changed.

Every part is walked along the immutable ascending id of its datasets: a reader sees each dataset that is in the part
throughout exactly once, whatever runs write meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlencode

from sqlalchemy import Connection, Engine

from harvester import export, spaces
from harvester.catalogue import walking
from harvester.catalogue.walking import Stretch
from harvester.rdf.entries import CatalogueInfo, Entry, Tombstone
from harvester.search import Index, Scope, refresh
from harvester.search.base import WAIT
from harvester.settings import Settings
from harvester.sources import named


@dataclass(frozen=True, slots=True)
class View:
    """A part of the catalogue; `parameters` name it in addresses, in a fixed order.

    One source is read in the database; whatever else narrows it is asked of the index.  `defined_at` is when what
    the part is was last changed, as that of a space can be.
    """

    info: CatalogueInfo
    parameters: tuple[tuple[str, str], ...] = ()
    source: str | None = None
    stretch: Stretch = field(default_factory=Stretch)
    scopes: tuple[Scope, ...] = ()
    defined_at: datetime | None = None

    @property
    def only(self) -> str | None:
        """The source whose own catalogue this is: the records of others are none of its business."""
        return None if self.scopes else self.source

    def since(self, moment: datetime | None) -> View:
        """The same part, only what changed at or after a moment, with what is not in it (any more)."""
        return replace(self, stretch=replace(self.stretch, since=moment))


def view(
    connection: Connection,
    settings: Settings,
    *,
    source: str | None = None,
    publisher: str | None = None,
    space: str | None = None,
    hvd: bool = False,
) -> View:
    """The part that is all of these at once.  Raises `UsageError` for a source or space there is not."""
    row = named(connection, source) if source is not None else None
    found = spaces.named(connection, space) if space is not None else None
    given = {"source": source, "publisher": publisher, "space": space, "hvd": "true" if hvd else None}
    parameters = tuple((name, value) for name, value in given.items() if value is not None)
    scopes = [found.scope] if found else []
    narrow = {name: [value] for name, value in parameters if name in ("publisher", "hvd")}
    if narrow:
        scopes.append(Scope(filters=narrow))
    if source is not None and scopes:
        scopes.append(Scope(filters={"source": [source]}))
    if row is not None and not scopes:
        info = export.source_info(settings, row)
    else:
        info = _named(settings, parameters, found, row.title if row else None)
    stretch = Stretch(row.id if row else None)
    return View(info, parameters, source, stretch, tuple(scopes), found.changed_at if found else None)


def _named(
    settings: Settings, parameters: Sequence[tuple[str, str]], space: spaces.Space | None, source_title: str | None
) -> CatalogueInfo:
    """The catalogue that a part is, under the address it has for ever."""
    if not parameters:
        return export.info(settings)
    told = {name: value for name, value in parameters if name != "space"}
    if source_title is not None:
        told["source"] = source_title
    if "hvd" in told:
        told["hvd"] = "high-value datasets"
    base = dict(space.title) if space else {settings.language: settings.title}
    title = {tag: " – ".join([text, *told.values()]) for tag, text in base.items()}
    path = f"/catalog?{urlencode(parameters)}"
    return export.info(settings, path=path, title=title, description=space.description if space else None)


class Reader:
    """Reads a view in pages; `connection` sees one state of the database, the index is brought up to date before."""

    def __init__(self, connection: Connection, index: Index, view: View) -> None:
        self._connection, self._index, self._view = connection, index, view

    def ids(self, after: int = 0, limit: int = 100) -> tuple[list[int], int | None]:
        """Ascending ids from `after` (exclusive), and the id to go on after; None at the end."""
        found = self._read(after=after, limit=limit + 1)
        return found[:limit], found[limit - 1] if len(found) > limit else None

    def between(self, first: int, last: int) -> list[int]:
        """Every id from `first` to `last`, both included; few enough to hold."""
        return self._read(after=first - 1, upto=last, limit=last - first + 1)

    def before(self, after: int, size: int) -> int | None:
        """What the page before the one that begins after this id begins after; None when there is none."""
        if after == 0:
            return None
        found = self._read(upto=after, limit=size + 1, last=True)
        return found[0] if len(found) > size else 0 if found else None

    def last(self, size: int) -> int:
        """What the last page begins after."""
        number = self._size() % size or size
        found = self._read(limit=number + 1, last=True)
        return found[0] if len(found) > number else 0

    def total(self) -> int | None:
        """How many datasets there are; None where to know it, every one that changed would have to be looked up."""
        if not self._view.scopes:
            return walking.living(self._connection, self._view.stretch)
        return self._index.size(self._view.scopes) if self._view.stretch.since is None else None

    def items(self, settings: Settings, ids: Sequence[int], *, sights: bool = True) -> list[Entry | Tombstone]:
        """What stands for these ids on a page."""
        source = self._view.only
        if self._view.stretch.since is None:
            return list(export.entries(self._connection, settings, ids, sights=sights, source=source))
        gone = self._outside(settings, ids) | export.tombstones(self._connection, settings, ids, source)
        there = [dataset_id for dataset_id in ids if dataset_id not in gone]
        return [*export.entries(self._connection, settings, there, sights=sights, source=source), *gone.values()]

    def _read(self, *, after: int = 0, upto: int | None = None, limit: int = 100, last: bool = False) -> list[int]:
        scopes, stretch = self._view.scopes, self._view.stretch
        if not scopes or stretch.since is not None:
            return walking.ids(self._connection, stretch, after=after, upto=upto, limit=limit, last=last)
        return self._index.ids(scopes, after=after, upto=upto, limit=limit, last=last)

    def _size(self) -> int:
        """How many ids there are, those of datasets that are gone included."""
        scopes, stretch = self._view.scopes, self._view.stretch
        if not scopes or stretch.since is not None:
            return walking.size(self._connection, stretch)
        return self._index.size(scopes)

    def _outside(self, settings: Settings, ids: Sequence[int]) -> dict[int, Tombstone]:
        """The marks of what changed and does not lie in the part: whether it did before, nobody knows any more."""
        scopes = self._view.scopes
        if not scopes:
            return {}
        inside = self._index.among(scopes, ids)
        return export.left(self._connection, settings, [dataset_id for dataset_id in ids if dataset_id not in inside])


def follow(engine: Engine, index: Index, view: View, wait: float = WAIT) -> None:
    """Bring the index up to date where a view needs it, so that it lists what the database holds.

    Raises `UsageError` (`index-busy`) when another process keeps the index longer than `wait` seconds.
    """
    if view.scopes:
        refresh(engine, index, wait=wait)
