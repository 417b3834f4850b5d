"""Pages of reconciliations: the trend of each pair, and every verdict, by kind."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from api.deps import After, Number, Reading, The
from api.links import link
from api.pages.rendering import render
from api.reconcile import OfChange, OfReason, OfSource, OfTarget, OfVerdict, line_out, row_of, shown
from api.runs import Before, source_row
from harvester.reconcile import keeping, reports
from harvester.reconcile.words import MEANING, Verdict

router = APIRouter(include_in_schema=False)
SHOWN = 50
_NAMED = [str(verdict) for verdict in Verdict if verdict not in (Verdict.OUTSIDE, Verdict.GONE)]


@router.get("/reconciliations")
def reconciliations(
    connection: Reading, settings: The, source: OfSource = None, target: OfTarget = None, before: Before = None
) -> Response:
    """Reconciliations, newest first, with their verdicts: of two sources, the trend."""
    mine, theirs = (None if name is None else source_row(connection, name).id for name in (source, target))
    rows = keeping.listed(connection, mine, theirs, before, SHOWN)
    more = {"source": source, "target": target, "before": rows[-1].id} if len(rows) == SHOWN else None
    context = {"rows": [shown(row) for row in rows], "verdicts": _NAMED, "source": source, "target": target}
    following = more and link("/reconciliations", **more)
    return render("reconciliations.html", settings, settings.language, **context, next=following)


@router.get("/reconciliations/{id}")
def reconciliation(
    id: Number,
    connection: Reading,
    settings: The,
    verdict: OfVerdict = None,
    reason: OfReason = None,
    change: OfChange = None,
    after: After = 0,
) -> Response:
    """One reconciliation with its lines; while it goes on the page comes again by itself."""
    row = row_of(connection, id)
    found = keeping.lines(connection, row, verdict, reason, change, after, SHOWN)
    asked = {"verdict": verdict and str(verdict), "reason": reason, "change": change}
    past = keeping.listed(connection, row.source_id, row.target_id, limit=12, good=True)
    context = {
        "row": shown(row),
        "live": row.status in keeping.LIVE,
        "lines": [line_out(line) for line in found],
        "verdicts": _NAMED,
        "meaning": {str(name): told for name, told in MEANING.items()},
        "asked": asked,
        "trend": [shown(one) for one in past],
        "troubles": reports.troubles,
        "next": link(f"/reconciliations/{id}", **asked, after=found[-1].number) if len(found) == SHOWN else None,
    }
    return render("reconciliation.html", settings, settings.language, **context)
