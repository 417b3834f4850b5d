"""What every answer carries: security headers; HEAD, which RFC 9110 wants wherever there is GET; and bounds."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}


# Nothing that is sent here is longer; it is read before anyone knows who sends it.
LONGEST_BODY = 1 << 20
# Compressed already; a range of a file counts the bytes of the file.
FILES = "/dumps/"


class Compression(GZipMiddleware):
    """Compresses whatever is large, but files that are."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = self.app if scope["type"] == "http" and scope["path"].startswith(FILES) else super().__call__
        await answer(scope, receive, send)


class Bounded:
    """ASGI middleware: no more of a request is read than the longest there is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > LONGEST_BODY:
                raise HTTPException(413, f"a request has {LONGEST_BODY} bytes at most")
            return message

        await self._app(scope, counted if scope["type"] == "http" else receive, send)


class Headers:
    """ASGI middleware, outermost: nothing leaves without these headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # A file knows how to be asked for its headers alone; it is not to be read for that.
        head = scope["method"] == "HEAD" and not scope["path"].startswith(FILES)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message))
            elif head:
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"} if head else scope, receive, answer)


def _secure(headers: MutableHeaders) -> None:
    for name, value in SECURITY.items():
        headers.setdefault(name, value)
