"""Walks that ask for changes alone, and notice portals that do not heed the date they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from harvester.connector import Page, Record, Walk
from harvester.errors import Blocked, RecordError, SourceError, Unavailable

# Some portals keep dates without a time, or write local time for UTC.
SLACK = timedelta(days=1)
# How portals refuse a condition that they do not know: old CKANs, and those whose search has no such field.
_REFUSED = frozenset(("http-400", "ckan-search-query-error", "ckan-validation-error"))
# Before the cursor of a walk that reads everything after all.
_ALL = "all:"
# Before the cursor of a walk that has shown what changed last.
_SURE = "sure:"

Pages = Callable[[str | None], Iterator[Page]]


def modified(record: Record) -> datetime | None:
    """The date of a record that filters are about, unless a connector knows better."""
    return record.modified


def walk_changes(
    walk: Walk,
    some: Pages,
    everything: Pages,
    newest: Callable[[], Record | None],
    changed: Callable[[Record], datetime | None] = modified,
) -> Iterator[Page]:
    """What changed since `walk.since`: `some` pages, as filtered by the portal; each of the two takes a cursor.

    A portal that answers with records that are far older ignores the filter: what comes is everything, and a note says
    so.  One whose answer lacks the very `newest` record that it has, though that one changed since, answers wrongly:
    `everything` is walked instead, as from one that refuses the filter.  These notes have the code `filter-ignored`;
    that of a portal which says that it has nothing at all, `empty-answer`.
    """
    since, cursor = walk.since, walk.cursor
    if since is None:
        yield from everything(cursor)
        return
    if cursor is not None and cursor.startswith(_ALL):
        yield from _everything(everything(cursor.removeprefix(_ALL)))
        return
    sure = cursor is not None and cursor.startswith(_SURE)
    latest, empty = (None, False) if sure else _latest(newest)
    if empty:
        yield Page((), notes=(nothing(),))
    date = changed(latest) if latest else None
    missing = latest.guid if latest and date and date >= since else None
    told = False
    for page in _asked(some, cursor.removeprefix(_SURE) if cursor else None):
        if page is None:
            yield Page((), cursor=_ALL, notes=(_refused(since),))
            yield from _everything(everything(None))
            return
        missing = None if any(record.guid == missing for record in page.records) else missing
        ignored = not told and _is_old(page, since - SLACK, changed)
        told = told or ignored
        page = page if missing or page.cursor is None else replace(page, cursor=f"{_SURE}{page.cursor}")
        yield replace(page, notes=(*page.notes, _ignored(since))) if ignored else page
    if missing is not None:
        yield Page((), cursor=_ALL, notes=(_unanswered(since, missing),))
        yield from _everything(everything(None))


def _asked(some: Pages, cursor: str | None) -> Iterator[Page | None]:
    """The pages as filtered by the portal; None, and nothing else, where it refuses the filter."""
    pages = some(cursor)
    try:
        first = next(pages, None)
    except SourceError as error:
        if cursor is not None or error.code not in _REFUSED:
            raise
        yield None
        return
    if first is not None:
        yield first
        yield from pages


def _latest(newest: Callable[[], Record | None]) -> tuple[Record | None, bool]:
    """The record that changed last, and whether the portal answers that it has none at all."""
    try:
        latest = newest()
        return latest, latest is None
    except (Blocked, Unavailable):
        raise
    except (SourceError, RecordError):
        # The portal cannot be asked that: there is nothing to compare with.
        return None, False


def nothing() -> RecordError:
    """The note that a portal, asked for changes, says that it has no datasets whatever."""
    return RecordError("the portal says that it has no datasets at all", code="empty-answer")


def _everything(pages: Iterator[Page]) -> Iterator[Page]:
    for page in pages:
        yield replace(page, cursor=None if page.cursor is None else f"{_ALL}{page.cursor}")


def _is_old(page: Page, limit: datetime, changed: Callable[[Record], datetime | None]) -> bool:
    """Whether most of what came, as far as it is dated, is older than what was asked for."""
    dates = [date for record in page.records if (date := changed(record))]
    return 2 * sum(date < limit for date in dates) > len(dates)


def _ignored(since: datetime) -> RecordError:
    message = f"the portal ignores that only changes since {since:%Y-%m-%dT%H:%M:%SZ} are asked for: everything is read"
    return RecordError(message, code="filter-ignored", field="since", value=since.isoformat())


def _refused(since: datetime) -> RecordError:
    message = f"the portal refuses to be asked for changes since {since:%Y-%m-%dT%H:%M:%SZ}: everything is read"
    return RecordError(message, code="filter-ignored", field="since", value=since.isoformat())


def _unanswered(since: datetime, guid: str) -> RecordError:
    message = (
        f"asked for changes since {since:%Y-%m-%dT%H:%M:%SZ}, the portal leaves out {guid!r}, which changed later: "
        "everything is read"
    )
    return RecordError(message, code="filter-ignored", field="since", value=since.isoformat())
