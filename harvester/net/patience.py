"""Waiting that can be called off: no wait lasts longer than a second without looking whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

from harvester.errors import Stopped

GLANCE = 1.0

Stop = Callable[[], bool]
T = TypeVar("T")


def never() -> bool:
    """Nobody ever calls this off."""
    return False


def check(stop: Stop) -> None:
    """Raises Stopped once the work is no longer wanted."""
    if stop():
        raise Stopped("the work was called off")


def pause(seconds: float, sleep: Callable[[float], object], stop: Stop) -> None:
    """Sleep so long, in steps when somebody may call it off."""
    step = seconds if stop is never else GLANCE
    while seconds > 0:
        check(stop)
        sleep(min(seconds, step))
        seconds -= step
    check(stop)


def bounded(work: Callable[[], T], seconds: float, stop: Stop, drop: Callable[[T], object]) -> T:
    """What `work` returns or raises; TimeoutError when it takes longer, Stopped when called off.

    For calls of the system that know no time-out or cannot be interrupted: they end in a thread of their own, and
    what they bring too late is given to `drop`.
    """
    done: Future[T] = Future()
    Thread(target=_fulfil, args=(done, work), name="bounded", daemon=True).start()
    left = seconds
    try:
        while not wait([done], max(min(left, GLANCE), 0.0)).done:
            left -= GLANCE
            check(stop)
            if left <= 0:
                raise TimeoutError("no answer in time")
    except BaseException:
        done.add_done_callback(lambda late: None if late.exception() else drop(late.result()))
        raise
    return done.result()


def _fulfil(done: Future[T], work: Callable[[], T]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:
        done.set_exception(error)
