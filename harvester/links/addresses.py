"""Addresses of distributions in the one form under which each is kept and asked, and what a record promises of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

import httpx

from harvester.errors import SourceError
from harvester.links.formats import MEDIA_TYPES, is_file, names_suffix
from harvester.net import urls

# Beside the settings of any real server; what is longer is data in the wrong field.
LONGEST = 8_000
_LONGEST_HOST = 255
_MOST_DECLARED = 100


class Address(NamedTuple):
    """An address; the host is empty for those that cannot be asked."""

    id: int
    text: str
    host: str


class Use(NamedTuple):
    """How a record names an address: in which distribution first, as what, and which formats it declares."""

    address: Address
    number: int
    role: str
    declared: str
    promised: bool


def address_of(url: str) -> Address:
    """The address that a URL names: host in lower case, without fragment, credentials or default port.

    Spellings that one server may tell apart stay apart: http and https, a final slash, the order of parameters.
    """
    try:
        found = urls.bare(urls.clean(url[:LONGEST]))
        host = found.host.lower().rstrip(".")
        text = str(found.copy_with(host=host, raw_path=found.raw_path))
    except (SourceError, httpx.InvalidURL):
        # Written out in percent signs, an address may be longer than any that can be asked.
        host = text = ""
    if not host or len(host) > _LONGEST_HOST or len(url) > LONGEST:
        return Address(key_of(url), urls.redacted(url[:LONGEST]), "")
    return Address(key_of(text), text, host)


def key_of(text: str) -> int:
    """63 bits of a digest: as many addresses as there are will not meet by chance."""
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def uses_of(dataset: Mapping[str, Any]) -> list[Use]:
    """Every address that a dataset, as it is stored, names in its distributions, each once."""
    found: dict[int, Use] = {}
    for use in _uses(dataset):
        known = found.get(use.address.id)
        found[use.address.id] = use if known is None else _both(known, use)
    return list(found.values())


def _uses(dataset: Mapping[str, Any]) -> Iterator[Use]:
    for number, part in enumerate(dataset.get("distribution", ())):
        downloads, accesses = part.get("download_url", ()), part.get("access_url", ())
        declared = declared_of(part)
        for url in downloads:
            yield Use(address_of(url), number, "download", declared, is_file(declared))
        for url in accesses:
            if url not in downloads:
                # An access URL may lead to a page about the data, unless it looks like the very file.
                promised = is_file(declared) and not downloads and names_suffix(url, declared)
                yield Use(address_of(url), number, "access", declared, promised)


def declared_of(part: Mapping[str, Any]) -> str:
    """The code of the format that a distribution declares, else of its media type, else nothing."""
    for name in ("format", "media_type"):
        uri = (part.get(name) or {}).get("uri") or ""
        if "/authority/file-type/" in uri or "/media-types/" in uri:
            return code_of(uri)[:_MOST_DECLARED]
    return ""


def code_of(uri: str) -> str:
    """The code of a file type or media type among the file types."""
    head, _, tail = uri.partition("/media-types/")
    return MEDIA_TYPES.get(tail.lower(), "") if tail else head.rpartition("/")[2]


def _both(first: Use, second: Use) -> Use:
    """One address in two distributions: whatever either declares will do, and the stronger promise holds."""
    codes = dict.fromkeys((*first.declared.split(), *second.declared.split()))
    # Nothing declared in one place allows anything.
    declared = " ".join(codes) if first.declared and second.declared else ""
    role = "download" if "download" in (first.role, second.role) else "access"
    promised = first.promised and second.promised
    # More kinds than fit are as good as none.
    return Use(first.address, first.number, role, declared if len(declared) <= _MOST_DECLARED else "", promised)
