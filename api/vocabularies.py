"""What portals wrote that stands for no known concept: the list from which aliases are made."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import Limit, Reading
from api.errors import documented, missing
from api.runs import OfSource, source_row
from api.schemas import UnmatchedList, UnmatchedOut
from harvester.catalogue import queries
from harvester.vocabularies import VOCABULARIES

router = APIRouter(prefix="/api/vocabularies", tags=["vocabularies"])
Name = Annotated[
    str | None,
    Query(
        description="Only this vocabulary.",
        examples=["licence"],
        json_schema_extra={"enum": sorted(VOCABULARIES)},
    ),
]


@router.get("/unmatched", responses=documented(404), summary="Values without a concept, most frequent first")
def unmatched(
    connection: Reading,
    source: OfSource = None,
    vocabulary: Name = None,
    limit: Limit = 100,
) -> UnmatchedList:
    """Counted over active records."""
    if vocabulary is not None and vocabulary not in VOCABULARIES:
        raise missing("vocabulary", vocabulary)
    source_id = None if source is None else source_row(connection, source).id
    rows = queries.unmatched_values(connection, source_id, vocabulary, limit)
    shown = [UnmatchedOut(source=r.source, vocabulary=r.vocabulary, text=r.text, count=r.number) for r in rows]
    return UnmatchedList(values=shown)
