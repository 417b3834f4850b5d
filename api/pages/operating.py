"""Pages for those who look after sources and runs: what goes on, what went wrong, and what waits for a decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection, Engine

from api.auth import identified
from api.deps import After, Database, Number, Reading, The
from api.errors import STATUS_BY_CODE, ProblemError
from api.links import link
from api.pages.rendering import render
from api.runs import Before, OfSource, Status, problem_out, run_out, run_row, source_row
from api.sources import AfterName, Name, source_outs
from harvester import held
from harvester.catalogue import queries
from harvester.codes import explained, table
from harvester.duty import duty
from harvester.errors import UsageError
from harvester.history import chronicle
from harvester.schedule import utcnow
from harvester.settings import Settings

router = APIRouter(include_in_schema=False)
SHOWN = 50
NAMED = 500
LIVE = ("queued", "running")
Cursor = Annotated[str, Query(max_length=60)]


@router.get("/sources")
def all_sources(connection: Reading, settings: The, after: AfterName = "") -> Response:
    """Every source: how it does, when it was harvested last, and when it will be."""
    rows = queries.source_list(connection, after.replace("\x00", ""), 100)
    following = link("/sources", after=rows[-1].name) if len(rows) == 100 else None
    context = {"sources": source_outs(connection, rows), "duty": duty(connection, utcnow()), "next": following}
    return render("sources.html", settings, settings.language, **context)


@router.get("/sources/{name}")
def one_source(name: Name, connection: Reading, settings: The) -> Response:
    """One source with its latest runs."""
    row = source_row(connection, name)
    runs = [run_out(run, run.source) for run in queries.run_list(connection, row.id, limit=20)]
    source = source_outs(connection, [row])[0]
    return render("source.html", settings, settings.language, source=source, runs=runs)


@router.get("/runs")
def all_runs(
    connection: Reading,
    settings: The,
    source: OfSource = None,
    status: Status | None = None,
    before: Before = None,
) -> Response:
    """Runs, newest first."""
    source_id = None if source is None else source_row(connection, source).id
    rows = queries.run_list(connection, source_id, status, before, SHOWN)
    more = {"source": source, "status": status, "before": rows[-1].id} if len(rows) == SHOWN else None
    context = {"runs": [run_out(row, row.source) for row in rows], "status": status, "source": source}
    return render("runs.html", settings, settings.language, **context, next=more and link("/runs", **more))


@router.get("/runs/{id}")
def one_run(id: Number, connection: Reading, settings: The, after: After = 0, changes: Cursor = "") -> Response:
    """What a run did and what went wrong; while it goes on the page comes again by itself."""
    row = run_row(connection, id)
    found = queries.problem_list(connection, id, after, SHOWN)
    lines, following = chronicle.diff_page(connection, row, after=changes, limit=SHOWN)
    context = {
        "run": run_out(row, row.source),
        "about": explained(row.code),
        "live": row.status in LIVE,
        "problems": [problem_out(problem, row.source) for problem in found],
        "more_problems": link(f"/runs/{id}", after=found[-1].id) if len(found) == SHOWN else None,
        "lines": lines,
        "more_lines": following and link(f"/runs/{id}", changes=following),
    }
    return render("run.html", settings, settings.language, **context)


@router.get("/runs/{id}/held")
def held_run(id: Number, connection: Reading, settings: The, after: After = 0) -> Response:
    """What a held run would retire, by name, and the form to decide on it."""
    run_row(connection, id)
    return _held_page(connection, settings, id, after)


async def typed(request: Request) -> str:
    """The token that a person typed into the form."""
    found = parse_qs((await request.body()).decode("utf-8", "replace"), max_num_fields=10)
    return found.get("token", [""])[0].strip()


Typed = Annotated[str, Depends(typed)]


@router.post("/runs/{id}/confirm")
def confirm(id: Number, request: Request, token: Typed, engine: Database, settings: The) -> Response:
    """Retire what the run did not find."""
    return _decided(id, request, token, engine, settings, lambda by: held.confirm(engine, id, by, utcnow()))


@router.post("/runs/{id}/discard")
def discard(id: Number, request: Request, token: Typed, engine: Database, settings: The) -> Response:
    """Keep what the run did not find."""
    return _decided(id, request, token, engine, settings, lambda by: held.discard(engine, id, by))


@router.get("/problem-codes")
def problem_codes(settings: The) -> Response:
    """What each code means, and what to do."""
    return render("codes.html", settings, settings.language, codes=table().values())


def _decided(
    id: int, request: Request, token: str, engine: Engine, settings: Settings, decide: Callable[[str], object]
) -> Response:
    try:
        decide(identified(request, engine, "run", token or None).name)
    except ProblemError as error:
        told, status = error.detail, error.status
    except UsageError as error:
        told, status = error.message, STATUS_BY_CODE.get(error.code, 409)
    else:
        return RedirectResponse(f"/runs/{id}", status_code=303)
    with engine.connect() as connection:
        run_row(connection, id)
        return _held_page(connection, settings, id, 0, told, status)


def _held_page(
    connection: Connection, settings: Settings, id: int, after: int, told: str = "", status: int = 200
) -> Response:
    row = run_row(connection, id)
    rows: list[Any] = []
    try:
        held.held(connection, id)
        rows = held.would_go(connection, row, after, NAMED)
        open_, total = True, held.would_go_count(connection, row)
    except UsageError as error:
        open_, total, told = False, 0, told or error.message
    following = link(f"/runs/{id}/held", after=rows[-1].id) if len(rows) == NAMED else None
    context = {"run": run_out(row, row.source), "about": explained(row.code), "rows": rows, "total": total}
    answer = render("held.html", settings, settings.language, **context, open=open_, told=told, next=following)
    answer.status_code = status
    return answer
