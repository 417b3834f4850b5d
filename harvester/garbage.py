"""How often the cycle collector of Python looks for garbage: seldom, for what passes through here has no cycles."""

from __future__ import annotations

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
