"""A reconciliation, top to bottom: both sides read once, pairs made, each judged, the rest explained, all kept."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from harvester.catalogue import pairing, queries
from harvester.catalogue.database import writing
from harvester.catalogue.packing import load_dataset, unpack
from harvester.errors import HarvesterError, Stopped
from harvester.reconcile import absence, keeping, provenance
from harvester.reconcile.byhand import ByHand, by_hand
from harvester.reconcile.gathering import Census, Side, gather_source, gather_target, side
from harvester.reconcile.ground import Ground, Theirs
from harvester.reconcile.judging import Side as Judgeable
from harvester.reconcile.judging import judged
from harvester.reconcile.lines import Line, Named
from harvester.reconcile.partners import NAMED, PAGED, edges
from harvester.reconcile.words import PAIRED, Verdict

RECENT = timedelta(days=90)
KEPT = 10
_STEP = 2.0
_BATCH = 200
_ORIGINS = 20

Heard = Callable[[str, int, int | None], None]


def deaf(stage: str, done: int, total: int | None) -> None:
    """Hears nothing of how far a reconciliation has come."""


@dataclass
class _Work:
    """One reconciliation while it goes on."""

    engine: Engine
    ref: keeping.Ref
    now: Callable[[], datetime]
    heard: Heard
    stop: Callable[[], bool]
    total: int | None = None
    stage: str = ""
    told_at: float = 0.0
    waiting: list[Line] = field(default_factory=list)
    written: int = 0
    before: int | None = None
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    sides: dict[str, Counter[str]] = field(default_factory=lambda: {"source": Counter(), "target": Counter()})
    fields: Counter[str] = field(default_factory=Counter)
    looked_at: datetime | None = None
    acted_at: datetime | None = None

    def enter(self, stage: str, total: int | None) -> None:
        """Begin a stage."""
        self.stage, self.total, self.told_at = stage, total, 0.0
        self.tell(0)

    def tell(self, done: int) -> None:
        """Say how far the stage has come, now and then.  Raises `Stopped` when nobody wants it any longer."""
        if self.stop():
            raise Stopped("told to end", code="stopped")
        if time.monotonic() - self.told_at < _STEP:
            return
        self.told_at = time.monotonic()
        self.heard(self.stage, done, self.total)
        with writing(self.engine) as connection:
            values = {"stage": self.stage, "done": done, "total": self.total, "heartbeat_at": self.now()}
            keeping.advance(connection, self.ref, values)

    def add(self, line: Line) -> None:
        """Count a line, and keep it with the next ones."""
        verdict = str(line.verdict)
        self.verdicts[verdict] += 1
        if line.reason:
            self.reasons[verdict, line.reason] += 1
        for name, number in (("source", line.source_record_id), ("target", line.target_record_id)):
            self.sides[name][verdict] += number is not None
        self.fields.update({one["field"] for one in line.fields} if line.verdict in PAIRED else ())
        self.waiting.append(line)
        if len(self.waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        if not self.waiting:
            return
        with writing(self.engine) as connection:
            keeping.advance(connection, self.ref, {"heartbeat_at": self.now()})
            keeping.keep(connection, self.ref, self.before, self.waiting, self.written + 1)
        self.written += len(self.waiting)
        self.waiting.clear()


def perform(
    engine: Engine,
    ref: keeping.Ref,
    now: Callable[[], datetime],
    heard: Heard = deaf,
    stop: Callable[[], bool] = lambda: False,
    kept: int = KEPT,
) -> None:
    """Work out a claimed reconciliation and keep it with the `kept` last ones of its two sources.

    Raises `Stopped` when it was cancelled; told to end, it is given back to be done by another.
    """
    work = _Work(engine, ref, now, heard, stop)
    try:
        with engine.connect() as connection:
            work.before = keeping.previous(connection, ref)
        counts = _worked_out(work)
        _ended(work, counts, kept)
    except (Stopped, KeyboardInterrupt):
        _given_back(work)
        raise
    except Exception as error:
        told = error.message if isinstance(error, HarvesterError) else f"{type(error).__name__}: {error}"
        _failed(work, told)
        raise


def _worked_out(work: _Work) -> dict[str, Any]:
    """Every verdict; answers the counts.  One transaction reads both sides, so that both are of one moment."""
    horizon = work.now() - RECENT
    with work.engine.connect() as connection, closing(Ground()) as ground:
        rows = {row: queries.source_by_id(connection, row) for row in (work.ref.source_id, work.ref.target_id)}
        source = side(connection, rows[work.ref.source_id], horizon)
        target = side(connection, rows[work.ref.target_id], horizon)
        totals = {one.id: pairing.counts(connection, one.id, horizon) for one in (source, target)}
        since = pairing.first_walk_ended(connection, source.id)
        people = by_hand(connection, rows)
        work.enter("reading the source", sum(totals[source.id].values()))
        mine = gather_source(connection, ground, source, horizon, since, people, work.tell)
        work.enter("reading the target", sum(totals[target.id].values()))
        theirs, census = gather_target(connection, ground, target, source, horizon, people, work.tell)
        _pair(work, connection, ground, people)
        for line in _lines(work, connection, ground, source, target, census):
            work.add(line)
        work.flush()
        gone = sum(1 for _ in _every(lambda after: ground.lone_ours(False, after), lambda number: number))
        return _counts(work, {"source": mine, "target": theirs}, census, gone, totals)


def _pair(work: _Work, connection: Connection, ground: Ground, people: ByHand) -> None:
    work.enter("pairing", None)
    after = done = 0
    while page := ground.candidates(after):
        for theirs, partners in page:
            said = {one.id: found for one in partners if (found := people.said(one.id, theirs.id))}
            ground.put_apart((s, theirs.id, word.decision) for s, word in said.items() if not word.one)
            ground.put_edges(edges(theirs, partners, said))
        after, done = page[-1][0].id, done + len(page)
        work.tell(done)
        # PostgreSQL ends a transaction in which nothing is asked for ten minutes.
        connection.execute(select(1))
    ground.assign()


def _every(page: Callable[[int], Sequence[Any]], number: Callable[[Any], int]) -> Iterator[Any]:
    """Everything that is read in pages along a number."""
    after = 0
    while rows := page(after):
        yield from rows
        after = number(rows[-1])


def _lines(
    work: _Work, connection: Connection, ground: Ground, source: Side, target: Side, census: Census
) -> Iterator[Line]:
    yield from _paired(work, connection, ground)
    yield from _copies(connection, ground)
    yield from _orphans(work, connection, ground, source, census)
    yield from _missing(work, connection, ground, source, target)


def _paired(work: _Work, connection: Connection, ground: Ground) -> Iterator[Line]:
    work.enter("comparing", None)
    after = done = 0
    while rows := ground.pairs(after, _BATCH):
        said = pairing.said(connection, [number for row in rows for number in row[:2]])
        for s, t, rule, told, ours_live, theirs_live in rows:
            yield _pair_line(work, said[s], said[t], rule, told, ours_live, theirs_live)
        after, done = rows[-1][0], done + len(rows)
        work.tell(done)


def _pair_line(
    work: _Work, mine: Row[Any], theirs: Row[Any], rule: str, told: str, ours_live: bool, theirs_live: bool
) -> Line:
    evidence = (told,)
    sides = {"source_record_id": mine.id, "target_record_id": theirs.id}
    named = (Named.of(mine), Named.of(theirs))
    if not ours_live:
        when = f"retired here at {mine.retired_at:%Y-%m-%d}" if mine.retired_at else ""
        return Line(Verdict.ORPHAN, *named, "retired", when, evidence=evidence, **sides)
    if not theirs_live:
        when = f"until {theirs.retired_at:%Y-%m-%d}" if theirs.retired_at else ""
        return Line(Verdict.MISSING, *named, "withdrawn", when, evidence=evidence, **sides)
    if theirs.dataset is None:
        return Line(Verdict.MISSING, *named, "unreadable-target", "", evidence=evidence, **sides)
    looked = provenance.looked_at(unpack(theirs.payload)) if theirs.payload else None
    if looked and rule in (NAMED, PAGED):
        work.looked_at = max(filter(None, (work.looked_at, looked)))
    here, there = _judgeable(mine, None), _judgeable(theirs, looked)
    if there.dataset and rule in (NAMED, PAGED):
        work.acted_at = max(filter(None, (work.acted_at, provenance.acted_at(there.dataset))), default=None)
    found = judged(here, there)
    fields = tuple(one.plain() | {"words": one.words} for one in found.differing)
    return Line(
        found.verdict, *named, found.reason, "", found.late, fields, (*evidence, *found.evidence), **sides
    )  # fmt: skip


def _judgeable(row: Row[Any], looked: datetime | None) -> Judgeable:
    dataset = None if row.dataset is None else load_dataset(row.dataset)
    return Judgeable(dataset, looked, row.changed_at if row.changed_at > row.first_seen_at else None)


def _copies(connection: Connection, ground: Ground) -> Iterator[Line]:
    after = 0
    while rows := ground.copies(after, _BATCH):
        said = pairing.said(connection, [number for row in rows for number in row[:3]])
        for t, s, first, rule, told, origins in rows:
            named = (Named.of(said[s]), Named.of(said[t]))
            if said[s].status == "retired":
                yield Line(Verdict.ORPHAN, *named, "retired", "", evidence=(told,), target_record_id=t)
                continue
            why = "copy" if rule in (NAMED, PAGED) else "copy-through" if origins else "copy"
            first_told = f"{said[first].guid} counts ({said[first].title or 'untitled'})"
            yield Line(Verdict.DUPLICATE, *named, why, first_told, evidence=(told,), target_record_id=t)
        after = rows[-1][0]


def _orphans(work: _Work, connection: Connection, ground: Ground, source: Side, census: Census) -> Iterator[Line]:
    """What says it came from the source without being any record of it; the rest is from elsewhere."""
    after = 0
    while rows := ground.lone_theirs(after, _BATCH):
        said = pairing.said(connection, [row.id for row in rows])
        for row in rows:
            if row.live and row.claims and not source.partial:
                yield _orphan(connection, row, said[row.id], source)
            else:
                census.set_aside(row.live, tuple(row.origins.split()))
            work.looked_at = max(filter(None, (work.looked_at, _looked(row, said[row.id]))), default=None)
        after = rows[-1].id


def _looked(row: Theirs, said: Row[Any]) -> datetime | None:
    return provenance.looked_at(unpack(said.payload)) if row.claims == 2 and said.payload else None


def _orphan(connection: Connection, row: Theirs, said: Row[Any], source: Side) -> Line:
    found = provenance.claim(load_dataset(said.dataset), source.portal) if said.dataset else None
    names = (found.names[0] if found and found.names else "", found.pages[0] if found and found.pages else "")
    verb = "says that it came from" if row.claims == 2 else "links to a page of datasets at"
    told = f"it {verb} {source.home}" + "".join(f", {name}" for name in names if name)
    left = pairing.retired_long_ago(connection, source.id, found.names) if found else None
    reason, when = ("retired", f"retired here at {left:%Y-%m-%d}") if left else ("never-seen", "")
    return Line(Verdict.ORPHAN, None, Named.of(said), reason, when, evidence=(told,), target_record_id=row.id)


def _missing(work: _Work, connection: Connection, ground: Ground, source: Side, target: Side) -> Iterator[Line]:
    work.enter("explaining", None)
    last = work.looked_at or _last_walk(connection, target)
    absence.explain(ground, last, None if work.looked_at else work.acted_at)
    after = 0
    while ids := ground.lone_ours(True, after, _BATCH):
        said, reasons = pairing.said(connection, ids), absence.reason(ground, ids)
        unread = [said[number].guid for number in ids if reasons[number][0] == "unreadable-source"]
        troubles = pairing.troubles(connection, source.id, unread)
        for number in ids:
            code, told = reasons[number]
            told = told or troubles.get(said[number].guid, "")
            yield Line(Verdict.MISSING, Named.of(said[number]), None, code, told, source_record_id=number)
        after = ids[-1]


def _last_walk(connection: Connection, target: Side) -> datetime | None:
    """When we last saw the target: what came to the source later cannot have been seen there."""
    row = queries.source_by_id(connection, target.id)
    return max(filter(None, (row.complete_at, row.since_at)), default=None)


def _counts(
    work: _Work, read: dict[str, int], census: Census, gone: int, totals: dict[int, dict[str, int]]
) -> dict[str, Any]:
    """The totals of both sides; raises when a record is in none of them, or in two."""
    work.sides["source"][str(Verdict.GONE)] += gone
    work.sides["target"][str(Verdict.GONE)] += census.gone
    work.sides["target"][str(Verdict.OUTSIDE)] += census.outside
    expected = {"source": totals[work.ref.source_id], "target": totals[work.ref.target_id]}
    told = {}
    for name, counted in work.sides.items():
        total = sum(counted.values())
        if not total == read[name] == sum(expected[name].values()):
            message = (
                f"the totals of the {name} do not add up: {total} verdicts, {sum(expected[name].values())} records"
            )
            raise HarvesterError(message, code="totals")
        shown = {verdict: number for verdict, number in sorted(counted.items()) if number}
        told[name] = {"records": total, "statuses": expected[name], "verdicts": shown}
    reasons: dict[str, dict[str, int]] = {}
    for (verdict, reason), number in sorted(work.reasons.items()):
        reasons.setdefault(verdict, {})[reason] = number
    return {
        "verdicts": dict(work.verdicts),
        "reasons": reasons,
        "fields": dict(work.fields.most_common()),
        **told,
        "origins": [{"host": host, "records": number} for host, number in census.origins.most_common(_ORIGINS)],
        "looked_at": work.looked_at and work.looked_at.isoformat().replace("+00:00", "Z"),
    }


def _ended(work: _Work, counts: dict[str, Any], kept: int) -> None:
    with writing(work.engine) as connection:
        counts["changes"] = keeping.changed(connection, work.ref.id, work.before)
        values = {"status": "succeeded", "ended_at": work.now(), "counts": counts, "kept": work.written}
        values |= {"stage": None, "total": None, "previous_id": work.before}
        keeping.advance(connection, work.ref, values)
        keeping.let_go(connection, work.ref.source_id, work.ref.target_id, kept)


def _given_back(work: _Work) -> None:
    """Queue it again when this process ends; one that was cancelled stays so."""
    with writing(work.engine) as connection:
        try:
            keeping.advance(connection, work.ref, {"status": "queued", "attempt": work.ref.attempt - 1, "stage": None})
        except Stopped:
            # Cancelled, or in other hands: nothing to give back.
            return


def _failed(work: _Work, told: str) -> None:
    with writing(work.engine) as connection:
        try:
            values = {"status": "failed", "ended_at": work.now(), "message": told[:2000], "stage": None}
            keeping.advance(connection, work.ref, values)
        except Stopped:
            return
