"""Which addresses may be connected to: public ones, and the private ones that the settings name.

The special-purpose registries of IANA (RFC 6890), IPv4 inside IPv6 (RFC 4291, 3056, 6052), and the numeric
spellings that only the resolver understands (`http://2130706433/`).
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from harvester.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], list[str]]

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_IPV4_IN_IPV6 = (
    ipaddress.IPv6Network("::/96"),  # IPv4-compatible, deprecated but still routed by some stacks
    ipaddress.IPv6Network("64:ff9b::/96"),  # NAT64: the public way out of an IPv6-only network
)


class RefusedError(Exception):
    """The guard does not let this address be asked."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One allowed private place: a name or a network, on one port or on any."""

    name: str
    network: Network | None
    port: int | None


def rules(entries: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of the setting `private_hosts`; UsageError names an entry that is none."""
    return tuple(_rule(entry.strip()) for entry in entries)


def _rule(entry: str) -> Rule:
    network = _network(entry)
    if network is not None:
        return Rule("", network, None)
    try:
        place = urlsplit(f"//{entry}")
        name, port = place.hostname or "", place.port
    except ValueError:
        name, port = "", None
    if not name or place.path or place.username:
        raise UsageError(f"private_hosts: {entry!r} is no host, host:port, address or network", value=entry)
    return Rule(_plain_name(name), _network(name), port)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def check(host: str, port: int, found: Iterable[str], allowed: tuple[Rule, ...]) -> list[str]:
    """The addresses found for a host, when every one of them may be connected to; RefusedError otherwise."""
    addresses = [(text, embedded(ipaddress.ip_address(text))) for text in found]
    for text, address in addresses:
        if not public(address) and not _allowed(host, port, address, allowed):
            raise RefusedError(
                f"{host} is the private address {text}; name it in HARVESTER_PRIVATE_HOSTS if it may be asked"
                if literal(host)
                else f"{host} resolves to the private address {text}; if it may be asked, name {host} in "
                "HARVESTER_PRIVATE_HOSTS"
            )
    return [text for text, _ in addresses]


def named(host: str, port: int, allowed: tuple[Rule, ...]) -> bool:
    """Whether a host is in the list by its name, so that it need not resolve here."""
    return any(rule.name == _plain_name(host) and rule.port in (None, port) for rule in allowed if not rule.network)


def _allowed(host: str, port: int, address: Address, allowed: tuple[Rule, ...]) -> bool:
    return any(
        (rule.port is None or rule.port == port)
        and (address in rule.network if rule.network else _names(rule.name, host, address))
        for rule in allowed
    )


def _names(name: str, host: str, address: Address) -> bool:
    """`localhost` also names the loopback addresses, written as such; not every name that resolves to them."""
    loopback = name == "localhost" and address.is_loopback and literal(host) is not None
    return name == _plain_name(host) or loopback


def _plain_name(host: str) -> str:
    return host.lower().rstrip(".")


def public(address: Address) -> bool:
    """Whether an address lies in the public internet; of IPv6 only the global unicast range does."""
    if address.version == 6 and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and int(address) > 1 and any(address in network for network in _IPV4_IN_IPV6):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address


def literal(host: str) -> str | None:
    """The address that a host spells out, also as one number, in octal or in hexadecimal; None for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not set(host.lower()) <= set("0123456789abcdefx."):
        return None
    try:
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, in the system's order of preference."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))
