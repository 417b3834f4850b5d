"""What to do with a record, and with the records that vanished: pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Action(StrEnum):
    """What a run does with one record; the words of counters, change log and reports."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    RETIRED = "retired"
    FAILED = "failed"
    REPEATED = "repeated"


class Stored(NamedTuple):
    """What the catalogue already holds of a record."""

    id: int
    guid: str
    status: str
    payload_hash: bytes
    dataset_hash: bytes | None
    dataset_id: int | None
    seen_run_id: int


def at_a_glance(stored: Stored | None, payload_hash: bytes, run_id: int) -> Action | None:
    """The decision that needs no mapping: same payload, or a guid this run has met; None: normalise first."""
    if stored is None:
        return None
    if stored.seen_run_id == run_id:
        return Action.REPEATED
    same = stored.payload_hash == payload_hash and stored.status == "active"
    return Action.UNCHANGED if same else None


def after_mapping(stored: Stored | None, dataset_hash: bytes | None) -> Action:
    """The decision on the normalised dataset: portals put view counters into payloads, so its hash counts."""
    if dataset_hash is None:
        return Action.FAILED
    if stored is None or stored.dataset_hash is None:
        return Action.CREATED
    if stored.status == "retired":
        return Action.RESTORED
    return Action.UNCHANGED if stored.dataset_hash == dataset_hash else Action.UPDATED


@dataclass(frozen=True, slots=True)
class Walked:
    """How a walk went: `complete` means it ended by itself, `errors` are records or pages that could not be read."""

    complete: bool
    incremental: bool
    fetched: int
    distinct: int
    advertised: int | None
    errors: int


@dataclass(frozen=True, slots=True)
class Guard:
    """The most that one run may retire unasked: a share of the active records, and a number always allowed."""

    share: float
    least: int


@dataclass(frozen=True, slots=True)
class Retirement:
    """Whether the vanished records are retired; if they are `held`, a person decides; `reason` says why."""

    retire: bool
    held: bool
    code: str = ""
    reason: str = ""


def retirement(walk: Walked, vanished: int, active: int, guard: Guard) -> Retirement:
    """Only a complete, error-free, full walk that brought all it advertised retires, and never too many at once."""
    if walk.incremental or not walk.complete or vanished == 0:
        return Retirement(False, False)
    if walk.errors:
        return _kept("walk-with-errors", f"{walk.errors} records could not be read, so nothing is retired")
    if walk.fetched == 0:
        return _held("empty-answer", f"the source answered with no dataset at all; {vanished} were known")
    if walk.advertised is not None and walk.distinct < walk.advertised:
        return _held("count-gap", f"the source advertises {walk.advertised} datasets and gave {walk.distinct}")
    if vanished > max(guard.least, guard.share * active):
        return _held("too-many-vanished", f"{vanished} of {active} datasets vanished at once")
    return Retirement(True, False)


def _kept(code: str, reason: str) -> Retirement:
    return Retirement(False, False, code, reason)


def _held(code: str, reason: str) -> Retirement:
    return Retirement(
        False, True, code, f"{reason}; nothing is retired until a person confirms (harvester confirm RUN)"
    )
