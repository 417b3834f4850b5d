"""What the suite itself has to be sure of."""

from __future__ import annotations

import signal
import threading

import pytest


def test_whoever_stops_the_suite_is_not_taken_for_a_fault_of_what_is_tested() -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals reach the main thread alone")
    with pytest.raises(KeyboardInterrupt):
        _swallowing()


def _swallowing() -> None:
    try:
        signal.raise_signal(signal.SIGTERM)
    except Exception as error:
        raise AssertionError("swallowed") from error
