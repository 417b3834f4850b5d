"""What is told of the quality of a part of the catalogue: counts, fixes with the datasets behind them, the trend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from harvester.catalogue import queries, walking
from harvester.catalogue.following import standing
from harvester.catalogue.overview import DatasetView
from harvester.catalogue.store import chunks
from harvester.catalogue.tables import assessments, datasets, quality_days, records, sources
from harvester.connector import without_credentials
from harvester.errors import UsageError
from harvester.links import statuses
from harvester.quality.aggregating import Tally
from harvester.quality.assessing import EVERYTHING, FOLLOWER, patterns, tally, tally_of
from harvester.quality.indicators import BY_NAME, FILLED_IN, Indicator
from harvester.quality.mqa import Score, lacking, score
from harvester.search import Index
from harvester.views import Reader, View

PAGE = 500


@dataclass(frozen=True, slots=True)
class Lacking:
    """A dataset that lacks something: who lists it under which identifier and address, and what it meets."""

    id: int
    key: str
    title: str | None
    source: str
    guid: str
    url: str | None
    pattern: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a list of datasets that lack something stands."""

    pattern: int = 0
    id: int = 0

    def __str__(self) -> str:
        return f"{self.pattern}-{self.id}"

    @classmethod
    def of(cls, text: str) -> Cursor:
        """From its text; the empty one is the beginning.  Raises `UsageError`."""
        if not text:
            return cls()
        pattern, dash, number = text.rpartition("-")
        if not (dash and pattern.isdecimal() and number.isdecimal() and len(text) <= 40):
            raise UsageError(f"{text[:60]!r} is no place in a list", code="bad-parameter", field="after")
        return cls(min(int(pattern), (1 << 63) - 1), min(int(number), (1 << 63) - 1))


def indicator(name: str) -> Indicator:
    """An indicator that can be lacking.  Raises `UsageError`."""
    if name == FILLED_IN.name:
        return FILLED_IN
    if name not in BY_NAME:
        known = ", ".join((*BY_NAME, FILLED_IN.name))
        raise UsageError(f"there is no indicator {name[:60]!r}; there are {known}", code="unknown-indicator")
    return BY_NAME[name]


def behind(connection: Connection) -> bool:
    """Whether datasets have changed that were not assessed yet."""
    found = standing(connection, FOLLOWER)
    return bool(found.behind) or found.scanned is not None


def counts(connection: Connection, index: Index, view: View) -> Tally:
    """The counts of a part: kept ones of a source or of everything, counted now where the index narrows it."""
    if not view.scopes:
        return tally(connection, view.stretch.source_id or EVERYTHING)
    return tally_of(connection, _pages(Reader(connection, index, view)))


def lacking_page(
    connection: Connection, index: Index, view: View, name: str, after: Cursor, limit: int
) -> tuple[list[Lacking], Cursor | None]:
    """Datasets of a part that lack an indicator, from `after` (exclusive), and where to go on."""
    read = _narrowed if view.scopes else _kept
    found = read(connection, index, view, name, after, limit + 1)
    more = Cursor(*found[limit - 1]) if len(found) > limit else None
    return _told(connection, found[:limit], view.stretch.source_id), more


def lacking_all(connection: Connection, index: Index, view: View, name: str) -> Iterator[Lacking]:
    """All of them, page by page."""
    after: Cursor | None = Cursor()
    while after is not None:
        found, after = lacking_page(connection, index, view, name, after, PAGE)
        yield from found


def dataset_score(connection: Connection, view: DatasetView) -> Score:
    """What a visible dataset is worth now."""
    found = walking.shown(connection, [view.id])
    if not found:
        raise UsageError(f"there is no dataset {view.key}", code="unknown-dataset")
    return score(walking.stored(found[0].blob), statuses(connection, [view.id])[view.id].accessible, view.iri)


def trend(
    connection: Connection, source_id: int = EVERYTHING, before: date | None = None, limit: int = 100
) -> list[Row[Any]]:
    """The last days on which the scores of a source changed, newest first, from `before` (exclusive)."""
    statement = select(quality_days).where(quality_days.c.source_id == source_id)
    if before is not None:
        statement = statement.where(quality_days.c.day < before)
    return list(connection.execute(statement.order_by(quality_days.c.day.desc()).limit(limit)))


def latest(connection: Connection, source_ids: Sequence[int]) -> dict[int, Row[Any]]:
    """source id -> the last day on which its scores changed, for a page of sources."""
    of_these = quality_days.c.source_id.in_(source_ids)
    last = select(quality_days.c.source_id, func.max(quality_days.c.day).label("day")).where(of_these)
    newest = last.group_by(quality_days.c.source_id).subquery()
    same = and_(newest.c.source_id == quality_days.c.source_id, newest.c.day == quality_days.c.day)
    return {row.source_id: row for row in connection.execute(select(quality_days).join(newest, same))}


def _kept(
    connection: Connection, index: Index, view: View, name: str, after: Cursor, limit: int
) -> list[tuple[int, int]]:
    """(pattern, dataset id), pattern by pattern."""
    source_id = view.stretch.source_id or EVERYTHING
    wanted = sorted(
        pattern
        for pattern in tally(connection, source_id).datasets
        if pattern >= after.pattern and lacking(pattern, name)
    )
    found: list[tuple[int, int]] = []
    for pattern in wanted:
        beyond = after.id if pattern == after.pattern else 0
        where = (assessments.c.source_id == source_id, assessments.c.pattern == pattern)
        rows = select(assessments.c.dataset_id).where(*where, assessments.c.dataset_id > beyond)
        left = limit - len(found)
        ids = connection.execute(rows.order_by(assessments.c.dataset_id).limit(left)).scalars()
        found += [(pattern, dataset_id) for dataset_id in ids]
        if len(found) >= limit:
            break
    return found


def _narrowed(
    connection: Connection, index: Index, view: View, name: str, after: Cursor, limit: int
) -> list[tuple[int, int]]:
    """(0, dataset id), by id."""
    found: list[tuple[int, int]] = []
    for ids in _pages(Reader(connection, index, view), after.id):
        known = patterns(connection, ids)
        found += [(0, one) for one in ids if one in known and lacking(known[one], name)]
        if len(found) >= limit:
            break
    return found[:limit]


def _pages(reader: Reader, after: int = 0) -> Iterator[list[int]]:
    following: int | None = after
    while following is not None:
        ids, following = reader.ids(following, PAGE)
        yield ids


def _told(connection: Connection, found: Sequence[tuple[int, int]], source_id: int | None) -> list[Lacking]:
    ids = [dataset_id for _, dataset_id in found]
    known = patterns(connection, ids)
    rows = _listed(connection, ids, source_id)
    return [Lacking(one, **rows[one], pattern=known.get(one, 0)) for one in ids if one in rows]


def _listed(connection: Connection, ids: Sequence[int], source_id: int | None) -> dict[int, dict[str, Any]]:
    """dataset id -> key, title, source, guid and address: of the source that is asked about, else of what is shown."""
    columns = (datasets.c.id, datasets.c.key, records.c.title, sources.c.name, records.c.guid, records.c.url)
    statement = select(*columns).join(records, records.c.dataset_id == datasets.c.id)
    statement = statement.join(sources, sources.c.id == records.c.source_id).where(records.c.status == "active")
    if source_id is not None:
        statement = statement.where(records.c.source_id == source_id)
    found: dict[int, dict[str, Any]] = {}
    for part in chunks(ids):
        for row in connection.execute(statement.where(datasets.c.id.in_(part)).order_by(records.c.id)):
            told = {"key": row.key, "title": row.title, "source": row.name, "guid": row.guid}
            found.setdefault(row.id, {**told, "url": without_credentials(row.url) if row.url else None})
    return found


def known_dataset(connection: Connection, key: str) -> DatasetView:
    """A visible dataset by its key.  Raises `UsageError`."""
    found = queries.dataset_by_key(connection, key) if key.isalnum() else None
    if found is None or found.dataset is None:
        raise UsageError(f"there is no dataset {key[:60]!r}", code="unknown-dataset")
    return found
