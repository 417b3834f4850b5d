"""What endpoints are given: settings, a read transaction, the index; and the search request read from the URL."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Query, Request
from sqlalchemy import Connection, Engine

from harvester import spaces
from harvester.errors import UsageError
from harvester.search import Index, Scope, SearchRequest
from harvester.search.base import LARGEST_PAGE, SORTS
from harvester.search.filters import FACETS, FILTERS
from harvester.settings import Settings


def settings(request: Request) -> Settings:
    """The settings of this application."""
    found: Settings = request.app.state.settings
    return found


def engine(request: Request) -> Engine:
    """The database of this application."""
    found: Engine = request.app.state.engine
    return found


def index(request: Request) -> Index:
    """The search index of this application, opened once."""
    found: Index = request.app.state.index
    return found


def connection(engine: Annotated[Engine, Depends(engine)]) -> Iterator[Connection]:
    """One read transaction per request: every query of it sees the same catalogue, whatever a run writes meanwhile."""
    with engine.connect() as opened:
        if engine.dialect.name == "postgresql":
            opened = opened.execution_options(isolation_level="REPEATABLE READ")
        yield opened


# Seconds a request waits for the index while something else writes it: threads are few.
PATIENCE = 5.0

# For endpoints that have something to do before their transaction begins.
reading = contextmanager(connection)

The = Annotated[Settings, Depends(settings)]
Database = Annotated[Engine, Depends(engine)]
Reading = Annotated[Connection, Depends(connection)]
Searching = Annotated[Index, Depends(index)]

DatasetKey = Annotated[
    str,
    Path(description="Public key of the dataset.", max_length=64, examples=["k3vxq2m5dzr7ttq5"]),
]
# SQLite and PostgreSQL count in 64 bits.
Number = Annotated[int, Path(description="Its number.", ge=1, lt=1 << 63, examples=[42])]
After = Annotated[int, Query(ge=0, lt=1 << 63, description="Continue after this number (exclusive).", examples=[0])]
Limit = Annotated[int, Query(ge=1, le=500, description="How many to answer at most.", examples=[100])]
Language = Annotated[
    str,
    Query(
        description="Language of labels and pages, as a BCP 47 tag; empty for the catalogue's own.",
        pattern="^([A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)?$",
        examples=["en"],
    ),
]

_RAW = Annotated[
    str,
    Query(
        description='Words to find; `"a phrase"` wants it whole, `-word` excludes. Any text is a valid query.',
        examples=['accidents "circulation routière" -vélo'],
    ),
]
_SORT = Annotated[
    Literal["relevance", "-modified", "modified", "-issued", "title"],
    Query(description="; ".join(f"`{name}`: {meaning}" for name, meaning in SORTS.items())),
]
_PAGE = Annotated[int, Query(ge=1, le=10_000, description="Page of the results, from 1.")]
_SIZE = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Results per page.")]
_FACETS = Annotated[
    str,
    Query(description="Facets to count, separated by commas; empty for none.", examples=["theme,format"]),
]
_SPACE = Annotated[str, Query(description="Only in this space, by name.", max_length=100, examples=["culture"])]
_FACET_SIZE = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Values per facet.")]
DEFAULT_FACETS = "source,publisher,theme,format,licence,language,access_rights,hvd"

# The parameters of a search that are no filters, in the order of the documentation.
PLAIN: dict[str, tuple[Any, Any]] = {
    "q": (_RAW, ""),
    "page": (_PAGE, 1),
    "size": (_SIZE, 20),
    "sort": (_SORT, "relevance"),
    "facets": (_FACETS, DEFAULT_FACETS),
    "facet_size": (_FACET_SIZE, 20),
    "lang": (Language, ""),
    "space": (_SPACE, ""),
}


def _reader() -> Callable[..., SearchRequest]:
    """The dependency that reads a search from the URL; its parameters come from the table of filters."""

    def read(request: Request, **given: Any) -> SearchRequest:
        for name in request.query_params:
            if name not in given:
                raise UsageError(f"there is no parameter {name[:100]!r}", code="unknown-parameter", field=name[:100])
        return SearchRequest(
            q=given["q"],
            filters={item.name: _listed(given[item.name]) for item in FILTERS if given[item.name]},
            sort=given["sort"],
            page=given["page"],
            size=given["size"],
            facets=[name.strip() for name in given["facets"].split(",") if name.strip()],
            facet_size=given["facet_size"],
            language=given["lang"].lower(),
            within=_within(request, given["space"]),
        )

    asked = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Request)
    read.__signature__ = inspect.Signature([asked, *_parameters()])  # type: ignore[attr-defined]
    return read


def _within(request: Request, space: str) -> tuple[Scope, ...]:
    if not space:
        return ()
    with engine(request).connect() as opened:
        return (spaces.named(opened, space).scope,)


def _parameters() -> Iterator[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    for name, (annotation, default) in PLAIN.items():
        yield inspect.Parameter(name, keyword, annotation=annotation, default=default)
    for item in FILTERS:
        several = item in FACETS
        about = f"{item.description} Repeat it for several: any of them will do." if several else item.description
        query = Query(title=item.title, description=about, examples=[[item.example] if several else item.example])
        kind = list[str] if several else str
        yield inspect.Parameter(item.name, keyword, annotation=Annotated[kind, query], default=[] if several else "")


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


Asked = Annotated[SearchRequest, Depends(_reader())]
