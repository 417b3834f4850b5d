"""Search, one dataset, its raw payloads."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api.deps import Asked, DatasetKey, Number, Reading, Searching, The
from api.errors import ProblemError, documented, missing
from api.formats import FORMATS
from api.links import with_parameters
from api.schemas import DatasetOut, Facet, FacetCount, Found, OriginalOut, RecordOut, SearchAnswer
from harvester import jsonio
from harvester.catalogue import queries
from harvester.catalogue.queries import DatasetView
from harvester.export import dataset_iri
from harvester.model import Dataset
from harvester.search import FacetValue, SearchResult
from harvester.search.base import DEEPEST
from harvester.search.filters import BY_NAME

router = APIRouter(prefix="/api/datasets")
# Facets whose values are names of sources.
OF_SOURCES = ("source", "original_source")


@router.get("", tags=["search"], responses=documented(), summary="Search the catalogue")
def search(request: Request, asked: Asked, index: Searching, connection: Reading) -> SearchAnswer:
    """Words, facets, area, period.

    When not all words match together, `relaxed` says how many had to. Inside a facet several values mean OR, across
    facets AND; each facet is counted without its own filter, so that its other values show what they would add.
    """
    found = index.search(asked)
    more = found.total > asked.page * asked.size and (asked.page + 1) * asked.size <= DEEPEST
    return SearchAnswer(
        total=found.total,
        page=asked.page,
        size=asked.size,
        relaxed=found.relaxed,
        facets=facets(connection, found),
        results=[Found(**hit.card, score=hit.score, url=f"/api/datasets/{hit.card['id']}") for hit in found.hits],
        next=with_parameters(request.url, page=asked.page + 1) if more else None,
        previous=with_parameters(request.url, page=asked.page - 1) if asked.page > 1 else None,
    )


@router.get("/{id}", tags=["datasets"], responses=documented(308, 404, 410), summary="One dataset")
def dataset(id: DatasetKey, connection: Reading, settings: The) -> DatasetOut:
    """Every distribution, every record behind it and where it came from.

    410 for a dataset that no source lists any more, 308 for one that was merged into another.
    """
    view, metadata = visible(connection, id)
    return DatasetOut(
        id=view.key,
        iri=dataset_iri(settings, view),
        created_at=view.created_at,
        changed_at=view.changed_at,
        metadata=metadata.plain(),
        original=OriginalOut(record=view.original, reason=view.reason),
        fields=dict(view.fields),
        records=[_record(view, record) for record in view.records],
        links={form.media_type: f"/datasets/{view.key}.{form.suffix}" for form in FORMATS},
    )


@router.get(
    "/{id}/records/{record_id}/payload",
    tags=["datasets"],
    responses=documented(404) | {200: {"content": {"application/json": {"example": {"id": "accidents-2024"}}}}},
    response_class=Response,
    summary="The metadata of one record as the source sent them",
)
def payload(id: DatasetKey, record_id: Number, connection: Reading) -> Response:
    """Untouched, as JSON; a string when the source sends XML or RDF."""
    view = queries.dataset_by_key(connection, id) if id.isalnum() else None
    if view is None or record_id not in {record.id for record in view.records}:
        raise missing("record", record_id)
    found = queries.record_payload(connection, record_id)
    return Response(jsonio.dumps(found), media_type="application/json")


def visible(connection: Connection, key: str) -> tuple[DatasetView, Dataset]:
    """A visible dataset by its public key.

    Raises `ProblemError`: 404 for one that never was, 410 for a retired one, 308 for one merged into another.
    """
    view = queries.dataset_by_key(connection, key) if key.isalnum() else None
    if view is None:
        raise missing("dataset", key)
    if view.key != key:
        raise ProblemError(
            308,
            "dataset-merged",
            f"this dataset is now part of {view.key}",
            merged_into=view.key,
            headers={"location": f"/api/datasets/{view.key}"},
        )
    if view.retired_at is not None or view.dataset is None:
        raise ProblemError(410, "dataset-retired", "no source lists this dataset any more", **_tombstone(view))
    return view, view.dataset


def facets(connection: Connection, found: SearchResult) -> dict[str, Facet]:
    """The facets of a result; sources are shown by title."""
    names = {value.value for name in OF_SOURCES for value in found.facets.get(name, ())}
    titles = queries.source_titles(connection, sorted(names))

    def shown(name: str, value: FacetValue) -> FacetCount:
        label = titles.get(value.value, value.label) if name in OF_SOURCES else value.label
        return FacetCount(value=value.value, label=label, count=value.count, selected=value.selected)

    return {
        name: Facet(title=BY_NAME[name].title, values=[shown(name, value) for value in values])
        for name, values in found.facets.items()
    }


def _tombstone(view: DatasetView) -> dict[str, Any]:
    return {
        "id": view.key,
        "iri": view.iri,
        "first_seen_at": view.created_at,
        "retired_at": view.retired_at,
        "records": [
            {"source": r.source, "guid": r.guid, "title": r.title, "last_seen_at": r.last_seen_at} for r in view.records
        ],
    }


def _record(view: DatasetView, record: queries.RecordView) -> RecordOut:
    return RecordOut(**asdict(record), payload=f"/api/datasets/{view.key}/records/{record.id}/payload")
