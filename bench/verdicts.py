"""What must be true after a soak, read from the catalogue it left and compared with what the portals held when."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from math import inf
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bench.living import Clock, Life, Plan, lives, mark_of
from harvester.catalogue.tables import LIVE, datasets, problems, records, revisions, runs, sources

# Portals with these faults really lose datasets, or show them under other names, whatever their plan says.
TAKING = frozenset({"gone-midway", "added-midway", "halved-midway", "half"})
# A source whose last run before the end began longer ago than this share of the time has been forgotten.
RECENT = 0.5
# Two walks of everything lie so far apart at most, in seconds.
BETWEEN_WALKS = 1800.0


@dataclass(slots=True)
class Report:
    """The figures of a soak, and everything that must not be."""

    figures: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Soaked:
    """What is judged: the catalogue, and the plan and clock of its portals."""

    connection: Connection
    plan: Plan
    clock: Clock

    def seconds(self, moment: datetime) -> float:
        return (moment - self.clock.at(0)).total_seconds()

    def end_of(self, run: Row[Any]) -> float:
        """When a run ended; now, for one that has not."""
        return self.seconds(run.ended_at or self.clock.now())


def judged(soaked: Soaked) -> Report:
    """All that the tables tell."""
    report = Report()
    known = {life.name: life for life in lives(soaked.plan)}
    rows = soaked.connection.execute(select(sources).order_by(sources.c.id)).all()
    pairs = [(known[row.name], row) for row in rows]
    held = _held(soaked.connection)
    for life, row in pairs:
        report.violations += _lost(life, row, held[row.id], soaked)
    report.violations += _retired(soaked, {row.id: life for life, row in pairs})
    report.violations += _runs(soaked, {row.id: (life, row) for life, row in pairs}, report.figures)
    report.figures |= _problems(soaked.connection)
    return report


def _held(connection: Connection) -> dict[int, Counter[tuple[int, int]]]:
    """Per source its active records, of which a visible dataset tells, by dataset and version."""
    shown = select(records.c.source_id, records.c.title).join(datasets, datasets.c.id == records.c.dataset_id)
    shown = shown.where(records.c.status == "active", datasets.c.retired_at.is_(None))
    found: dict[int, Counter[tuple[int, int]]] = defaultdict(Counter)
    for source_id, title in connection.execute(shown):
        mark = mark_of(title)
        found[source_id][mark[1:] if mark else (-1, 0)] += 1
    return found


def _lost(life: Life, row: Row[Any], held: Counter[tuple[int, int]], soaked: Soaked) -> Iterator[str]:
    """Where catalogue and portal differ.  Of a portal that misbehaves to the end what it ever showed must be kept."""
    truth = life.marks(inf)
    if life.fault(soaked.plan.seconds):
        if life.faults() & TAKING:
            return
        kept, shown = {number for number, _ in held}, _shown(soaked.connection, row.id)
        gone = {number for number, _ in truth} & shown - kept
        if gone:
            yield f"{row.name} ({', '.join(life.faults())}) lost {_few(gone)} that it holds and had shown"
        return
    was = f" after {', '.join(sorted(life.faults()))}" if life.spells else ""
    missing, extra = truth - held.keys(), held.keys() - truth
    doubled = {mark for mark, count in held.items() if count > 1}
    for what, marks in (("misses", missing), ("still shows", extra), ("shows twice", doubled)):
        if marks:
            yield f"{row.name}{was} {what} {len(marks)} of {len(truth)}: {_few(marks)}"


def _shown(connection: Connection, source_id: int) -> set[int]:
    statement = select(revisions.c.title).where(revisions.c.source_id == source_id, revisions.c.action == "created")
    marks = (mark_of(title) for title in connection.execute(statement).scalars())
    return {mark[1] for mark in marks if mark}


def _few(marks: set[Any]) -> str:
    return ", ".join(map(str, sorted(marks)[:4])) + (" ..." if len(marks) > 4 else "")


def _retired(soaked: Soaked, known: Mapping[int, Life]) -> Iterator[str]:
    """Records that were retired although the portal held them all the time of the run."""
    columns = (revisions.c.source_id, revisions.c.title, revisions.c.at, runs.c.id, runs.c.started_at)
    statement = select(*columns).join(runs, runs.c.id == revisions.c.run_id).where(revisions.c.action == "retired")
    wrong: Counter[tuple[str, int, str]] = Counter()
    for source_id, title, at, run_id, started in soaked.connection.execute(statement):
        life, mark = known[source_id], mark_of(title)
        begins, ends = soaked.seconds(started), soaked.seconds(at)
        active = life.faults(begins, ends)
        held = mark is None or not (life.away(mark[1], begins, ends) or _another(life, mark[1], ends))
        if held and not active & TAKING:
            wrong[life.name, run_id, ", ".join(sorted(active)) or "no fault"] += 1
    for (name, run_id, faults), count in wrong.items():
        yield f"run {run_id} of {name} ({faults}) retired {count} that the portal held"


def _another(life: Life, dataset: int, ends: float) -> bool:
    """Whether a dataset has lately changed its identifier and its title both: no one could know it again."""
    begins = ends - BETWEEN_WALKS
    edited = any(change.dataset == dataset and begins < change.at <= ends for change in life.changes)
    return edited and "renamed" in life.faults(begins, ends)


def _runs(soaked: Soaked, known: Mapping[int, tuple[Life, Row[Any]]], figures: dict[str, Any]) -> Iterator[str]:
    """Runs that failed for no reason, that are stuck or met each other; sources that were forgotten."""
    found = soaked.connection.execute(select(runs).order_by(runs.c.started_at, runs.c.id)).all()
    statuses: Counter[str] = Counter()
    for run in found:
        life, source = known[run.source_id]
        well = not life.faults(soaked.seconds(run.started_at or run.queued_at) - 1, soaked.end_of(run))
        how = " ".join(filter(None, ("good" if well else "faulty", run.status, run.code)))
        statuses[how] += 1
        if run.status in LIVE:
            yield f"run {run.id} of {source.name} is still {run.status}, attempt {run.attempt}"
        if well and not life.spells and run.status in ("failed", "held"):
            yield f"run {run.id} of the good {source.name} {run.status}: {run.code}: {run.message}"
    figures["runs"] = len(found)
    figures["runs by status"] = dict(sorted(statuses.items()))
    figures["runs resumed"] = sum(run.attempt > 1 for run in found)
    begun = [run for run in found if run.started_at is not None]
    minutes = Counter(int(soaked.seconds(run.started_at) // 60) for run in begun)
    most = max(minutes.values(), default=0)
    figures["starts a minute"] = f"{len(begun) / max(len(minutes), 1):.1f} on average, {most} at most"
    yield from _met(soaked, known, begun, figures)
    yield from _forgotten(soaked, known, found)


def _met(
    soaked: Soaked, known: Mapping[int, tuple[Life, Row[Any]]], begun: list[Row[Any]], figures: dict[str, Any]
) -> Iterator[str]:
    """Runs of one source, or at one host, that were under way at the same time.

    A run that was resumed lay in the queue in between, so that a neighbour may have used the host meanwhile.
    """
    ends: dict[Any, tuple[float, int]] = {}
    for run in begun:
        begins, end = soaked.seconds(run.started_at), (soaked.end_of(run), run.id)
        for place in [run.source_id] + ([known[run.source_id][1].host] if run.attempt == 1 else []):
            before = ends.setdefault(place, end)
            if before is not end and begins < before[0]:
                yield f"runs {before[1]} and {run.id} were under way at once ({place})"
            ends[place] = max(before, end)
    marks = sorted([(soaked.seconds(run.started_at), 1) for run in begun] + [(soaked.end_of(run), -1) for run in begun])
    figures["runs under way, at most"] = max(accumulate(step for _, step in marks), default=0)


def _forgotten(soaked: Soaked, known: Mapping[int, tuple[Life, Row[Any]]], found: Sequence[Row[Any]]) -> Iterator[str]:
    """Sources that were neither harvested lately nor in the queue, where a machine that is too slow leaves them."""
    moments = sorted((run.started_at or run.queued_at, run.source_id) for run in found)
    latest = {source_id: moment for moment, source_id in moments if soaked.seconds(moment) <= soaked.plan.seconds}
    oldest = soaked.clock.at(soaked.plan.seconds * (1 - RECENT))
    for source_id, (_, source) in known.items():
        if source_id not in latest or latest[source_id] < oldest:
            yield f"{source.name} was last harvested at {latest.get(source_id)}"


def _problems(connection: Connection) -> dict[str, Any]:
    statement = select(problems.c.severity, problems.c.code, func.count()).group_by(
        problems.c.severity, problems.c.code
    )
    counted = {f"{code} ({severity})": count for severity, code, count in connection.execute(statement)}
    shown = select(func.count()).select_from(datasets).where(datasets.c.retired_at.is_(None))
    return {
        "problems by code": dict(sorted(counted.items(), key=lambda pair: -pair[1])),
        "datasets visible": connection.execute(shown).scalar_one(),
    }


def stale(connection: Connection, now: datetime, most: timedelta) -> list[int]:
    """Runs that have given no sign of life for longer than that, and that nobody took back."""
    statement = select(runs.c.id).where(runs.c.status == "running", runs.c.heartbeat_at < now - most)
    return list(connection.execute(statement).scalars())
