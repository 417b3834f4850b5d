"""What datasets are made of: agents, contacts, places, periods, identifiers, relations; frozen and cleaned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

from harvester.fields import Bbox, Centroid, Email, Geometry, Iri, Lines, Text, Texts, Url, When
from harvester.fields.terms import ChecksumAlgorithm, Place, PublisherType

_FEW = 16
_LISTS = (list, tuple)


class Part(BaseModel):
    """The base of every class of the model: frozen, unknown fields refused, falsy when nothing is filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __bool__(self) -> bool:
        return any(self.__dict__.values())

    def plain(self) -> dict[str, Any]:
        """The JSON form; defaults are left out, so that a new field of the model changes no stored hash."""
        return self.model_dump(mode="json", exclude_defaults=True)


_PARTS = (Part, Mapping)


def _lone(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A part from a dict or a list of one; a bare string names it; what is empty or of another type is none."""
    if value is None:
        return None
    if isinstance(value, _LISTS):
        value = value[0] if value else None
    return (handler(part) or None) if (part := _named(value)) else None


def _listed(value: Any) -> list[Any]:
    return [part for item in (value if isinstance(value, _LISTS) else (value,)) if (part := _named(item))]


def _named(value: Any) -> Any:
    """What a part can be built from, a bare string as its name; None for a value of another type."""
    if type(value) is dict:
        return value
    if isinstance(value, str):
        return {"name": value}
    return value if isinstance(value, _PARTS) else None


def _filled(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    if not value:
        return ()
    parts = [part for part in handler(_listed(value)) if part]
    return tuple(_distinct(parts) if len(parts) > 1 else parts)


def _distinct(parts: list[Part]) -> Iterable[Part]:
    """The parts without repetition; a handful is compared directly, thousands through their JSON."""
    if len(parts) > _FEW:
        return {part.model_dump_json(): part for part in parts}.values()
    kept: list[Part] = []
    for part in parts:
        if not any(part.__dict__ == other.__dict__ for other in kept):
            kept.append(part)
    return kept


One = WrapValidator(_lone)
Many = WrapValidator(_filled)


class Agent(Part):
    """foaf:Agent: a publisher or creator; `identifier` is a public number such as a SIREN or SIRET."""

    model_config = ConfigDict(title="agent")

    uri: Iri = None
    name: Texts = Field(default_factory=dict)
    type: PublisherType = None
    identifier: Lines = ()
    homepage: Url = None
    email: Email = None


class ContactPoint(Part):
    """vcard:Kind: whom to ask; `url` is a page or form."""

    model_config = ConfigDict(title="contact_point")

    uri: Iri = None
    name: Texts = Field(default_factory=dict)
    email: Email = None
    url: Url = None
    telephone: Text = None
    role: Text = None


class PeriodOfTime(Part):
    """dct:PeriodOfTime: either end may be open."""

    model_config = ConfigDict(title="temporal")

    start: When = None
    end: When = None


class Location(Part):
    """dct:Location: a place by concept or name, and its shape in longitude and latitude (WGS 84)."""

    model_config = ConfigDict(title="spatial")

    place: Place = None
    name: Texts = Field(default_factory=dict)
    bbox: Bbox = None
    centroid: Centroid = None
    geometry: Geometry = None


class Resource(Part):
    """Something pointed at, with its title where the source gave one (standard, series, related resource)."""

    model_config = ConfigDict(title="resource")

    uri: Iri = None
    name: Texts = Field(default_factory=dict)


class Identifier(Part):
    """adms:Identifier: an identifier met on the way, and the portal or agency that gave it."""

    model_config = ConfigDict(title="other_identifier")

    notation: Text = None
    agency: Text = None


class Checksum(Part):
    """spdx:Checksum."""

    model_config = ConfigDict(title="checksum")

    algorithm: ChecksumAlgorithm = None
    value: Text = None


class Relationship(Part):
    """dcat:Relationship: another resource, and the role it has."""

    model_config = ConfigDict(title="relationship")

    target: Annotated[Resource | None, One] = None
    role: Iri = None


class Attribution(Part):
    """prov:Attribution: an agent, and the role it has."""

    model_config = ConfigDict(title="attribution")

    target: Annotated[Agent | None, One] = None
    role: Iri = None


Agents = Annotated[tuple[Agent, ...], Many]
Contacts = Annotated[tuple[ContactPoint, ...], Many]
Locations = Annotated[tuple[Location, ...], Many]
Periods = Annotated[tuple[PeriodOfTime, ...], Many]
Resources = Annotated[tuple[Resource, ...], Many]
Identifiers = Annotated[tuple[Identifier, ...], Many]
Relationships = Annotated[tuple[Relationship, ...], Many]
Attributions = Annotated[tuple[Attribution, ...], Many]
