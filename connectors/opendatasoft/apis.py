"""The APIs over one Opendatasoft catalogue, newest first: how each is asked for a slice, and how it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connectors.common import mapping, read_json, refuse_vanishing
from harvester.errors import SourceError
from harvester.http import Http
from harvester.walks import Slice

# What portals answer for an API they do not serve; 410 is Enedis' layer of compatibility.
ABSENT = frozenset(("http-404", "http-410", "not-json"))
_DATASET_PAGE = re.compile(r"/explore/dataset/([^/]+)|/catalog/datasets/([^/]+)")


@dataclass(frozen=True, slots=True)
class Api:
    """One version of the API."""

    path: str
    items: str
    total: str
    offset: str = "offset"
    limit: str = "limit"
    export: str | None = None

    @property
    def filters(self) -> bool:
        """Whether `where` and `order_by` exist."""
        return self.export is not None


APIS = (
    Api(
        "/api/explore/v2.1/catalog/datasets", "results", "total_count", export="/api/explore/v2.1/catalog/exports/json"
    ),
    Api(
        "/api/explore/v2.0/catalog/datasets", "datasets", "total_count", export="/api/explore/v2.0/catalog/exports/json"
    ),
    Api("/api/v2/catalog/datasets", "datasets", "total_count", export="/api/v2/catalog/exports/json"),
    Api("/api/datasets/1.0/search/", "datasets", "nhits", offset="start", limit="rows"),
)

Params = list[tuple[str, str]]


def site_of(url: str) -> str:
    """Scheme and host: the software always stands at the root of its host."""
    try:
        parts = urlsplit(url.strip())
    except ValueError as error:
        raise SourceError(f"not a URL: {error}", code="bad-url", url=url) from error
    return f"{parts.scheme}://{parts.netloc}"


def host_of(url: str) -> str:
    """The host alone, for addresses and identifiers; "" for what is no URL."""
    try:
        return urlsplit(url.strip()).netloc.lower()
    except ValueError:
        return ""


def filters_of(url: str) -> Params:
    """The filters of a catalogue page or of an API list; `refine.theme=X` (pages, v1) becomes `refine=theme:"X"`."""
    parts = urlsplit(url.strip())
    found: Params = []
    if page := _DATASET_PAGE.search(parts.path):
        found.append(("where", f"dataset_id = {quoted(unquote(page[1] or page[2]))}"))
    for name, value in parse_qsl(parts.query):
        head, _, field = name.partition(".")
        if field and head in ("refine", "exclude"):
            found.append((head, f"{field}:{quoted(value)}"))
        elif name in ("refine", "exclude", "where"):
            found.append((name, value))
        elif name == "q":
            found.append(("where", f"search({quoted(value)})"))
    return found


def older(params: Params) -> Params:
    """The same filters for v1, which knows facets only.  Raises `SourceError` for a condition in ODSQL."""
    found: Params = []
    for name, value in params:
        if name == "where":
            raise SourceError("this portal's old API takes no condition in ODSQL", code="no-where", value=value)
        field, _, wanted = value.partition(":")
        found.append((f"{name}.{field}", wanted.strip('"')))
    return found


def quoted(text: str) -> str:
    """A text as ODSQL writes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def reader(http: Http, site: str, api: Api, params: Params) -> Callable[[int, int], Slice]:
    """How a walk reads slices of one list."""

    def read(offset: int, limit: int) -> Slice:
        asked = [*params, (api.limit, str(limit)), (api.offset, str(offset))]
        return sliced(read_json(http, site + api.path, asked), api, offset)

    return read


def sliced(answer: Any, api: Api, offset: int = 0) -> Slice:
    """The items and the total of one answer.  Raises `SourceError` for anything that is no list of datasets."""
    envelope = mapping(answer)
    items, total = envelope.get(api.items), envelope.get(api.total)
    if not isinstance(items, list):
        raise SourceError(f"not a list of datasets: {str(answer)[:200]}", code="unexpected-answer")
    total = total if isinstance(total, int) and not isinstance(total, bool) else None
    refuse_vanishing(len(items), total, offset)
    return Slice(items, total)


def served(http: Http, site: str) -> tuple[Api, Slice]:
    """The newest API that the portal serves, and its first dataset.  Raises the first one's error when none answers."""
    refusal: SourceError | None = None
    for api in APIS:
        try:
            return api, sliced(read_json(http, site + api.path, [(api.limit, "1")]), api)
        except SourceError as error:
            if error.code not in (*ABSENT, "unexpected-answer"):
                raise
            refusal = refusal or error
    raise refusal or SourceError("no API of Opendatasoft answers there", code="no-api", url=site)
