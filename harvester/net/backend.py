"""The network under httpx: names resolved here, addresses guarded when connecting, every wait under a deadline.

Checking the URL is not enough: a name may resolve to something else a moment later (DNS rebinding), so what is
connected to is the very address that was checked, while TLS still verifies the host name.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf
from pathlib import Path
from typing import Any, TypeVar

import httpcore
import httpx

from harvester.errors import UsageError
from harvester.net import guard, urls
from harvester.net.patience import GLANCE, Stop, bounded, check, never


@dataclass(frozen=True, slots=True)
class _Limit:
    due: float = inf
    stop: Stop = never


# When the exchange under way in this thread must be over, whatever it is reading or writing, and who may end it.
_LIMIT: ContextVar[_Limit] = ContextVar("limit", default=_Limit())  # noqa: B039

# Its debug log shows the headers of answers: cookies, and links into which a portal wrote the key it was given.
logging.getLogger("httpcore").setLevel(logging.INFO)

# Sockets take no infinite time-out.
_DAY = 86_400.0
# Longer than the work on one page, shorter than what servers keep (nginx: 75 s).
_KEEP_ALIVE = 30.0
# The pool looks at every idle connection before each request: of hundreds of hosts that would cost more than asking.
_MOST_IDLE = 16

Clock = Callable[[], float]
T = TypeVar("T")


@contextmanager
def due(moment: float, stop: Stop = never) -> Iterator[None]:
    """Within the block no read, write or connection lasts beyond `moment`, nor a second longer than `stop` allows."""
    token = _LIMIT.set(_Limit(moment, stop))
    try:
        yield
    finally:
        _LIMIT.reset(token)


class Stream(httpcore.NetworkStream):
    """A connection that obeys the deadline: a server that drips one header byte a minute is cut too."""

    def __init__(self, inner: httpcore.NetworkStream, now: Clock) -> None:
        self._inner = inner
        self._now = now

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(timeout, self._now, httpcore.ReadTimeout)
        while left > GLANCE:
            with suppress(httpcore.ReadTimeout):
                return self._inner.read(max_bytes, GLANCE)
            left = min(left - GLANCE, _left(timeout, self._now, httpcore.ReadTimeout))
        return self._inner.read(max_bytes, left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, self._now, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            left = _left(timeout, self._now, httpcore.ConnectTimeout)
            encrypt = partial(self._inner.start_tls, ssl_context, server_hostname, left)
            return Stream(_in_time(encrypt, left, lambda late: late.close()), self._now)
        except BaseException:
            self.close()  # httpcore leaves it open when a handshake is called off
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Connects to public addresses, and to the private ones that are allowed."""

    def __init__(
        self, allowed: tuple[guard.Rule, ...], resolve: guard.Resolver = guard.resolve, now: Clock = time.monotonic
    ) -> None:
        self._allowed = allowed
        self._resolve = resolve
        self._now = now
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        ends = self._now() + _left(timeout, self._now, httpcore.ConnectTimeout)
        addresses = guard.check(host, port, self.addresses(host, port, timeout), self._allowed)
        problem: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError(f"{host} has no address")
        for place, address in enumerate(addresses):
            # A host whose IPv6 goes nowhere must leave time for its IPv4.
            share = max((ends - self._now()) / (len(addresses) - place), 0.001)
            connect = partial(self._plain.connect_tcp, address, port, share, local_address, socket_options)
            try:
                return Stream(_in_time(connect, share, lambda late: late.close()), self._now)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    def addresses(self, host: str, port: int, timeout: float | None = None) -> list[str]:
        """What a name resolves to; getaddrinfo knows no time-out of its own."""
        literal = guard.literal(host)
        if literal is not None:
            return [literal]
        left = _left(timeout, self._now, httpcore.ConnectTimeout)
        try:
            return _in_time(partial(self._resolve, host, port), left, lambda late: None)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} does not resolve: {error}") from error


def _in_time(work: Callable[[], T], seconds: float, drop: Callable[[T], object]) -> T:
    """Leaves the work a moment more than its own time-out, so that it is the one to say what was late."""
    try:
        return bounded(work, seconds + GLANCE, _LIMIT.get().stop, drop)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error


def _left(timeout: float | None, now: Clock, late: type[httpcore.TimeoutException]) -> float:
    limit = _LIMIT.get()
    check(limit.stop)
    left = min(inf if timeout is None else timeout, limit.due - now())
    if left <= 0:
        raise late("the total time is used up")
    return min(left, _DAY)


class Transport(httpx.HTTPTransport):
    """httpx over the guarded network; no proxy and no setting is taken from the environment unasked."""

    def __init__(self, network: Backend, bundles: tuple[Path | None, ...] = (), proxy: httpx.URL | None = None) -> None:
        context = certificates(*bundles)
        super().__init__(verify=context, trust_env=False)
        more: dict[str, Any] = {"max_connections": None, "keepalive_expiry": _KEEP_ALIVE, "network_backend": network}
        more["max_keepalive_connections"] = _MOST_IDLE
        # httpx has no argument for a network of one's own.
        self._pool = (
            httpcore.ConnectionPool(ssl_context=context, **more)
            if proxy is None
            else httpcore.HTTPProxy(
                str(urls.bare(proxy)),
                proxy_auth=(proxy.username, proxy.password) if proxy.userinfo else None,
                ssl_context=context,
                proxy_ssl_context=context if proxy.scheme == "https" else None,
                **more,
            )
        )


def certificates(*bundles: Path | None) -> ssl.SSLContext:
    """The authorities known to all, and those of the files; UsageError when one cannot be read."""
    try:
        return _context(tuple((path, path.stat().st_mtime_ns) for path in bundles if path is not None))
    except OSError as error:
        name = error.filename or ", ".join(str(path) for path in bundles if path)
        raise UsageError(f"ca_bundle: {name} cannot be read as PEM: {error.strerror or error}", value=name) from error


@lru_cache(maxsize=16)
def _context(bundles: tuple[tuple[Path, int], ...]) -> ssl.SSLContext:
    """Shared by all clients, for reading the authorities takes longer than most requests; a changed file counts."""
    context = httpx.create_ssl_context(trust_env=False)
    for path, _ in bundles:
        context.load_verify_locations(cafile=path)
    return context
