"""Names of organisations: what is left without legal forms and articles, which kind they say they are, acronyms."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from typing import NamedTuple

from harvester.agents.words import words
from harvester.vocabularies.places import communes

LONGEST = 300
_WORD = re.compile(r"[^\W_]+")
# At the end, or before a dash: "Institut national ... (INSEE)", "INSEE - Institut national ...".
_AFTER = re.compile(r"^(?P<name>.{6,}?)\s*[\[(]\s*(?P<short>[A-Z][A-Z0-9&.]{1,11})\s*[\])]\s*$")
_BEFORE = re.compile(
    r"^(?P<short>[A-Z][A-Z0-9&]{1,11})\s*(?:[-–—:,|]\s+|\s+[-–—:|]\s*|\s*\(\s*)(?P<name>[^()]{6,}?)\)?\s*$"
)
_SHORT = re.compile(r"[A-Z][A-Z0-9&]{1,11}|[A-Z][a-z]{2,7}")
_FORMS = words("legal-form")
_ARTICLES = words("article")
# The kind comes with the first words; two agents of different kinds are never one, whatever else of them is alike.
# At the end of the name as well: "Nantes Métropole", "Leeds City Council".
_KINDS = ("metropolis", "department", "region", "town", "tourism", "district")
_STARTS = sorted(
    ((tuple(start.split()), kind) for kind in _KINDS for start in words(f"{kind}:starts")),
    key=lambda pair: (-len(pair[0]), pair),
)
# At the end of the name as well: "Nantes Métropole", "Leeds City Council".
_ENDS = sorted(
    ((tuple(end.split()), kind) for kind in _KINDS for end in words(f"{kind}:ends")),
    key=lambda pair: (-len(pair[0]), pair),
)
# They name nobody in particular.
_NOBODY = words("nobody")
# What an organisation is for: there is a "Parks department" wherever there are parks, and one ministry in a country.
_FUNCTIONS = words("function")


class Name(NamedTuple):
    """A name to compare: the kind that it says, the words that are left of it, and an acronym it gives."""

    kind: str
    core: tuple[str, ...]
    short: str

    @property
    def vague(self) -> bool:
        """Whether it may be anybody's."""
        return all(word in _NOBODY or word in _FUNCTIONS or len(word) < 2 for word in self.core)


@lru_cache(maxsize=65536)
def read(text: str) -> Name:
    """What a name says; the core is empty where nothing is left."""
    plain = " ".join(text[:LONGEST].split())
    short = ""
    for pattern in (_AFTER, _BEFORE):
        match = pattern.match(plain)
        if match and len(_words(match["name"])) > 1:
            plain, short = match["name"], match["short"].replace(".", "").upper()
            break
    words = _words(plain)
    kind, rest = _kind(words)
    return Name(kind, rest or words, short)


@lru_cache(maxsize=65536)
def acronym(text: str) -> str:
    """The name itself where it may be an acronym: INSEE, Insee; else nothing."""
    plain = text.strip()
    return plain.upper() if _SHORT.fullmatch(plain) and plain.lower() not in _NOBODY else ""


def shared(core: tuple[str, ...]) -> bool:
    """Whether several French communes have the name: 32 are called Sainte-Colombe or Saint-Sauveur."""
    return core in _homonyms()


def _words(text: str) -> tuple[str, ...]:
    """Words without accents, articles, and legal forms; in the order of the name."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    every = _WORD.findall(folded)
    kept = tuple(word for word in every if word not in _ARTICLES and word not in _FORMS)
    return kept or tuple(every)


def _kind(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    for end, kind in _ENDS:
        if len(words) > len(end) and words[-len(end) :] == end:
            return kind, words[: -len(end)]
    for start, kind in _STARTS:
        if len(words) > len(start) and words[: len(start)] == start:
            return kind, words[len(start) :]
    return "", words


@cache
def _homonyms() -> frozenset[tuple[str, ...]]:
    names = Counter(_words(next(iter(found.labels.values()), "")) for found in communes())
    return frozenset(core for core, number in names.items() if number > 1)
