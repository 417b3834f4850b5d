"""Fast local portals of any size: the sample datasets again and again, each time under another identity."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
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
    return _remembering(_MAKERS[kind](number))


def _remembering(inner: Portal) -> Portal:
    @cache
    def answer(method: str, path: str, query: tuple[tuple[str, str], ...], host: str) -> Reply:
        return inner(Request(method, path, query, {"host": host}))

    return lambda request: answer(request.method, request.path, request.query, request.headers.get("host", ""))


def _many(name: str, number: int, rename: Callable[[dict[str, Any], int], dict[str, Any]]) -> list[dict[str, Any]]:
    rows = [row for row in load(name) if not (row.get("private") or row.get("deleted") or row.get("archived"))]
    rows = [row for row in rows if str(row.get("state") or "active") == "active"]
    return [rename(rows[n % len(rows)], n) for n in range(number)]


def _mark(n: int, size: int) -> bytes:
    return blake2b(str(n).encode(), digest_size=size).digest()


def _ckan(number: int) -> Portal:
    def rename(row: dict[str, Any], n: int) -> dict[str, Any]:
        kept = [extra for extra in row.get("extras") or () if extra.get("key") not in ("guid", "uri", "identifier")]
        return row | {"id": str(UUID(bytes=_mark(n, 16))), "name": f"{row['name']}-{n}", "extras": kept}

    return ckan_portal(_many("ckan", number, rename), title="bench", root=CKAN_ROOT)


def _udata(number: int) -> Portal:
    def rename(row: dict[str, Any], n: int) -> dict[str, Any]:
        return row | {"id": _mark(n, 12).hex(), "slug": f"{row['slug']}-{n}", "harvest": None, "extras": {}}

    return udata_portal(_many("udata", number, rename), title="bench")


def _opendatasoft(number: int) -> Portal:
    def rename(row: dict[str, Any], n: int) -> dict[str, Any]:
        metas = row["metas"]
        default = metas["default"] | {"source_domain_address": None, "source_domain": None, "source_dataset": None}
        minute, day, month = n % 1440, n // 1440 % 28 + 1, n // 40_320 % 12 + 1
        default["modified"] = f"2024-{month:02d}-{day:02d}T{minute // 60:02d}:{minute % 60:02d}:00+00:00"
        return row | {
            "dataset_id": f"{row['dataset_id']}-{n}",
            "dataset_uid": f"da_{n}",
            "metas": metas | {"default": default},
        }

    return opendatasoft_portal(_many("opendatasoft", number, rename), title="bench")


def _dcat(number: int) -> Portal:
    return dcat_portal(list(_blocks(number)), title="bench", page_size=FEED_PAGE)


def _blocks(number: int) -> Iterator[str]:
    blocks = feed_blocks()
    for n in range(number):
        yield _LAST_SEGMENT.sub(rf"\g<1>{n}-", blocks[n % len(blocks)])


_MAKERS: dict[str, Callable[[int], Portal]] = {
    "ckan": _ckan,
    "udata": _udata,
    "opendatasoft": _opendatasoft,
    "dcat": _dcat,
}
