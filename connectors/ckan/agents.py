"""Who publishes, made and answers for a CKAN package: organisation, `publisher_*`, author, maintainer, contacts."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    """Contacts said so, then the maintainer; the author where nobody else answers."""
    said = [
        *_parts(package, "contact"),
        *map(_contact, every(package, "contact_point", "contact_points", "contato", "administrative_contact")),
        {"name": _name(one(package, "maintainer")), "email": one(package, "maintainer_email")},
    ]
    known = [each for contact in said if (each := filled(contact))]
    parties = _parties(package, _ANSWERING)
    if any(contact.get("email") or contact.get("url") for contact in known):
        return known
    author = filled({"name": _name(one(package, "author")), "email": one(package, "author_email")})
    return [*known, *parties] + ([author] if author.get("email") else [])


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
    return {"uri": first(item, "uri", "homepage", "url"), "name": first(item, "name_translated", "name")}


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
    parties = mappings(one(package, "responsible_party"))
    return [{"name": first(party, "name")} for party in parties if roles.intersection(map(str, _roles(party)))]


def _roles(party: Mapping[str, Any]) -> list[Any]:
    return listed(first(party, "roles", "role"))
