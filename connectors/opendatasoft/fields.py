"""An Opendatasoft dataset as the raw fields of `Dataset`: every metadata of the portal that DCAT-AP can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from connectors.common import blank, filled, first, listed, pointed, readable_date
from connectors.filing import labels, licences
from connectors.opendatasoft.files import distributions, entry_of
from connectors.opendatasoft.interop import (
    DOCUMENTATION,
    FREQUENCY,
    LANDING_PAGE,
    LICENCE,
    OTHER_IDENTIFIER,
    RELATED,
    access,
    contact,
    every,
    interoperable,
    issued,
    periods,
    provenance,
    related,
    urls,
)
from connectors.opendatasoft.places import places
from connectors.opendatasoft.shapes import Seen, seen
from harvester.fields.terms import Term
from harvester.vocabularies import themes

Fields = dict[str, Any]

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
_CONTRIBUTOR = "http://id.loc.gov/vocabulary/relators/ctb"
_OWNER = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/owner"


def described(payload: Any, host: str) -> Fields:
    """Every field that the dataset fills; `host` is the portal's own."""
    ods = seen(payload)
    default, interop, dublin = ods.default, ods.interop, ods.dublin
    licence = licence_of(ods)
    modified = readable_date(default.get("modified"), default.get("data_processed"), default.get("metadata_processed"))
    open_data = visible(ods)
    fields: Fields = {
        **_identity(ods, host),
        **_actors(ods),
        **_references(ods),
        **interoperable(interop),
        **access(ods, _access(ods, open_data)),
        "title": tongued(ods, default.get("title")) or dublin.get("title") or ods.id,
        "description": tongued(ods, default.get("description")) or dublin.get("description"),
        "keyword": tongued(ods, list(keywords([*listed(default.get("keyword")), *listed(dublin.get("subject"))]))),
        "theme": list(_themes(ods)),
        "type": listed(ods.dcat.get("type") or ods.dcat.get("dcattype")),
        "language": languages(ods),
        "license": licence,
        "accrual_periodicity": _frequency(ods),
        "issued": issued(interop),
        "modified": modified,
        "spatial": list(places(ods)),
        "temporal": list(periods(interop)),
        "spatial_resolution_in_meters": _distance(
            first(interop, "spatialresolutioninmeters") or ods.inspire.get("spatialresolution")
        ),
        "provenance": provenance(ods),
        "applicable_legislation": listed(interop.get("applicablelegislation")),
        "hvd_category": listed(interop.get("hvdcategory")),
        "distribution": distributions(ods, host, licence, readable_date(default.get("data_processed"), modified)),
        "record": _record(ods, host),
    }
    return filled(fields)


def licence_of(ods: Seen) -> list[Any]:
    """What the portal's own field says, with its address as another hint; else what the other groups say."""
    own = [value for key in ("license", "license_url") if not blank(value := ods.default.get(key))]
    return licences(own or every(ods.interop, LICENCE) or every(ods.custom, LICENCE))


def keywords(values: list[Any]) -> Iterator[Any]:
    """Each keyword of texts such as "arbre;vert"; entities hold a semicolon too."""
    for value in values:
        yield from unescape(value).split(";") if isinstance(value, str) and ";" in value else (value,)


def visible(ods: Seen) -> bool:
    """Whether everybody may have the data: older APIs do not say, and then list only what is open."""
    return ods.item.get("data_visible") is not False and _visibility(ods) != "restricted"


def languages(ods: Seen) -> list[Any]:
    """The language of the data; where it is not told, those of the metadata."""
    told = listed(ods.default.get("language")) or _written(ods)
    return told or listed(ods.dublin.get("language"))


def _written(ods: Seen) -> list[Any]:
    """The languages of the metadata."""
    return listed(ods.default.get("metadata_languages"))


def tongued(ods: Seen, said: Any) -> Any:
    """What the portal's own group says, in the language of the metadata; of several the API does not tell which."""
    written = _written(ods)
    if len(written) != 1 or not isinstance(written[0], str) or blank(said) or isinstance(said, dict):
        return said
    return {written[0]: said}


def _visibility(ods: Seen) -> Any:
    return ods.item.get("visibility") or ods.default.get("visibility")


def _access(ods: Seen, open_data: bool) -> str | None:
    """What the portal does: PUBLIC only where the portal says so twice; nothing where it is silent."""
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
        {"notation": ods.interop.get("identifier")},
        *({"notation": value} for value in every(ods.interop, OTHER_IDENTIFIER)),
    ]
    return {
        "uri": original or page,
        "identifier": ods.id,
        "other_identifier": [one for one in known if not blank(one["notation"])],
        "landing_page": [*([original] if original else []), page, *urls(every(ods.interop, LANDING_PAGE))],
        "source": [*([{"uri": original}] if original else []), *pointed(ods.dublin.get("source"))],
        "publisher": {
            "name": default.get("publisher") or ods.interop.get("publisher"),
            "type": ods.interop.get("publishertype"),
        },
    }


def _record(ods: Seen, host: str) -> Fields:
    """The entry in the portal's catalogue, and for a federated dataset the one it is a copy of."""
    origin, remote = origin_of(ods)
    return {
        "uri": entry_of(ods, host, ods.id),
        "modified": ods.default.get("metadata_processed"),
        "language": _written(ods),
        "source": [{"uri": entry_of(ods, origin, remote)}] if origin and remote else [],
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
        contact(ods.interop),
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
        "contact_point": [one for one in contacts if one is not contacts[2] or one["email"]],
        "creator": pointed(creators),
        "qualified_attribution": [
            *({"target": one, "role": _CONTRIBUTOR} for one in pointed(helpers)),
            *({"target": one, "role": _OWNER} for one in pointed(ods.interop.get("rightsholder"))),
            *({"target": one} for one in pointed(ods.default.get("attributions"))),
        ],
    }


def _references(ods: Seen) -> Fields:
    """`references` is one text with a URL, several, or only words."""
    references = [text for text in listed(ods.default.get("references")) if isinstance(text, str)]
    words = [{"name": text} for text in references if not any(urls([text]))]
    return {
        "page": [*urls(references), *urls(every(ods.interop, DOCUMENTATION))],
        "relation": [*words, *related(every(ods.interop, RELATED))],
    }


def _themes(ods: Seen) -> Iterator[Any]:
    """One term per theme: names of the vendor's own list hold commas, portals join several, and one may mean two."""
    told = (ods.default.get("theme"), ods.inspire.get("theme"), ods.dcat.get("theme"))
    for label in labels([theme for value in told for theme in listed(value)]):
        concepts = themes(label) if isinstance(label, str) else ()
        yield from (Term(label, concept.uri) for concept in concepts) if concepts else (label,)


def _frequency(ods: Seen) -> list[Any]:
    told = (
        ods.default.get("update_frequency"),
        first(ods.interop, *FREQUENCY),
        first(ods.custom, *CUSTOM_FREQUENCY),
    )
    return [value for value in told if not blank(value)]


def _distance(value: Any) -> Any:
    """INSPIRE's resolution is free text: a scale ("1/25000") or a level ("commune") is no distance."""
    text = str(value) if isinstance(value, int | float | str) else ""
    return text if re.fullmatch(r"\s*\d+(?:[.,]\d+)?\s*k?m?\s*", text) else None
