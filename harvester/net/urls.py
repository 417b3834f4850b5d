"""Addresses as portals write them: cleaned into valid URLs (RFC 3986), compared by origin, printed without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus, urljoin

import httpx

from harvester.errors import SourceError

Params = Mapping[str, Any] | Iterable[tuple[str, Any]]

DEFAULT_PORTS = {"http": 80, "https": 443}
# Written out in percent signs; httpx refuses to change anything of an address with more than 65,536 in one part.
_LONGEST = 60_000
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SURROUNDING = "".join(map(chr, range(0x21)))
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_SECRET_PARAM = re.compile(
    r"([?&;](?:[\w.-]*(?:key|token|secret|passw(?:or)?d|signature|credentials?)|auth|sig|pwd)=)([^&#\s\"'<>]*)",
    re.IGNORECASE,
)


def clean(address: Any, base: str | None = None) -> httpx.URL:
    """A URL that can be asked, absolute, percent-encoded where needed (existing %XX stay); SourceError otherwise."""
    try:
        text = re.sub(r"[\t\r\n]", "", address.strip(_SURROUNDING))
        url = httpx.URL(_STRAY_PERCENT.sub("%25", urljoin(base, text) if base else text))
        problem = _problem(url)
    except (httpx.InvalidURL, ValueError, TypeError, AttributeError) as error:
        url, problem = None, str(error)
    if url is None or problem:
        raise SourceError(f"no usable address: {shown(address)!r}: {problem}", code="bad-url", value=shown(address))
    return url


def _problem(url: httpx.URL) -> str | None:
    if url.scheme not in DEFAULT_PORTS:
        return "only http and https are asked"
    if not url.host:
        return "it names no host"
    if not 0 < port(url) < 65536:
        return "there is no such port"
    return "it is too long" if len(url.raw_path) + len(url.userinfo) > _LONGEST else None


def with_params(url: httpx.URL, params: Params | None) -> httpx.URL:
    """The URL asked with more parameters: those of the same name are replaced, the others stay as they are spelt."""
    pairs = [pair for pair in _pairs(params) if pair[1] is not None]
    if not pairs:
        return url
    names = {name for name, _ in pairs}
    old = [part for part in url.query.decode("ascii").split("&") if part]
    kept = [part for part in old if unquote_plus(part.partition("=")[0]) not in names]
    new = [f"{quote(name, safe='')}={quote(_text(value), safe='')}" for name, value in pairs]
    return url.copy_with(query="&".join(kept + new).encode("ascii"))


def _pairs(params: Params | None) -> list[tuple[str, Any]]:
    items = params.items() if isinstance(params, Mapping) else (params or ())
    spread = [(name, value if isinstance(value, list | tuple) else [value]) for name, value in items]
    return [(str(name), one) for name, values in spread for one in values]


def _text(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def port(url: httpx.URL) -> int:
    """The port that is connected to, also where the address does not name it."""
    return url.port if url.port is not None else DEFAULT_PORTS[url.scheme]


def place(url: httpx.URL) -> str:
    """The host and the port that are connected to, by which what is known of a server is kept."""
    return f"{url.host}:{port(url)}"


def bare(url: httpx.URL) -> httpx.URL:
    """Without user name, password and fragment: what is sent and stored."""
    return url.copy_with(username=None, password=None, fragment=None) if url.userinfo or url.fragment else url


def may_know(url: httpx.URL, home: httpx.URL) -> bool:
    """Whether `url` may see the secrets meant for `home`: its very origin, or the same host gone over to https."""
    if url.host != home.host:
        return False
    same = (url.scheme, port(url)) == (home.scheme, port(home))
    return same or ((home.scheme, port(home)) == ("http", 80) and (url.scheme, port(url)) == ("https", 443))


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Any text with the credentials in its URLs, and the given secrets themselves, struck out."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return _SECRET_PARAM.sub(r"\1***", _USERINFO.sub("***@", text))


def told(url: str) -> str:
    """An address as people are told it: without user and password, with stars for its keys."""
    return redacted(url).replace("://***@", "://")


def secret_parameter(pair: str) -> bool:
    """Whether a `name=value` of a query holds a credential, as its name says."""
    return _SECRET_PARAM.fullmatch(f"?{pair}") is not None


def secrets_in(url: httpx.URL) -> list[str]:
    """The credentials that an address itself carries."""
    return [value for _, value in _SECRET_PARAM.findall(str(url))] + ([url.password] if url.password else [])


def shown(address: Any) -> str:
    """An address of any type as it may appear in messages."""
    return redacted(str(address))[:500]
