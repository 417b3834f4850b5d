"""A udata dataset (API v1, or v2 with its resources as links) as the raw fields of `Dataset`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from connectors.common import (
    blank,
    filled,
    first,
    json_text,
    listed,
    mapping,
    mappings,
    period,
    readable_date,
    utc,
    web_iri,
)
from connectors.filing import filed, labels, licences, service_at
from connectors.udata.extras import (
    access_of,
    frequency_of,
    older_contacts,
    reference_dates,
    reference_systems,
    remote_places,
    rights_of,
)
from connectors.udata.vocabulary import (
    ACCESS,
    ATTRIBUTION_ROLES,
    BADGE_LEGISLATION,
    BADGE_TYPES,
    DISTRIBUTOR_ROLE,
    HVD_REGULATION,
    HVD_TAGS,
    ORGANISATION_TYPES,
    PERSON,
    PUBLISHER_ROLE,
    zone_hints,
)

Item = Mapping[str, Any]
Fields = dict[str, Any]

# The facts of a harvested dataset: its `harvest` block, and where they stood in `extras` before 2022.
OLDER_PLACES: dict[str, tuple[str, ...]] = {
    "remote_id": ("harvest:remote_id",),
    "domain": ("harvest:domain",),
    "remote_url": ("remote_url", "ods:url", "harvest:remote_url"),
    "uri": ("uri", "guid"),
    "dct_identifier": ("dct:identifier", "identifier"),
    "issued_at": ("issued",),
    "modified_at": ("modified",),
    "references": ("ods:references",),
    "name": ("ckan:name",),
}
NEWER_PLACES: dict[str, tuple[str, ...]] = {name: (name,) for name in (*OLDER_PLACES, "created_at")} | {
    "references": ("ods_references",),
    "name": ("ckan_name",),
    "remote_url": ("remote_url", "ods_url"),
}
# Identifiers that other systems left in `extras`, and who gave them.
EXTRA_IDENTIFIERS = {
    "inspire:identifier": None,
    "inspire:resource_identifier": None,
    "geop:dataset_id": "geo.data.gouv.fr",
    "datagouv_ckan_id": "ckan.data.gouv.fr",
    "datafairDatasetId": None,
}
_PERIOD = re.compile(r"(\d{4}-\d{2}-\d{2})-(\d{4}-\d{2}-\d{2})")


def described(item: Item, site: str) -> Fields:
    """Every field that the dataset fills; `site` is the root of the portal."""
    extras, licence, badges = mapping(item.get("extras")), licence_of(item), labels_of(item)
    origin = origin_of(item, extras)
    resources = mappings(item.get("resources")) if isinstance(item.get("resources"), list) else []
    fields: Fields = {
        **_identity(item, origin, extras, _home(item, site)),
        **_actors(item, extras),
        **_coverage(item, extras),
        **_legislation(item, badges),
        "title": item.get("title"),
        "description": item.get("description") or item.get("description_short"),
        "keyword": [*listed(item.get("tags")), *badges, *listed(item.get("acronym"))],
        "theme": labels(listed(json_text(extras.get("theme")))),
        "language": first(extras, "language", "Langue"),
        "license": licence,
        "access_rights": ACCESS.get(str(item.get("access_type"))) or access_of(extras),
        "rights": _rights(item, extras),
        "accrual_periodicity": frequency_of(item, extras),
        **_dates(item, origin, extras),
        "conforms_to": [*schema(item.get("schema")), *reference_systems(extras)],
        "page": [*_documentation(resources), *_references(origin, extras)],
        "distribution": [distribution(one, licence, badges) for one in resources],
        "record": _record(item, site),
    }
    return filled(fields)


def _dates(item: Item, origin: Item, extras: Item) -> Fields:
    """What the producer declared, else what the portal noted: of the data, then of the metadata."""
    told = reference_dates(extras) if "dataset-reference-date" in extras else {}
    # Before 2023 udata wrote its own dates, which are in UTC, without saying so.
    created, updated, edited = (utc(item.get(key)) for key in ("created_at", "last_update", "last_modified"))
    return {
        "issued": readable_date(
            origin.get("issued_at"),
            told.get("publication"),
            told.get("creation"),
            origin.get("created_at"),
            created,
        ),
        "modified": readable_date(origin.get("modified_at"), told.get("revision"), updated, edited),
    }


def _record(item: Item, site: str) -> Fields:
    """How the portal registered the dataset: its own dates, where it tells those of a harvested one from the rest."""
    own, guid = mapping(item.get("internal")), item.get("id")
    return {
        "uri": f"{site}/api/1/datasets/{guid}/" if site and isinstance(guid, str) and guid else None,
        "issued": utc(own.get("created_at_internal") or item.get("created_at")),
        "modified": utc(own.get("last_modified_internal") or item.get("last_modified")),
    }


def origin_of(item: Item, extras: Item) -> Fields:
    """Where a harvested dataset comes from, whatever the generation of udata that tells it."""
    block = mapping(item.get("harvest"))
    older = {name: first(extras, *keys) for name, keys in OLDER_PLACES.items()} if extras else {}
    newer = {name: first(block, *keys) for name, keys in NEWER_PLACES.items()} if block else {}
    return {**older, **{name: value for name, value in newer.items() if value is not None}}


def licence_of(item: Item) -> Any:
    """The licence as hints; v2 may expand it to an object."""
    licence = item.get("license")
    hints = [licence.get(key) for key in ("title", "id", "url")] if isinstance(licence, Mapping) else listed(licence)
    return licences([hint for hint in hints if not blank(hint)])


def labels_of(item: Item) -> list[str]:
    """The badges; before they existed for high-value data, the tag of a certified organisation said the same."""
    kinds = badge_kinds(item)
    certified = "certified" in badge_kinds(mapping(item.get("organization")))
    return [*kinds, "hvd"] if certified and "hvd" in listed(item.get("tags")) and "hvd" not in kinds else kinds


def badge_kinds(item: Item) -> list[str]:
    """The kinds of the badges of a dataset or of an organisation."""
    kinds = (badge.get("kind") for badge in mappings(item.get("badges")))
    return [kind for kind in kinds if isinstance(kind, str)]


def schema(value: Any) -> list[Fields]:
    """The schema of data: its name (2020), or an object with name, version and url (all of them may be missing)."""
    if isinstance(value, str):
        return [{"uri": value} if "://" in value else {"name": value}] if value else []
    found = mapping(value)
    named = " ".join(text for key in ("name", "version") if isinstance(text := found.get(key), str) and text)
    return [{"uri": found.get("url"), "name": named}] if named or found.get("url") else []


def distribution(resource: Item, licence: Any, badges: list[str]) -> Fields:
    """`latest` is udata's permanent address of the resource, `url` where it really is."""
    harvest, url = mapping(resource.get("harvest")), resource.get("url")
    formats, facts = filed(resource.get("format"), resource.get("mime"), url)
    service = resource.get("type") == "api" or facts.service
    return filled(
        {
            **formats,
            "uri": web_iri(harvest.get("uri")),
            "identifier": resource.get("id"),
            "title": resource.get("title"),
            "description": resource.get("description"),
            "access_url": url if service else listed([resource.get("latest"), url]),
            "download_url": None if service or facts.page else url,
            "access_service": _service(resource) if service else None,
            "byte_size": resource.get("filesize"),
            "checksum": _checksum(resource.get("checksum")),
            "license": licence,
            "issued": _issued(resource, harvest),
            "modified": readable_date(harvest.get("modified_at"), utc(resource.get("last_modified"))),
            "conforms_to": schema(resource.get("schema")),
            "applicable_legislation": [HVD_REGULATION] if "hvd" in badges else [],
        }
    )


def _issued(resource: Item, harvest: Item) -> Any:
    remote = (harvest.get("issued_at"), harvest.get("created_at"))
    return readable_date(*remote, utc(resource.get("published")), utc(resource.get("created_at")))


def _service(resource: Item) -> Fields:
    url, title = resource.get("url"), resource.get("title")
    found = service_at(url, title, resource.get("format")) if isinstance(url, str) else {"title": title}
    documented = first(resource.get("extras"), "apidocUrl")
    return found | ({"endpoint_description": documented} if documented else {})


def _checksum(value: Any) -> Fields | None:
    found = mapping(value)
    return {"algorithm": found.get("type"), "value": found.get("value")} if found.get("value") else None


def _identity(item: Item, origin: Item, extras: Item, home: str) -> Fields:
    domain, remote = origin.get("domain"), origin.get("remote_url")
    original = web_iri(origin.get("uri"))
    known = [origin.get(name) for name in ("remote_id", "dct_identifier", "name")]
    others = [{"notation": value, "agency": domain} for value in known if not blank(value)]
    left = [{"notation": extras.get(key), "agency": by} for key, by in EXTRA_IDENTIFIERS.items() if extras.get(key)]
    own = [{"notation": item.get("id"), "agency": urlsplit(home).netloc}] if item.get("id") else []
    return {
        "uri": original or permalink(item, home),
        "identifier": item.get("id"),
        "other_identifier": [*own, *others, *left],
        "landing_page": [page for page in (remote, item.get("page") or item.get("url")) if not blank(page)],
        "source": [{"uri": found} for found in dict.fromkeys((original, web_iri(remote))) if found],
    }


def permalink(item: Item, home: str) -> str | None:
    """The address that survives a change of slug, and that udata's own RDF gives to a dataset not harvested."""
    return f"{home}/datasets/{item['id']}/" if isinstance(item.get("id"), str) and item["id"] else None


def _home(item: Item, site: str) -> str:
    page = item.get("page") or item.get("url")
    # Scheme and host, which all pages of a portal share, end before the third slash.
    pieces = (page if isinstance(page, str) and page.startswith("http") else site).split("/", 3)
    return _origin("/".join(pieces[:3]))


@lru_cache(maxsize=256)
def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "https://"
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _actors(item: Item, extras: Item) -> Fields:
    """A contact with the role of publisher is the publisher; the owner then only distributes (udata `rdf.py`)."""
    contacts = mappings(item.get("contact_points")) or (older_contacts(extras) if extras else [])
    by_role = {role: [one for one in contacts if one.get("role") == role] for role in ("publisher", "creator")}
    owner = owner_of(item)
    declared = by_role["publisher"][:1]
    attributions = [*_attributions(contacts), *_remote_publisher(extras)]
    if declared and owner:
        attributions.append(_attribution(owner, DISTRIBUTOR_ROLE))
    return {
        "publisher": _party(declared[0]) if declared else owner,
        "creator": [_party(one) for one in by_role["creator"]],
        "contact_point": [*(_contact(one) for one in contacts if _is_contact(one)), *_remote_contact(extras)],
        "qualified_attribution": attributions,
    }


def owner_of(item: Item) -> Any:
    """The organisation, else the person; a dump may give the bare name of the organisation."""
    organisation, person = item.get("organization"), mapping(item.get("owner"))
    if isinstance(organisation, Mapping):
        kinds = badge_kinds(organisation)
        return {
            "uri": None,
            "name": organisation.get("name"),
            "type": next((ORGANISATION_TYPES[kind] for kind in kinds if kind in ORGANISATION_TYPES), None),
            "identifier": organisation.get("business_number_id"),
            "homepage": organisation.get("page") or organisation.get("url"),
            "email": organisation.get("email"),
        }
    if isinstance(organisation, str) and organisation:
        return {"name": organisation}
    name = " ".join(text for key in ("first_name", "last_name") if isinstance(text := person.get(key), str))
    return {"name": name.strip(), "type": PERSON, "homepage": person.get("page")} if name.strip() else None


def _party(contact: Item) -> Fields:
    return {"name": contact.get("name"), "email": contact.get("email")}


def _contact(contact: Item) -> Fields:
    return {
        "name": contact.get("name"),
        "email": contact.get("email"),
        "url": contact.get("contact_form"),
        "role": contact.get("role"),
    }


def _is_contact(contact: Item) -> bool:
    """Whether to list it among those to ask: also for what publisher, creator and attribution have no field for."""
    role = contact.get("role")
    if role in ("publisher", "creator"):
        return not blank(contact.get("contact_form"))
    attributed = isinstance(role, str) and role in ATTRIBUTION_ROLES
    return not attributed or first(contact, "email", "contact_form") is not None


def _attributions(contacts: list[Item]) -> Iterator[Fields]:
    for contact in contacts:
        role = contact.get("role")
        if isinstance(role, str) and role in ATTRIBUTION_ROLES:
            yield _attribution(contact, ATTRIBUTION_ROLES[role])


def _attribution(agent: Item, role: str) -> Fields:
    fields = ("name", "type", "identifier", "homepage", "email")
    return {"target": {field: agent.get(field) for field in fields}, "role": role}


def _remote_publisher(extras: Item) -> Iterator[Fields]:
    """Who published the dataset on the portal it was harvested from (CKAN and DCAT sources, 2018 to 2022)."""
    if name := first(extras, "publisher_name"):
        agent = {"uri": web_iri(extras.get("publisher_uri")), "name": name, "email": first(extras, "publisher_email")}
        yield {"target": agent, "role": PUBLISHER_ROLE}


def _remote_contact(extras: Item) -> Iterator[Fields]:
    """The address of that publisher, where people can be asked."""
    if email := first(extras, "publisher_email"):
        yield {"name": first(extras, "publisher_name"), "email": email, "role": "publisher"}


def _coverage(item: Item, extras: Item) -> Fields:
    spatial = mapping(item.get("spatial"))
    zones = [zone_hints(zone) for zone in listed(spatial.get("zones"))]
    shapes = [shape for shape in (spatial.get("geom"), extras.get("spatial")) if not blank(shape)]
    named = [{"place": hints} for hints in zones if hints]
    return {
        "spatial": [*(named or remote_places(extras)), *({"geometry": shape} for shape in shapes[:1])],
        "temporal": periods(item.get("temporal_coverage")),
    }


def periods(value: Any) -> list[Fields]:
    """A period as an object, as a list of two dates, or as the text `2010-01-01-2012-12-31` of the search filter."""
    if isinstance(value, str):
        found = _PERIOD.fullmatch(value.strip())
        return [{"start": found[1], "end": found[2]} if found else period(value)] if value else []
    if isinstance(value, list) and len(value) == 2 and not mappings(value):
        return [{"start": value[0], "end": value[1]}]
    return [{"start": one.get("start"), "end": one.get("end")} for one in mappings(value)]


def _legislation(item: Item, badges: list[str]) -> Fields:
    tags = [tag for tag in listed(item.get("tags")) if isinstance(tag, str)]
    hvd = "hvd" in badges
    return {
        "applicable_legislation": [BADGE_LEGISLATION[kind] for kind in badges if kind in BADGE_LEGISLATION],
        # The tag `statistiques` is an everyday word: only on a high-value dataset does it name the category.
        "hvd_category": [HVD_TAGS[tag] for tag in tags if tag in HVD_TAGS] if hvd else [],
        "type": [BADGE_TYPES[kind] for kind in badges if kind in BADGE_TYPES],
    }


def _rights(item: Item, extras: Item) -> Any:
    told = [item.get("access_type_reason"), *rights_of(extras), item.get("authorization_request_url")]
    parts = [text for text in told if isinstance(text, str) and text]
    return " ".join(dict.fromkeys(parts)) or None


def _documentation(resources: list[Item]) -> list[Any]:
    return [one.get("url") for one in resources if one.get("type") == "documentation"]


def _references(origin: Item, extras: Item) -> list[Any]:
    """Opendatasoft's references are free text, of which udata's harvester kept whatever was there."""
    found = [origin.get("references"), first(extras, "transport:url")]
    return [text for text in found if isinstance(text, str) and "://" in text]
