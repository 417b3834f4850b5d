"""Changing sources and runs: only with a token, `admin` for sources and `run` for runs."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Response
from sqlalchemy import Engine

from api.auth import Who, allowed
from api.bodies import NewRun, NewSource, SourceChange, SourceSettings
from api.deps import Database, Number, Reading, The
from api.errors import ProblemError, documented
from api.runs import run_out, run_row, source_row
from api.schemas import RunOut, SourceOut
from api.secrets import hidden, hidden_rules, hidden_url, restored, restored_rules
from api.sources import Name, source_outs
from harvester import registry, sources, worker
from harvester.catalogue import claims, queries
from harvester.catalogue.database import writing
from harvester.connector import Recognised
from harvester.errors import SourceError, UsageError
from harvester.http import Http
from harvester.schedule import utcnow
from harvester.settings import Settings

log = logging.getLogger(__name__)
router = APIRouter(tags=["administration"])

Admin = Annotated[Who, Depends(allowed("admin"))]
Runner = Annotated[Who, Depends(allowed("run"))]
# Somebody waits for the answer.
_HASTE = {"retries": 0, "connect_timeout": 5.0, "read_timeout": 10.0, "total_timeout": 20.0}


@router.post(
    "/api/sources",
    status_code=201,
    responses=documented(401, 403, 409, 502),
    summary="Add a source",
)
def add(given: NewSource, who: Admin, engine: Database, settings: The, response: Response) -> SourceOut:
    """The connector is found out from the URL unless it is given."""
    found = None if given.connector else _recognised(settings, given.url)
    values = given.model_dump(exclude_none=True)
    if found is not None:
        values = {"title": found.title, **values, "url": found.url, "connector": found.connector}
    with writing(engine) as connection:
        name = sources.add(connection, now=utcnow(), **values)
    log.info("source added source=%s by=%s", name, who.name)
    response.headers["location"] = f"/api/sources/{name}"
    return _shown(engine, name)


@router.patch("/api/sources/{name}", responses=documented(401, 403, 404), summary="Change a source")
def change(name: Name, given: SourceChange, who: Admin, engine: Database) -> SourceOut:
    """What is left out stays; null takes away.  Hidden secrets that are sent back stay what they are."""
    values = given.model_dump(exclude_unset=True)
    with writing(engine) as connection:
        row = source_row(connection, name)
        if values.get("url") == hidden_url(row.url):
            del values["url"]
        if values.get("options") is not None:
            values["options"] = restored(values["options"], row.options)
        if values.get("notify"):
            values["notify"] = restored_rules(values["notify"], row.notify or [])
        changed = {key: _taken_away(key, value) for key, value in values.items()}
        sources.edit(connection, row.name, utcnow(), **changed)
    log.info("source changed source=%s by=%s", name, who.name)
    return _shown(engine, name)


@router.delete("/api/sources/{name}", status_code=204, responses=documented(401, 403, 404), summary="Remove a source")
def remove(name: Name, who: Admin, engine: Database) -> None:
    """Datasets that no other source lists leave the catalogue."""
    with writing(engine) as connection:
        gone = sources.remove(connection, source_row(connection, name).name, utcnow())
    log.info("source removed source=%s records=%s by=%s", name, gone, who.name)


@router.get(
    "/api/sources/{name}/settings", responses=documented(401, 403, 404), summary="How a source is asked and told of"
)
def source_settings(name: Name, who: Admin, connection: Reading) -> SourceSettings:
    """What the public does not see; secrets are named, never shown."""
    row = source_row(connection, name)
    return SourceSettings(options=hidden(row.options), access=row.access or {}, notify=hidden_rules(row.notify or []))


@router.post("/api/sources/{name}/pause", responses=documented(401, 403, 404), summary="Pause a source")
def pause(name: Name, who: Admin, engine: Database) -> SourceOut:
    """It is no longer harvested by its schedule; a run under way goes on."""
    with writing(engine) as connection:
        sources.pause(connection, source_row(connection, name).name, utcnow())
    log.info("source paused source=%s by=%s", name, who.name)
    return _shown(engine, name)


@router.post("/api/sources/{name}/resume", responses=documented(401, 403, 404), summary="Resume a paused source")
def resume(name: Name, who: Admin, engine: Database) -> SourceOut:
    """It is due again from its next time on."""
    with writing(engine) as connection:
        sources.resume(connection, source_row(connection, name).name, utcnow())
    log.info("source resumed source=%s by=%s", name, who.name)
    return _shown(engine, name)


@router.post(
    "/api/sources/{name}/runs",
    status_code=202,
    responses=documented(401, 403, 404, 409),
    summary="Harvest a source now",
)
def start(
    name: Name,
    who: Runner,
    engine: Database,
    settings: The,
    response: Response,
    given: Annotated[NewRun | None, Body()] = None,
) -> RunOut:
    """Queues a run for the next worker that is free; the one that waits already when there is one."""
    with writing(engine) as connection:
        row = source_row(connection, name)
        mode = worker.mode_for(row, settings, utcnow(), given is not None and given.full)
        claims.enqueue(connection, row.id, mode, utcnow(), origin="api")
        live = queries.live_run(connection, row.id)
        assert live is not None, "one was queued, or is there"
        place = f"/api/runs/{live.id}"
        if live.status == "running":
            detail = f"{name} is being harvested by run {live.id}"
            raise ProblemError(409, "already-running", detail, headers={"location": place}, run=live.id)
        queued = run_out(run_row(connection, live.id), row.name)
    log.info("run queued source=%s run=%s by=%s", name, queued.id, who.name)
    response.headers["location"] = place
    return queued


@router.post("/api/runs/{id}/cancel", responses=documented(401, 403, 404, 409), summary="Cancel a run")
def cancel(id: Number, who: Runner, engine: Database) -> RunOut:
    """Whoever works on it stops within seconds; what was written stays."""
    with writing(engine) as connection:
        row = run_row(connection, id)
        if not claims.cancel(connection, id, utcnow(), who.name):
            raise ProblemError(409, "run-ended", f"run {id} has ended already: {row.status}")
        ended = run_out(run_row(connection, id), row.source)
    log.info("run cancelled source=%s run=%s by=%s", row.source, id, who.name)
    return ended


def _recognised(settings: Settings, url: str) -> Recognised:
    with Http(settings.model_copy(update=_HASTE)) as http:
        try:
            found, reasons = registry.recognise(http, sources.with_scheme(url))
        except SourceError as error:
            raise ProblemError(502, error.code, error.message) from error
    if not found:
        detail = f"no connector recognises {hidden_url(url)}; name it: {', '.join(registry.names())}"
        raise UsageError("; ".join([detail, *reasons]), code="not-recognised", field="url")
    return found[0]


def _shown(engine: Engine, name: str) -> SourceOut:
    with engine.connect() as connection:
        return source_outs(connection, [source_row(connection, name)])[0]


def _taken_away(name: str, value: Any) -> Any:
    """In JSON null takes away; for `sources.edit` what is empty does, and None leaves."""
    empty: dict[str, Any] = {"access": {}, "notify": [], "options": {}, "timezone": "UTC", "jitter": 0}
    return empty.get(name, "") if value is None else value
