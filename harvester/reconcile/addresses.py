"""Addresses as they can be compared across portals: of pages, of files, and of the exports that software makes."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

_TRACKING = re.compile(r"utm_\w+|gclid|fbclid|at_\w+|xtor")
# What Opendatasoft makes of one dataset in each format, under the addresses of all its generations.
_EXPORTS = (
    re.compile(r"/api/(?:explore/)?v2\.\d/catalog/datasets/([^/]+)(?:/(?:exports|records|attachments)(?:/.*)?)?"),
    re.compile(r"/explore/dataset/([^/]+)/(?:download|export|table|api|map)"),
)
_BY_QUERY = re.compile(r"/api/(?:records|datasets)/1\.0/(?:download|search)")
_FILES = ("/attachments/", "/alternative_exports/")
_DEFAULT_PORTS = re.compile(r":(?:80|443)$")


@lru_cache(maxsize=65_536)
def host_of(url: str | None) -> str:
    """The host of a URL, or of a bare host name, in lower case and without `www.`; "" where there is none."""
    if not url:
        return ""
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2].lower()
    return _DEFAULT_PORTS.sub("", host).removeprefix("www.")


@lru_cache(maxsize=65_536)
def canonical(url: str) -> str:
    """The address without what does not tell: scheme, `www.`, tracking, order of the query, last slash, fragment.

    "" for what is no address of its own: a bare host.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https", "ftp") or not parts.netloc:
        return ""
    path = unquote(parts.path).rstrip("/")
    asked = sorted(pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.fullmatch(pair[0]))
    if not path and not asked:
        return ""
    return f"{host_of(url)}{path}{'?' + urlencode(asked) if asked else ''}"


@lru_cache(maxsize=65_536)
def served(url: str) -> str:
    """What an address of data stands for: the exports that software makes of one dataset are one thing."""
    plain = canonical(url)
    if not plain or any(mark in plain for mark in _FILES):
        return plain
    path, _, query = plain.partition("?")
    host, slash, rest = path.partition("/")
    for pattern in _EXPORTS:
        if match := pattern.fullmatch(slash + rest):
            return f"{host}/ods:{match[1].lower()}"
    if _BY_QUERY.fullmatch(slash + rest) and (name := dict(parse_qsl(query)).get("dataset")):
        return f"{host}/ods:{name.lower()}"
    return plain


def last_name(url: str) -> str:
    """The last segment of the path, which names a dataset on its portal; "" where there is none."""
    return canonical(url).partition("?")[0].rpartition("/")[2] if "/" in canonical(url) else ""


def folder(url: str) -> str:
    """Host and path up to the last segment: where a portal keeps the pages of its datasets."""
    return canonical(url).partition("?")[0].rpartition("/")[0]
