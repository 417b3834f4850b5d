"""A walk that is right beyond the 10,000 results that Opendatasoft's lists stop at.

The list is read in the order of `modified`, from a bound that follows what was read (`modified >= date'…'`), so that
no request goes deep and a dataset that changes during the walk only moves ahead of it; then come the datasets without
a date.  When the portal refuses that, ignores it, holds more datasets of one instant than a window takes, or still
counts more than were seen, the JSON export of the whole catalogue tells the rest.

Seen in the field: `offset + limit` up to 10,000, `order_by=modified` and `modified is null` accepted by v2.1, range
comparisons refused on text fields.  NOT verified on a live portal: `metadata_processed` in `where`; a portal that
refuses it is asked with `modified` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import ijson

from connectors.common import listed, mapping, mended
from connectors.opendatasoft.apis import Api, Params, reader
from connectors.opendatasoft.shapes import guid_of, modified_in, seen, unwrapped
from harvester.connector import Page, Record
from harvester.errors import Blocked, RecordError, SourceError, Unavailable
from harvester.fields.when import instant, when
from harvester.http import Feed, Http
from harvester.jsonio import digest, refuse_deep
from harvester.walks import Read, Slice, records, walk_offsets

SIZES = (100, 50, 25, 5, 1)
WINDOW = 10_000
EMPTY = "empty-export"
NAMELESS = "no-identifier"
EXPORT = "export"
LAST = "undated"
EXPORT_PAGE = 100
UNDATED = "modified is null"
DATED = "modified is not null"
_CURSOR = re.compile(r"w(\d{1,12})-([\w:.+-]+)")


class ExhaustedError(Exception):
    """The windows cannot show the rest of the list."""


@dataclass
class Walking:
    """One walk over one list: what asks, what was asked for, and what has been seen."""

    http: Http
    site: str
    api: Api
    params: Params
    since: datetime | None = None
    seen: set[str] = field(default_factory=set)
    # The datasets without an identifier that were told of.
    told: set[str] = field(default_factory=set)
    advertised: int | None = None
    # How many datasets before the present bound were seen, by earlier attempts too: the others are shown again.
    before: int = 0
    resumed: int = 0
    latest: datetime | None = None
    at_latest: int = 0

    def fresh(self, page: Page) -> Page:
        """The page without the records that an overlap shows again."""
        new = tuple(record for record in page.records if record.guid not in self.seen)
        self.seen.update(record.guid for record in new)
        for moment in (_second(record.modified) for record in new if record.modified):
            if self.latest is None or moment > self.latest:
                self.latest, self.at_latest = moment, 0
            self.at_latest += moment == self.latest
        problems = tuple(one for one in page.problems if one.code != NAMELESS or one.value not in self.told)
        self.told.update(one.value for one in problems if one.code == NAMELESS)
        return replace(page, records=new, advertised=self.advertised, problems=problems)

    def cursor(self, place: str) -> str:
        """Where to go on from: a bound, or a part of the walk, with what was seen before."""
        return f"w{self.before}-{place}"

    def shown(self) -> int:
        """How many datasets were seen, those of earlier attempts included."""
        return self.resumed + len(self.seen)


def record_of(item: Any) -> Record:
    """A dataset of any of the APIs."""
    guid = guid_of(item)
    if not isinstance(guid, str):
        # What it says stands for it, so that it is told of once however often it is shown.
        what = f"{seen(item).default.get('title')!s:.100} ({digest(item).hex()[:8]})"
        raise RecordError("the dataset has no identifier", code=NAMELESS, field="dataset_id", value=what)
    return Record(guid, item, instant(when(modified_in(item))))


def walk_windows(walking: Walking, cursor: str | None) -> Iterator[Page]:
    """The whole list, or its changes; resumed where a cursor says.

    What stood at the bound of a cursor, without a date, or in the export comes again.
    """
    part, bound = _resumed(walking, cursor)
    try:
        if part == EXPORT:
            raise ExhaustedError("the windows did not show all")
        if part != LAST:
            yield from _dated(walking, bound)
        walking.before = walking.shown()
        yield from _undated(walking)
    except ExhaustedError:
        yield from _export(walking)
        return
    if walking.since is None and _short(walking):
        yield from _rest(walking)


def _resumed(walking: Walking, cursor: str | None) -> tuple[str, datetime | None]:
    """The part of the walk where a cursor goes on, and the bound there; the start for one that cannot be read."""
    found = _CURSOR.fullmatch(cursor or "")
    if found is None:
        return "", None
    try:
        bound = None if found[2] in (LAST, EXPORT) else datetime.fromisoformat(found[2]).astimezone(UTC)
    except (ValueError, OverflowError):
        return "", None
    walking.before = walking.resumed = int(found[1])
    return found[2], bound


def _rest(walking: Walking) -> Iterator[Page]:
    """What the portal counts and its lists did not show; where the export is refused, the run tells of the gap."""
    try:
        yield from _export(walking)
    except SourceError as error:
        if error.code == EMPTY:
            raise
        message = f"the portal counts more datasets than its lists show, and {error.message}"
        yield Page((), walking.advertised, notes=(RecordError(message, code="unshown-datasets", url=error.url),))


def count(walking: Walking) -> int | None:
    """How many datasets the list counts."""
    return _read(walking, [])(0, 1).total


def _short(walking: Walking) -> bool:
    """Whether the portal counts, or counted when the walk began, more than was seen."""
    return walking.shown() < max(count(walking) or 0, walking.advertised or 0)


def _dated(walking: Walking, bound: datetime | None) -> Iterator[Page]:
    """Window after window: each begins at the date where the one before ended."""
    changes = _changes(walking)
    while True:
        window, read = bound, 0
        where = [f"modified >= {literal(bound)}" if bound else DATED, *changes]
        for page in walk_offsets(_ordered(walking, where, bound), record_of, SIZES):
            read += len(page.records) + len(page.problems)
            fresh, bound = walking.fresh(page), _next_bound(page, bound, read)
            if bound != window:
                walking.before = walking.shown() - walking.at_latest
            yield replace(fresh, cursor=walking.cursor(bound.isoformat()) if bound else None)
            if bound != window:
                break
        else:
            return


def _next_bound(page: Page, bound: datetime | None, read: int) -> datetime | None:
    """The date to go on from: after a whole page, or when the window of a portal with smaller pages ends."""
    # A page that is checked against the one before brings one record less.
    whole = len(page.records) + len(page.problems) >= SIZES[0] - 1 or read + SIZES[0] > WINDOW
    dates = [record.modified for record in page.records if record.modified]
    last = _second(max(dates)) if whole and dates else None
    return last if last and (bound is None or last > bound) else bound


def _undated(walking: Walking) -> Iterator[Page]:
    for page in walk_offsets(_guarded(_read(walking, [UNDATED])), record_of, SIZES):
        yield replace(walking.fresh(page), cursor=walking.cursor(LAST))


def newest(walking: Walking) -> Record | None:
    """The dataset that changed last, whatever is asked for."""
    items = _read(walking, [DATED], "modified desc")(0, 1).items
    return record_of(items[0]) if items else None


def changed(record: Record) -> datetime | None:
    """The later of the dates by which the changes are asked for."""
    metas = mapping(unwrapped(record.payload).get("metas"))
    processed = instant(when(mapping(metas.get("default", metas)).get("metadata_processed")))
    dates = [date for date in (record.modified, processed) if date]
    return max(dates, default=None)


def _changes(walking: Walking) -> list[str]:
    """The condition of an incremental walk: with the date of the metadata where the portal lets us filter on it."""
    if walking.since is None:
        return []
    moment = literal(walking.since)
    both = f"(modified >= {moment} or metadata_processed >= {moment})"
    return [both] if _accepted(walking, [both]) else [f"modified >= {moment}"]


def _accepted(walking: Walking, where: list[str]) -> bool:
    try:
        _read(walking, where)(0, 1)
    except (Blocked, Unavailable):
        raise
    except SourceError as error:
        if error.code != "http-400":
            raise
        return False
    return True


def _read(walking: Walking, where: list[str], order: str = "") -> Read:
    own = [value for name, value in walking.params if name == "where"]
    clause = " and ".join([*(f"({value})" for value in own), *where])
    params = [pair for pair in walking.params if pair[0] != "where"]
    params += [("where", clause)] if clause else []
    params += [("order_by", order)] if order else []
    return reader(walking.http, walking.site, walking.api, params)


def _ordered(walking: Walking, where: list[str], bound: datetime | None) -> Read:
    """A window that is what was asked for: sorted, and nothing before the bound."""
    read = _guarded(_read(walking, where, "modified asc"))

    def sorted_read(offset: int, limit: int) -> Slice:
        part = read(offset, limit)
        dates = [found for item in part.items if (found := instant(when(modified_in(item))))]
        if dates != sorted(dates):
            raise ExhaustedError("the portal ignores order_by")
        if bound and dates and dates[0] < bound:
            raise ExhaustedError("the portal ignores where")
        return part

    return sorted_read


def _guarded(read: Read) -> Read:
    """Refusals of the query, and the end of the window, lead to the export."""

    def guarded(offset: int, limit: int) -> Slice:
        if offset + limit > WINDOW:
            raise ExhaustedError("more datasets of one instant than a window holds")
        try:
            part = read(offset, limit)
        except SourceError as error:
            if error.code == "http-400":
                raise ExhaustedError(error.message) from error
            raise
        return part

    return guarded


def _export(walking: Walking) -> Iterator[Page]:
    """What the windows have not shown, from the export: a bare list of the same objects, without any limit.

    The export is a file, read piece by piece.
    """
    items, told = _exported(walking), False
    while batch := list(islice(items, EXPORT_PAGE)):
        told = True
        good, bad = records(batch, record_of)
        fresh = walking.fresh(Page(good, problems=bad))
        yield replace(fresh, cursor=walking.cursor(EXPORT))
    if not told and walking.since is None:
        raise SourceError(f"the portal counts {walking.advertised} datasets and its export is empty", code=EMPTY)


def _exported(walking: Walking) -> Iterator[Any]:
    params = [pair for pair in walking.params if pair[0] != "where"]
    where = [f"({value})" for name, value in walking.params if name == "where"]
    if walking.since is not None:
        where.append(f"modified >= {literal(walking.since)}")
    params += [("where", " and ".join(where))] if where else []
    try:
        with walking.http.stream(f"{walking.site}{walking.api.export}", params) as feed:
            yield from _listed_items(feed)
    except (Blocked, Unavailable):
        raise
    except SourceError as error:
        raise SourceError(
            f"the lists of the API show {len(walking.seen)} datasets, the export of all is refused: {error.message}",
            code="window",
            url=error.url,
        ) from error


def _listed_items(feed: Feed) -> Iterator[Any]:
    """The items of a list that may be wrapped as the other answers are; NaN and endless numbers cost no dataset."""
    prefix = "item" if feed.peek(64).lstrip()[:1] == b"[" else "results.item"
    number = 0
    try:
        refuse_deep(feed)
        for item in ijson.items(feed, prefix, use_float=True):
            number += 1
            yield item
    except (ijson.JSONError, ValueError) as error:
        document = mended(feed)
        if document is None:
            raise SourceError(f"the export of the catalogue is no list in JSON: {error}", code="not-json") from error
        yield from listed(mapping(document).get("results") if isinstance(document, dict) else document)[number:]


def literal(moment: datetime) -> str:
    """A date of ODSQL, to the second: rounding down only widens what `>=` finds."""
    return f"date'{_second(moment):%Y-%m-%dT%H:%M:%SZ}'"


def _second(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
