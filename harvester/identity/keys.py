"""How datasets are known: every identifier they have, and the keys that only the very same dataset can share."""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from harvester import storable
from harvester.model import Dataset

# Only at the end: a UUID in the middle of an IRI may name the organisation or the catalogue.
_UUID = re.compile(r"(?:^|[/:#=])\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?/?$")
_DOI = re.compile(r"10\.\d{4,9}/[^\s\"<>]+")
_MOST_KEYS = 40
_MOST_NAMES = 200
# Longer texts are no identifiers, and no index of PostgreSQL holds more bytes of notation and agency together.
LONGEST_NOTATION = 500
_MOST_BYTES = 2600


def match_keys(dataset: Dataset, source_url: str) -> tuple[str, ...]:
    """Every key under which the dataset may be known elsewhere, sorted; the kind of evidence comes first in each.

    Sources: DCAT-AP usage guide on identifiers (SEMIC): equal node IRI, equal `adms:Identifier` with its agency.
    """
    return tuple(sorted({storable.identifier(key) for key in _keys(dataset, source_url)})[:_MOST_KEYS])


class Known(NamedTuple):
    """An identifier of a dataset, and who gave it; "" where it says that itself or nobody knows."""

    notation: str
    agency: str = ""


def known_as(dataset: Dataset, guid: str, source_url: str) -> tuple[Known, ...]:
    """Every identifier that a record gives its dataset, each once: guid, identifiers, IRI, and those of others.

    A number of a portal means something beside the portal alone, so that it is the agency; an IRI needs none.
    """
    host = _host(source_url)
    found: dict[Known, None] = {}
    for name in (guid, *dataset.identifier, dataset.uri):
        if name:
            found[Known(name, "" if _is_iri(name) else host)] = None
    for other in dataset.other_identifier:
        if other.notation:
            found[Known(other.notation, other.agency or "")] = None
    return tuple(known for known in found if _indexed(known))[:_MOST_NAMES]


def _indexed(known: Known) -> bool:
    longest = max(map(len, known)) <= LONGEST_NOTATION
    return longest and sum(len(text.encode("utf-8", "replace")) for text in known) <= _MOST_BYTES


@lru_cache(maxsize=256)
def _host(url: str) -> str:
    return urlsplit(url).netloc.lower()


def _is_iri(name: str) -> bool:
    return "://" in name or name.startswith(("urn:", "doi:"))


def public_key(source: str, guid: str) -> str:
    """The public identifier of a dataset, made of the record that founded it, so that a rebuilt catalogue keeps it."""
    mark = blake2b(f"{source}\x00{guid}".encode("utf-8", "replace"), digest_size=10).digest()
    return b32encode(mark).decode().lower()


def _keys(dataset: Dataset, source_url: str) -> Iterator[str]:
    if dataset.uri:
        yield from _global(dataset.uri)
    for identifier in dataset.identifier:
        yield from _global(identifier)
    for other in dataset.other_identifier:
        if other.notation:
            yield from _global(other.notation)
            if other.agency:
                yield f"id:{other.agency.lower()}:{other.notation}"
    # A portal's own page of a dataset is that dataset's; a page elsewhere may stand for many of them.
    host = _host(source_url)
    for page in dataset.landing_page:
        if (parts := _split(page)) and parts.netloc.lower() == host:
            yield f"uri:{_canonical(parts)}"


def _global(text: str) -> Iterator[str]:
    """Keys of an identifier that is unique in the world: an http IRI, a DOI, a UUID; nothing for a local number."""
    lowered = text.lower()
    if doi := _DOI.search(lowered) if "10." in lowered else None:
        yield f"doi:{doi.group().rstrip('.,;)')}"
    elif uuid := _UUID.search(lowered):
        yield f"uuid:{uuid.group(1)}"
    if lowered.startswith(("http://", "https://")) and (parts := _split(text)) and parts.path.strip("/"):
        yield f"uri:{_canonical(parts)}"


def _split(url: str) -> SplitResult | None:
    """The parts of an address; None where it has none: `http://[host]/`."""
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _canonical(parts: SplitResult) -> str:
    query = f"?{parts.query}" if parts.query else ""
    fragment = f"#{parts.fragment}" if parts.fragment else ""
    return f"{parts.netloc.lower().removeprefix('www.')}{parts.path.rstrip('/')}{query}{fragment}"
