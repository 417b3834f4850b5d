"""What codes of errors and problems mean."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.schemas import CodeList, CodeOut
from harvester.codes import table

router = APIRouter(prefix="/api/problem-codes", tags=["problem codes"])


@router.get("", responses=documented(), summary="Every code of an error or problem")
def problem_codes() -> CodeList:
    """What it means, and what to do about it."""
    return CodeList(codes=[CodeOut.model_validate(code) for code in table().values()])
