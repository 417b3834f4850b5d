"""A view of the catalogue as one stream of bytes, read page by page: memory stays flat."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from harvester import export as dcat
from harvester.catalogue import walking
from harvester.quality.dqv import measuring
from harvester.rdf.entries import Entry, Tombstone
from harvester.rdf.export import Document
from harvester.rdf.profiles import DEFAULT, Profile
from harvester.rdf.writing import Known
from harvester.search import Index
from harvester.settings import Settings
from harvester.views import Reader, View, follow

PAGE = 200


def stream(
    engine: Engine,
    index: Index,
    settings: Settings,
    view: View,
    name: str,
    profile: Profile = DEFAULT,
    quality: bool = False,
) -> Iterator[bytes]:
    """The view in one of the formats, piece by piece, along the ascending id; with measurements of `quality`."""
    follow(engine, index, view)
    document = Document(view.info, name, profile, knower(engine))
    with engine.connect() as connection:
        rows = walking.source_rows(connection, None if view.source is None else [view.source])
    yield document.head([dcat.source_info(settings, row) for row in rows.values()])
    for items in pages(engine, index, settings, view, quality):
        yield document.block(items)
    yield document.foot()


@contextmanager
def passing(engine: Engine) -> Iterator[Connection]:
    """A transaction for one piece of a long walk: what it read it does not read again, and nothing of it is kept."""
    with engine.connect() as connection:
        yield connection
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA shrink_memory")


def pages(
    engine: Engine, index: Index, settings: Settings, view: View, quality: bool = False
) -> Iterator[Iterable[Entry | Tombstone]]:
    """What is in a view; a transaction a page: an export of hours must not keep the database from forgetting."""
    after: int | None = 0
    while after is not None:
        with passing(engine) as connection:
            reader = Reader(connection, index, view)
            ids, after = reader.ids(after, PAGE)
            items = _items(connection, reader, settings, view, ids)
            if quality:
                items = map(measuring(connection, ids), items)
        yield items


def _items(
    connection: Connection, reader: Reader, settings: Settings, view: View, ids: Sequence[int]
) -> Iterable[Entry | Tombstone]:
    """What stands for these ids; where nothing is gone, each is built when it is its turn."""
    if view.stretch.since is None:
        return dcat.built(connection, settings, ids, source=view.only)
    return reader.items(settings, ids)


def knower(engine: Engine) -> Known:
    """Looks up the datasets that others mention, each time in a short transaction of its own."""

    def known(iris: Collection[str]) -> Mapping[str, Any]:
        with passing(engine) as connection:
            return dcat.known(connection, iris)

    return known
