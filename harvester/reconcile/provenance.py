"""What a record says of where it came from, and by which names its own portal knows it; across technologies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harvester.fields.when import instant, when
from harvester.model import Dataset
from harvester.reconcile.addresses import canonical, folder, host_of, last_name
from harvester.reconcile.folding import squashed

# Where software keeps the moment of its last look at the original: path into the payload.
_LOOKED: tuple[tuple[str, ...], ...] = (
    ("harvest", "last_update"),
    ("extras", "harvest:last_update"),
    ("extras", "harvest_timestamp"),
    ("extras", "harvest_last_update"),
    ("harvest_timestamp",),
    ("metadata_harvested_date",),
)
_MOST_NAMES = 60


@dataclass(frozen=True, slots=True)
class Portal:
    """A portal as others name it: its hosts, its titles, and the folders in which it keeps pages of datasets."""

    hosts: frozenset[str]
    titles: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()

    def is_agency(self, agency: str | None) -> bool:
        """Whether whoever gave an identifier is this portal."""
        if not agency:
            return False
        return ("." in agency and host_of(agency) in self.hosts) or squashed(agency) in self.titles


@dataclass(frozen=True, slots=True)
class Claim:
    """What a record says of its origin at one portal: the names and pages it had there.

    `sure` where it says so in so many words, rather than by linking to a page there.
    """

    names: tuple[str, ...]
    pages: tuple[str, ...]
    sure: bool


def names_of(dataset: Dataset, guid: str, home: Portal) -> Iterator[str]:
    """The names under which a portal itself knows its record."""
    yield guid
    yield from dataset.identifier
    yield from (one.notation for one in dataset.other_identifier if one.notation and home.is_agency(one.agency))
    yield from (last_name(page) for page in _own_pages(dataset, home))


def pages_of(dataset: Dataset, home: Portal) -> Iterator[str]:
    """The canonical addresses at the portal itself that stand for the record."""
    yield from (canonical(page) for page in _own_pages(dataset, home))


def _own_pages(dataset: Dataset, home: Portal) -> Iterator[str]:
    pages = (dataset.uri, *dataset.landing_page, dataset.record.uri if dataset.record else None)
    yield from (page for page in pages if page and host_of(page) in home.hosts)


def claim(dataset: Dataset, origin: Portal) -> Claim | None:
    """What a record of another portal says of its origin at this one; None where it does not name it."""
    given = [one.notation for one in dataset.other_identifier if one.notation and origin.is_agency(one.agency)]
    told = [uri for uri in _told(dataset) if host_of(uri) in origin.hosts and canonical(uri)]
    linked = [page for page in dataset.landing_page if host_of(page) in origin.hosts and folder(page) in origin.folders]
    if not (given or told or linked):
        return None
    pages = dict.fromkeys((*told, *linked))
    names = dict.fromkeys((*given, *(name for page in pages if (name := last_name(page)))))
    return Claim(
        tuple(names)[:_MOST_NAMES], tuple(canonical(page) for page in pages)[:_MOST_NAMES], bool(given or told)
    )


def origins(plain: Mapping[str, Any], home: Portal) -> tuple[str, ...]:
    """The hosts other than its own portal's from which a record says it came; of the stored form of its dataset."""
    agencies = (str(one.get("agency") or "") for one in plain.get("other_identifier", ()))
    sources = (*plain.get("source", ()), *plain.get("record", {}).get("source", ()))
    named = (*(text for text in agencies if "." in text), plain.get("uri"), *(one.get("uri") for one in sources))
    found = dict.fromkeys(map(host_of, named))
    return tuple(host for host in found if host and " " not in host and host not in home.hosts)


def _told(dataset: Dataset) -> Iterator[str]:
    """The addresses by which a record names what it was made from."""
    yield from (found for found in (dataset.uri,) if found)
    yield from (one.uri for one in dataset.source if one.uri)
    if dataset.record:
        yield from (one.uri for one in dataset.record.source if one.uri)


def looked_at(payload: Any) -> datetime | None:
    """When the portal last looked at the original, as it says itself; None where it does not."""
    for path in _LOOKED:
        value = payload
        for key in path:
            value = _inside(value, key)
        if (found := when(value)) and len(found) > len("2020-01-01"):
            # udata writes this time in UTC, in its older versions without saying so.
            return instant(found)
    return None


def acted_at(dataset: Dataset) -> datetime | None:
    """When the portal last wrote the record, by its own clock; None where it does not tell that in UTC."""
    stated = dataset.record.modified or dataset.record.issued if dataset.record else None
    return instant(stated) if stated and stated.endswith("Z") else None


def _inside(value: Any, key: str) -> Any:
    """The value of a key; CKAN keeps extras as a list of keys and values."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, list):
        return next((one.get("value") for one in value if isinstance(one, Mapping) and one.get("key") == key), None)
    return None


def hidden(payload: Any, dataset: Dataset) -> str | None:
    """How a record says that it is not for everybody, or not yet; None where it does not."""
    for key, bad in (("private", (True, "true", "True")), ("restricted", (True, "restricted"))):
        if _inside(payload, key) in bad:
            return f"{key}: {_inside(payload, key)}"
    state = _inside(payload, "state") or _inside(payload, "status")
    if isinstance(state, str) and state.lower() in ("draft", "brouillon", "deleted", "archived"):
        return f"state: {state}"
    if isinstance(_inside(payload, "visibility"), str) and _inside(payload, "visibility") in ("restricted", "private"):
        return f"visibility: {_inside(payload, 'visibility')}"
    access = dataset.access_rights
    if access and access.uri and access.uri.rpartition("/")[2] not in ("PUBLIC",):
        return f"access rights: {access.uri.rpartition('/')[2]}"
    return None


def mentions(payload: Any, most: int = 2_000) -> Iterator[str]:
    """The short texts of a payload that could not be read as a dataset, whatever its shape."""
    waiting, seen = [payload], 0
    while waiting and seen < most:
        value, seen = waiting.pop(), seen + 1
        if isinstance(value, str) and 0 < len(value) <= 500:
            yield value
        elif isinstance(value, Mapping):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def moment(stated: str | None) -> datetime | None:
    """The first instant of a stated date, in UTC; None for none."""
    found = instant(stated) if stated else None
    return found.astimezone(UTC) if found else None
