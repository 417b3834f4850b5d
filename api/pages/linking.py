"""The page of what is wrong with the links of a source."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from api.deps import Reading, The
from api.links import link
from api.pages.rendering import render
from api.runs import source_row
from api.sources import Name
from harvester.links import reports
from harvester.links.faults import FAULTS, Severity

router = APIRouter(include_in_schema=False)
SHOWN = 50
Cursor = Annotated[str, Query(max_length=60)]
OfFault = Annotated[str | None, Query(max_length=20)]


@router.get("/sources/{name}/links")
def links(
    name: Name,
    connection: Reading,
    settings: The,
    severity: Severity | None = None,
    fault: OfFault = None,
    after: Cursor = "",
) -> Response:
    """How many there are, by what is wrong with them; then link by link."""
    row = source_row(connection, name)
    fault = fault if fault in FAULTS else None
    found, last = reports.page(connection, row.id, reports.cursor(after), SHOWN, severity, fault, settings.language)
    told = reports.summary(connection, row.id)
    kept = {"severity": severity, "fault": fault}
    context = {
        "source": row,
        "lines": found,
        "told": told,
        "checked": sum(number for state, number in told.addresses.items() if state != "unchecked"),
        "faults": [(FAULTS[name], kind, number) for (kind, name), number in sorted(told.faults.items())],
        "chosen": fault or severity,
        "next": link(f"/sources/{name}/links", **kept, after=last) if last else None,
    }
    return render("links.html", settings, settings.language, **context)
