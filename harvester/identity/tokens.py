"""Titles as words that can be compared: accents, case, plurals, ordinals, months, quarters and year spans made one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from harvester.identity.lexicon import MONTHS, STOP

_COMBINING = re.compile("[\u0300-\u036f]")
_LIGATURES = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"}
_LIGATURE = re.compile("[œæøłđ]")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_WORD = re.compile(r"[^\W_]+")
_HUMP = re.compile(r"(?<=[a-z][a-z])(?=[A-Z][a-z])|(?<=[a-z]{3})(?=(?:19|20)\d\d(?!\d))")
# What stands in square brackets was added by who catalogued it (ISBD); round ones are the author's own.
_ASIDE = re.compile(r"\[([^\[\]]{1,200})\]|\{([^{}]{1,200})\}")
# "Zone A", "Ligne B - 2020": not the articles that these letters are elsewhere.
_LETTER = re.compile(r"(?<=[^\W_][ _-])([A-Z])(?= *(?:$|[-–:,;()/\]]| \d))")
_ROMAN = re.compile(r"\b(?=[IVX]{2,5}\b)(X{0,3}(?:IX|IV|V?I{0,3}))\b")
_ORDINAL = re.compile(r"\b0*(\d{1,3})(?:er|re|e|eme|ieme|nd|rd|st|th|de|ste|o)\b")
# "2016/17" and "2016-17" are two years; "2016-05" a month.
_SPAN = re.compile(r"(?<!\d)((?:18|19|20)(\d\d)) ?[/-] ?(\d\d)(?![\d/-])")
_MONTHLY = re.compile(r"(?<![\d.])((?:19|20)\d\d)[-/]?(0[1-9]|1[0-2])(?:[-/]?(0[1-9]|[12]\d|3[01]))?(?![\d.])")
_PART = (
    r"(?:(?P<before>[1-4]|first|second|third|fourth|premier|premiere|deuxieme|troisieme|quatrieme|erstes|zweites"
    r"|drittes|viertes|eerste|tweede|derde|vierde)[ .]*)?"
)
_QUARTER = re.compile(rf"\b{_PART}(?:trimestre|quarter|quartal|kwartaal|trimester)\b(?: ?(?P<after>[1-4])\b)?")
_HALF = re.compile(rf"\b{_PART}(?:semestre|half(?: ?year)?|halbjahr|halfjaar|semester)\b(?: ?(?P<after>[12])\b)?")
_SHORT_QUARTER = re.compile(r"\b(?:[qt]([1-4])|([1-4])[qt])\b")
_ORDER = {
    "first": "1", "premier": "1", "premiere": "1", "erstes": "1", "eerste": "1",
    "second": "2", "deuxieme": "2", "zweites": "2", "tweede": "2",
    "third": "3", "troisieme": "3", "drittes": "3", "derde": "3",
    "fourth": "4", "quatrieme": "4", "viertes": "4", "vierde": "4",
}  # fmt: skip
_PLURALS = (("aux", "al"), ("ies", "y"), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", ""), ("x", ""))
_LONGEST = 400
_MOST = 32
_LONGEST_WORD = 40


class Words(NamedTuple):
    """The words of a title in their order, and those that it has in brackets only."""

    main: tuple[str, ...]
    aside: tuple[str, ...]


def folded(text: str) -> str:
    """The text without case, accents and ligatures."""
    if text.isascii():
        return text.lower()
    plain = _COMBINING.sub("", unicodedata.normalize("NFKD", text)).casefold()
    return plain if plain.isascii() else _LIGATURE.sub(lambda found: _LIGATURES[found[0]], plain)


def plain_words(text: str) -> list[str]:
    """The words of a folded text."""
    return _WORD.findall(text)


def title_words(title: str) -> Words:
    """The words of a title, made comparable."""
    text = _LETTER.sub(r"letterx\1", _HUMP.sub(" ", _DASH.sub("-", title[:_LONGEST])))
    asides = [next(filter(None, groups)) for groups in _ASIDE.findall(text)]
    outside = _ASIDE.sub(" ", text) if asides else text
    main = _canonical(outside)
    if not main:
        return Words(_canonical(text), ())
    inside = _canonical(" ".join(asides)) if asides else ()
    return Words(main, tuple(word for word in inside if word not in main))


def _canonical(text: str) -> tuple[str, ...]:
    if any(mark in text for mark in ("II", "IV", "VI", "IX", "XI", "XV", "XX", "XIV")):
        text = _ROMAN.sub(lambda found: str(_number(found[1])), text)
    plain = folded(text)
    if any(map(str.isdigit, plain)) or "est" in plain or "quart" in plain or "half" in plain or "halb" in plain:
        plain = _periods(plain)
    words = [MONTHS.get(word) or _bare(word[:_LONGEST_WORD]) for word in _WORD.findall(plain)]
    return tuple(words[:_MOST])


def _periods(plain: str) -> str:
    plain = _ORDINAL.sub(r"\1", plain)
    plain = _SPAN.sub(_span, plain)
    plain = _MONTHLY.sub(_dated, plain)
    plain = _QUARTER.sub(lambda found: _part(found, "quarter"), plain)
    plain = _HALF.sub(lambda found: _part(found, "half"), plain)
    return _SHORT_QUARTER.sub(lambda found: f"quarter{found[1] or found[2]}", plain)


def _span(found: re.Match[str]) -> str:
    first, short, last = found.groups()
    if int(last) <= 12 and int(last) != (int(short) + 1) % 100:
        return found[0]
    century = int(first[:2]) + (int(last) < int(short))
    return f" {first} {century}{last} "


def _dated(found: re.Match[str]) -> str:
    year, month, day = found.groups()
    return f" {year} month{int(month)} {f'day{int(day)}' if day else ''} "


def _part(found: re.Match[str], kind: str) -> str:
    number = found["before"] or found["after"]
    return f" {kind}{_ORDER.get(number, number)} " if number else f" {kind} "


def _number(roman: str) -> int:
    values = [{"I": 1, "V": 5, "X": 10}[letter] for letter in roman]
    following = [*values[1:], 0]
    return sum(-value if value < after else value for value, after in zip(values, following, strict=True))


def _bare(word: str) -> str:
    return word.lstrip("0") or "0" if word.isdigit() else word


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The word without the ending of a plural, which is all that titles of one dataset differ by."""
    if len(word) < 4 or word[-1].isdigit():
        return word
    for ending, instead in _PLURALS:
        if word.endswith(ending):
            return word[: len(word) - len(ending)] + instead
    return word


@lru_cache(maxsize=100_000)
def is_year(word: str) -> bool:
    """Whether the word is a year from 1800 on."""
    return len(word) == 4 and word.isdigit() and "1800" <= word <= "2099"


@lru_cache(maxsize=100_000)
def is_period(word: str) -> bool:
    """Whether the word is a part of a year."""
    return word[-1:].isdigit() and word.startswith(("month", "quarter", "half", "day"))


@lru_cache(maxsize=100_000)
def is_number(word: str) -> bool:
    """Whether the word is a number, has one in it ("a86", "12s") or is a lone letter that counts."""
    if len(word) == 8 and word.startswith("letterx"):
        return True
    return any(map(str.isdigit, word)) and not is_year(word) and not is_period(word)


def readable(word: str) -> str:
    """The word as a person writes it."""
    return word[-1].upper() if len(word) == 8 and word.startswith("letterx") else word


def significant(words: Iterable[str]) -> tuple[str, ...]:
    """The words that tell something, in their order; all of them where none does."""
    every = tuple(words)
    return tuple(word for word in every if word not in STOP) or every
