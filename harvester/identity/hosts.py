"""Hosts of portals as addresses name them: which of them are one portal's."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

LONGEST_HOST = 255
# Under a country, what stands for a kind of owner, so that hosts below it have nothing in common: gouv.fr, co.uk.
_KINDS = frozenset(
    ["ac", "asso", "co", "com", "edu", "gob", "gov", "gouv", "gub", "go", "gv", "ne", "net", "nic", "or", "org"]
)
# They name things of anyone: what they answer is somewhere else.
RESOLVERS = frozenset(
    [
        "doi.org",
        "dx.doi.org",
        "hdl.handle.net",
        "handle.net",
        "purl.org",
        "w3id.org",
        "n2t.net",
        "identifiers.org",
        "orcid.org",
        "isni.org",
        "inspire.ec.europa.eu",
        "publications.europa.eu",
        "wikidata.org",
    ]
)


@lru_cache(maxsize=8192)
def host_of(address: str) -> str:
    """The host of an address, or of what is only a host, in lower case and without `www.`; "" where there is none."""
    text = address.strip().lower()
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    plain = host.removeprefix("www.").rstrip(".")
    return plain if "." in plain and not set(plain) & set(" \\%\"'<>") and len(plain) <= LONGEST_HOST else ""


@lru_cache(maxsize=8192)
def same_portal(one: str, other: str) -> bool:
    """Whether two hosts are one portal's: the same, or one below the other (download.data.city.org)."""
    if not one or not other:
        return False
    short, long = sorted((one, other), key=len)
    return one == other or (long.endswith(f".{short}") and not _shared(short))


def _shared(host: str) -> bool:
    """Whether all sorts of owners have hosts below this one."""
    labels = host.split(".")
    return len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _KINDS


def canonical_url(name: str) -> str:
    """An address, or another name, as two portals write it alike: without scheme, `www.` and a final slash."""
    plain = name.strip()
    scheme, mark, rest = plain.partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        return plain.lower()
    host, slash, path = rest.partition("/")
    return f"{host.lower().removeprefix('www.')}{slash}{path}".rstrip("/")
