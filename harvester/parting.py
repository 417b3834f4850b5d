"""What a walk did not show: carried over to new identifiers, asked for one by one, retired, or held for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from harvester.carrying import Side, carried, traits
from harvester.catalogue import clusters, leaving, missing, queries, store
from harvester.catalogue.missing import Stated
from harvester.catalogue.store import Problem, RunRef
from harvester.connector import Connector, Source
from harvester.decide import Action, Guard, Missing, Reach, Retirement
from harvester.errors import RecordError, SourceError
from harvester.harvest import MOST_WITHDRAWN, Change, Harvest, Tally, stepping
from harvester.history import rehearsal
from harvester.http import Http
from harvester.shown import ENDLESS, PAGE, Marked, Shown, Staged

BATCH = 500
Ask = Callable[[list[str]], dict[str, bool] | None]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The run before which a record was last seen that is missing, in the last two walks, in so many that agree."""

    all: int
    twice: int
    agreed: int

    def of(self, reach: Reach) -> int:
        """The bound of those that are retired; 0 for none."""
        return {Reach.NONE: 0, Reach.AGREED: self.agreed, Reach.TWICE: self.twice, Reach.ALL: self.all}[reach]


def asking(connector: Connector, source: Source, http: Http) -> Ask | None:
    """How the portal is asked which records are gone (`harvester.connector`); None when it cannot be."""
    gone = getattr(connector, "gone", None)
    if gone is None:
        return None

    def ask(guids: list[str]) -> dict[str, bool] | None:
        try:
            found: dict[str, bool] | None = gone(source, http, guids)
        except (SourceError, RecordError):
            # It does not answer: what is not told to be gone stays.
            return {}
        return found

    return ask


def revive(harvest: Harvest, ref: RunRef) -> None:
    """Show again what this run saw and a person retired meanwhile: seeing is the newer knowledge."""
    while True:
        with harvest.engine.connect() as connection:
            rows = missing.revivable(connection, ref, _started(connection, ref, harvest.now()), BATCH)
        if not rows:
            return
        with stepping(harvest, ref, {}) as connection:
            leaving.revive(connection, ref, rows, harvest.now())


def withdraw(harvest: Harvest, ref: RunRef, tally: Tally, guard: Guard) -> None:
    """Retire what the source itself says is gone; when that is more than may go unasked, it counts as missing."""
    with harvest.engine.connect() as connection:
        known = _known(tally, queries.active_count(connection, ref.source_id))
    rows = shown(harvest, ref, tally).active(tally.withdrawn)
    if not rows or len(tally.withdrawn) > min(guard.limit(known), MOST_WITHDRAWN):
        return
    tally.counts[Action.RETIRED] += len(rows)
    tally.counts[Action.REPEATED] -= len(rows)
    if tally.stage:
        tally.stage.retire(row.id for row in rows)
    else:
        with stepping(harvest, ref, tally.progress()) as connection:
            store.retire(connection, ref, [row.id for row in rows], harvest.now())
    for row in rows:
        harvest.on_change(Change(str(Action.RETIRED), row.guid, row.title))


def take_back(harvest: Harvest, ref: RunRef, tally: Tally) -> int:
    """Hide what an endless source brought beyond what it counts: it makes up records; answers how many these are.

    What was known before stays as it is.
    """
    created = tally.counts[Action.CREATED]
    known = tally.counts[Action.UPDATED] + tally.counts[Action.UNCHANGED] + tally.counts[Action.RESTORED]
    real = min(max((tally.most or 0) - known, 0), created)
    if not harvest.dry:
        with harvest.engine.connect() as connection:
            pages = list(missing.founded_after(connection, ref, real))
        for ids in pages:
            with stepping(harvest, ref, tally.progress()) as connection:
                store.retire(connection, ref, ids, harvest.now())
    return created - real


def _known(tally: Tally, active: int) -> int:
    """How many records were active before the walk, of so many that are now, less those that became one with another.

    A dry run has stored nothing of what came, nor hidden anything.
    """
    return active - (tally.stage.ended if tally.stage else tally.counts[Action.CREATED] + tally.counts[Action.RESTORED])


def carry_over(harvest: Harvest, ref: RunRef, tally: Tally) -> None:
    """Let what came under a new identifier take the place of what vanished, where it is the same."""
    met = shown(harvest, ref, tally)
    since = met.since()
    if since is None:
        return
    with harvest.engine.connect() as connection:
        started = _started(connection, ref, harvest.now())
    news = _newcomers(harvest, ref, met.arrived(since))
    pairs = carried(_sides(met.vanished()), news, lambda: met.other_titles(since))
    while batch := list(islice(pairs, BATCH)):
        if tally.stage:
            rehearsal.rename(harvest, ref, tally, batch)
        else:
            _rename(harvest, ref, tally, batch, started)


def counted(harvest: Harvest, ref: RunRef, tally: Tally) -> tuple[Missing, Bounds]:
    """How many records the walk did not show, and for how many walks they have been missing."""
    now, settings = harvest.now(), harvest.settings
    with harvest.engine.connect() as connection:
        active = queries.active_count(connection, ref.source_id)
        bounds = _bounds(connection, ref, settings.agree_walks, now - timedelta(hours=settings.agree_hours))
        limits = (bounds.all, bounds.twice, bounds.agreed)
        if not harvest.dry:
            numbers = [missing.count(connection, ref.source_id, limit) for limit in limits]
    if harvest.dry:
        numbers = [0, 0, 0]
        for rows in shown(harvest, ref, tally).pages(bounds.all):
            numbers = [
                n + sum(row.seen_run_id < limit for row in rows) for n, limit in zip(numbers, limits, strict=True)
            ]
    # Those of them are retired that are active no longer.
    gone = len(tally.withdrawn) - len(shown(harvest, ref, tally).active(tally.withdrawn))
    known = _known(tally, active) + (0 if harvest.dry else gone)
    return Missing(numbers[0], known, numbers[1], numbers[2], tally.counts[Action.CREATED], gone), bounds


def part(
    harvest: Harvest, ref: RunRef, tally: Tally, verdict: Retirement, bounds: Bounds, ask: Ask | None
) -> Retirement:
    """Retire what the verdict lets go of, after asking the portal; answers the verdict with what that taught."""
    before = bounds.of(verdict.reach)
    spared: set[int] = set()
    if before and ask:
        verdict, spared = _asked(harvest, ref, tally, verdict, bounds, ask)
    if before and verdict.reach is not Reach.NONE:
        _retire(harvest, ref, tally, before, spared)
    if verdict.held:
        _name(harvest, ref, tally)
    return verdict


def _bounds(connection: Connection, ref: RunRef, walks: int, until: datetime) -> Bounds:
    """Walks agree when there were so many, this one included, and the first of them is long enough ago."""
    this = ref.id or ENDLESS
    twice = missing.last_sound(connection, ref.source_id, this)
    enough = missing.last_sound(connection, ref.source_id, this, walks - 1)
    return Bounds(this, twice, min(enough, missing.sound_until(connection, ref.source_id, this, until)))


def shown(harvest: Harvest, ref: RunRef, tally: Tally) -> Shown:
    """What the walk has shown."""
    return Staged(harvest.engine, ref, tally.stage) if tally.stage else Marked(harvest.engine, ref)


def _asked(
    harvest: Harvest, ref: RunRef, tally: Tally, verdict: Retirement, bounds: Bounds, ask: Ask
) -> tuple[Retirement, set[int]]:
    """Ask for so many of those that are to go; if there are more and one is there, a person decides on all of them.

    One that gives no answer stays, unless so many walks agree that it is missing.
    """
    most, before = harvest.settings.ask_at_most, bounds.of(verdict.reach)
    met = shown(harvest, ref, tally)
    rows = list(islice((row for page in met.pages(before) for row in page), most + 1))
    known = met.witness()
    if not most or known is None:
        return verdict, set()
    answers = ask([known, *(row.guid for row in rows[:most])])
    if answers is None:
        return verdict, set()
    # A portal that says of what it has just shown that it is gone tells nothing by saying so.
    answers = {} if answers.get(known) else answers
    stay = [row for row in rows[:most] if not answers.get(row.guid, row.seen_run_id < bounds.agreed)]
    if not stay:
        return verdict, set()
    for row in stay:
        message = "the walk did not show it, but the portal does not say that it is gone; it stays"
        tally.findings.append(Problem("retire", "warning", "still-there", message, row.guid, url=row.url))
    reason = f"{len(stay)} of {len(rows[:most])} missing datasets that were asked for are not gone, and stay"
    if len(rows) > most:
        return Retirement(Reach.NONE, True, "still-there", reason), set()
    told = verdict if verdict.code else replace(verdict, code="still-there", reason=reason)
    return told, {row.id for row in stay}


def _retire(harvest: Harvest, ref: RunRef, tally: Tally, before: int, spared: set[int]) -> None:
    for rows in shown(harvest, ref, tally).pages(before):
        gone = {row.id for row in rows} - spared
        if tally.stage:
            tally.counts[Action.RETIRED] += len(gone)
            tally.stage.retire(gone)
        elif gone:
            values: dict[str, Any] = {}
            with stepping(harvest, ref, values) as connection:
                gone = set(leaving.retire_unseen(connection, ref, sorted(gone), before, harvest.now()))
                tally.counts[Action.RETIRED] += len(gone)
                values |= tally.progress()
        for row in rows:
            if row.id in gone:
                harvest.on_change(Change(str(Action.RETIRED), row.guid, row.title))


def _name(harvest: Harvest, ref: RunRef, tally: Tally) -> None:
    """Note in the history what is held, each record once as long as it is not seen again; a dry run tells it."""
    if tally.stage:
        rehearsal.name(harvest, ref, tally.stage)
    while not tally.stage:
        with harvest.engine.connect() as connection:
            rows = missing.untold(connection, ref, PAGE)
        if not rows:
            return
        with stepping(harvest, ref, {}) as connection:
            leaving.name_vanished(connection, ref, rows, harvest.now())


def _rename(harvest: Harvest, ref: RunRef, tally: Tally, pairs: list[tuple[int, int]], started: datetime) -> None:
    values: dict[str, Any] = {}
    with stepping(harvest, ref, values) as connection:
        rows = leaving.rename(connection, ref, pairs, harvest.now())
        founded = sum(row.first_seen_at >= started for row in rows)
        tally.counts[Action.CREATED] -= founded
        tally.counts[Action.UPDATED] += founded
        tally.carried += len(rows)
        values |= tally.progress()
    for row in rows:
        harvest.on_change(Change("renamed", row.guid, row.title))


def _sides(stated: Iterator[Stated]) -> Iterator[Side]:
    for one in stated:
        yield Side(one.id, one.id, one.at, traits(one.dataset, one.guid))


def _newcomers(harvest: Harvest, ref: RunRef, stated: Iterator[Stated]) -> Iterator[Side]:
    """What came, each with the record that had its identifier before, as the one that it was.

    Whether rules hold it for a dataset that is there is no evidence here: a portal may list one twice.
    """
    while batch := list(islice(stated, BATCH)):
        with harvest.engine.connect() as connection:
            known = clusters.formerly(connection, ref.source_id, ref.source, (one.guid for one in batch))
        for one in batch:
            yield Side(one.id, known.get(one.guid, one.id), one.at, traits(one.dataset, one.guid))


def _started(connection: Connection, ref: RunRef, otherwise: datetime) -> datetime:
    row = queries.run_by_id(connection, ref.id)
    started: datetime = row.started_at if row is not None and row.started_at else otherwise
    return started
