"""Bodies: decompressed in small steps, capped after decompression, kept in memory or in a temporary file."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, Any

from harvester.errors import SourceError, Unavailable

PIECE = 1 << 16
GZIP = b"\x1f\x8b"


class TooLargeError(Exception):
    """More bytes than the cap allows."""


class TruncatedError(Exception):
    """Compressed bytes that end before their end, or are damaged."""


class UndecodableError(Exception):
    """A Content-Encoding that was not offered and cannot be undone."""


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The chunks with Content-Encoding undone (RFC 9110, 8.4), never more than `PIECE` bytes at a time."""
    names = [name.strip().lower() for name in encoding.split(",")]
    if len(names) > 3 or not {"br", "zstd", "compress", "dcb", "dcz"}.isdisjoint(names):
        raise UndecodableError(encoding)
    stream = iter(chunks)
    for name in reversed(names):
        # Unknown names are mistakes such as `Content-Encoding: utf-8`, and mean nothing.
        stream = _inflated(stream, gzipped="gzip" in name) if name in {"gzip", "x-gzip", "deflate"} else stream
    return stream


def _inflated(chunks: Iterator[bytes], gzipped: bool) -> Iterator[bytes]:
    head = next((chunk for chunk in chunks if chunk), b"")
    while head and len(head) < 2 and (more := next(chunks, b"")):
        head += more
    bits = _window(head, gzipped)
    if bits is None:
        yield head
        yield from chunks
    elif head:
        yield from _inflate(head, chunks, bits)


def _window(head: bytes, gzipped: bool) -> int | None:
    """zlib's window for what the bytes really are: "deflate" comes with and without a header (RFC 9110, 8.4.1.2),
    and some servers announce gzip before plain text (None)."""
    if gzipped:
        return zlib.MAX_WBITS | 16 if head.startswith(GZIP) else None
    with_header = len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if with_header else -zlib.MAX_WBITS


def _inflate(head: bytes, chunks: Iterator[bytes], bits: int) -> Iterator[bytes]:
    unzip = zlib.decompressobj(bits)
    try:
        for data in _chain(head, chunks):
            while data and not (unzip.eof and not _next_member(data)):
                unzip = zlib.decompressobj(bits) if unzip.eof else unzip
                yield unzip.decompress(data, PIECE)
                data = unzip.unused_data if unzip.eof else unzip.unconsumed_tail
    except zlib.error as error:
        raise TruncatedError(str(error)) from error
    yield unzip.flush()
    if not unzip.eof:
        raise TruncatedError("it ends too early")


def _chain(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _next_member(data: bytes) -> bool:
    """gzip files may be concatenated (RFC 1952, 2.2); other bytes after the end are padding."""
    return data.startswith(GZIP[:1])


def save(chunks: Iterable[bytes], sink: IO[bytes], cap: int, *, cut: bool = False) -> None:
    """Writes the chunks; past the cap it stops when `cut`, and raises TooLargeError otherwise."""
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > cap and not cut:
            raise TooLargeError(cap)
        sink.write(chunk)
        if size > cap:
            return


def gunzipped(data: bytes, cap: int) -> bytes:
    """The content of a gzip file, capped."""
    sink = io.BytesIO()
    save(_inflate(data, iter(()), zlib.MAX_WBITS | 16), sink, cap)
    return sink.getvalue()


class Contents(io.RawIOBase):
    """A stored body read as what it holds (a gzip file's content); capped, and failing with the errors of a source."""

    def __init__(self, file: IO[bytes], cap: int, url: str) -> None:
        zipped = file.read(len(GZIP)) == GZIP
        file.seek(0)
        self._file: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=file, mode="rb") if zipped else file
        self._cap = cap
        self._url = url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._file.read(min(len(buffer), PIECE))
        except (EOFError, OSError, zlib.error) as error:
            raise damaged(self._url, error) from error
        if self._file.tell() > self._cap:
            raise too_large(self._url)
        buffer[: len(data)] = data
        return len(data)


def strike(file: IO[bytes], words: Sequence[bytes]) -> None:
    """Put asterisks where a file holds one of these words; it stays as long as it is, and memory small."""
    overlap = max(map(len, words), default=1) - 1
    end, text = 0, b""
    file.seek(0)
    while piece := file.read(PIECE):
        text = text[max(len(text) - overlap, 0) :] + piece
        end += len(piece)
        for word in words:
            place = text.find(word)
            while place >= 0:
                file.seek(end - len(text) + place)
                file.write(b"*" * len(word))
                place = text.find(word, place + len(word))
        file.seek(end)
    file.seek(0)


def too_large(url: str) -> SourceError:
    """The error for an answer past the cap."""
    return SourceError(f"the answer from {url} is larger than max_response_bytes allows", code="too-large", url=url)


def damaged(url: str, error: Exception) -> Unavailable:
    """The error for compressed bytes that cannot be read to their end."""
    return Unavailable(f"the compressed answer from {url} is cut or damaged ({error})", code="truncated", url=url)
