"""The page of metadata quality: the score of a part of the catalogue, what would win most, the trend."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.deps import Limit, Reading, The
from api.links import link
from api.pages.rendering import render
from api.quality import AfterPlace, Name, OfPart, by_source, fix_outs, part_trend
from api.sources import AfterName
from harvester.fields.languages import preferred
from harvester.quality import reading, telling
from harvester.quality.indicators import MOST_OF
from harvester.quality.reading import Cursor

router = APIRouter(include_in_schema=False)
DAYS = 30


@router.get("/quality")
def quality(part: OfPart, connection: Reading, settings: The, after: AfterName = "") -> Response:
    """Both scores, the fixes with the datasets behind them, each indicator, the days on which something changed."""
    tally, up_to_date = part.counts()
    whole = not part.parameters
    context = {
        "heading": preferred(part.view.info.about.title, settings.language),
        "parameters": part.parameters,
        "told": telling.summary(tally),
        "up_to_date": up_to_date,
        "dimensions": {name.value: most for name, most in MOST_OF.items()},
        "fixes": fix_outs(part, tally),
        "days": part_trend(connection, part, DAYS),
        "listing": by_source(connection, after) if whole else None,
        "api": link("/api/quality", **part.parameters),
    }
    return render("quality.html", settings, settings.language, **context)


@router.get("/quality/{indicator}")
def lacking(indicator: Name, part: OfPart, settings: The, after: AfterPlace = "", limit: Limit = 100) -> Response:
    """The datasets of a part that lack something."""
    item = reading.indicator(indicator)
    rows, following = part.lacking(item.name, Cursor.of(after), limit)
    context = {
        "item": item,
        "back": link("/quality", **part.parameters),
        "file": link(f"/api/quality/fixes/{item.name}/datasets.csv", **part.parameters),
        "heading": preferred(part.view.info.about.title, settings.language),
        "rows": [telling.lacking_plain(row) for row in rows],
        "next": following and link(f"/quality/{item.name}", **part.parameters, after=following),
    }
    return render("lacking.html", settings, settings.language, **context)
