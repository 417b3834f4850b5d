"""How far a run has come, computed from its row: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Before so many seconds have passed, a rate says nothing.
_LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Progress:
    """Pages and records read so far, of how many; records a second, and the seconds left at that rate.

    `advertised` is None when the source states no total, and so is `seconds_left`; both are None, like the `rate`,
    while nothing can be said.
    """

    pages: int
    records: int
    advertised: int | None
    rate: float | None
    seconds_left: float | None

    @property
    def text(self) -> str:
        """One line for logs and tables."""
        total = "" if self.advertised is None else f" of {self.advertised}"
        rate = "" if self.rate is None else f", {self.rate:.1f} a second"
        left = "" if self.seconds_left is None else f", {_spoken(self.seconds_left)} left"
        return f"page {self.pages}, {self.records}{total} records{rate}{left}"


def progress(run: Mapping[str, Any], now: datetime) -> Progress:
    """How far a run has come, from its row; the rate is that of the present attempt at it."""
    since, before = _beginning(run)
    last = run["ended_at"] or (now if run["status"] == "running" else run["heartbeat_at"])
    seconds = (last - since).total_seconds() if since and last else 0.0
    read = run["fetched"] - before
    rate = read / seconds if seconds >= _LEAST_SECONDS and read >= 0 else None
    left = None
    if rate and run["advertised"] is not None and run["status"] == "running":
        left = max(0, run["advertised"] - run["fetched"]) / rate
    return Progress(run["pages"], run["fetched"], run["advertised"], rate, left)


def _beginning(run: Mapping[str, Any]) -> tuple[datetime | None, int]:
    """When, and after how many records, the present attempt began."""
    stated = (run["state"] or {}).get("rate_from")
    return (datetime.fromisoformat(stated[0]), int(stated[1])) if stated else (run["started_at"], 0)


def _spoken(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
