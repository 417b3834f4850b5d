"""What a dry run does where another one writes: it tells each change with its fields, and remembers what it met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from harvester.catalogue import history
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.decide import Action, Stored
from harvester.fields.languages import preferred
from harvester.harvest import Change, Harvest, Tally
from harvester.history.telling import fields

_TOLD = (Action.CREATED, Action.UPDATED, Action.RESTORED, Action.RETIRED)
# Of these, what is stored tells the fields or the title.
_READ = (Action.UPDATED, Action.RESTORED, Action.RETIRED)


def tell(harvest: Harvest, outcomes: Sequence[Outcome], problems: Iterable[Problem]) -> None:
    """Tell whoever listens of each change; a dry run tells the fields, those of another one are in its revisions."""
    changes = list(_changes(outcomes, _olds(harvest, outcomes) if harvest.dry else {}))
    lost = (p for p in problems if p.severity == "error")
    changes += [Change("failed", p.guid, None, code=p.code, message=p.message) for p in lost]
    for change in changes:
        harvest.on_change(change)


def _olds(harvest: Harvest, outcomes: Sequence[Outcome]) -> dict[int, Row[Any]]:
    with harvest.engine.connect() as connection:
        return history.befores(connection, [o.stored.id for o in outcomes if o.stored and o.action in _READ])


def _changes(outcomes: Sequence[Outcome], olds: Mapping[int, Row[Any]]) -> Iterable[Change]:
    for outcome in outcomes:
        if outcome.action in _TOLD:
            old = olds.get(outcome.stored.id) if outcome.stored else None
            title = preferred(outcome.dataset.title) if outcome.dataset else old and old.title
            delta = history.changed(old, outcome) if old is not None else None
            yield Change(str(outcome.action), outcome.record.guid, title, tuple(fields(delta)))


def met(ref: RunRef, guids: Iterable[str], known: dict[str, Stored], tally: Tally) -> dict[str, Stored]:
    """What is stored of the records of a page, those marked as seen that the dry run has met before."""
    nothing = Stored(0, "", "active", b"", None, None, ref.id)
    founded = {guid: nothing._replace(guid=guid) for guid in guids if guid in tally.founded}
    return founded | {
        guid: stored._replace(seen_run_id=ref.id) if stored.id in tally.saw else stored
        for guid, stored in known.items()
    }


def remember(tally: Tally, outcomes: Iterable[Outcome], known: Mapping[str, Stored], named: Iterable[str]) -> None:
    """Note what the dry run has met: stored records by id, others by guid."""
    for outcome in outcomes:
        if outcome.stored is None and not outcome.record.deleted:
            tally.founded.add(outcome.record.guid)
        elif outcome.stored is not None and outcome.stored.id and not outcome.record.deleted:
            tally.saw.add(outcome.stored.id)
    tally.saw.update(known[guid].id for guid in named if guid in known and known[guid].id)
