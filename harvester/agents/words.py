"""Lists of words that the rules on publishers go by, as data."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources


def words(name: str) -> frozenset[str]:
    """The words of a list; folded, without accents; there may be none."""
    return frozenset(_lists().get(name, ()))


@cache
def _lists() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    text = resources.files("harvester.agents").joinpath("data/words.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["list"], []).append(row["word"])
    return found
