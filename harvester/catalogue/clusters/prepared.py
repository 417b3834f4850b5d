"""What is kept of a record to tell its dataset, made outside of any transaction: its signs, and keys to partners."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from harvester.identity import public_key
from harvester.identity.blocks import LIMITS, Block, blocks
from harvester.identity.clusters import Name
from harvester.identity.signs import Signs, signs_of
from harvester.model import Dataset

# Kinds of keys, as they are stored.  A record's own name in the catalogue, and the dataset of ours that it names: when
# who harvests us is harvested in turn, what comes back is known by that.
OWN, NAMED = 0, 1
_CODES = {kind: number for number, kind in enumerate(LIMITS, NAMED + 1)}
_KINDS = {code: kind for kind, code in _CODES.items()}
# Without one of these, no two records of one source are the same.
JOINING = frozenset((OWN, NAMED, _CODES["id"], _CODES["url"]))
MOST = {OWN: 200, NAMED: 200} | {_CODES[kind]: most for kind, most in LIMITS.items()}

# Wherever the catalogue stood at the time: a public key names one dataset in the world.
_OUR_ADDRESS = re.compile(r"https?://\S+/datasets/([a-z2-7]{16})/?")
# A key as it is stored.
KEY = struct.Struct(">bq")


class Key(NamedTuple):
    """Under what a record is found: records of one kind of key that have the same `value`."""

    kind: int
    value: int


class Prepared(NamedTuple):
    """What of one record is needed to tell which dataset it is; `iri` is the name it gives itself."""

    body: bytes
    keys: frozenset[Key]
    iri: str | None = None


NOTHING = Prepared(b"", frozenset())


class Sighting(NamedTuple):
    """A record that is new or says something new: by whom it is, under which name, and what it says."""

    source: str
    guid: str
    prepared: Prepared

    @property
    def name(self) -> Name:
        """What it is called in every catalogue."""
        return Name(self.source, self.guid)

    @property
    def public_key(self) -> str:
        """The key of the dataset that it founds, if it does."""
        return public_key(self.source, self.guid)

    @property
    def own(self) -> Key:
        """Its own name, which nothing else has."""
        return own(self.public_key)


def prepare(dataset: Dataset, guid: str, source_url: str) -> Prepared:
    """What is kept of a record of a source."""
    signs = signs_of(dataset, guid=guid, source_url=source_url)
    keys = {Key(NAMED, own(name).value) for name in _ours(dataset)}
    keys.update(_key(block) for block in blocks(signs))
    iri = dataset.uri if dataset.uri and dataset.uri.startswith(("http://", "https://")) else None
    return Prepared(signs.packed(), frozenset(keys), iri)


def _ours(dataset: Dataset) -> Iterator[str]:
    """The public keys in addresses of ours that a record gives for its own."""
    others = (other.notation for other in dataset.other_identifier)
    for name in (dataset.uri, *dataset.identifier, *others, *dataset.landing_page):
        if name and "/datasets/" in name and (match := _OUR_ADDRESS.fullmatch(name)):
            yield match[1]


def own(key: str) -> Key:
    """The key of whoever founded the dataset of a public key."""
    return Key(OWN, int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True))


def block(key: Key) -> Block | None:
    """The block that a key was made of; None for names."""
    return (_KINDS[key.kind], key.value ^ _salt(key.kind)) if key.kind in _KINDS else None


def unpacked(body: bytes) -> Signs:
    """The signs of their stored form; empty ones where nothing is known."""
    return Signs.unpacked(body) if body else Signs()


def packed_keys(keys: frozenset[Key]) -> bytes:
    """The stored form of keys."""
    return b"".join(KEY.pack(*key) for key in sorted(keys))


def unpacked_keys(stored: bytes) -> frozenset[Key]:
    """The keys of their stored form."""
    return frozenset(Key(kind, value) for kind, value in KEY.iter_unpack(stored))


def _key(found: Block) -> Key:
    code = _CODES[found[0]]
    return Key(code, found[1] ^ _salt(code))


@cache
def _salt(code: int) -> int:
    """What keeps keys of several kinds apart that are made of the same text."""
    return int.from_bytes(blake2b(bytes([code]), digest_size=8).digest(), "big", signed=True)
