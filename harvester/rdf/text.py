"""The characters of a document as UTF-8: of a small one in memory, of a large one in the file it came in."""

from __future__ import annotations

import codecs
import tempfile
from contextlib import ExitStack
from typing import IO, Protocol

from harvester import jsonio
from harvester.rdf.shelf import no_disk
from harvester.rdf.sniff import charset_of, text_of

# Documents up to here are held as text; larger ones stay in their file.
MOST_TEXT = 8 << 20
# Of larger ones this much is looked at to tell what they are.
HEAD = 1 << 20
TAIL = 4096
# A repair needs the whole text; of what is larger, broken statements are left out and told.
MOST_REPAIRED = 64_000_000
_PIECE = 1 << 20
_BLANK = "\ufeff \t\r\n"
_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Text(Protocol):
    """What reading needs of a document."""

    head: str
    tail: str

    def drop(self, start: int) -> None:
        """Leave out so many characters of the head."""

    def data(self) -> bytes | IO[bytes]:
        """All of it as UTF-8, from the start."""

    def whole(self) -> str | None:
        """All of it as text; None when it is too large for that."""

    def has_behind_head(self, word: bytes) -> bool:
        """Whether the word stands beyond the head."""


class Held:
    """A document in memory."""

    def __init__(self, text: str) -> None:
        self._text = self.head = text
        self.tail = text[-TAIL:]

    def drop(self, start: int) -> None:
        self._text = self.head = self._text[start:]

    def data(self) -> bytes:
        return self._text.encode("utf-8", "replace")

    def whole(self) -> str:
        return self._text

    def has_behind_head(self, word: bytes) -> bool:
        return False


class Filed:
    """A document in a file of UTF-8: so many bytes, the last of them known."""

    def __init__(self, file: IO[bytes], size: int, tail: bytes) -> None:
        self._file = file
        self.tail = tail.decode("utf-8", "ignore")
        file.seek(0)
        self.head = _whole_characters(file.read(HEAD), file).decode("utf-8", "replace")
        self._start, self._size = 0, size
        self.drop(len(self.head) - len(self.head.lstrip(_BLANK)))

    def drop(self, start: int) -> None:
        self._start += len(self.head[:start].encode())
        self.head = self.head[start:]

    def data(self) -> IO[bytes]:
        self._file.seek(self._start)
        return self._file

    def whole(self) -> str | None:
        return self.data().read().decode("utf-8", "replace") if self._size <= MOST_REPAIRED else None

    def has_behind_head(self, word: bytes) -> bool:
        self._file.seek(self._start + len(self.head.encode()))
        end = b""
        while piece := self._file.read(_PIECE):
            if word in end + piece:
                return True
            end = piece[-len(word) :]
        return False


def opened(file: IO[bytes], content_type: str | None, stack: ExitStack, most: int = MOST_TEXT) -> Text:
    """The text of a file of any encoding; the `stack` closes what had to be made for it."""
    body = file.read(most + 1)
    if len(body) <= most:
        return Held(text_of(body, content_type))
    return _filed(body, file) or Filed(*_as_utf8(body, file, content_type, stack))


def _filed(body: bytes, file: IO[bytes]) -> Filed | None:
    """The document as it is in its file; None when that is no UTF-8."""
    if b"\0" in body[:2]:
        return None
    decoder = codecs.getincrementaldecoder("utf-8")()
    size, piece, tail = 0, body, b""
    try:
        while piece:
            decoder.decode(piece)
            size, tail = size + len(piece), (tail + piece)[-TAIL:]
            piece = file.read(_PIECE)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return None
    return Filed(file, size, tail)


def _as_utf8(body: bytes, file: IO[bytes], content_type: str | None, stack: ExitStack) -> tuple[IO[bytes], int, bytes]:
    """A file of the same characters in UTF-8, as far as they can be told; its size and its end."""
    wide = next((name for bom, name in _WIDE if body.startswith(bom)), None)
    if wide is None and b"\0" in body[:2]:
        wide = "utf-16-be" if body[0] == 0 else "utf-16-le"
    charset = charset_of(body, content_type)
    decoder = codecs.getincrementaldecoder(wide or "utf-8")("replace")
    size, tail = 0, b""
    try:
        copy: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        file.seek(0)
        while piece := file.read(_PIECE):
            text = decoder.decode(piece) if wide else jsonio.decode(_whole_characters(piece, file), charset)
            size += copy.write(data := text.encode("utf-8", "replace"))
            tail = (tail + data)[-TAIL:]
        copy.flush()
    except OSError as error:
        raise no_disk(error) from error
    return copy, size, tail


def _whole_characters(piece: bytes, file: IO[bytes]) -> bytes:
    """The piece and as many bytes more as bring it to the end of a character."""
    while piece[-1] >= 0x80 and (more := file.read(1)):
        piece += more
    return piece
