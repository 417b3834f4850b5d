"""What a data.json feed says of itself as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.common import filled, first, listed, location, mappings, period
from connectors.dcat_us import terms
from connectors.dcat_us.agents import agent, contact, first_of
from connectors.dcat_us.files import rights
from connectors.filing import languages, placed


def described(own: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the catalogue that the members of the document fill."""
    said = {field: first(own, *names) for field, names in terms.CATALOGUE.items()}
    return filled(
        {
            **said,
            "language": languages(listed(said["language"])),
            "publisher": first_of([agent(item) for item in listed(own.get("publisher"))]),
            "creator": [agent(item) for item in listed(own.get("creator"))],
            "contact_point": [contact(item) for item in listed(own.get("contactPoint"))],
            "rights": rights(own),
            "spatial": placed([location(item) for item in listed(own.get("spatial"))]),
            "temporal": [period(item) for item in listed(own.get("temporal"))],
            "applicable_legislation": listed(own.get("applicableLegislation")),
            "theme_taxonomy": [_iri(item) for item in listed(own.get("themeTaxonomy"))],
            "has_part": [_part(item) for item in mappings(own.get("catalog"))],
        }
    )


def _iri(item: Any) -> Any:
    return first(item, "@id") if isinstance(item, Mapping) else item


def _part(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"uri": first(item, "@id", "identifier"), "name": first(item, "title")}
