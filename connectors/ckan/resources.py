"""A CKAN resource as a distribution, with the data services through which it is reached."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from connectors.ckan import keys
from connectors.ckan.agents import contacts, creators, publisher
from connectors.ckan.reading import Found, every, flat, lone, one, translated
from connectors.common import address, blank, filled, first, mappings, pointed, readable_date, utc
from connectors.filing import filed, labels, languages, licences, licensed, resolving, service_at, wrapping
from harvester.fields.number import flag
from harvester.vocabularies import format_facts

_ALGORITHMS = {32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}
_DIGEST = re.compile(r"(?:(\w+)[:-])?([0-9a-fA-F]{32,128})")
_DOCUMENTS = frozenset(("documentation", "doc", "docs", "documentation.upload"))
# Where CKAN itself serves files from, whatever their format.
_FILES = re.compile(r"/resource/[^/]+/download(?:/|$)|/datastore/dump/")


def resources(package: Mapping[str, Any]) -> list[Found]:
    """The resources of a package, flat; deleted ones are left out, a bare address counts as one."""
    items = package.get("resources")
    things = [items] if isinstance(items, Mapping | str) else items if isinstance(items, list) else []
    found = [flat({"url": thing} if isinstance(thing, str) else thing) for thing in things]
    return [each for each in found if each and str(each.get("state", "active")).lower() != "deleted"]


def distribution(found: Found, licence: list[Any], root: str) -> dict[str, Any]:
    """One resource as a distribution; `licence` is the package's, for resources that have none of their own."""
    url = one(found, *keys.RESOURCE_URL)
    formats, facts = filed(_words(found), one(found, "mimetype", "media_type"), url)
    services = _services(found, url, formats.get("format") if facts.service else None, facts.service, root)
    is_file = bool(facts.format) and not (facts.service or facts.page or "access_services" in found)
    said = {
        **lone(found, keys.RESOURCE_LONE),
        "title": translated(found, "name", "title"),
        "description": translated(found, "description"),
        **_addresses(found, url, is_file),
        **formats,
        **_explicit(found),
        **_dates(found),
        "checksum": _checksum(found),
        "language": languages(every(found, "language", "languages", "lang")),
        "conforms_to": pointed(every(found, "conforms_to")) + _schema(found),
        "page": [_page(item) for item in every(found, *keys.RESOURCE_PAGES)],
        "applicable_legislation": every(found, "applicable_legislation"),
        "access_service": services,
    }
    rights = resolving("licence", every(found, "rights"))
    return licensed(said, [*licences(every(found, *keys.RESOURCE_LICENCE)), *rights], licence)


def _words(found: Found) -> Any:
    """The format; where there is none, the protocol that ISO records name, if it is that of a service."""
    if said := one(found, "format"):
        return said
    protocol = one(found, *keys.RESOURCE_PROTOCOL)
    return protocol if isinstance(protocol, str) and format_facts(protocol).service else None


def _dates(found: Found) -> dict[str, Any]:
    """Only `metadata_modified` is known to be UTC: old CKANs wrote the other two in the time of their server."""
    touched = (found.get("last_modified"), utc(found.get("metadata_modified")))
    return {
        "issued": readable_date(*every(found, *keys.RESOURCE_ISSUED), found.get("created")),
        "modified": readable_date(*every(found, *keys.RESOURCE_MODIFIED), *touched),
    }


def document(found: Found) -> Any:
    """The address of a resource that documents the dataset rather than holds its data, or None."""
    return one(found, "url") if str(found.get("resource_type")).lower() in _DOCUMENTS else None


def _addresses(found: Found, url: Any, is_file: bool) -> dict[str, Any]:
    access, download = one(found, "access_url"), one(found, "download_url")
    stored = found.get("url_type") == "upload" or (isinstance(url, str) and _FILES.search(url) is not None)
    if blank(download) and (stored or is_file):
        download = url
    return {"access_url": access or url or download, "download_url": download}


def _explicit(found: Found) -> dict[str, Any]:
    """Formats of wrappings that the resource names itself; they win over what its address suggests."""
    return {field: wrapping(said) for field in ("compress_format", "package_format") if (said := one(found, field))}


def _checksum(found: Found) -> dict[str, Any] | None:
    """Old CKANs have the digest without its algorithm, which its length tells."""
    raw = one(found, "hash", "checksum")
    if isinstance(raw, Mapping):
        return {"algorithm": first(raw, "algorithm", "type"), "value": first(raw, "value", "checksumValue")}
    match = _DIGEST.fullmatch(str(raw).strip()) if raw else None
    if match is None:
        return {"algorithm": one(found, "hash_algorithm"), "value": raw} if raw else None
    named = one(found, "hash_algorithm") or match.group(1)
    return {"algorithm": named or _ALGORITHMS.get(len(match.group(2))), "value": match.group(2)}


def _schema(found: Found) -> list[dict[str, Any]]:
    """A table schema given by its address; one given in full is no resource to point at."""
    return [{"uri": value} for value in every(found, "schema") if address(value)]


def _page(item: Any) -> Any:
    return first(item, "url", "uri") if isinstance(item, Mapping) else item


def _services(found: Found, url: Any, kind: Any, is_service: bool, root: str) -> list[dict[str, Any]]:
    said = [_service(item) for item in mappings(one(found, "access_services", "access_service"))]
    if is_service and address(url):
        said.append(service_at(url, translated(found, "name", "title"), kind or one(found, "format")))
    said += [service_at(other, None, None) for other in every(found, *keys.RESOURCE_SERVICES) if address(other)]
    if flag(found.get("datastore_active")) and isinstance(found.get("id"), str) and root:
        said.append(_datastore(root, found["id"]))
    return said


def _datastore(root: str, resource: str) -> dict[str, Any]:
    query = f"datastore_search?resource_id={quote(resource, safe='', errors='replace')}"
    return {"title": "CKAN DataStore", "endpoint_url": f"{root}/api/3/action/{query}", "format": "JSON"}


def _service(item: Mapping[str, Any]) -> dict[str, Any]:
    """An access service of ckanext-dcat, whose fields have the names of the model."""
    found = flat(item)
    return filled(
        {
            **lone(found, keys.SERVICE_LONE),
            **{field: said for field, names in keys.SERVICE_MANY.items() if (said := every(found, *names))},
            "title": translated(found, "title", "name"),
            "description": translated(found, "description"),
            "conforms_to": pointed(every(found, "conforms_to")),
            "language": languages(every(found, *keys.LANGUAGES)),
            "license": licences(every(found, *keys.RESOURCE_LICENCE)),
            "keyword": every(found, *keys.KEYWORDS),
            "theme": labels(every(found, "theme")),
            "publisher": publisher(found),
            "creator": creators(found),
            "contact_point": contacts(found),
        }
    )
