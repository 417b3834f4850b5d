"""Whole parts of the catalogue as compressed files, made of blocks, so that the next ones cost only what changed.

A block is a fixed range of dataset ids, written as a gzip member of its own: members put one after the other are one
gzip file (RFC 1952, section 2.2).  A block whose datasets did not change is copied from the last dump, or from one
that was stopped.
"""

from __future__ import annotations

import fcntl
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from harvester import __version__, export, spaces
from harvester.catalogue import queries, walking
from harvester.dumpfile import DumpFile, Kept, Made, manifests, sweep
from harvester.errors import UsageError
from harvester.fields.languages import preferred
from harvester.rdf.entries import CatalogueInfo, Entry
from harvester.rdf.export import Document
from harvester.rdf.profiles import DEFAULT, Profile
from harvester.rdf.serialise import FORMATS
from harvester.search import Index
from harvester.settings import Settings
from harvester.sources import slug
from harvester.streams import knower, passing
from harvester.views import Reader, View, follow, view

__all__ = ["Made", "Wanted", "every", "folder", "made", "make", "stale"]

# Datasets of a block: fewer are copied more often, more compress better; of 1 % changed here and there a quarter moves.
SIZE = 32
# Blocks read at once.
STRIDE = 16
# Raised whenever what blocks are made of changes.
VERSION = 2
_LEVEL = 6
# Blocks that wait for the compressor.
_AHEAD = 2 * STRIDE

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A dump: which part of the catalogue, in which format and profile."""

    view: View
    format: str
    profile: Profile = DEFAULT

    @property
    def name(self) -> str:
        """The name of its file, the same each time."""
        parts = [f"{name}-{_short(value)}" for name, value in self.view.parameters]
        profile = [] if self.profile == DEFAULT else [self.profile.name]
        return ".".join(["_".join(parts) or "catalogue", *profile, self.format, "gz"])


def folder(settings: Settings) -> Path:
    """Where dumps are kept."""
    return settings.data / "dumps"


def made(settings: Settings) -> list[Made]:
    """The dumps there are, by name."""
    return manifests(folder(settings))


def stale(settings: Settings, made: Made) -> str | None:
    """Why a dump is not to be handed out: its names are those of another address; None when it is."""
    if made.catalogue.startswith(f"{export.root(settings)}/catalog"):
        return None
    return f"it was made for {made.catalogue}, this is {export.root(settings)}: `harvester dump` makes it anew"


def every(connection: Connection, settings: Settings) -> list[Wanted]:
    """What the nightly job makes: the whole catalogue and each space, in the formats of the settings."""
    views = [view(connection, settings)]
    after = ""
    while page := spaces.listed(connection, after):
        views += [view(connection, settings, space=space.name) for space in page]
        after = page[-1].name
    return [Wanted(found, checked(name)) for found in views for name in settings.dump_formats]


def checked(name: str) -> str:
    """The format, when it is one.  Raises `UsageError` otherwise."""
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}; use one of {', '.join(FORMATS)}", code="unknown-format")
    return name


def make(
    engine: Engine, index: Index, settings: Settings, wanted: Sequence[Wanted], report: Progress, now: datetime
) -> list[Made]:
    """Write these dumps, each in place of the one before; a stopped one goes on where it stopped.

    Dumps of one part of the catalogue are written together: its datasets are read once for all formats.
    Raises `UsageError` (`dumps-busy`) while another process writes dumps.
    """
    done: list[Made] = []
    with _locked(folder(settings)):
        sweep(folder(settings))
        for part in dict.fromkeys(item.view.parameters for item in wanted):
            together = [item for item in wanted if item.view.parameters == part]
            done += _Job(engine, index, settings, together).run(report, now)
    return done


@dataclass(frozen=True, slots=True)
class _Span:
    """A block as the catalogue has it now."""

    first: int
    state: str
    ids: Sequence[int]


class _Output:
    """One file of a job: blocks go in in order, some copied, some written and compressed on the way."""

    def __init__(self, profile: Profile, document: Document, file: DumpFile, compressor: ThreadPoolExecutor) -> None:
        self.file = file
        self._profile, self._document, self._compressor = profile, document, compressor
        self._waiting: deque[tuple[_Span | None, bytes | Future[bytes], int, bytes]] = deque()

    def begin(self, infos: Sequence[CatalogueInfo]) -> None:
        """The head, with the catalogues that datasets came from."""
        self._add(None, self._document.head(infos))

    def put(self, span: _Span, kept: Kept | None, entries: Callable[[], Sequence[Entry]]) -> None:
        """A block: as an earlier dump has it, where that fits what stands before it; else made of its entries."""
        if kept is not None and self._document.copied(kept.claims):
            self._waiting.append((span, *kept))
            self._drain(_AHEAD)
        else:
            found = entries()
            number = sum(self._profile.reason(entry.dataset) is None for entry in found)
            self._add(span, self._document.block(found), number, self._document.claims)

    def stop(self) -> None:
        """Keep what is there, for the next time; nothing when it is finished."""
        # A full disk is told already, by what is under way.
        with self.file, suppress(OSError):
            self._drain(0)

    def end(self) -> None:
        """Everything is in the file afterwards."""
        self._add(None, self._document.foot())
        self._drain(0)

    def _add(self, span: _Span | None, data: bytes, number: int = 0, claims: bytes = b"") -> None:
        # Compressing needs no lock of the interpreter: the next block is written meanwhile.
        self._waiting.append((span, self._compressor.submit(_compressed, data), number, claims))
        self._drain(_AHEAD)

    def _drain(self, left: int) -> None:
        while len(self._waiting) > left:
            span, data, number, claims = self._waiting.popleft()
            data = data if isinstance(data, bytes) else data.result()
            if span is None:
                self.file.write(data)
            else:
                self.file.write(data, span.first, span.state, number, claims)


class _Job:
    """The dumps of one part of the catalogue under way."""

    def __init__(self, engine: Engine, index: Index, settings: Settings, wanted: Sequence[Wanted]) -> None:
        self._engine, self._index, self._settings, self._wanted = engine, index, settings, wanted
        self._view = wanted[0].view

    def run(self, report: Progress, now: datetime) -> list[Made]:
        """Write them, from the first block to the last."""
        follow(self._engine, self._index, self._view)
        with self._engine.connect() as connection:
            state, newest = queries.last_change(connection), walking.newest(connection)
            rows = walking.source_rows(connection, None if self._view.source is None else [self._view.source])
        infos = [export.source_info(self._settings, row) for row in rows.values()]
        with ThreadPoolExecutor(1) as compressor, ExitStack() as stack:
            outputs: list[_Output] = []
            for item in self._wanted:
                outputs.append(self._output(item, infos, compressor))
                stack.callback(outputs[-1].stop)
                outputs[-1].begin(infos)
            for first in range(1, newest + 1, SIZE * STRIDE):
                self._stride(outputs, first)
                report(min(first + SIZE * STRIDE - 1, newest), newest)
            for output in outputs:
                output.end()
            facts = {"state": state, "made_at": export.canonical(now)}
            told = [_facts(item, self._settings.language) | facts for item in self._wanted]
            return [output.file.finish(**about) for output, about in zip(outputs, told, strict=True)]

    def _output(self, wanted: Wanted, infos: Sequence[CatalogueInfo], compressor: ThreadPoolExecutor) -> _Output:
        document = Document(wanted.view.info, wanted.format, wanted.profile, knower(self._engine))
        told = (
            VERSION,
            SIZE,
            __version__,
            wanted.format,
            wanted.profile.name,
            wanted.view.info.iri,
            wanted.view.scopes,
        )
        around = (self._settings.address, self._settings.publisher, [(info.iri, info.about.title) for info in infos])
        file = DumpFile(folder(self._settings), wanted.name, _digest(told, around))
        return _Output(wanted.profile, document, file, compressor)

    def _stride(self, outputs: Sequence[_Output], first: int) -> None:
        """One transaction, states first: that of a block is never younger than what is written of it."""
        with passing(self._engine) as connection:
            spans = self._spans(connection, first)
            kept = {(o, span): o.file.old(span.first, span.state) for span in spans for o in outputs}
            read = [span for span in spans if any(kept[o, span] is None for o in outputs)]
            entries = self._entries(connection, read)
        for span in spans:
            for output in outputs:
                output.put(span, kept[output, span], partial(self._held, span, read, entries))

    def _entries(self, connection: Connection, spans: Iterable[_Span]) -> dict[int, Entry]:
        ids = [dataset_id for span in spans for dataset_id in span.ids]
        return export.entries_by_id(connection, self._settings, ids, sights=False, source=self._view.only)

    def _held(self, span: _Span, read: list[_Span], entries: dict[int, Entry]) -> list[Entry]:
        """The datasets of a block; those of one that was to be copied are only read now."""
        if span not in read:
            with passing(self._engine) as connection:
                entries |= self._entries(connection, [span])
            read.append(span)
        return [entries[dataset_id] for dataset_id in span.ids if dataset_id in entries]

    def _spans(self, connection: Connection, first: int) -> list[_Span]:
        """The blocks that hold any dataset; what lies in a block is part of its state, a space may change."""
        last = first + SIZE * STRIDE - 1
        states = walking.span_states(connection, first, last, SIZE)
        ids: dict[int, list[int]] = {}
        for dataset_id in Reader(connection, self._index, self._view).between(first, last):
            ids.setdefault((dataset_id - 1) // SIZE, []).append(dataset_id)
        return [_Span(n * SIZE + 1, _digest(states.get(n), held), tuple(held)) for n, held in ids.items()]


def _facts(wanted: Wanted, language: str) -> dict[str, Any]:
    return {
        "title": preferred(wanted.view.info.about.title, language) or wanted.name,
        "catalogue": wanted.view.info.iri,
        "format": wanted.format,
        "media_type": FORMATS[wanted.format].media_type,
        "profile": wanted.profile.name,
        "parameters": dict(wanted.view.parameters),
    }


def _compressed(data: bytes) -> bytes:
    """One gzip member, without a date: the same bytes each time."""
    return zlib.compress(data, _LEVEL, wbits=31)


def _digest(*told: object) -> str:
    return blake2b(repr(told).encode("utf-8", "replace"), digest_size=12).hexdigest()


def _short(value: str) -> str:
    """A value in a file name: readable, and no two alike."""
    found = slug(value)
    return found if found == value else f"{found}-{_digest(value)[:8]}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Be the one that writes dumps.  Raises `UsageError` when another process does."""
    path.mkdir(parents=True, exist_ok=True)
    with (path / ".lock").open("a") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError("another process is writing dumps; try again later", code="dumps-busy") from error
        yield
