"""Dry runs: what a run of a source would change, told line by line while it is made, and written nowhere."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine, Row

from api.auth import Who, allowed
from api.bodies import NewRun
from api.deps import Database, The
from api.errors import ProblemError, documented
from api.runs import source_row
from api.sources import Name
from harvester import jsonio, worker
from harvester.catalogue import claims
from harvester.harvest import Change, Result, Tally
from harvester.history.diffs import Line
from harvester.schedule import utcnow
from harvester.settings import Settings

log = logging.getLogger(__name__)
router = APIRouter(tags=["administration"])

MEDIA_TYPE = "application/x-ndjson"
# Lines that wait for a slow reader before the dry run waits for it too; seconds that it goes on at most.
_WAITING = 1000
_LONGEST = 3600.0
# Seconds between two looks whether the reader is still there, and between two lines about progress.
_LOOK = 0.5
_PAUSE = 1.0
_EXAMPLE = (
    '{"change": {"action": "updated", "guid": "g1", "title": "Arbres"}}\n'
    '{"progress": {"pages": 1, "records": 100, "advertised": 100}}\n'
    '{"end": {"status": "succeeded", "created": 0, "updated": 1}}\n'
)
_LINES: dict[int | str, dict[str, Any]] = {
    200: {"description": "One JSON object a line", "content": {MEDIA_TYPE: {"example": _EXAMPLE}}}
}
Runner = Annotated[Who, Depends(allowed("run"))]
Execute = Callable[..., Result]


@router.post(
    "/api/sources/{name}/dry-run",
    responses=documented(401, 403, 404, 429) | _LINES,
    response_class=StreamingResponse,
    summary="Tell what a run would change, and write nothing",
)
def dry_run(
    name: Name,
    who: Runner,
    engine: Database,
    settings: The,
    request: Request,
    given: Annotated[NewRun | None, Body()] = None,
) -> StreamingResponse:
    """Newline-delimited JSON while it goes on: `change`, `progress`, and how it would `end`, with what it warns of.

    It ends when whoever asked leaves, and after an hour.
    """
    with engine.connect() as connection:
        row = source_row(connection, name)
    mode = worker.mode_for(row, settings, utcnow(), given is not None and given.full)
    places = _places(request, settings)
    if not places.acquire(blocking=False):
        detail = f"{settings.workers} dry runs are under way; ask again when one has ended"
        raise ProblemError(429, "too-many-dry-runs", detail, headers={"retry-after": "30"})
    log.info("dry run source=%s by=%s", name, who.name)
    told = Rehearsal(engine, settings, row, mode, places.release)
    told.start()
    return StreamingResponse(told.lines(), media_type=MEDIA_TYPE, headers={"cache-control": "no-store"})


def _places(request: Request, settings: Settings) -> threading.Semaphore:
    state = request.app.state
    if not hasattr(state, "dry_runs"):
        state.dry_runs = threading.BoundedSemaphore(settings.workers)
    places: threading.Semaphore = state.dry_runs
    return places


@dataclass
class Rehearsal:
    """One dry run in a thread of its own, and the lines that it tells to one reader."""

    engine: Engine
    settings: Settings
    row: Row[Any]
    mode: str
    ended: Callable[[], object]
    execute: Execute = worker.execute
    seconds: Callable[[], float] = time.monotonic
    _lines: queue.Queue[bytes] = field(default_factory=lambda: queue.Queue(_WAITING))
    _left: threading.Event = field(default_factory=threading.Event)
    _done: threading.Event = field(default_factory=threading.Event)
    _told: float = 0.0
    _until: float = 0.0

    def start(self) -> None:
        """Begin, before anybody reads."""
        self._until = self.seconds() + _LONGEST
        threading.Thread(target=self._run, name=f"dry-run-{self.row.name}", daemon=True).start()

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Each line as it comes; the run stops when nobody reads on."""
        try:
            while (line := await to_thread.run_sync(self._next, abandon_on_cancel=True)) is not None:
                if line:
                    yield line
        finally:
            self._left.set()

    def _next(self) -> bytes | None:
        """The next line; nothing when there is none yet, None after the last."""
        try:
            return self._lines.get(timeout=_LOOK)
        except queue.Empty:
            return None if self._done.is_set() and self._lines.empty() else b""

    def _run(self) -> None:
        watch = worker.Watch(self._page, self._change, self._is_over)
        claim = claims.unrecorded(self.row, self.mode, utcnow())
        try:
            result = self.execute(self.engine, self.settings, self.row, claim, utcnow, dry=True, watch=watch)
            self._put({"end": self._end(result)})
        except Exception:
            log.exception("a dry run stumbled source=%s", self.row.name)
            self._put({"end": {"status": "failed", "code": "unexpected", "message": "the log has the rest"}})
        finally:
            self.ended()
            self._done.set()

    def _is_over(self) -> bool:
        return self._left.is_set() or self.seconds() > self._until

    def _change(self, change: Change) -> None:
        told = (change.action, change.guid, change.title, change.fields, change.code, change.message, change.was)
        self._put({"change": Line(*told).plain()})

    def _page(self, tally: Tally) -> None:
        now = self.seconds()
        if now - self._told >= _PAUSE:
            self._told = now
            self._put({"progress": {"pages": tally.pages, "records": tally.fetched, "advertised": tally.advertised}})

    def _end(self, result: Result) -> dict[str, Any]:
        tally = result.tally
        late = result.status == "cancelled" and self.seconds() > self._until
        code, message = ("run-time", "a dry run takes an hour at most") if late else (result.code, result.message)
        problems = [
            {"code": p.code, "severity": p.severity, "message": p.message, "guid": p.guid} for p in tally.findings
        ]
        return {"status": result.status, "code": code, "message": message, **tally.columns(), "problems": problems}

    def _put(self, told: dict[str, Any]) -> None:
        """Wait for a slow reader, as long as there is one."""
        line = jsonio.dumps(told) + b"\n"
        while not self._left.is_set():
            try:
                return self._lines.put(line, timeout=_LOOK)
            except queue.Full:
                if self._is_over():
                    return None
        return None
