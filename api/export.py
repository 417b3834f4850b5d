"""The catalogue and its datasets as DCAT-AP: pages along the immutable ascending key, negotiation, caching."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection, Engine

from api import caching
from api.asking import VARY, AfterId, Choice, OfPart, PageSize, Part, Since, Suffix, Until, asked, chosen, moment
from api.deps import PATIENCE, Database, Searching, The, reading
from api.errors import ProblemError, documented
from api.formats import FORMATS
from harvester import export as dcat
from harvester.catalogue import queries, walking
from harvester.catalogue.queries import DatasetView
from harvester.errors import UsageError
from harvester.links import statuses
from harvester.quality.dqv import measuring
from harvester.rdf.entries import CatalogueInfo, Paging
from harvester.rdf.export import page
from harvester.rdf.profiles import Profile
from harvester.search import Index
from harvester.settings import Settings
from harvester.streams import stream
from harvester.views import Reader, View, follow

router = APIRouter(tags=["dcat-ap"])
# A change is dated when its transaction writes it and seen when that commits; no batch of a run takes so long.
LATE = timedelta(minutes=10)
RDF: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page of the catalogue",
        "content": {form.media_type: {"example": form.example} for form in FORMATS},
    },
    304: {"description": "Not modified since the ETag or date given"},
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk stands: after which key, how many a page, since when, and until when it is complete."""

    after: int
    size: int
    since: datetime | None
    until: datetime


def _place(after: AfterId = 0, page_size: PageSize = 100, modified_since: Since = None, until: Until = None) -> Place:
    latest = datetime.now(UTC) - LATE
    given = moment("until", until)
    return Place(after, page_size, moment("modified_since", modified_since), min(given or latest, latest))


OfPlace = Annotated[Place, Depends(_place)]


@dataclass(frozen=True, slots=True)
class At:
    """What an answer is read from."""

    engine: Engine
    index: Index
    settings: Settings


def _at(engine: Database, index: Searching, settings: The) -> At:
    return At(engine, index, settings)


There = Annotated[At, Depends(_at)]


@router.get(
    "/catalog", responses=RDF | documented(404, 406, 410), response_class=Response, summary="The catalogue as RDF"
)
def negotiated(request: Request, part: OfPart, place: OfPlace, at: There) -> Response:
    """In the format and profile that `Accept` and `Accept-Profile` ask for; Turtle and DCAT-AP 3 without a wish.

    Pages are linked as Hydra says and in the `Link` header: whoever follows `next` sees every dataset that is in the
    catalogue throughout exactly once, whatever is harvested meanwhile. `rel="monitor"` is the address of what
    changes after this walk.

    With `modified_since`, whatever changed and does not lie in the part is marked as deleted from it. 410 when the
    space itself was changed since then: walk it again without `modified_since`. `totalItems` counts the datasets in
    the answer; it is left out where they would have to be read to be counted.
    """
    return _catalogue(request, "", part, place, at)


@router.get(
    "/catalog.{suffix}",
    responses=RDF | documented(404, 406, 410),
    response_class=Response,
    summary="The catalogue in one format",
)
def suffixed(suffix: Suffix, request: Request, part: OfPart, place: OfPlace, at: There) -> Response:
    """As `/catalog`, whatever the `Accept` header says."""
    return _catalogue(request, suffix, part, place, at)


@router.get(
    "/export.{suffix}", responses=RDF | documented(404, 406), response_class=Response, summary="Everything at once"
)
def whole(suffix: Suffix, request: Request, part: OfPart, at: There) -> Response:
    """Streamed, of any size; what changes meanwhile may be in it or not. `/dumps` has the same ready and compressed."""
    _only(request, _PART)
    choice = chosen(request, suffix, part.profile, part.quality)
    # Not the transaction of the request: it would stay open as long as the stream.
    with at.engine.connect() as connection:
        view = asked(connection, at.settings, part, choice.profile)
    body = stream(at.engine, at.index, at.settings, view, choice.form.suffix, choice.profile, choice.quality)
    name = f'attachment; filename="catalogue.{choice.form.suffix}"'
    headers = {"content-disposition": name, **_profiled(choice.profile), "vary": VARY}
    return StreamingResponse(body, media_type=choice.form.media_type, headers=headers)


def one(request: Request, connection: Connection, settings: Settings, view: DatasetView, choice: Choice) -> Response:
    """One dataset in one format: as on a page of the catalogue, with its records, and as there without a date."""
    base = f"/datasets/{view.key}"
    told = (
        choice.form.suffix,
        choice.profile.name,
        walking.state(connection, [view.id]),
        *_links_of(connection, choice, [view.id]),
    )
    headers = {
        "etag": caching.etag(settings, *told, _sources(connection, [view.id])),
        "cache-control": "no-cache",
        "link": ", ".join([_canonical(settings, base), *_alternates(choice, base), _profile_link(choice.profile)]),
        "vary": VARY,
        **_profiled(choice.profile),
    }
    if caching.unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    found = _measured(connection, choice, [view.id], dcat.entries(connection, settings, [view.id]))
    body = _written(connection, dcat.info(settings), found, None, choice)
    return Response(body, media_type=choice.form.media_type, headers=headers)


def alternates(paths: Mapping[str, str]) -> str:
    """The formats of a thing, for the `Link` header."""
    return ", ".join(f'<{path}>; rel="alternate"; type="{media_type}"' for media_type, path in paths.items())


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of a view: its ids, where it stands, and its addresses in the chosen form."""

    view: View
    choice: Choice
    place: Place
    ids: list[int]
    total: int | None
    starts: Mapping[str, int]

    def path(self, after: int, choice: Choice | None = None) -> str:
        """The address of another page, or of this one in another format."""
        place = self.place
        return (choice or self.choice).path(
            "/catalog",
            after=after or None,
            page_size=place.size,
            **dict(self.view.parameters),
            modified_since=place.since and dcat.canonical(place.since),
            until=dcat.canonical(place.until) if place.since and after else None,
        )

    def following(self) -> str:
        """The address of what changes after this walk."""
        until = dcat.canonical(self.place.until)
        parameters = {"page_size": self.place.size, **dict(self.view.parameters), "modified_since": until}
        return self.choice.path("/catalog", **parameters)


_PART = ("source", "publisher", "space", "hvd", "profile", "quality")
_PLACE = ("after", "page_size", "modified_since", "until")


def _only(request: Request, names: tuple[str, ...]) -> None:
    """A parameter that does nothing is a mistake: `page=2` would lead in circles."""
    for name in request.query_params:
        if name not in names:
            raise UsageError(f"there is no parameter {name[:100]!r}", code="unknown-parameter", field=name[:100])


def _catalogue(request: Request, suffix: str, part: Part, place: Place, at: At) -> Response:
    _only(request, _PART + _PLACE)
    choice = chosen(request, suffix, part.profile, part.quality)
    with at.engine.connect() as connection:
        view = asked(connection, at.settings, part, choice.profile).since(place.since)
    _still_defined(view)
    # Before the transaction of the page begins: the index is never older than what that sees.
    follow(at.engine, at.index, view, PATIENCE)
    with reading(at.engine) as connection:
        return _answer(request, at, connection, view, choice, place)


def _still_defined(view: View) -> None:
    """Raises `ProblemError` 410 when the part became another one: what left it then has not changed itself."""
    since = view.stretch.since
    if since is not None and view.defined_at is not None and view.defined_at >= since:
        changed = dcat.canonical(view.defined_at)
        detail = f"the space was changed at {changed}: walk it again without modified_since"
        raise ProblemError(410, "space-changed", detail, changed_at=changed)


def _answer(request: Request, at: At, connection: Connection, view: View, choice: Choice, place: Place) -> Response:
    reader = Reader(connection, at.index, view)
    found = _read(reader, view, choice, place)
    headers = _headers(connection, at.settings, found)
    if caching.unchanged(request, headers):
        return Response(status_code=304, headers=headers)
    info = _modified(view, place, queries.last_change_at(connection))
    items = _measured(connection, choice, found.ids, reader.items(at.settings, found.ids))
    body = _written(connection, info, items, _paging(at.settings, found), choice)
    return Response(body, media_type=choice.form.media_type, headers=headers)


def _read(reader: Reader, view: View, choice: Choice, place: Place) -> _Page:
    ids, following = reader.ids(place.after, place.size)
    # A profile that leaves datasets out has to read one to know: any number would be a false one.
    total = None if choice.profile.only_hvd else reader.total()
    starts = {"first": 0} if choice.profile.only_hvd else {"first": 0, "last": reader.last(place.size)}
    for name, start in (("previous", reader.before(place.after, place.size)), ("next", following)):
        if start is not None:
            starts[name] = start
    return _Page(view, choice, place, ids, total, starts)


def _modified(view: View, place: Place, newest: datetime | None) -> CatalogueInfo:
    """Of what changed, the instant until which it is complete; of everything, the last change."""
    changed = place.until if place.since else None if view.parameters else newest
    if changed is None:
        return view.info
    return replace(view.info, about=view.info.about.model_copy(update={"modified": dcat.canonical(changed)}))


def _written(
    connection: Connection, info: CatalogueInfo, items: list[Any], paging: Paging | None, choice: Choice
) -> bytes:
    return page(
        info, items, paging, choice.form.suffix, choice.profile, known=lambda iris: dcat.known(connection, iris)
    )


def _measured(connection: Connection, choice: Choice, ids: list[int], items: list[Any]) -> list[Any]:
    return list(map(measuring(connection, ids), items)) if choice.quality else items


def _links_of(connection: Connection, choice: Choice, ids: list[int]) -> list[object]:
    """What measurements change with besides the datasets: how their links answer."""
    if not choice.quality:
        return []
    found = statuses(connection, ids)
    return [(one, sorted((link, each.state, each.status) for link, each in found[one].known.items())) for one in ids]


def _paging(settings: Settings, found: _Page) -> Paging:
    pages = {name: f"{dcat.root(settings)}{found.path(after)}" for name, after in found.starts.items()}
    return Paging(
        iri=f"{dcat.root(settings)}{found.path(found.place.after)}",
        total=found.total,
        page_size=found.place.size,
        first=pages["first"],
        last=pages.get("last"),
        previous=pages.get("previous"),
        next=pages.get("next"),
    )


def _headers(connection: Connection, settings: Settings, found: _Page) -> dict[str, str]:
    """The tag changes with the datasets of the page, their sources, and where the page stands among the others.

    No date does: what a source says of itself has none.
    """
    choice, place = found.choice, found.place
    part = (found.view.parameters, found.view.scopes)
    standing = (part, found.total, dict(found.starts), place.after, place.size, place.since)
    told = (
        *standing,
        choice.form.suffix,
        choice.suffix,
        choice.profile.name,
        *_links_of(connection, choice, found.ids),
    )
    around = (_sources(connection, found.ids), found.view.info.about.plain(), found.ids)
    return {
        "etag": caching.etag(settings, told, walking.state(connection, found.ids), around),
        "cache-control": "no-cache",
        "link": ", ".join(_links(settings, found)),
        "vary": VARY,
        **_profiled(choice.profile),
    }


def _links(settings: Settings, found: _Page) -> Iterator[str]:
    names = {"first": "first", "previous": "prev", "next": "next", "last": "last"}
    for name, rel in names.items():
        if name in found.starts:
            yield f'<{found.path(found.starts[name])}>; rel="{rel}"'
    here = replace(found.choice, suffix="", named=None)
    yield f'<{dcat.root(settings)}{found.path(found.place.after, here)}>; rel="canonical"'
    others = [form for form in FORMATS if form is not found.choice.form]
    paths = {o.media_type: found.path(found.place.after, replace(found.choice, suffix=o.suffix)) for o in others}
    yield alternates(paths)
    yield f'<{found.following()}>; rel="monitor"'
    yield _profile_link(found.choice.profile)


def _alternates(choice: Choice, base: str) -> Iterator[str]:
    yield alternates({f.media_type: replace(choice, suffix=f.suffix).path(base) for f in FORMATS})


def _canonical(settings: Settings, path: str) -> str:
    return f'<{dcat.root(settings)}{path}>; rel="canonical"'


def _profile_link(profile: Profile) -> str:
    """The IRI of the profile, and the ones that tell its versions apart."""
    return ", ".join(f'<{iri}>; rel="profile"' for iri in _iris(profile))


def _profiled(profile: Profile) -> dict[str, str]:
    """The most telling of its IRIs: versions of DCAT-AP share one."""
    return {"content-profile": f"<{_iris(profile)[-1]}>"}


def _iris(profile: Profile) -> list[str]:
    return list(dict.fromkeys((profile.iri, *(name for name in profile.aliases if "://" in name))))


def _sources(connection: Connection, ids: list[int]) -> list[tuple[object, ...]]:
    rows = walking.sources_of(connection, ids).values()
    return [(row.name, row.title, row.catalogue) for row in rows]
