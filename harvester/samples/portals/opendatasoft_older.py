"""The shapes that Opendatasoft's older APIs (Explore v2.0 and v1) give to a v2.1 dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harvester.samples.serving import Request

Item = Mapping[str, Any]

RELATIONS = {"records": "records", "exports": "exports", "aggregate": "aggregates", "facets": "facets"}
# Values that v1 gives as text when there is one, and as a list when there are several.
ONE_OR_MANY = ("keyword", "theme")
ONLY_V2 = frozenset({"bbox", "geometry_types", "metadata_languages", "attributions"})


def page_links(request: Request) -> list[dict[str, str]]:
    return [{"rel": rel, "href": request.url()} for rel in ("self", "first", "last")]


def dataset_links(request: Request, item: Item) -> list[dict[str, str]]:
    collection = request.origin + request.path.partition("/datasets")[0] + "/datasets"
    own = f"{collection}/{item.get('dataset_id')}"
    rest = [{"rel": name, "href": f"{own}/{last}"} for name, last in RELATIONS.items()]
    return [{"rel": "self", "href": own}, {"rel": "datasets", "href": collection}, *rest]


def v2_page(request: Request, items: Sequence[Item], total: int) -> dict[str, Any]:
    datasets = [v2_dataset(request, item) for item in items]
    return {"total_count": total, "links": page_links(request), "datasets": datasets}


def v2_dataset(request: Request, item: Item) -> dict[str, Any]:
    return {"links": dataset_links(request, item), "dataset": item}


def v1_page(request: Request, items: Sequence[Item], total: int, rows: int, start: int) -> dict[str, Any]:
    parameters = {"timezone": "UTC", "rows": rows, "start": start, "format": "json", "staged": False}
    return {"nhits": total, "parameters": parameters, "datasets": [v1_dataset(item) for item in items]}


def v1_dataset(item: Item) -> dict[str, Any]:
    """Flat basic metadata without nulls; the other groups under `interop_metas` and `extra_metas`."""
    metas = item.get("metas") or {}
    groups = {name: filled(group) for name, group in metas.items() if isinstance(group, Mapping)}
    interop = {name: groups[name] for name in ("dcat", "inspire") if groups.get(name)}
    return {
        "datasetid": item.get("dataset_id"),
        "metas": v1_metas(groups.get("default", {}), item),
        "interop_metas": interop,
        "extra_metas": {"custom": groups["custom"]} if groups.get("custom") else {},
        **{name: item.get(name) for name in ("has_records", "data_visible", "features", "fields")},
        "attachments": [v1_file(one) for one in item.get("attachments") or ()],
        "alternative_exports": [v1_file(one) for one in item.get("alternative_exports") or ()],
    }


def filled(group: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in group.items() if value is not None}


def v1_metas(default: Mapping[str, Any], item: Item) -> dict[str, Any]:
    metas = {name: value for name, value in default.items() if name not in ONLY_V2}
    for name in ONE_OR_MANY:
        if isinstance(metas.get(name), list) and len(metas[name]) == 1:
            metas[name] = metas[name][0]
    return metas | {"visibility": item.get("visibility"), "domain": "portail"}


def v1_file(one: Item) -> dict[str, Any]:
    """v1 names a stored file by its place in the store, not by its address."""
    name = str(one.get("url")).rpartition("/")[2]
    return {**one, "url": f"odsfile://{name}"}
