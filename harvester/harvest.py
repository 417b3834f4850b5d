"""What one run needs from the outside, what it counts, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError, TimeoutError

from harvester import registry
from harvester.catalogue import claims, queries
from harvester.catalogue.database import writing
from harvester.catalogue.store import Problem, RunRef
from harvester.connector import Connector, Page
from harvester.decide import DOUBTS, Action
from harvester.errors import HarvesterError, Stopped
from harvester.history.telling import Field
from harvester.http import Http
from harvester.settings import Settings
from harvester.stage import Stage

log = logging.getLogger(__name__)

COUNTED = tuple(Action)
# A total beyond this is a lie or a mistake, and no database could hold it.
LARGEST_TOTAL = 2**53
# So many records a source may withdraw by saying so; what is more counts as missing.
MOST_WITHDRAWN = 1000
# Totals that are capped at 10,000 stand for a million; what goes far beyond has no end.
_MOST_TIMES, _AND_MORE = 100, 10_000
_MOST_UNCOUNTED = 10_000_000
# Of a source whose last walk had no end less is believed.
_TWICE, _SOME = 2, 1000
# Seconds between two statements of a transaction, at least; a batch takes one or two to prepare.
_LEAST_PATIENCE = 10.0


class Cancelled(Stopped):
    """The run is not ours any longer: someone cancelled it, or another worker has it; nothing may be written."""

    code = "cancelled"


class OutOfTime(HarvesterError):
    """The run has taken as long as one may; the next one of its source goes on where it stopped."""

    code = "run-time"


@dataclass
class Tally:
    """The counters of a run, as its row keeps them.

    `errors` counts lost records without a name; `unstored` lost and `dropped` unwanted ones of which no row is kept;
    `idle` pages in a row that brought nothing new; `gap` that less came than was advertised.  A dry run, which marks
    nothing as seen, keeps what it met on its `stage`.  `catalogue` is what the source said
    of itself so far, in its plain form, from the fields `heard`.

    The source itself says of the records `withdrawn` that they are gone; one too many stands for all further ones.

    The source stated totals from `least` to `most`; `doubt` says why the walk may not have shown all that there is,
    `sound` that it did, `distinct` how many different records, of which so many were `carried` over from another
    identifier; `findings` are told when the run is closed.

    The rest is for whoever resumes the run: `ahead` counts the records that were written after the page of the cursor
    and will come again, `place` those that came since; `attempt` is the last one that got any further, `walked` says
    that the walk is over; `rate_from` is when and with how many records this attempt began; `interrupted` says that
    the walk stood still for long between two attempts.  Of what those wrote so many records may come again, `familiar`,
    before that speaks for a source without an end; it is `suspect` when the run before ended in such a way.
    """

    advertised: int | None = None
    fetched: int = 0
    warnings: int = 0
    errors: int = 0
    unstored: int = 0
    dropped: int = 0
    idle: int = 0
    pages: int = 0
    ahead: int = 0
    place: int = 0
    attempt: int = 0
    gap: bool = False
    walked: bool = False
    rate_from: tuple[str, int] | None = None
    interrupted: bool = False
    familiar: int = 0
    suspect: bool = False
    carried: int = 0
    least: int | None = None
    most: int | None = None
    doubt: str = ""
    distinct: int | None = None
    sound: bool | None = None
    findings: list[Problem] = field(default_factory=list)
    stage: Stage | None = None
    withdrawn: list[int] = field(default_factory=list)
    catalogue: dict[str, Any] = field(default_factory=dict)
    heard: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, COUNTED), 0))

    @classmethod
    def resumed(cls, state: Mapping[str, Any]) -> Tally:
        """The tally that an earlier attempt left in `runs.state`; a new one when that is empty."""
        tally = cls(**{name: value for name, value in state.items() if name in _KEPT})
        tally.heard = set(tally.heard)
        tally.counts = dict.fromkeys(map(str, COUNTED), 0) | tally.counts
        tally.familiar = tally.fetched
        return tally

    def advertise(self, total: int | None) -> None:
        """Note the total that the source states, unless it cannot be one."""
        if total is not None and 0 <= total <= LARGEST_TOTAL:
            self.advertised = total
            self.least = total if self.least is None else min(self.least, total)
            self.most = total if self.most is None else max(self.most, total)

    def question(self, page: Page) -> None:
        """Note what of a page speaks against taking the walk for all that the source has."""
        said = next((note.code for note in page.notes if note.code in DOUBTS), "")
        self.doubt = self.doubt or said or ("broken-answer" if page.doubtful else "")

    def withdraw(self, records: Iterable[int]) -> None:
        """Note records that the source says are gone; pages that overlap say so twice."""
        room = MOST_WITHDRAWN + 1 - len(self.withdrawn)
        known = set(self.withdrawn) if room else ()
        self.withdrawn += [record for record in dict.fromkeys(records) if record not in known][:room] if room else []

    def withdrew(self, record: int) -> bool:
        """Whether a record was noted so, or may have been."""
        return record in self.withdrawn or len(self.withdrawn) > MOST_WITHDRAWN

    @property
    def restless(self) -> bool:
        """Whether the source stated different totals during the walk, or had the time to change unseen."""
        return self.least != self.most or self.interrupted

    @property
    def endless(self) -> bool:
        """Whether so much more came than the source counts that it must be making up records as it is asked."""
        times, more = (_TWICE, _SOME) if self.suspect else (_MOST_TIMES, _AND_MORE)
        return self.fetched > (times * self.most + more if self.most else _MOST_UNCOUNTED)

    @property
    def again(self) -> int:
        """How many of the next records were written by an earlier attempt, as long as the portal has not changed."""
        return max(0, self.ahead - self.place)

    def begin_again(self) -> None:
        """Note that all that earlier attempts have written will come again."""
        self.ahead, self.place = self.fetched, 0

    def repeat(self, records: int) -> None:
        """Note a piece of a page that brought nothing new."""
        self.idle += records > 0 and self.familiar <= 0
        self.familiar -= records

    def move(self, records: int, resumable: bool) -> None:
        """Note that so many records were written, and whether a resumed run goes on after them."""
        self.place += records
        self.ahead = max(0, self.ahead - self.place) if resumable else max(self.ahead, self.place)
        self.place = 0 if resumable else self.place

    def columns(self) -> dict[str, Any]:
        """The values of the columns of `runs` that count."""
        counted = {"advertised": self.advertised, "fetched": self.fetched, "warnings": self.warnings}
        return {**counted, "pages": self.pages, **self.counts}

    def progress(self) -> dict[str, Any]:
        """The values of the row of a run that goes on: all that another worker needs to resume it."""
        state = {name: getattr(self, name) for name in _KEPT} | {"heard": sorted(self.heard)}
        return {**self.columns(), "state": state}


# What is not for whoever resumes the run.
_OWN = ("stage", "place", "findings", "familiar")
_KEPT = tuple(entry.name for entry in fields(Tally) if entry.name not in _OWN)


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a run's diff: a dry run tells the fields, `code` and `message` say why a record failed."""

    action: str
    guid: str | None
    title: str | None
    fields: tuple[Field, ...] = ()
    code: str | None = None
    message: str | None = None
    was: str | None = None


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
    """What one run needs from the outside; `on_page` and `on_change` are told of progress and of each change.

    `stop` says whether somebody wants the run to stop: it was cancelled or lost, or the process is told to end.
    """

    engine: Engine
    settings: Settings
    http: Http
    now: Callable[[], datetime]
    dry: bool = False
    connectors: Callable[[str], Connector] = registry.connector
    on_page: Callable[[Tally], None] = lambda tally: None
    on_change: Callable[[Change], None] = lambda change: None
    stop: Callable[[], bool] = lambda: False


@contextmanager
def stepping(harvest: Harvest, ref: RunRef, values: Mapping[str, Any]) -> Iterator[Connection]:
    """One write transaction of a run, which ends by noting in its row how far it has come.

    Raises `Cancelled`, and undoes what was written, when the run is not ours any longer.  That is looked at first,
    too: what another worker has written since would be in the way of what was decided here before.
    """
    lost = f"run {ref.id} was cancelled, or another worker has it"
    with writing(harvest.engine) as connection:
        if connection.dialect.name == "postgresql":
            # A worker that hangs in the middle must not keep the others waiting for longer than its run is its own.
            patience = max(_LEAST_PATIENCE, harvest.settings.lease_seconds)
            connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{patience:.0f}s'"))
        if claims.standing(connection, ref) is None:
            raise Cancelled(lost)
        yield connection
        if not claims.advance(connection, ref, {"heartbeat_at": harvest.now(), **values}):
            raise Cancelled(lost)


def given_back(harvest: Harvest, ref: RunRef, tally: Tally) -> Result:
    """How a run ends that is wanted no longer here: queued again if it is still ours, else as its row says."""
    if harvest.dry:
        return Result(ref.source, "cancelled", tally, "stopped", "stopped")
    try:
        with writing(harvest.engine) as connection:
            row = queries.run_by_id(connection, ref.id)
            state = {**((row and row.state) or {}), "attempt": ref.attempt}
            if claims.release(connection, ref, {"state": state}):
                return Result(ref.source, "queued", tally, "stopped", "stopped; it goes on from here the next time")
    except SQLAlchemyError as trouble:
        return out_of_reach(ref, tally, trouble)
    if row is not None and row.status == "cancelled":
        return Result(ref.source, "cancelled", tally, "cancelled", row.message)
    return Result(ref.source, "lost", tally, "worker-lost", "another worker has taken over this run")


def unreachable(error: Exception) -> bool:
    """Whether the database is what failed, and not what was written: no run has failed because of that.

    A connection that the server cut because a transaction stood still is an `InternalError` of the driver.
    """
    cut = isinstance(error, DBAPIError) and error.connection_invalidated
    return cut or isinstance(error, OperationalError | InterfaceError | TimeoutError)


def out_of_reach(ref: RunRef, tally: Tally, trouble: SQLAlchemyError) -> Result:
    """How a run ends here whose database fails: it is left to its lease."""
    log.error("the database failed source=%s run=%s: %s", ref.source, ref.id, trouble)
    message = "the database does not answer; when it does, the run goes on where it stopped"
    return Result(ref.source, "lost", tally, "database-lost", message)


def problem_of(error: HarvesterError, stage: str, severity: str = "error") -> Problem:
    """The row of the report that tells an error."""
    guid = getattr(error, "guid", None)
    value = None if error.value is None else str(error.value)
    return Problem(stage, severity, error.code, error.message, guid, error.field, value, error.url)
