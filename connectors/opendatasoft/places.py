"""The places of an Opendatasoft dataset: `territory` holds their names, `geographic_reference` the vendor's codes.

A code is `<country>_<level>_<code>`, `world_<country>` or `world`; levels count like those of OpenStreetMap, in tens:
40 a region or state, 60 a department or district.  NOT documented by the vendor; hence a code and its name must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from connectors.common import box, listed, location, mapping
from connectors.filing import placed
from connectors.opendatasoft.interop import every
from connectors.opendatasoft.shapes import Seen
from harvester.fields.terms import Term
from harvester.vocabularies import VOCABULARIES, Concept, lies_in
from harvester.vocabularies.overrides import remembered
from harvester.vocabularies.text import fold

Fields = dict[str, Any]

_CODE = re.compile(r"(?P<country>[a-z]{2})_(?P<level>\d{2,3})_(?P<code>\w+)")
_COUNTRY = re.compile(r"world_(?P<country>[a-z]{2})")
# Insee's codes tell by their length what they stand for, but for regions and departments.
_COMMUNE = re.compile(r"\d[0-9AB]\d{3}", re.IGNORECASE)
_AREAS = {"40": "fr:region", "60": "fr:departement"}
_SIDES = tuple(
    f"extendboundingbox{side}"
    for side in ("westboundlongitude", "southboundlatitude", "eastboundlongitude", "northboundlatitude")
)
_SAID = ("spatial", "coverage")
# More is no reference, and would fill the memory of what was met.
_LONGEST = 100


def places(ods: Seen) -> Iterator[Fields]:
    """Every location: by name and code, by shape, and as the interoperability groups tell it."""
    default = ods.default
    yield from _territories(listed(default.get("territory")), listed(default.get("geographic_reference")))
    if mapping(default.get("geographic_area")):
        yield {"geometry": default["geographic_area"]}
    if mapping(default.get("bbox")):
        yield {"bbox": default["bbox"]}
    yield from placed([location(value) for value in every(ods.interop, _SAID)])
    if sides := box(ods.inspire, _SIDES):
        yield {"bbox": sides}


def _territories(names: list[Any], codes: list[Any]) -> Iterator[Fields]:
    """The two lists are parallel; where one was written by hand, the first code still tells the country."""
    if not codes:
        yield from placed([{"name": name} for name in names])
        return
    told = codes if len(codes) == len(names) or not names else codes[:1] * len(names)
    yield from (_territory(name, code) for name, code in zip_longest(names, told))


def _territory(name: Any, code: Any) -> Fields:
    said = name if isinstance(name, str) and len(name) <= _LONGEST else None
    if isinstance(code, str) and len(code) <= _LONGEST and (name is None or said):
        return {"name": name, "place": _coded(said, code.strip())}
    return {"name": name}


@remembered(8_192)
def _coded(name: str | None, code: str) -> Term | None:
    """The concept of a code, or that of the name where it lies in the country of the code."""
    known = VOCABULARIES["place"]
    country = _country(code)
    named = known.resolve(name) if name else None
    meant = known.resolve(_zone(code) or "")
    if meant and (name is None or any(fold(label) in fold(name) for label in meant.labels.values())):
        return Term(name or next(iter(meant.labels.values()), code), meant.uri)
    if named and name and (country is None or named == country or lies_in(named, country)):
        return Term(name, named.uri)
    return None


def _country(code: str) -> Concept | None:
    """The country that a code names."""
    found = _CODE.fullmatch(code) or _COUNTRY.fullmatch(code)
    return VOCABULARIES["place"].resolve(f"country:{found['country']}") if found else None


def _zone(code: str) -> str | None:
    """The same as a zone that the vocabulary of places knows."""
    if found := _COUNTRY.fullmatch(code):
        return f"country:{found['country']}"
    found = _CODE.fullmatch(code)
    if found is None or found["country"] != "fr":
        return None
    if _COMMUNE.fullmatch(found["code"]):
        return f"fr:commune:{found['code']}"
    level = _AREAS.get(found["level"])
    return f"{level}:{found['code']}" if level and len(found["code"]) <= 3 else None
