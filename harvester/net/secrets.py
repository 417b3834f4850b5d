"""Who may see the credentials of a source: its own origin, and nobody that a link or a redirect leads to."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, unquote_plus

import httpx

from harvester.net import urls

# A header whose name holds one of these is a credential, whoever set it.
_SECRET_NAMES = ("auth", "cookie", "key", "token", "secret", "password")
_SHORTEST = 4
_KEY_LENGTH = 12


@dataclass(slots=True)
class Vault:
    """What only `home` may know: `secrets` by header, or by `?parameter`, and headers that are `own` to the source.

    Without a home the first URL asked becomes it.
    """

    secrets: Mapping[str, str] = field(repr=False)
    home: httpx.URL | None = field(default=None, repr=False)
    own: Mapping[str, str] = field(default_factory=dict, repr=False)

    def headers_for(self, url: httpx.URL, asked: Mapping[str, str]) -> dict[str, str]:
        """What may be sent to `url` of the headers asked for, with the credentials when it is at home."""
        home = self._home_for(url)
        if home is None:
            return {name: value for name, value in asked.items() if not is_secret(name)} | _basic(url)
        return _merged(asked, self.own, _basic(home), self._headers(), _basic(url))

    def address_for(self, url: httpx.URL) -> httpx.URL:
        """The URL to send: with the secret parameters at home, and without them where a link took them elsewhere."""
        mine = {name[1:]: value for name, value in self.secrets.items() if name.startswith("?")}
        return urls.with_params(url, mine) if self._home_for(url) is not None else self.without(url)

    def without(self, url: httpx.URL) -> httpx.URL:
        """The URL less the parameters that hold one of the secrets, as a portal may write them into its links."""
        values = {value for value in map(_key, self.secrets.values()) if len(value) >= _SHORTEST}
        pairs = [part for part in url.query.decode("ascii").split("&") if part]
        kept = [part for part in pairs if not any(value in unquote_plus(part) for value in values)]
        return url if len(kept) == len(pairs) else url.copy_with(query="&".join(kept).encode("ascii") or None)

    def words(self, asked: Iterable[httpx.URL], headers: Mapping[str, str]) -> list[str]:
        """Everything that must not show in a message: whole values, the key in `Apikey <key>`, and as URLs spell it."""
        values = [value for name, value in headers.items() if is_secret(name)] + list(self.secrets.values())
        words = [word for value in values for word in (value, *value.split()[1:])]
        words += [word for url in (*asked, *([self.home] if self.home else [])) for word in urls.secrets_in(url)]
        words += [quote(word, safe="") for word in words]
        return sorted({word for word in words if len(word) >= _SHORTEST}, key=len, reverse=True)

    def struck(self, content: bytes, asked: httpx.URL, headers: Mapping[str, str], *, refused: bool) -> bytes:
        """An answer without the credentials that it repeats, as errors and links to further pages do.

        Of good answers only what is long enough to be a key, and no word of a dataset, is struck out; the credentials
        in an address stay, for links to further pages need them.
        """
        for word in self.words([asked], headers) if refused else self.striking():
            content = content.replace(word.encode(), b"***")
        return content

    def striking(self) -> list[str]:
        """What is struck out of good answers, the longest first, also as URLs spell it."""
        keys = {key for value in self.secrets.values() if len(key := _key(value)) >= _KEY_LENGTH}
        return sorted(keys | {quote(key, safe="") for key in keys}, key=len, reverse=True)

    def _home_for(self, url: httpx.URL) -> httpx.URL | None:
        return self.home if self.home is not None and urls.may_know(url, self.home) else None

    def _headers(self) -> dict[str, str]:
        return {name: value for name, value in self.secrets.items() if not name.startswith("?")}


def is_secret(name: str) -> bool:
    """Whether a header of this name holds a credential."""
    return any(word in name.lower() for word in _SECRET_NAMES)


def _merged(*parts: Mapping[str, str]) -> dict[str, str]:
    """Later ones win, however their names are capitalised (RFC 9110, section 5.1)."""
    named = {name.lower(): (name, value) for part in parts for name, value in part.items()}
    return dict(named.values())


def _key(value: str) -> str:
    """The secret itself in `Apikey <secret>`."""
    return value.rpartition(" ")[2]


def _basic(url: httpx.URL) -> dict[str, str]:
    """RFC 7617, for addresses of the form https://user:password@host/."""
    if not url.userinfo:
        return {}
    pair = b":".join(unquote(part).encode() for part in url.userinfo.decode("ascii").partition(":")[::2])
    return {"Authorization": "Basic " + b64encode(pair).decode("ascii")}
