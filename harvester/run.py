"""One harvest run, top to bottom.

    claim -> connector.fetch -> pages | known? | normalise | decide | write   (page by page, each in one transaction)
          -> count contract -> what vanished: retire or hold -> close

A record that fails is a row with a reason; a source that fails retires nothing; a run always ends in a status.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row

from harvester import jsonio
from harvester.ahead import ahead
from harvester.catalogue import queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.packing import dataset_json
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.connector import Body, Connector, Page, Record, Source, Walk
from harvester.decide import Action, Retirement, Stored, after_mapping, at_a_glance
from harvester.errors import HarvesterError, RecordError, SourceError
from harvester.fields.languages import preferred
from harvester.harvest import Cancelled, Change, Harvest, Result, Tally, problem_of
from harvester.identity import known_as, match_keys
from harvester.model import Catalogue, Dataset
from harvester.settle import close, ended, failure, settle
from harvester.vocabularies import heeding

log = logging.getLogger(__name__)

# Clocks differ and portals index late: changes are asked for from a little before the last walk (as ckanext-harvest).
OVERLAP = timedelta(hours=1)
BATCH = 500
# So many pages in a row without anything new mean a portal that pages for ever.
MOST_IDLE_PAGES = 20


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
            verdict = settle(harvest, ref, tally, walk)
        result = ended(ref, tally, verdict)
    except Cancelled as error:
        return Result(ref.source, "cancelled", tally, error.code, error.message)
    except HarvesterError as error:
        result = failure(harvest, ref, tally, error)
    except Exception as error:
        log.exception("unexpected source=%s run=%s", ref.source, ref.id)
        wrapped = SourceError(f"unexpected {type(error).__name__}: {error}", code="unexpected")
        result = failure(harvest, ref, tally, wrapped)
    close(harvest, ref, result, mode, started)
    return result


def _known(harvest: Harvest, ref: RunRef, digest: bytes) -> Body | None:
    if harvest.dry:
        return None
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
            with heeding(getattr(self.source.options, "overrides", None)):
                return self.connector.normalise(record, self.source)
        except RecordError:
            raise
        except Exception as error:
            log.exception("unexpected in normalise source=%s guid=%s", self.source.name, record.guid)
            message = f"the connector failed on this record: {type(error).__name__}: {error}"
            raise RecordError(message, code="unexpected") from error


def _consume(harvest: Harvest, ref: RunRef, pages: Iterable[Page], mapper: _Mapper, tally: Tally) -> None:
    for page in pages:
        tally.state(page.advertised)
        for piece in _pieces(page):
            _take(harvest, ref, piece, mapper, tally)
        harvest.on_page(tally)


def _pieces(page: Page) -> Iterator[Page]:
    """A page in pieces of one batch; the cursor and the problems go with the last one."""
    last = max(0, (len(page.records) - 1) // BATCH)
    for number in range(last + 1):
        part = page.records[number * BATCH : (number + 1) * BATCH]
        yield replace(page, records=part) if number == last else Page(part, body=page.body, doubtful=page.doubtful)


def _take(harvest: Harvest, ref: RunRef, page: Page, mapper: _Mapper, tally: Tally) -> None:
    """Decide on every record of a piece and write the decisions and the progress in one transaction."""
    named = [error.guid for error in page.problems if error.guid is not None]
    with harvest.engine.connect() as connection:
        known = queries.known(connection, ref.source_id, [*(record.guid for record in page.records), *named])
    problems = [problem_of(error, "fetch") for error in page.problems]
    problems += [problem_of(note, "fetch", "warning") for note in page.notes]
    said = _stated(page, tally, problems)
    outcomes = list(_decided(page, known, mapper, ref, problems))
    _count(tally, page, outcomes, sum(guid in known for guid in named), len(named))
    tally.warnings += sum(problem.severity == "warning" for problem in problems)
    for outcome in outcomes:
        _tell(harvest, outcome)
    if harvest.dry:
        tally.saw.update(o.stored.id for o in outcomes if o.stored and o.action is not Action.RETIRED)
        tally.saw.update(known[guid].id for guid in named if guid in known)
        return
    now = harvest.now()
    gone = [o.stored.id for o in outcomes if o.action is Action.RETIRED and o.stored]
    with writing(harvest.engine) as connection:
        store.write(connection, ref, outcomes, now)
        # A record that could not be read but has a name is there: it must not be taken for one that vanished.
        store.touch(connection, ref, [known[guid].id for guid in named if guid in known])
        store.retire(connection, ref, gone, now)
        _note_body(connection, ref, page)
        if said:
            store.keep_catalogue(connection, ref.source_id, said)
        store.report(connection, ref.id, problems)
        progress = {**tally.columns(), "heartbeat_at": now, "cursor": page.cursor}
        if not store.advance(connection, ref.id, progress):
            raise Cancelled(f"run {ref.id} was cancelled")


def _stated(page: Page, tally: Tally, problems: list[Problem]) -> dict[str, Any] | None:
    """All that the source has said of itself in this walk, where the page adds to it; what it said first counts."""
    added = {name: value for name, value in (page.catalogue or {}).items() if value and name not in tally.heard}
    if not added:
        return None
    tally.heard |= added.keys()
    try:
        catalogue = Catalogue.of(added)
    except ValidationError as error:
        message = f"the connector describes the catalogue in a way that cannot be read: {error}"
        problems.append(Problem("fetch", "warning", "unreadable-catalogue", message))
        return None
    problems += [
        Problem("fetch", "warning", p.code, p.message, None, p.field, p.value)
        for p in dict.fromkeys(catalogue.problems)
    ]
    tally.catalogue |= catalogue.plain()
    return tally.catalogue


def _count(tally: Tally, page: Page, outcomes: list[Outcome], stored: int, named: int) -> None:
    """Add a piece to the counters.  Raises `SourceError` when a portal goes on giving what it gave before."""
    tally.fetched += len(page.records) + len(page.problems)
    tally.errors += len(page.problems) - named
    tally.unstored += len(page.problems) - stored
    tally.counts[Action.FAILED] += len(page.problems)
    for outcome in outcomes:
        tally.counts[outcome.action] += 1
        tally.dropped += outcome.record.deleted and outcome.action is not Action.RETIRED
    if page.unchanged:
        tally.fetched += page.unchanged.records
        tally.counts[Action.UNCHANGED] += page.unchanged.records
    fresh = any(o.action is not Action.REPEATED or o.record.deleted for o in outcomes)
    tally.idle = 0 if fresh or page.unchanged else tally.idle + bool(outcomes)
    if tally.idle > MOST_IDLE_PAGES:
        message = f"{tally.idle} pages in a row brought only records that had come before"
        raise SourceError(message, code="paging-loop")


def _note_body(connection: Connection, ref: RunRef, page: Page) -> None:
    """Keep track of the answers that records came with, for the day the same bytes come again."""
    if page.unchanged:
        store.touch_body(connection, ref, page.unchanged.digest)
    if page.body:
        store.stamp(connection, ref, [record.guid for record in page.records if not record.deleted], page.body)
    if page.whole and queries.body_count(connection, ref.source_id, page.whole.digest) == page.whole.records:
        store.keep_body(connection, ref, page.whole)


def _decided(
    page: Page, known: dict[str, Stored], mapper: _Mapper, ref: RunRef, problems: list[Problem]
) -> Iterator[Outcome]:
    met: set[str] = set()
    for record in page.records:
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
        if page.doubtful and stored is not None and stored.status == "active" and action is None:
            # What is left of a broken document must not replace what was whole.
            yield Outcome(Action.UNCHANGED, record, stored.payload_hash, stored)
            continue
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
        problems.append(problem_of(error, "normalise"))
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
        known_as(dataset, record.guid, mapper.source.home),
    )
    return replace(outcome, action=after_mapping(stored, outcome.dataset_hash))


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


def _tell(harvest: Harvest, outcome: Outcome) -> None:
    if outcome.action in (Action.UNCHANGED, Action.REPEATED):
        return
    title = preferred(outcome.dataset.title) if outcome.dataset else None
    harvest.on_change(Change(str(outcome.action), outcome.record.guid, title))
