"""Distributions and data services of data.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.common import address, filled, first, listed, mappings, pointed
from connectors.dcat_us import terms
from connectors.filing import filed, languages, licences, licensed, service_at, wrapping

_WRAPPINGS = ("compress_format", "package_format")


def distributions(value: Any, licence: list[Any]) -> list[dict[str, Any]]:
    """The distributions in a list; a bare address counts as one."""
    items = [{"accessURL": item} if isinstance(item, str) else item for item in listed(value)]
    return [distribution(item, licence) for item in items if isinstance(item, Mapping)]


def distribution(item: Mapping[str, Any], licence: list[Any]) -> dict[str, Any]:
    """One distribution; `licence` is the dataset's, for files that have none of their own."""
    access, download = (_address(first(item, *names)) for names in (("accessURL", "url"), ("downloadURL",)))
    kind, mime = _named(first(item, "format")), _named(first(item, "mediaType"))
    formats, facts = filed(kind, mime, download or access)
    own = filled({field: first(item, *names) for field, names in terms.FILE_LONE.items()})
    own |= {field: wrapping(own[field]) for field in _WRAPPINGS if field in own}
    services = [service(each) for each in listed(item.get("accessService"))]
    if facts.service and address(access):
        services.append(service_at(access, own.get("title"), kind))
    said: dict[str, Any] = {
        **formats,
        **own,
        "identifier": _identifier(item),
        "access_url": access or download,
        "download_url": download,
        "language": languages(listed(item.get("language"))),
        "conforms_to": pointed(item.get("conformsTo")),
        "page": addresses([*listed(item.get("describedBy")), *listed(item.get("page"))]),
        "checksum": _checksum(item),
        "access_service": services,
    }
    return licensed(said, licences([each for name in terms.LICENCE for each in listed(item.get(name))]), licence)


def service(item: Any) -> dict[str, Any]:
    """A data service (DCAT-US 3.0), or the address of one (`webService` of POD 1.0)."""
    if not isinstance(item, Mapping):
        return service_at(item, None, None) if isinstance(item, str) else {}
    return {
        **{field: first(item, *names) for field, names in terms.SERVICE_LONE.items()},
        "identifier": _identifier(item),
        "endpoint_url": [_address(each) for each in listed(item.get("endpointURL"))],
        "endpoint_description": [_address(each) for each in listed(item.get("endpointDescription"))],
        "serves_dataset": [_address(each) for each in listed(item.get("servesDataset"))],
        "conforms_to": pointed(item.get("conformsTo")),
        "landing_page": addresses(listed(item.get("landingPage"))),
        "keyword": item.get("keyword"),
    }


def addresses(items: list[Any]) -> list[Any]:
    """The addresses among strings and objects."""
    return [found for item in items if (found := _address(item))]


def _address(value: Any) -> Any:
    return first(value, "@id", "accessURL", "url", "uri", "@value") if isinstance(value, Mapping) else value


def _named(value: Any) -> Any:
    return first(value, "prefLabel", "label", "@id", "title") if isinstance(value, Mapping) else value


def _identifier(item: Mapping[str, Any]) -> Any:
    value = item.get("identifier")
    return first(value, "@id", "notation", "@value") if isinstance(value, Mapping) else value


def _checksum(item: Mapping[str, Any]) -> dict[str, Any] | None:
    found = next(iter(mappings(item.get("checksum"))), None)
    if found is None:
        return None
    return {"algorithm": first(found, "algorithm"), "value": first(found, "checksumValue", "value")}
