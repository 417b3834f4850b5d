"""What a dry run does where another one writes: it tells each change with its fields, and remembers what it met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import Row

from harvester.catalogue import history, missing, queries
from harvester.catalogue.packing import squeeze
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.connector import Body
from harvester.decide import Action, Stored
from harvester.errors import Stopped
from harvester.fields.languages import preferred
from harvester.harvest import Change, Harvest, Tally
from harvester.history.telling import fields
from harvester.shown import ENDLESS, PAGE, Staged
from harvester.stage import FRESH, Met, Stage

_TOLD = (Action.CREATED, Action.UPDATED, Action.RESTORED)
# Of these, what is stored tells the fields.
_READ = (Action.UPDATED, Action.RESTORED)


@contextmanager
def staged(harvest: Harvest, ref: RunRef, tally: Tally) -> Iterator[None]:
    """A dry run has a stage as long as the block; what it would have created is told at its end.

    Until then nobody knows what of it is something known under a new identifier.
    """
    if not harvest.dry:
        yield
        return
    with harvest.engine.connect() as connection:
        wary = queries.active_count(connection, ref.source_id) > 0
    with closing(Stage(wary)) as stage:
        tally.stage = stage
        try:
            yield
        except Stopped:
            raise
        except Exception:
            _tell_created(harvest, stage)
            raise
        else:
            _tell_created(harvest, stage)
        finally:
            tally.stage = None


def tell(harvest: Harvest, tally: Tally, outcomes: Sequence[Outcome], problems: Iterable[Problem]) -> None:
    """Tell whoever listens of each change; a dry run tells the fields, those of another one are in its revisions."""
    changes = list(_changes(outcomes, _olds(harvest, outcomes) if harvest.dry else {}, tally.stage))
    lost = (p for p in problems if p.severity == "error")
    changes += [Change("failed", p.guid, None, code=p.code, message=p.message) for p in lost]
    for change in changes:
        harvest.on_change(change)


def met(ref: RunRef, guids: Sequence[str], known: Mapping[str, Stored], tally: Tally) -> dict[str, Stored]:
    """What would be stored of the records of a page by now, those marked as seen that the dry run has met before."""
    nothing = Stored(0, "", "", b"", None, None, ref.id)
    before = tally.stage.by_guid(guids) if tally.stage else {}
    return {**known} | {
        guid: known.get(guid, nothing)._replace(id=row.id, guid=guid, status=row.status, seen_run_id=ref.id)
        for guid, row in before.items()
    }


def remember(
    harvest: Harvest,
    ref: RunRef,
    tally: Tally,
    outcomes: Sequence[Outcome],
    known: Mapping[str, Stored],
    named: Sequence[str],
) -> None:
    """Note what the dry run has met, and what of it is new."""
    stage = tally.stage
    if stage is None:
        return
    before = stage.by_guid(named)
    placed = [(o.stored.id if o.stored else stage.number(), o) for o in outcomes if o.action is not Action.REPEATED]
    rows = {o.record.guid: _met(i, o, harvest, stage.wary)._replace(dataset_id=-i) for i, o in placed}
    lost = (known[guid] for guid in named if guid in known and guid not in before and guid not in rows)
    stage.put([*rows.values(), *(Met(stored.id, stored.guid, stored.status) for stored in lost)])


def stand(harvest: Harvest, ref: RunRef, tally: Tally, body: Body) -> None:
    """Note that the records of an answer are there as they were: the same bytes came, or would have."""
    after = 0
    while tally.stage is not None:
        with harvest.engine.connect() as connection:
            rows = queries.with_body(connection, ref.source_id, body.digest, after, PAGE)
        if not rows:
            return
        after = rows[-1].id
        known = tally.stage.by_id([row.id for row in rows])
        tally.stage.put(Met(row.id, row.guid, row.status, row.title) for row in rows if row.id not in known)


def rename(harvest: Harvest, ref: RunRef, tally: Tally, pairs: Sequence[tuple[int, int]]) -> None:
    """Tell which records would go on under a new identifier."""
    stage = tally.stage
    if stage is None:
        return
    came = stage.by_id([new for _, new in pairs])
    with harvest.engine.connect() as connection:
        olds = history.befores(connection, [number for pair in pairs for number in pair if number < FRESH])
    for old, new in pairs:
        before, after = olds[old], came[new]
        fresh = new > FRESH
        title, blob = (after.title, after.body) if after.body else (olds[new].title, olds[new].dataset)
        delta = history.between(before.dataset, blob)
        stage.carry(old, new)
        tally.counts[Action.CREATED] -= fresh
        tally.counts[Action.UPDATED] += fresh
        tally.carried += 1
        harvest.on_change(Change("renamed", after.guid, title, tuple(fields(delta)), was=before.guid))


def name(harvest: Harvest, ref: RunRef, stage: Stage) -> None:
    """Tell what would be held, and has not been told since it was seen last."""
    shown, after = Staged(harvest.engine, ref, stage), 0
    while True:
        with harvest.engine.connect() as connection:
            rows = missing.untold(connection, RunRef(ENDLESS, ref.source_id, ref.source), PAGE, after)
        if not rows:
            return
        after = rows[-1].id
        for row in shown.unmet(rows):
            harvest.on_change(Change("vanished", row.guid, row.title))


def _olds(harvest: Harvest, outcomes: Sequence[Outcome]) -> dict[int, Row[Any]]:
    ids = [o.stored.id for o in outcomes if o.stored and o.stored.id < FRESH and o.action in _READ]
    with harvest.engine.connect() as connection:
        return history.befores(connection, ids)


def _changes(outcomes: Sequence[Outcome], olds: Mapping[int, Row[Any]], stage: Stage | None) -> Iterable[Change]:
    for outcome in outcomes:
        if outcome.action in _TOLD and not (stage and stage.wary and outcome.action is Action.CREATED):
            old = olds.get(outcome.stored.id) if outcome.stored else None
            title = preferred(outcome.dataset.title) if outcome.dataset else old and old.title
            delta = history.changed(old, outcome) if old is not None else None
            yield Change(str(outcome.action), outcome.record.guid, title, tuple(fields(delta)))


def _met(number: int, outcome: Outcome, harvest: Harvest, wary: bool) -> Met:
    otherwise = outcome.stored.status if outcome.stored else "failed"
    status = "active" if outcome.action in _TOLD else otherwise
    title = preferred(outcome.dataset.title) if outcome.dataset else None
    body = squeeze(outcome.body) if wary and outcome.body and status == "active" else None
    created = wary and outcome.action is Action.CREATED
    return Met(number, outcome.record.guid, status, title, harvest.now(), None, body, created)


def _tell_created(harvest: Harvest, stage: Stage) -> None:
    for row in stage.created():
        harvest.on_change(Change("created", row.guid, row.title))
