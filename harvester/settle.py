"""The end of a run: the count contract, what vanished, the row that says how it went."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from harvester.catalogue import leaving, queries, store
from harvester.catalogue.store import Problem, RunRef
from harvester.connector import Walk
from harvester.decide import NOTHING, Action, Guard, Reach, Retirement, Walked, retirement, sound
from harvester.errors import HarvesterError
from harvester.harvest import Change, Harvest, OutOfTime, Result, Tally, problem_of, stepping
from harvester.notices import notify
from harvester.parting import Ask, carry_over, counted, part, revive, shown, take_back, withdraw
from harvester.reuse import CODE as SWAPPED
from harvester.reuse import reused

log = logging.getLogger(__name__)

GOOD = ("succeeded", "partial")
EMPTY = "empty-answer"
# What leaves open, after a walk that asked for changes, which others there are.
LOSSES = frozenset(("unshown-datasets", "window", "broken-answer"))


def settle(harvest: Harvest, ref: RunRef, tally: Tally, walk: Walk, ask: Ask | None = None) -> Retirement:
    """Compare what came with what was advertised and known; retire what vanished, or hold it for a person.

    `ask` asks the portal whether one record is gone.
    """
    if not harvest.dry:
        revive(harvest, ref)
    guard = Guard(harvest.settings.retire_share, harvest.settings.retire_least)
    mixed = reused(harvest, ref, tally, shown(harvest, ref, tally), guard)
    if mixed:
        # What is missing may be there under another identifier.
        tally.doubt = tally.doubt or SWAPPED
        tally.findings.append(Problem("walk", "warning", SWAPPED, mixed))
    verdict = _settled(harvest, ref, tally, walk, guard, ask)
    return replace(verdict, held=True, code=SWAPPED, reason=mixed) if mixed and not verdict.held else verdict


def _settled(harvest: Harvest, ref: RunRef, tally: Tally, walk: Walk, guard: Guard, ask: Ask | None) -> Retirement:
    walked = _walked(harvest, ref, tally, walk)
    tally.distinct = walked.distinct
    tally.gap = walked.advertised is not None and walked.distinct < walked.advertised
    withdraw(harvest, ref, tally, guard)
    if tally.gap:
        message = f"the source advertises {walked.advertised} records and gave {walked.distinct} distinct ones"
        tally.findings.append(Problem("walk", "warning", "count-gap", message))
    if walked.incremental:
        return _changes_alone(harvest, ref, tally)
    tally.sound = sound(walked)
    if tally.sound:
        carry_over(harvest, ref, tally)
    missing, bounds = counted(harvest, ref, tally)
    verdict = part(harvest, ref, tally, retirement(walked, missing, guard), bounds, ask)
    if tally.carried:
        rest = f"{missing.vanished} missing ones have no successor" if missing.vanished else "none is left over"
        message = f"{tally.carried} records came under new identifiers and keep their datasets; {rest}"
        tally.findings.append(Problem("walk", "warning", "identifiers-changed", message))
    return verdict


def _changes_alone(harvest: Harvest, ref: RunRef, tally: Tally) -> Retirement:
    """A walk that asks for changes retires nothing; what it was not shown, the next one has to ask for again."""
    if tally.doubt in LOSSES:
        return Retirement(Reach.NONE, code=tally.doubt, reason="the portal did not show all that has changed")
    with harvest.engine.connect() as connection:
        known = queries.active_count(connection, ref.source_id)
    if tally.doubt != EMPTY or not known:
        return NOTHING
    return Retirement(Reach.NONE, code=EMPTY, reason=f"the source says that it is empty; {known} of it are known")


def ended(ref: RunRef, tally: Tally, verdict: Retirement) -> Result:
    """How a walk that came to its end ended."""
    failed = tally.counts[Action.FAILED]
    if failed and failed == tally.fetched:
        return Result(ref.source, "failed", tally, "all-failed", f"none of the {failed} records could be used")
    code, reason = verdict.code, verdict.reason
    if tally.gap and not code:
        code, reason = "count-gap", f"the source advertises {tally.advertised} records and fewer came"
    if verdict.held:
        choice = (
            f"harvester run confirm {ref.id}, or harvester run discard {ref.id}" if ref.id else "confirm, or discard"
        )
        reason = f"{reason}; they stay until a person decides: {choice}"
    status = "held" if verdict.held else "partial" if failed or code else "succeeded"
    return Result(ref.source, status, tally, code or None, reason or None)


def broken(harvest: Harvest, ref: RunRef, tally: Tally, error: HarvesterError) -> Result:
    """How a walk ended that an error ended: its time was up, or it failed."""
    if isinstance(error, OutOfTime):
        tally.findings.append(problem_of(error, "walk", "warning"))
        return Result(ref.source, "partial", tally, error.code, error.message)
    return failure(harvest, ref, tally, error)


def failure(harvest: Harvest, ref: RunRef, tally: Tally, error: HarvesterError) -> Result:
    """How a walk that broke off ended; the problem is told with the row that says so, as long as it is ours."""
    if error.code == "paging-loop" and tally.endless and (number := take_back(harvest, ref, tally)):
        error.message += f"; the {number} new ones beyond that count are not shown"
    tally.findings.append(problem_of(error, "fetch"))
    harvest.on_change(Change("failed", None, None, code=error.code, message=error.message))
    return Result(ref.source, "failed", tally, error.code, error.message)


def close(harvest: Harvest, ref: RunRef, result: Result, mode: str, started: datetime) -> None:
    """Close the row of the run; only a walk that lost nothing lets the next one ask for changes alone.

    One that ran out of time keeps what it needs to go on (`claims.enqueue`).
    """
    if harvest.dry:
        result.tally.warnings += sum(found.severity == "warning" for found in result.tally.findings)
        return
    now, tally, unfinished = harvest.now(), result.tally, result.code == OutOfTime.code
    came = result.status in (*GOOD, "held")
    values = {"status": result.status, "code": result.code, "message": result.message, "sound": tally.sound and came}
    with harvest.engine.connect() as connection:
        values |= _contract(connection, ref, tally) if came else {}
    tally.warnings += sum(found.severity == "warning" for found in tally.findings)
    rest: dict[str, Any] = {} if unfinished else {"cursor": None, "state": None}
    with stepping(harvest, ref, {**tally.columns(), **values, "ended_at": now, **rest}) as writes:
        store.report(writes, ref.id, tally.findings)
        if came and mode == "full" and not unfinished:
            store.forget_bodies(writes, ref)
        source = queries.source_by_id(writes, ref.source_id)
        store.edit_source(writes, ref.source_id, _dates(source, result, mode, started))
        notify.run_ended(writes, harvest.settings, source, ref.id, result, now)
        if came and mode == "full" and not unfinished:
            # Last: whether a source has recovered is told by how the run before is marked.
            leaving.supersede(writes, ref)
    level = logging.ERROR if result.status == "failed" else logging.INFO
    log.log(level, "run ended source=%s run=%s status=%s code=%s", ref.source, ref.id, result.status, result.code)


def _walked(harvest: Harvest, ref: RunRef, tally: Tally, walk: Walk) -> Walked:
    with harvest.engine.connect() as connection:
        seen = tally.stage.count() if tally.stage else queries.distinct_seen(connection, ref.id, ref.source_id)
    return Walked(
        complete=True,
        incremental=walk.since is not None,
        fetched=tally.fetched,
        distinct=seen + tally.unstored + tally.dropped,
        advertised=tally.advertised,
        errors=tally.errors,
        usable=tally.fetched - tally.counts[Action.FAILED] - tally.dropped,
        restless=tally.restless,
        doubt=tally.doubt,
    )


def _contract(connection: Connection, ref: RunRef, tally: Tally) -> dict[str, Any]:
    """What of the walk is in the catalogue now; a gap that nothing else explains is a finding."""
    accepted = queries.active_count(connection, ref.source_id)
    visible = queries.visible_count(connection, ref.source_id)
    if visible < accepted:
        message = f"{accepted} records of the source are {visible} datasets: some are the same one twice"
        tally.findings.append(Problem("walk", "warning", "shared-datasets", message))
    return {"distinct": tally.distinct, "accepted": accepted, "visible": visible}


def _dates(source: Any, result: Result, mode: str, started: datetime) -> dict[str, Any]:
    """What the source remembers of the run: since when all is known, and since when it fails."""
    tally = result.tally
    if result.status == "failed":
        return {"failing_since": source.failing_since or started}
    dates: dict[str, Any] = {"failing_since": None}
    lost = tally.errors or tally.unstored or tally.gap or result.code == EMPTY
    lost = lost or (mode == "incremental" and result.code in LOSSES) or result.code == OutOfTime.code
    if result.status in GOOD and mode != "replay" and not lost:
        dates |= {"since_at": started} | ({"complete_at": started} if mode == "full" else {})
    return dates
