"""One attempt at one question: redirects by hand, every hop guarded, paced, under its deadline and capped."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import httpx

from harvester.errors import SourceError
from harvester.net import backend, body, guard, rules, urls
from harvester.net.pace import Pace
from harvester.net.rules import Head
from harvester.net.secrets import Vault
from harvester.settings import Settings

MAX_REDIRECTS = 5
# So much of an error page is read: enough for `reset_time` and an excerpt.
ERROR_BYTES = 1 << 16
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: `patient` ones are asked again and raise, the others hand over whatever came."""

    url: httpx.URL
    headers: Mapping[str, str]
    patient: bool
    conditional: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one attempt needs of the outside."""

    transport: httpx.BaseTransport
    settings: Settings
    allowed: tuple[guard.Rule, ...]
    pace: Pace
    vault: Vault
    now: Callable[[], float]

    def run(self, ask: Ask, sink: IO[bytes]) -> Head:
        """The last answer, its body in `sink`; AttemptError or SourceError when none came."""
        url, jar = ask.url, httpx.Cookies()
        due = self.now() + self.settings.total_timeout
        for _ in range(MAX_REDIRECTS + 1):
            with self._turn(url) as waited:
                due += waited
                head = self._hop(url, ask, sink, jar, due)
            location = head.headers.get("location")
            if head.status not in rules.REDIRECTS or not location:
                return head
            url = self._next(url, location)
        shown = urls.redacted(str(ask.url))
        raise SourceError(f"{shown} redirects more than {MAX_REDIRECTS} times", code="redirects", url=shown)

    @contextmanager
    def _turn(self, url: httpx.URL) -> Iterator[float]:
        settings = self.settings
        with self.pace.turn(url.host, settings.host_interval, settings.host_connections) as waited:
            yield waited

    def _next(self, url: httpx.URL, location: str) -> httpx.URL:
        try:
            return urls.clean(location, base=str(url))
        except SourceError as error:
            shown = urls.redacted(str(url))
            raise SourceError(f"{shown} redirects to {error.message}", code=error.code, url=shown) from error

    def _hop(self, url: httpx.URL, ask: Ask, sink: IO[bytes], jar: httpx.Cookies, due: float) -> Head:
        request = self._request(url, ask)
        jar.set_cookie_header(request)
        sink.seek(0)
        sink.truncate()
        with self._explained(url, due), backend.due(due):
            self._check_literal(url)
            response = self.transport.handle_request(request)
            response.request = request
            try:
                self._receive(response, ask, sink, due)
            finally:
                response.close()
        jar.extract_cookies(response)
        return Head(str(request.url), response.status_code, response.headers)

    def _request(self, url: httpx.URL, ask: Ask) -> httpx.Request:
        settings = self.settings
        timeout = {"connect": settings.connect_timeout, "read": settings.read_timeout, "write": settings.read_timeout}
        headers = self.vault.headers_for(url, ask.headers)
        for name, value in headers.items():
            if _CONTROL.search(value):
                raise SourceError(f"the header {name} holds a control character", code="bad-header", field=name)
        return httpx.Request(
            "GET",
            urls.bare(url),
            headers=[(name.encode("ascii", "replace"), value.encode()) for name, value in headers.items()],
            extensions={"timeout": timeout},
        )

    def _check_literal(self, url: httpx.URL) -> None:
        """Addresses written as such; names are checked when connecting, with what they resolve to then."""
        address = guard.literal(url.host)
        if address is not None:
            guard.check(url.host, urls.port(url), [address], self.allowed)

    def _receive(self, response: httpx.Response, ask: Ask, sink: IO[bytes], due: float) -> None:
        cut = ask.patient and not response.is_success
        cap = ERROR_BYTES if cut else self.settings.max_response_bytes
        length = response.headers.get("content-length", "")
        if not cut and length.isdecimal() and int(length[:20]) > cap:
            raise body.TooLargeError
        # Not `iter_raw`: a stream of a stand-in transport may have been read before.
        assert isinstance(response.stream, httpx.SyncByteStream)
        chunks = self._timed(response.stream, due)
        body.save(body.decoded(chunks, response.headers.get("content-encoding", "")), sink, cap, cut=cut)

    def _timed(self, chunks: Iterable[bytes], due: float) -> Iterator[bytes]:
        for chunk in chunks:
            if self.now() > due:
                raise httpx.ReadTimeout("the total time is used up")
            yield chunk

    @contextmanager
    def _explained(self, url: httpx.URL, due: float) -> Iterator[None]:
        """Every way in which the network fails, as one of our errors."""
        shown = urls.redacted(str(url))
        try:
            yield
        except (httpx.TransportError, httpx.StreamError, body.TruncatedError) as error:
            raise rules.network_trouble(shown, error, late=self.now() >= due) from error
        except guard.RefusedError as error:
            raise SourceError(f"{shown} is not asked: {error}", code="private-address", url=shown) from error
        except body.TooLargeError as error:
            raise body.too_large(shown) from error
        except body.UndecodableError as error:
            text = f"{shown} answered in an encoding that was not offered: {error}"
            raise SourceError(text, code="encoding", url=shown) from error
