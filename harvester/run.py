"""One harvest run, top to bottom.

    claim -> connector.fetch -> pages | known? | normalise | decide | write   (page by page, each in one transaction)
          -> count contract -> what vanished: retire or hold -> close

A record that fails is a row with a reason; a source that fails retires nothing; a run always ends in a status.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Row

from harvester import jsonio, registry
from harvester.ahead import ahead
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.packing import dataset_json
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.connector import Body, Connector, Page, Record, Source, Walk
from harvester.decide import Action, Guard, Retirement, Stored, Walked, after_mapping, at_a_glance, retirement
from harvester.errors import HarvesterError, RecordError, SourceError
from harvester.http import Http
from harvester.identity import match_keys
from harvester.model import Dataset
from harvester.settings import Settings

log = logging.getLogger(__name__)

# Clocks differ and portals index late: changes are asked for from a little before the last walk (as ckanext-harvest).
OVERLAP = timedelta(hours=1)
BATCH = 500
COUNTED = tuple(Action)


class Cancelled(HarvesterError):
    """Someone cancelled the run while it was under way."""

    code = "cancelled"


@dataclass
class Tally:
    """The counters of a run, as its row keeps them; `errors` are lost records without a name, `unstored` all of which
    no row is kept."""

    advertised: int | None = None
    fetched: int = 0
    warnings: int = 0
    errors: int = 0
    unstored: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, COUNTED), 0))

    def columns(self) -> dict[str, int | None]:
        """The values of the columns of `runs`."""
        return {"advertised": self.advertised, "fetched": self.fetched, "warnings": self.warnings, **self.counts}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a run's diff."""

    action: str
    guid: str
    title: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended."""

    source: str
    status: str
    tally: Tally
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one run needs from the outside; `on_page` and `on_change` are told of progress and of each change."""

    engine: Engine
    settings: Settings
    http: Http
    now: Callable[[], datetime]
    dry: bool = False
    connectors: Callable[[str], Connector] = registry.connector
    on_page: Callable[[Tally], None] = lambda tally: None
    on_change: Callable[[Change], None] = lambda change: None


def run(harvest: Harvest, row: Row, run_id: int, mode: str) -> Result:  # type: ignore[type-arg]
    """Execute a claimed run of the source in `row`; `mode` is full, incremental or replay.  Never raises."""
    ref, started, tally = RunRef(run_id, row.id, row.name, mode != "replay"), harvest.now(), Tally()
    try:
        connector = harvest.connectors(row.connector)
        source = Source(row.name, row.url, connector.Options.model_validate(row.options))
        walk = Walk(since=_since(row, mode), known=lambda digest: _known(harvest, ref, digest))
        pages = _kept_pages(harvest, ref) if mode == "replay" else ahead(connector.fetch(source, harvest.http, walk))
        _consume(harvest, ref, pages, _Mapper(connector, source, always=mode == "replay"), tally)
        verdict = Retirement(False, False)
        if mode != "replay":
            verdict = _settle(harvest, ref, tally, walk)
        result = _outcome(ref, tally, verdict)
    except Cancelled as error:
        return Result(ref.source, "cancelled", tally, error.code, error.message)
    except HarvesterError as error:
        result = _failure(harvest, ref, tally, error)
    except Exception as error:
        log.exception("unexpected source=%s run=%s", ref.source, ref.id)
        wrapped = SourceError(f"unexpected {type(error).__name__}: {error}", code="unexpected")
        result = _failure(harvest, ref, tally, wrapped)
    _close(harvest, ref, result, mode, started)
    return result


def _known(harvest: Harvest, ref: RunRef, digest: bytes) -> Body | None:
    with harvest.engine.connect() as connection:
        return queries.known_body(connection, ref.source_id, digest)


def _since(row: Row, mode: str) -> datetime | None:  # type: ignore[type-arg]
    return row.since_at - OVERLAP if mode == "incremental" and row.since_at else None


@dataclass(frozen=True, slots=True)
class _Mapper:
    """The mapping half of a connector, with every way it can fail turned into a reason."""

    connector: Connector
    source: Source
    always: bool

    def dataset(self, record: Record) -> Dataset:
        """The normalised dataset.  Raises `RecordError`, also for what the connector did not foresee."""
        try:
            return self.connector.normalise(record, self.source)
        except RecordError:
            raise
        except Exception as error:
            log.exception("unexpected in normalise source=%s guid=%s", self.source.name, record.guid)
            message = f"the connector failed on this record: {type(error).__name__}: {error}"
            raise RecordError(message, code="unexpected") from error


def _consume(harvest: Harvest, ref: RunRef, pages: Iterable[Page], mapper: _Mapper, tally: Tally) -> None:
    for page in pages:
        if page.advertised is not None:
            tally.advertised = page.advertised
        for piece in _pieces(page):
            _take(harvest, ref, piece, mapper, tally)
        harvest.on_page(tally)


def _pieces(page: Page) -> Iterator[Page]:
    """A page in pieces of one batch; the cursor and the problems go with the last one."""
    last = max(0, (len(page.records) - 1) // BATCH)
    for number in range(last + 1):
        part = page.records[number * BATCH : (number + 1) * BATCH]
        yield replace(page, records=part) if number == last else Page(part, body=page.body)


def _take(harvest: Harvest, ref: RunRef, page: Page, mapper: _Mapper, tally: Tally) -> None:
    """Decide on every record of a piece and write the decisions and the progress in one transaction."""
    named = [error.guid for error in page.problems if error.guid is not None]
    with harvest.engine.connect() as connection:
        known = queries.known(connection, ref.source_id, [*(record.guid for record in page.records), *named])
    problems = [_problem(error, "fetch") for error in page.problems]
    problems += [_problem(note, "fetch", "warning") for note in page.notes]
    outcomes = list(_decided(page.records, known, mapper, ref, problems))
    tally.fetched += len(page.records) + len(page.problems)
    tally.errors += len(page.problems) - len(named)
    tally.unstored += len(page.problems) - sum(guid in known for guid in named)
    for outcome in outcomes:
        tally.counts[outcome.action] += 1
        _tell(harvest, outcome)
    if page.unchanged:
        tally.fetched += page.unchanged.records
        tally.counts[Action.UNCHANGED] += page.unchanged.records
    tally.warnings += sum(problem.severity == "warning" for problem in problems)
    tally.counts[Action.FAILED] += len(page.problems)
    if harvest.dry:
        return
    now = harvest.now()
    gone = [o.stored.id for o in outcomes if o.action is Action.RETIRED and o.stored]
    with writing(harvest.engine) as connection:
        store.write(connection, ref, outcomes, now)
        # A record that could not be read but has a name is there: it must not be taken for one that vanished.
        store.touch(connection, ref, [known[guid].id for guid in named if guid in known])
        store.retire(connection, ref, gone, now)
        _note_body(connection, ref, page)
        store.report(connection, ref.id, problems)
        progress = {**tally.columns(), "heartbeat_at": now, "cursor": page.cursor}
        if not store.advance(connection, ref.id, progress):
            raise Cancelled(f"run {ref.id} was cancelled")


def _note_body(connection: Connection, ref: RunRef, page: Page) -> None:
    """Keep track of the answers that records came with, for the day the same bytes come again."""
    if page.unchanged:
        store.touch_body(connection, ref, page.unchanged.digest)
    if page.body:
        store.stamp(connection, ref, [record.guid for record in page.records if not record.deleted], page.body)
    if page.whole and queries.body_count(connection, ref.source_id, page.whole.digest) == page.whole.records:
        store.keep_body(connection, ref, page.whole)


def _decided(
    records: Iterable[Record], known: dict[str, Stored], mapper: _Mapper, ref: RunRef, problems: list[Problem]
) -> Iterator[Outcome]:
    met: set[str] = set()
    for record in records:
        stored, payload_hash = known.get(record.guid), jsonio.digest(record.payload)
        if record.guid in met:
            yield Outcome(Action.REPEATED, record, payload_hash, stored)
            continue
        met.add(record.guid)
        if record.deleted:
            gone = stored is not None and stored.status == "active"
            yield Outcome(Action.RETIRED if gone else Action.REPEATED, record, payload_hash, stored)
            continue
        action = None if mapper.always else at_a_glance(stored, payload_hash, ref.id)
        yield (
            Outcome(action, record, payload_hash, stored)
            if action
            else _mapped(record, stored, payload_hash, mapper, problems)
        )


def _mapped(
    record: Record, stored: Stored | None, payload_hash: bytes, mapper: _Mapper, problems: list[Problem]
) -> Outcome:
    try:
        dataset = mapper.dataset(record)
    except RecordError as error:
        error.guid = record.guid
        problems.append(_problem(error, "normalise"))
        return Outcome(Action.FAILED, record, payload_hash, stored)
    problems.extend(
        Problem("normalise", "warning", p.code, p.message, record.guid, p.field, p.value)
        for p in dict.fromkeys(dataset.problems)
    )
    outcome = Outcome(
        Action.CREATED,
        record,
        payload_hash,
        stored,
        dataset,
        dataset_json(dataset),
        match_keys(dataset, mapper.source.home),
    )
    return replace(outcome, action=after_mapping(stored, outcome.dataset_hash))


def _settle(harvest: Harvest, ref: RunRef, tally: Tally, walk: Walk) -> Retirement:
    """The count contract, then the vanished records: retired, or held for a person to decide."""
    if harvest.dry:
        return Retirement(False, False)
    with harvest.engine.connect() as connection:
        distinct = queries.distinct_seen(connection, ref.id, ref.source_id) + tally.unstored
        vanished = store.vanished_count(connection, ref)
        active = queries.active_count(connection, ref.source_id)
    walked = Walked(True, walk.since is not None, tally.fetched, distinct, tally.advertised, tally.errors)
    if not walked.incremental and tally.advertised is not None and distinct < tally.advertised:
        _report_gap(harvest, ref, tally, distinct)
    if not walked.incremental:
        with writing(harvest.engine) as connection:
            store.forget_bodies(connection, ref)
    guard = Guard(harvest.settings.retire_share, harvest.settings.retire_least)
    verdict = retirement(walked, vanished, active, guard)
    if verdict.retire:
        _retire_vanished(harvest, ref, tally)
    return verdict


def _report_gap(harvest: Harvest, ref: RunRef, tally: Tally, distinct: int) -> None:
    tally.warnings += 1
    message = f"the source advertises {tally.advertised} records and gave {distinct} distinct ones"
    with writing(harvest.engine) as connection:
        store.report(connection, ref.id, [Problem("walk", "warning", "count-gap", message)])


def _retire_vanished(harvest: Harvest, ref: RunRef, tally: Tally) -> None:
    while True:
        with writing(harvest.engine) as connection:
            rows = queries.vanished_page(connection, ref.id, ref.source_id, 0, BATCH)
            if not rows:
                return
            store.retire(connection, ref, [row.id for row in rows], harvest.now())
        tally.counts[Action.RETIRED] += len(rows)
        for row in rows:
            harvest.on_change(Change(str(Action.RETIRED), row.guid, row.title))


def _outcome(ref: RunRef, tally: Tally, verdict: Retirement) -> Result:
    status = "held" if verdict.held else "partial" if tally.counts[Action.FAILED] or verdict.code else "succeeded"
    return Result(ref.source, status, tally, verdict.code or None, verdict.reason or None)


def _failure(harvest: Harvest, ref: RunRef, tally: Tally, error: HarvesterError) -> Result:
    if not harvest.dry:
        with writing(harvest.engine) as connection:
            store.report(connection, ref.id, [_problem(error, "fetch")])
    return Result(ref.source, "failed", tally, error.code, error.message)


def _close(harvest: Harvest, ref: RunRef, result: Result, mode: str, started: datetime) -> None:
    if harvest.dry:
        return
    ended = harvest.now()
    values = {**result.tally.columns(), "status": result.status, "code": result.code, "message": result.message}
    with writing(harvest.engine) as connection:
        store.advance(connection, ref.id, {**values, "ended_at": ended, "heartbeat_at": ended, "cursor": None})
        if result.status in ("succeeded", "partial", "held") and mode != "replay":
            dates = {"since_at": started} | ({"complete_at": started} if mode == "full" else {})
            store.edit_source(connection, ref.source_id, dates)
    log.info("run ended source=%s run=%s status=%s", ref.source, ref.id, result.status)


def _kept_pages(harvest: Harvest, ref: RunRef) -> Iterator[Page]:
    """The payloads kept from earlier runs, as if the source had just sent them."""
    after = 0
    while True:
        with harvest.engine.connect() as connection:
            kept = queries.kept_payloads(connection, ref.source_id, after, BATCH)
        if not kept:
            return
        after = kept[-1][0]
        yield Page(tuple(Record(guid, payload) for _, guid, payload in kept), cursor=str(after))


def _problem(error: HarvesterError, stage: str, severity: str = "error") -> Problem:
    guid = getattr(error, "guid", None)
    value = None if error.value is None else str(error.value)
    return Problem(stage, severity, error.code, error.message, guid, error.field, value, error.url)


def _tell(harvest: Harvest, outcome: Outcome) -> None:
    if outcome.action in (Action.UNCHANGED, Action.REPEATED):
        return
    title = next(iter(outcome.dataset.title.values()), None) if outcome.dataset else None
    harvest.on_change(Change(str(outcome.action), outcome.record.guid, title))
