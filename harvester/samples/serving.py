"""What a fake portal is, a function from request to reply, and the two ways to put one on the wire."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import httpx
import orjson

JSON = "application/json"
HTML = "text/html; charset=utf-8"
# nginx's own code for "close the connection without an answer", which portals under attack use.
HANG_UP = 444
DRIP_BYTES = 1024

Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as a portal sees it; header names are in lower case, the path is percent-decoded."""

    method: str
    path: str
    query: Query = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "http"

    @classmethod
    def of(cls, target: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Self:
        """Read a request target ("/path?query") or a whole URL."""
        parts = urlsplit(target)
        named = {name.lower(): value for name, value in (headers or {}).items()}
        named.setdefault("host", parts.netloc or "portal.example")
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, unquote(parts.path) or "/", query, named, parts.scheme or "http")

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.headers.get('host', 'portal.example')}"

    def url(self, **changes: str | int) -> str:
        """The absolute URL of this request, with some arguments set to something else."""
        query = self.asking(**changes).query
        return f"{self.origin}{self.path}" + (f"?{urlencode(query)}" if query else "")

    def get(self, name: str, default: str = "") -> str:
        return self.all(name)[-1] if self.all(name) else default

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.query if key == name]

    def asking(self, **changes: str | int) -> Self:
        """This request with some arguments set to something else."""
        kept = tuple(pair for pair in self.query if pair[0] not in changes)
        return replace(self, query=kept + tuple((key, str(value)) for key, value in changes.items()))

    def without(self, names: Iterable[str]) -> Self:
        dropped = set(names)
        return replace(self, query=tuple(pair for pair in self.query if pair[0] not in dropped))


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; an empty `content_type` sends none, `drip` is the seconds between two pieces.

    `breaks`: the connection ends in the middle of the body.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    drip: float = 0.0
    breaks: bool = False

    def json(self) -> Any:
        return orjson.loads(self.body)

    def head(self) -> dict[str, str]:
        """Every header to send."""
        typed = {"Content-Type": self.content_type} if self.content_type else {}
        return {**typed, **self.headers}


Portal = Callable[[Request], Reply]


def ask(portal: Portal, target: str, headers: Mapping[str, str] | None = None) -> Reply:
    """What a portal answers to a GET, without any wire."""
    return portal(Request.of(target, headers))


def json_reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status, orjson.dumps(value), JSON, headers or {})


def html_reply(text: str, status: int = 404) -> Reply:
    page = f"<!DOCTYPE html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Reply(status, page.encode(), HTML)


def whole_number(text: str, default: int) -> int | None:
    """The number an argument holds, the default when it is empty, None when it is no whole number."""
    try:
        return int(text) if text else default
    except ValueError:
        return None


class _Handler(BaseHTTPRequestHandler):
    """Translates between the standard library's server and a portal."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    portal: ClassVar[Portal]

    def version_string(self) -> str:
        return "portal"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the log belongs to the harvester."""

    def answer(self) -> None:
        # Read and drop a body, else it would be taken for the next request of the connection.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request.of(self.path, dict(self.headers.items()), self.command)
        reply = type(self).portal(request)
        if reply.status == HANG_UP:
            self.close_connection = True
            return
        self.send_head(reply)
        if self.command != "HEAD":
            self.send_body(reply)

    def send_head(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.head().items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()

    def send_body(self, reply: Reply) -> None:
        if reply.breaks:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.close_connection = True
            return
        if not reply.drip:
            self.wfile.write(reply.body)
            return
        for start in range(0, len(reply.body), DRIP_BYTES):
            self.wfile.write(reply.body[start : start + DRIP_BYTES])
            self.wfile.flush()
            time.sleep(reply.drip)

    do_GET = do_HEAD = do_POST = answer  # noqa: N815 - names the base class looks for


class _Listener(ThreadingHTTPServer):
    """Remembers its open connections, so that closing the server ends the idle ones too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: str, port: int, handler: type[_Handler]) -> None:
        self.open: set[socket.socket] = set()
        super().__init__((address, port), handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Only this machine is answered, whatever address was listened on."""
        return str(client_address[0]).startswith("127.")

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is its own affair; only our own errors are shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """A portal that listens on loopback until `close`; also a context manager.

    At the address 0.0.0.0 it is reached by each of the loopback addresses (127.0.0.0/8), on Linux.
    """

    def __init__(self, portal: Portal, port: int = 0, address: str = "127.0.0.1") -> None:
        handler = type("Handler", (_Handler,), {"portal": staticmethod(portal)})
        self._listener = _Listener(address, port, handler)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.shutdown()
        for connection in tuple(self._listener.open):
            _end(connection)
        self._listener.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client was quicker: there is nothing left to end.
        return


def serve(portal: Portal, port: int = 0, address: str = "127.0.0.1") -> Server:
    """Serve a portal on this machine; port 0 takes a free one, a busy port raises OSError."""
    return Server(portal, port, address)


def _broken(body: bytes, asked: httpx.Request) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise httpx.RemoteProtocolError("peer closed connection without sending complete message body", request=asked)


def as_transport(portal: Portal) -> httpx.MockTransport:
    """The portal as a transport of httpx, for tests without sockets (a `drip` takes no time there)."""

    def answer(asked: httpx.Request) -> httpx.Response:
        reply = portal(Request.of(str(asked.url), dict(asked.headers.items()), asked.method))
        if reply.status == HANG_UP:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=asked)
        content = _broken(reply.body, asked) if reply.breaks else reply.body
        return httpx.Response(reply.status, headers=reply.head(), content=content)

    return httpx.MockTransport(answer)
