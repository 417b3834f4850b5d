"""One attempt at one question: redirects by hand, every hop guarded, paced, under its deadline and capped."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import IO

import httpcore
import httpx

from harvester.errors import SourceError
from harvester.net import backend, body, guard, rules, urls
from harvester.net.breaker import Breaker
from harvester.net.pace import Pace
from harvester.net.patience import Stop, check
from harvester.net.robots import Robots
from harvester.net.rules import AttemptError, Head
from harvester.net.secrets import Vault
from harvester.settings import Settings

MAX_REDIRECTS = 5
# So much of an error page is read: enough for `reset_time` and an excerpt.
ERROR_BYTES = 1 << 16
log = logging.getLogger(__name__)

# A robots.txt that takes longer is done without.
_ROBOTS_SECONDS = 30.0
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: `patient` ones are asked again and raise, the others hand over whatever came.

    Of a `glance` no more is read than so many bytes, whatever is sent.
    """

    url: httpx.URL
    headers: Mapping[str, str] = field(repr=False)
    patient: bool
    conditional: bool = False
    method: str = "GET"
    glance: int | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """What one attempt needs of the outside.

    `interval` and `connections` are those agreed for the source, where it has its own; `look_up` is given where a
    proxy will resolve the names, so that they are checked here first.
    """

    transport: httpx.BaseTransport
    settings: Settings
    allowed: tuple[guard.Rule, ...]
    pace: Pace
    vault: Vault
    now: Callable[[], float]
    stop: Stop
    breaker: Breaker
    interval: float | None = None
    connections: int | None = None
    robots: Robots | None = None
    look_up: Callable[[str, int], list[str]] | None = None

    def run(self, ask: Ask, sink: IO[bytes]) -> Head:
        """The last answer, its body in `sink`; AttemptError or SourceError when none came."""
        url, jar = ask.url, httpx.Cookies()
        hops: tuple[tuple[int, str], ...] = ()
        due = self.now() + self.settings.total_timeout
        for _ in range(MAX_REDIRECTS + 1):
            self.breaker.check(url)
            with self._turn(url, ask) as waited:
                due += waited
                head = self._hop(url, ask, sink, jar, due)
            location = head.headers.get("location")
            if head.status not in rules.REDIRECTS or not location:
                return replace(head, hops=hops)
            url = self._next(url, location)
            hops = (*hops, (head.status, str(urls.bare(self.vault.without(url)))))
        shown = urls.redacted(str(ask.url))
        raise SourceError(f"{shown} redirects more than {MAX_REDIRECTS} times", code="redirects", url=shown)

    @contextmanager
    def _turn(self, url: httpx.URL, ask: Ask) -> Iterator[float]:
        interval = self._interval(url, ask) if self.interval is None else self.interval
        connections = self.connections or self.settings.host_connections
        with self.pace.turn(url.host, interval, connections, self.stop) as waited:
            yield waited

    def _interval(self, url: httpx.URL, ask: Ask) -> float:
        """The larger of what the settings and the host's robots.txt want, where nothing is agreed for the source."""
        least, most = self.settings.host_interval, self.settings.max_crawl_delay
        if self.robots is None or most <= 0:
            return least
        agent = ask.headers.get("User-Agent", "")
        return max(least, min(self.robots.delay(url, agent, lambda file: self._robots_txt(file, agent)), most))

    def _robots_txt(self, url: httpx.URL, agent: str) -> bytes | None:
        """Asked once, without credentials.  A 4xx means that there are no rules (RFC 9309, 2.3.1.3)."""
        hurried = self.settings.model_copy(update={"total_timeout": min(self.settings.total_timeout, _ROBOTS_SECONDS)})
        stranger = replace(self, settings=hurried, vault=Vault({}), robots=None, breaker=Breaker())
        sink = io.BytesIO()
        try:
            head = stranger.run(Ask(url, {"User-Agent": agent, "Accept-Encoding": "gzip, deflate"}, patient=True), sink)
        except (AttemptError, SourceError) as error:
            log.info("%s is done without: %s", urls.redacted(str(url)), getattr(error, "error", error))
            return None
        if 400 <= head.status < 500:
            return b""
        return sink.getvalue() if head.status == 200 else None

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
        with self._explained(url, due), backend.due(due, self.stop):
            self._check(url)
            response = self.transport.handle_request(request)
            response.request = request
            try:
                self._receive(response, ask, sink, due)
            finally:
                response.close()
        self._keep(jar, response)
        return Head(str(urls.bare(self.vault.without(url))), response.status_code, response.headers)

    def _keep(self, jar: httpx.Cookies, response: httpx.Response) -> None:
        """The cookies of an answer, but those that no header may hold (RFC 6265, 4.1.1)."""
        jar.extract_cookies(response)
        for cookie in list(jar.jar):
            if not f"{cookie.name}{cookie.value or ''}".isascii():
                jar.jar.clear(cookie.domain, cookie.path, cookie.name)

    def _request(self, url: httpx.URL, ask: Ask) -> httpx.Request:
        settings = self.settings
        timeout = {"connect": settings.connect_timeout, "read": settings.read_timeout, "write": settings.read_timeout}
        headers = self.vault.headers_for(url, ask.headers)
        for name, value in headers.items():
            if _CONTROL.search(value):
                raise SourceError(f"the header {name} holds a control character", code="bad-header", field=name)
        return httpx.Request(
            ask.method,
            urls.bare(self.vault.address_for(url)),
            headers=[(name.encode("ascii", "replace"), value.encode()) for name, value in headers.items()],
            extensions={"timeout": timeout},
        )

    def _check(self, url: httpx.URL) -> None:
        """Addresses written as such; names are checked when connecting, with what they resolve to then.

        A proxy resolves names again by itself: what it may reach is for its own rules to say, too.
        """
        address, port = guard.literal(url.host), urls.port(url)
        if address is not None:
            guard.check(url.host, port, [address], self.allowed)
        elif self.look_up is not None and not guard.named(url.host, port, self.allowed):
            guard.check(url.host, port, self.look_up(url.host, port), self.allowed)

    def _receive(self, response: httpx.Response, ask: Ask, sink: IO[bytes], due: float) -> None:
        cut = ask.glance is not None or (ask.patient and not response.is_success)
        cap = ask.glance or (ERROR_BYTES if cut else self.settings.max_response_bytes)
        length = response.headers.get("content-length", "")
        if not cut and length.isdecimal() and int(length[:20]) > cap:
            raise body.TooLargeError
        # Not `iter_raw`: a stream of a stand-in transport may have been read before.
        assert isinstance(response.stream, httpx.SyncByteStream)
        chunks = self._timed(response.stream, due)
        try:
            body.save(body.decoded(chunks, response.headers.get("content-encoding", "")), sink, cap, cut=cut)
        except body.TruncatedError:
            # A range of a compressed answer ends where it is cut.
            if ask.glance is None or not sink.tell():
                raise

    def _timed(self, chunks: Iterable[bytes], due: float) -> Iterator[bytes]:
        for chunk in chunks:
            check(self.stop)
            if self.now() > due:
                raise httpx.ReadTimeout("the total time is used up")
            yield chunk

    @contextmanager
    def _explained(self, url: httpx.URL, due: float) -> Iterator[None]:
        """Every way in which the network fails, as one of our errors."""
        shown = urls.redacted(str(url))
        try:
            yield
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            late = isinstance(error, httpcore.ConnectTimeout)
            kind = httpx.ConnectTimeout if late else httpx.ConnectError
            raise rules.network_trouble(shown, kind(str(error)), late=self.now() >= due) from error
        except (httpx.TransportError, httpx.StreamError, body.TruncatedError) as error:
            raise rules.network_trouble(shown, error, late=self.now() >= due) from error
        except guard.RefusedError as error:
            raise SourceError(f"{shown} is not asked: {error}", code="private-address", url=shown) from error
        except body.TooLargeError as error:
            raise body.too_large(shown) from error
        except body.UndecodableError as error:
            text = f"{shown} answered in an encoding that was not offered: {error}"
            raise SourceError(text, code="encoding", url=shown) from error
