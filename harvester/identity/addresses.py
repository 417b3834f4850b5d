"""Addresses of files and pages as keys: what does not tell one file from another is left out."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

# What campaigns and sessions add; everything else may choose the file.
_TRACKING = re.compile(r"^(?:utm_\w+|gclid|fbclid|mc_[ce]id|jsessionid|phpsessid|_ga)$", re.IGNORECASE)
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.IGNORECASE)
_SLASHES = re.compile("/{2,}")
# Longer ones are rare, and would make the memory large.
_LONGEST_REMEMBERED = 500
_PORTS = {"http": ":80", "https": ":443", "ftp": ":21"}
_HOME = re.compile(r"^/?(?:index\.\w{2,5}|home|accueil|[a-z]{2})?/?$")
# Calls by which a map server tells of itself, the same for every layer.
_CAPABILITIES = frozenset(("request", "service", "version"))


def canonical(url: str) -> str:
    """The address without scheme, `www.`, default port, tracking and final slash; "" for a home page or none."""
    return _remembered(url) if len(url) <= _LONGEST_REMEMBERED else _canonical(url)


def _canonical(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        host = (parts.netloc or "").lower().rpartition("@")[2].removesuffix(_PORTS.get(parts.scheme.lower(), ":80"))
    except ValueError:
        return ""
    path = _SESSION.sub("", parts.path) if ";" in parts.path else parts.path
    path = (_SLASHES.sub("/", path) if "//" in path else path).rstrip("/")
    query = _query(parts.query)
    if not host or ("." not in host and ":" not in host) or (_HOME.match(path) and not query and not parts.fragment):
        return ""
    fragment = (
        f"#{parts.fragment}" if parts.fragment and (query or "/" in parts.fragment or "=" in parts.fragment) else ""
    )
    return f"{host.removeprefix('www.')}{unquote(path)}{f'?{query}' if query else ''}{fragment.rstrip('#')}"


# A distribution gives one address twice as a rule, and a portal the same page and places of many datasets.
_remembered = lru_cache(maxsize=8_192)(_canonical)


def _query(query: str) -> str:
    if not query:
        return ""
    pairs = [(key, value) for key, value in parse_qsl(query, keep_blank_values=True) if not _TRACKING.match(key)]
    if pairs and all(key.lower() in _CAPABILITIES for key, _ in pairs):
        # The capabilities of a map service are one document for all of its layers.
        pairs = [(key.lower(), value.lower()) for key, value in pairs if key.lower() != "version"]
    return urlencode(sorted(pairs))


@lru_cache(maxsize=4_096)
def host(url: str) -> str:
    """The host of an address, without `www.`; "" where it has none."""
    try:
        return urlsplit(url).netloc.lower().rpartition("@")[2].partition(":")[0].removeprefix("www.")
    except ValueError:
        return ""
