"""A web of files that behave as links do, on the loopback interface, and a clock that tests set."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harvester.http import Http
from harvester.links.asking import quick
from harvester.net.breaker import Breaker
from harvester.net.pace import Pace
from harvester.settings import Settings

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class File:
    """What is at a path: GET answers all of it, HEAD the same without a body unless `head` says otherwise.

    A part of it is answered with the status `refused`, if that is given.
    """

    content: bytes = b"a;b\n1;2\n3;4\n"
    type: str | None = "text/csv"
    status: int = 200
    head: int | None = None
    head_type: str | None = None
    ranged: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    refused: int = 0


class Handler(BaseHTTPRequestHandler):
    """Answers by the table of its server."""

    protocol_version = "HTTP/1.1"
    server: Web

    def do_HEAD(self) -> None:
        file = self._file()
        if file.head == 0:
            self.close_connection = True
            return
        self._answer(file, file.head or file.status, file.head_type or file.type, b"")

    def do_GET(self) -> None:
        file = self._file()
        if file.refused and "Range" in self.headers:
            self._answer(file, file.refused, None, b"")
        elif file.ranged and file.status == 200 and "Range" in self.headers and file.content:
            piece = file.content[: int(self.headers["Range"].rpartition("-")[2]) + 1]
            self._answer(
                file, 206, file.type, piece, {"Content-Range": f"bytes 0-{len(piece) - 1}/{len(file.content)}"}
            )
        else:
            self._answer(file, file.status, file.type, file.content)

    def _file(self) -> File:
        with self.server.lock:
            self.server.seen.append((self.command, self.headers["Host"].partition(":")[0], self.path))
        return self.server.files.get(self.path) or File(b"<title>404 Not Found</title>", "text/html", 404)

    def _answer(
        self, file: File, status: int, kind: str | None, content: bytes, more: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        length = len(content) if self.command == "GET" else len(file.content)
        kept = {"Content-Length": str(length), **({"Content-Type": kind} if kind else {}), **(more or {})}
        for name, value in {**kept, **file.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if file.cut else content)
        self.close_connection = self.close_connection or file.cut

    def log_message(self, *_: Any) -> None:
        return


class Web(ThreadingHTTPServer):
    """Files by path, the same on every host name; `seen` is (method, host, path) of every request."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, files: dict[str, File]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.seen: list[tuple[str, str, str]] = []
        self.lock = threading.Lock()
        self.port = self.server_address[1]

    def url(self, path: str, host: str = "data.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def handle_error(self, *_: Any) -> None:
        """Clients hang up on large files, and are meant to."""


@contextmanager
def web(files: dict[str, File] | None = None) -> Iterator[Web]:
    """A web that is there as long as the block."""
    server = Web(files or {})
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Clock:
    """The time of day, and the time of waits: both move only when they are told to."""

    def __init__(self) -> None:
        self.at = START
        self.lock = threading.Lock()

    def __call__(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - START).total_seconds()

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.at += timedelta(seconds=seconds)


def resolved(host: str, port: int) -> list[str]:
    """Every name is this machine."""
    return ["127.0.0.1"]


def asking(settings: Settings, resolve: Callable[[str, int], list[str]] = resolved, **more: Any) -> Http:
    """A client that may ask this machine under any name, remembers nothing of other tests, and does not wait."""
    free = {"private_hosts": ("127.0.0.0/8",), "links_interval": 0.0, "max_crawl_delay": 0}
    open_to_all = settings.model_copy(update=free | more)
    return Http(quick(open_to_all), resolve=resolve, breaker=Breaker(), pace=Pace())


def zipped(*names: str) -> bytes:
    """An archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "a;b\n1;2\n")
    return file.getvalue()
