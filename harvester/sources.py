"""Adding, changing and removing sources: everything is validated before it is saved."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from apscheduler.triggers.cron import CronTrigger
from sqlalchemy import Connection, Row, delete

from harvester import registry
from harvester.catalogue import queries, store
from harvester.catalogue.tables import sources
from harvester.errors import UsageError

PRESETS = {
    "hourly": "17 * * * *",
    "daily": "0 3 * * *",
    "weekly": "0 3 * * 1",
    "monthly": "0 3 1 * *",
}
_SECRET = re.compile("key|token|secret|password|passwd|authori[sz]ation|credential|cookie", re.IGNORECASE)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_RANGE = re.compile(r"^(\d)(?:-(\d))?(?:/(\d))?$")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def add(
    connection: Connection,
    *,
    url: str,
    connector: str,
    now: datetime,
    name: str | None = None,
    title: str | None = None,
    options: Mapping[str, Any] | None = None,
    schedule: str | None = None,
) -> str:
    """Save a new source and answer its name.  Raises `UsageError` when anything does not fit."""
    name = checked_name(name or slug(title or urlsplit(url).netloc))
    if queries.source_named(connection, name) is not None:
        raise UsageError(f"there is a source {name!r} already; give another --name", code="name-taken")
    values = {"name": name, "title": title or name, "connector": connector, "created_at": now}
    store.add_source(connection, values | _checked(connector, url, dict(options or {})) | _scheduled(schedule, now))
    return name


def edit(connection: Connection, name: str, now: datetime, **changed: Any) -> None:
    """Change what is given (url, title, connector, options, schedule).  Raises `UsageError` as `add` does."""
    row = named(connection, name)
    values = {key: value for key, value in changed.items() if value is not None}
    kept = {"connector": row.connector, "url": row.url, "options": row.options} | values
    values |= _checked(kept["connector"], kept["url"], kept["options"])
    if any(values.get(key, getattr(row, key)) != getattr(row, key) for key in ("url", "connector", "options")):
        # Another portal, or another part of it: what was walked before says nothing of it.
        values |= {"since_at": None, "complete_at": None}
    if "schedule" in values:
        values |= _scheduled(values["schedule"] or None, now)
    store.edit_source(connection, row.id, values)


def remove(connection: Connection, name: str, now: datetime) -> int:
    """Forget a source and retire what only it showed; answers how many of its records were active."""
    row = named(connection, name)
    ref = store.RunRef(0, row.id, row.name)
    active = queries.active_count(connection, row.id)
    while rows := queries.vanished_page(connection, 0, row.id, 0, queries.CHUNK):
        store.retire(connection, ref, [record.id for record in rows], now)
    connection.execute(delete(sources).where(sources.c.id == row.id))
    return active


def named(connection: Connection, name: str) -> Row[Any]:
    """The source of that name.  Raises `UsageError` when there is none."""
    row = queries.source_named(connection, name)
    if row is None:
        raise UsageError(f"there is no source {name!r}; `harvester source list` names them", code="unknown-source")
    return row


def slug(text: str) -> str:
    """A name made of a title or host: lower case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "source"


def checked_name(name: str) -> str:
    """The name, when it is one.  Raises `UsageError` otherwise."""
    if not _NAME.fullmatch(name) or len(name) > 100:
        raise UsageError(f"{name!r} is no name: use lower case letters, digits and hyphens", code="bad-name")
    return name


def with_scheme(url: str) -> str:
    """A URL as people type it: `data.example.org` means https."""
    return url if "://" in url else f"https://{url}"


def masked(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options that may be shown: what looks like a secret is replaced by stars."""
    return {key: "***" if _SECRET.search(key) else value for key, value in options.items()}


def parse_options(pairs: list[str]) -> dict[str, Any]:
    """`key=value` pairs as options; a repeated key makes a list.  Raises `UsageError` on anything else."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--option wants key=value, not {pair!r}", code="bad-option")
        before = found.get(key.strip())
        found[key.strip()] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return found


def next_run(schedule: str | None, after: datetime) -> datetime | None:
    """When a schedule is due next: a preset or a five-field cron expression, in UTC; None without one."""
    if not schedule:
        return None
    try:
        trigger = CronTrigger.from_crontab(_cron(PRESETS.get(schedule, schedule)), timezone="UTC")
    except ValueError as error:
        presets = ", ".join(PRESETS)
        raise UsageError(
            f"{schedule!r} is no schedule ({error}); use {presets} or five cron fields", code="bad-schedule"
        ) from error
    due: datetime | None = trigger.get_next_fire_time(None, after)
    return due


def _cron(expression: str) -> str:
    """The expression with its weekdays named: for cron 0 and 7 are Sunday, for APScheduler 0 is Monday."""
    fields = expression.split()
    if len(fields) == 5:
        fields[4] = ",".join(_WEEKDAY_RANGE.sub(_named_days, part) for part in fields[4].split(","))
    return " ".join(fields)


def _named_days(match: re.Match[str]) -> str:
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    step = int(match.group(3) or 1)
    if not first <= last <= 7 or step == 0:
        raise ValueError(f"{match.group()} is no range of weekdays")
    return ",".join(_WEEKDAYS[day % 7] for day in range(first, last + 1, step))


def _checked(connector: str, url: str, options: dict[str, Any]) -> dict[str, Any]:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise UsageError(f"{url!r} is not an http or https URL", code="bad-url")
    return {"url": url, "options": registry.options(connector, options).model_dump(mode="json", exclude_unset=True)}


def _scheduled(schedule: str | None, now: datetime) -> dict[str, Any]:
    return {"schedule": schedule, "next_run_at": next_run(schedule, now)}
