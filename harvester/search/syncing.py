"""Keeps an index equal to the catalogue: new entries of the change log, or everything again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from harvester.catalogue import queries
from harvester.catalogue.queries import DatasetView
from harvester.links import standings
from harvester.search import gaps
from harvester.search.base import WAIT, Batch, Entry, Index, Position
from harvester.search.entries import entry
from harvester.search.tantivy_index import TantivyIndex
from harvester.settings import Settings

Progress = Callable[[int, int], None]

# Changes read at once, and changes between two commits: a commit costs as much as a thousand documents.
BATCH = 500
COMMIT_EVERY = 20_000
DIRECTORY = "index"


def open_index(settings: Settings) -> Index:
    """The index of the catalogue; it need not exist yet."""
    return TantivyIndex(settings.data / DIRECTORY, settings.language)


def refresh(engine: Engine, index: Index, progress: Progress | None = None, wait: float = WAIT) -> int:
    """Apply what changed since the last time; a missing or foreign index is built anew.  Answers datasets written.

    Raises `UsageError` (`index-busy`) when another process keeps the index longer than `wait` seconds.
    """
    position = index.position()
    with engine.connect() as connection:
        newest = queries.last_change(connection)
        # A log that is behind the index is another catalogue's, or one restored from a backup.
        if position is None or newest < position.seq:
            return rebuild(engine, index, progress, wait)
        settled = newest == position.seq and not gaps.late(connection, position)
        if settled and standings.last(connection) == position.links:
            return 0
    with index.writing(wait=wait) as batch:
        # Another process may have caught up while this one waited for the lock.
        return _follow(engine, batch, index.position() or position, index.language, progress or _silent)


def rebuild(engine: Engine, index: Index, progress: Progress | None = None, wait: float = WAIT) -> int:
    """Build a new index beside the old one, which answers until the new one takes its place; answers its size."""
    report = progress or _silent
    with engine.connect() as connection:
        # Read first: what changes meanwhile is applied once more by the next refresh.
        position = replace(gaps.start(connection, time.time()), links=standings.last(connection))
        total = queries.visible_count(connection)
    done = 0
    with index.writing(fresh=True, wait=wait) as batch:
        for views, links in _visible(engine):
            batch.put(_entries(views, links, index.language))
            done += len(views)
            report(done, max(done, total))
        batch.commit(position)
    return done


def _follow(engine: Engine, batch: Batch, position: Position, language: str, report: Progress) -> int:
    with engine.connect() as connection:
        late = gaps.late(connection, position)
    written = _apply(engine, batch, set(late.values()), language)
    position = gaps.settled(position, late, time.time())
    pending = 0
    for changed in _new(engine, position.seq):
        written += _apply(engine, batch, {dataset_id for _, dataset_id in changed}, language)
        position = gaps.advanced(position, [seq for seq, _ in changed], time.time())
        pending += len(changed)
        report(written, written)
        if pending >= COMMIT_EVERY:
            batch.commit(position)
            pending = 0
    more, position = _follow_links(engine, batch, position, language)
    batch.commit(position)
    return written + more


def _follow_links(engine: Engine, batch: Batch, position: Position, language: str) -> tuple[int, Position]:
    """Write anew the datasets whose links have changed their state, though nothing else of them has."""
    written = 0
    with engine.connect() as connection:
        # Numbers that went back are another catalogue's, or those of one restored from a backup.
        position = replace(position, links=0) if standings.last(connection) < position.links else position
    while True:
        with engine.connect() as connection:
            changed = standings.changed(connection, position.links, BATCH)
        if not changed:
            return written, position
        written += _apply(engine, batch, {dataset_id for _, dataset_id in changed}, language)
        position = replace(position, links=changed[-1][0])
        if written % COMMIT_EVERY < len(changed):
            batch.commit(position)


def _apply(engine: Engine, batch: Batch, ids: set[int], language: str) -> int:
    """Write what these datasets are now: visible ones whole, the others not at all."""
    with engine.connect() as connection:
        visible = queries.visible_ids(connection, sorted(ids))
        views = queries.dataset_views(connection, sorted(visible))
        links = standings.states(connection, sorted(visible))
    batch.put(_entries(views, links, language))
    batch.drop(ids - visible)
    return len(ids)


def _new(engine: Engine, after: int) -> Iterator[list[tuple[int, int]]]:
    while True:
        with engine.connect() as connection:
            changed = queries.changed_datasets(connection, after, BATCH)
        if not changed:
            return
        yield changed
        after = changed[-1][0]


def _visible(engine: Engine) -> Iterator[tuple[list[DatasetView], dict[int, str]]]:
    """Visible datasets, each page in a transaction of its own: a long one would keep SQLite's log from shrinking."""
    after = 0
    while True:
        with engine.connect() as connection:
            views = queries.visible_page(connection, after, BATCH)
            links = standings.states(connection, [view.id for view in views])
        if not views:
            return
        yield views, links
        after = views[-1].id


def _entries(views: Sequence[DatasetView], links: Mapping[int, str], language: str) -> Iterator[Entry]:
    return (entry(v, v.dataset, language, links.get(v.id, "")) for v in views if v.dataset is not None)


def _silent(done: int, total: int) -> None:
    """For callers that show no progress."""
