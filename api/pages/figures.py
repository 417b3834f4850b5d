"""The page of key figures."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.deps import Database, Searching, The
from api.figures import OfPart, told
from api.links import link
from api.pages.rendering import render
from harvester.figures.table import BY_NAME, FIGURES

router = APIRouter(include_in_schema=False)
SHOWN = 12


@router.get("/figures")
def figures(request: Request, asked: OfPart, engine: Database, index: Searching, settings: The) -> Response:
    """Of everything, a source or a space; now, or as of a day."""
    found = told(engine, index, asked)
    names = ("source", "space", "at", "since", "until", "lang")
    given: dict[str, str] = {name: value for name in names if (value := request.query_params.get(name))}
    context = {
        "found": found,
        "given": given,
        "titles": {figure.name: figure for figure in FIGURES},
        "dimensions": BY_NAME,
        "shown": SHOWN,
        "within": urlencode([(name, value) for name, value in given.items() if name in ("source", "space")]),
        "file": link("/api/figures.csv", **given),
        "api": link("/api/figures", **given),
    }
    return render("figures.html", settings, asked.language, **context)
