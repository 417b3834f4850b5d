"""Dumps: whole parts of the catalogue as files that are ready, so that a download can go on where it stopped."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path as File
from typing import IO, Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response, StreamingResponse

from api import caching
from api.asking import VARY
from api.deps import The
from api.errors import ProblemError, documented, missing
from api.formats import HTML, accepted
from api.pages.rendering import render
from api.schemas import DumpList
from api.spaces import dump_out
from harvester import dumps
from harvester.dumpfile import manifest, pieces

router = APIRouter(tags=["dumps"])
JSON = "application/json"
GZIP = "application/gzip"
# One range is what a download that goes on asks for; several may be ignored (RFC 9110, section 14.2).
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_NAME = re.compile(r"[a-z0-9_.-]+\.gz")
Name = Annotated[str, Path(description="Name of the dump.", max_length=250, examples=["catalogue.ttl.gz"])]
FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file, compressed with gzip", "content": {GZIP: {"example": "(binary)"}}},
    206: {"description": "The part asked for by `Range`", "content": {GZIP: {"example": "(binary)"}}},
    304: {"description": "Not modified since the ETag or date given"},
}


@router.get("/dumps", responses=documented(), response_model=DumpList, summary="Every dump, by name")
def listed(request: Request, settings: The) -> Response:
    """With its size, checksum, when it was made, and the change of the log up to which everything is in it."""
    found = DumpList(dumps=[dump_out(made, settings) for made in dumps.made(settings)])
    if accepted(request.headers.get("accept"), [JSON, HTML]) == HTML:
        answer: Response = render("dumps.html", settings, settings.language, dumps=found.dumps)
    else:
        answer = Response(found.model_dump_json(), media_type=JSON)
    answer.headers["vary"] = VARY
    return answer


@router.head("/dumps/{name}", include_in_schema=False)
@router.get("/dumps/{name}", responses=FILE | documented(404, 409, 416), response_class=Response, summary="One dump")
def one(name: Name, request: Request, settings: The) -> Response:
    """As a file; `Range` and `If-Range` let a download that broke off go on.

    409 for one that was made for another public address than this service has: all its IRIs would lead elsewhere.
    """
    path = dumps.folder(settings) / name
    file = _opened(path, name)
    made = manifest(path)
    if made is not None and (reason := dumps.stale(settings, made)):
        file.close()
        raise ProblemError(409, "dump-stale", reason)
    size = os.fstat(file.fileno()).st_size
    headers = _headers(path, file, name)
    try:
        if caching.unchanged(request, headers):
            file.close()
            return Response(status_code=304, headers=headers)
        start, end = _span(request, headers, size)
    except ProblemError:
        file.close()
        raise
    headers |= {"content-length": str(end - start)}
    if (start, end) != (0, size):
        headers |= {"content-range": f"bytes {start}-{end - 1}/{size}"}
    # What a HEAD asks for is said, nothing is read.
    body = pieces(file, start, 0 if request.method == "HEAD" else end - start)
    return StreamingResponse(body, 200 if (start, end) == (0, size) else 206, headers, GZIP)


def _opened(path: File, name: str) -> IO[bytes]:
    """The file, whatever replaces it from now on.  Raises `ProblemError` 404."""
    if not _NAME.fullmatch(name) or name.startswith("."):
        raise missing("dump", name)
    try:
        return path.open("rb")
    except OSError as error:
        raise missing("dump", name) from error


def _headers(path: File, file: IO[bytes], name: str) -> dict[str, str]:
    """The tag is the checksum, when the manifest speaks of this very file: the same bytes keep it."""
    stat, made = os.fstat(file.fileno()), manifest(path)
    same = made is not None and (made.bytes, made.modified_ns) == (stat.st_size, stat.st_mtime_ns)
    tag = made.sha256[:32] if made is not None and same else f"{stat.st_mtime_ns:x}-{stat.st_size:x}"
    changed = datetime.fromtimestamp(int(stat.st_mtime), UTC)
    return {
        "etag": f'"{tag}"',
        "last-modified": format_datetime(changed, usegmt=True),
        "accept-ranges": "bytes",
        "cache-control": "no-cache",
        "content-disposition": f'attachment; filename="{name}"',
    }


def _span(request: Request, headers: dict[str, str], size: int) -> tuple[int, int]:
    """First byte and the one after the last.  Raises `ProblemError` 416 for a range beyond the end."""
    found = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if found is None or found[0] == "bytes=-" or request.method == "HEAD" or not caching.fresh(request, headers):
        return 0, size
    first, last = (int(number[:18]) if number else None for number in found.groups())
    start = max(0, size - (last or 0)) if first is None else first
    end = size if first is None or last is None else min(last + 1, size)
    if first is not None and last is not None and last < first:
        return 0, size
    if start >= size:
        told = {"content-range": f"bytes */{size}"}
        raise ProblemError(416, "range-not-satisfiable", f"the file has {size} bytes", headers=told)
    return start, end
