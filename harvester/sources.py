"""Adding, changing and removing sources: everything is validated before it is saved."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, Row, delete

from harvester import access as accesses
from harvester import registry
from harvester.catalogue import claims, clusters, history, queries, store
from harvester.catalogue.tables import sources
from harvester.errors import UsageError
from harvester.notices import notify as notices
from harvester.timing import checked_jitter, checked_zone, next_run, spread

# `harvester run WORD` would mean both.
RESERVED = frozenset({"start", "show", "cancel", "confirm", "discard", "diff"})
_SECRET = re.compile("key|token|secret|password|passwd|authori[sz]ation|credential|cookie", re.IGNORECASE)
_TIMES = {"schedule", "full_schedule", "timezone", "jitter"}
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
    full_schedule: str | None = None,
    timezone: str = "UTC",
    jitter: int = 0,
    access: Mapping[str, Any] | None = None,
    notify: Sequence[Mapping[str, Any]] | None = None,
) -> str:
    """Save a new source and answer its name.  Raises `UsageError` when anything does not fit."""
    name = checked_name(name or slug(title or urlsplit(url).netloc))
    if queries.source_named(connection, name) is not None:
        raise UsageError(f"there is a source {name!r} already; give another --name", code="name-taken")
    values = {"name": name, "title": title or name, "connector": connector, "created_at": now}
    values |= _checked(connector, url, dict(options or {})) | _asked(access, notify)
    values |= {"schedule": schedule, "full_schedule": full_schedule, "timezone": timezone, "jitter": jitter}
    store.add_source(connection, values | due(values, now))
    return name


def edit(connection: Connection, name: str, now: datetime, **changed: Any) -> None:
    """Change what is given of what `add` takes, but the name; empty values take away.  Raises `UsageError` likewise."""
    row = named(connection, name)
    values = {key: value for key, value in changed.items() if value is not None}
    kept = {"connector": row.connector, "url": row.url, "options": row.options} | values
    values |= _checked(kept["connector"], kept["url"], kept["options"])
    values |= _asked(values.get("access"), values.get("notify"))
    if any(values.get(key, getattr(row, key)) != getattr(row, key) for key in ("url", "connector", "options")):
        # Another portal, or another part of it: what was walked before says nothing of it.
        values |= {"since_at": None, "complete_at": None}
        claims.cancel_begun(connection, row.id, now, "the source was changed while it was being harvested")
    if _TIMES & values.keys():
        values |= due({**row._asdict(), **values}, now)
    store.edit_source(connection, row.id, values)


def pause(connection: Connection, name: str, now: datetime) -> bool:
    """Let a source be due no longer, and take its scheduled run out of the queue; False when it is paused already."""
    row = named(connection, name)
    store.edit_source(connection, row.id, {"paused_at": row.paused_at or now})
    claims.withdraw(connection, row.id, now)
    return row.paused_at is None


def resume(connection: Connection, name: str, now: datetime) -> bool:
    """Let a paused source be due again, from its next time on; False when it is not paused."""
    row = named(connection, name)
    if row.paused_at is None:
        return False
    store.edit_source(connection, row.id, {"paused_at": None, **due(row._asdict(), now)})
    return True


def due(source: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The columns of a source that say when it is due, and when it will be due next, later than `now`."""
    zone, jitter = checked_zone(source["timezone"]), checked_jitter(source["jitter"])
    found: dict[str, Any] = {"timezone": zone, "jitter": jitter}
    for schedule, next_at in (("schedule", "next_run_at"), ("full_schedule", "next_full_at")):
        tick = next_run(source[schedule], now, zone, source["created_at"])
        found |= {schedule: source[schedule] or None, next_at: spread(tick, jitter, source["name"])}
    return found


def remove(connection: Connection, name: str, now: datetime) -> int:
    """Forget a source and retire what only it showed; answers how many of its records were active."""
    row = named(connection, name)
    ref = store.RunRef(0, row.id, row.name)
    active = queries.active_count(connection, row.id)
    while rows := queries.vanished_page(connection, 0, row.id, 0, queries.CHUNK):
        store.retire(connection, ref, [record.id for record in rows], now)
    history.keep_last_states(connection, row.id)
    alone = clusters.drop_source(connection, row.id)
    connection.execute(delete(sources).where(sources.c.id == row.id))
    clusters.look_at(connection, ref, alone, now)
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
    if name in RESERVED:
        raise UsageError(f"{name!r} is a word of `harvester run`; give another --name", code="bad-name")
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


def _checked(connector: str, url: str, options: dict[str, Any]) -> dict[str, Any]:
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise UsageError(f"{url!r} is not an http or https URL", code="bad-url")
    host = (urlsplit(url).hostname or "")[:255]
    return {
        "url": url,
        "host": host,
        "options": registry.options(connector, options).model_dump(mode="json", exclude_unset=True),
    }


def _asked(access: Mapping[str, Any] | None, notify: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """How a source is asked and whom its runs are told to, where that is given; nothing in it takes it away."""
    found: dict[str, Any] = {}
    if access is not None:
        found["access"] = accesses.checked(access) or None
    if notify is not None:
        found["notify"] = notices.checked(list(notify)) or None
    return found
