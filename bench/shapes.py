"""What the software of two portals writes of one dataset: Opendatasoft, CKAN, and the udata that harvested either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

KINDS = ("opendatasoft", "ckan")
HOSTS = {"opendatasoft": "data.brume-metropole.example", "ckan": "donnees.brume-metropole.example"}
REGION, NATION = "www.regiondata.example", "www.national.example"
LOOKED = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
_LICENCES = {
    "lov2": ("Licence Ouverte v2.0", "https://www.etalab.gouv.fr/licence-ouverte-open-licence"),
    "odc-odbl": ("Open Database License (ODbL)", "https://opendatacommons.org/licenses/odbl/"),
    "cc-by": ("Creative Commons Attribution", "https://creativecommons.org/licenses/by/4.0/"),
}


@dataclass(frozen=True)
class Item:
    """One dataset as its producer means it, before any software writes it down."""

    n: int
    plan: str
    title: str
    description: str
    keywords: tuple[str, ...]
    licence: str
    publisher: str
    theme: str
    created: datetime
    modified: datetime
    files: tuple[tuple[str, str], ...]
    period: tuple[str, str] | None = None
    hidden: bool = False

    @property
    def slug(self) -> str:
        return f"jeu-{mark(self.n, 3)}-{self.n}"

    @property
    def uuid(self) -> str:
        made = mark(self.n, 16)
        return f"{made[:8]}-{made[8:12]}-{made[12:16]}-{made[16:20]}-{made[20:]}"


def guid(kind: str, item: Item) -> str:
    """How the source knows the item."""
    return item.slug if kind == "opendatasoft" else item.uuid


def opendatasoft(item: Item, host: str) -> dict[str, Any]:
    """The item as Explore v2.1 lists it; its files are attachments, beside the exports that the software makes."""
    title, url = _LICENCES[item.licence]
    default = {
        "title": item.title,
        "description": f"<p>{item.description}</p>" if item.description else None,
        "theme": [item.theme],
        "keyword": list(item.keywords),
        "license": title,
        "license_url": url,
        "language": "fr",
        "metadata_languages": ["fr"],
        "modified": item.modified.isoformat(),
        "data_processed": item.modified.isoformat(),
        "metadata_processed": (LOOKED + timedelta(days=30)).isoformat(),
        "publisher": item.publisher,
        "records_count": 10 + item.n,
    }
    temporal = (
        {"temporal_coverage_start": item.period[0], "temporal_coverage_end": item.period[1]} if item.period else {}
    )
    return {
        "dataset_id": item.slug,
        "dataset_uid": f"da_{mark(item.n, 3)}",
        "visibility": "restricted" if item.hidden else "domain",
        "data_visible": not item.hidden,
        "has_records": True,
        "features": ["analyze"],
        "fields": [],
        "attachments": [
            {"id": name.replace(".", "_"), "title": name, "mimetype": f"text/{kind}", "url": f"odsfile://{name}"}
            for name, kind in item.files
        ],
        "alternative_exports": [],
        "metas": {
            "default": default,
            "dcat": {"created": item.created.isoformat(), "issued": item.created.isoformat(), **temporal},
        },
    }


def ckan(item: Item, host: str) -> dict[str, Any]:
    """The item as package_search gives it."""
    title, url = _LICENCES[item.licence]
    extras = {"temporal_start": item.period[0], "temporal_end": item.period[1]} if item.period else {}
    if item.hidden:
        extras["access_rights"] = "http://publications.europa.eu/resource/authority/access-right/RESTRICTED"
    return {
        "id": item.uuid,
        "name": item.slug,
        "title": item.title,
        "notes": item.description,
        "url": "",
        "type": "dataset",
        "state": "active",
        "private": False,
        "license_id": item.licence,
        "license_title": title,
        "license_url": url,
        "organization": {
            "id": mark(len(item.publisher), 8),
            "name": mark(len(item.publisher), 4),
            "title": item.publisher,
        },
        "metadata_created": item.created.replace(tzinfo=None).isoformat(),
        "metadata_modified": item.modified.replace(tzinfo=None).isoformat(),
        "tags": [{"name": word, "display_name": word, "state": "active"} for word in item.keywords],
        "groups": [{"name": item.theme.lower(), "title": item.theme, "display_name": item.theme}],
        "extras": [{"key": key, "value": value} for key, value in extras.items()],
        "resources": [
            {"id": f"{item.uuid}-{i}", "name": name, "url": _file("ckan", item, name, host), "format": kind.upper()}
            for i, (name, kind) in enumerate(item.files)
        ],
    }


WRITTEN: dict[str, Callable[[Item, str], dict[str, Any]]] = {"opendatasoft": opendatasoft, "ckan": ckan}


def page(kind: str, item: Item, host: str) -> str:
    """The page of the item at the source."""
    return (
        f"https://{host}/explore/dataset/{item.slug}/"
        if kind == "opendatasoft"
        else f"https://{host}/dataset/{item.slug}"
    )


def _file(kind: str, item: Item, name: str, host: str) -> str:
    if kind == "ckan":
        return f"https://{host}/dataset/{item.uuid}/resource/{mark(len(name) + item.n, 6)}/download/{name}"
    key = name.replace(".", "_")
    return f"https://{host}/api/explore/v2.1/catalog/datasets/{item.slug}/attachments/{key}"


def harvested(
    kind: str,
    item: Item,
    salt: str = "",
    domain: str | None = "",
    looked: datetime = LOOKED,
    zone: str = "Z",
    own: str = "",
) -> dict[str, Any]:
    """The item as udata shows what it has harvested: from the source, from `domain`, or typed in (None)."""
    host = own or HOSTS[kind]
    number = mark(item.n, 12) if not salt else blake2b(f"{salt}{item.n}".encode(), digest_size=12).hexdigest()
    files = _uploaded(item, number) if domain is None else _linked(kind, item, host, exports=own == "")
    block = _origin(kind, item, host if domain == "" else domain, host)
    block |= {"last_update": looked.isoformat(), "modified_at": _as_stated(item.modified, zone)}
    return _listed(item, number, salt or "direct") | {
        "last_modified": looked.isoformat(),
        "harvest": None if domain is None else block,
        "internal": {"created_at_internal": "2021-06-01T10:00:00+00:00", "last_modified_internal": looked.isoformat()},
        "resources": [_resource(number, i, *file) for i, file in enumerate(files)],
    }


def _uploaded(item: Item, number: str) -> list[tuple[str, str, str]]:
    return [(name, form, f"https://static.{NATION}/{number}/{name}") for name, form in item.files]


def _linked(kind: str, item: Item, host: str, exports: bool) -> list[tuple[str, str, str]]:
    files = [(name, form, _file(kind, item, name, host)) for name, form in item.files]
    if kind != "opendatasoft" or not exports:
        return files
    place = f"https://{host}/api/explore/v2.1/catalog/datasets/{item.slug}/exports"
    made = [("Export CSV", "csv", f"{place}/csv?use_labels=true"), ("Export JSON", "json", f"{place}/json")]
    return [*made, *files]


def _origin(kind: str, item: Item, origin: str | None, host: str) -> dict[str, Any]:
    """The block `harvest`; another portal than the producer's has names of its own for the item."""
    own = origin == host
    return {
        "backend": "CKAN" if kind == "ckan" else "OpenDataSoft",
        "domain": origin,
        "source_id": mark(len(origin or ""), 12),
        "remote_id": guid(kind, item) if own else mark(item.n + 7, 8),
        "remote_url": page(kind, item, host) if own else f"https://{origin}/dataset/copie-{item.slug}",
        "created_at": item.created.isoformat(),
        "issued_at": item.created.isoformat(),
    }


def _listed(item: Item, number: str, salt: str) -> dict[str, Any]:
    """What udata says of any dataset."""
    slug = f"{item.slug}-{salt}"
    return {
        "id": number,
        "slug": slug,
        "title": item.title,
        "description": item.description,
        "page": f"https://{NATION}/fr/datasets/{slug}/",
        "uri": f"https://{NATION}/api/1/datasets/{slug}/",
        "created_at": "2021-06-01T10:00:00.123000+00:00",
        "last_update": item.modified.isoformat(),
        "archived": None,
        "deleted": None,
        "private": False,
        "license": item.licence,
        "frequency": "unknown",
        "tags": sorted(word.replace(" ", "-").replace("é", "e") for word in (*item.keywords, item.theme.lower())),
        "badges": [],
        "organization": {"id": mark(len(item.publisher), 12), "name": item.publisher, "slug": "o", "badges": []},
        "owner": None,
        "contact_points": [],
        "metrics": {},
        "temporal_coverage": {"start": item.period[0], "end": item.period[1]} if item.period else None,
        "spatial": None,
        "extras": {},
    }


def _resource(number: str, i: int, name: str, form: str, url: str) -> dict[str, Any]:
    key = f"{number}-{i}"
    return {
        "id": key,
        "title": name,
        "filetype": "remote",
        "type": "main",
        "format": form,
        "url": url,
        "latest": f"https://{NATION}/fr/datasets/r/{key}",
        "created_at": "2021-06-01T10:00:00+00:00",
        "last_modified": "2021-06-01T10:00:00+00:00",
        "extras": {},
    }


def _as_stated(moment: datetime, zone: str) -> str:
    """A date as software carries it over: as it was, without its time zone, or the day alone."""
    if zone == "day":
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat() if zone == "naive" else moment.isoformat()


def mark(n: int, size: int) -> str:
    """Letters and digits that a number alone decides."""
    return blake2b(str(n).encode(), digest_size=size).hexdigest()
