"""`create_app`: one application over one catalogue; endpoints are `def`, they run in FastAPI's thread pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from api import (
    codes,
    datasets,
    dumps,
    errors,
    export,
    health,
    held,
    history,
    managing,
    metrics,
    runs,
    sources,
    spaces,
    vocabularies,
)
from api.auth import reader
from api.headers import Bounded, Compression, Headers
from api.pages import operating
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
    {"name": "spaces", "description": "Named parts of the catalogue, each with its search and its exports."},
    {"name": "sources", "description": "The portals that are harvested, and how their last run went."},
    {"name": "runs", "description": "Every run with its counters, problems and changes."},
    {"name": "administration", "description": "Changing sources and runs: with a token (`harvester token create`)."},
    {"name": "problem codes", "description": "What each code of an error or problem means, and what to do."},
    {"name": "vocabularies", "description": "What portals wrote that stands for no known concept."},
    {"name": "health", "description": "For load balancers and monitoring."},
]


def from_environment() -> FastAPI:
    """The application of the settings in the environment, for servers that call a factory."""
    return create_app(Settings())


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.engine.dispose()


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
    )
    app.state.settings = settings
    app.state.engine = open_engine(settings)
    app.state.index = open_index(settings)
    errors.install(app)
    modules = (datasets, spaces, sources, runs, held, history, managing, codes, vocabularies, export, dumps, health)
    for router in (*(module.router for module in (*modules, metrics)), operating.router, pages):
        app.include_router(router, dependencies=[Depends(reader)])
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Bounded)
    app.add_middleware(Compression, minimum_size=1_000)
    # Open data: any page may read it; nothing here depends on cookies.
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET"], expose_headers=EXPOSED)
    metrics.install(app)
    app.add_middleware(Headers)
    return app
