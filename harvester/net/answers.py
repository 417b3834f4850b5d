"""What the client hands over: a whole answer, or a feed to be read piece by piece."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harvester import jsonio
from harvester.errors import SourceError
from harvester.net import body, rules, urls


@dataclass(frozen=True, slots=True)
class Answer:
    """What a portal answered; `url` is where it was found after redirects."""

    url: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    cap: int = field(default=512 << 20, repr=False)

    def json(self) -> Any:
        """The body as JSON, a gzip file's content included; SourceError `not-json` says what it was instead."""
        try:
            return jsonio.loads(self._unzipped(), self.charset)
        except ValueError as error:
            raise self._not_json(str(error)) from error

    @property
    def text(self) -> str:
        return jsonio.decode(self._unzipped(), self.charset)

    @property
    def charset(self) -> str | None:
        """The charset that the portal declares, right or wrong."""
        return rules.charset(self.headers.get("content-type", ""))

    def trouble(self) -> SourceError | None:
        """The error that `get` would have raised for this answer, for those who asked with `try_get`."""
        found = rules.trouble(rules.Head(self.url, self.status, self.headers), self.content, datetime.now(UTC))
        return found.error if found else None

    def _unzipped(self) -> bytes:
        if not self.content.startswith(body.GZIP):
            return self.content
        try:
            return body.gunzipped(self.content, self.cap)
        except body.TooLargeError as error:
            raise body.too_large(urls.redacted(self.url)) from error
        except body.TruncatedError as error:
            raise body.damaged(urls.redacted(self.url), error) from error

    def _not_json(self, reason: str) -> SourceError:
        kind, url = self.headers.get("content-type", "no content type"), urls.redacted(self.url)
        said = urls.redacted(rules.excerpt(self.content, self.charset)) or "nothing"
        message = (
            f"no JSON from {url} (HTTP {self.status}, {kind}, {len(self.content)} bytes): {reason}; it said: {said}"
        )
        return SourceError(message, code="not-json", url=url, value=self.status)


@dataclass(frozen=True, slots=True)
class Glance:
    """The beginning of an answer, whatever its status; `hops` are the redirects on the way, with where each led."""

    url: str
    status: int
    headers: Mapping[str, str]
    hops: tuple[tuple[int, str], ...]
    content: bytes = field(repr=False)

    def wait(self, now: datetime) -> float | None:
        """Seconds that the portal asks to wait, where it says so."""
        return rules.stated_wait(self.status, self.headers, self.content, now)

    def walled(self) -> bool:
        """Whether it is a challenge that only a browser gets past, or a firewall's refusal."""
        return rules.walled(self.status, self.headers, self.content)


class Feed(io.BufferedReader):
    """A big answer as a readable binary file, with where it came from; a gzip file is read as what it holds."""

    def __init__(self, raw: body.Contents, head: rules.Head) -> None:
        super().__init__(raw, body.PIECE)
        self.url = head.url
        self.status = head.status
        self.headers = head.headers
