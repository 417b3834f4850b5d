"""One harvest run, top to bottom.

    claim -> connector.fetch -> pages | known? | normalise | decide | write   (page by page, each in one transaction)
          -> count contract -> what vanished: retire or hold -> close

A record that fails is a row with a reason; a source that fails retires nothing; a run always ends in a status.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from harvester.ahead import ahead
from harvester.catalogue import marking, queries, store
from harvester.catalogue.claims import Claim
from harvester.catalogue.store import Outcome, Problem, RunRef
from harvester.connector import Body, Connector, Page, Record, Source, Walk
from harvester.decide import NOTHING, Action, Stored
from harvester.errors import HarvesterError, RecordError, SourceError, Stopped
from harvester.harvest import (
    Cancelled,
    Harvest,
    OutOfTime,
    Result,
    Tally,
    given_back,
    out_of_reach,
    problem_of,
    stepping,
    unreachable,
)
from harvester.history import rehearsal
from harvester.mapping import Mapper, decided
from harvester.model import Catalogue
from harvester.net.urls import redacted
from harvester.parting import asking
from harvester.settle import broken, close, ended, settle

log = logging.getLogger(__name__)

Pages = Generator[Page, None, None]
BATCH = 500
# What changed while a walk stood still for longer than this, it may have missed without a trace.
_LONG = timedelta(minutes=5)
# So many pages in a row without anything new mean a portal that pages for ever.
MOST_IDLE_PAGES = 20


def run(harvest: Harvest, row: Row, claim: Claim) -> Result:  # type: ignore[type-arg]
    """Execute a claimed run of the source in `row`, from where an earlier attempt left it.  Never raises."""
    ref, tally = claim.ref, Tally.resumed(claim.state)
    tally.interrupted |= claim.cursor is not None and not tally.walked and claim.stood_still > _LONG
    tally.suspect |= claim.looped
    tally.rate_from = (harvest.now().isoformat(), tally.fetched)
    try:
        connector = harvest.connectors(row.connector)
        source = Source(row.name, row.url, connector.Options.model_validate(row.options))
        walk = Walk(
            claim.since, claim.cursor, known=partial(_known, harvest, ref), standing=partial(_standing, harvest, ref)
        )
        with rehearsal.staged(harvest, ref, tally):
            if not tally.walked:
                pages = _pages(harvest, claim, connector, source, walk)
                mapper = Mapper(connector, source, always=claim.mode == "replay", ours=harvest.settings.address)
                with mapper.telling():
                    _consume(harvest, ref, pages, mapper, tally)
                _walked(harvest, ref, tally)
            verdict = NOTHING
            if claim.mode != "replay":
                verdict = settle(harvest, ref, tally, walk, asking(connector, source, harvest.http))
        result = ended(ref, tally, verdict)
        close(harvest, ref, result, claim.mode, claim.started_at)
    except Exception as error:
        return _broken_off(harvest, claim, tally, error, row.url)
    return result


def _broken_off(harvest: Harvest, claim: Claim, tally: Tally, error: Exception, url: str) -> Result:
    """How a run ends that an error ended: it is given back, left to its lease, or failed."""
    try:
        if isinstance(error, Stopped):
            return given_back(harvest, claim.ref, tally)
        if unreachable(error):
            raise error
        result = broken(harvest, claim.ref, tally, _as_ours(error, claim.ref, url))
        close(harvest, claim.ref, result, claim.mode, claim.started_at)
    except Cancelled:
        return given_back(harvest, claim.ref, tally)
    except SQLAlchemyError as trouble:
        return out_of_reach(claim.ref, tally, trouble)
    return result


def _as_ours(error: Exception, ref: RunRef, url: str) -> HarvesterError:
    """The error as one of ours; it names the address of the source where it names no other."""
    if isinstance(error, HarvesterError):
        error.url = error.url or redacted(url)
        return error
    log.error("unexpected source=%s run=%s", ref.source, ref.id, exc_info=error)
    return SourceError(f"unexpected {type(error).__name__}: {error}", code="unexpected", url=redacted(url))


def _pages(harvest: Harvest, claim: Claim, connector: Connector, source: Source, walk: Walk) -> Pages:
    if claim.mode == "replay":
        return _kept_pages(harvest, claim.ref, claim.cursor)
    return ahead(connector.fetch(source, harvest.http, walk))


def _walked(harvest: Harvest, ref: RunRef, tally: Tally) -> None:
    """Note that the walk is over: whoever resumes the run now has nothing to ask for."""
    tally.walked = True
    if not harvest.dry:
        with stepping(harvest, ref, tally.progress()):
            log.info("walked source=%s run=%s fetched=%s", ref.source, ref.id, tally.fetched)


def _known(harvest: Harvest, ref: RunRef, digest: bytes) -> Body | None:
    with harvest.engine.connect() as connection:
        return queries.known_body(connection, ref.source_id, digest)


def _standing(harvest: Harvest, ref: RunRef, url: str) -> Body | None:
    since = harvest.now() - timedelta(days=harvest.settings.full_every_days)
    with harvest.engine.connect() as connection:
        return queries.standing_body(connection, ref.source_id, url, since)


def _consume(harvest: Harvest, ref: RunRef, pages: Pages, mapper: Mapper, tally: Tally) -> None:
    reported = _reported(harvest, ref, tally)
    with closing(pages):
        for page in pages:
            if page.anew and tally.fetched:
                tally.begin_again()
                reported = _reported(harvest, ref, tally)
            tally.advertise(page.advertised)
            tally.question(page)
            for piece, last in _pieces(page):
                _take(harvest, ref, _news(piece, reported if tally.again else None), mapper, tally, last)
                if harvest.stop():
                    raise Stopped(f"run {ref.id} is wanted no longer by this process")
            harvest.on_page(tally)
            _watch_time(harvest, tally)


def _watch_time(harvest: Harvest, tally: Tally) -> None:
    hours, began = harvest.settings.run_hours, tally.rate_from and datetime.fromisoformat(tally.rate_from[0])
    if hours and began and harvest.now() - began > timedelta(hours=hours):
        raise OutOfTime(f"after {hours:g} hours the run ends; the next one of this source goes on from here")


def _pieces(page: Page) -> Iterator[tuple[Page, bool]]:
    """A page in pieces of one batch, and which is the last: the cursor and the problems go with that one."""
    last = max(0, (len(page.records) - 1) // BATCH)
    for number in range(last + 1):
        part = page.records[number * BATCH : (number + 1) * BATCH]
        rest = Page(part, body=page.body, doubtful=page.doubtful)
        yield (replace(page, records=part), True) if number == last else (rest, False)


def _reported(harvest: Harvest, ref: RunRef, tally: Tally) -> Counter[tuple[Any, ...]]:
    """What earlier attempts have reported of records that come again, with how often."""
    if not tally.again:
        return Counter()
    with harvest.engine.connect() as connection:
        return Counter(queries.reported(connection, ref.id, "fetch"))


def _news(page: Page, reported: Counter[tuple[Any, ...]] | None) -> Page:
    """The page without the problems that an earlier attempt has reported."""
    if not reported or not (page.problems or page.notes):
        return page
    return replace(page, problems=_unreported(page.problems, reported), notes=_unreported(page.notes, reported))


def _unreported(errors: Iterable[RecordError], reported: Counter[tuple[Any, ...]]) -> tuple[RecordError, ...]:
    fresh = []
    for error in errors:
        mark = store.mark(problem_of(error, "fetch"))
        if reported[mark]:
            reported[mark] -= 1
        else:
            fresh.append(error)
    return tuple(fresh)


def _take(harvest: Harvest, ref: RunRef, page: Page, mapper: Mapper, tally: Tally, last: bool) -> None:
    """Decide on every record of a piece and write the decisions and the progress in one transaction."""
    named = [error.guid for error in page.problems if error.guid is not None]
    with harvest.engine.connect() as connection:
        known = queries.known(connection, ref.source_id, [*(record.guid for record in page.records), *named])
        page, size = _without_met(connection, ref, page, known, tally)
    if harvest.dry:
        known = rehearsal.met(ref, [*(record.guid for record in page.records), *named], known, tally)
    problems = [problem_of(error, "fetch") for error in page.problems]
    problems += [problem_of(note, "fetch", "warning") for note in page.notes]
    said = _stated(page, tally, problems)
    outcomes = list(decided(page, known, mapper, ref, problems))
    _count(tally, page, outcomes, sum(guid in known for guid in named), len(named))
    tally.warnings += sum(problem.severity == "warning" for problem in problems)
    rehearsal.tell(harvest, tally, outcomes, problems)
    tally.withdraw(o.stored.id for o in outcomes if o.record.deleted and o.stored and o.stored.status == "active")
    _place(tally, ref, size, page.cursor is not None, last)
    if harvest.dry:
        rehearsal.remember(harvest, ref, tally, outcomes, known, named)
        if page.unchanged:
            rehearsal.stand(harvest, ref, tally, page.unchanged)
        return
    now = harvest.now()
    resumable = {} if page.cursor is None else {"cursor": page.cursor}
    # A record that could not be read but has a name is there: it must not be taken for one that vanished.
    there = [known[guid].id for guid in named if guid in known]
    with stepping(harvest, ref, tally.progress() | resumable) as connection:
        marking.prepare(connection, ref, outcomes, there, page.unchanged)
        store.write(connection, ref, outcomes, now)
        store.touch(connection, ref, there)
        _note_body(connection, ref, page, now)
        if said:
            store.keep_catalogue(connection, ref.source_id, said)
        store.report(connection, ref.id, problems)


def _without_met(
    connection: Connection, ref: RunRef, page: Page, known: dict[str, Stored], tally: Tally
) -> tuple[Page, int]:
    """The page without what an earlier attempt at this run has written and counted, and how large it was with it."""
    size, again = len(page.records) + (page.unchanged.records if page.unchanged else 0), tally.again
    if not again:
        return page, size
    fresh = tuple(record for record in page.records[:again] if not _met(record, known.get(record.guid), ref.id, tally))
    unchanged = page.unchanged
    if unchanged and queries.body_run(connection, ref.source_id, unchanged.digest) == ref.id:
        unchanged = None
    return replace(page, records=fresh + page.records[again:], unchanged=unchanged), size


def _met(record: Record, stored: Stored | None, run_id: int, tally: Tally) -> bool:
    if record.deleted:
        return stored is None or stored.status != "active" or tally.withdrew(stored.id)
    return stored is not None and stored.seen_run_id == run_id


def _place(tally: Tally, ref: RunRef, size: int, resumable: bool, last: bool) -> None:
    """Note where the walk stands after a piece; what an earlier attempt had written too is no step forward."""
    forward = tally.again == 0 or size > tally.again
    tally.move(size, resumable)
    if forward:
        tally.attempt = ref.attempt
        tally.pages += last


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
    tally.fetched += len(outcomes) + len(page.problems)
    tally.errors += len(page.problems) - named
    tally.unstored += len(page.problems) - stored
    tally.counts[Action.FAILED] += len(page.problems)
    for outcome in outcomes:
        tally.counts[outcome.action] += 1
        tally.dropped += outcome.record.deleted
    if page.unchanged:
        tally.fetched += page.unchanged.records
        tally.counts[Action.UNCHANGED] += page.unchanged.records
    fresh = any(o.action is not Action.REPEATED or o.record.deleted for o in outcomes)
    if fresh or page.unchanged:
        tally.idle = 0
    else:
        tally.repeat(len(outcomes))
    if tally.idle > MOST_IDLE_PAGES:
        message = f"{tally.idle} pages in a row brought only records that had come before"
        raise SourceError(message, code="paging-loop")
    if tally.endless:
        message = f"{tally.fetched} records came from a source that counts {tally.most}, and there is no end of them"
        raise SourceError(message, code="paging-loop")


def _note_body(connection: Connection, ref: RunRef, page: Page, now: datetime) -> None:
    """Keep track of the answers that records came with, for the day the same bytes come again."""
    if page.unchanged:
        store.touch_body(connection, ref, page.unchanged, now)
    if page.body:
        store.stamp(connection, ref, [record.guid for record in page.records if not record.deleted], page.body)
    if page.whole and queries.body_count(connection, ref.source_id, page.whole.digest) == page.whole.records:
        store.keep_body(connection, ref, page.whole, now)


def _kept_pages(harvest: Harvest, ref: RunRef, cursor: str | None) -> Pages:
    """The payloads kept from earlier runs, as if the source had just sent them."""
    after = int(cursor or 0)
    while True:
        with harvest.engine.connect() as connection:
            kept = queries.kept_payloads(connection, ref.source_id, after, BATCH)
        if not kept:
            return
        after = kept[-1][0]
        yield Page(tuple(Record(guid, payload) for _, guid, payload in kept), cursor=str(after))
