"""Where the action API of a CKAN may live, given any address of its portal: pure.

The API may stand under a path (`/data`, `/fr/indexer/service/ckan`), so nothing of the path is dropped unseen.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

# What a CKAN portal puts behind its root: the API, and the pages people copy the address of.
_BEHIND = re.compile(
    r"/(?:api(?:/(?:3|2|1|rest|action|search|util))?(?:/.*)?|dataset(?:s)?|package|organization|group|showcase"
    r"|harvest|dashboard|user|about|catalog\.(?:rdf|xml|ttl|n3|jsonld)|data\.json)(?:[/?#].*)?$"
)
_GATEWAY = re.compile(r"/.*?/action(?=/|$)")
_LOCALE = re.compile(r"/[a-z]{2}(?:[-_][A-Za-z]{2,4})?$")
# Where portals mount CKAN beside their web site.
_MOUNTS = ("/data", "/ckan", "/catalog")


@lru_cache(maxsize=256)
def root_of(url: str) -> str:
    """The likeliest root of the portal at this address, without a final slash; "" where it cannot be told."""
    root = next(iter(candidates(url)), "")
    return "" if root.endswith("/action") else root


def candidates(url: str) -> tuple[str, ...]:
    """Every root worth asking, the likeliest first."""
    parts = _parts(url)
    if parts is None:
        return ()
    origin, path = parts
    if (gateway := _GATEWAY.match(path)) and not _BEHIND.search(gateway.group()):
        return (origin + gateway.group(),)
    cut = _BEHIND.sub("", path).rstrip("/")
    bare = _LOCALE.sub("", cut)
    paths = [bare, cut, *_parents(bare), *_MOUNTS, path]
    return tuple(dict.fromkeys(origin + each for each in paths))


def _parts(url: str) -> tuple[str, str] | None:
    try:
        split = urlsplit(url.strip() if "://" in url else f"https://{url.strip()}")
        if not split.hostname or split.scheme not in ("http", "https"):
            return None
    except ValueError:
        return None
    return f"{split.scheme}://{split.netloc}", re.sub(r"/{2,}", "/", split.path).rstrip("/")


def _parents(path: str) -> list[str]:
    """Each folder above, nearest first, the host itself last."""
    pieces = path.split("/")[1:]
    return ["/" + "/".join(pieces[:depth]) if depth else "" for depth in range(len(pieces) - 1, -1, -1)] if path else []
