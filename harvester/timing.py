"""When schedules are due: presets, five cron fields (as crontab(5)) or intervals, in a time zone, with jitter; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from harvester.errors import UsageError

PRESETS = {
    "hourly": "17 * * * *",
    "daily": "0 3 * * *",
    "weekly": "0 3 * * 1",
    "monthly": "0 3 1 * *",
}
MOST_JITTER = 86_400
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_WEEKDAY_STEP = re.compile(r"^\*/(\d)$")
_WEEKDAY_RANGE = re.compile(r"^(\d)(?:-(\d))?(?:/(\d))?$")
_EVERY = re.compile(r"every\s+(?:(\d{1,6})\s*)?(m|min|minute|h|hour|d|day|w|week)s?", re.IGNORECASE)
_MINUTES = {"m": 1, "h": 60, "d": 1440, "w": 10_080}
_LONGEST = timedelta(days=366)
# Where an interval is counted from when nothing better is known.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_INSTANT = timedelta(microseconds=1)


def next_run(
    schedule: str | None, after: datetime, zone: str = "UTC", since: datetime | None = None
) -> datetime | None:
    """When a schedule is due next, later than `after`; None without one.  Intervals are counted from `since`.

    Raises `UsageError` for what is no schedule.
    """
    if not schedule:
        return None
    try:
        trigger = _trigger(schedule.strip(), checked_zone(zone), since or _EPOCH)
        due: datetime | None = trigger.get_next_fire_time(None, after + _INSTANT)
        if due is None:
            raise ValueError("there is no such day")
    except ValueError as error:
        message = f"{schedule!r} is no schedule ({error}); use {', '.join(PRESETS)}, five cron fields or `every 6h`"
        raise UsageError(message, code="bad-schedule") from error
    while due is not None and due.fold and _at_fixed_hours(schedule):
        # The clocks went back: what is due at a certain hour has been due in the first of the two (as cron(8)).
        due = trigger.get_next_fire_time(None, due.astimezone(UTC) + _INSTANT)
    return due and due.astimezone(UTC)


def spread(tick: datetime | None, jitter: int, name: str) -> datetime | None:
    """A tick moved by up to `jitter` seconds: for one name and tick always alike, for many names evenly."""
    if tick is None or not jitter:
        return tick
    digest = blake2b(f"{name} {tick.timestamp()}".encode(), digest_size=8).digest()
    return tick + timedelta(seconds=int.from_bytes(digest) % (jitter + 1))


def checked_zone(name: str) -> str:
    """The name of a time zone (IANA).  Raises `UsageError` when there is none of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"{name!r} is no time zone; use a name such as Europe/Paris", code="bad-timezone") from error
    return name


def checked_jitter(seconds: int) -> int:
    """Seconds of jitter.  Raises `UsageError` when there are too many or fewer than none."""
    if not 0 <= seconds <= MOST_JITTER:
        raise UsageError(f"jitter is 0 to {MOST_JITTER} seconds, not {seconds}", code="bad-jitter")
    return seconds


def _trigger(schedule: str, zone: str, since: datetime) -> BaseTrigger:
    every = _EVERY.fullmatch(schedule)
    if every:
        minutes = int(every.group(1) or 1) * _MINUTES[every.group(2)[0].lower()]
        if not timedelta() < timedelta(minutes=minutes) <= _LONGEST:
            raise ValueError("an interval is a minute to a year")
        return IntervalTrigger(minutes=minutes, start_date=since, timezone=zone)
    expressions = _either_day(PRESETS.get(schedule, schedule))
    triggers = [CronTrigger.from_crontab(_cron(expression), timezone=zone) for expression in expressions]
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def _either_day(expression: str) -> list[str]:
    """For cron, where days of the month and of the week are both given, either will do; APScheduler wants both."""
    fields = expression.split()
    if len(fields) != 5 or fields[2].startswith("*") or fields[4].startswith("*"):
        return [expression]
    return [" ".join([*fields[:2], day, fields[3], weekday]) for day, weekday in ((fields[2], "*"), ("*", fields[4]))]


def _at_fixed_hours(schedule: str) -> bool:
    fields = PRESETS.get(schedule.strip(), schedule).split()
    return len(fields) == 5 and not fields[1].startswith("*")


def _cron(expression: str) -> str:
    """The expression with its weekdays named: for cron 0 and 7 are Sunday, for APScheduler 0 is Monday."""
    fields = expression.split()
    if len(fields) == 5:
        parts = (_WEEKDAY_STEP.sub(r"0-6/\1", part) for part in fields[4].split(","))
        fields[4] = ",".join(_WEEKDAY_RANGE.sub(_named_days, part) for part in parts)
    return " ".join(fields)


def _named_days(match: re.Match[str]) -> str:
    first, last = int(match.group(1)), int(match.group(2) or match.group(1))
    step = int(match.group(3) or 1)
    if not first <= last <= 7 or step == 0:
        raise ValueError(f"{match.group()} is no range of weekdays")
    return ",".join(_WEEKDAYS[day % 7] for day in range(first, last + 1, step))
