"""How text becomes the terms of the index: folded words, and their stems in each language.

Words are folded (accents, case) BEFORE they are stemmed, so that `deces`, `décès` and `DECES` are one term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from tantivy import Filter, TextAnalyzer, TextAnalyzerBuilder, Tokenizer

# Longer runs of letters are encoded data, not words; tantivy refuses terms of 64 kB.
LONGEST_WORD = 64
# Snowball's languages by the first subtag of BCP 47.
SNOWBALL = {
    "ar": "arabic",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sv": "swedish",
    "tr": "turkish",
}
# Frequent words that tell these languages apart, for the many texts without a language tag.
_TELLING = {
    "fr": "le les des du une est dans pour par sur aux et avec cette qui ou",
    "en": "the of and to is for with by this from are on that as or",
    "de": "der die das und ist von mit den für auf im zur zum nach über",
    "nl": "het een van en de voor met dat zijn op deze bij naar door",
    "es": "el los las del y para con por una que en su se al",
    "it": "il gli delle della di e per con che nel una dei sono",
    "pt": "os das dos e para com uma que em no na por ao pelo",
}
_HINTS: dict[str, frozenset[str]] = {lang: frozenset(words.split()) for lang, words in _TELLING.items()}
_WORD = re.compile(r"[^\W_]+")
_COMBINING = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ß": "ss", "\x00": " "})
_SAMPLE = 600


def fold(text: str) -> str:
    """Without accents, case, ligatures; letters of other scripts stay."""
    if text.isascii():
        return text.lower().replace("\x00", " ")
    plain = unicodedata.normalize("NFKD", text).lower()
    return _COMBINING.sub("", plain).translate(_LETTERS).encode("utf-8", "ignore").decode()


def words(text: str) -> list[str]:
    """The folded words of a text, in order; apostrophes and punctuation separate (`l'état` is `l`, `etat`)."""
    return [word for word in _WORD.findall(fold(text)) if len(word) <= LONGEST_WORD]


def phrase(text: str) -> str:
    """The folded words in one line: the form in which titles and names are compared."""
    return " ".join(words(text))


@lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    """The stem of a folded word; words with digits stay as they are, they are codes."""
    stemmer = _stemmer(language)
    if stemmer is None or not word.isalpha():
        return word
    found = stemmer.analyze(_singular(word) if language == "fr" else word)
    return found[0] if found else word


def stems(text: str, language: str) -> str:
    """A text as the index keeps it: one stem per word, separated by spaces."""
    return " ".join([stem(word, language) for word in words(text)])


@lru_cache(maxsize=50_000)
def is_stop_word(word: str, language: str) -> bool:
    """Whether a word (as typed) carries no meaning in this language."""
    stopper = _stopper(language)
    return stopper is not None and not stopper.analyze(word.lower())


def primary(tag: str) -> str:
    """The language that a tag names, if it has a stemmer: `fr` for `fr`, `fr-be` and `fr-t-nl`; else ""."""
    base = tag.split("-", 1)[0]
    return base if base in SNOWBALL else ""


def guess(texts: Iterable[str], default: str) -> str:
    """The language of texts without a tag, by their small words; the default when they do not say."""
    found = set(_WORD.findall(" ".join(texts)[:_SAMPLE].lower()))
    scores = {language: len(found & hints) for language, hints in _HINTS.items()}
    best = max(scores, key=lambda language: (scores[language], language == default))
    return best if scores[best] >= 2 else default


def _singular(word: str) -> str:
    """French Snowball keeps the plural of `vélos`, `lois`, `menus`, `jeux`; one result for both numbers is wanted."""
    if len(word) <= 3:
        return word
    if word.endswith(("eux", "oux")) and not word.endswith("aux"):
        return word[:-1]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


@cache
def _stemmer(language: str) -> TextAnalyzer | None:
    name = SNOWBALL.get(language)
    return None if name is None else TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stemmer(name)).build()


@cache
def _stopper(language: str) -> TextAnalyzer | None:
    name = SNOWBALL.get(language)
    return None if name is None else TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.stopword(name)).build()
