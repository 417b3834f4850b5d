"""A udata that answers as udata does (API v1 and v2, anonymous): data.gouv.fr's software.

Rules after udata/core/dataset/{api,apiv2}.py and udata/flask_mongoengine/pagination.py: a page after the last
is a 404, the listing hides what is private, archived or deleted, a deleted dataset is a 410, and the v2 search
stops at 10,000 results.  Pages over 1000 make the front answer 502, as on data.gouv.fr.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from re import fullmatch
from typing import Any

from harvester.samples.portals.mask import MaskError, masked, read_mask
from harvester.samples.serving import Portal, Reply, Request, html_reply, json_reply, whole_number

Item = Mapping[str, Any]

PAGE_SIZE = 20
PAGE_SIZE_MAX = 1000
RESOURCES_PAGE_SIZE = 50
SEARCH_WINDOW = 10_000
NOT_FOUND = (
    "The requested URL was not found on the server. "
    "If you entered the URL manually please check your spelling and try again."
)
SORTS: dict[str, str] = {
    "title": "title",
    "created": "created_at",
    "last_update": "last_update",
    "reuses": "metrics.reuses",
    "followers": "metrics.followers",
    "views": "metrics.views",
}
RESERVED = ("archived", "deleted", "private")

LICENCES: tuple[dict[str, Any], ...] = (
    {"id": "lov2", "title": "Licence Ouverte / Open Licence version 2.0", "url": "https://www.etalab.gouv.fr/lov2"},
    {"id": "fr-lo", "title": "Licence Ouverte / Open Licence", "url": "https://www.etalab.gouv.fr/lov1"},
    {"id": "odc-odbl", "title": "Open Data Commons Open Database License (ODbL)", "url": None},
    {"id": "cc-by", "title": "Creative Commons Attribution", "url": None},
    {"id": "notspecified", "title": "License Not Specified", "url": None},
)
FREQUENCIES: tuple[dict[str, str], ...] = (
    {"id": "continuous", "label": "Temps réel"},
    {"id": "daily", "label": "Quotidienne"},
    {"id": "weekly", "label": "Hebdomadaire"},
    {"id": "monthly", "label": "Mensuelle"},
    {"id": "quarterly", "label": "Trimestrielle"},
    {"id": "annual", "label": "Annuelle"},
    {"id": "punctual", "label": "Ponctuelle"},
    {"id": "unknown", "label": "Inconnue"},
)


class RefusalError(Exception):
    """udata answers this status with `{"message": …}`."""

    def __init__(self, status: int, message: str, **more: Any) -> None:
        super().__init__(message)
        self.reply = json_reply({"message": message, **more}, status)


@dataclass(frozen=True)
class Udata:
    """What one udata holds; everything derived from it is worked out once."""

    datasets: Sequence[Item]
    title: str
    organisations: Sequence[Item]
    _orders: dict[str, list[Item]] = field(default_factory=dict)

    @cached_property
    def visible(self) -> list[Item]:
        return [item for item in self.datasets if not any(item.get(name) for name in RESERVED)]

    @cached_property
    def by_key(self) -> dict[str, Item]:
        return {str(item.get(key)): item for key in ("slug", "id") for item in self.datasets}

    def in_order(self, sort: str) -> list[Item]:
        """The visible datasets in one order, kept for the following pages; `-created` unless told otherwise."""
        if sort not in self._orders:
            path = SORTS.get(sort.removeprefix("-"))
            if path is None:
                raise bad_argument("sort", f"{sort} is not a valid choice")
            backwards = sort.startswith("-")
            self._orders[sort] = sorted(self.visible, key=sort_key(path), reverse=backwards)
        return self._orders[sort]


def sort_key(path: str) -> Callable[[Item], Any]:
    if not path.startswith("metrics."):
        return lambda item: str(item.get(path) or "")
    name = path.removeprefix("metrics.")
    return lambda item: (item.get("metrics") or {}).get(name, 0)


def bad_argument(name: str, message: str) -> RefusalError:
    return RefusalError(400, "Input payload validation failed", errors={name: message})


def positive(request: Request, name: str, default: int) -> int:
    number = whole_number(request.get(name), default)
    if number is None or number < 1:
        raise bad_argument(name, f"{request.get(name)!r} is not a strictly positive number")
    return number


def paged(request: Request, items: Sequence[Any], default_size: int = PAGE_SIZE) -> dict[str, Any]:
    """The envelope of one page; `next_page` is absolute and repeats every argument."""
    page, size = positive(request, "page", 1), positive(request, "page_size", default_size)
    data = items[(page - 1) * size : page * size]
    if not data and page != 1:
        raise RefusalError(404, NOT_FOUND)
    beyond = page * size < len(items)
    return {
        "data": data,
        "next_page": request.url(page=page + 1, page_size=size) if beyond else None,
        "page": page,
        "page_size": size,
        "previous_page": request.url(page=page - 1, page_size=size) if page > 1 else None,
        "total": len(items),
    }


FILTERS: dict[str, Callable[[Item, str], bool]] = {
    "q": lambda item, value: value.lower() in f"{item.get('title')} {item.get('description')}".lower(),
    "tag": lambda item, value: value in (item.get("tags") or ()),
    "license": lambda item, value: item.get("license") == value,
    "organization": lambda item, value: (item.get("organization") or {}).get("id") == value,
    "badge": lambda item, value: any(badge.get("kind") == value for badge in item.get("badges") or ()),
    "geozone": lambda item, value: value in ((item.get("spatial") or {}).get("zones") or ()),
    "format": lambda item, value: any(part.get("format") == value for part in item.get("resources") or ()),
}


def filtered(udata: Udata, request: Request) -> list[Item]:
    for name in RESERVED:
        if request.get(name):
            raise RefusalError(401, "Unauthorized")
    if any(not fullmatch(r"[0-9a-f]{24}", value) for value in request.all("organization")):
        raise RefusalError(400, "Organization arg must be an identifier")
    asked = [(FILTERS[name], value) for name, value in request.query if name in FILTERS]
    found = udata.in_order(request.get("sort") or "-created")
    return [item for item in found if all(test(item, value) for test, value in asked)] if asked else found


def list_datasets(udata: Udata, request: Request) -> Any:
    return paged(request, filtered(udata, request))


def show_dataset(udata: Udata, request: Request, key: str) -> Any:
    item = udata.by_key.get(key)
    if item is None or item.get("private"):
        raise RefusalError(404, NOT_FOUND)
    if item.get("deleted"):
        raise RefusalError(410, "Dataset has been deleted")
    return item


def list_organisations(udata: Udata, request: Request) -> Any:
    return paged(request, udata.organisations)


def show_organisation(udata: Udata, request: Request, key: str) -> Any:
    for item in udata.organisations:
        if key in (item.get("id"), item.get("slug")):
            return item
    raise RefusalError(404, NOT_FOUND)


def organisation_datasets(udata: Udata, request: Request, key: str) -> Any:
    """Hides only what is private: archived and deleted datasets are listed, as in udata."""
    owner = show_organisation(udata, request, key)["id"]
    shown = (item for item in udata.datasets if not item.get("private"))
    return paged(request, [item for item in shown if (item.get("organization") or {}).get("id") == owner])


def show_site(udata: Udata, request: Request) -> Any:
    metrics = {"datasets": len(udata.visible), "organizations": len(udata.organisations)}
    return {"id": "site", "title": udata.title, "metrics": metrics, "version": "10.8.2", "keywords": []}


def list_v2(udata: Udata, request: Request) -> Any:
    page = paged(request, filtered(udata, request))
    return page | {"data": [light(item, request) for item in page["data"]]}


def search_v2(udata: Udata, request: Request) -> Any:
    """The search of v2: its total never exceeds the window, and no page may end after it."""
    page, size = positive(request, "page", 1), positive(request, "page_size", PAGE_SIZE)
    if page * size > SEARCH_WINDOW:
        last = SEARCH_WINDOW // size
        message = f"Result window is too large: page {page}. Maximum page for this page_size is {last}."
        raise RefusalError(400, message)
    found = paged(request, filtered(udata, request)[:SEARCH_WINDOW])
    return found | {"data": [light(item, request) for item in found["data"]]}


def light(item: Item, request: Request) -> dict[str, Any]:
    """A dataset as v2 lists it: its resources are a link."""
    parts = {name: linked(item, name, request) for name in ("resources", "community_resources")}
    return {**item, **parts}


def linked(item: Item, name: str, request: Request) -> dict[str, Any]:
    href = f"{request.origin}/api/2/datasets/{item.get('id')}/{name}/?page=1&page_size={RESOURCES_PAGE_SIZE}"
    return {"rel": "subsection", "href": href, "type": "GET", "total": len(item.get(name) or ())}


def show_v2(udata: Udata, request: Request, key: str) -> Any:
    return light(show_dataset(udata, request, key), request)


def list_resources(udata: Udata, request: Request, key: str) -> Any:
    resources = show_dataset(udata, request, key).get("resources") or []
    return paged(request, resources, RESOURCES_PAGE_SIZE)


Answer = Callable[..., Any]
# A path that no earlier line takes; the groups become arguments.
ROUTES: tuple[tuple[str, Answer], ...] = (
    (r"/api/1/datasets/", list_datasets),
    (r"/api/1/datasets/licenses/", lambda udata, request: LICENCES),
    (r"/api/1/datasets/frequencies/", lambda udata, request: FREQUENCIES),
    (r"/api/1/datasets/([^/]+)/", show_dataset),
    (r"/api/1/organizations/", list_organisations),
    (r"/api/1/organizations/([^/]+)/", show_organisation),
    (r"/api/1/organizations/([^/]+)/datasets/", organisation_datasets),
    (r"/api/1/site/", show_site),
    (r"/api/2/datasets/", list_v2),
    (r"/api/2/datasets/search/", search_v2),
    (r"/api/2/datasets/([^/]+)/", show_v2),
    (r"/api/2/datasets/([^/]+)/resources/", list_resources),
)


def routed(udata: Udata, request: Request) -> Any:
    for pattern, answer in ROUTES:
        if found := fullmatch(pattern, request.path):
            return answer(udata, request, *found.groups())
    raise RefusalError(404, NOT_FOUND)


def answered(udata: Udata, request: Request) -> Reply:
    try:
        mask = read_mask(request.headers.get("x-fields", ""))
        return json_reply(masked(routed(udata, request), mask))
    except MaskError as error:
        return json_reply({"message": str(error)}, 400)
    except RefusalError as refusal:
        return refusal.reply


def organisations_of(datasets: Sequence[Item]) -> list[Item]:
    held = (item.get("organization") for item in datasets)
    return list({str(one.get("id")): one for one in held if isinstance(one, Mapping)}.values())


def udata_portal(datasets: Sequence[Item], *, title: str, organisations: Sequence[Item] | None = None) -> Portal:
    """A udata that holds these datasets, `private`, `archived` and `deleted` ones included."""
    held = organisations_of(datasets) if organisations is None else organisations
    udata = Udata(datasets, title, held)

    def portal(request: Request) -> Reply:
        if not request.path.startswith("/api/"):
            return html_reply(title, 200) if request.path == "/" else html_reply("404")
        if not request.path.endswith("/"):
            # Flask redirects to the canonical address, which ends with a slash.
            return Reply(308, headers={"Location": replace(request, path=request.path + "/").url()})
        if (whole_number(request.get("page_size"), PAGE_SIZE) or 0) > PAGE_SIZE_MAX:
            return html_reply("502 Bad Gateway", 502)
        return answered(udata, request)

    return portal
