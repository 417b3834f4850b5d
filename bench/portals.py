"""Fast local portals of any size: the sample datasets again and again, each time under another identity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from hashlib import blake2b
from typing import Any
from uuid import UUID

from harvester.samples import CKAN_ROOT, feed_blocks, load
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request

KINDS = ("ckan", "udata", "opendatasoft", "dcat")
PATHS = {"ckan": CKAN_ROOT, "udata": "", "opendatasoft": "", "dcat": "/catalog.ttl"}
FEED_PAGE = 100
# Datasets and their distributions get names of their own; so does the identifier.
_LAST_SEGMENT = re.compile(r"(<https?://[^>]+/id/(?:dataset|series|distribution)/|dct:identifier \")")


def portal(kind: str, number: int) -> Portal:
    """A portal of `number` datasets that answers a page it has answered before from memory."""
    return _remembering(_SERVING[kind](list(datasets(kind, range(number)))))


def _remembering(inner: Portal) -> Portal:
    @cache
    def answer(method: str, path: str, query: tuple[tuple[str, str], ...], host: str) -> Reply:
        return inner(Request(method, path, query, {"host": host}))

    return lambda request: answer(request.method, request.path, request.query, request.headers.get("host", ""))


def datasets(kind: str, numbers: Iterable[int]) -> Iterator[Any]:
    """What a portal of this kind says of the datasets of these numbers, each under an identity of its own."""
    rows, rename = _PATTERNS[kind]
    patterns = rows()
    return (rename(patterns[n % len(patterns)], n) for n in numbers)


@cache
def _public(name: str) -> list[dict[str, Any]]:
    rows = [row for row in load(name) if not (row.get("private") or row.get("deleted") or row.get("archived"))]
    return [row for row in rows if str(row.get("state") or "active") == "active"]


def _mark(n: int, size: int) -> bytes:
    return blake2b(str(n).encode(), digest_size=size).digest()


def _ckan(row: dict[str, Any], n: int) -> dict[str, Any]:
    kept = [extra for extra in row.get("extras") or () if extra.get("key") not in ("guid", "uri", "identifier")]
    return row | {"id": str(UUID(bytes=_mark(n, 16))), "name": f"{row['name']}-{n}", "extras": kept}


def _udata(row: dict[str, Any], n: int) -> dict[str, Any]:
    return row | {"id": _mark(n, 12).hex(), "slug": f"{row['slug']}-{n}", "harvest": None, "extras": {}}


def _opendatasoft(row: dict[str, Any], n: int) -> dict[str, Any]:
    metas = row["metas"]
    default = metas["default"] | {"source_domain_address": None, "source_domain": None, "source_dataset": None}
    minute, day, month = n % 1440, n // 1440 % 28 + 1, n // 40_320 % 12 + 1
    default["modified"] = f"2024-{month:02d}-{day:02d}T{minute // 60:02d}:{minute % 60:02d}:00+00:00"
    return row | {
        "dataset_id": f"{row['dataset_id']}-{n}",
        "dataset_uid": f"da_{n}",
        "metas": metas | {"default": default},
    }


def _dcat(block: str, n: int) -> str:
    return _LAST_SEGMENT.sub(rf"\g<1>{n}-", block)


_PATTERNS: dict[str, tuple[Callable[[], list[Any]], Callable[[Any, int], Any]]] = {
    "ckan": (partial(_public, "ckan"), _ckan),
    "udata": (partial(_public, "udata"), _udata),
    "opendatasoft": (partial(_public, "opendatasoft"), _opendatasoft),
    "dcat": (cache(feed_blocks), _dcat),
}
_SERVING: dict[str, Callable[[list[Any]], Portal]] = {
    "ckan": partial(ckan_portal, title="bench", root=CKAN_ROOT),
    "udata": partial(udata_portal, title="bench"),
    "opendatasoft": partial(opendatasoft_portal, title="bench"),
    "dcat": partial(dcat_portal, title="bench", page_size=FEED_PAGE),
}
