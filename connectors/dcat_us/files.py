"""Distributions and data services of data.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.common import address, filled, first, joined, listed, mappings, pointed
from connectors.dcat_us import terms
from connectors.dcat_us.agents import agent, contact
from connectors.filing import filed, labels, languages, licences, licensed, service_at, wrapping

_OF_RIGHTS = frozenset((*terms.RIGHTS, *terms.RESTRICTIONS))
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
        services.append(service_at(access, own.get("title"), formats.get("format") or kind))
    said: dict[str, Any] = {
        **formats,
        **own,
        "rights": rights(item),
        "identifier": _identifier(item),
        "access_url": access or download,
        "download_url": download,
        "language": languages(listed(item.get("language"))),
        "conforms_to": pointed(item.get("conformsTo")),
        "page": addresses([*listed(item.get("describedBy")), *listed(item.get("page"))]),
        "checksum": _checksum(item),
        "applicable_legislation": listed(item.get("applicableLegislation")),
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
        **{field: said for field, names in terms.SERVICE_MANY.items() if (said := _every(item, names))},
        "rights": rights(item),
        "license": licences(_every(item, terms.LICENCE)),
        "language": languages(listed(item.get("language"))),
        "theme": themes(item, {}),
        "publisher": [agent(each) for each in listed(item.get("publisher"))],
        "creator": [agent(each) for each in _every(item, terms.CREATORS)],
        "contact_point": [contact(each) for each in listed(item.get("contactPoint"))],
        "page": addresses(_every(item, terms.PAGES)),
    }


def themes(item: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """`superTheme` has the codes of the EU vocabulary, `theme` ids of the portal's own taxonomy."""
    said = [*listed(item.get("superTheme")), *listed(item.get("theme"))]
    return labels([_theme(each, own) for each in said])


def _theme(item: Any, own: Mapping[str, Any]) -> Any:
    if isinstance(item, Mapping):
        return [name for key in ("prefLabel", "label", "name", "@id", "notation") if (name := first(item, key))]
    return [own[item], item] if isinstance(item, str) and item in own else item


def rights(item: Mapping[str, Any]) -> Any:
    """What is said of rights, of liability and of restrictions, in one text."""
    if _OF_RIGHTS.isdisjoint(item):
        return None
    limits = [_restriction(each) for each in _every(item, terms.RESTRICTIONS)]
    return joined([*map(_named, _every(item, terms.RIGHTS)), *limits])


def _restriction(item: Any) -> Any:
    """An object of DCAT-US 3.0, whose members are texts or concepts."""
    if not isinstance(item, Mapping):
        return item
    said = [_named(value) for key, value in item.items() if not str(key).startswith("@")]
    return joined(said, ", ")


def _every(item: Mapping[str, Any], names: terms.Keys) -> list[Any]:
    return [each for name in names if (said := item.get(name)) is not None for each in listed(said)]


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
