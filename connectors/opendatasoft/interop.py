"""The DCAT and Dublin Core names of Opendatasoft's interoperability groups, whatever the group, and where each belongs.

Keys are folded (`accessRights`, `access_rights`); sources: the vendor's groups, DCAT-AP 3.0.1, DCMI Metadata Terms.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from connectors.common import address, blank, first, listed, period, pointed, readable_date
from connectors.filing import resolving
from connectors.opendatasoft.shapes import Found, Seen
from harvester.vocabularies import VOCABULARIES

Fields = dict[str, Any]

_URL = re.compile(r"https?://[^\s,;|<>\"']+")

ISSUED = ("issued", "datesubmitted", "available", "created", "date")
LICENCE = ("license", "licence", "licenseurl", "licenceurl")
FREQUENCY = ("accrualperiodicity", "frequency", "updatefrequency")
PROVENANCE = ("dataquality", "provenance", "lineage")
# Each is one value.
_TEXTS: dict[str, tuple[str, ...]] = {
    "version": ("version", "versioninfo"),
    "version_notes": ("versionnotes",),
    "temporal_resolution": ("temporalresolution",),
}
_RESOURCES: dict[str, tuple[str, ...]] = {
    "conforms_to": ("conformsto",),
    "has_version": ("hasversion",),
    "is_version_of": ("isversionof",),
    "in_series": ("inseries",),
    "was_generated_by": ("wasgeneratedby",),
}
# A part of something is no member of a series: DCMI says nothing of what the whole is.
RELATED = (
    "relation",
    "references",
    "ispartof",
    "haspart",
    "replaces",
    "isreplacedby",
    "requires",
    "isrequiredby",
    "isformatof",
    "hasformat",
)
DOCUMENTATION = ("documentation", "page", "foafpage")
LANDING_PAGE = ("landingpage",)
OTHER_IDENTIFIER = ("otheridentifier",)
_CITED_BY = ("isreferencedby",)
_OWN = frozenset(key for keys in (*_TEXTS.values(), *_RESOURCES.values(), _CITED_BY) for key in keys)
_CONTACT: dict[str, tuple[str, ...]] = {
    "name": ("contactname", "contactpointname"),
    "email": ("contactemail", "contactpointemail"),
    "url": ("contacturl", "contactpage", "contactform", "contactpointurl"),
    "telephone": ("contacttelephone", "contactphone", "contactpointtelephone"),
}
_PERIODS = (("temporalcoveragestart", "temporalcoverageend"), ("temporalstart", "temporalend"))
NOT_VISIBLE = {
    "en": "The portal lists this dataset but does not give its data to everybody.",
    "fr": "Le portail référence ce jeu de données mais ne donne pas ses données à tous.",
}


def interoperable(found: Found) -> Fields:
    """The fields that only these groups fill."""
    if _OWN.isdisjoint(found):
        return {}
    return {
        **{field: first(found, *keys) for field, keys in _TEXTS.items()},
        **{field: list(related(every(found, keys))) for field, keys in _RESOURCES.items()},
        "is_referenced_by": list(urls(every(found, _CITED_BY))),
    }


def every(found: Found, keys: Iterable[str]) -> list[Any]:
    """The values of all these keys."""
    return [value for key in keys if key in found for value in listed(found[key])] if found else []


def urls(values: Iterable[Any]) -> Iterator[str]:
    """The addresses in texts: one field may hold several."""
    return (url.rstrip(".)") for value in values if isinstance(value, str) for url in _URL.findall(value))


def related(values: Iterable[Any]) -> Iterator[Fields]:
    """Resources for the addresses in texts, and for whatever else is no address."""
    for value in values:
        found = list(urls([value]))
        yield from ({"uri": url} for url in found) if found else pointed(value)


def contact(found: Found) -> Fields:
    """Whom to ask."""
    return {field: first(found, *keys) for field, keys in _CONTACT.items()} if found else {}


def issued(found: Found) -> Any:
    """The first date of publication that can be read, else that of creation."""
    return readable_date(*(found[key] for key in ISSUED if key in found)) if found else None


def periods(found: Found) -> Iterator[Fields]:
    """The periods covered, as two dates or as one text."""
    if not found:
        return
    for start, end in _PERIODS:
        if not blank(found.get(start)) or not blank(found.get(end)):
            yield {"start": found.get(start), "end": found.get(end)}
    for value in listed(found.get("temporal")):
        yield period(value)


def provenance(ods: Seen) -> str | None:
    """All that is said of how the data came to be; an address alone says nothing."""
    told = [*every(ods.interop, PROVENANCE), *listed(ods.inspire.get("topologicconsistency"))]
    return "\n\n".join(text for text in told if isinstance(text, str) and not address(text)) or None


def access(ods: Seen, fact: str | None) -> Fields:
    """The right of access: what the portal does (`fact`) before what it says, which is kept as text of the rights.

    Only a statement that is stricter than RESTRICTED agrees with data that not everybody sees.
    """
    stated = [text for text in every(ods.interop, ("accessrights",)) if isinstance(text, str)]
    known = resolving("access-right", stated)
    if fact == "RESTRICTED":
        known = [text for text in known if not _public(text)]
    unused = [text for text in stated if fact and text not in known]
    said = [text for text in (*every(ods.interop, ("rights",)), *unused) if isinstance(text, str)]
    return {
        "access_rights": known or fact or stated,
        "rights": _with(NOT_VISIBLE, said) if fact == "RESTRICTED" else " ".join(said),
    }


def _public(text: str) -> bool:
    concept = VOCABULARIES["access-right"].resolve(text)
    return concept is not None and concept.code == "PUBLIC"


def _with(notice: dict[str, str], said: list[str]) -> dict[str, str]:
    return {language: " ".join((text, *said)) for language, text in notice.items()}
