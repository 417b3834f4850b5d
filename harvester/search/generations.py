"""The directory of the index: one generation in use, the file that names it, and the lock of its one writer."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from harvester.errors import UsageError
from harvester.search.base import WAIT, Position

POINTER = "current.json"
LOCK = "writer.lock"
_PAUSE = 0.05


@dataclass(frozen=True, slots=True)
class State:
    """What stands in the pointer file; written after the commit it speaks of, so it is never ahead of the index."""

    schema: str
    directory: str
    position: Position = field(default_factory=Position)
    languages: tuple[str, ...] = ()


class Generations:
    """Reads and moves the pointer; a reader that opened an older generation keeps it until it looks again."""

    def __init__(self, root: Path, schema: str) -> None:
        self.root = root
        self._schema = schema

    def stamp(self) -> tuple[int, int] | None:
        """Changes whenever the pointer is written; None when there is none."""
        try:
            found = (self.root / POINTER).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def read(self) -> State | None:
        """The state in use; None when there is none that this version can read."""
        try:
            raw = json.loads((self.root / POINTER).read_bytes())
            gaps = tuple((int(a), int(b), float(at)) for a, b, at in raw["position"]["gaps"])
            position = Position(int(raw["position"]["seq"]), gaps, int(raw["position"].get("links", 0)))
            state = State(str(raw["schema"]), str(raw["directory"]), position, tuple(map(str, raw["languages"])))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        usable = state.schema == self._schema and Path(state.directory).name == state.directory
        return state if usable and (self.root / state.directory).is_dir() else None

    def write(self, state: State) -> None:
        """Put a state in use, in one step."""
        fresh = self.root / f"{POINTER}.{os.getpid()}.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.root / POINTER)

    def new(self) -> State:
        """An empty directory for a new generation; not in use until it is written."""
        name = f"generation-{time.time_ns()}"
        (self.root / name).mkdir(parents=True)
        return State(self._schema, name)

    def sweep(self, keep: str) -> None:
        """Remove every other generation; what readers still hold open stays readable to them."""
        for old in self.root.glob("generation-*"):
            if old.name != keep:
                shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def locked(self, wait: float = WAIT) -> Iterator[None]:
        """Hold the writer's lock.  Raises `UsageError` when another process keeps it longer than `wait` seconds."""
        self.root.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + wait
        with (self.root / LOCK).open("a") as file:
            while not _taken(file.fileno()):
                if time.monotonic() > deadline:
                    raise UsageError("another process is writing the search index; try again later", code="index-busy")
                time.sleep(_PAUSE)
            yield


def moved(state: State, position: Position, languages: frozenset[str]) -> State:
    """The state after a commit."""
    return replace(state, position=position, languages=tuple(sorted(languages | set(state.languages))))


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
