"""Plain pages rendered on the server, for people: no script, everything escaped."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi import Path as FromPath
from fastapi.responses import Response
from sqlalchemy import Connection

from api import export
from api import spaces as listing
from api.asking import VARY, OfQuality, Wish, chosen, negotiated_page, space_named
from api.datasets import facets, visible
from api.deps import PATIENCE, Asked, Database, Reading, Searching, The
from api.errors import ProblemError, documented
from api.formats import FORMATS, HTML, Form
from api.links import link
from api.pages.rendering import render
from harvester import spaces
from harvester.catalogue.queries import DatasetView
from harvester.links import reports
from harvester.model import Dataset
from harvester.rdf.profiles import PROFILES
from harvester.search import SearchRequest, refresh
from harvester.search.filters import BY_NAME, FILTERS
from harvester.search.schema import folded
from harvester.settings import Settings

PAGE = Form("html", HTML, "HTML", "<!doctype html>…")
router = APIRouter()
# So many faulty links are shown of a dataset; the report of the source has all of them.
LINKS = 50
Name = Annotated[str, FromPath(description="Public key, with or without a suffix.", examples=["k3vxq2m5dzr7ttq5.ttl"])]


@router.get("/", include_in_schema=False)
def home(request: Request, asked: Asked, index: Searching, connection: Reading, settings: The) -> Response:
    """The search, with its results and facets."""
    found = index.search(asked)
    last = max(1, -(-found.total // asked.size))
    inside = request.query_params.get("space")
    kept = [
        (name, value) for name, value in request.query_params.multi_items() if value and name in (*BY_NAME, "space")
    ]
    context = {
        "asked": asked,
        "found": found,
        "facets": facets(connection, found),
        "toggles": Toggles(request),
        "last": last,
        "hidden": kept,
        "space": spaces.named(connection, inside) if inside else None,
        "others": [item for item in FILTERS if item.kind != "facet"],
    }
    return render("home.html", settings, asked.language or settings.language, **context)


@router.get("/spaces", include_in_schema=False)
def all_spaces(engine: Database, index: Searching, settings: The, after: str = "") -> Response:
    """Every space, by name."""
    found = listing.page(engine, after)
    refresh(engine, index, wait=PATIENCE)
    shown = [listing.shown(space, index, settings) for space in found]
    following = link("/spaces", after=found[-1].name) if len(found) == listing.MOST else None
    return render("spaces.html", settings, settings.language, spaces=shown, next=following)


@router.get("/spaces/{name}", include_in_schema=False)
def one_space(name: str, engine: Database, index: Searching, settings: The) -> Response:
    """What it is, the search inside it, what changed last, and its exports."""
    with engine.connect() as connection:
        space = space_named(connection, name)
    refresh(engine, index, wait=PATIENCE)
    newest = index.search(SearchRequest(sort="-modified", size=10, within=(space.scope,)))
    context = {"space": listing.shown(space, index, settings), "newest": newest.hits, "formats": FORMATS}
    answer = render("space.html", settings, settings.language, **context, profiles=PROFILES.values())
    paths = {form.media_type: link(f"/catalog.{form.suffix}", space=name) for form in FORMATS}
    answer.headers["link"] = export.alternates(paths)
    return answer


@router.get("/docs", include_in_schema=False)
def docs(request: Request, settings: The) -> Response:
    """Every endpoint with its parameters, for people; made from the same description as `/openapi.json`."""
    described = request.app.openapi()
    context = {"paths": described["paths"], "about": described["info"]["description"]}
    return render("docs.html", settings, settings.language, **context)


@router.get(
    "/datasets/{name}",
    tags=["dcat-ap"],
    responses=documented(404, 406, 410)
    | {200: {"content": {form.media_type: {"example": form.example} for form in (*FORMATS, PAGE)}}},
    response_class=Response,
    summary="One dataset as RDF or as a page",
)
def dataset(
    name: Name, request: Request, connection: Reading, settings: The, profile: Wish = None, quality: OfQuality = False
) -> Response:
    """In the format of the suffix (`KEY.ttl`, `.rdf`, `.jsonld` ...), else in the one that `Accept` asks for."""
    key, dot, suffix = name.partition(".")
    page = not dot and negotiated_page(request) is None
    choice = None if page else chosen(request, suffix, profile, quality)
    try:
        view, metadata = visible(connection, key)
    except ProblemError as error:
        if error.status == 308:
            query = f"?{request.url.query}" if request.url.query else ""
            error.headers["location"] = f"/datasets/{error.facts['merged_into']}{dot}{suffix}{query}"
        raise
    if choice is not None:
        return export.one(request, connection, settings, view, choice)
    answer = _page(view, metadata, settings, connection)
    paths = {other.media_type: f"/datasets/{view.key}.{other.suffix}" for other in FORMATS}
    answer.headers.update({"vary": VARY, "link": export.alternates(paths)})
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


def _page(view: DatasetView, metadata: Dataset, settings: Settings, connection: Connection) -> Response:
    paths = {form: f"/datasets/{view.key}.{form.suffix}" for form in FORMATS}
    given: dict[int, list[str]] = {}
    for field, record_id in view.fields.items():
        given.setdefault(record_id, []).append(field)
    original = next((record.source_title for record in view.records if record.id == view.original), None)
    links = reports.of_dataset(connection, view.id, LINKS, settings.language)
    facts = {"links": links, "view": view, "dataset": metadata, "formats": paths, "given": given, "original": original}
    return render("dataset.html", settings, settings.language, **facts)
