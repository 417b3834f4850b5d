"""Who may see the credentials of a source: its own origin, and nobody that a link or a redirect leads to."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

import httpx

from harvester.net import urls

# A header whose name holds one of these is a credential, whoever set it.
_SECRET_NAMES = ("auth", "cookie", "key", "token", "secret", "password")
_SHORTEST = 4


@dataclass(slots=True)
class Vault:
    """The headers meant for `home`; when none is given, the first URL asked becomes it."""

    secrets: Mapping[str, str]
    home: httpx.URL | None = None

    def headers_for(self, url: httpx.URL, asked: Mapping[str, str]) -> dict[str, str]:
        """What may be sent to `url` of the headers asked for, with the credentials when it is at home."""
        if self.home is None or not urls.may_know(url, self.home):
            return {name: value for name, value in asked.items() if not _is_secret(name)} | _basic(url)
        return dict(asked) | _basic(self.home) | dict(self.secrets) | _basic(url)

    def words(self, asked: Iterable[httpx.URL], headers: Mapping[str, str]) -> list[str]:
        """Everything that must not show in a message: whole values, and the key in `Apikey <key>`."""
        values = [value for name, value in headers.items() if _is_secret(name)] + list(self.secrets.values())
        words = [word for value in values for word in (value, *value.split()[1:])]
        words += [word for url in (*asked, *([self.home] if self.home else [])) for word in urls.secrets_in(url)]
        return sorted({word for word in words if len(word) >= _SHORTEST}, key=len, reverse=True)


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_NAMES)


def _basic(url: httpx.URL) -> dict[str, str]:
    """RFC 7617, for addresses of the form https://user:password@host/."""
    if not url.userinfo:
        return {}
    pair = b":".join(unquote(part).encode() for part in url.userinfo.decode("ascii").partition(":")[::2])
    return {"Authorization": "Basic " + b64encode(pair).decode("ascii")}
