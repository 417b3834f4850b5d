"""Who stands behind a dataset: the telling words of the names of publishers, their numbers and domains, their level."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from itertools import pairwise

from harvester.identity.lexicon import COUNTY, JOINT, LOCAL, MAILS, ORGANISATION, REGIONAL, WIDE
from harvester.identity.tokens import folded, plain_words
from harvester.vocabularies import VOCABULARIES

_WORDY = re.compile(r"[^\W\d_]{2,}")
_LEVELS = {"local": LOCAL, "joint": JOINT, "county": COUNTY, "regional": REGIONAL, "wide": WIDE}
_NUMBER = re.compile(r"\d{9,14}")


@lru_cache(maxsize=20_000)
def telling(name: str) -> tuple[str, ...]:
    """The words of a name that few organisations have, in their order."""
    words = [word for word in _words(name) if word.isalpha() and len(word) > 1]
    return tuple(word for word in words if word not in ORGANISATION)


@lru_cache(maxsize=20_000)
def _words(name: str) -> tuple[str, ...]:
    return tuple(plain_words(folded(name)))


def level(names: Iterable[str]) -> str:
    """The level that the names tell; "" where they tell none or several ("Surrey County Council" is a county)."""
    words = {word for name in names for word in _words(name)}
    told = [name for name, known in _LEVELS.items() if not known.isdisjoint(words)]
    if told == ["local", "county"]:
        return "county"
    return told[0] if len(told) == 1 else ""


def written_together(words: Sequence[str], names: Set[str]) -> tuple[str, ...]:
    """The words, one after the other, that are one of the names when joined; none where none are."""
    for start in range(len(words)) if names else ():
        text = words[start]
        for end in range(start + 1, len(words)):
            text += words[end]
            if text in names:
                return tuple(words[start : end + 1])
    return ()


@lru_cache(maxsize=50_000)
def seats(name: str) -> tuple[str, ...]:
    """The places that a name has in it: `Brittany` of the health agency of Brittany."""
    words = telling(name)
    runs = {" ".join(words), *words, *(" ".join(pair) for pair in pairwise(words))}
    found = (VOCABULARIES["place"].resolve(run) for run in sorted(runs) if len(run) > 3)
    return tuple(sorted({place.uri for place in found if place}))[:3]


@lru_cache(maxsize=20_000)
def acronyms(name: str) -> frozenset[str]:
    """The initials of a name, of all of its words and of the longer ones; and what stands there in capitals."""
    words = [word for word in _WORDY.findall(name)]
    shouted = {folded(word) for word in words if word.isupper() and 2 < len(word) < 10}
    if len(words) < 3:
        return frozenset(shouted)
    initials = folded("".join(word[0] for word in words)), folded("".join(word[0] for word in words if len(word) > 3))
    return frozenset(shouted | {each for each in initials if len(each) > 2})


def marks(identifiers: Iterable[str], addresses: Iterable[str], email: str | None) -> tuple[str, ...]:
    """What identifies an organisation beside its names: SIREN of a SIRET, other public numbers, hosts, domains."""
    found: set[str] = set()
    for text in (*identifiers, *addresses):
        found.update(number[:9] if len(number) == 14 else number for number in _NUMBER.findall(text.replace(" ", "")))
    if email and (domain := email.rpartition("@")[2].lower()) and domain not in MAILS:
        found.add(f"@{domain}")
    return tuple(sorted(found))[:6]
