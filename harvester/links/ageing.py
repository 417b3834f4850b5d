"""When an address is broken, and when it is looked at again: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from harvester.links.faults import FAULTS, State
from harvester.links.verdicts import Verdict

# After the first, second ... failure in a row; the last one holds from there on.
LADDER = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))
PUT_OFF = timedelta(hours=1)
SHORTEST_REST = timedelta(minutes=10)
# So much earlier or later, by the address: what was found together is not all due together.
_JITTER = 0.1

# Of a host without a connection: so many failures in a row until it is asked one address at a time.
DOWN_AFTER = 3
HOST_LADDER = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6), timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Standing:
    """How an address stands after its checks so far."""

    state: str
    fault: str | None
    failures: int
    failing_since: datetime | None
    since: datetime | None
    next_check_at: datetime | None


def after(key: int, before: Standing, verdict: Verdict, now: datetime, good_for: timedelta) -> Standing:
    """How an address stands after one more check; what is good is looked at again after `good_for`."""
    if verdict.put_off:
        return _put_off(before, now)
    fault = FAULTS[verdict.fault] if verdict.fault else None
    if fault is None or fault.patience is None:
        state = fault.state if fault else State.OK
        return _changed(before, state, verdict.fault, 0, None, now, now + jittered(key, 0, good_for))
    failures = before.failures + 1
    since = before.failing_since or now
    broken = failures >= fault.patience.failures and now - since >= fault.patience.span
    # What is broken already stays so until it is well, whatever is wrong with it now.
    state = State.BROKEN if broken or before.state == State.BROKEN else State.FAILING
    step = LADDER[min(failures, len(LADDER)) - 1]
    return _changed(before, state, fault.name, failures, since, now, now + jittered(key, failures, step))


def jittered(key: int, failures: int, step: timedelta) -> timedelta:
    """The step, up to a tenth shorter or longer: the same for the same address and number of failures."""
    place = (key * 2654435761 + failures * 40503) % 10_007 / 10_006
    return step * (1 + _JITTER * (2 * place - 1))


def host_pause(failures: int) -> timedelta | None:
    """How long a host is left alone after so many failures in a row to connect to it; None: it is not."""
    return None if failures < DOWN_AFTER else HOST_LADDER[min(failures - DOWN_AFTER, len(HOST_LADDER) - 1)]


def alone_for(wait: float | None) -> timedelta:
    """How long a host is left alone that wants it so, or throttles without saying how long."""
    return min(max(timedelta(seconds=wait or 0), SHORTEST_REST), LADDER[-1])


def _put_off(before: Standing, now: datetime) -> Standing:
    kept = (before.state, before.fault, before.failures, before.failing_since, before.since)
    return Standing(*kept, now + PUT_OFF)


def _changed(
    before: Standing,
    state: State,
    fault: str | None,
    failures: int,
    failing_since: datetime | None,
    now: datetime,
    due: datetime,
) -> Standing:
    same = (before.state, before.fault) == (state, fault)
    since = before.since if same and before.since else failing_since or now
    return Standing(state, fault, failures, failing_since, since, due)
