"""One address asked: HEAD, then the first bytes; always through the polite client."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from datetime import datetime

import httpcore

from harvester.errors import SourceError
from harvester.http import Glance, Http
from harvester.links.sniffing import MOST
from harvester.links.verdicts import Seen
from harvester.settings import Settings

# A file is wanted as it is: a range of a compressed answer could not be read.
_RANGE = {"Range": f"bytes=0-{MOST - 1}", "Accept-Encoding": "identity"}
_GONE = frozenset((socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)))
# After these HEAD needs no second question: the host cannot be asked, or must not be.
_FINAL = frozenset(("unresolved", "unconnected", "certificate", "private-address", "bad-url", "host-down", "blocked"))
_TOTAL = re.compile(r"/(\d{1,18})\s*$")
_LONGEST_TYPE = 200
_LONGEST_TAG = 500


def quick(settings: Settings) -> Settings:
    """The settings of checks: one try a time, no long waits, one request at once to a host, and those far apart."""
    return settings.model_copy(
        update={
            "retries": 0,
            "connect_timeout": min(settings.connect_timeout, 10.0),
            "read_timeout": min(settings.read_timeout, 20.0),
            "total_timeout": min(settings.total_timeout, 45.0),
            "host_interval": max(settings.host_interval, settings.links_interval),
            "host_connections": 1,
        }
    )


def look(http: Http, address: str, tag: str, now: Callable[[], datetime]) -> Seen:
    """What there is at an address; `tag` names the state of it that was looked into the last time.

    Raises `Stopped` when the work is called off.
    """
    head = _asked(http, address, "HEAD", now)
    if head.error in _FINAL or (head.wait is not None and head.status in (403, 429, 503)):
        return head
    if tag and tag == head.tag and head.status == 200:
        return _with(head, head.status, content=None)
    got = _asked(http, address, "GET", now)
    if head.status == 200 and (got.status or 0) >= 400 and got.wait is None:
        # One of the two is wrong: some servers cannot send a part.
        got = _asked(http, address, "GET", now, whole=True)
    found = _with(got, head.status, content=got.content)
    return _with(found, head.status, content=got.content, tag=head.tag if head.status == 200 else "")


def _asked(http: Http, address: str, method: str, now: Callable[[], datetime], whole: bool = False) -> Seen:
    try:
        answer = http.glance(address, MOST, _RANGE if method == "GET" and not whole else None, method=method)
    except SourceError as error:
        return Seen(error=_told(error), url=error.url or "")
    return _seen(answer, method, now())


def _seen(answer: Glance, method: str, now: datetime) -> Seen:
    headers = answer.headers
    return Seen(
        status=answer.status,
        wait=answer.wait(now),
        walled=answer.walled(),
        url=answer.url,
        hops=answer.hops,
        media_type=headers.get("content-type", "")[:_LONGEST_TYPE],
        length=_length(answer),
        tag=_tag(answer) if method == "HEAD" else "",
        content=answer.content if method == "GET" else None,
    )


def _with(seen: Seen, head_status: int | None, *, content: bytes | None, tag: str | None = None) -> Seen:
    """What was seen, with what HEAD was answered."""
    kept = {name: getattr(seen, name) for name in Seen.__slots__ if name not in ("head_status", "content", "tag")}
    return Seen(**kept, head_status=head_status, content=content, tag=seen.tag if tag is None else tag)


def _length(answer: Glance) -> int | None:
    """The size of the whole, as the server states it."""
    total = _TOTAL.search(answer.headers.get("content-range", ""))
    stated = total[1] if total else answer.headers.get("content-length", "")
    whole = bool(total) or answer.status == 200
    return int(stated[:18]) if whole and stated.isascii() and stated.isdecimal() else None


def _tag(answer: Glance) -> str:
    """The validators of an answer (RFC 9110, 8.8) with where it was found; empty where it gives none."""
    named = [answer.headers.get(name, "") for name in ("etag", "last-modified")]
    if answer.status != 200 or not any(named):
        return ""
    length = answer.headers.get("content-length", "")
    tag = " ".join((*named, length, answer.headers.get("content-type", ""), answer.url))
    return tag if len(tag) <= _LONGEST_TAG else ""


def _told(error: SourceError) -> str:
    """The client's code, or `unresolved` for a name that does not exist (a resolver that fails says otherwise), or
    `unconnected` where there is nobody to ask a second question."""
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) and cause.errno in _GONE for cause in causes):
        return "unresolved"
    connecting = any(isinstance(cause, httpcore.ConnectError | httpcore.ConnectTimeout) for cause in causes)
    return "unconnected" if connecting and error.code in ("network", "timeout") else error.code


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    for _ in range(10):
        if cause is not None:
            yield cause
            cause = cause.__cause__ or cause.__context__
