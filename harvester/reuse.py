"""Identifiers that came to stand for something else: found among what a run has changed, and never left untold.

An identifier was reused where its record changed its title and every address of its data at once, and its text where
it has one.  Where what records were before stands under others of them now, the source has mixed its identifiers up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from typing import NamedTuple

import orjson

from harvester.carrying import Side, Traits, carried, traits
from harvester.catalogue import history, missing, queries
from harvester.catalogue.packing import expand, load_dataset
from harvester.catalogue.store import Problem, RunRef
from harvester.catalogue.trusted import trusted
from harvester.decide import Guard
from harvester.fields.languages import preferred
from harvester.harvest import Harvest, Tally
from harvester.history.difference import before
from harvester.model import Dataset
from harvester.shown import Shown

CODE = "identifiers-swapped"
# So many are told one by one.
NAMED = 100
_BATCH = 500


class _Pair(NamedTuple):
    """A record with what it said and what it says."""

    id: int
    guid: str
    old: Dataset
    new: Dataset


class _Turned(NamedTuple):
    """A record whose identifier stands for something else."""

    id: int
    guid: str
    old: Traits
    new: Traits
    titles: tuple[str, str]


def reused(harvest: Harvest, ref: RunRef, tally: Tally, shown: Shown, guard: Guard) -> str | None:
    """Tell of each; answers why a person has to look at them, when they are mixed up or too many."""
    number, told = 0, []
    for one in _turned(harvest, ref, tally):
        number += 1
        told += [one] if number <= NAMED else []
    if not number:
        return None
    places = dict(_swapped(harvest, ref, tally, shown))
    tally.findings += [_problem(one, places) for one in told]
    with harvest.engine.connect() as connection:
        known = queries.active_count(connection, ref.source_id)
    if len(places) < 2 and number <= guard.limit(known):
        return None
    mixed = f", and {len(places)} of them stand under other ones now" if places else ""
    return f"{number} of {known} identifiers stand for other datasets than before{mixed}"


def _problem(one: _Turned, places: dict[int, str]) -> Problem:
    was, now = one.titles
    moved = f", which is {places[one.id]!r} now," if one.id in places else ""
    message = f"the identifier stood for {was!r}{moved} and stands for {now!r}"
    return Problem("walk", "warning", "identifier-reused", message, one.guid, "title", now)


def _turned(harvest: Harvest, ref: RunRef, tally: Tally) -> Iterator[_Turned]:
    for pair in _staged(harvest, tally) if tally.stage else _revised(harvest, ref):
        old, new = traits(pair.old, pair.guid), traits(pair.new, pair.guid)
        kept = old.title == new.title or set(old.addresses) & set(new.addresses) or (old.text and old.text == new.text)
        if old.title and new.title and not kept and (old.addresses or old.text):
            titles = (preferred(pair.old.title) or "", preferred(pair.new.title) or "")
            yield _Turned(pair.id, pair.guid, old, new, titles)


def _revised(harvest: Harvest, ref: RunRef) -> Iterator[_Pair]:
    """What the run has rewritten, of which its revisions say that the title and the data changed."""
    after = 0
    while True:
        with harvest.engine.connect() as connection:
            rows = missing.rewritten(connection, ref, after)
        if not rows:
            return
        after = rows[-1].id
        for row in rows:
            delta = history.delta_of(row.delta).get("fields")
            if row.dataset is not None and delta and delta[0] == "{" and "title" in delta[1]:
                old = before(delta, orjson.loads(expand(row.dataset)))
                yield _Pair(row.record_id, row.guid, trusted(old), load_dataset(row.dataset))


def _staged(harvest: Harvest, tally: Tally) -> Iterator[_Pair]:
    """What a dry run would rewrite."""
    if tally.stage is None:
        return
    for rows in tally.stage.changed(_BATCH):
        with harvest.engine.connect() as connection:
            olds = history.befores(connection, [row.id for row in rows])
        for row in rows:
            old = olds.get(row.id)
            if old is not None and old.dataset is not None and row.body and row.guid:
                yield _Pair(row.id, row.guid, load_dataset(old.dataset), load_dataset(row.body))


def _swapped(harvest: Harvest, ref: RunRef, tally: Tally, shown: Shown) -> Iterator[tuple[int, str]]:
    """Records of which what they were stands under the identifier of another one, and that identifier."""
    with harvest.engine.connect() as connection:
        started = missing.began(connection, ref) or harvest.now()
    moment = timedelta(microseconds=1)

    def olds() -> Iterator[Side]:
        for one in _turned(harvest, ref, tally):
            yield Side(2 * one.id, -2 * one.id, started - moment, one.old)

    def news() -> Iterator[Side]:
        # Numbers that no old one has, nor any dataset.
        for one in _turned(harvest, ref, tally):
            yield Side(2 * one.id + 1, -2 * one.id - 1, started, one.new)
        for came in shown.arrived(started - moment):
            yield Side(2 * came.id + 1, -2 * came.id - 1, started, traits(came.dataset, came.guid))

    pairs = ((old // 2, new // 2) for old, new in carried(olds(), news(), tuple) if old // 2 != new // 2)
    while batch := list(islice(pairs, _BATCH)):
        names = {named.id: named.guid for named in shown.active([new for _, new in batch])}
        yield from ((old, names[new] or "") for old, new in batch if new in names)
