"""A CKAN that answers as CKAN does: action API v3, read actions, for an anonymous caller.

Rules after ckan/logic/action/get.py and ckan/views/api.py: `rows` is silently lowered to 1000, an unknown
search parameter is a 400, an unknown action a 400 whose body is a bare JSON string.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from harvester.samples.portals.solr import SearchError, ordered, selected
from harvester.samples.serving import Portal, Reply, Request, html_reply, json_reply, whole_number

Package = Mapping[str, Any]

ROWS_MAX = 1000
ROWS_DEFAULT = 10
NAMES_MAX = 1000
ALL_FIELDS_MAX = 25
FACET_LIMIT = 50
DEFAULT_SORT = "score desc, metadata_modified desc"

SEARCH_PARAMETERS = frozenset(
    {
        "q",
        "fq",
        "fq_list",
        "sort",
        "rows",
        "start",
        "qf",
        "fl",
        "df",
        "bf",
        "mm",
        "wt",
        "tie",
        "boost",
        "defType",
        "facet",
        "facet.mincount",
        "facet.limit",
        "facet.field",
        "include_drafts",
        "include_deleted",
        "include_private",
        "use_default_schema",
        "extras",
        "callback",
    }
)

LICENCES: tuple[dict[str, Any], ...] = (
    {
        "id": "fr-lo",
        "title": "Licence Ouverte v2.0",
        "url": "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
    },
    {
        "id": "odc-odbl",
        "title": "Open Data Commons ODbL",
        "url": "https://opendatacommons.org/licenses/odbl/1-0/",
    },
    {
        "id": "cc-by",
        "title": "Creative Commons Attribution",
        "url": "http://www.opendefinition.org/licenses/cc-by",
    },
    {"id": "notspecified", "title": "Licence non spécifiée", "url": ""},
)


class ActionError(Exception):
    """An error that CKAN puts in its envelope."""

    def __init__(self, status: int, kind: str, about: Mapping[str, Any]) -> None:
        super().__init__(kind)
        self.status = status
        self.envelope = {"__type": kind, **about}


def not_found() -> ActionError:
    return ActionError(404, "Not Found Error", {"message": "Non trouvé"})


def forbidden() -> ActionError:
    message = "Accès refusé : l'utilisateur n'est pas autorisé à lire ce paquet"
    return ActionError(403, "Authorization Error", {"message": message})


def invalid(parameter: str, message: str) -> ActionError:
    return ActionError(409, "Validation Error", {parameter: [message]})


@dataclass(frozen=True)
class Ckan:
    """What one CKAN holds; everything derived from it is worked out once."""

    packages: Sequence[Package]
    title: str
    description: str
    site_url: str
    version: str
    organisations: Sequence[Mapping[str, Any]]
    show_as_list: bool
    disabled: frozenset[str]
    _orders: dict[str, list[Package]] = field(default_factory=dict)
    _found: dict[tuple[str, str, tuple[str, ...]], list[Package]] = field(default_factory=dict)

    @cached_property
    def visible(self) -> list[Package]:
        return [package for package in self.packages if is_active(package) and not package.get("private")]

    @cached_property
    def by_key(self) -> dict[str, Package]:
        """Packages by name and by id; an id wins over a name."""
        return {str(package.get(key)): package for key in ("name", "id") for package in self.packages}

    def in_order(self, sort: str) -> list[Package]:
        """The visible packages in one order, which is kept: a walk asks for the same one page after page."""
        if sort not in self._orders:
            self._orders[sort] = ordered(self.visible, sort)
        return self._orders[sort]

    def search(self, sort: str, q: str, filters: tuple[str, ...]) -> list[Package]:
        """What a query finds; the last one is kept, for the following pages."""
        asked = (sort, q, filters)
        found = self._found.get(asked)
        if found is None:
            found = selected(self.in_order(sort), q, filters)
            self._found.clear()
            self._found[asked] = found
        return found

    def members(self, kind: str) -> dict[str, int]:
        """How many visible packages each organisation or group has, by name."""
        return Counter(name for package in self.visible for name in holders(package, kind))


def is_active(package: Package) -> bool:
    return str(package.get("state") or "active").lower() == "active"


def holders(package: Package, kind: str) -> list[str]:
    """Names of the organisation ("organization") or the groups ("groups") a package stands in."""
    held = package.get(kind)
    parts = held if isinstance(held, list) else [held]
    return [str(part["name"]) for part in parts if isinstance(part, Mapping) and part.get("name")]


def natural(request: Request, name: str, default: int) -> int:
    number = whole_number(request.get(name), default)
    if number is None or number < 0:
        raise invalid(name, "Doit être un nombre entier naturel" if number is not None else "Entier invalide")
    return number


def status_show(ckan: Ckan, request: Request) -> dict[str, Any]:
    return {
        "ckan_version": ckan.version,
        "site_url": ckan.site_url,
        "site_description": ckan.description,
        "site_title": ckan.title,
        "error_emails_to": None,
        "locale_default": "fr",
        "extensions": ["datastore", "harvest", "dcat"],
    }


def site_read(ckan: Ckan, request: Request) -> bool:
    return True


def package_list(ckan: Ckan, request: Request) -> list[str]:
    start = natural(request, "offset", 0)
    limit = natural(request, "limit", len(ckan.visible))
    return sorted(str(package.get("name")) for package in ckan.visible)[start : start + limit]


def package_search(ckan: Ckan, request: Request) -> dict[str, Any]:
    check_parameters(request)
    rows = min(natural(request, "rows", ROWS_DEFAULT), ROWS_MAX)
    start = natural(request, "start", 0)
    sort = request.get("sort") or DEFAULT_SORT
    try:
        found = ckan.search(sort, request.get("q"), tuple(request.all("fq")))
    except SearchError as error:
        raise query_error(str(error)) from error
    facets = facet_counts(found, request)
    return {
        "count": len(found),
        "facets": {name: dict(counted) for name, counted in facets.items()},
        "results": found[start : start + rows],
        "sort": sort,
        "search_facets": {name: search_facet(name, counted) for name, counted in facets.items()},
    }


def check_parameters(request: Request) -> None:
    unknown = [key for key, _ in request.query if key not in SEARCH_PARAMETERS and not key.startswith("ext_")]
    if unknown:
        raise query_error(f"Invalid search parameters: {unknown}")


def query_error(message: str) -> ActionError:
    return ActionError(400, "Search Query Error", {"message": f'Search Query is invalid: "{message}"'})


FACETS: dict[str, Callable[[Package], Iterable[str]]] = {
    "organization": lambda package: holders(package, "organization"),
    "groups": lambda package: holders(package, "groups"),
    "tags": lambda package: holders(package, "tags"),
    "license_id": lambda package: [str(package.get("license_id") or "")],
    "res_format": lambda package: [
        str(resource.get("format") or "")
        for resource in package.get("resources") or ()
        if isinstance(resource, Mapping)
    ],
}


def facet_counts(found: Sequence[Package], request: Request) -> dict[str, list[tuple[str, int]]]:
    """Counts of the facets asked for: `facet.field` is a JSON list inside the query string."""
    try:
        asked = orjson.loads(request.get("facet.field") or "[]")
    except ValueError as error:
        raise invalid("facet.field", "JSON invalide") from error
    limit = whole_number(request.get("facet.limit"), FACET_LIMIT)
    top = None if limit is None or limit < 0 else limit
    return {
        name: Counter(value for package in found for value in FACETS[name](package)).most_common(top)
        for name in asked
        if isinstance(name, str) and name in FACETS
    }


def search_facet(name: str, counted: Iterable[tuple[str, int]]) -> dict[str, Any]:
    items = [{"name": value, "display_name": value, "count": count} for value, count in counted]
    return {"title": name, "items": items}


def current_packages(ckan: Ckan, request: Request) -> list[Package]:
    start = natural(request, "offset", 0)
    limit = min(natural(request, "limit", ROWS_MAX), ROWS_MAX)
    return ckan.in_order(DEFAULT_SORT)[start : start + limit]


def package_show(ckan: Ckan, request: Request) -> Any:
    wanted = request.get("id")
    if not wanted:
        raise invalid("name_or_id", "Valeur manquante")
    package = ckan.by_key.get(wanted)
    if package is None or not is_active(package):
        raise not_found()
    if package.get("private"):
        raise forbidden()
    return [package] if ckan.show_as_list else package


def organization_list(ckan: Ckan, request: Request) -> list[Any]:
    return listed(request, ckan.organisations, ckan.members("organization"))


def group_list(ckan: Ckan, request: Request) -> list[Any]:
    counted = ckan.members("groups")
    groups = {group["name"]: group for package in ckan.visible for group in package.get("groups") or ()}
    return listed(request, tuple(groups.values()), counted)


def listed(request: Request, holders: Sequence[Mapping[str, Any]], counted: Mapping[str, int]) -> list[Any]:
    """A list of names, or of objects with `all_fields`, silently capped as CKAN does since 2.9."""
    full = request.get("all_fields").lower() in {"true", "1"}
    most = ALL_FIELDS_MAX if full else NAMES_MAX
    start = natural(request, "offset", 0)
    limit = min(natural(request, "limit", most), most)
    chosen = sorted(holders, key=lambda holder: str(holder.get("title")))[start : start + limit]
    if not full:
        return [holder["name"] for holder in chosen]
    return [{**holder, "package_count": counted.get(holder["name"], 0)} for holder in chosen]


def organization_show(ckan: Ckan, request: Request) -> dict[str, Any]:
    for organisation in ckan.organisations:
        if request.get("id") in (organisation.get("id"), organisation.get("name")):
            return {
                **organisation,
                "package_count": ckan.members("organization").get(organisation["name"], 0),
            }
    raise not_found()


def license_list(ckan: Ckan, request: Request) -> Sequence[Mapping[str, Any]]:
    return LICENCES


Action = Callable[[Ckan, Request], Any]
ACTIONS: dict[str, Action] = {
    "status_show": status_show,
    "site_read": site_read,
    "package_list": package_list,
    "package_search": package_search,
    "current_package_list_with_resources": current_packages,
    "package_show": package_show,
    "organization_list": organization_list,
    "organization_show": organization_show,
    "group_list": group_list,
    "license_list": license_list,
}


def perform(ckan: Ckan, name: str, request: Request, base: str) -> Reply:
    if name not in ACTIONS or name in ckan.disabled:
        return json_reply(f"Bad request: Action name not known: {name}", 400)
    answer = {"help": f"{base}/api/3/action/help_show?name={name}", "success": True}
    try:
        return json_reply(answer | {"result": ACTIONS[name](ckan, request)})
    except ActionError as error:
        return json_reply(answer | {"success": False, "error": error.envelope}, error.status)


def organisations_of(packages: Sequence[Package]) -> list[Mapping[str, Any]]:
    held = (package.get("organization") for package in packages)
    return list({str(one.get("name")): one for one in held if isinstance(one, Mapping)}.values())


def ckan_portal(
    packages: Sequence[Package],
    *,
    title: str,
    root: str = "",
    site_url: str = "",
    version: str = "2.10.4",
    organisations: Sequence[Mapping[str, Any]] | None = None,
    show_as_list: bool = False,
    disabled: Iterable[str] = (),
    description: str = "",
) -> Portal:
    """A CKAN mounted under `root`.

    `show_as_list` answers `package_show` as DKAN does; `disabled` names actions that are switched off.
    """
    held = organisations_of(packages) if organisations is None else organisations
    ckan = Ckan(packages, title, description, site_url, version, held, show_as_list, frozenset(disabled))

    def portal(request: Request) -> Reply:
        base = request.origin + root
        path = request.path.removeprefix(root).rstrip("/") if request.path.startswith(root) else ""
        if path in {"/api", "/api/3"}:
            return json_reply({"version": 3})
        for prefix in ("/api/3/action/", "/api/action/"):
            if path.startswith(prefix):
                return perform(ckan, path.removeprefix(prefix), request, base)
        return html_reply("404 Non trouvé")

    return portal
