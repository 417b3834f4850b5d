"""The distributions of an Opendatasoft dataset: exports, alternative exports, attachments, and the Explore API.

After opendatasoft's OpenAPI v2.1 and the udata harvester for it (opendatateam/udata-ods).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from connectors.common import blank, filled, first, mappings
from connectors.filing import filed
from connectors.opendatasoft.shapes import Found, Seen

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """One format in which the records of a dataset can be had."""

    name: str
    format: str
    media_type: str
    query: str = ""
    geographic: bool = False
    package: str | None = None
    most_records: int | None = None


# Labels rather than technical names in the columns, as the portals' own DCAT export does.
_LABELS = "?use_labels=true"
EXPORTS = (
    Export("csv", "CSV", "text/csv", _LABELS),
    Export("json", "JSON", "application/json"),
    Export("xlsx", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _LABELS),
    Export("parquet", "PARQUET", "application/vnd.apache.parquet"),
    Export("geojson", "GEOJSON", "application/geo+json", geographic=True),
    Export("shp", "SHP", "application/vnd.shp", geographic=True, package="application/zip", most_records=50_000),
    Export("kml", "KML", "application/vnd.google-earth.kml+xml", geographic=True),
)
# The paths of each API; Parquet came with v2.1.
_DATASETS = {
    "v2.1": "/api/explore/v2.1/catalog/datasets/",
    "v2.0": "/api/v2/catalog/datasets/",
    "v1": "/api/datasets/1.0/",
}
_V1_FORMATS = {"xlsx": "xls"}


def distributions(ods: Seen, host: str, licence: Any, modified: Any) -> list[Fields]:
    """Every file and the API, each under the licence of the dataset."""
    site = f"https://{host}"
    shared = {"license": licence}
    made = [*_exports(ods, site, modified), *_files(ods, site)]
    return [filled(fields | shared) for fields in made]


def entry_of(ods: Seen, host: str, key: str) -> str | None:
    """The address of a dataset's entry in the catalogue of the API."""
    return f"https://{host}{_DATASETS[ods.version]}{_quoted(key)}" if host and key else None


def _exports(ods: Seen, site: str, modified: Any) -> Iterator[Fields]:
    if ods.item.get("has_records") is not True or not _open(ods):
        return
    for export in EXPORTS:
        if _offered(export, ods):
            yield _export(export, ods, site, modified)
    yield _api(ods, site)


def _open(ods: Seen) -> bool:
    """The portals answer 403 to everybody else: such an export is no open distribution."""
    restricted = first(ods.item, "visibility") == "restricted" or ods.default.get("visibility") == "restricted"
    return ods.item.get("data_visible") is not False and not restricted


def _offered(export: Export, ods: Seen) -> bool:
    if export.name == "parquet" and ods.version != "v2.1":
        return False
    features, count = ods.item.get("features"), ods.default.get("records_count")
    if export.geographic and not (isinstance(features, list) and "geo" in features):
        return False
    return export.most_records is None or not isinstance(count, int) or count <= export.most_records


def _export(export: Export, ods: Seen, site: str, modified: Any) -> Fields:
    url = _export_url(export, ods, site)
    return {
        "identifier": export.name,
        "title": export.name.upper(),
        "access_url": url,
        "download_url": url,
        "format": export.format,
        "media_type": export.media_type,
        "package_format": export.package,
        "modified": modified,
    }


def _export_url(export: Export, ods: Seen, site: str) -> str:
    key = _quoted(ods.id)
    if ods.version == "v1":
        name = _V1_FORMATS.get(export.name, export.name)
        return f"{site}/explore/dataset/{key}/download/?format={name}"
    return f"{site}{_DATASETS[ods.version]}{key}/exports/{export.name}{export.query}"


def _api(ods: Seen, site: str) -> Fields:
    """The API over the records, as a service that gives access to them."""
    key = _quoted(ods.id)
    older = ods.version == "v1"
    records = (
        f"{site}/api/records/1.0/search/?dataset={key}" if older else f"{site}{_DATASETS[ods.version]}{key}/records"
    )
    page = f"{site}/explore/dataset/{key}/api/"
    service = {
        "title": "Explore API",
        "endpoint_url": records,
        "endpoint_description": f"{site}/api/explore/v2.1/swagger.json" if ods.version == "v2.1" else None,
        "page": page,
    }
    return {"identifier": "api", "title": "API", "access_url": page, "access_service": service}


def _files(ods: Seen, site: str) -> Iterator[Fields]:
    for place in ("alternative_exports", "attachments"):
        for one in mappings(ods.item.get(place)):
            url = _address(one, place, ods, site)
            if url:
                yield {
                    "identifier": one.get("id"),
                    "title": one.get("title"),
                    "description": one.get("description"),
                    "access_url": url,
                    "download_url": url,
                    **filed(_suffix(one), first(one, "mimetype", "mime-type"), url)[0],
                    "access_rights": None if _open(ods) else "RESTRICTED",
                }


def _suffix(one: Found) -> str | None:
    """The format that the file's own name tells."""
    for value in (one.get("title"), one.get("url")):
        name = value.rpartition(".")[2] if isinstance(value, str) and "." in value else ""
        if name.isalnum() and len(name) <= 8 and not name.isdigit():
            return name
    return None


def _address(one: Found, place: str, ods: Seen, site: str) -> str | None:
    """The file's URL; `odsfile://name` is its place in the vendor's store, which only the API gives out."""
    url, key = one.get("url"), one.get("id")
    if isinstance(url, str) and url.startswith(("http://", "https://")):
        return url
    if blank(key) or not isinstance(key, str):
        return None
    return f"{site}{_DATASETS[ods.version]}{_quoted(ods.id)}/{place}/{_quoted(key)}"


@lru_cache(maxsize=256)
def _quoted(key: str) -> str:
    """A part of a path; a lone surrogate, which JSON can carry and UTF-8 cannot, becomes a question mark."""
    return quote(key, safe="@", errors="replace")
