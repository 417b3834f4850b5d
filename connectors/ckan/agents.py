"""Who publishes, made and answers for a CKAN package: organisation, `publisher_*`, author, maintainer, contacts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

from connectors.ckan import keys
from connectors.ckan.reading import Found, every, flat, lone, one, translated
from connectors.common import address, blank, filled, first, listed, mappings

# data.gov.au once stored the printed form of a Python dict: {u'name': u'City of Hobart'}.
_PRINTED = re.compile(r"\{u?'name': u?['\"](.+?)['\"][},].*")
_DKAN_GROUP = "group/"
_CONTRIBUTOR = "http://id.loc.gov/vocabulary/relators/ctb"
# Roles of ISO 19115 (CI_RoleCode) as ckanext-spatial writes them in `responsible-party`.
_PUBLISHING = frozenset(("publisher", "owner", "resourceProvider", "distributor", "custodian"))
_CREATING = frozenset(("author", "originator", "principalInvestigator"))
_ANSWERING = frozenset(("pointOfContact",))
_ADMINISTRATIVE = frozenset(("administrative_contact", *chain.from_iterable(keys.ADMINISTRATIVE_CONTACT.values())))
_OF_METADATA = frozenset(("metadata_contact", *chain.from_iterable(keys.METADATA_CONTACT.values())))
# Roles whose fields may be spread over keys with a prefix: `publisher_name`, `contact_email`.
_FIELDS = {"publisher": keys.AGENT, "creator": keys.AGENT, "contact": keys.CONTACT}
_SPREAD = {
    role: {field: tuple(f"{role}_{name}" for name in names) for field, names in fields.items()}
    for role, fields in _FIELDS.items()
}


def publisher(package: Found) -> Any:
    """The publisher said so; else the owning organisation; else a party in a publishing role."""
    said = _parts(package, "publisher")
    agent = said[0] if said else {}
    if agent and not blank(agent.get("name")):
        return agent
    holder = organisation(package)
    if agent:
        return agent | {"name": holder.get("name")}
    return holder or first_of(_parties(package, _PUBLISHING))


def organisation(package: Found) -> dict[str, Any]:
    """The organisation of a package; DKAN has it among the groups."""
    holder = one(package, "organization", "organisation")
    if blank(holder):
        groups = mappings(one(package, "groups"))
        holder = next((group for group in groups if str(group.get("name")).startswith(_DKAN_GROUP)), None)
    if isinstance(holder, str):
        return {"name": holder}
    found = flat(holder)
    agent = lone(found, keys.AGENT) | {"type": one(found, "publisher_type")}
    agent["name"] = translated(found, "title", "display_name", "name")
    # `url` may be a path of the portal's own; only an address of the web is a home page.
    agent["homepage"] = agent["homepage"] if address(agent.get("homepage")) else None
    return filled(agent)


def creators(package: Found) -> list[Any]:
    """`creator[]`, `creator_*`, the author and parties in a creating role."""
    author = {"name": _name(one(package, "author", "autor")), "email": one(package, "author_email", "email_do_autor")}
    agents = [*_parts(package, "creator"), author, *_parties(package, _CREATING)]
    return [known for agent in agents if (known := filled(agent))]


def contacts(package: Found) -> list[Any]:
    """Contacts said so, then the maintainer and parties in other roles; the author where nobody else answers."""
    said = [
        *_parts(package, "contact"),
        *map(_contact, every(package, "contact_point", "contact_points", "contato")),
        *_administrative(package),
        *_of_metadata(package),
        {"name": _name(one(package, "maintainer")), "email": one(package, "maintainer_email")},
    ]
    known = [each for contact in said if (each := filled(contact))]
    if parties := _other_parties(package):
        known = _named(known, parties)
    if any(contact.get("email") or contact.get("url") for contact in known):
        return known
    author = filled({"name": _name(one(package, "author")), "email": one(package, "author_email")})
    return known + ([author] if author.get("email") else [])


def _administrative(package: Found) -> list[dict[str, Any]]:
    """A text such as "A. Name - dr. - a.name@org - +32…" holds the address; the name may have a key of its own."""
    if _ADMINISTRATIVE.isdisjoint(package):
        return []
    own = lone(package, keys.ADMINISTRATIVE_CONTACT)
    said = [_contact(item) for item in every(package, "administrative_contact")]
    return [contact | own for contact in said] or [own]


def _of_metadata(package: Found) -> list[dict[str, Any]]:
    """Who answers for the description rather than for the data."""
    if _OF_METADATA.isdisjoint(package):
        return []
    own = lone(package, keys.METADATA_CONTACT)
    said = [_contact(item) for item in every(package, "metadata_contact")]
    return [{"role": "metadata", **contact, **own} for contact in said] or [{"role": "metadata", **own}]


def _named(known: list[dict[str, Any]], parties: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Contacts and parties; the lone e-mail address that ISO harvesters write beside the parties is that of the
    point of contact.
    """
    answering = [party for party in parties if party.get("role") in _ANSWERING]
    nameless = [contact for contact in known if not contact.get("name")]
    if len(answering) == 1 and len(nameless) == 1 and not answering[0].get("email"):
        merged = {**answering[0], **nameless[0]}
        return [merged if contact is nameless[0] else contact for contact in known] + [
            party for party in parties if party is not answering[0]
        ]
    names = {contact["name"] for contact in known if isinstance(contact.get("name"), str)}
    return known + [party for party in parties if party.get("name") not in names or party.get("email")]


def attributions(package: Found) -> list[dict[str, Any]]:
    """`qualified_attribution` and `contributor[]` of ckanext-dcat."""
    said = [
        {"target": _target(first_of(listed(first(item, "agent"))) or item), "role": first(item, "role", "had_role")}
        for item in mappings(one(package, "qualified_attribution"))
    ]
    return said + [{"target": _target(item), "role": _CONTRIBUTOR} for item in every(package, "contributor")]


def first_of(items: list[Any]) -> Any:
    """The first item, or None."""
    return items[0] if items else None


def _target(item: Any) -> dict[str, Any]:
    if not isinstance(item, Mapping):
        return {"name": item}
    found = flat(item)
    return lone(found, keys.AGENT) | {"name": translated(found, *keys.AGENT["name"])}


def _parts(package: Found, role: str) -> list[dict[str, Any]]:
    """Agents or contacts of one role: a list of objects or names, else keys with the role as prefix."""
    items = [part for item in every(package, role) if (part := _part(item, _FIELDS[role]))]
    spread = {} if items else filled(lone(package, _SPREAD[role]))
    return items or ([spread] if _says_who(spread) else [])


def _part(item: Any, fields: Mapping[str, keys.Keys]) -> dict[str, Any]:
    if not isinstance(item, dict):
        return _contact(item) if fields is keys.CONTACT and not blank(item) else {"name": _name(item)}
    found = flat(item)
    return filled(lone(found, fields) | {"name": translated(found, *fields["name"])})


def _says_who(part: dict[str, Any]) -> bool:
    """A lone `publisher_type` describes the organisation; it names nobody."""
    return any(part.get(field) for field in ("name", "email", "uri", "homepage", "url", "identifier"))


def _contact(said: Any) -> dict[str, Any]:
    """Whom an object or a single text names: an address of the web, of e-mail, or a name that may hold one."""
    if isinstance(said, Mapping):
        return _part(said, keys.CONTACT)
    if address(said):
        return {"url": said}
    if isinstance(said, str) and "@" in said:
        return {"email": said} if " " not in said.strip() else {"name": said, "email": said}
    return {"name": said}


def _name(said: Any) -> Any:
    match = _PRINTED.fullmatch(said) if isinstance(said, str) and said.startswith("{") else None
    return match.group(1) if match else first(said, "name", "title") if isinstance(said, Mapping) else said


def _parties(package: Found, roles: frozenset[str]) -> list[dict[str, Any]]:
    """The parties in one of these roles, as agents."""
    return [{"name": first(party, "name")} for party in _all_parties(package) if roles.intersection(_roles(party))]


def _other_parties(package: Found) -> list[dict[str, Any]]:
    """The parties that are neither a creator nor, where nobody else is known to publish, the publisher."""
    parties = _all_parties(package)
    if not parties:
        return []
    shown = (publisher(package) or {}).get("name")
    return [_party(each) for each in parties if _CREATING.isdisjoint(_roles(each)) and _tells(each, shown)]


def _tells(party: Mapping[str, Any], shown: Any) -> bool:
    roles = _roles(party)
    return not _ANSWERING.isdisjoint(roles) or first(party, "name") != shown


def _party(party: Mapping[str, Any]) -> dict[str, Any]:
    roles, reach = _roles(party), first(party, "contact_info", "contact-info")
    role = next((role for role in roles if role in _ANSWERING), next(iter(roles), None))
    email = first(party, "email") or first(reach, "email")
    return filled({"name": first(party, "name"), "email": email, "role": role})


def _all_parties(package: Found) -> list[Mapping[str, Any]]:
    return mappings(one(package, "responsible_party")) if "responsible_party" in package else []


def _roles(party: Mapping[str, Any]) -> list[str]:
    return [role for role in listed(first(party, "roles", "role")) if isinstance(role, str)]
