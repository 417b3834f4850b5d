"""Link checks: the addresses of the catalogue, and what is wrong with those of a source or of a dataset."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field
from sqlalchemy import Connection

from api.auth import Who, allowed
from api.datasets import visible
from api.deps import After, Database, DatasetKey, Limit, Reading, The
from api.errors import documented
from api.links import link
from api.runs import source_row
from api.schemas import Shape
from api.sources import Name
from harvester.catalogue.database import writing
from harvester.links import reports, standings, store
from harvester.links.faults import FAULTS, Severity, State
from harvester.net.urls import redacted
from harvester.schedule import utcnow

log = logging.getLogger(__name__)
router = APIRouter(tags=["links"])
_AT = "2026-03-01T12:00:00Z"
_STATES = "unchecked, ok, failing (may be well tomorrow), broken, unknown (cannot be told from here)"
_TYPES = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson", "txt": "text/plain; charset=utf-8"}
_FORMS = {"csv": "csv", "ndjson": "json", "txt": "text"}

Cursor = Annotated[str, Query(description="What `next` of another page says.", max_length=60, examples=["7-12345"])]
OfState = Annotated[State | None, Query(description=f"Only this state: {_STATES}.", examples=["broken"])]
OfHost = Annotated[str | None, Query(description="Only this host.", max_length=255, examples=["data.example.org"])]
OfSeverity = Annotated[Severity | None, Query(description="Only this severity.", examples=["broken"])]
OfFault = Annotated[str | None, Query(description="Only this fault.", max_length=20, examples=["gone"])]
Suffix = Annotated[str, Path(description="csv, ndjson or txt.", pattern="^(csv|ndjson|txt)$", examples=["csv"])]


class AddressOut(Shape):
    """An address, as the last check found it."""

    id: int = Field(examples=[12345])
    address: str = Field(examples=["https://data.example.org/a.csv"])
    host: str = Field(description="Empty: it cannot be asked.", examples=["data.example.org"])
    state: Literal["unchecked", "ok", "failing", "broken", "unknown"] = Field(description=_STATES, examples=["broken"])
    fault: str | None = Field(description=f"What is wrong: {', '.join(FAULTS)}.", examples=["gone"])
    status: int | None = Field(description="Of the last answer; null: none came.", examples=[404])
    head_status: int | None = Field(description="What HEAD was answered.", examples=[404])
    since: datetime | None = Field(description="Since when it is so.", examples=[_AT])
    checked_at: datetime | None = Field(examples=[_AT])
    next_check_at: datetime | None = Field(description="Null: never.", examples=[_AT])
    failures: int = Field(description="In a row.", examples=[1])
    target: str | None = Field(description="Where it has moved to for good.", examples=[None])
    media_type: str | None = Field(description="As the server names it.", examples=["text/csv"])
    length: int | None = Field(description="Bytes, as the server says.", examples=[1200])
    format: str | None = Field(description="What its first bytes are.", examples=["CSV"])


class AddressList(Shape):
    """A page of addresses, and how many there are in each state."""

    totals: dict[str, int] = Field(
        description="Of all addresses; empty until links are checked.", examples=[{"ok": 970, "broken": 30}]
    )
    links: list[AddressOut]
    next: str | None = Field(examples=["/api/links?after=12345"])


class FaultOut(Shape):
    """One link of one record that something is wrong with."""

    severity: Literal["broken", "warning", "notice"] = Field(examples=["broken"])
    fault: str = Field(description=f"{', '.join(FAULTS)}.", examples=["gone"])
    source: str = Field(examples=["paris"])
    dataset: str = Field(description="Public key of the dataset.", examples=["k3vxq2m5dzr7ttq5"])
    guid: str = Field(examples=["accidents-2024"])
    title: str | None = Field(examples=["Accidents de la circulation"])
    record_url: str | None = Field(description="Page of the record at its source.", examples=[None])
    distribution: str | None = Field(description="Title of the distribution.", examples=["accidents.csv"])
    number: int = Field(description="Of the distribution, from 0.", examples=[0])
    role: Literal["access", "download"] = Field(examples=["download"])
    url: str = Field(examples=["https://data.example.org/a.csv"])
    status: int | None = Field(examples=[404])
    declared: str | None = Field(description="Formats, as declared.", examples=["CSV"])
    found: str | None = Field(description="Format of the first bytes.", examples=[None])
    target: str | None = Field(description="Where it has moved to for good.", examples=[None])
    since: datetime | None = Field(examples=[_AT])
    checked_at: datetime | None = Field(examples=[_AT])
    meaning: str = Field(examples=["The server says that there is nothing at this address (404 or 410)."])
    advice: str = Field(examples=["Correct the address in the metadata, put the file back, or withdraw it."])


class FaultList(Shape):
    """A page of what is wrong with the links of a source."""

    addresses: dict[str, int] = Field(
        description="Addresses of the source by state.", examples=[{"ok": 97, "broken": 3}]
    )
    faults: dict[str, int] = Field(description="Its links by severity.", examples=[{"broken": 3, "notice": 12}])
    links: list[FaultOut]
    next: str | None = Field(examples=["/api/sources/paris/links?after=7-12345"])


class DatasetLinks(Shape):
    """How the links of a dataset are."""

    state: str | None = Field(
        description="; ".join(f"{name}: {meaning}" for name, meaning in standings.WHOLES.items())
        + "; null: not checked.",
        examples=["broken"],
    )
    links: list[FaultOut]


class QueuedOut(Shape):
    """How many addresses will be checked soon."""

    queued: int = Field(examples=[120])


@router.get("/api/links", responses=documented(), summary="Addresses of distributions, as the last checks found them")
def addresses(
    connection: Reading, state: OfState = None, host: OfHost = None, after: After = 0, limit: Limit = 100
) -> AddressList:
    """Each once, however many datasets name it."""
    rows = reports.address_page(connection, after, limit, state, None if host is None else host.replace("\x00", ""))
    more = {"state": state, "host": host, "after": rows[-1].id, "limit": limit} if len(rows) == limit else None
    return AddressList(
        totals=standings.totals(connection),
        links=[_address(row) for row in rows],
        next=more and link("/api/links", **more),
    )


@router.get("/api/sources/{name}/links", responses=documented(404), summary="What is wrong with the links of a source")
def of_source(
    name: Name,
    connection: Reading,
    settings: The,
    severity: OfSeverity = None,
    fault: OfFault = None,
    after: Cursor = "",
    limit: Limit = 100,
) -> FaultList:
    """By record, in pages: what is wrong, since when, and what to do.  Whole as a file: `.../links.csv`."""
    row = source_row(connection, name)
    found, last = reports.page(
        connection,
        row.id,
        reports.cursor(after),
        limit,
        severity,
        fault and fault.replace("\x00", ""),
        settings.language,
    )
    told = reports.summary(connection, row.id)
    more = {"severity": severity, "fault": fault, "after": last, "limit": limit}
    return FaultList(
        addresses=told.addresses,
        faults={str(kind): number for kind in Severity if (number := told.of(kind))},
        links=[FaultOut.model_validate(line) for line in found],
        next=link(f"/api/sources/{name}/links", **more) if last else None,
    )


@router.get(
    "/api/sources/{name}/links.{suffix}",
    responses=documented(404)
    | {200: {"content": {"text/csv": {"example": "severity,fault,source\r\nbroken,gone,paris\r\n"}}}},
    response_class=Response,
    summary="The same as a file",
)
def file_of_source(
    name: Name, suffix: Suffix, connection: Reading, engine: Database, settings: The, severity: OfSeverity = None
) -> Response:
    """Streamed, of any size; no cell of the CSV is a formula for a spreadsheet."""
    row = source_row(connection, name)
    pieces = reports.written(reports.lines(engine, row.id, severity, settings.language), _FORMS[suffix])
    headers = {"content-disposition": f'attachment; filename="links.{suffix}"'}
    return StreamingResponse(pieces, media_type=_TYPES[suffix], headers=headers)


@router.get("/api/datasets/{id}/links", responses=documented(404), summary="What is wrong with the links of a dataset")
def of_dataset(id: DatasetKey, connection: Reading, settings: The) -> DatasetLinks:
    """Of whatever records name them, the worst first."""
    view, _ = visible(connection, id)
    found = reports.of_dataset(connection, view.id, language=settings.language)
    return DatasetLinks(
        state=standings.states(connection, [view.id]).get(view.id),
        links=[FaultOut.model_validate(line) for line in found],
    )


@router.post(
    "/api/sources/{name}/links/check",
    status_code=202,
    responses=documented(401, 403, 404),
    summary="Check the links of a source soon",
)
def check(name: Name, engine: Database, who: Annotated[Who, Depends(allowed("run"))]) -> QueuedOut:
    """Whatever their age, but those of the last hour; by a service whose setting `links` is on, or by command."""
    store.begin(engine)
    with writing(engine) as connection:
        queued = _again(connection, name)
    log.info("links queued source=%s number=%s by=%s", name, queued, who.name)
    return QueuedOut(queued=queued)


def _again(connection: Connection, name: str) -> int:
    row = source_row(connection, name)
    store.take_turn(connection)
    return store.again(connection, row.id, utcnow())


def _address(row: Any) -> AddressOut:
    known = dict(row._mapping)
    hidden = {"address": redacted(row.address), "target": row.target and redacted(row.target)}
    return AddressOut.model_validate({**known, **hidden, "format": row.format and row.format.partition(":")[0]})
