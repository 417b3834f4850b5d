"""What a person typed, read leniently: words, "phrases", -exclusions; everything else is just separators."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from harvester.search.analysis import phrase, words

# Longer questions are cut: nobody types them, and each word costs a query of its own.
MOST_WORDS = 32
LONGEST = 4_000
_PART = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "’": "'"})
_OPERATORS = frozenset(("AND", "OR", "NOT", "&&", "||"))


@dataclass(frozen=True, slots=True)
class Question:
    """The words wanted, the phrases wanted whole, what must not occur, and the whole text for direct hits."""

    words: tuple[str, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    excluded: tuple[tuple[str, ...], ...] = ()
    whole: str = ""
    raw: str = ""

    def __bool__(self) -> bool:
        return bool(self.words or self.phrases or self.excluded)


def parse(text: str) -> Question:
    """The question in a text; total: any string is a question, unknown syntax is searched as words."""
    clean = unicodedata.normalize("NFC", text[:LONGEST].encode("utf-8", "ignore").decode()).translate(_QUOTES)
    wanted: list[str] = []
    phrases: list[tuple[str, ...]] = []
    excluded: list[tuple[str, ...]] = []
    for part in _PART.finditer(clean):
        found = tuple(words(part["phrase"] if part["word"] is None else part["word"])[:MOST_WORDS])
        if part["word"] in _OPERATORS or not found:
            continue
        if part["minus"]:
            excluded.append(found)
        elif part["phrase"] is not None and len(found) > 1:
            phrases.append(found)
        else:
            wanted += found
    return Question(
        tuple(dict.fromkeys(wanted))[:MOST_WORDS],
        tuple(dict.fromkeys(phrases))[: MOST_WORDS // 4],
        tuple(dict.fromkeys(excluded))[:MOST_WORDS],
        phrase(clean),
        clean.strip(),
    )
