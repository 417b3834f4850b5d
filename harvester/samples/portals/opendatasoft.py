"""An Opendatasoft portal: Explore API v2.1, and the older v2.0 and v1 over the same datasets.

Rules after the OpenAPI document that the portals serve and answers seen in 2026: `limit` up to 100,
`offset + limit` up to 10,000, the exports without a window, quota headers on every answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from re import fullmatch
from typing import Any

from harvester.samples.portals import opendatasoft_older as older
from harvester.samples.portals.odsql import OdsqlError, ordered, value_of, where_test
from harvester.samples.serving import HTML, Portal, Reply, Request, json_reply, whole_number

Item = Mapping[str, Any]

LIMIT = 10
LIMIT_MAX = 100
WINDOW = 10_000
FACETS = ("features", "modified", "publisher", "keyword", "theme", "language", "license")
CATALOGUE_EXPORTS = ("json",)
DATASET_EXPORTS = ("csv", "json", "jsonl", "xlsx", "parquet", "geojson", "shp", "kml")
GEOGRAPHIC = frozenset({"geojson", "shp", "kml"})
PREFIXES = {
    "v2.1": ("/api/explore/v2.1",),
    "v2.0": ("/api/explore/v2.0", "/api/v2"),
    "v1": ("/api/datasets/1.0",),
}


class RefusalError(Exception):
    """The portal answers this status with `error_code` and `message`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.reply = json_reply({"error_code": code, "message": message}, status)


@dataclass(frozen=True)
class Ods:
    """What one portal holds; everything derived from it is worked out once."""

    datasets: Sequence[Item]
    title: str
    description: str
    versions: frozenset[str]
    quota: int
    _orders: dict[str, list[Item]] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, Item]:
        return {str(item.get("dataset_id")): item for item in self.datasets}

    def in_order(self, order_by: str) -> list[Item]:
        """Datasets in one order, kept for the following pages; as stored unless told otherwise."""
        if order_by not in self._orders:
            self._orders[order_by] = ordered(self.datasets, order_by)
        return self._orders[order_by]

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.quota),
            "X-RateLimit-Remaining": str(self.quota - 1),
            "X-RateLimit-Reset": "2026-12-01 00:00:00+00:00",
            "Cache-Control": "no-cache, no-store, max-age=0, must-revalidate",
        }


def out_of_range(name: str, value: Any, expected: str) -> RefusalError:
    message = f"Invalid value for {name} API parameter: {value} was found but {expected} is expected."
    return RefusalError(400, "InvalidRESTParameterError", message)


def number(request: Request, name: str, default: int, low: int, high: int | None) -> int:
    value = whole_number(request.get(name), default)
    expected = f"{low} <= {name}" + (f" <= {high}" if high is not None else "")
    if value is None or value < low or (high is not None and value > high):
        raise out_of_range(name, request.get(name), expected)
    return value


def found(ods: Ods, request: Request) -> list[Item]:
    """The datasets that `where`, `refine` and `exclude` leave, in the order asked for."""
    items = ods.in_order(request.get("order_by"))
    tests = [where_test(where) for where in request.all("where") if where.strip()]
    tests += [refinement(text) for text in request.all("refine")]
    tests += [negated(refinement(text)) for text in request.all("exclude")]
    return [item for item in items if all(test(item) for test in tests)] if tests else items


def refinement(text: str) -> Callable[[Item], bool]:
    name, _, wanted = text.partition(":")
    return lambda item: wanted.strip('"') in map(str, facet_values(item, name))


def negated(test: Callable[[Item], bool]) -> Callable[[Item], bool]:
    return lambda item: not test(item)


def facet_values(item: Item, name: str) -> Iterable[Any]:
    value = value_of(item, name)
    if name == "modified":
        return [str(value)[:4]] if value else []
    return value if isinstance(value, list) else [value] if value is not None else []


def window(request: Request) -> tuple[int, int]:
    """Offset and limit of a page, within the limits of the API."""
    limit = number(request, "limit", LIMIT, -1, LIMIT_MAX)
    limit = LIMIT_MAX if limit == -1 else limit
    offset = number(request, "offset", 0, 0, None)
    if offset + limit > WINDOW:
        raise out_of_range("offset", offset, f"0 <= offset + limit <= {WINDOW}")
    return offset, limit


def list_datasets(ods: Ods, request: Request) -> Any:
    offset, limit = window(request)
    items = found(ods, request)
    page = items[offset : offset + limit]
    if request.get("include_links") != "true":
        return {"total_count": len(items), "results": page}
    linked = [{"links": older.dataset_links(request, item), **item} for item in page]
    return {"total_count": len(items), "links": older.page_links(request), "results": linked}


def list_v2(ods: Ods, request: Request) -> Any:
    offset, limit = window(request)
    items = found(ods, request)
    return older.v2_page(request, items[offset : offset + limit], len(items))


def dataset(ods: Ods, key: str) -> Item:
    item = ods.by_id.get(key)
    if item is None:
        raise RefusalError(404, "NotFoundResource", f"The requested dataset {key} does not exist.")
    return item


def show_dataset(ods: Ods, request: Request, key: str) -> Any:
    return dataset(ods, key)


def show_v2(ods: Ods, request: Request, key: str) -> Any:
    return older.v2_dataset(request, dataset(ods, key))


def list_attachments(ods: Ods, request: Request, key: str) -> Any:
    held = dataset(ods, key).get("attachments") or []
    return {"links": [], "attachments": [attachment(request, one) for one in held]}


def attachment(request: Request, one: Item) -> dict[str, Any]:
    metas = {"mime-type": one.get("mimetype"), "title": one.get("title"), "id": one.get("id")}
    return {"href": f"{request.origin}{request.path}/{one.get('id')}", "metas": metas}


def list_exports(ods: Ods, request: Request, key: str) -> Any:
    geographic = "geo" in (dataset(ods, key).get("features") or ())
    offered = [name for name in DATASET_EXPORTS if geographic or name not in GEOGRAPHIC]
    return {"links": export_links(request, offered)}


def list_catalogue_exports(ods: Ods, request: Request) -> Any:
    return {"links": export_links(request, CATALOGUE_EXPORTS)}


def export_links(request: Request, names: Iterable[str]) -> list[dict[str, str]]:
    return [{"rel": name, "href": f"{request.origin}{request.path}/{name}"} for name in names]


def records(ods: Ods, request: Request, key: str) -> Any:
    """The data are not held here; whether they may be read is."""
    item = dataset(ods, key)
    if not item.get("data_visible", True):
        message = "You don't have permission to access the requested resource"
        raise RefusalError(403, "ForbiddenAccess", message)
    return {"total_count": value_of(item, "records_count") or 0, "results": []}


def export_catalogue(ods: Ods, request: Request, name: str) -> Any:
    """The whole catalogue in one answer, without a window."""
    if name not in CATALOGUE_EXPORTS:
        available = ", ".join(CATALOGUE_EXPORTS)
        message = f"Invalid export format. Available formats are {available}."
        raise RefusalError(400, "InvalidExportFormat", message)
    limit = number(request, "limit", -1, -1, None)
    offset = number(request, "offset", 0, 0, None)
    items = found(ods, request)
    return items[offset:] if limit == -1 else items[offset : offset + limit]


def list_facets(ods: Ods, request: Request) -> Any:
    items, names = found(ods, request), request.all("facet") or FACETS
    return {"links": [], "facets": [facet(items, name) for name in names if name in FACETS]}


def facet(items: Sequence[Item], name: str) -> dict[str, Any]:
    counted = Counter(str(value) for item in items for value in facet_values(item, name))
    values = [
        {"name": value, "value": value, "count": count, "state": "displayed"} for value, count in counted.most_common()
    ]
    return {"name": name, "facets": values}


def search_v1(ods: Ods, request: Request) -> Any:
    rows = number(request, "rows", LIMIT, -1, WINDOW)
    start = number(request, "start", 0, 0, WINDOW)
    sort = request.get("sort")
    order_by = f"{sort.lstrip('-')} {'desc' if sort.startswith('-') else 'asc'}" if sort else ""
    items = ods.in_order(order_by)
    page = items[start:] if rows == -1 else items[start : start + rows]
    return older.v1_page(request, page, len(items), rows, start)


def show_v1(ods: Ods, request: Request, key: str) -> Any:
    return older.v1_dataset(dataset(ods, key))


Answer = Callable[..., Any]
MODERN: tuple[tuple[str, Answer], ...] = (
    (r"/catalog/datasets", list_datasets),
    (r"/catalog/facets", list_facets),
    (r"/catalog/exports", list_catalogue_exports),
    (r"/catalog/exports/([^/]+)", export_catalogue),
    (r"/catalog/datasets/([^/]+)", show_dataset),
    (r"/catalog/datasets/([^/]+)/attachments", list_attachments),
    (r"/catalog/datasets/([^/]+)/exports", list_exports),
    (r"/catalog/datasets/([^/]+)/records", records),
)
ROUTES: dict[str, tuple[tuple[str, Answer], ...]] = {
    "v2.1": MODERN,
    # What v2.1 does not change, after what it does.
    "v2.0": ((r"/catalog/datasets", list_v2), (r"/catalog/datasets/([^/]+)", show_v2), *MODERN),
    "v1": ((r"/search", search_v1), (r"/([^/]+)", show_v1)),
}


def routed(ods: Ods, request: Request) -> Any:
    path = request.path.rstrip("/")
    asked = replace(request, path=path)
    for version in PREFIXES.keys() & ods.versions:
        for prefix in PREFIXES[version]:
            for pattern, answer in ROUTES[version]:
                if match := fullmatch(prefix + pattern, path):
                    return answer(ods, asked, *match.groups())
    raise RefusalError(404, "NotFoundResource", "The requested resource does not exist.")


def answered(ods: Ods, request: Request) -> Reply:
    try:
        return json_reply(routed(ods, request))
    except RefusalError as refusal:
        return refusal.reply
    except OdsqlError as error:
        return json_reply({"error_code": error.code, "message": str(error)}, 400)


def home(ods: Ods) -> Reply:
    title, description = escape(ods.title), escape(ods.description)
    head = f'<title>{title}</title><meta name="description" content="{description}">'
    page = f'<!DOCTYPE html><html class="no-js" lang="fr"><head>{head}</head><body><h1>{title}</h1></body></html>'
    return Reply(200, page.encode(), HTML)


def opendatasoft_portal(
    datasets: Sequence[Item],
    *,
    title: str,
    versions: Iterable[str] = ("v2.1", "v2.0", "v1"),
    quota: int = 5000,
    description: str = "",
) -> Portal:
    """A portal that holds these v2.1 datasets and serves the API versions named."""
    ods = Ods(datasets, title, description, frozenset(versions), quota)

    def portal(request: Request) -> Reply:
        if not request.path.startswith("/api/"):
            return home(ods) if request.path == "/" else Reply(404, b"404", HTML)
        reply = answered(ods, request)
        return replace(reply, headers={**reply.headers, **ods.headers})

    return portal
