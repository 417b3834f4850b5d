"""Sends the notices that are due: all that wait for one target as one message, at least once, with back-off."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from harvester.catalogue import missing
from harvester.catalogue.database import writing
from harvester.catalogue.tables import notices, problems, runs, sources
from harvester.errors import HarvesterError
from harvester.net import urls
from harvester.notices import channels, letters
from harvester.notices.letters import NAMED, TOLD, Fact
from harvester.settings import Settings

log = logging.getLogger(__name__)

# Over six hours, then a person has to look: `harvester notify list`.
ATTEMPTS = 12
BATCH = 1000
_LONGEST_WAIT = timedelta(hours=1)
# Longer than a message may take; whoever dies while sending is replaced after it.
_LEASE = timedelta(minutes=2)
_PROBLEMS = 5
_RUN = (
    "id", "mode", "status", "code", "message", "started_at", "ended_at", "advertised", "fetched", "created", "updated",
    "unchanged", "restored", "retired", "failed", "warnings", "decided_by",
)  # fmt: skip


def send_due(engine: Engine, settings: Settings, now: datetime) -> int:
    """Send every message that is due, one per target; answers how many left."""
    sent = 0
    while batch := _claimed(engine, now):
        error = _sent(engine, settings, batch, now)
        _noted(engine, batch, error, now)
        sent += error is None
    return sent


def send(settings: Settings, channel: str, target: str, facts: Sequence[Fact], identity: str, now: datetime) -> None:
    """Send one message about these facts.  Raises `Undelivered`."""
    if channel == "email":
        channels.mail(settings, target, letters.subject(settings.title, facts), letters.text(facts), identity, now)
    else:
        channels.post(settings, target, letters.document(settings.title, facts, now), identity, now)


def fact_of(
    connection: Connection, settings: Settings, source: Row[Any], run: Row[Any] | None, event: str, told: bool = True
) -> Fact:
    """What there is to say of a run, or of a source that was never run; at length when `told`."""
    place = f"/runs/{run.id}" if run is not None else f"/sources/{source.name}"
    gone, total = _gone(connection, run) if told and run is not None and event == run.status == "held" else ([], 0)
    return Fact(
        event,
        source.name,
        source.title,
        urls.told(source.url),
        {name: getattr(run, name) for name in _RUN} if run is not None else {},
        source.failing_since,
        settings.address + place,
        _errors(connection, run.id) if told and run is not None else (),
        gone,
        total,
    )


def _claimed(engine: Engine, now: datetime) -> list[Row[Any]]:
    """All that waits for the target whose turn it is; nobody else takes it for the length of a lease."""
    open_ = (notices.c.sent_at.is_(None), notices.c.attempts < ATTEMPTS)
    due = select(notices).where(*open_, notices.c.due_at <= now).order_by(notices.c.due_at, notices.c.id).limit(1)
    with writing(engine) as connection:
        first = connection.execute(due.with_for_update(skip_locked=True)).one_or_none()
        if first is None:
            return []
        same = (notices.c.channel == first.channel, notices.c.target == first.target)
        waiting = select(notices).where(*open_, *same).order_by(notices.c.id).limit(BATCH)
        batch = list(connection.execute(waiting.with_for_update(skip_locked=True)))
        values = {"attempts": notices.c.attempts + 1, "due_at": now + _LEASE}
        connection.execute(update(notices).where(notices.c.id.in_([row.id for row in batch])).values(**values))
        return batch


def _sent(engine: Engine, settings: Settings, batch: Sequence[Row[Any]], now: datetime) -> str | None:
    """None when the message left; else why not."""
    with engine.connect() as connection:
        found = (_fact(connection, settings, row, place < TOLD) for place, row in enumerate(batch))
        facts = [fact for fact in found if fact is not None]
    if not facts:
        return None
    identity = hashlib.sha256(",".join(str(row.id) for row in batch).encode()).hexdigest()[:32]
    try:
        send(settings, batch[0].channel, batch[0].target, facts, identity, now)
    except HarvesterError as error:
        log.warning("notices not sent channel=%s count=%s error=%s", batch[0].channel, len(batch), error.message)
        return error.message
    except Exception as error:
        # A setting that cannot be a host name or a header: the other targets are told all the same.
        log.exception("unexpected in notices channel=%s count=%s", batch[0].channel, len(batch))
        return f"{type(error).__name__}: the log has the rest"
    return None


def _noted(engine: Engine, batch: Sequence[Row[Any]], error: str | None, now: datetime) -> None:
    # The target waits as long as its oldest notice says, however new the others are.
    wait = min(timedelta(minutes=2 ** max(row.attempts for row in batch)), _LONGEST_WAIT)
    values = {"error": letters.plain(error), "due_at": now + wait} if error is not None else {"sent_at": now}
    with writing(engine) as connection:
        connection.execute(update(notices).where(notices.c.id.in_([row.id for row in batch])).values(**values))


def _fact(connection: Connection, settings: Settings, notice: Row[Any], told: bool) -> Fact | None:
    """None when the source or the run was removed meanwhile."""
    source = connection.execute(select(sources).where(sources.c.id == notice.source_id)).one_or_none()
    run = connection.execute(select(runs).where(runs.c.id == notice.run_id)).one_or_none()
    return fact_of(connection, settings, source, run, notice.event, told) if source and run else None


def _errors(connection: Connection, run_id: int) -> list[dict[str, Any]]:
    names = ("code", "message", "guid", "field", "value", "url")
    statement = select(*(problems.c[name] for name in names)).where(
        problems.c.run_id == run_id, problems.c.severity == "error"
    )
    # Not the row's own mapping: orjson takes no subclass of str, as names of columns may be, for a key.
    found = connection.execute(statement.order_by(problems.c.id).limit(_PROBLEMS))
    return [dict(zip(names, row, strict=True)) for row in found]


def _gone(connection: Connection, run: Row[Any]) -> tuple[list[tuple[str, str | None]], int]:
    """The first records that a held run would retire, and how many they are."""
    first = missing.page(connection, run.source_id, run.id, limit=NAMED)
    return [(row.guid, row.title) for row in first], missing.count(connection, run.source_id, run.id)
