"""What each code of an error or problem means, and what to do about it: one table, which is also the documentation."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Code:
    """One code; `code*` stands for all that begin so.  `stage` is where it arises: of a run, a command or the API."""

    code: str
    stage: str
    severity: str
    meaning: str
    remedy: str


@lru_cache
def table() -> dict[str, Code]:
    """code -> what it means, in the order of the documentation."""
    text = resources.files("harvester").joinpath("codes.csv").read_text("utf-8")
    return {row["code"]: Code(**row) for row in csv.DictReader(text.splitlines(), strict=True)}


def explained(code: str | None) -> Code | None:
    """What a code means; None for those of connectors that are not ours."""
    if not code:
        return None
    found = table()
    # "http-503" is one of "http-*"; "no-such-run" of "no-such-*".
    words = code.split("-")
    families = ("-".join([*words[:length], "*"]) for length in range(len(words) - 1, 0, -1))
    return next((found[name] for name in (code, *families) if name in found), None)


def remedy(code: str | None) -> str | None:
    """What to do about a code; None where nothing is known."""
    found = explained(code)
    return found.remedy if found else None
