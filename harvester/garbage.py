"""How memory is tidied: the cycle collector seldom looks, for few cycles pass here; what is free is given back."""

from __future__ import annotations

import ctypes
import gc

# Of 700 new containers, as Python has it, a dataset makes up a third: pages that are under way would be looked through
# again and again, for nothing; trees, models and rows go by their reference counts.
_NEW, _YOUNG, _OLD = 10_000, 10, 10


def seldom() -> None:
    """Set the collector for this process, once all modules are loaded: they stay, and are never looked through again.

    It saves a tenth of the processor time of reading a feed, and costs some megabytes.
    """
    gc.freeze()
    gc.set_threshold(_NEW, _YOUNG, _OLD)


def give_back() -> None:
    """Give memory that is free back to the system, where the C library can.

    glibc keeps it for each thread that had it: with many short threads a process grows although nothing is held.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
