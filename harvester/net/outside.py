"""The way out of one client: network or proxy, authorities, and the limits agreed for its source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from harvester.access import DIRECT, Access, proxy_url
from harvester.errors import Blocked, UsageError
from harvester.net import backend, guard
from harvester.net.breaker import Breaker
from harvester.net.exchange import Exchange
from harvester.net.pace import Pace
from harvester.net.patience import Stop
from harvester.net.robots import Robots
from harvester.net.secrets import Vault
from harvester.settings import Settings


@dataclass(slots=True)
class Outside:
    """What the service says of the way out; UsageError when that cannot be."""

    settings: Settings
    transport: httpx.BaseTransport | None
    resolve: guard.Resolver
    now: Callable[[], float]
    pace: Pace
    breaker: Breaker
    robots: Robots | None
    allowed: tuple[guard.Rule, ...] = field(init=False)
    proxy: httpx.URL | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.allowed = guard.rules(self.settings.private_hosts)
        backend.certificates(self.settings.ca_bundle)
        stated = self.settings.proxy.get_secret_value() if self.settings.proxy else ""
        try:
            self.proxy = proxy_url(stated) if stated else None
        except ValueError as error:
            raise UsageError(f"proxy: {error}", field="proxy") from None

    def exchange(self, access: Access, vault: Vault, stop: Stop) -> Exchange:
        """What one source's requests go through; Blocked when its own proxy or authorities cannot be had."""
        proxy = self._proxy(access)
        network = backend.Backend(self._allowed_for(proxy), self.resolve, self.now)
        direct = backend.Backend(self.allowed, self.resolve, self.now)
        return Exchange(
            self.transport or self._transport(network, access, proxy),
            self.settings,
            self.allowed,
            self.pace,
            vault,
            self.now,
            stop,
            self.breaker,
            access.interval,
            access.connections,
            self.robots,
            direct.addresses if proxy is not None else None,
        )

    def _proxy(self, access: Access) -> httpx.URL | None:
        stated = access.proxy_address()
        if stated == DIRECT:
            return None
        return httpx.URL(stated) if stated else self.proxy

    def _allowed_for(self, proxy: httpx.URL | None) -> tuple[guard.Rule, ...]:
        """The proxy of the settings may stand in the private network; that of a source is checked like any host."""
        if proxy is None or proxy != self.proxy:
            return self.allowed
        return (*self.allowed, *guard.rules([f"{proxy.netloc.decode('ascii')}"]))

    def _transport(self, network: backend.Backend, access: Access, proxy: httpx.URL | None) -> backend.Transport:
        try:
            return backend.Transport(network, (self.settings.ca_bundle, access.ca_bundle), proxy)
        except UsageError as error:
            raise Blocked(error.message, code="ca-bundle", field="access.ca_bundle") from error
