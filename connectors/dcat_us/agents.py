"""Agents and contacts of data.json, and the roles of agents that DCAT has no field for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.common import address, blank, first, listed, mappings, pointed, telephone
from connectors.dcat_us import terms

# Departments of departments: no publisher has more above it.
_MOST_PARENTS = 8


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
    found["telephone"] = telephone(found["telephone"])
    if address(found["email"]):
        return found | {"email": None, "url": found["url"] or found["email"]}
    return found


def _mail(value: Any) -> Any:
    """ArcGIS Hub writes "mailto:" for a contact without an address."""
    value = first(value, "@id", "@value") if isinstance(value, Mapping) else value
    return None if isinstance(value, str) and value.strip().lower() in ("mailto:", "mailto") else value


def attributions(pod: Mapping[str, Any]) -> list[dict[str, Any]]:
    """`qualifiedAttribution`, contributors and holders of rights, and the organisations above the publisher."""
    said = [
        _attributed(first(item, "agent"), first(item, "hadRole", "role"))
        for item in mappings(pod.get("qualifiedAttribution"))
    ]
    said += [_attributed(item, role) for name, role in terms.ROLES.items() if name in pod for item in listed(pod[name])]
    return said + [_attributed(parent, terms.PARENT_ROLE) for parent in _parents(pod.get("publisher"))]


def _attributed(item: Any, role: Any) -> dict[str, Any]:
    return {"target": agent(item) if isinstance(item, Mapping) else first_of(pointed(item)), "role": role}


def first_of(items: list[Any]) -> Any:
    """The first item, or None."""
    return items[0] if items else None


def _parents(publisher: Any) -> Iterator[Any]:
    """The organisations that `subOrganizationOf` names, nearest first."""
    for _ in range(_MOST_PARENTS):
        holder = first_of(listed(publisher))
        publisher = first_of(listed(holder.get("subOrganizationOf"))) if isinstance(holder, Mapping) else None
        if blank(publisher):
            return
        yield publisher
