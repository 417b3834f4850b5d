"""A dataset of a data.json feed in the model: pure, total, and field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.common import (
    blank,
    box,
    filled,
    first,
    joined,
    listed,
    location,
    mapping,
    mappings,
    period,
    pointed,
    readable_date,
    shape,
)
from connectors.dcat_us import terms
from connectors.dcat_us.agents import agent, attributions, contact
from connectors.dcat_us.feed import plain_id
from connectors.dcat_us.files import addresses, distributions, rights, service, themes
from connectors.filing import languages, licences, placed
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
    served = ((pod, ("webService", "service")), (catalogue, ("services",)))
    return Dataset.of(
        filled(
            {
                **{field: first(pod, *names) for field, names in terms.LONE.items()},
                **{field: _every(pod, names) for field, names in terms.MANY.items()},
                **{field: _pointed(_every(pod, names)) for field, names in terms.POINTED.items()},
                **_dates(pod),
                **_identity(pod),
                "description": _description(pod),
                "rights": rights(pod),
                "kind": "series" if str(pod.get("@type")).endswith("DatasetSeries") else "dataset",
                "keyword": _keywords(pod.get("keyword")),
                "theme": themes(pod, mapping(catalogue.get("themes"))),
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
                "qualified_attribution": attributions(pod),
                "sample": distributions(pod.get("sample"), []),
                "distribution": distributions([*listed(pod.get("distribution")), _own_file(pod)], licence),
                "service": [service(item) for part, names in served for item in _every(part, names)],
                "record": {"conforms_to": _pointed(_every(catalogue, terms.STANDARDS))},
            }
        )
    )


def _every(pod: Mapping[str, Any], names: terms.Keys) -> list[Any]:
    return [item for name in names if (said := pod.get(name)) is not None for item in listed(said)]


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
    items = [spatial] if shape(spatial) else listed(spatial)
    places = [location(item) for item in (*items, *listed(pod.get("coverageArea")))]
    return placed([*places, {"bbox": sides}] if sides else places)


def _temporal(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    ends = {"start": first(pod, "temporalCoverageStart"), "end": first(pod, "temporalCoverageEnd")}
    return [*(period(item) for item in listed(pod.get("temporal"))), ends]


def _provenance(pod: Mapping[str, Any]) -> Any:
    said = listed(first(pod, *terms.PROVENANCE))
    return joined(
        [first(item, "label", "description", "@value") if isinstance(item, Mapping) else item for item in said], "\n"
    )


def _description(pod: Mapping[str, Any]) -> Any:
    said = first(pod, "description")
    return joined(_every(pod, terms.DESCRIPTION), "\n\n") if not blank(pod.get("notes")) else said


def _qualified(item: Mapping[str, Any]) -> dict[str, Any]:
    targets = _pointed(listed(first(item, "relation")))
    return {"target": targets[0] if targets else None, "role": first(item, "hadRole", "role")}


def _own_file(pod: Mapping[str, Any]) -> Any:
    """POD 1.0 had the address of the data on the dataset itself."""
    return {key: pod[key] for key in ("accessURL", "downloadURL", "format", "mediaType") if not blank(pod.get(key))}
