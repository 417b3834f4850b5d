"""What a run changed, by name and field; what became of a dataset, and what it was at any instant."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field
from sqlalchemy import Engine

from api.asking import moment, not_acceptable
from api.deps import Database, DatasetKey, Limit, Number, Reading
from api.errors import ProblemError, documented, missing
from api.formats import accepted
from api.links import link, with_parameters
from api.runs import run_row
from api.schemas import Shape
from harvester.catalogue import past
from harvester.catalogue.history import SECTIONS
from harvester.catalogue.past import ABSENT, ACTIVE, UNKNOWN
from harvester.history import chronicle
from harvester.history.diffs import FORMS, Line, written

router = APIRouter()
# More fields of one record than this are in the streams alone: one record may have ten thousand keywords.
MOST_FIELDS = 500
_AT = "2026-03-01T12:00:00Z"
_TYPES = {form.media_type.partition(";")[0]: name for name, form in FORMS.items()}
_SUFFIXES = {"csv": "csv", "ndjson": "ndjson", "txt": "text"}
_STREAMS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"example": "action,source,guid,title\r\nretired,paris,accidents-2024,Accidents\r\n"},
            "application/x-ndjson": {"example": '{"action":"retired","guid":"accidents-2024"}\n'},
            "text/plain": {"example": "retired   paris  accidents-2024  Accidents\n"},
        }
    }
}


class FieldOut(Shape):
    """What became of one field of a dataset."""

    path: str = Field(
        description="Field, language or name of the item, and so on inwards.", examples=["distribution[x.csv].license"]
    )
    change: str = Field(description="changed, added, removed or reordered.", examples=["changed"])
    before: Any = Field(
        alias="from",
        description="Null: it was not there.",
        examples=[{"text": "CC BY", "uri": "https://example.org/a"}],
    )
    after: Any = Field(
        alias="to", description="Null: it is not there any more.", examples=[{"text": "ODbL", "uri": None}]
    )
    words: str = Field(description="The same for people.", examples=["distribution 'x.csv', licence: CC BY -> ODbL"])


class LineOut(Shape):
    """What a run did with one record."""

    action: str = Field(description=f"{', '.join(SECTIONS)}; joined and split in histories.", examples=["updated"])
    source: str | None = Field(description="Null: the source is gone.", examples=["paris"])
    guid: str | None = Field(description="Null: it has none, or the source is meant.", examples=["accidents-2024"])
    was: str | None = Field(description="Its identifier before it was renamed.", examples=[None])
    title: str | None = Field(examples=["Accidents de la circulation"])
    dataset: str | None = Field(description="Public key of the dataset.", examples=["k3vxq2m5dzr7ttq5"])
    at: datetime | None = Field(description="Null: of an unchanged or failed one.", examples=[_AT])
    run: int | None = Field(description="Null: made by hand.", examples=[7])
    code: str | None = Field(description="Why it failed, for programs.", examples=[None])
    message: str | None = Field(description="The same for people.", examples=[None])
    changes: list[FieldOut] = Field(description=f"At most {MOST_FIELDS}; the streams have all of them.")
    omitted: int = Field(description="Fields that are not in `changes`.", examples=[0])


class DiffOut(Shape):
    """A page of the diff of a run, grouped by action."""

    counts: dict[str, int] = Field(examples=[{"created": 3, "updated": 17, "retired": 2, "unchanged": 1179}])
    unchanged_named: bool = Field(
        description="Whether the unchanged ones can be listed: until the next run of the source.", examples=[True]
    )
    changes: list[LineOut]
    next: str | None = Field(examples=["/api/runs/7/diff?after=updated-991"])


class HistoryOut(Shape):
    """A page of the history of a dataset, newest first."""

    changes: list[LineOut]
    next: str | None = Field(examples=["/api/datasets/k3vx/history?before=991"])


class PastOut(Shape):
    """A dataset as it was at an instant."""

    id: str = Field(description="Its public key then.", examples=["k3vxq2m5dzr7ttq5"])
    at: datetime = Field(examples=[_AT])
    source: str | None = Field(description="Who said so; null: the source is gone.", examples=["paris"])
    guid: str | None = Field(examples=["accidents-2024"])
    metadata: dict[str, Any] = Field(
        description="As in `/api/datasets/{id}`.", examples=[{"title": {"fr": "Accidents de la circulation"}}]
    )


_OF = f"Only this; repeat it for several: {', '.join(SECTIONS)}. All but unchanged when left out."
Actions = Annotated[list[str], Query(description=_OF, examples=[["updated"]])]
Cursor = Annotated[str, Query(description="What `next` of another page says.", max_length=60, examples=["updated-991"])]
Before = Annotated[int | None, Query(ge=1, lt=1 << 63, description="Continue before this number.", examples=[991])]
Instant = Annotated[str, Path(description="Date or instant.", max_length=60, examples=["2026-01-31T12:00:00Z"])]
Suffix = Annotated[str, Path(description="csv, ndjson or txt.", pattern="^(csv|ndjson|txt)$", examples=["csv"])]


@router.get(
    "/api/runs/{id}/diff",
    tags=["runs"],
    responses=_STREAMS | documented(404, 406),
    response_model=DiffOut,
    summary="What a run changed, field by field",
)
def diff(
    id: Number,
    request: Request,
    connection: Reading,
    engine: Database,
    action: Actions = [],  # noqa: B006
    after: Cursor = "",
    limit: Limit = 100,
) -> Any:
    """Created, updated with what each field was and is, renamed, restored, retired, what would have vanished, failed
    with the reason: by name. In pages as JSON; whole, as a stream, when `Accept` asks for CSV, NDJSON or text.
    """
    wanted = accepted(request.headers.get("accept"), ["application/json", *_TYPES])
    if wanted is None:
        raise not_acceptable(sorted(_TYPES))
    run, actions = run_row(connection, id), chronicle.checked_actions(action)
    if wanted != "application/json":
        return _stream(engine, run, _TYPES[wanted], actions)
    lines, following = chronicle.diff_page(connection, run, actions, after, limit)
    told = chronicle.counts(connection, run)
    more = following and with_parameters(request.url, after=following, limit=limit)
    return DiffOut(
        counts=told.counts, unchanged_named=told.unchanged_named, changes=[_line(line) for line in lines], next=more
    )


@router.get(
    "/api/runs/{id}/diff.{suffix}",
    tags=["runs"],
    responses=_STREAMS | documented(404),
    response_class=Response,
    summary="The whole diff of a run as a file",
)
def diff_file(id: Number, suffix: Suffix, connection: Reading, engine: Database, action: Actions = []) -> Response:  # noqa: B006
    """Streamed, of any size; no cell of the CSV is a formula for a spreadsheet."""
    return _stream(engine, run_row(connection, id), _SUFFIXES[suffix], chronicle.checked_actions(action))


@router.get(
    "/api/datasets/{id}/history",
    tags=["datasets"],
    responses=documented(404),
    summary="What became of a dataset, newest first",
)
def history(id: DatasetKey, connection: Reading, before: Before = None, limit: Limit = 100) -> HistoryOut:
    """Every change of every record behind it, and of the datasets it took in: which run, which field, from what to
    what. Retired datasets have theirs too.
    """
    lines = chronicle.history_page(connection, id, before, limit)
    last = lines[-1].cursor if len(lines) == limit else None
    more = last and link(f"/api/datasets/{id}/history", before=last, limit=limit)
    return HistoryOut(changes=[_line(line) for line in lines], next=more)


@router.get(
    "/api/datasets/{id}/at/{instant}",
    tags=["datasets"],
    responses=documented(404),
    summary="A dataset as it was at an instant",
)
def at(id: DatasetKey, instant: Instant, connection: Reading) -> PastOut:
    """What it showed then: the first of its records that was active. A date means its first second (UTC).

    404 `not-there` when there was no such dataset then, `not-kept` when nothing is kept of that time.
    """
    when = moment("instant", instant)
    found = past.dataset_at(connection, id, when) if when and id.isalnum() else None
    if found is None:
        raise missing("dataset", id)
    if found.status == ACTIVE and found.metadata is not None:
        return PastOut(id=found.key, at=found.at, source=found.source, guid=found.guid, metadata=found.metadata)
    if found.status == UNKNOWN:
        told = "what this dataset was then is not kept"
        raise ProblemError(404, "not-kept", told, known_since=found.known_since)
    told = "it had not been found yet" if found.status == ABSENT else "no source listed it"
    raise ProblemError(404, "not-there", f"there was no such dataset then: {told}")


def _stream(engine: Engine, run: Any, name: str, actions: tuple[str, ...]) -> Response:
    """Not in the transaction of the request: that would stay open as long as the stream."""
    lines = chronicle.diff_lines(engine, run, actions)
    suffix = next((suffix for suffix, form in _SUFFIXES.items() if form == name), name)
    headers = {"content-disposition": f'attachment; filename="run-{run.id}.{suffix}"', "vary": "Accept"}
    return StreamingResponse(written(lines, name), media_type=FORMS[name].media_type, headers=headers)


def _line(line: Line) -> LineOut:
    changes = [FieldOut.model_validate({**f.plain(), "words": f.words}) for f in line.fields[:MOST_FIELDS]]
    about = {name: getattr(line, name) for name in LineOut.model_fields if name not in ("changes", "omitted")}
    return LineOut(**about, changes=changes, omitted=max(0, len(line.fields) - MOST_FIELDS))
