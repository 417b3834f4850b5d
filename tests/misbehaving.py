"""Servers on the loopback interface that misbehave as portals do, and clients whose waits are recorded."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harvester.http import Http
from harvester.net.breaker import Breaker
from harvester.settings import Settings

Script = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by the script of its server."""

    protocol_version = "HTTP/1.1"
    server: Portal

    def do_GET(self) -> None:
        self.server.seen.append((self.path, dict(self.headers)))
        scripts = self.server.scripts
        (scripts.pop(0) if len(scripts) > 1 else scripts[0])(self)

    def log_message(self, *_: Any) -> None:
        return


class Portal(ThreadingHTTPServer):
    """A server on a free loopback port; the last script stays in force."""

    daemon_threads = True
    # Handlers of dropped connections end with their sockets.
    block_on_close = False

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.socket = tls.wrap_socket(self.socket, server_side=True) if tls else self.socket
        self.scripts = list(scripts)
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.port = self.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def handle_error(self, *_: Any) -> None:
        """The client hangs up on many of these answers, and is meant to."""


def say(content: bytes = b"{}", status: int = 200, **headers: str) -> Script:
    """A whole answer; header names are spelt with underscores."""

    def script(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"content_length": str(len(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return script


def to(location: str, status: int = 302) -> Script:
    return say(b"", status, location=location)


def raw(*pieces: bytes, pause: float = 0.0, reset: bool = False) -> Script:
    """Bytes as they are, a pause before each, then the connection is closed (or reset)."""

    def script(handler: Handler) -> None:
        for piece in pieces:
            threading.Event().wait(pause)
            handler.wfile.write(piece)
        if reset:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True

    return script


OK_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


DATE = "Sat, 21 Nov 2026 12:00:00 GMT"


def dated(content: bytes = b"", status: int = 429, **headers: str) -> Script:
    """`say` with a clock of its own: the standard library's Date header would be today's."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} X\r\nDate: {DATE}\r\nConnection: close\r\nContent-Length: {len(content)}\r\n{lines}\r\n"
    return raw(head.encode() + content)


def serving() -> Iterator[Callable[..., Portal]]:
    """A starter of portals."""
    portals: list[Portal] = []

    def start(*scripts: Script, tls: ssl.SSLContext | None = None) -> Portal:
        portal = Portal(*scripts, tls=tls)
        portals.append(portal)
        threading.Thread(target=portal.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return portal

    yield start
    for portal in portals:
        portal.shutdown()
        portal.server_close()


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


def settings(**changed: Any) -> Settings:
    return Settings(**{"private_hosts": ("127.0.0.1",), "retries": 3, "max_crawl_delay": 0, **changed})


def clients() -> Iterator[Callable[..., Http]]:
    """A maker of clients that remember nothing of other tests."""
    made: list[Http] = []

    def make(changed: dict[str, Any] | None = None, **arguments: Any) -> Http:
        given = {"breaker": Breaker()} | arguments if "now" not in arguments else arguments
        made.append(Http(settings(**(changed or {})), **given))
        return made[-1]

    yield make
    for http in made:
        http.close()


def patience(client: Callable[..., Http]) -> tuple[Http, Time]:
    """A client whose waits are recorded, not lived through."""
    time = Time()
    return client(sleep=time.sleep, now=time.now, jitter=lambda low, high: high), time


# Made for these tests, for the name portal.example, until 2126.
CERTIFICATE = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQ3wOtu3lsxmQJ4kr
JdXWgJZh/a+gjCLWv4qF83AHZK6hRANCAAQ6qTddwzb4ZFhXnBot33thToQvKXfL
4x8+qR8a6vvZfZBfhr5LuYrBzpezBLFKPDYnTCS701unmyPAe4x4zsJ9
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBpDCCAUqgAwIBAgIUHRypuxYfwil95t+MkazOi5t+l5UwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOcG9ydGFsLmV4YW1wbGUwIBcNMjYxMTIxMjAzOTU1WhgPMjEy
NjEwMjgyMDM5NTVaMBkxFzAVBgNVBAMMDnBvcnRhbC5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEOqk3XcM2+GRYV5waLd97YU6ELyl3y+MfPqkfGur7
2X2QX4a+S7mKwc6XswSxSjw2J0wku9Nbp5sjwHuMeM7CfaNuMGwwHQYDVR0OBBYE
FBqR4aTV2x5A2jqq1iZgjxN064d1MB8GA1UdIwQYMBaAFBqR4aTV2x5A2jqq1iZg
jxN064d1MA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIOcG9ydGFsLmV4YW1w
bGUwCgYIKoZIzj0EAwIDSAAwRQIhANI5tjQS6QO0Y26RODAYbA9OT2VqITuR6kyj
R/pxMjzNAiAUKq2+56uJ8XFwcWpgtp/qR32Bonjvoz7M66hXflmo6Q==
-----END CERTIFICATE-----
"""

# The same, but for January 2020 alone.
EXPIRED = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg1rbLV/lduzaurw7l
VjQk5vDE3QYMD6veF4/mMZq/KYuhRANCAAR+WDFys9ZmCkJydPx6AWINZpt3COS+
D4uYumOWG5F/jOjbnSjv5e65xGougcPWe1aZBoTTY1dGf3Js4Kv5GBz7
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBbTCCARSgAwIBAgIBATAKBggqhkjOPQQDAjAZMRcwFQYDVQQDDA5wb3J0YWwu
ZXhhbXBsZTAeFw0yMDAxMDEwMDAwMDBaFw0yMDAyMDEwMDAwMDBaMBkxFzAVBgNV
BAMMDnBvcnRhbC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEflgx
crPWZgpCcnT8egFiDWabdwjkvg+LmLpjlhuRf4zo250o7+XuucRqLoHD1ntWmQaE
02NXRn9ybOCr+Rgc+6NNMEswGQYDVR0RBBIwEIIOcG9ydGFsLmV4YW1wbGUwDwYD
VR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUtvJOi65mrXs5sXSoCkAwtfoC3BcwCgYI
KoZIzj0EAwIDRwAwRAIgEZ7NNLFbv7Zclp+8oCM9TBWToetSXuEU3wM2RRoZIjwC
IGCkzWeVoCjwI74ZDvgRg3mo/ouw8psMH6VVLfVAQdIu
-----END CERTIFICATE-----
"""


def tls(certificate: str, folder: Path) -> ssl.SSLContext:
    """The context of a server with this certificate."""
    path = folder / "server.pem"
    path.write_text(certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def at_once() -> tuple[Script, Callable[[], int]]:
    """A script that answers after a moment, and how many of its answers were under way together at most."""
    lock, busy, most = threading.Lock(), 0, 0

    def script(handler: Handler) -> None:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        threading.Event().wait(0.03)
        with lock:
            busy -= 1
        say(b"[]")(handler)

    return script, lambda: most
