"""What Prometheus scrapes: read from rows that runs keep anyway, so that a scrape of a large catalogue costs little."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, Connection, Engine, Row, ScalarSelect, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from harvester import __version__
from harvester.catalogue import queries
from harvester.catalogue.tables import LIVE, notices, runs, sources
from harvester.duty import duty
from harvester.links import standings
from harvester.notices.outbox import ATTEMPTS
from harvester.search import Index

log = logging.getLogger(__name__)


class Watched(Collector):
    """The state of the catalogue at the moment of the scrape; `harvester_database_up` 0 is all there is without one."""

    def __init__(self, engine: Engine, index: Index, now: Callable[[], datetime]) -> None:
        self._engine, self._index, self._now = engine, index, now

    def collect(self) -> Iterator[Metric]:
        """Every family."""
        yield _one("build_info", "The version of the service.", {"version": __version__}, 1)
        try:
            with self._engine.connect() as connection:
                found = [*_queue(connection, self._now()), *_outbox(connection), *_sources(connection)]
                found += [_lag(connection, self._index), *_links(connection)]
        except SQLAlchemyError:
            log.exception("the database cannot be read")
            found = []
        yield _one("database_up", "Whether the database answers.", {}, int(bool(found)))
        yield from found


def _queue(connection: Connection, now: datetime) -> Iterator[Metric]:
    found = duty(connection, now)
    about = "Runs that wait (queued), go on (running), or wait for a person (held)."
    counts = {"queued": found.queued, "running": found.running, "held": found.held}
    yield _many("runs", about, ("status",), (((status,), count) for status, count in counts.items()))
    yield _one("queue_oldest_seconds", "How long the oldest queued run has waited.", {}, found.waiting_seconds)
    yield _one("heartbeat_oldest_seconds", "Age of the oldest heartbeat of a running run.", {}, found.silent_seconds)
    yield _one("sources_overdue", "Sources that were due over a minute ago and are not queued.", {}, found.overdue)


def _outbox(connection: Connection) -> Iterator[Metric]:
    where = (notices.c.sent_at.is_(None),)
    waiting = select(func.count()).select_from(notices).where(*where, notices.c.attempts < ATTEMPTS)
    lost = select(func.count()).select_from(notices).where(*where, notices.c.attempts >= ATTEMPTS)
    yield _one("notices_waiting", "Notices that are to be sent.", {}, connection.execute(waiting).scalar_one())
    yield _one("notices_given_up", "Notices that could not be sent.", {}, connection.execute(lost).scalar_one())


def _sources(connection: Connection) -> Iterator[Metric]:
    rows = connection.execute(_latest()).all()
    yield _gauge("source_up", "0 while the source fails: a run that was cancelled mends nothing.", rows, _up)
    yield _gauge("source_paused", "Whether the source is paused.", rows, lambda r: r.paused_at is not None)
    yield _gauge(
        "source_last_success_timestamp_seconds", "Start of its last error-free walk.", rows, lambda r: r.since_at
    )
    yield _gauge("source_last_run_timestamp_seconds", "End of its last run.", rows, lambda r: r.ended_at)
    yield _gauge("source_records", "Its active records after its last run.", rows, lambda r: r.accepted)
    yield _gauge("source_datasets", "Datasets of the catalogue that show them.", rows, lambda r: r.visible)
    yield _gauge("source_failed_records", "Records that its last run could not use.", rows, lambda r: r.failed)
    yield _gauge("source_warnings", "Warnings of its last run.", rows, lambda r: r.warnings)
    states = (((row.name, row.status), 1) for row in rows if row.status)
    yield _many("source_last_run", "How its last run ended.", ("source", "status"), states)


def _up(row: Row[Any]) -> bool:
    return row.status != "failed" and row.failing_since is None


def _latest() -> Select[Any]:
    """Every source with the last of its runs that has ended, and the counts of the last one that counted.

    A step or two down an index for each, however many runs and records there are.
    """
    last, counted = runs.alias("last"), runs.alias("counted")
    columns = (
        *(sources.c.name, sources.c.paused_at, sources.c.since_at, sources.c.failing_since),
        *(last.c.status, last.c.ended_at, last.c.failed, last.c.warnings),
        *(counted.c.accepted, counted.c.visible),
    )
    joined = sources.outerjoin(last, last.c.id == _newest(runs.c.status.not_in(LIVE)))
    joined = joined.outerjoin(counted, counted.c.id == _newest(runs.c.accepted.is_not(None)))
    return select(*columns).select_from(joined).order_by(sources.c.name)


def _newest(condition: ColumnElement[bool]) -> ScalarSelect[Any]:
    """The id of the newest run of the source at hand that meets a condition."""
    newest = select(func.max(runs.c.id)).where(runs.c.source_id == sources.c.id, condition)
    return newest.correlate(sources).scalar_subquery()


def _lag(connection: Connection, index: Index) -> Metric:
    position = index.position()
    behind = max(0, queries.last_change(connection) - (position.seq if position else 0))
    return _one("index_lag_changes", "Changes of the catalogue that the search does not know yet.", {}, behind)


def _links(connection: Connection) -> Iterator[Metric]:
    """Nothing while links are not checked at all."""
    if totals := standings.totals(connection):
        about = "Addresses of distributions, by how the last check found them."
        yield _many("links", about, ("state",), (((state,), number) for state, number in totals.items()))


def _gauge(name: str, about: str, rows: Iterable[Row[Any]], value: Callable[[Row[Any]], Any]) -> Metric:
    found = (((row.name,), value(row)) for row in rows)
    return _many(name, about, ("source",), (pair for pair in found if pair[1] is not None))


def _one(name: str, about: str, labels: dict[str, str], value: float) -> Metric:
    return _many(name, about, tuple(labels), [(tuple(labels.values()), value)])


def _many(name: str, about: str, labels: tuple[str, ...], samples: Iterable[tuple[tuple[str, ...], Any]]) -> Metric:
    family = GaugeMetricFamily(f"harvester_{name}", about, labels=labels)
    for values, sample in samples:
        family.add_metric(values, sample.timestamp() if isinstance(sample, datetime) else float(sample))
    return family
