"""One view of a dataset, whichever API gave it: Explore v2.1 and its JSON export, v2.0, or v1 with its flat metas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from connectors.common import blank, first, mapping

Found = Mapping[str, Any]

_JOINTS = re.compile(r"[\s_.:-]+")
# Groups of v1 that are not named in `metas` itself.
_OLDER_GROUPS = ("interop_metas", "extra_metas", "basic_metas", "admin_metas")
# How the names of the groups begin: `dcat_ap_ch`, `dublin-core`, `geodcat_ap`.
_KINDS = {"dcat": ("dcat", "geodcat", "statdcat"), "inspire": ("inspire", "iso191"), "dublin": ("dublin", "dcterms")}
_NOT_METADATA = frozenset(("explore", "processing", "visualization", "publishing", "asset_content_configuration"))


@dataclass(frozen=True, slots=True)
class Seen:
    """A dataset with its metadata by group; keys of all groups but `default` are folded, since portals name them."""

    id: str
    item: Found
    version: str
    default: Found
    dcat: Found
    inspire: Found
    dublin: Found
    custom: Found
    # DCAT's words before those of Dublin Core: the groups share most of their names.
    interop: Found


def seen(payload: Any) -> Seen:
    """The view of one payload."""
    item = unwrapped(payload)
    groups = _groups(item)
    merged = _merged(groups)
    return Seen(
        str(first(item, "dataset_id", "datasetid") or ""),
        item,
        _version(payload, item),
        groups.get("default", {}),
        **merged,
        interop={**merged["dublin"], **merged["dcat"]},
    )


def unwrapped(payload: Any) -> Found:
    """v2.0 puts the dataset beside its links."""
    inner = mapping(payload).get("dataset")
    return inner if isinstance(inner, Mapping) else mapping(payload)


def guid_of(payload: Any) -> Any:
    """The identifier under which the portal publishes the dataset."""
    return first(unwrapped(payload), "dataset_id", "datasetid")


def modified_in(payload: Any) -> Any:
    """The date that the API sorts and filters on as `modified`."""
    metas = mapping(unwrapped(payload).get("metas"))
    return mapping(metas.get("default", metas)).get("modified")


def _version(payload: Any, item: Found) -> str:
    if "datasetid" in item:
        return "v1"
    return "v2.0" if item is not payload else "v2.1"


def _groups(item: Found) -> dict[str, Found]:
    metas = mapping(item.get("metas"))
    flat = {name: value for name, value in metas.items() if not isinstance(value, dict)}
    groups: dict[str, Found] = {name: value for name, value in metas.items() if isinstance(value, dict)}
    for place in _OLDER_GROUPS:
        if isinstance(older := item.get(place), dict):
            groups.update({name: value for name, value in older.items() if isinstance(value, dict)})
    if flat:
        groups["default"] = {**groups.get("default", {}), **flat}
    return groups


def _merged(groups: Mapping[str, Found]) -> dict[str, Found]:
    """The groups of each kind (`dcat`, `dcat_ap`, `dcat_ap_ch` …) as one; `custom` is whatever has no other kind."""
    merged: dict[str, dict[str, Any]] = {"dcat": {}, "inspire": {}, "dublin": {}, "custom": {}}
    for name, group in groups.items():
        if name == "default" or name in _NOT_METADATA:
            continue
        found = merged[_kind(name)]
        for key, value in group.items():
            if value is not None and not blank(value):
                found.setdefault(folded(str(key)), value)
    return dict(merged)


@lru_cache(maxsize=1_024)
def _kind(group: str) -> str:
    name = folded(group)
    return next((kind for kind, marks in _KINDS.items() if name.startswith(marks)), "custom")


@lru_cache(maxsize=2_048)
def folded(key: str) -> str:
    """A key in one spelling: `accessRights`, `access_rights` and `access-rights` are one."""
    return _JOINTS.sub("", key).lower()
