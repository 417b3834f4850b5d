"""Many values in pieces that one statement takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

CHUNK = 500


def pieces(values: Iterable[Any], size: int = CHUNK) -> Iterator[list[Any]]:
    """The values in lists of at most so many, in ascending order."""
    rest = iter(sorted(values))
    while part := list(islice(rest, size)):
        yield part
