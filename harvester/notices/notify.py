"""Who is told what about runs: rules per source, and the outbox that keeps each notice until it is sent."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator
from sqlalchemy import Connection, Engine, Row, Select, func, insert, select

from harvester.beside import Beside
from harvester.catalogue.database import writing
from harvester.catalogue.tables import notices, runs, sources
from harvester.errors import UsageError
from harvester.notices.outbox import send_due as send_due
from harvester.settings import Settings

log = logging.getLogger(__name__)

GOOD = ("succeeded", "partial")
ENDED = (*GOOD, "failed", "held")
_LATELY = timedelta(hours=1)
_SWEEP = timedelta(minutes=1)
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+@[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]+")

Event = Literal["failure", "held", "recovery", "ended"]


class Ended(Protocol):
    """What is asked of the result of a run."""

    @property
    def status(self) -> str:
        """As in the table `runs`."""

    @property
    def code(self) -> str | None:
        """Why it ended so."""


class Rule(BaseModel):
    """Whom to tell what about one source."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Literal["email", "webhook"]
    to: str = Field(max_length=2000)
    on: tuple[Literal["failure", "held", "recovery", "always"], ...] = ("failure", "held", "recovery")
    digest_minutes: int = Field(5, ge=0, le=7 * 24 * 60)

    @field_validator("to", mode="before")
    @classmethod
    def _trimmed(cls, value: object) -> object:
        return value.strip() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _reachable(self) -> Rule:
        if self.channel == "email" and (not _ADDRESS.fullmatch(self.to) or len(self.to) > 254):
            raise ValueError("to: not an e-mail address")
        if self.channel == "webhook" and not _web(self.to):
            raise ValueError("to: not an http or https URL")
        if not self.on:
            raise ValueError("on: name at least one of failure, held, recovery, always")
        return self


_RULES = TypeAdapter(list[Rule])


def masked(channel: str, target: str) -> str:
    """A target as it may be shown: of the address of a webhook the host alone, for the rest often is its secret."""
    return f"{urlsplit(target).scheme}://{urlsplit(target).hostname}/***" if channel == "webhook" else target


def checked(rules: object) -> list[dict[str, Any]]:
    """The rules as they are saved in `sources.notify`.  Raises `UsageError` when one does not fit."""
    try:
        return [rule.model_dump(mode="json") for rule in _RULES.validate_python(rules)]
    except ValidationError as error:
        wrong = "; ".join(_told(found) for found in error.errors(include_url=False, include_input=False)[:5])
        raise UsageError(f"notify: {wrong}", code="bad-notify", field="notify") from error


def loaded(saved: object) -> list[Rule]:
    """The rules that were saved; none where there is nothing."""
    return _RULES.validate_python(saved or [])


def event_of(status: str, before: str | None) -> Event:
    """What happened, given how the run ended and how the one before it did."""
    if status == "failed":
        return "failure"
    if status == "held":
        return "held"
    return "recovery" if status in GOOD and before in ("failed", "held") else "ended"


def run_ended(
    connection: Connection, settings: Settings, source: Row[Any], run_id: int, result: Ended, now: datetime
) -> int:
    """Queue what the rules of its source want told about a run that has ended; answers how many notices."""
    rules = loaded(source.notify)
    if not rules:
        return 0
    before = _before(connection, source.id, run_id)
    event = event_of(result.status, before)
    # Not the reason of the last run alone: a source whose host is avoided now and then fails by turns.
    same = event in ("failure", "held") and before == result.status
    since = now - timedelta(hours=settings.notify_again_hours)
    if event == "failure" and source.failing_since:
        since = max(since, source.failing_since)
    queued = 0
    for rule in rules:
        news = event in rule.on and not (same and _told_since(connection, source.id, result, rule, since))
        if news or "always" in rule.on:
            queue(connection, source.id, run_id, event, rule, now)
            queued += 1
    return queued


def overlooked(engine: Engine, settings: Settings, now: datetime) -> int:
    """Queue what is to be told of runs whose workers did not live to tell of it; answers how many notices."""
    inner = runs.alias()
    last = select(func.max(inner.c.id)).where(inner.c.source_id == sources.c.id, inner.c.ended_at.is_not(None))
    told = select(notices.c.id).where(notices.c.source_id == sources.c.id, notices.c.run_id == runs.c.id)
    columns = (sources, runs.c.id.label("run_id"), runs.c.status, runs.c.code)
    both = sources.join(runs, runs.c.id == last.correlate(sources).scalar_subquery())
    statement: Select[Any] = select(*columns).select_from(both)
    lost = (runs.c.status == "failed", runs.c.code == "worker-lost", runs.c.ended_at > now - _LATELY)
    with engine.connect() as connection:
        found = connection.execute(statement.where(sources.c.notify.is_not(None), *lost, ~told.exists())).all()
    queued = 0
    for row in found:
        with writing(engine) as connection:
            queued += run_ended(connection, settings, row, row.run_id, row, now)
    return queued


def queue(connection: Connection, source_id: int, run_id: int, event: str, rule: Rule, now: datetime) -> None:
    """Put one notice into the outbox; it leaves with others for the same target, and not while that is not reached."""
    failing = select(func.min(notices.c.due_at)).where(
        notices.c.sent_at.is_(None),
        notices.c.attempts > 0,
        notices.c.channel == rule.channel,
        notices.c.target == rule.to,
        notices.c.due_at > now,
    )
    due = now + timedelta(minutes=rule.digest_minutes)
    again = connection.execute(failing).scalar_one()
    values = {
        "source_id": source_id,
        "run_id": run_id,
        "event": event,
        "channel": rule.channel,
        "target": rule.to,
        "queued_at": now,
        "due_at": max(due, again or due),
        "attempts": 0,
    }
    connection.execute(insert(notices).values(**values))


class Sender(Beside):
    """Sends what is due, until it is stopped; a message that then takes longer is sent again by whoever is next."""

    patience = 5.0

    def __init__(self, engine: Engine, settings: Settings, now: Callable[[], datetime]) -> None:
        self._engine, self._settings, self._now = engine, settings, now
        super().__init__("notices")

    def work(self) -> None:
        swept = datetime.min.replace(tzinfo=UTC)
        while not self.ending.wait(self._settings.tick_seconds):
            try:
                if (now := self._now()) >= swept + _SWEEP:
                    overlooked(self._engine, self._settings, now)
                    swept = now
                send_due(self._engine, self._settings, now)
            except Exception:
                # The database may come back, one notice may be beyond telling: what is due stays due, the others go.
                log.exception("notices could not be sent")


def _before(connection: Connection, source_id: int, run_id: int) -> str | None:
    """How the run before ended."""
    where = (runs.c.source_id == source_id, runs.c.id < run_id, runs.c.status.in_(ENDED))
    statement = select(runs.c.status).where(*where).order_by(runs.c.id.desc()).limit(1)
    return connection.execute(statement).scalar_one_or_none()


def _told_since(connection: Connection, source_id: int, result: Ended, rule: Rule, since: datetime) -> bool:
    """Whether it was told that runs of the source end so, for this reason."""
    where = (
        notices.c.source_id == source_id,
        notices.c.event == event_of(result.status, None),
        notices.c.channel == rule.channel,
        notices.c.target == rule.to,
        notices.c.queued_at > since,
        runs.c.code == result.code,
    )
    joined = notices.join(runs, runs.c.id == notices.c.run_id)
    return connection.execute(select(notices.c.id).select_from(joined).where(*where).limit(1)).first() is not None


def _web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable() and " " not in url
    except ValueError:
        return False


def _told(found: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else str(found["msg"])
