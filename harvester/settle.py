"""The end of a run: the count contract, what vanished, the row that says how it went."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.store import Problem, RunRef
from harvester.connector import Walk
from harvester.decide import Action, Guard, Retirement, Walked, retirement
from harvester.errors import HarvesterError
from harvester.harvest import Change, Harvest, Result, Tally, problem_of

log = logging.getLogger(__name__)

BATCH = 500


def settle(harvest: Harvest, ref: RunRef, tally: Tally, walk: Walk) -> Retirement:
    """Compare what came with what was advertised and known; retire what vanished, or hold it for a person."""
    with harvest.engine.connect() as connection:
        seen = len(tally.saw) if harvest.dry else queries.distinct_seen(connection, ref.id, ref.source_id)
        active = queries.active_count(connection, ref.source_id)
    # A dry run stores nothing: what it would have created was there all the same.
    new = tally.counts[Action.CREATED] if harvest.dry else 0
    distinct = seen + new + tally.unstored + tally.dropped
    walked = Walked(True, walk.since is not None, tally.fetched, distinct, tally.advertised, tally.errors)
    tally.gap = not walked.incremental and tally.advertised is not None and distinct < tally.advertised
    if walked.incremental:
        return Retirement(False, False)
    if not harvest.dry:
        _note_walk(harvest, ref, tally, distinct)
    guard = Guard(harvest.settings.retire_share, harvest.settings.retire_least)
    verdict = retirement(walked, sum(len(rows) for rows in _vanished(harvest, ref, tally)), active, guard)
    if verdict.retire:
        _retire(harvest, ref, tally)
    return verdict


def ended(ref: RunRef, tally: Tally, verdict: Retirement) -> Result:
    """How a walk that came to its end ended."""
    failed = tally.counts[Action.FAILED]
    if failed and failed == tally.fetched:
        return Result(ref.source, "failed", tally, "all-failed", f"none of the {failed} records could be used")
    code, reason = verdict.code, verdict.reason
    if tally.gap and not code:
        code, reason = "count-gap", f"the source advertises {tally.advertised} records and fewer came"
    status = "held" if verdict.held else "partial" if failed or code else "succeeded"
    return Result(ref.source, status, tally, code or None, reason or None)


def failure(harvest: Harvest, ref: RunRef, tally: Tally, error: HarvesterError) -> Result:
    """How a walk that broke off ended."""
    if not harvest.dry:
        with writing(harvest.engine) as connection:
            store.report(connection, ref.id, [problem_of(error, "fetch")])
    return Result(ref.source, "failed", tally, error.code, error.message)


def close(harvest: Harvest, ref: RunRef, result: Result, mode: str, started: datetime) -> None:
    """Close the row of the run; only a walk that lost nothing lets the next one ask for changes alone."""
    if harvest.dry:
        return
    now, tally = harvest.now(), result.tally
    values = {**tally.columns(), "status": result.status, "code": result.code, "message": result.message}
    lost = tally.errors or tally.unstored or tally.gap
    with writing(harvest.engine) as connection:
        store.advance(connection, ref.id, {**values, "ended_at": now, "heartbeat_at": now, "cursor": None})
        if result.status in ("succeeded", "partial") and mode != "replay" and not lost:
            dates = {"since_at": started} | ({"complete_at": started} if mode == "full" else {})
            store.edit_source(connection, ref.source_id, dates)
    log.info("run ended source=%s run=%s status=%s", ref.source, ref.id, result.status)


def _note_walk(harvest: Harvest, ref: RunRef, tally: Tally, distinct: int) -> None:
    with writing(harvest.engine) as connection:
        store.forget_bodies(connection, ref)
        if tally.gap:
            tally.warnings += 1
            message = f"the source advertises {tally.advertised} records and gave {distinct} distinct ones"
            store.report(connection, ref.id, [Problem("walk", "warning", "count-gap", message)])


def _vanished(harvest: Harvest, ref: RunRef, tally: Tally) -> Iterator[list[Row[Any]]]:
    """Pages of the active records that this walk did not show."""
    after, run_id = 0, 0 if harvest.dry else ref.id
    while True:
        with harvest.engine.connect() as connection:
            rows = queries.vanished_page(connection, run_id, ref.source_id, after, BATCH)
        if not rows:
            return
        after = rows[-1].id
        yield [row for row in rows if row.id not in tally.saw]


def _retire(harvest: Harvest, ref: RunRef, tally: Tally) -> None:
    for rows in _vanished(harvest, ref, tally):
        if rows and not harvest.dry:
            with writing(harvest.engine) as connection:
                store.retire(connection, ref, [row.id for row in rows], harvest.now())
        tally.counts[Action.RETIRED] += len(rows)
        for row in rows:
            harvest.on_change(Change(str(Action.RETIRED), row.guid, row.title))
