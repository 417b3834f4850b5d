"""A CKAN package as a dataset: pure, total, and field by field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any
from urllib.parse import quote, urlsplit

from connectors.ckan import keys
from connectors.ckan.agents import attributions, contacts, creators, publisher
from connectors.ckan.extent import hull, spatial, temporal
from connectors.ckan.reading import Found, every, flat, localised, lone, one, translated
from connectors.ckan.resources import distribution, document, resources
from connectors.ckan.roots import root_of
from connectors.common import address, blank, filled, first, joined, listed, mappings, pointed, readable_date, utc
from connectors.filing import labels, languages, licences, resolving
from harvester.connector import Record, Source
from harvester.errors import RecordError
from harvester.fields.web import url
from harvester.model import Dataset

_AMOUNT = re.compile(r"\d+(?:[.,]\d+)?")
_LINEAGE = frozenset((*keys.LINEAGE, *keys.QUALITY))
_SAID_BY_KIND = keys.PLAIN_TYPES | keys.SERIES_TYPES
_THEME_NAMES = ("title", "display_name", "label", "name", "uri", "id")


def normalise(record: Record, source: Source) -> Dataset:
    """The dataset that a package describes.  Raises `RecordError` for what is no package."""
    if not isinstance(record.payload, Mapping):
        raise RecordError("a CKAN package is a JSON object", guid=record.guid, code="not-an-object")
    package, root = flat(record.payload), root_of(source.home)
    found = resources(record.payload)
    licence = licence_hints(package)
    return Dataset.of(
        filled(
            {
                **lone(package, keys.LONE),
                **{field: said for field, names in keys.MANY.items() if (said := every(package, *names))},
                **_pointed(package),
                **_words(package),
                **_dates(package),
                **_identity(package, root),
                "kind": "series" if _is_series(package) else "dataset",
                "theme": _themes(package),
                "type": _types(package),
                "publisher": publisher(package),
                "creator": creators(package),
                "contact_point": contacts(package),
                "page": [_address_of(item) for item in _pages(package, found)],
                "accrual_periodicity": every(package, *keys.FREQUENCY),
                "language": languages(every(package, *keys.LANGUAGES)),
                "spatial": spatial(package),
                "temporal": temporal(package) or hull(found),
                "license": licence,
                "rights": _rights(package),
                "provenance": _provenance(package),
                "spatial_resolution_in_meters": _resolution(package),
                "relation": _relations(package),
                "qualified_relation": [_qualified(item) for item in _qualified_relations(package)],
                "qualified_attribution": attributions(package),
                "was_generated_by": pointed(every(package, "was_generated_by", "provenance_activity")),
                "sample": [{"access_url": _address_of(item)} for item in every(package, "sample")],
                "distribution": [distribution(each, licence, root) for each in found],
                "record": _record(package, root),
            }
        )
    )


def _pointed(package: Found) -> dict[str, Any]:
    """Resources pointed at; words in the place of the producer's page say where the data is from."""
    found = {field: pointed(said) for field, names in keys.POINTED.items() if (said := every(package, *names))}
    own = one(package, "url")
    return found | {"source": [*found.get("source", []), {"name": own}]} if _is_words(own) else found


def _is_words(own: Any) -> bool:
    return isinstance(own, str) and not address(own) and url(own) is None


def licence_hints(package: Found) -> list[Any]:
    """Hints of the licence; where the portal says "not specified", what its rights texts tell instead."""
    return [*licences(every(package, *keys.LICENCE)), *resolving("licence", every(package, *keys.RIGHTS))]


def _words(package: Found) -> dict[str, Any]:
    words = [item for key in keys.KEYWORDS if (item := one(package, key))]
    words += [{tag: _plain(said)} for tag, said in localised(package, *keys.KEYWORDS_BY_LANGUAGE).items()]
    return {
        "title": translated(package, "title", "display_name"),
        "description": translated(package, "notes", "description", "extract"),
        "keyword": _keywords(words),
    }


def _keywords(words: list[Any]) -> list[Any]:
    """Words by language first; then the plain ones that no language has (portals repeat them)."""
    by_language = [item for item in words if isinstance(item, Mapping)]
    known = {word for item in by_language for many in item.values() for word in listed(many) if isinstance(word, str)}
    plain = chain.from_iterable(_plain(item) for item in words if not isinstance(item, Mapping))
    return [*by_language, *(word for word in plain if not (isinstance(word, str) and word in known))]


def _plain(words: Any) -> list[Any]:
    if isinstance(words, str):
        return words.replace(";", ",").split(",")
    return [first(w, "display_name", "name") if isinstance(w, Mapping) else w for w in listed(words)]


def _dates(package: Found) -> dict[str, Any]:
    """Dates of the data where the portal has them, else those of the record, which CKAN writes in UTC."""
    reference = {first(d, "type"): first(d, "value") for d in mappings(one(package, "dataset_reference_date"))}
    issued = [*every(package, *keys.ISSUED), reference.get("publication"), reference.get("creation")]
    modified = [*every(package, *keys.MODIFIED), reference.get("revision")]
    return {
        "issued": readable_date(*issued, utc(package.get("metadata_created"))),
        "modified": readable_date(*modified, utc(package.get("metadata_modified"))),
    }


def _identity(package: Found, root: str) -> dict[str, Any]:
    """Identifiers, and the pages of the dataset: the producer's first, then the portal's own."""
    own, page = one(package, "url"), _portal_page(package, root)
    same_host = address(own) and _host(str(own)) == _host(root)
    agency = one(package, *keys.AGENCIES)
    return {
        "identifier": [*every(package, "identifier", "guid"), one(package, "id")],
        "other_identifier": [_other(item, agency) for item in every(package, *keys.OTHER_IDENTIFIERS)],
        "landing_page": [own] if same_host or not page else [own, page],
    }


def _record(package: Found, root: str) -> dict[str, Any]:
    """How the portal registered the dataset; CKAN writes its dates in UTC."""
    guid = one(package, "id", "name")
    query = quote(guid, safe="", errors="replace") if isinstance(guid, str) else ""
    return {
        "uri": f"{root}/api/3/action/package_show?id={query}" if root and query else None,
        "issued": utc(one(package, *keys.RECORD_ISSUED)),
        "modified": readable_date(*(utc(date) for date in every(package, *keys.RECORD_MODIFIED))),
        "language": languages(every(package, *keys.RECORD_LANGUAGE)),
        "conforms_to": pointed(every(package, *keys.RECORD_STANDARD)),
        "source": _harvested_from(package),
    }


def _harvested_from(package: Found) -> list[dict[str, Any]]:
    """Where ckanext-harvest took it from: often the title of the harvest source alone, without its address."""
    url, title = one(package, *keys.HARVESTED_URL), one(package, *keys.HARVESTED_TITLE)
    told = {"uri": url if address(url) else None, "name": title}
    return [filled(told)] if filled(told) else []


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""  # "http://[x": the model says what is wrong with it


def _portal_page(package: Found, root: str) -> str | None:
    name = one(package, "name")
    # A lone surrogate, which JSON can carry and UTF-8 cannot, becomes a question mark.
    return f"{root}/dataset/{quote(name, safe='', errors='replace')}" if root and isinstance(name, str) else None


def _other(item: Any, agency: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        return {"notation": item, "agency": agency}
    notation = first(item, "identifier", "notation", "value", "id", "@value")
    return {"notation": notation, "agency": first(item, "agency", "scheme", "schema") or agency}


def _is_series(package: Found) -> bool:
    kinds = (package.get("type"), package.get("dcat_type"), package.get("resource_type"))
    return any(isinstance(kind, str) and kind.strip().lower() in keys.SERIES_TYPES for kind in kinds)


def _themes(package: Found) -> list[Any]:
    """Themes and groups, each with every name it has; DKAN's organisations among the groups are none."""
    said = labels(every(package, *keys.THEMES))
    return [_theme(item) for item in said if not str(first(item, "name")).startswith("group/")]


def _theme(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    names = [name for key in _THEME_NAMES if (name := item.get(key)) is not None]
    told = chain.from_iterable(name.values() if isinstance(name, dict) else (name,) for name in names)
    return [name for name in told if not blank(name)]


def _types(package: Found) -> list[Any]:
    said = every(package, *keys.TYPES)
    named = [first(item, "title", "name") if isinstance(item, Mapping) else item for item in said]
    return [name for name in named if str(name).strip().lower() not in _SAID_BY_KIND]


def _rights(package: Found) -> Any:
    """One text by language; constraints in several sentences become one."""
    said = one(package, "rights") or every(package, *keys.RIGHTS)
    return "; ".join(map(str, said)) if isinstance(said, list) else said


def _provenance(package: Found) -> Any:
    """The lineage, and after it what Brazilian and Australian schemas say of quality; by language it stands alone."""
    if _LINEAGE.isdisjoint(package):
        return None
    said = one(package, *keys.LINEAGE)
    return joined([*(said if isinstance(said, list) else [said]), *every(package, *keys.QUALITY)], "\n")


def _resolution(package: Found) -> Any:
    """The resolution with its unit, which ISO harvesters write into a key of its own."""
    said, unit = one(package, *keys.SPATIAL_RESOLUTION), one(package, "spatial_resolution_units")
    amount = said[0] if isinstance(said, list) and said else said
    if not isinstance(unit, str) or not _AMOUNT.fullmatch(str(amount).strip()):
        return said
    name = re.split("[:#]", unit.strip())[-1].lower()
    return f"{amount} {keys.UNITS.get(name, name)}"


def _pages(package: Found, found: list[Found]) -> list[Any]:
    documents = [document(each) for each in found]
    dictionaries = every(package, "data_dictionary")
    return [*every(package, *keys.PAGES), *dictionaries, *(each for each in documents if each)]


def _address_of(item: Any) -> Any:
    return first(item, "url", "uri", "@id") if isinstance(item, Mapping) else item


def _qualified_relations(package: Found) -> list[Mapping[str, Any]]:
    return [item for item in every(package, *keys.QUALIFIED_RELATIONS) if isinstance(item, Mapping)]


def _relations(package: Found) -> list[dict[str, Any]]:
    """Related resources, and CKAN's own package relationships, which name the other package by its id."""
    ends = [
        first(link, f"{other}_package_id", other) or first(first(link, "__extras"), f"{other}_package_id")
        for side, other in (("subject", "object"), ("object", "subject"))
        for link in mappings(one(package, f"relationships_as_{side}"))
    ]
    said = [first(item, "dataset_identifier") or item for item in every(package, *keys.RELATIONS)]
    return pointed([*said, *ends])


def _qualified(item: Mapping[str, Any]) -> dict[str, Any]:
    target = first(item, "relation", "target")
    targets = pointed(target) if not blank(target) else []
    return {"target": targets[0] if targets else None, "role": first(item, "role", "had_role")}
