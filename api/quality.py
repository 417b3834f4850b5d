"""Metadata quality (MQA) of a source, a publisher, a space, everything; what would win most; one dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection, Engine

from api.asking import OfPublisher, OfSpace, not_acceptable, space_named
from api.datasets import visible
from api.deps import PATIENCE, Database, DatasetKey, Limit, Reading, Searching, The, reading
from api.errors import documented
from api.formats import accepted
from api.links import link
from api.runs import OfSource, source_row
from api.schemas_quality import (
    DatasetQualityOut,
    DayOut,
    FixList,
    FixOut,
    IndicatorList,
    IndicatorOut,
    LackingList,
    LackingOut,
    QualityOut,
    SourceQualityList,
    SourceQualityOut,
    TrendOut,
    WhatIfOut,
)
from api.sources import AfterName
from harvester.catalogue import queries
from harvester.quality import BY_NAME, INDICATORS, band, telling
from harvester.quality import reading as stored
from harvester.quality.aggregating import Tally
from harvester.quality.assessing import EVERYTHING
from harvester.quality.indicators import FILLED_IN
from harvester.quality.reading import Cursor, Lacking
from harvester.search import Index
from harvester.settings import Settings
from harvester.views import View, follow, view

router = APIRouter(tags=["quality"])
CSV = "text/csv"
Name = Annotated[str, Path(description="Name of the indicator, or `filled_in`.", max_length=60, examples=["keyword"])]
Mend = Annotated[
    list[str],
    Query(description="What if these were mended? Repeat it for several.", max_length=30, examples=[["keyword"]]),
]
AfterPlace = Annotated[str, Query(description="What `next` of another page says.", max_length=60, examples=["12-34"])]
BeforeDay = Annotated[date | None, Query(description="Continue before this day.", examples=["2026-03-01"])]
_LIST: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {"example": "source,guid,title,url\r\nparis,accidents-2024,Accidents,\r\n"}}}
}


@dataclass(frozen=True, slots=True)
class Asked:
    """The part of the catalogue that is asked about, and what it is read from."""

    engine: Engine
    index: Index
    view: View

    def counts(self) -> tuple[Tally, bool]:
        """How many datasets and distributions have each pattern, and whether all that changed is among them."""
        with self._reading() as connection:
            return stored.counts(connection, self.index, self.view), not stored.behind(connection)

    def lacking(self, name: str, after: Cursor, limit: int) -> tuple[list[Lacking], Cursor | None]:
        """A page of the datasets that lack an indicator, and where to go on."""
        with self._reading() as connection:
            return stored.lacking_page(connection, self.index, self.view, name, after, limit)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """The index is never older than what this sees."""
        follow(self.engine, self.index, self.view, PATIENCE)
        with reading(self.engine) as connection:
            yield connection

    @property
    def parameters(self) -> dict[str, str]:
        """What names the part in addresses."""
        return dict(self.view.parameters)


def _asked(
    engine: Database,
    index: Searching,
    settings: The,
    source: OfSource = None,
    publisher: OfPublisher = None,
    space: OfSpace = None,
) -> Asked:
    return asked(engine, index, settings, source, publisher, space)


def asked(
    engine: Engine,
    index: Index,
    settings: Settings,
    source: str | None = None,
    publisher: str | None = None,
    space: str | None = None,
) -> Asked:
    """A part of the catalogue.  Raises `ProblemError` 404 for a source or space there is not."""
    with engine.connect() as connection:
        if source is not None:
            source_row(connection, source)
        if space is not None:
            space_named(connection, space)
        wanted = publisher.strip() if publisher else None
        return Asked(engine, index, view(connection, settings, source=source, publisher=wanted, space=space))


OfPart = Annotated[Asked, Depends(_asked)]


@router.get("/api/quality", responses=documented(404), summary="The score of a part of the catalogue")
def quality(part: OfPart) -> QualityOut:
    """As data.europa.eu assesses what we export: 23 indicators in five dimensions, 405 points.

    `mean` is the mean of the scores of the datasets, each with its best distribution; `share` gives each indicator's
    points times the share of what meets it, of all distributions where it is decided on them. The reading `now` gives
    nothing for links that were never checked, `checked` what they would give if they all work.
    """
    tally, up_to_date = part.counts()
    more = {name: link(f"/api/quality/{name}", **part.parameters) for name in ("fixes", "trend")}
    return QualityOut.model_validate(telling.summary(tally) | {"up_to_date": up_to_date, "links": more})


@router.get("/api/quality/indicators", responses=documented(), summary="The indicators, and how each is decided")
def indicators() -> IndicatorList:
    """The table that everything else here is made from."""
    found = [IndicatorOut.model_validate(telling.indicator_plain(item)) for item in (*INDICATORS, FILLED_IN)]
    return IndicatorList(indicators=found)


@router.get("/api/quality/sources", responses=documented(), summary="The score of every source, by name")
def by_source(connection: Reading, after: AfterName = "", limit: Limit = 100) -> SourceQualityList:
    """As of the last day on which it changed."""
    rows = queries.source_list(connection, after.replace("\x00", ""), limit)
    days = stored.latest(connection, [row.id for row in rows])
    found = [SourceQualityOut(name=row.name, title=row.title, latest=_day(days.get(row.id))) for row in rows]
    more = link("/api/quality/sources", after=rows[-1].name, limit=limit) if len(rows) == limit else None
    return SourceQualityList(sources=found, next=more)


@router.get("/api/quality/trend", responses=documented(404), summary="How the score changed, newest first")
def trend(connection: Reading, source: OfSource = None, before: BeforeDay = None, limit: Limit = 100) -> TrendOut:
    """One row for each day on which anything of the source, or of the catalogue, changed: as it was in the end."""
    source_id = EVERYTHING if source is None else source_row(connection, source).id
    days = stored.trend(connection, source_id, before, limit)
    more = {"source": source, "before": days[-1].day, "limit": limit} if len(days) == limit else None
    told = [found for day in days if (found := _day(day))]
    return TrendOut(days=told, next=more and link("/api/quality/trend", **more))


@router.get("/api/quality/fixes", responses=documented(404), summary="What would win most")
def fixes(part: OfPart, mend: Mend = []) -> FixList:  # noqa: B006
    """How many datasets lack what, the points for each, and the score after; `to_win` is what the mean rises by.

    What an indicator needs is mended with it: whoever takes a licence from the table has a licence.
    """
    for name in mend:
        stored.indicator(name)
    tally, _ = part.counts()
    return FixList(
        fixes=fix_outs(part, tally), what_if=WhatIfOut.model_validate(telling.what_if(tally, mend)) if mend else None
    )


@router.get(
    "/api/quality/fixes/{indicator}/datasets",
    responses=_LIST | documented(404, 406),
    response_model=LackingList,
    summary="The datasets that lack something",
)
def lacking(indicator: Name, request: Request, part: OfPart, after: AfterPlace = "", limit: Limit = 100) -> Any:
    """In pages as JSON; all of them, to send to the producer, when `Accept` asks for CSV."""
    item, wanted = stored.indicator(indicator), accepted(request.headers.get("accept"), ["application/json", CSV])
    if wanted is None:
        raise not_acceptable([CSV])
    if wanted == CSV:
        return _file(part, item.name)
    place = Cursor.of(after)
    rows, following = part.lacking(item.name, place, limit)
    path = f"/api/quality/fixes/{item.name}/datasets"
    more = following and link(path, **part.parameters, after=following, limit=limit)
    found = [LackingOut.model_validate(telling.lacking_plain(row)) for row in rows]
    return LackingList(datasets=found, next=more)


@router.get(
    "/api/quality/fixes/{indicator}/datasets.csv",
    responses=_LIST | documented(404),
    response_class=Response,
    summary="The same as a file",
)
def lacking_file(indicator: Name, part: OfPart) -> Response:
    """Streamed, of any size; no cell is a formula for a spreadsheet."""
    return _file(part, stored.indicator(indicator).name)


@router.get(
    "/api/datasets/{id}/quality",
    responses=documented(308, 404, 410),
    summary="What one dataset meets, and what it lacks",
)
def dataset(id: DatasetKey, connection: Reading) -> DatasetQualityOut:
    """Every indicator, with what would mend it; null where only a link check can tell."""
    found, _ = visible(connection, id)
    told = telling.dataset_plain(stored.dataset_score(connection, found))
    return DatasetQualityOut.model_validate({"id": found.key} | told)


def _file(part: Asked, name: str) -> Response:
    """Not in the transaction of the request: that would stay open as long as the stream."""
    item = BY_NAME.get(name, FILLED_IN)

    def rows() -> Iterator[Lacking]:
        after: Cursor | None = Cursor()
        while after is not None:
            found, after = part.lacking(name, after, stored.PAGE)
            yield from found

    headers = {"content-disposition": f'attachment; filename="lacking-{name}.csv"', "vary": "Accept"}
    return StreamingResponse(telling.lacking_csv(rows(), item), media_type=f"{CSV}; charset=utf-8", headers=headers)


def fix_outs(part: Asked, tally: Tally) -> list[FixOut]:
    """What can be won, each with where the datasets behind it are listed."""
    return [FixOut.model_validate(fix | _links(part, fix["indicator"])) for fix in telling.fixes_plain(tally)]


def part_trend(connection: Connection, part: Asked, limit: int) -> list[DayOut]:
    """The last days of a source or of everything; of another part, none are kept."""
    if part.view.scopes:
        return []
    days = stored.trend(connection, part.view.stretch.source_id or EVERYTHING, limit=limit)
    return [found for day in days if (found := _day(day))]


def _links(part: Asked, name: str) -> dict[str, str]:
    path = f"/api/quality/fixes/{name}/datasets"
    return {
        "list": link(path, **part.parameters),
        "file": link(f"{path}.csv", **part.parameters),
        "page": link(f"/quality/{name}", **part.parameters),
    }


def _day(row: Any) -> DayOut | None:
    if row is None:
        return None
    totals = {rule: round(sum(points.values()), 2) for rule, points in row.points.items()}
    bands = {rule: band(points) for rule, points in totals.items()}
    return DayOut(day=row.day, datasets=row.datasets, points=totals, bands=bands, dimensions=row.points)
