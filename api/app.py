"""`create_app`: one application over one catalogue; endpoints are `def`, they run in FastAPI's thread pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.staticfiles import StaticFiles

from api import (
    agents,
    codes,
    datasets,
    dumps,
    errors,
    export,
    figures,
    health,
    held,
    history,
    identity,
    linking,
    managing,
    metrics,
    quality,
    reconcile,
    rehearsing,
    runs,
    sources,
    spaces,
    vocabularies,
)
from api.auth import reader
from api.headers import Bounded, Compression, Headers
from api.pages import figures as figure_pages
from api.pages import linking as linking_pages
from api.pages import operating, reconciling
from api.pages import quality as quality_pages
from api.pages import router as pages
from api.pages.rendering import STATIC
from harvester import __version__
from harvester.catalogue.database import open_engine
from harvester.search import open_index
from harvester.settings import Settings

DESCRIPTION = """\
One catalogue of the datasets that many open-data portals list: searched as JSON, taken away as DCAT-AP 3.

Every error is a problem document (RFC 9457, `application/problem+json`) with a stable `code`.
Lists are read in pages; follow `next` until it is absent.
"""
EXPOSED = ("Link", "ETag", "Content-Profile", "Accept-Ranges", "Content-Range")
TAGS = [
    {"name": "search", "description": "Find datasets by words, place, period and facets."},
    {"name": "datasets", "description": "One dataset: its metadata, the records behind it, their raw payloads."},
    {"name": "dcat-ap", "description": "The catalogue and its datasets as RDF (DCAT-AP 3), with content negotiation."},
    {"name": "dumps", "description": "Whole parts of the catalogue as compressed files."},
    {"name": "reconciliation", "description": "Whether everything of a source arrived at another, record by record."},
    {"name": "quality", "description": "Metadata quality as data.europa.eu assesses it (MQA), and the way up."},
    {"name": "links", "description": "Whether the addresses of distributions lead to what was promised."},
    {"name": "identity", "description": "Why records are one dataset, and what people decide of it."},
    {"name": "agents", "description": "Publishers, each one agent across portals, and why."},
    {"name": "figures", "description": "Key figures: what there is, how it grows, whether it is fresh."},
    {"name": "spaces", "description": "Named parts of the catalogue, each with its search and its exports."},
    {"name": "sources", "description": "The portals that are harvested, and how their last run went."},
    {"name": "runs", "description": "Every run with its counters, problems and changes."},
    {"name": "administration", "description": "Changing sources and runs: with a token (`harvester token create`)."},
    {"name": "problem codes", "description": "What each code of an error or problem means, and what to do."},
    {"name": "vocabularies", "description": "What portals wrote that stands for no known concept."},
    {"name": "health", "description": "For load balancers and monitoring."},
]

# What the application is made of, in the order in which paths are looked for: the API, then the pages.
_MODULES = (
    datasets,
    identity,
    agents,
    spaces,
    sources,
    runs,
    held,
    history,
    managing,
    rehearsing,
    codes,
    vocabularies,
    export,
    dumps,
    health,
    figures,
    linking,
    quality,
    reconcile,
    metrics,
)
_PAGES = (operating.router, linking_pages.router, quality_pages.router, figure_pages.router, reconciling.router, pages)


def from_environment() -> FastAPI:
    """The application of the settings in the environment, for servers that call a factory."""
    return create_app(Settings())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.engine.dispose()


def _described(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


def create_app(settings: Settings) -> FastAPI:
    """The application over the catalogue that `settings` name; its tables must be migrated already."""
    app = FastAPI(
        title=settings.title,
        version=__version__,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        # Both load their scripts from elsewhere; our own page needs no other host.
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        # Ours is: as private as the rest.
        openapi_url=None,
    )
    app.state.settings = settings
    app.state.engine = open_engine(settings)
    app.state.index = open_index(settings)
    errors.install(app)
    for router in (*(module.router for module in _MODULES), *_PAGES):
        app.include_router(router, dependencies=[Depends(reader)])
    app.add_api_route("/openapi.json", _described, include_in_schema=False, dependencies=[Depends(reader)])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Bounded)
    app.add_middleware(Compression, minimum_size=1_000)
    # Open data: any page may read it; nothing here depends on cookies.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], expose_headers=EXPOSED)
    metrics.install(app)
    app.add_middleware(Headers)
    return app
