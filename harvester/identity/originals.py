"""Which record of a dataset is the original, and why in words; what the others are: pure, whatever the order.

Evidence, strongest first: what records say of where they come from; where their pages and files are; which was issued
first.  When a record was first seen tells in which order sources were added, not which of them is the original.
A record that repeats our own export says nothing: it is neither the original nor evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple

from harvester.identity.hosts import RESOLVERS, canonical_url, host_of, same_portal
from harvester.model import Dataset

# Addresses of distributions that are looked at; the first ones of thousands say where a portal keeps its files.
_MOST = 200
_LONGEST = 300


class Role(StrEnum):
    """What a record is for its dataset; `loop`: it repeats our own export."""

    ORIGINAL = "original"
    REPUBLISHED = "republished"
    LOOP = "loop"
    UNKNOWN = "unknown"


class Standing(NamedTuple):
    """The role of a record, the host or portal that it was taken from, and why in words."""

    role: Role
    origin: str | None
    why: str


def words(role: str | None, origin: str | None) -> str:
    """Why a record that is its dataset's only one has its role."""
    told = {
        Role.ORIGINAL: "it names no other origin",
        Role.REPUBLISHED: f"it says that it comes from {origin}",
        Role.LOOP: "it repeats what we publish",
        Role.UNKNOWN: "neither its page nor its IRI is at its own portal, and it names no origin",
    }
    return told[Role(role)] if role else "nobody has looked at it yet"


class Origin(NamedTuple):
    """Where a record says that it comes from: hosts and names, by strength, what it is called there, and the words."""

    hosts: tuple[str, ...]
    name: str
    refs: frozenset[str]
    why: str

    @property
    def place(self) -> str:
        """The host, or the name where no host is told."""
        return (self.hosts[0] if self.hosts else self.name)[:_LONGEST]


@dataclass(frozen=True)
class Stated:
    """A record as it counts for its dataset: what it says, whose it is, and `loop` where it repeats our export."""

    record_id: int
    source: str
    guid: str
    home: str
    dataset: Dataset = field(repr=False)
    loop: bool = False

    @cached_property
    def filled(self) -> frozenset[str]:
        """The fields that it fills."""
        return frozenset(name for name, value in self.dataset.__dict__.items() if value)

    @cached_property
    def host(self) -> str:
        """The host of its own portal."""
        return host_of(self.home)

    @cached_property
    def origin(self) -> Origin | None:
        """Where it says that it comes from; None where it does not."""
        return origin(self.dataset, self.host)

    @cached_property
    def own_names(self) -> frozenset[str]:
        """What it is called at its own portal."""
        pages = (*self.dataset.landing_page, self.dataset.uri)
        here = (page for page in pages if page and same_portal(host_of(page), self.host))
        return frozenset(canonical_url(name) for name in (self.guid, *self.dataset.identifier, *here))

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Where its pages and files are."""
        return frozenset(filter(None, map(host_of, (*_pages(self.dataset), *_files(self.dataset)))))


class Verdict(NamedTuple):
    """The original of a dataset, None when it is not among the records, and why; record id -> what each one is."""

    original: int | None
    reason: str
    standings: Mapping[int, Standing]


def alone(dataset: Dataset, home: str, ours: str = "") -> Standing:
    """What a record is that is its dataset's only one; `ours` is the address of our own catalogue."""
    if repeats(dataset, home, ours):
        return Standing(Role.LOOP, None, words(Role.LOOP, None))
    host = host_of(home)
    found = origin(dataset, host)
    if found is not None:
        return Standing(Role.REPUBLISHED, found.place, found.why)
    pages = [host_of(page) for page in _pages(dataset)]
    if not host or (pages and not any(same_portal(page, host) for page in pages)):
        return Standing(Role.UNKNOWN, None, words(Role.UNKNOWN, None))
    return Standing(Role.ORIGINAL, None, words(Role.ORIGINAL, None))


def repeats(dataset: Dataset, home: str, ours: str) -> bool:
    """Whether a record of the portal at `home` comes from the catalogue at `ours`: it has our addresses, or says so."""
    mine = _bare(ours)
    if not mine:
        return False
    datasets = f"{mine}/datasets/"
    if _bare(home).startswith(f"{mine}/") or any(_bare(name).startswith(datasets) for name in names_of(dataset)):
        return True
    # Where another portal has the same host, the agency says nothing.
    return "/" not in mine and any(_bare(known.agency or "") == mine for known in dataset.other_identifier)


def names_of(dataset: Dataset) -> Iterator[str]:
    """Every identifier and address that a record gives its dataset, itself, or what it comes from."""
    yield from _pages(dataset)
    yield from dataset.identifier
    yield from (known.notation for known in dataset.other_identifier if known.notation)
    yield from (item.uri for item in dataset.source if item.uri)
    if dataset.record is not None:
        yield from filter(None, (dataset.record.uri, *(item.uri for item in dataset.record.source)))


def _bare(address: str) -> str:
    """An address without scheme and final slash; the port counts."""
    text = address.strip().lower()
    return text.partition("://")[2].rstrip("/") if "://" in text else text.rstrip("/")


def origin(dataset: Dataset, host: str) -> Origin | None:
    """Where a record of the portal at `host` says that it comes from; None where it does not.

    `dct:source` of a dataset may also be what the data were made from: it counts where an identifier, the IRI or the
    page is at the same place.
    """
    given = [(host_of(known.agency or ""), known.notation or "") for known in dataset.other_identifier]
    agencies = [(agency, name) for agency, name in given if _elsewhere(agency, host)]
    registered = dataset.record.source if dataset.record else ()
    entries = [(host_of(entry.uri or ""), entry) for entry in registered]
    entries = [(at, entry) for at, entry in entries if _elsewhere(at, host) or (not at and entry.name)]
    pages = {host_of(page) for page in _pages(dataset)} | {agency for agency, _ in agencies}
    sources = [item.uri for item in dataset.source if item.uri and _elsewhere(host_of(item.uri), host)]
    told = [uri for uri in sources if host_of(uri) in pages]
    if not (agencies or entries or told):
        return _by_hosts(dataset, host)
    hosts = dict.fromkeys(filter(None, (*map(host_of, told), *(a for a, _ in agencies), *(at for at, _ in entries))))
    names = [text for _, entry in entries for text in entry.name.values()]
    refs = frozenset(
        canonical_url(name) for name in (*(n for _, n in agencies), *told, *(e.uri for _, e in entries)) if name
    )
    place = next(iter(hosts), next(iter(names), ""))
    return Origin(tuple(hosts), next(iter(names), ""), refs, f"it says that it comes from {place[:_LONGEST]}")


def _by_hosts(dataset: Dataset, host: str) -> Origin | None:
    """Its IRI and all of its pages are at one other portal."""
    at = host_of(dataset.uri or "")
    pages = [host_of(page) for page in dataset.landing_page]
    if not _elsewhere(at, host) or not pages or not all(same_portal(page, at) for page in pages):
        return None
    refs = frozenset(canonical_url(name) for name in (dataset.uri, *dataset.landing_page) if name)
    return Origin((at,), "", refs, f"its IRI and its page are at {at}")


def judged(records: Sequence[Stated]) -> Verdict:
    """Which record of a dataset is the original, if it is among them; the same in whatever order they come."""
    said = sorted((r for r in records if not r.loop), key=_order)
    loops = {r.record_id: Standing(Role.LOOP, None, "it repeats our own export") for r in records if r.loop}
    if not said:
        return Verdict(None, "every record repeats our own export", loops)
    if len(said) == 1:
        standing = alone(said[0].dataset, said[0].home)
        first = said[0].record_id if standing.role is Role.ORIGINAL else None
        return Verdict(first, _reason(said[0], standing), {said[0].record_id: standing, **loops})
    taken = _taken_from(said)
    found, reason = _explicit(said, taken) or _by_place(said) or _by_date(said) or _NOTHING
    standings = {r.record_id: _standing(r, found, taken, reason) for r in said}
    return Verdict(found.record_id if found else None, reason, standings | loops)


Found = tuple[Stated | None, str]
_NOTHING: Found = (None, "nothing tells which of the records is the original")


def _reason(record: Stated, standing: Standing) -> str:
    if standing.role is Role.REPUBLISHED:
        return f"the original is at {standing.origin}, not harvested here"
    return standing.why


def _taken_from(said: Sequence[Stated]) -> dict[int, Stated | None]:
    """record id -> the record that it was taken from; None when that is not among them."""
    names: dict[str, list[Stated]] = {}
    for record in said:
        for name in record.own_names:
            names.setdefault(name, []).append(record)
    found: dict[int, Stated | None] = {}
    for record in said:
        # Its source, or another identifier of it, that is the address of another record at that one's own portal.
        given = (*(s.uri for s in record.dataset.source), *(o.notation for o in record.dataset.other_identifier))
        derived = {canonical_url(name) for name in given if name and "://" in name}
        if record.origin is not None:
            found[record.record_id] = _holder(record, record.origin, said, names)
        elif other := _named(record, derived - record.own_names, names):
            found[record.record_id] = other
    return found


def _holder(record: Stated, told: Origin, said: Sequence[Stated], names: Mapping[str, list[Stated]]) -> Stated | None:
    others = [other for other in said if other is not record]
    for host in told.hosts:
        there = [other for other in others if same_portal(other.host, host)]
        if there:
            known = [other for other in there if other.own_names & told.refs]
            return min(known or there, key=_order)
    return _named(record, told.refs, names)


def _named(record: Stated, refs: Iterable[str], names: Mapping[str, list[Stated]]) -> Stated | None:
    """The record of another portal that has one of these names; one that says it is a copy comes last."""
    held = [r for ref in refs for r in names.get(ref, ()) if r is not record and not same_portal(r.host, record.host)]
    return min(held, key=lambda r: (r.origin is not None, *_order(r)), default=None)


def _explicit(said: Sequence[Stated], taken: Mapping[int, Stated | None]) -> Found | None:
    """The record at the end of what the others say; or the place, when it is not harvested."""
    ends = [end for r in said if r.record_id in taken and (end := _end(r, taken)) is not None]
    firsts = {end.record_id: end for end in ends if end.record_id not in taken}
    if firsts:
        # The more records lead to it, the better.
        led = {number: sum(end.record_id == number for end in ends) for number in firsts}
        best = min(firsts.values(), key=lambda r: (-led[r.record_id], *_order(r)))
        tellers = sorted({r.source for r in said if r.record_id in taken and _end(r, taken) is best})
        return best, f"{_listed(tellers)} {'say' if len(tellers) > 1 else 'says'} that it comes from {best.host}"
    places = sorted({end.origin.place for end in ends if taken.get(end.record_id) is None and end.origin is not None})
    return (None, f"the original is at {_listed(places)}, not harvested here") if places else None


def _end(record: Stated, taken: Mapping[int, Stated | None]) -> Stated | None:
    """The last record of the way that a record has come; None when the way leads round in a circle."""
    seen = {record.record_id}
    while (before := taken.get(record.record_id)) is not None:
        if before.record_id in seen:
            return None
        seen.add(before.record_id)
        record = before
    return record


def _by_place(said: Sequence[Stated]) -> Found | None:
    """The one record whose portal has the pages or files that others give; or the only one that has its own files."""
    at = {r.record_id: [o for o in said if o.host != r.host and _any_at(o.hosts, r.host)] for r in said}
    sought = [r for r in said if at[r.record_id]]
    if (found := _one_portal(sought)) is not None:
        givers = sorted({other.source for other in at[found.record_id]})
        return found, f"the pages or files that {_listed(givers)} gives are at {found.host}, its own portal"
    if sought:
        return None
    holders = [r for r in said if _all_at(_files(r.dataset), r.host)]
    if (found := _one_portal(holders)) is not None:
        return found, f"it alone has its files at its own portal, {found.host}"
    return None


def _by_date(said: Sequence[Stated]) -> Found | None:
    dated = [(str(r.dataset.issued)[:10], r) for r in said if r.dataset.issued]
    first = min((date for date, _ in dated), default="")
    found = _one_portal([r for date, r in dated if date == first])
    return (found, f"it was issued first, on {first}") if found and len(dated) == len(said) else None


def _one_portal(candidates: Sequence[Stated]) -> Stated | None:
    """The candidate; the first of several when all are of one source, which lists the dataset more than once."""
    return candidates[0] if len({r.source for r in candidates}) == 1 else None


def _standing(record: Stated, found: Stated | None, taken: Mapping[int, Stated | None], reason: str) -> Standing:
    if found is record:
        return Standing(Role.ORIGINAL, None, reason)
    if record.record_id in taken:
        holder = taken[record.record_id]
        if record.origin is not None:
            return Standing(Role.REPUBLISHED, record.origin.place, record.origin.why)
        place = holder.host if holder else ""
        return Standing(Role.REPUBLISHED, place, f"it names its address at {place}")
    if found is not None:
        return Standing(Role.REPUBLISHED, found.host or found.source, f"the original is the record of {found.source}")
    return _unplaced(record, taken)


def _unplaced(record: Stated, taken: Mapping[int, Stated | None]) -> Standing:
    return Standing(
        Role.UNKNOWN, None, "it names no origin, and what others name is not harvested here" if taken else _NOTHING[1]
    )


def _any_at(hosts: Iterable[str], host: str) -> bool:
    return any(same_portal(each, host) for each in hosts)


def _all_at(addresses: Iterable[str], host: str) -> bool:
    hosts = [host_of(address) for address in addresses]
    return bool(hosts) and all(same_portal(each, host) for each in hosts)


def _elsewhere(host: str, home: str) -> bool:
    return bool(host) and host not in RESOLVERS and not same_portal(host, home)


def _pages(dataset: Dataset) -> Iterator[str]:
    yield from dataset.landing_page
    if dataset.uri:
        yield dataset.uri


def _files(dataset: Dataset) -> Iterator[str]:
    for part in dataset.distribution[:_MOST]:
        yield from part.download_url or part.access_url


def _order(record: Stated) -> tuple[str, str, int]:
    return (record.source, record.guid, record.record_id)


def _listed(names: Sequence[str]) -> str:
    few = list(names[:3]) + ([f"{len(names) - 3} more"] if len(names) > 3 else [])
    return few[0] if len(few) == 1 else f"{', '.join(few[:-1])} and {few[-1]}"
