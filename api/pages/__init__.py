"""Plain pages rendered on the server, for people: no script, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter, Request
from fastapi import Path as FromPath
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from api import export
from api.datasets import facets, visible
from api.deps import Asked, Reading, Searching, The
from api.errors import ProblemError, documented
from api.formats import FORMATS, HTML, Form, accepted, form_of, offers
from api.secrets import hidden_url
from harvester.catalogue.queries import DatasetView
from harvester.fields.terms import Term
from harvester.model import Dataset
from harvester.search.base import preferred
from harvester.search.filters import BY_NAME, FILTERS
from harvester.search.schema import folded
from harvester.settings import Settings

STATIC = Path(__file__).parent / "static"
PAGE = Form("html", HTML, "HTML", "<!doctype html>…")
router = APIRouter()
Name = Annotated[str, FromPath(description="Public key, with or without a suffix.", examples=["k3vxq2m5dzr7ttq5.ttl"])]


def spoken(texts: Mapping[str, str] | None, language: str) -> str:
    """The one text of several languages to show."""
    return preferred(texts or {}, language) or ""


def safe(url: str | None) -> str | None:
    """The URL if a browser may follow it: http or https, nothing that runs."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _labelled(value: str | None, name: str, language: str) -> str:
    return BY_NAME[name].label(value, language) if value else ""


_PAGES = Environment(
    loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def _meant(term: Term) -> str:
    """What a term is looked up by: its concept, else its own words."""
    return term.uri or term.text


_PAGES.filters |= {"meant": _meant, "spoken": spoken, "safe_url": safe, "public_url": hidden_url, "labelled": _labelled}


@router.get("/", include_in_schema=False)
def home(request: Request, asked: Asked, index: Searching, connection: Reading, settings: The) -> Response:
    """The search, with its results and facets."""
    found = index.search(asked)
    last = max(1, -(-found.total // asked.size))
    context = {
        "asked": asked,
        "found": found,
        "facets": facets(connection, found),
        "toggles": Toggles(request),
        "last": last,
        "hidden": [(name, value) for name, value in request.query_params.multi_items() if name in BY_NAME and value],
        "others": [item for item in FILTERS if item.kind != "facet"],
    }
    return _render("home.html", settings, asked.language or settings.language, **context)


@router.get("/docs", include_in_schema=False)
def docs(request: Request, settings: The) -> Response:
    """Every endpoint with its parameters, for people; made from the same description as `/openapi.json`."""
    described = request.app.openapi()
    context = {"paths": described["paths"], "about": described["info"]["description"]}
    return _render("docs.html", settings, settings.language, **context)


@router.get(
    "/datasets/{name}",
    tags=["dcat-ap"],
    responses=documented(404, 406, 410)
    | {200: {"content": {form.media_type: {"example": form.example} for form in (*FORMATS, PAGE)}}},
    response_class=Response,
    summary="One dataset as RDF or as a page",
)
def dataset(name: Name, request: Request, connection: Reading, settings: The) -> Response:
    """In the format of the suffix (`KEY.ttl`, `.rdf`, `.jsonld`, `.nt`), else in the one that `Accept` asks for."""
    key, dot, suffix = name.partition(".")
    form = export.known(suffix) if dot else _negotiated(request.headers.get("accept"))
    try:
        view, metadata = visible(connection, key)
    except ProblemError as error:
        if error.status == 308:
            error.headers["location"] = f"/datasets/{error.facts['merged_into']}{dot}{suffix}"
        raise
    answer = _page(view, metadata, settings) if form is None else export.one(connection, settings, view, form)
    if not dot:
        answer.headers["vary"] = "Accept"
    paths = {other.media_type: f"/datasets/{view.key}.{other.suffix}" for other in FORMATS}
    answer.headers["link"] = export.alternates(paths)
    return answer


class Toggles:
    """Addresses of the same search with one thing changed."""

    def __init__(self, request: Request) -> None:

        self._given = [(n, v) for n, v in request.query_params.multi_items() if v and n != "page"]

    def facet(self, name: str, value: str) -> str:
        """With a value of a facet chosen, or no longer."""
        wanted = folded(value)
        kept = [(n, v) for n, v in self._given if n != name or folded(BY_NAME[name].wanted(v)) != wanted]
        return "/?" + urlencode(kept if len(kept) < len(self._given) else [*kept, (name, value)])

    def page(self, number: int) -> str:
        """Another page."""
        return "/?" + urlencode([*self._given, ("page", number)])


def _negotiated(accept: str | None) -> Form | None:
    """A format, or None for a page."""
    chosen = accepted(accept, offers(html=True))
    if chosen is None:
        raise export.not_acceptable([HTML, *(form.media_type for form in FORMATS)])
    return None if chosen == HTML else form_of(chosen)


def _page(view: DatasetView, metadata: Dataset, settings: Settings) -> Response:
    paths = {form: f"/datasets/{view.key}.{form.suffix}" for form in FORMATS}
    return _render("dataset.html", settings, settings.language, view=view, dataset=metadata, formats=paths)


def _render(name: str, settings: Settings, language: str, **context: Any) -> Response:
    body = _PAGES.get_template(name).render(settings=settings, language=language, **context)
    return HTMLResponse(body)
