"""Key figures: what the catalogue holds, how it grows, whether it is as fresh as its producers promise."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import TypeAdapter
from sqlalchemy import Engine
from starlette.responses import Response

from api.asking import not_acceptable
from api.deps import PATIENCE, Database, Language, Reading, Searching, The
from api.errors import documented
from api.formats import accepted
from harvester.figures import forms, reading
from harvester.figures.report import Asked, Report
from harvester.figures.table import BY_NAME, FIGURES
from harvester.schedule import utcnow
from harvester.search import Index, refresh

router = APIRouter(prefix="/api/figures", tags=["figures"])
CSV = "text/csv"
_CSV_MEDIA = "text/csv; charset=utf-8"
_DATES = " ".join(f"{figure.title}: {figure.dated}" for figure in FIGURES)
_EXAMPLE = "figure,group,value,label,number\r\nby,theme,TRAN,Transport,812\r\n"
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"example": _EXAMPLE}}}}

OfSource = Annotated[
    str, Query(description="Only datasets that this source lists, by name.", max_length=100, examples=["paris"])
]
OfSpace = Annotated[str, Query(description="Only this space, by name.", max_length=100, examples=["culture"])]
At = Annotated[str, Query(description=f"A day that is over. {_DATES}", max_length=40, examples=["2026-10-31"])]
Since = Annotated[
    str,
    Query(description="First month; eleven before the last when left out.", max_length=40, examples=["2026-01"]),
]
Until = Annotated[
    str, Query(description="Last month; that of `at` when left out.", max_length=40, examples=["2026-11"])
]
Top = Annotated[int, Query(ge=1, le=1000, description="How many values of each dimension.", examples=[20])]
ByName = Annotated[str, Path(description=f"One of {', '.join(BY_NAME)}.", max_length=40, examples=["organisation"])]


def _asked(
    settings: The,
    source: OfSource = "",
    space: OfSpace = "",
    at: At = "",
    since: Since = "",
    until: Until = "",
    top: Top = 20,
    lang: Language = "",
) -> Asked:
    source, space = (text.replace("\x00", "") for text in (source, space))
    return forms.asked(source, space, at, since, until, top, lang.lower() or settings.language)


OfPart = Annotated[Asked, Depends(_asked)]


def told(engine: Engine, index: Index, asked: Asked) -> Report:
    """The figures; the index is brought up to date where it is asked."""
    if asked.space:
        refresh(engine, index, wait=PATIENCE)
    with engine.connect() as connection:
        return reading.report(connection, index, asked, utcnow())


@router.get(
    "",
    responses=_STREAM | documented(404, 406),
    response_model=Report,
    summary="Key figures of everything, a source or a space",
)
def figures(asked: OfPart, request: Request, engine: Database, index: Searching) -> Any:
    """Exact; what is null is not known. As CSV, one row a number, when `Accept` asks for it."""
    wanted = accepted(request.headers.get("accept"), ["application/json", CSV])
    if wanted is None:
        raise not_acceptable([CSV])
    found = told(engine, index, asked)
    if wanted == CSV:
        return StreamingResponse(forms.as_csv(found), media_type=_CSV_MEDIA, headers={"vary": "Accept"})
    body = TypeAdapter(Report).dump_json(found)
    return Response(body, media_type="application/json", headers={"vary": "Accept"})


@router.get(".csv", responses=_STREAM | documented(404), response_class=Response, summary="Key figures as a file")
def figures_file(asked: OfPart, engine: Database, index: Searching) -> Response:
    """One row a number; no cell is a formula for a spreadsheet."""
    return _file("figures", forms.as_csv(told(engine, index, asked)))


@router.get(
    "/{dimension}.csv",
    responses=_STREAM | documented(404),
    response_class=Response,
    summary="Every value of one dimension as a file",
)
def values_file(dimension: ByName, asked: OfPart, engine: Database, index: Searching, connection: Reading) -> Response:
    """However many there are, the most frequent first."""
    reading.known(dimension)
    if asked.space:
        refresh(engine, index, wait=PATIENCE)
    values = reading.values(connection, index, asked, dimension, utcnow())
    return _file(dimension, forms.values_csv(dimension, values))


def _file(name: str, pieces: Any) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return StreamingResponse(pieces, media_type=_CSV_MEDIA, headers=headers)
