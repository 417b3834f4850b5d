"""Both sides of a reconciliation, read once in pages and noted on the ground: what each record is, and its keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import chain
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from harvester.catalogue import pairing
from harvester.catalogue.clusters.facts import home_of
from harvester.catalogue.packing import expand, load_dataset, unpack
from harvester.catalogue.trusted import trusted
from harvester.fields.languages import preferred
from harvester.model import Dataset
from harvester.reconcile import contrast, provenance
from harvester.reconcile.addresses import canonical, folder, host_of
from harvester.reconcile.byhand import ByHand
from harvester.reconcile.folding import squashed
from harvester.reconcile.ground import PAGE, Ground, Key, Ours, Theirs
from harvester.reconcile.partners import guid_key, key, name_keys, title_key, told_apart
from harvester.reconcile.provenance import Portal

# So many records of a portal tell where it keeps its pages.
_SAMPLE = 5_000
# A host that so many of them name is the portal's own.
_OWN_SHARE = 0.8
_MOST_FOLDERS = 50
_MOST_ORIGINS = 20
_LEAST_GUID = 6

Told = Callable[[int], None]


@dataclass(frozen=True)
class Side:
    """A source of the catalogue as one side: what it is called, and how others name it.

    `partial`: the portal has more than is known of it here, for a part was asked for or no walk of it has ended yet.
    """

    id: int
    name: str
    title: str
    address: str
    home: str
    titles: tuple[str, ...]
    portal: Portal
    partial: bool

    @cached_property
    def marks(self) -> tuple[bytes, ...]:
        """What a record that names this portal holds, one of them: agencies are also known by their titles."""
        return tuple(text.encode().lower() for text in sorted({*self.portal.hosts, *self.titles}))


@dataclass
class Census:
    """How many records of the target were gone over and set aside, and where those came from."""

    outside: int = 0
    gone: int = 0
    origins: Counter[str] = field(default_factory=Counter)

    def set_aside(self, live: bool, origins: tuple[str, ...]) -> None:
        """Count a record that has nothing to do with the source."""
        self.outside += live
        self.gone += not live
        if live:
            self.origins[origins[0] if origins else ""] += 1
        if len(self.origins) > 100 * _MOST_ORIGINS:
            self.origins = Counter(dict(self.origins.most_common(10 * _MOST_ORIGINS)))


def side(connection: Connection, row: Row[Any], horizon: datetime) -> Side:
    """A source as one side of a reconciliation; what its records link to tells its hosts and folders."""
    options = row.options or {}
    home = options.get("public_url") or row.url
    hosts, folders, seen = {host_of(row.url), host_of(home)} - {""}, Counter[str](), 0
    named: Counter[str] = Counter()
    for page in pairing.scan(connection, row.id, horizon, payloads=False):
        for record in page:
            if record.status == "active" and record.dataset is not None:
                pages = list(_pages(load_dataset(record.dataset)))
                named.update({host_of(url) for url in pages} - {""})
                folders.update({folder(url) for url in pages} - {""})
                seen += 1
        if seen >= _SAMPLE:
            break
    hosts |= {host for host, number in named.items() if number >= _OWN_SHARE * seen}
    kept = frozenset(place for place, _ in folders.most_common(_MOST_FOLDERS) if host_of(place) in hosts)
    titles = tuple(filter(None, (row.title, _own_title(row))))
    portal = Portal(frozenset(hosts), frozenset(filter(None, map(squashed, titles))), kept)
    return Side(
        row.id,
        row.name,
        row.title,
        home_of(row.url, options),
        host_of(home),
        titles,
        portal,
        _is_part(row.url, options) or pairing.first_walk_ended(connection, row.id) is None,
    )


def _pages(dataset: Dataset) -> Iterator[str]:
    yield from (url for url in (dataset.uri, *dataset.landing_page) if url)


def _own_title(row: Row[Any]) -> str:
    said = (row.catalogue or {}).get("title") if row.catalogue else None
    return (preferred(said) or "") if isinstance(said, dict) else ""


def _is_part(url: str, options: Mapping[str, Any]) -> bool:
    """Whether only a part of the portal is harvested, so that what is not here may well be there."""
    chosen = {name for name, value in options.items() if value not in (None, "", [], (), {})}
    return bool(chosen - {"public_url", "vocabulary"}) or "?" in url or "/organizations/" in url


def gather_source(
    connection: Connection,
    ground: Ground,
    side: Side,
    horizon: datetime,
    since: datetime | None,
    people: ByHand,
    told: Told,
) -> int:
    """Note every record of the source; answers how many.  `since` is when its first walk ended."""
    number = 0
    for page in pairing.scan(connection, side.id, horizon, payloads=True):
        rows = [(record, _read(record)) for record in page]
        found = (_ours(record, dataset, side, since) for record, dataset in rows)
        ground.put_ours([(row, [*keys, *people.keys(row.id)]) for row, keys in found])
        listed = ((record, dataset) for record, dataset in rows if dataset and record.status == "active")
        ground.put_traits(chain.from_iterable(_traits(record, dataset) for record, dataset in listed))
        number += len(page)
        told(number)
    ground.close_ours()
    return number


def _read(record: Row[Any]) -> Dataset | None:
    return None if record.dataset is None else load_dataset(record.dataset)


def _traits(record: Row[Any], dataset: Dataset) -> Iterator[tuple[int, str, str, str]]:
    found = {contrast.folded(trait): trait.value for trait in contrast.traits(dataset)}
    return ((record.id, trait.kind, trait.value, shown) for trait, shown in found.items())


def _ours(record: Row[Any], dataset: Dataset | None, side: Side, since: datetime | None) -> tuple[Ours, list[Key]]:
    live = record.status != "retired"
    if dataset is None:
        return Ours(record.id, record.guid, live, False), list(name_keys(iter([record.guid])))
    signs, blocks = told_apart(record, side.address)
    keys = name_keys(provenance.names_of(dataset, record.guid, side.portal))
    keys |= {key(PAGE, page) for page in provenance.pages_of(dataset, side.portal) if page}
    payload = None if record.payload is None else unpack(record.payload)
    sizes = contrast.measures(dataset, len(expand(record.dataset)))
    row = Ours(
        record.id,
        record.guid,
        live,
        True,
        _published(record, dataset, since),
        provenance.hidden(payload, dataset),
        preferred(dataset.title),
        sizes["distributions"],
        sizes["size"],
        signs,
    )
    return row, [*keys, *guid_key(record.guid), *title_key(row.title), *blocks]


def _published(record: Row[Any], dataset: Dataset, since: datetime | None) -> str | None:
    """When the record came to the portal: when it was first met, if that was after the first walk; else as stated."""
    if since is not None and record.first_seen_at > since:
        return str(record.first_seen_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return (dataset.record.issued if dataset.record else None) or dataset.issued


def gather_target(
    connection: Connection, ground: Ground, side: Side, source: Side, horizon: datetime, people: ByHand, told: Told
) -> tuple[int, Census]:
    """Note the records of the target that may have to do with the source; answers how many there are in all."""
    number, census = 0, Census()
    for page in pairing.scan(connection, side.id, horizon, payloads=False):
        kept = []
        for record in page:
            row, keys = _theirs(record, side, source, ground)
            keys += ground.known(people.keys(row.id))
            if row.claims or keys:
                kept.append((row, keys))
            else:
                census.set_aside(row.live, tuple(row.origins.split()))
        ground.put_theirs(kept)
        number += len(page)
        told(number)
    ground.close_theirs()
    return number, census


def _theirs(record: Row[Any], side: Side, source: Side, ground: Ground) -> tuple[Theirs, list[Key]]:
    live = record.status != "retired"
    if record.dataset is None:
        payload = None if record.payload is None else unpack(record.payload)
        return Theirs(record.id, live, False), ground.known(_mentioned(payload, source.portal))
    raw = expand(record.dataset)
    plain = orjson.loads(raw)
    origins = [host for host in provenance.origins(plain, side.portal) if host not in source.portal.hosts]
    # Most records of a large target do not even mention the source: to look for its names costs less than to read.
    claim = provenance.claim(trusted(plain), source.portal) if _named_in(raw, source) else None
    signs, blocks = told_apart(record, side.address)
    keys = [*guid_key(record.guid), *title_key(record.title), *blocks]
    if claim:
        keys += [*name_keys(iter(claim.names)), *(key(PAGE, page) for page in claim.pages)]
    known = ground.known(dict.fromkeys(keys))
    claims = 0 if claim is None else 2 if claim.sure else 1
    return Theirs(record.id, live, True, claims, " ".join(origins[:3]), signs if known else None, record.title), known


def _named_in(raw: bytes, source: Side) -> bool:
    """Whether a record may name the source: by a host, or by words of its title."""
    text = raw.lower()
    return any(mark in text for mark in source.marks)


def _mentioned(payload: Any, source: Portal) -> Iterator[Key]:
    """What a record that could not be read says of the source: addresses there, and identifiers it may have."""
    for text in provenance.mentions(payload):
        if host_of(text) in source.hosts and canonical(text):
            yield key(PAGE, canonical(text))
            yield from name_keys(iter([canonical(text).partition("?")[0].rpartition("/")[2]]))
        elif len(text) >= _LEAST_GUID and not text.isspace():
            yield from name_keys(iter([text]))
