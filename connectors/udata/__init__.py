"""udata, the software of data.gouv.fr, data.public.lu and dados.gov.pt: API v1 (udata, `core/dataset/api.py`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from pydantic import Field

from connectors.asking import told
from connectors.common import introduced, mapping
from connectors.udata.fields import described
from connectors.udata.listing import Listing
from connectors.udata.places import DATASETS, Place, place_of
from harvester.connector import NoOptions, Page, Recognised, Record, Source, Walk
from harvester.errors import RecordError, SourceError
from harvester.fields.when import instant, when
from harvester.http import Http
from harvester.model import Dataset
from harvester.walks import Slice, nothing, reached, walk_offsets

NAME = "udata"
INCREMENTAL = True
# More than 100 is slow on high pages.
SIZES = (100, 50, 25, 5, 1)


class Options(NoOptions):
    """What to take from the portal; the filters of the source's own URL count as well."""

    organization: str | None = Field(None, description="Identifier or slug of the one organisation to harvest.")
    tag: tuple[str, ...] = Field((), description="Only datasets that carry all these tags.")
    badge: str | None = Field(None, description="Only datasets with this badge, such as hvd, spd or inspire.")
    license: str | None = Field(None, description="Only datasets under this licence of the portal, such as lov2.")
    geozone: str | None = Field(None, description="Only datasets that cover this zone, such as fr:departement:13.")


def fetch(source: Source, http: Http, walk: Walk) -> Iterator[Page]:
    """Walk the list of datasets, oldest first; with `since`, latest update first until it is reached.

    udata has no filter on dates.  `last_update` is the date of the data: a change of the metadata alone is seen by
    the next complete walk.
    """
    place = place_of(source.url)
    listing = Listing(http, place, _filters(source.options), incremental=walk.since is not None)
    if place.dataset:
        yield _lone(http, place)
        return
    yield from introduced(walk, _pages(listing, walk), lambda: _about(http, place, source))


def _about(http: Http, place: Place, source: Source) -> dict[str, Any]:
    """What the portal says of itself.  Raises `SourceError`."""
    answer = http.try_get(f"{place.api}/site/")
    if trouble := answer.trouble():
        raise trouble
    return portal(answer.json()) | {"homepage": f"{place_of(source.home).root}/"}


def portal(site: Any) -> dict[str, Any]:
    """The fields of the catalogue that the answer of `/api/1/site/` fills; its `id` is "site" or "default"."""
    return {"title": mapping(site).get("title")}


def _pages(listing: Listing, walk: Walk) -> Iterator[Page]:
    """Everything; with `since`, until the order of the dates says that the rest is older.

    A portal that ignores the order is walked to its end, and a note says so; so one does where a list ends before
    anything older came, and before all that it counts, whether changed or not.
    """
    told, ordered, empty, shown, total = False, True, walk.cursor is None, reached(walk.cursor), 0

    def read(offset: int, limit: int) -> Slice:
        nonlocal ordered
        part = listing.read(offset, limit)
        dates = [date for item in part.items if (date := instant(when(mapping(item).get("last_update"))))]
        ordered = ordered and dates == sorted(dates, reverse=True)
        return part

    for page in walk_offsets(listing.read if walk.since is None else read, record_of, SIZES, walk.cursor):
        shown, total = max(shown, reached(page.cursor)), page.advertised or total
        # What it counts are all its datasets, not those that changed.
        page = replace(page, advertised=None) if ordered and walk.since else page
        yield page if ordered or told else replace(page, notes=(*page.notes, _unordered()))
        told, empty = told or not ordered, False
        if ordered and walk.since and any(record.modified and record.modified < walk.since for record in page.records):
            return
    if empty and walk.since:
        yield Page((), notes=(nothing(),))
    elif ordered and walk.since and shown < total:
        yield Page((), notes=(_cut(shown, total),))


def _cut(shown: int, total: int) -> RecordError:
    message = f"the list of changes ends after {shown} of {total} datasets, before any that did not change"
    return RecordError(message, code="unshown-datasets", field="total", value=total)


def _unordered() -> RecordError:
    message = "the portal does not list what changed last first, as asked: everything is read"
    return RecordError(message, code="filter-ignored", field="sort", value="-last_update")


def record_of(item: Any) -> Record:
    """A dataset of the list; what is archived, deleted or private on the portal is gone for the public."""
    facts = mapping(item)
    guid = facts.get("id") or facts.get("slug")
    if not isinstance(guid, str):
        raise RecordError("the dataset has no identifier", code="no-identifier", field="id", value=facts.get("id"))
    hidden = any(_stated(facts.get(mark)) for mark in ("archived", "deleted", "private"))
    return Record(guid, item, instant(when(facts.get("last_update"))), hidden)


def _stated(mark: Any) -> bool:
    """A mark is `true` or a date; a record that holds anything else there is broken, not gone."""
    return mark is True or (isinstance(mark, str) and when(mark) is not None)


def normalise(record: Record, source: Source) -> Dataset:
    """The dataset of one record."""
    if not isinstance(record.payload, dict):
        raise RecordError("a dataset of udata is an object", guid=record.guid, code="not-an-object")
    return Dataset.of(described(record.payload, place_of(source.home).root))


def look(source: Source, http: Http, guid: str) -> Record | None:
    """One dataset asked for by its identifier: a tombstone for 410, None for 404 (unknown, or private)."""
    place = place_of(source.url)
    answer = http.try_get(f"{place.api}{DATASETS}{guid}/")
    if answer.status in (404, 410):
        return Record(guid, None, deleted=True) if answer.status == 410 else None
    if trouble := answer.trouble():
        raise trouble
    return record_of(answer.json())


def gone(source: Source, http: Http, guids: Iterable[str]) -> dict[str, bool] | None:
    """guid -> whether it is gone for the public; None for a part of a portal, which a dataset may leave and live on."""
    place = place_of(source.url)
    if place.filters or place.organisation or place.dataset or _filters(source.options):
        return None

    def unseen(guid: str) -> bool:
        answer = http.try_get(f"{place.api}{DATASETS}{quote(guid, safe='')}/")
        if answer.status in (404, 410):
            # The API says so in JSON; a page says that there is no API.
            return isinstance(answer.json(), dict)
        if trouble := answer.trouble():
            raise trouble
        return record_of(answer.json()).deleted

    return told(guids, unseen)


def recognise(http: Http, url: str) -> Recognised | None:
    """Whether a udata answers there, with its title, the number of its datasets and the title of one."""
    try:
        place = place_of(url)
        envelope = mapping(http.try_get(f"{place.api}{DATASETS}", {"page_size": "1"}).json())
        site = mapping(http.try_get(f"{place.api}/site/").json())
    except SourceError:
        # Not JSON, or no such address: another kind of portal.
        return None
    data, total = envelope.get("data"), envelope.get("total")
    if not isinstance(data, list) or not isinstance(total, int) or "page_size" not in envelope:
        return None
    sample = mapping(data[0]).get("title") if data else None
    return Recognised(NAME, place.url, _text(site.get("title")), total, _text(sample))


def _lone(http: Http, place: Place) -> Page:
    """The source is the page of one dataset."""
    guid = str(place.dataset)
    record = look(Source(NAME, place.root), http, guid)
    if record is None:
        raise SourceError(f"the portal knows no dataset {guid}", code="no-such-dataset", url=place.url)
    return Page((record,), 1, "1")


def _filters(options: Any) -> list[tuple[str, str]]:
    if not isinstance(options, Options):
        return []
    lone = [(name, getattr(options, name)) for name in ("organization", "badge", "license", "geozone")]
    return [*((name, value) for name, value in lone if value), *(("tag", tag) for tag in options.tag)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
