"""Parts of the catalogue that are read on their own: a source, a publisher, a space, high-value data, what changed.

Every part is walked along the immutable ascending id of its datasets: a reader sees each dataset that is in the part
throughout exactly once, whatever runs write meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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

# Ids read at once where only some of them are wanted; and how many of such reads one page may take.
STRIDE = 1_000
MOST_STRIDES = 50


@dataclass(frozen=True, slots=True)
class View:
    """A part of the catalogue; `parameters` name it in addresses, in a fixed order.

    One source is read in the database; whatever else narrows it is asked of the index.
    """

    info: CatalogueInfo
    parameters: tuple[tuple[str, str], ...] = ()
    source: str | None = None
    stretch: Stretch = field(default_factory=Stretch)
    scopes: tuple[Scope, ...] = ()

    @property
    def only(self) -> str | None:
        """The source whose own catalogue this is: the records of others are none of its business."""
        return None if self.scopes else self.source

    def since(self, moment: datetime | None) -> View:
        """The same part, only what changed at or after a moment, gone datasets included."""
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
    return View(info, parameters, source, Stretch(row.id if row else None), tuple(scopes))


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
        if self._view.scopes and self._view.stretch.since is not None:
            return self._sifted(after, limit)
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

    def last(self, total: int, size: int) -> int:
        """What the last page begins after."""
        number = total % size or size
        found = self._read(limit=number + 1, last=True)
        return found[0] if len(found) > number else 0

    def size(self) -> int:
        """How many there are."""
        if not self._view.scopes:
            return walking.size(self._connection, self._view.stretch)
        if self._view.stretch.since is None:
            return self._index.size(self._view.scopes)
        return sum(len(self._sift(part)) for part in self._changed())

    def items(self, settings: Settings, ids: Sequence[int], *, sights: bool = True) -> list[Entry | Tombstone]:
        """What stands for these ids on a page."""
        source = self._view.only
        if self._view.stretch.since is None:
            return list(export.entries(self._connection, settings, ids, sights=sights, source=source))
        gone = export.tombstones(self._connection, settings, ids, source)
        there = [dataset_id for dataset_id in ids if dataset_id not in gone]
        return [*export.entries(self._connection, settings, there, sights=sights, source=source), *gone.values()]

    def _read(self, *, after: int = 0, upto: int | None = None, limit: int = 100, last: bool = False) -> list[int]:
        scopes, stretch = self._view.scopes, self._view.stretch
        if not scopes or stretch.since is not None:
            return walking.ids(self._connection, stretch, after=after, upto=upto, limit=limit, last=last)
        return self._index.ids(scopes, after=after, upto=upto, limit=limit, last=last)

    def _sifted(self, after: int, limit: int) -> tuple[list[int], int | None]:
        """What changed is known to the database, what lies in the part to the index."""
        found: list[int] = []
        for _, part in zip(range(MOST_STRIDES), self._changed(after), strict=False):
            found += self._sift(part)
            after = part[-1]
            if len(found) > limit:
                return found[:limit], found[limit - 1]
        return found, after if walking.ids(self._connection, self._view.stretch, after=after, limit=1) else None

    def _changed(self, after: int = 0) -> Iterator[list[int]]:
        while part := walking.ids(self._connection, self._view.stretch, after=after, limit=STRIDE):
            yield part
            after = part[-1]

    def _sift(self, ids: Sequence[int]) -> list[int]:
        """Those in the part, and those that are gone: whether these were in it nobody knows any more."""
        gone = {row.id for row in walking.ended(self._connection, ids)}
        inside = self._index.among(self._view.scopes, ids)
        return [dataset_id for dataset_id in ids if dataset_id in gone or dataset_id in inside]


def follow(engine: Engine, index: Index, view: View, wait: float = WAIT) -> None:
    """Bring the index up to date where a view needs it, so that it lists what the database holds.

    Raises `UsageError` (`index-busy`) when another process keeps the index longer than `wait` seconds.
    """
    if view.scopes:
        refresh(engine, index, wait=wait)
