"""One compressed dump on disk: its blocks, where they stand in it, and its manifest; replaced in one step.

Beside `NAME` stand `NAME.json` (the manifest) and hidden journals that say where each block begins; what a stopped
dump had written is kept until it is of no more use.
"""

from __future__ import annotations

import json
import os
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

_PIECE = 1 << 20


class Block(NamedTuple):
    """Where a block stands in a file, what it was made of, how many datasets it holds, and its line in the journal."""

    first: int
    state: str
    offset: int
    length: int
    number: int
    crc: int
    line: int


class Kept(NamedTuple):
    """A block of an earlier dump: its bytes, how many datasets it holds, what it says of nodes that others share."""

    data: bytes
    number: int
    claims: bytes


@dataclass(frozen=True, slots=True)
class Made:
    """The manifest of a dump; `state` is the change of the log up to which everything is in it."""

    name: str
    title: str
    catalogue: str
    format: str
    media_type: str
    profile: str
    parameters: dict[str, str]
    bytes: int
    sha256: str
    datasets: int
    made_at: str
    state: int
    modified_ns: int


def manifests(folder: Path) -> list[Made]:
    """The dumps of a folder, by name; one that is just being replaced may be missing."""
    found = (manifest(path.with_suffix("")) for path in sorted(folder.glob("[!.]*.gz.json")))
    return [made for made in found if made is not None]


def sweep(folder: Path) -> None:
    """Remove what is there for files that are not: somebody deleted them."""
    for suffix, hidden in ((".blocks", "."), (".json", "")):
        for path in folder.glob(f"{hidden}*{suffix}"):
            name = path.name.removesuffix(suffix)
            if not any((folder / found).exists() for found in (name, name.removeprefix(hidden))):
                path.unlink(missing_ok=True)


def manifest(path: Path) -> Made | None:
    """The manifest of a dump; None when there is none that speaks of this very file."""
    try:
        made = Made(**json.loads(path.with_name(f"{path.name}.json").read_bytes()))
        stat = path.stat()
    except (OSError, ValueError, TypeError):
        return None
    return made if (stat.st_size, stat.st_mtime_ns) == (made.bytes, made.modified_ns) else None


class DumpFile:
    """A dump being written; `digest` stands for everything but the datasets that its blocks are made of."""

    def __init__(self, folder: Path, name: str, digest: str) -> None:
        self.path = folder / name
        self._digest = digest
        self._part, self._kept = (folder / f".{name}.{suffix}" for suffix in ("part", "kept"))
        self._set_aside()
        self._old = [_Old(path, digest, whole) for path, whole in ((self._kept, False), (self.path, True))]
        self._out: IO[bytes] = self._part.open("wb")
        self._journal = _journal(self._part).open("w", encoding="utf-8")
        self._sum = sha256()
        self._size = self.datasets = 0
        self._note({"digest": digest})

    def _set_aside(self) -> None:
        """What a stopped dump has written, unless the one stopped before it had come further."""
        if _journal(self._part).exists() and self._part.exists():
            with _Old(self._part, self._digest, False) as new, _Old(self._kept, self._digest, False) as old:
                further = len(new) > len(old)
            if further:
                _journal(self._part).replace(_journal(self._kept))
                self._part.replace(self._kept)

    def old(self, first: int, state: str) -> Kept | None:
        """A block that an earlier dump has in this state."""
        return next((kept for old in self._old if (kept := old.read(first, state)) is not None), None)

    def write(self, data: bytes, first: int = 0, state: str = "", number: int = 0, claims: bytes = b"") -> None:
        """Append a block, or, without `first`, what stands around the blocks."""
        self._out.write(data)
        self._sum.update(data)
        if first:
            # The journal never speaks of what the file does not hold.
            self._out.flush()
            told = b64encode(claims).decode()
            self._note([first, state, self._size, len(data), number, zlib.crc32(data), told])
        self._size += len(data)
        self.datasets += number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop: what is written is kept for the next time."""
        for old in self._old:
            old.close()
        self._out.close()
        self._journal.close()

    def finish(self, **facts: Any) -> Made:
        """Put the dump in place of the one before, with its manifest."""
        self._out.flush()
        os.fsync(self._out.fileno())
        stamp = os.fstat(self._out.fileno()).st_mtime_ns
        self._note({"bytes": self._size, "modified_ns": stamp})
        self.close()
        told: dict[str, Any] = {
            "bytes": self._size,
            "sha256": self._sum.hexdigest(),
            "datasets": self.datasets,
            "modified_ns": stamp,
        }
        made = Made(name=self.path.name, **facts, **told)
        fresh = self._part.with_name(f"{self._part.name}.json")
        fresh.write_text(json.dumps(asdict(made), ensure_ascii=False, indent=1), "utf-8")
        _journal(self._part).replace(_journal(self.path))
        self._part.replace(self.path)
        fresh.replace(self.path.with_name(f"{self.path.name}.json"))
        for path in (self._kept, _journal(self._kept)):
            path.unlink(missing_ok=True)
        return made

    def _note(self, line: Any) -> None:
        self._journal.write(json.dumps(line) + "\n")
        self._journal.flush()


class _Old:
    """The blocks of an earlier dump; none, when it is missing, of another making, or not the file it was."""

    def __init__(self, path: Path, digest: str, whole: bool) -> None:
        self._blocks: dict[int, Block] = {}
        self._file: IO[bytes] | None = None
        self._journal: IO[bytes] | None = None
        try:
            self._journal = _journal(path).open("rb")
            head, blocks, trailer = _lines(self._journal)
            self._file = path.open("rb")
        except OSError:
            return
        stat = os.fstat(self._file.fileno())
        same = (trailer.get("bytes"), trailer.get("modified_ns")) == (stat.st_size, stat.st_mtime_ns)
        if head.get("digest") == digest and (same or not whole):
            self._blocks = blocks

    def __len__(self) -> int:
        return len(self._blocks)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, first: int, state: str) -> Kept | None:
        block = self._blocks.get(first)
        if block is None or block.state != state or self._file is None or self._journal is None:
            return None
        data = os.pread(self._file.fileno(), block.length, block.offset)
        sound = len(data) == block.length and zlib.crc32(data) == block.crc
        # Of a million datasets, the claims are more than is worth keeping in memory.
        self._journal.seek(block.line)
        told = json.loads(self._journal.readline())[-1]
        return Kept(data, block.number, b64decode(told)) if sound else None

    def close(self) -> None:
        for file in (self._file, self._journal):
            if file is not None:
                file.close()


def _journal(path: Path) -> Path:
    return path.with_name(f".{path.name.removeprefix('.')}.blocks")


def _lines(journal: IO[bytes]) -> tuple[dict[str, Any], dict[int, Block], dict[str, Any]]:
    """Head, blocks and trailer; a line that says neither, as one cut short by a crash, ends it."""
    told: list[dict[str, Any]] = []
    blocks: dict[int, Block] = {}
    end = 0
    for line in journal:
        start, end = end, end + len(line)
        try:
            found = json.loads(line)
            block = None if isinstance(found, dict) else _block(start, *found)
        except (ValueError, TypeError):
            break
        if block is None:
            told.append(found)
        else:
            blocks[block.first] = block
    return told[0] if told else {}, blocks, told[-1] if len(told) > 1 else {}


def _block(line: int, first: int, state: str, offset: int, length: int, number: int, crc: int, claims: str) -> Block:
    b64decode(claims, validate=True)
    return Block(first, state, offset, length, number, crc, line)


def pieces(file: IO[bytes], start: int, length: int) -> Iterator[bytes]:
    """The bytes of a file from `start`, and then it is closed."""
    with file:
        file.seek(start)
        while length > 0 and (data := file.read(min(_PIECE, length))):
            length -= len(data)
            yield data
