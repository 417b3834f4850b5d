"""What to do with a record, and with the records that vanished: pure, no I/O."""

from __future__ import annotations

import math
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
    """How a walk went: `complete` means it ended by itself, `errors` are records or pages that could not be read.

    `usable` counts the records that were accepted; `restless` is a walk during which the source's total changed, or
    that stood still for long;
    `doubt` names what else speaks against taking the answer for the whole of the source.
    """

    complete: bool
    incremental: bool
    fetched: int
    distinct: int
    advertised: int | None
    errors: int
    usable: int
    restless: bool = False
    doubt: str = ""


# What connectors note of walks that may not have shown all that there is.
DOUBTS = frozenset({"empty-answer", "filter-ignored", "unshown-datasets", "window"})


@dataclass(frozen=True, slots=True)
class Missing:
    """The active records that a walk did not show, less those that were carried over to a new identifier.

    `known` is how many were active before the walk, `twice` how many the last sound walk did not show either,
    `agreed` how many so many sound walks in a row did not show that they need no person any more, `new` how many
    records came instead of the missing ones, `deleted` how many went because the source itself says so.
    """

    vanished: int
    known: int
    twice: int = 0
    agreed: int = 0
    new: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True)
class Guard:
    """The most that one run may retire unasked: a share of the known records, and a number for small sources."""

    share: float
    least: int

    def limit(self, known: int) -> int:
        """The larger of the share and the number, but by the number never more than a quarter of the source.

        With the default settings (10 %, 10 records):

            known       1   2   3   5   20   40   100   500   1,000   100,000
            may vanish  0   1   1   2    5   10    10    50     100    10,000
        """
        quarter = math.ceil(known / 4) if known > 1 else 0
        return max(math.floor(self.share * known), min(self.least, quarter))


class Reach(StrEnum):
    """Which of the missing records are retired."""

    NONE = "none"
    AGREED = "agreed"
    TWICE = "twice"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Retirement:
    """Which vanished records are retired; if others are `held`, a person decides on them; `reason` says why."""

    reach: Reach
    held: bool = False
    code: str = ""
    reason: str = ""


NOTHING = Retirement(Reach.NONE)


def flaw(walk: Walked) -> tuple[str, str] | None:
    """Why a complete walk is no evidence that what it did not show is gone: a code and a sentence; None: it is."""
    if walk.usable == 0:
        return "empty-answer", f"the source answered with {walk.fetched or 'no'} datasets, none of which can be used"
    if walk.errors:
        return "walk-with-errors", f"{walk.errors} records could not be read and may be among the missing ones"
    if walk.advertised is not None and walk.distinct < walk.advertised:
        return "count-gap", f"the source advertises {walk.advertised} datasets and gave {walk.distinct}"
    if walk.doubt:
        return walk.doubt, f"the walk may not have shown all that the source has ({walk.doubt})"
    return None


def sound(walk: Walked) -> bool:
    """Whether what the walk did not show is missing: complete, full, neither empty nor short, without an error."""
    return walk.complete and not walk.incremental and flaw(walk) is None


def retirement(walk: Walked, missing: Missing, guard: Guard) -> Retirement:
    """What becomes of the missing records; the first row that fits decides.

    incremental, or broken off                       nothing
    nothing is missing                               nothing
    empty, with errors, short of its total, doubted  held, however often it is repeated
    the total changed meanwhile                      as below, for what the last sound walk missed too; others wait
    no more than the limit                           all are retired
    more, but enough earlier walks agree             those are retired, the others are held if they are too many
    """
    if walk.incremental or not walk.complete or not missing.vanished:
        return NOTHING
    if bad := flaw(walk):
        return Retirement(Reach.NONE, True, bad[0], f"{bad[1]}; {missing.vanished} known ones were not shown")
    limit = max(guard.limit(missing.known) - missing.deleted, 0)
    counted, reach = (missing.twice, Reach.TWICE) if walk.restless else (missing.vanished, Reach.ALL)
    if counted - missing.agreed > limit:
        return Retirement(Reach.AGREED, True, *_too_many(missing, counted, limit))
    if walk.restless and missing.vanished > missing.twice:
        waiting = missing.vanished - missing.twice
        reason = f"the source changed during the walk; {waiting} missing datasets wait for the next complete walk"
        return Retirement(reach, False, "total-changed", reason)
    return Retirement(reach)


def _too_many(missing: Missing, counted: int, limit: int) -> tuple[str, str]:
    """As many new records as missing ones look like the same datasets under other identifiers."""
    rest = counted - missing.agreed
    told = f"{rest} of {missing.known} datasets vanished at once, no more than {limit} may"
    if missing.new * 2 >= missing.vanished:
        return "identifiers-changed", f"{told}; {missing.new} new ones came: their identifiers may have changed"
    return "too-many-vanished", told
