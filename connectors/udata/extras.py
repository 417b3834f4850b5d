"""What `extras` of a harvested udata dataset tells and the API has no field for: CKAN, GeoNetwork, DCAT, d4c sources.

udata's harvesters keep there whatever the remote portal said; lists are stored as JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from connectors.common import blank, box, first, json_text, listed, mappings
from connectors.filing import placed
from harvester.vocabularies import VOCABULARIES

Item = Mapping[str, Any]
Fields = dict[str, Any]

FREQUENCY = ("frequency", "frequency-of-update", "freqMAJ", "accrual_periodicity")
# What udata writes when its publisher said nothing.
_NO_FREQUENCY = "unknown"
ACCESS_TEXTS = ("access_rights", "access_constraints")
RIGHTS_TEXTS = ("licenseText", "licence", *ACCESS_TEXTS)
_PARTIES = "responsible-party"
_SIDES = ("bbox-west-long", "bbox-south-lat", "bbox-east-long", "bbox-north-lat")
_PIECES = re.compile(r"\s*[,;.]\s+")
_LONGEST = 400

_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# The names of coordinate systems in French metadata; UTM zones and old Parisian systems differ by more than a name.
_SYSTEMS = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"lambert[ -]?93", "2154"),
        (r"lambert(?: zone)?[ -]?(?:ii|2)[ -](?:é|e)tendu", "27572"),
        (r"web[ -]?mercator|pseudo[ -]?mercator", "3857"),
        (r"wgs[ -]?84(?!.*(?:utm|mercator))", "4326"),
        (r"etrs[ -]?89(?!.*(?:utm|laea|lcc|lambert))", "4258"),
    )
)
_CODE = re.compile(r"\bEPSG\W{1,3}(?:0/)?(\d{4,6})\b", re.IGNORECASE)
# The nine conic zones over France: CC42 is EPSG 3942.
_CONIC = re.compile(r"\b(?:RGF93\W*)?(?:CC|conique conforme zone )\s?(4[2-9]|50)\b", re.IGNORECASE)


def frequency_of(item: Item, extras: Item) -> Any:
    """The portal's own frequency; where it has none, what the remote portal said."""
    own = item.get("frequency")
    own = [own.get("id"), own.get("label")] if isinstance(own, Mapping) else own
    if extras and (blank(own) or _NO_FREQUENCY in listed(own)):
        return [text for key in FREQUENCY if not blank(text := extras.get(key))] or own
    return own


def reference_dates(extras: Item) -> Fields:
    """The dates of ISO 19115 by their type: creation, publication, revision."""
    dates = mappings(json_text(extras.get("dataset-reference-date")))
    return {one["type"]: one.get("value") for one in dates if isinstance(one.get("type"), str)}


def reference_systems(extras: Item) -> list[Fields]:
    """The coordinate systems, with their address in the register of EPSG where the name is sure."""
    if "spatial-reference-system" not in extras:
        return []
    found = [text for text in listed(json_text(extras["spatial-reference-system"])) if isinstance(text, str)]
    return [{"uri": _register(text[:_LONGEST]), "name": text} for text in found]


@lru_cache(maxsize=1_024)
def _register(name: str) -> str | None:
    if coded := _CODE.search(name):
        return _EPSG + coded[1]
    if conic := _CONIC.search(name):
        return f"{_EPSG}39{conic[1]}"
    return next((_EPSG + code for pattern, code in _SYSTEMS if pattern.search(name)), None)


def access_of(extras: Item) -> str | None:
    """The right of access that the constraints agree on; a sentence may name a law before it."""
    if not extras or all(key not in extras for key in ACCESS_TEXTS):
        return None
    known = VOCABULARIES["access-right"]
    found = {
        concept.uri: piece
        for text in _texts(extras, ACCESS_TEXTS)
        for piece in (text, *_PIECES.split(text[:_LONGEST]))
        if (concept := known.resolve(piece))
    }
    return next(iter(found.values())) if len(found) == 1 else None


def rights_of(extras: Item) -> list[str]:
    """The words of licences and constraints."""
    return _texts(extras, RIGHTS_TEXTS) if extras else []


def _texts(extras: Item, keys: tuple[str, ...]) -> list[str]:
    values = [value for key in keys if key in extras for value in listed(json_text(extras[key]))]
    return [value for value in values if isinstance(value, str)]


def remote_places(extras: Item) -> list[Fields]:
    """The places of the remote portal: a concept, a name, a bounding box."""
    if not extras:
        return []
    names = placed([{"name": text} for text in listed(extras.get("territory"))])
    concepts = [{"place": text} for text in listed(extras.get("spatial_uri"))]
    # The harvesters that kept the four sides also made a shape of them, where they could.
    sides = box(extras, _SIDES) if blank(extras.get("spatial")) else None
    return [*concepts, *names, *([{"bbox": sides}] if sides else [])]


def older_contacts(extras: Item) -> list[Item]:
    """Contacts in the shape of `contact_points`: CKAN's and DCAT's fields, and GeoNetwork's list of parties."""
    name, email = first(extras, "contact_name"), first(extras, "contact_email", "contact-email")
    parties = list(_parties(extras.get(_PARTIES)))
    if name or (email and not parties):
        return [{"name": name, "email": email, "contact_form": first(extras, "contact_uri")}, *parties]
    # The address stands beside the list: it is that of the first.
    return [*({**party, "email": email} for party in parties[:1]), *parties[1:]]


def _parties(value: Any) -> Iterator[Fields]:
    """One contact per party and role of `[{"name": …, "roles": […]}]`; a text that is no list names one."""
    for party in listed(json_text(value)):
        if not isinstance(party, dict):
            yield {"name": party}
        else:
            yield from ({"name": party.get("name"), "role": role} for role in listed(party.get("roles")) or [None])
