"""Words of the index that are spelt like a word it does not know."""

from __future__ import annotations

from tantivy import Searcher

MOST = 4
# Enough for every word with two given first letters of a catalogue of millions.
_READ = 20_000


def similar(searcher: Searcher, word: str) -> list[str]:
    """The nearest words that share the first two letters, closest and most frequent first."""
    allowed = reach(word)
    if not allowed:
        return []
    near = (
        (distance(word, other, allowed), -count, other)
        for other, count in searcher.terms_with_prefix("spelling", word[:2], limit=_READ)
        if other != word and abs(len(other) - len(word)) <= allowed
    )
    found = sorted(item for item in near if item[0] <= allowed)
    return [other for cost, _, other in found if cost == found[0][0]][:MOST]


def reach(word: str) -> int:
    """How many mistakes a word may hold: none in short words and codes, one from four letters, two from eight."""
    if not word.isalpha() or len(word) < 4:
        return 0
    return 1 if len(word) < 8 else 2


def distance(left: str, right: str, limit: int) -> int:
    """Letters added, dropped, replaced or swapped between two words; `limit` + 1 stands for anything more."""
    before: list[int] = []
    current = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        older, before, current = before, current, [i]
        for j, b in enumerate(right, start=1):
            cost = min(before[j] + 1, current[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
    return min(current[-1], limit + 1)
