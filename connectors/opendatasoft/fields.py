"""An Opendatasoft dataset as the raw fields of `Dataset`: every metadata of the portal that DCAT-AP can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
    period,
    pointed,
    readable_date,
)
from connectors.filing import labels
from connectors.opendatasoft.files import distributions
from connectors.opendatasoft.shapes import Seen, seen
from harvester.fields.terms import Term
from harvester.vocabularies import themes

Fields = dict[str, Any]

_URL = re.compile(r"https?://[^\s,;|<>\"']+")
_SIDES = tuple(
    f"extendboundingbox{side}"
    for side in ("westboundlongitude", "southboundlatitude", "eastboundlongitude", "northboundlatitude")
)
# What portals call their own frequency and contact fields (data.economie.gouv.fr: `periodicity`).
CUSTOM_FREQUENCY = (
    "updatefrequency",
    "periodicity",
    "periodicite",
    "frequency",
    "frequence",
    "frequencedemiseajour",
    "frequencemaj",
)
CUSTOM_CONTACT_NAME = ("contactname", "contact", "contactpoint", "nomducontact")
CUSTOM_CONTACT_EMAIL = ("contactemail", "email", "courriel", "emailcontact", "mail")
NOT_VISIBLE = {
    "en": "The portal lists this dataset but does not give its data to everybody.",
    "fr": "Le portail référence ce jeu de données mais ne donne pas ses données à tous.",
}
_CONTRIBUTOR = "http://id.loc.gov/vocabulary/relators/ctb"


def described(payload: Any, host: str) -> Fields:
    """Every field that the dataset fills; `host` is the portal's own."""
    ods = seen(payload)
    default, dcat, dublin = ods.default, ods.dcat, ods.dublin
    licence = [value for key in ("license", "license_url") if not blank(value := default.get(key))]
    modified = readable_date(default.get("modified"), default.get("data_processed"), default.get("metadata_processed"))
    open_data = visible(ods)
    fields: Fields = {
        **_identity(ods, host),
        **_actors(ods),
        **_references(ods),
        "title": default.get("title") or dublin.get("title") or ods.id,
        "description": default.get("description") or dublin.get("description"),
        "keyword": [*listed(default.get("keyword")), *listed(dublin.get("subject"))],
        "theme": list(_themes(ods)),
        "type": listed(dcat.get("type") or dcat.get("dcattype")),
        "language": languages(ods),
        "license": licence or first(dcat, "license") or first(ods.custom, "license", "licence"),
        "access_rights": first(dcat, "accessrights") or _access(ods, open_data),
        "rights": None if open_data else NOT_VISIBLE,
        "accrual_periodicity": _frequency(ods),
        "issued": readable_date(*(dcat.get(key) for key in ("issued", "created")), dublin.get("date")),
        "modified": modified,
        "spatial": list(_spatial(ods)),
        "temporal": list(_temporal(ods)),
        "spatial_resolution_in_meters": _distance(ods.inspire.get("spatialresolution")),
        "conforms_to": pointed(dcat.get("conformsto")),
        "provenance": _provenance(ods),
        "applicable_legislation": listed(dcat.get("applicablelegislation")),
        "hvd_category": listed(first(dcat, "hvdcategory")),
        "distribution": distributions(ods, host, licence, readable_date(default.get("data_processed"), modified)),
    }
    return filled(fields)


def visible(ods: Seen) -> bool:
    """Whether everybody may have the data: older APIs do not say, and then list only what is open."""
    return ods.item.get("data_visible") is not False and _visibility(ods) != "restricted"


def languages(ods: Seen) -> list[Any]:
    """The language of the data; where it is not told, those of the metadata."""
    told = listed(ods.default.get("language")) or listed(ods.default.get("metadata_languages"))
    return told or listed(ods.dublin.get("language"))


def _visibility(ods: Seen) -> Any:
    return ods.item.get("visibility") or ods.default.get("visibility")


def _access(ods: Seen, open_data: bool) -> str | None:
    """PUBLIC only where the portal says so twice; nothing where it is silent."""
    if not open_data:
        return "RESTRICTED"
    return "PUBLIC" if ods.item.get("data_visible") is True and _visibility(ods) == "domain" else None


def _identity(ods: Seen, host: str) -> Fields:
    default = ods.default
    page = f"https://{host}/explore/dataset/{ods.id}/"
    origin, remote = origin_of(ods)
    original = f"https://{origin}/explore/dataset/{remote}/" if origin and remote else None
    known: list[Fields] = [
        {"notation": ods.id, "agency": host},
        {"notation": ods.item.get("dataset_uid"), "agency": host},
        {"notation": remote, "agency": origin},
        {"notation": ods.inspire.get("fileidentifier")},
        {"notation": ods.dublin.get("identifier") or ods.dcat.get("identifier")},
    ]
    return {
        "uri": original or page,
        "identifier": ods.id,
        "other_identifier": [one for one in known if not blank(one["notation"])],
        "landing_page": [*([original] if original else []), page],
        "source": [*([{"uri": original}] if original else []), *pointed(ods.dublin.get("source"))],
        "publisher": {
            "name": default.get("publisher") or ods.dublin.get("publisher"),
            "type": ods.dcat.get("publishertype"),
        },
    }


def origin_of(ods: Seen) -> tuple[str | None, str | None]:
    """The host and the identifier of the original of a federated dataset; a bare domain name is the vendor's."""
    default = ods.default
    domain = first(default, "source_domain_address", "source_domain")
    remote = default.get("source_dataset")
    if not isinstance(domain, str) or not domain:
        return None, None
    host = domain.partition("://")[2].strip("/") if "://" in domain else domain.strip("/")
    return host if "." in host else f"{host}.opendatasoft.com", remote if isinstance(remote, str) and remote else None


def _actors(ods: Seen) -> Fields:
    dcat, inspire, custom = ods.dcat, ods.inspire, ods.custom
    contacts: list[Fields] = [
        {"name": dcat.get("contactname"), "email": dcat.get("contactemail")},
        {
            "name": inspire.get("contactindividualname"),
            "email": inspire.get("contactemail"),
            "role": inspire.get("contactposition"),
        },
        {"name": first(custom, *CUSTOM_CONTACT_NAME), "email": first(custom, *CUSTOM_CONTACT_EMAIL)},
    ]
    creators = [*listed(dcat.get("creator")), *listed(ods.dublin.get("creator"))]
    helpers = [*listed(dcat.get("contributor")), *listed(ods.dublin.get("contributor"))]
    return {
        # The name alone reaches nobody: a custom field called "contact" may hold anything.
        "contact_point": [one for one in contacts if one["email"] or one is not contacts[2]],
        "creator": pointed(creators),
        "qualified_attribution": [
            *({"target": one, "role": _CONTRIBUTOR} for one in pointed(helpers)),
            *({"target": one} for one in pointed(ods.default.get("attributions"))),
        ],
    }


def _references(ods: Seen) -> Fields:
    """`references` is one text with a URL, several, or only words."""
    references = [text for text in listed(ods.default.get("references")) if isinstance(text, str)]
    related = [*listed(ods.dcat.get("relation")), *listed(ods.dublin.get("relation"))]
    words = [{"name": text} for text in references if not _URL.search(text)]
    return {"page": list(_urls(references)), "relation": [*words, *_related(related)]}


def _related(values: list[Any]) -> Iterator[Fields]:
    for value in values:
        found = list(_urls([value])) if isinstance(value, str) else []
        yield from ({"uri": url} for url in found) if found else pointed(value)


def _urls(texts: list[str]) -> Iterator[str]:
    return (url.rstrip(".)") for text in texts for url in _URL.findall(text))


def _themes(ods: Seen) -> Iterator[Any]:
    """One term per theme: names of the vendor's own list hold commas, portals join several, and one may mean two."""
    told = (ods.default.get("theme"), ods.inspire.get("theme"), ods.dcat.get("theme"))
    for label in labels([theme for value in told for theme in listed(value)]):
        concepts = themes(label) if isinstance(label, str) else ()
        yield from (Term(label, concept.uri) for concept in concepts) if concepts else (label,)


def _frequency(ods: Seen) -> list[Any]:
    told = (
        ods.default.get("update_frequency"),
        first(ods.dcat, "accrualperiodicity"),
        first(ods.custom, *CUSTOM_FREQUENCY),
    )
    return [value for value in told if not blank(value)]


def _spatial(ods: Seen) -> Iterator[Fields]:
    default = ods.default
    for name in listed(default.get("territory")):
        yield {"name": name}
    if mapping(default.get("geographic_area")):
        yield {"geometry": default["geographic_area"]}
    if mapping(default.get("bbox")):
        yield {"bbox": default["bbox"]}
    for value in (*listed(ods.dcat.get("spatial")), *listed(ods.dublin.get("coverage"))):
        yield location(value)
    if sides := box(ods.inspire, _SIDES):
        yield {"bbox": sides}


def _temporal(ods: Seen) -> Iterator[Fields]:
    start, end = ods.dcat.get("temporalcoveragestart"), ods.dcat.get("temporalcoverageend")
    if start or end:
        yield {"start": start, "end": end}
    for value in listed(ods.dcat.get("temporal")):
        yield period(value)


def _distance(value: Any) -> Any:
    """INSPIRE's resolution is free text: a scale ("1/25000") or a level ("commune") is no distance."""
    text = str(value) if isinstance(value, int | float | str) else ""
    return text if re.fullmatch(r"\s*\d+(?:[.,]\d+)?\s*k?m?\s*", text) else None


def _provenance(ods: Seen) -> str | None:
    told = (ods.dcat.get("dataquality"), ods.inspire.get("topologicconsistency"), ods.dcat.get("provenance"))
    return "\n\n".join(text for text in told if isinstance(text, str) and not address(text)) or None
