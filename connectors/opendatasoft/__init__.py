"""Opendatasoft (Huwise): the catalogue through Explore API v2.1, or v2.0 and v1 where a portal serves nothing newer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from pydantic import Field

from connectors.common import introduced
from connectors.opendatasoft.apis import (
    APIS,
    Params,
    filters_of,
    host_of,
    older,
    reader,
    served,
    site_of,
    sliced,
)
from connectors.opendatasoft.asked import gone as unlisted
from connectors.opendatasoft.fields import described
from connectors.opendatasoft.home import about
from connectors.opendatasoft.shapes import seen, unwrapped
from connectors.opendatasoft.windows import SIZES, Walking, changed, count, newest, record_of, walk_windows
from harvester.connector import NoOptions, Page, Recognised, Record, Source, Walk
from harvester.errors import RecordError, SourceError
from harvester.fields.languages import preferred
from harvester.fields.text import texts
from harvester.http import Http
from harvester.model import Dataset
from harvester.walks import walk_changes, walk_offsets

NAME = "opendatasoft"
INCREMENTAL = True


class Options(NoOptions):
    """What to take from the portal; the filters of the source's own URL count as well."""

    refine: tuple[str, ...] = Field((), description='Only datasets of these facets, such as publisher:"Ville de X".')
    exclude: tuple[str, ...] = Field((), description='No datasets of these facets, such as theme:"Archives".')
    where: str | None = Field(None, description="A condition in ODSQL, such as federated = false.")


def fetch(source: Source, http: Http, walk: Walk) -> Iterator[Page]:
    """Walk the catalogue in windows; v1, which has neither filter nor window, by offset and completely each time."""
    site = site_of(source.url)
    homepage = f"{site_of(source.home)}/"
    yield from introduced(walk, _pages(source, http, site, walk), lambda: about(http, site) | {"homepage": homepage})


def _pages(source: Source, http: Http, site: str, walk: Walk) -> Iterator[Page]:
    api, first = served(http, site)
    params = [*filters_of(source.url), *_filters(source)]
    if not api.filters:
        yield from walk_offsets(reader(http, site, api, older(params)), record_of, SIZES, walk.cursor)
        return

    def pages(since: datetime | None, cursor: str | None) -> Iterator[Page]:
        walking = Walking(http, site, api, params, since)
        if since is None:
            walking.advertised = count(walking) if params else first.total
        return walk_windows(walking, cursor)

    latest = partial(newest, Walking(http, site, api, params))
    yield from walk_changes(walk, partial(pages, walk.since), partial(pages, None), latest, changed)


def normalise(record: Record, source: Source) -> Dataset:
    """The dataset of one record, from whichever API it came."""
    if not unwrapped(record.payload):
        raise RecordError("a dataset of Opendatasoft is an object", guid=record.guid, code="not-an-object")
    return Dataset.of(described(record.payload, host_of(source.home)))


def gone(source: Source, http: Http, guids: Iterable[str]) -> dict[str, bool] | None:
    """guid -> whether the portal, filtered as the source is, shows it no more; None where it cannot be asked."""
    return unlisted(source, http, guids, _filters(source))


def recognise(http: Http, url: str) -> Recognised | None:
    """Whether an Opendatasoft answers there, with the number of its datasets and the title of one."""
    for api in APIS:
        try:
            site = site_of(url)
            found = sliced(http.try_get(site + api.path, [(api.limit, "1")]).json(), api)
        except SourceError:
            # Not JSON, no list of datasets, or no such host: an older API, or another kind of portal.
            continue
        if found.total is not None:
            return Recognised(NAME, _kept(url, site), _named(http, site), found.total, _title(found.items))
    return None


def _named(http: Http, site: str) -> str | None:
    try:
        return preferred(texts(about(http, site)["title"]))
    except SourceError:
        # A portal without a home page is a portal all the same.
        return None


def _kept(url: str, site: str) -> str:
    """The URL to save: the root, unless it filters."""
    return url if filters_of(url) else f"{site}/"


def _title(items: list[object]) -> str | None:
    title = seen(items[0]).default.get("title") if items else None
    return title if isinstance(title, str) else None


def _filters(source: Source) -> Params:
    options = source.options
    if not isinstance(options, Options):
        return []
    facets = [*(("refine", text) for text in options.refine), *(("exclude", text) for text in options.exclude)]
    return [*facets, *([("where", options.where)] if options.where else [])]
