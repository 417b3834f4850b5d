"""A dataset of a data.json feed in the model: pure, total, and field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.common import (
    address,
    blank,
    box,
    filled,
    first,
    listed,
    location,
    mapping,
    mappings,
    period,
    pointed,
    readable_date,
)
from connectors.dcat_us import terms
from connectors.dcat_us.feed import plain_id
from connectors.dcat_us.files import addresses, distributions, service
from connectors.filing import labels, languages, licences, placed
from harvester.connector import Record, Source
from harvester.errors import RecordError
from harvester.model import Dataset


def normalise(record: Record, source: Source) -> Dataset:
    """The dataset that a data.json object describes.  Raises `RecordError` for what is none."""
    pod = mapping(mapping(record.payload).get("pod"))
    if not pod:
        raise RecordError("a dataset of data.json is a JSON object", guid=record.guid, code="not-an-object")
    catalogue = mapping(mapping(record.payload).get("catalogue"))
    licence = licences(_every(pod, terms.LICENCE))
    return Dataset.of(
        filled(
            {
                **{field: first(pod, *names) for field, names in terms.LONE.items()},
                **{field: _every(pod, names) for field, names in terms.MANY.items()},
                **{field: _pointed(_every(pod, names)) for field, names in terms.POINTED.items()},
                **_dates(pod),
                **_identity(pod),
                "kind": "series" if str(pod.get("@type")).endswith("DatasetSeries") else "dataset",
                "keyword": _keywords(pod.get("keyword")),
                "theme": _themes(pod, mapping(catalogue.get("themes"))),
                "language": languages(_every(pod, terms.MANY["language"])),
                "license": licence,
                "publisher": _publisher(pod, catalogue),
                "creator": [agent(item) for item in _every(pod, terms.CREATORS)],
                "contact_point": [contact(item) for item in listed(pod.get("contactPoint"))],
                "page": addresses(_every(pod, terms.PAGES)),
                "landing_page": addresses(listed(pod.get("landingPage"))),
                "spatial": _spatial(pod),
                "temporal": _temporal(pod),
                "provenance": _provenance(pod),
                "qualified_relation": [_qualified(item) for item in mappings(pod.get("qualifiedRelation"))],
                "qualified_attribution": [_attributed(item) for item in mappings(pod.get("qualifiedAttribution"))],
                "sample": distributions(pod.get("sample"), []),
                "distribution": distributions([*listed(pod.get("distribution")), _own_file(pod)], licence),
                "service": [service(item) for item in _every(pod, ("webService", "service"))],
            }
        )
    )


def agent(item: Any) -> dict[str, Any]:
    """An organisation or person; USMART gives the address of a publisher for its name."""
    if not isinstance(item, Mapping):
        return {"name": item}
    found = {field: first(item, *names) for field, names in terms.AGENT.items()}
    if blank(found["homepage"]) and address(found["name"]):
        found["homepage"] = found["name"]
    return found


def contact(item: Any) -> dict[str, Any]:
    """A contact; whatever stands for its e-mail address may be a web form."""
    if not isinstance(item, Mapping):
        return {"email": item} if "@" in str(item) else {"name": item}
    found = {field: first(item, *names) for field, names in terms.CONTACT.items()}
    found["email"] = _mail(found["email"])
    if address(found["email"]):
        return found | {"email": None, "url": found["url"] or found["email"]}
    return found


def _mail(value: Any) -> Any:
    """ArcGIS Hub writes "mailto:" for a contact without an address."""
    value = first(value, "@id", "@value") if isinstance(value, Mapping) else value
    return None if isinstance(value, str) and value.strip().lower() in ("mailto:", "mailto") else value


def _every(pod: Mapping[str, Any], names: terms.Keys) -> list[Any]:
    return [item for name in names for item in listed(pod.get(name))]


def _pointed(items: list[Any]) -> list[dict[str, Any]]:
    """Resources pointed at; of a version or series only its identifier may be known."""
    named = [
        item
        if not isinstance(item, Mapping)
        else {**item, "name": first(item, "title", "name", "identifier", "notation")}
        for item in items
    ]
    return pointed(named)


def _dates(pod: Mapping[str, Any]) -> dict[str, Any]:
    """POD allows a repetition ("R/P1D") for `modified`: that is how often it changes."""
    said = _every(pod, terms.MODIFIED)
    repeating = [value for value in said if isinstance(value, str) and value.startswith("R/P")]
    dates = {
        "issued": readable_date(*_every(pod, terms.ISSUED)),
        "modified": readable_date(*(value for value in said if value not in repeating)),
    }
    return dates | ({"accrual_periodicity": first(pod, "accrualPeriodicity") or repeating[0]} if repeating else {})


def _identity(pod: Mapping[str, Any]) -> dict[str, Any]:
    others = [{"notation": plain_id(item), "agency": _agency(item)} for item in listed(pod.get("otherIdentifier"))]
    return {"uri": first(pod, "@id"), "identifier": plain_id(pod.get("identifier")), "other_identifier": others}


def _agency(item: Any) -> Any:
    agency = first(item, "schemaAgency", "creator")
    return first(agency, "name") if isinstance(agency, Mapping) else agency


def _keywords(value: Any) -> Any:
    """The list it should be; some write one text with commas."""
    if isinstance(value, str):
        return value.replace(";", ",").split(",")
    return [
        first(word, "prefLabel", "label", "@value") if isinstance(word, Mapping) else word for word in listed(value)
    ]


def _themes(pod: Mapping[str, Any], own: Mapping[str, Any]) -> list[Any]:
    """`superTheme` has the codes of the EU vocabulary, `theme` ids of the portal's own taxonomy."""
    said = [*listed(pod.get("superTheme")), *listed(pod.get("theme"))]
    return labels([_theme(item, own) for item in said])


def _theme(item: Any, own: Mapping[str, Any]) -> Any:
    if isinstance(item, Mapping):
        return [name for key in ("prefLabel", "label", "name", "@id", "notation") if (name := first(item, key))]
    return [own[item], item] if isinstance(item, str) and item in own else item


def _publisher(pod: Mapping[str, Any], catalogue: Mapping[str, Any]) -> dict[str, Any] | None:
    for said in (pod.get("publisher"), catalogue.get("publisher")):
        items = listed(said)
        if items and any((found := agent(items[0])).values()):
            return found
    return None


def _spatial(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Places; an Argentine list such as ["ARG", "02"] is a country and its province, not a box."""
    sides = box(pod, terms.BOX_SIDES)
    spatial = pod.get("spatial")
    items = [spatial] if _four_numbers(spatial) else listed(spatial)
    places = [location(item) for item in (*items, *listed(pod.get("coverageArea")))]
    return placed([*places, {"bbox": sides}] if sides else places)


def _four_numbers(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(isinstance(side, int | float) for side in value)


def _temporal(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    ends = {"start": first(pod, "temporalCoverageStart"), "end": first(pod, "temporalCoverageEnd")}
    return [*(period(item) for item in listed(pod.get("temporal"))), ends]


def _provenance(pod: Mapping[str, Any]) -> Any:
    said = first(pod, "provenance", "lineage")
    items = [
        first(item, "label", "description", "@value") if isinstance(item, Mapping) else item for item in listed(said)
    ]
    return items[0] if items else None


def _qualified(item: Mapping[str, Any]) -> dict[str, Any]:
    targets = _pointed(listed(first(item, "relation")))
    return {"target": targets[0] if targets else None, "role": first(item, "hadRole", "role")}


def _attributed(item: Mapping[str, Any]) -> dict[str, Any]:
    targets = pointed(first(item, "agent"))
    return {"target": targets[0] if targets else None, "role": first(item, "hadRole", "role")}


def _own_file(pod: Mapping[str, Any]) -> Any:
    """POD 1.0 had the address of the data on the dataset itself."""
    return {key: pod[key] for key in ("accessURL", "downloadURL", "format", "mediaType") if not blank(pod.get(key))}
