"""Reconciliations: asked for, followed, read in pages or as a file; the matrix, the trend, and advice on overlap."""

from __future__ import annotations

import logging
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection, Row

from api.auth import Who, allowed
from api.deps import After, Database, Limit, Number, Reading, The
from api.errors import ProblemError, documented, missing
from api.links import link
from api.runs import Before, source_row
from api.schemas_reconcile import (
    AdviceOut,
    Candidate,
    CellOut,
    MatrixOut,
    NewReconciliation,
    PlacesOut,
    ReconciliationList,
    ReconciliationOut,
    VerdictList,
    VerdictOut,
)
from api.secrets import hidden_url
from api.sources import AfterName
from harvester import registry, sources
from harvester.catalogue.database import writing
from harvester.connector import Source
from harvester.errors import SourceError, UsageError
from harvester.http import Http
from harvester.reconcile import keeping, overlap, reports
from harvester.reconcile.advising import advise
from harvester.reconcile.lines import Line
from harvester.reconcile.telling import every_line, summary
from harvester.reconcile.words import MEANING, REASONS, Verdict
from harvester.schedule import utcnow

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/reconciliations", tags=["reconciliation"])
Runner = Annotated[Who, Depends(allowed("run"))]
# Somebody waits for the answer.
_HASTE = {"retries": 0, "connect_timeout": 5.0, "read_timeout": 10.0, "total_timeout": 20.0}
_LINED = [verdict for verdict in Verdict if verdict not in (Verdict.OUTSIDE, Verdict.GONE)]
_KNOWN = "; ".join(f"`{verdict}`: {MEANING[verdict]}" for verdict in _LINED)
_WHY = "; ".join(f"`{code}`: {told}" for code, (told, _) in REASONS.items())
OfVerdict = Annotated[Verdict | None, Query(description=f"Only this. {_KNOWN}.", examples=["missing"])]
OfReason = Annotated[str | None, Query(description=f"Only this. {_WHY}.", max_length=30, examples=["newer"])]
OfChange = Annotated[
    Literal["appeared", "solved", "vanished"] | None,
    Query(
        description="Only what changed since the time before; `vanished` lines are those of then.",
        examples=["appeared"],
    ),
]
OfSource = Annotated[str | None, Query(description="Only of this source.", max_length=100, examples=["paris"])]
OfTarget = Annotated[str | None, Query(description="Only with this target.", max_length=100, examples=["national"])]
One = Annotated[str, Query(description="Name of the source.", max_length=100, examples=["paris"])]
To = Annotated[str, Query(description="Name of the target.", max_length=100, examples=["national"])]
_SUFFIXES = "^(csv|ndjson|json|txt)$"
Suffix = Annotated[str, Path(description="csv, ndjson, json or txt.", pattern=_SUFFIXES, examples=["csv"])]
_FILES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"example": "verdict,reason,source_title\r\nmissing,newer,Accidents\r\n"}}}
}


@router.post("", status_code=202, responses=documented(401, 403, 404), summary="Compare a source with a target")
def ask(given: NewReconciliation, who: Runner, engine: Database, response: Response) -> ReconciliationOut:
    """Queues it for the services (`harvester up` or `worker`); the one of these two that waits or goes on already when
    there is one. Its progress is in what `location` names.
    """
    with writing(engine) as connection:
        pair = (source_row(connection, given.source).id, source_row(connection, given.target).id)
        number = keeping.ask(connection, *pair, utcnow(), who.name)
        row = row_of(connection, number)
    log.info("reconciliation queued id=%s source=%s target=%s by=%s", number, given.source, given.target, who.name)
    response.headers["location"] = f"/api/reconciliations/{number}"
    return shown(row)


@router.get("", responses=documented(404), summary="Reconciliations, newest first")
def reconciliations(
    connection: Reading,
    source: OfSource = None,
    target: OfTarget = None,
    before: Before = None,
    succeeded: Annotated[bool, Query(description="Only those that came to their end: the trend.")] = False,
    limit: Limit = 50,
) -> ReconciliationList:
    """With their counts: of one source and one target, the trend of a producer."""
    mine, theirs = (None if name is None else source_row(connection, name).id for name in (source, target))
    rows = keeping.listed(connection, mine, theirs, before, limit, succeeded)
    more = {"source": source, "target": target, "before": rows[-1].id, "limit": limit} if len(rows) == limit else None
    if more and succeeded:
        more["succeeded"] = "true"
    following = more and link("/api/reconciliations", **more)
    return ReconciliationList(reconciliations=[shown(row) for row in rows], next=following)


@router.get("/matrix", responses=documented(404), summary="Every source against a target")
def matrix(connection: Reading, target: To, after: AfterName = "", limit: Limit = 100) -> MatrixOut:
    """How much of each has arrived: by its last reconciliation, else by the datasets that both have."""
    row = source_row(connection, target)
    cells = overlap.matrix(connection, row, after.replace("\x00", ""), limit)
    more = {"target": target, "after": cells[-1].source, "limit": limit} if len(cells) == limit else None
    found = [CellOut.model_validate(overlap.plain(cell)) for cell in cells]
    return MatrixOut(cells=found, next=more and link("/api/reconciliations/matrix", **more))


@router.get("/elsewhere", responses=documented(404), summary="Where else the records of a source are")
def elsewhere(connection: Reading, source: One, after: After = 0, limit: Limit = 100) -> PlacesOut:
    """Each record with those of other sources that stand for the same dataset, and the verdict on the two."""
    found = overlap.everywhere(connection, source_row(connection, source).id, after, limit)
    more = {"source": source, "after": found[-1][0], "limit": limit} if len(found) == limit else None
    told = [overlap.places(mine, others) for _, mine, others in found]
    return PlacesOut(records=told, next=more and link("/api/reconciliations/elsewhere", **more))


@router.post("/advice", responses=documented(401, 403, 502), summary="How much of a portal is here already")
def advice(given: Candidate, who: Runner, engine: Database, settings: The) -> AdviceOut:
    """Looks at the first records of a portal before it is added; nothing is kept."""
    with Http(settings.model_copy(update=_HASTE)) as http:
        try:
            found, _ = registry.recognise(http, sources.with_scheme(given.url))
            if not found:
                raise UsageError(f"no connector recognises {hidden_url(given.url)}", code="not-recognised", field="url")
            source = Source("candidate", found[0].url, registry.options(found[0].connector, {}))
            told = advise(engine, http, source, found[0].connector, given.sample)
        except SourceError as error:
            raise ProblemError(502, error.code, error.message) from error
    through = [one.plain(told.looked_at) for one in told.through]
    return AdviceOut(looked_at=told.looked_at, advertised=told.advertised, through=through)


@router.get("/{id}", responses=documented(404), summary="One reconciliation")
def reconciliation(id: Number, connection: Reading) -> ReconciliationOut:
    """How far it has come, or what it came to: the totals of both sides add up to all their records."""
    return shown(row_of(connection, id))


@router.get("/{id}/lines", responses=documented(404), summary="The verdicts of a reconciliation")
def lines(
    id: Number,
    connection: Reading,
    verdict: OfVerdict = None,
    reason: OfReason = None,
    change: OfChange = None,
    after: After = 0,
    limit: Limit = 100,
) -> VerdictList:
    """One line a record, a pair of records or a copy; records of the target from elsewhere are counted alone."""
    found = keeping.lines(connection, row_of(connection, id), verdict, reason, change, after, limit)
    asked = {"verdict": verdict and str(verdict), "reason": reason, "change": change, "limit": limit}
    more = {**asked, "after": found[-1].number} if len(found) == limit else None
    following = more and link(f"/api/reconciliations/{id}/lines", **more)
    return VerdictList(lines=[line_out(line) for line in found], next=following)


@router.get(
    "/{id}/lines.{suffix}",
    responses=_FILES | documented(404),
    response_class=Response,
    summary="The verdicts as a file, to send to the producer",
)
def file(
    id: Number,
    suffix: Suffix,
    connection: Reading,
    engine: Database,
    verdict: OfVerdict = None,
    reason: OfReason = None,
    change: OfChange = None,
) -> Response:
    """Streamed, of any size; no cell of the CSV is a formula for a spreadsheet."""
    row, form = row_of(connection, id), "text" if suffix == "txt" else suffix
    pieces = reports.written(summary(row), every_line(engine, row, verdict, change, reason), form)
    named = {"content-disposition": f'attachment; filename="{row.source}-{row.target}-{row.id}.{suffix}"'}
    return StreamingResponse(pieces, media_type=reports.MEDIA_TYPES[form], headers=named)


@router.post("/{id}/cancel", responses=documented(401, 403, 404, 409), summary="Cancel a reconciliation")
def cancel(id: Number, who: Runner, engine: Database) -> ReconciliationOut:
    """Whoever works on it stops with the next batch; what it came to is not shown."""
    with writing(engine) as connection:
        row = row_of(connection, id)
        if not keeping.cancel(connection, id, utcnow(), who.name):
            raise ProblemError(409, "not-live", f"reconciliation {id} has ended already: {row.status}")
        return shown(row_of(connection, id))


def shown(row: Row[Any]) -> ReconciliationOut:
    """A reconciliation as it is shown."""
    told = {"summary": list(reports.words(summary(row))), "lines": row.kept, "previous": row.previous_id}
    return ReconciliationOut.model_validate({**row._mapping, **told})


def line_out(line: Line) -> VerdictOut:
    """A line as it is shown."""
    return VerdictOut.model_validate(line.plain())


def row_of(connection: Connection, number: int) -> Row[Any]:
    """A reconciliation.  Raises `ProblemError` 404."""
    row = keeping.one(connection, number)
    if row is None:
        raise missing("reconciliation", number)
    return row
