"""The catalogue and its datasets as DCAT-AP: pages along the immutable ascending id, negotiation, caching."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection

from api.deps import Database, Reading, The
from api.errors import ProblemError, documented, missing
from api.formats import BY_SUFFIX, FORMATS, Form, accepted, form_of, offers
from api.links import link
from api.runs import OfSource, source_row
from harvester import __version__
from harvester import export as dcat
from harvester.catalogue import queries
from harvester.catalogue.queries import DatasetView
from harvester.rdf.catalogue import page
from harvester.rdf.entries import Paging
from harvester.rdf.serialise import serialise
from harvester.settings import Settings

router = APIRouter(tags=["dcat-ap"])
LARGEST = 500
# A change is dated before its transaction commits: a younger date could hide a change of the same moment.
SETTLED = timedelta(minutes=1)
PageNumber = Annotated[int, Query(ge=1, le=10_000_000, description="Page, from 1.", examples=[1])]
Suffix = Annotated[str, Path(description="`ttl`, `rdf`, `jsonld` or `nt`.", examples=["ttl"])]
PageSize = Annotated[int, Query(ge=1, le=LARGEST, description="Datasets per page.", examples=[100])]
RDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page of the catalogue",
        "content": {form.media_type: {"example": form.example} for form in FORMATS},
    },
    304: {"description": "Not modified since the ETag or date given"},
}


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the catalogue is asked for, and how much there is."""

    page: int
    size: int
    total: int
    source: str | None = None
    source_id: int | None = None

    @property
    def last(self) -> int:
        """The number of the last page; an empty catalogue has one."""
        return max(1, -(-self.total // self.size))

    def path(self, suffix: str, page: int) -> str:
        """The address of another page, or of this one in another format."""
        return link(f"/catalog.{suffix}" if suffix else "/catalog", page=page, page_size=self.size, source=self.source)


@router.get("/catalog", responses=RDF | documented(404, 406), response_class=Response, summary="The catalogue as RDF")
def negotiated(
    request: Request,
    connection: Reading,
    settings: The,
    page: PageNumber = 1,
    page_size: PageSize = 100,
    source: OfSource = None,
) -> Response:
    """In the format that the `Accept` header asks for; Turtle when it has no wish."""
    form = wanted(request.headers.get("accept"))
    answer = _page(request, connection, settings, form, _part(connection, page, page_size, source))
    answer.headers["vary"] = "Accept"
    return answer


@router.get(
    "/catalog.{suffix}", responses=RDF | documented(404), response_class=Response, summary="The catalogue in one format"
)
def suffixed(
    suffix: Suffix,
    request: Request,
    connection: Reading,
    settings: The,
    page: PageNumber = 1,
    page_size: PageSize = 100,
    source: OfSource = None,
) -> Response:
    """`ttl`, `rdf`, `jsonld` or `nt`; pages are linked as Hydra says and in the `Link` header."""
    return _page(request, connection, settings, known(suffix), _part(connection, page, page_size, source))


@router.get(
    "/export.{suffix}", responses=RDF | documented(404), response_class=Response, summary="The whole catalogue at once"
)
def whole(suffix: Suffix, engine: Database, settings: The, source: OfSource = None) -> Response:
    """Streamed, of any size; what changes meanwhile may be in it or not. For one state of all, walk `/catalog`."""
    form = known(suffix)
    # Not the transaction of the request: it would stay open as long as the stream.
    with engine.connect() as connection:
        source_id = None if source is None else int(source_row(connection, source).id)
    body = dcat.stream(engine, settings, form.suffix, source_id)
    name = f'attachment; filename="catalogue.{form.suffix}"'
    return StreamingResponse(body, media_type=form.media_type, headers={"content-disposition": name})


def wanted(accept: str | None) -> Form:
    """The format an `Accept` header asks for.  Raises `ProblemError` 406 with what is offered."""
    chosen = accepted(accept, offers())
    form = form_of(chosen) if chosen else None
    if form is None:
        raise not_acceptable([form.media_type for form in FORMATS])
    return form


def not_acceptable(offered: list[str]) -> ProblemError:
    """406 that names what there is."""
    detail = f"offered are {', '.join(offered)}"
    return ProblemError(406, "not-acceptable", detail, headers={"vary": "Accept"}, offered=offered)


def known(suffix: str) -> Form:
    """The format of a suffix.  Raises `ProblemError` 404."""
    if suffix not in BY_SUFFIX:
        raise missing("format", suffix)
    return BY_SUFFIX[suffix]


def one(connection: Connection, settings: Settings, view: DatasetView, form: Form) -> Response:
    """One dataset in one format: as on a page of the catalogue, with its records."""
    entries = [found for found in [dcat.entry(settings, view)] if found]
    triples = page(dcat.info(settings, queries.last_change_at(connection)), entries)
    return Response(serialise(triples, form.suffix), media_type=form.media_type)


def alternates(paths: Mapping[str, str]) -> str:
    """The other formats of a thing, for the `Link` header."""
    return ", ".join(f'<{path}>; rel="alternate"; type="{media_type}"' for media_type, path in paths.items())


def _part(connection: Connection, page: int, size: int, source: str | None) -> Part:
    source_id = None if source is None else int(source_row(connection, source).id)
    part = Part(page, size, queries.visible_count(connection, source_id), source, source_id)
    if page > part.last:
        raise missing("page", page)
    return part


def _page(request: Request, connection: Connection, settings: Settings, form: Form, part: Part) -> Response:
    headers = _headers(connection, settings, form, part)
    if _unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    views = queries.visible_offset(connection, (part.page - 1) * part.size, part.size, part.source_id)
    entries = [found for view in views if (found := dcat.entry(settings, view))]
    triples = page(dcat.info(settings, queries.last_change_at(connection)), entries, _paging(settings, form, part))
    return Response(serialise(triples, form.suffix), media_type=form.media_type, headers=headers)


def _paging(settings: Settings, form: Form, part: Part) -> Paging:
    def address(number: int) -> str | None:
        found = 1 <= number <= part.last
        return f"{dcat.root(settings)}{part.path(form.suffix, number)}" if found else None

    return Paging(
        iri=address(part.page) or "",
        total=part.total,
        page_size=part.size,
        first=address(1) or "",
        last=address(part.last) or "",
        previous=address(part.page - 1),
        next=address(part.page + 1),
    )


def _headers(connection: Connection, settings: Settings, form: Form, part: Part) -> dict[str, str]:
    """ETag and date change with the log of changes, and with whatever else stands in the page."""
    sources = [(row.name, row.title, row.url) for row in queries.source_list(connection)]
    told = (__version__, queries.last_change(connection), part, form.suffix, settings.model_dump(mode="json"), sources)
    headers = {
        "etag": f'W/"{blake2b(repr(told).encode("utf-8", "replace"), digest_size=12).hexdigest()}"',
        "cache-control": "no-cache",
        "link": ", ".join(_links(form, part)),
    }
    changed = queries.last_change_at(connection)
    if changed is not None and changed < datetime.now(UTC) - SETTLED:
        headers["last-modified"] = format_datetime(changed.replace(microsecond=0), usegmt=True)
    return headers


def _links(form: Form, part: Part) -> list[str]:
    pages = {"first": 1, "prev": part.page - 1, "next": part.page + 1, "last": part.last}
    found = [f'<{part.path(form.suffix, n)}>; rel="{rel}"' for rel, n in pages.items() if 1 <= n <= part.last]
    others = {other.media_type: part.path(other.suffix, part.page) for other in FORMATS if other is not form}
    return [*found, alternates(others)]


def _unchanged(request: Request, headers: dict[str, str]) -> bool:
    """RFC 9110, section 13.2.2: the ETag decides where there is one, the date only without."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        bare = headers["etag"].removeprefix("W/")
        return tags.strip() == "*" or bare in {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    since = request.headers.get("if-modified-since")
    if since is None or "last-modified" not in headers:
        return False
    try:
        return parsedate_to_datetime(headers["last-modified"]) <= parsedate_to_datetime(since)
    except (ValueError, TypeError):
        return False
