"""Is it alive, and can it answer?"""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import Reading, Searching
from api.errors import documented
from api.schemas import DutyOut, Health
from harvester.duty import duty
from harvester.schedule import utcnow

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", responses=documented(), summary="The process answers")
def live() -> Health:
    """Asks nothing of the database."""
    return Health()


@router.get("/ready", responses=documented(503), summary="The catalogue answers")
def ready(connection: Reading, index: Searching) -> Health:
    """503 when the database cannot be read or its tables are missing."""
    found = DutyOut.model_validate(duty(connection, utcnow()))
    return Health(datasets_indexed=index.count() if index.position() else None, duty=found)
