"""The network under httpx: names resolved here, addresses guarded when connecting, every read under a deadline.

Checking the URL is not enough: a name may resolve to something else a moment later (DNS rebinding), so what is
connected to is the very address that was checked, while TLS still verifies the host name.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any

import httpcore
import httpx

from harvester.errors import UsageError
from harvester.net import guard

# The moment at which the exchange under way in this thread must be over, whatever it is reading or writing.
_DUE: ContextVar[float] = ContextVar("due", default=inf)

# Sockets take no infinite time-out.
_DAY = 86_400.0
# Longer than the work on one page, shorter than what servers keep (nginx: 75 s).
_KEEP_ALIVE = 30.0

Clock = Callable[[], float]


@contextmanager
def due(moment: float) -> Iterator[None]:
    """Within the block no read, write or connection lasts beyond `moment`."""
    token = _DUE.set(moment)
    try:
        yield
    finally:
        _DUE.reset(token)


class Stream(httpcore.NetworkStream):
    """A connection that obeys the deadline: a server that drips one header byte a minute is cut too."""

    def __init__(self, inner: httpcore.NetworkStream, now: Clock) -> None:
        self._inner = inner
        self._now = now

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, self._now, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, self._now, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, self._now, httpcore.ConnectTimeout)
        return Stream(self._inner.start_tls(ssl_context, server_hostname, left), self._now)

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
        addresses = guard.check(host, port, self._addresses(host, port), self._allowed)
        ends = self._now() + _left(timeout, self._now, httpcore.ConnectTimeout)
        problem: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError(f"{host} has no address")
        for place, address in enumerate(addresses):
            # A host whose IPv6 goes nowhere must leave time for its IPv4.
            share = max((ends - self._now()) / (len(addresses) - place), 0.001)
            try:
                return Stream(self._plain.connect_tcp(address, port, share, local_address, socket_options), self._now)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    def _addresses(self, host: str, port: int) -> list[str]:
        """getaddrinfo knows no time-out of its own: that of the system's resolver applies."""
        try:
            return self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} does not resolve: {error}") from error


def _left(timeout: float | None, now: Clock, late: type[httpcore.TimeoutException]) -> float:
    left = min(inf if timeout is None else timeout, _DUE.get() - now())
    if left <= 0:
        raise late("the total time is used up")
    return min(left, _DAY)


class Transport(httpx.HTTPTransport):
    """httpx over the guarded network; no proxies and no settings from the environment."""

    def __init__(self, network: Backend, ca_bundle: Path | None = None) -> None:
        context = _certificates(ca_bundle)
        super().__init__(verify=context, trust_env=False)
        # httpx has no argument for a network of one's own.
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=network, max_connections=None, keepalive_expiry=_KEEP_ALIVE
        )


@lru_cache(maxsize=4)
def _certificates(ca_bundle: Path | None) -> ssl.SSLContext:
    """Shared by all clients: reading the authorities takes longer than most requests."""
    context = httpx.create_ssl_context(trust_env=False)
    if ca_bundle is not None:
        try:
            context.load_verify_locations(cafile=ca_bundle)
        except OSError as error:
            raise UsageError(f"ca_bundle: {ca_bundle} cannot be read: {error}", value=str(ca_bundle)) from error
    return context
