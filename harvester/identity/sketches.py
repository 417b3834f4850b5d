"""Long texts in few bytes: the smallest hashes of their words and of three words in a row (Broder; k minimum values).

From two of them follows how much the texts share, exactly so for short texts.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

KEPT_WORDS = 64
KEPT_RUNS = 48
_BITS = 0xFFFFFFFF
_SPREAD = 0x9E3779B1


class Sketch(NamedTuple):
    """How many distinct items there are, and the smallest of their hashes, in order."""

    size: int = 0
    least: tuple[int, ...] = ()


class Overlap(NamedTuple):
    """What two texts share: of both together, and of the shorter one."""

    jaccard: float
    contained: float


NOTHING = Overlap(0.0, 0.0)


@lru_cache(maxsize=100_000)
def hashed(text: str) -> int:
    """32 bits, the same in every process; spread, as the CRCs of similar words are similar."""
    return zlib.crc32(text.encode("utf-8", "replace")) * _SPREAD & _BITS


def words_sketch(words: Iterable[str]) -> Sketch:
    """The sketch of the words of a text."""
    return _sketch({hashed(word) for word in words}, KEPT_WORDS)


def runs_sketch(words: Sequence[str]) -> Sketch:
    """The sketch of every three words in a row; of the whole where there are fewer."""
    hashes = [hashed(word) for word in words]
    if len(hashes) < 3:
        return _sketch({hashed(" ".join(words))} if words else set(), KEPT_RUNS)
    runs = zip(hashes, hashes[1:], hashes[2:], strict=False)
    return _sketch({(a + 3 * b + 7 * c) * _SPREAD & _BITS for a, b, c in runs}, KEPT_RUNS)


def _sketch(hashes: set[int], kept: int) -> Sketch:
    return Sketch(len(hashes), tuple(sorted(hashes)[:kept]))


def overlap(a: Sketch, b: Sketch, kept: int) -> Overlap:
    """What the two share, as far as their sketches tell."""
    if not a.size or not b.size:
        return NOTHING
    bound = min(_bound(a, kept), _bound(b, kept))
    left, right = _upto(a.least, bound), _upto(b.least, bound)
    common = len(set(left).intersection(right))
    jaccard = common / (len(left) + len(right) - common or 1)
    both = jaccard * (a.size + b.size) / (1 + jaccard)
    return Overlap(jaccard, min(1.0, both / min(a.size, b.size)))


def _upto(least: tuple[int, ...], bound: int) -> tuple[int, ...]:
    return least if least[-1] <= bound else least[: bisect_right(least, bound)]


def lacks(sketch: Sketch, word: str, kept: int) -> bool:
    """Whether the text surely has not this word."""
    item = hashed(word)
    return item <= _bound(sketch, kept) and item not in sketch.least


def _bound(sketch: Sketch, kept: int) -> int:
    """The hash up to which the sketch holds every item."""
    return sketch.least[-1] if sketch.size > kept else _BITS
