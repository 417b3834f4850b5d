"""Language tags (BCP 47, RFC 5646; machine translations: RFC 6497), and which of several texts to show."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from types import NoneType
from typing import Any

from harvester.fields.base import SILENT, Report
from harvester.vocabularies import VOCABULARIES, heeding
from harvester.vocabularies.table import rows

UNTAGGED = ""
# What BCP 47 has for "not known": the same as no tag, where that is taken.
UNKNOWN = "und"
_NO_LANGUAGE = frozenset(("und", "zxx", "mis", "mul", "root"))
_TAG = re.compile(
    r"[a-z]{2,3}(?:-[a-z]{3}){0,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?"
)
# "fr_FR.UTF-8", "fr-FR@euro", "en;q=0.8": what stands before was meant.
_AFTER = re.compile(r"[.@;,].*", re.DOTALL)
_LONGEST = 100
_LONGEST_JSON = 200_000
_SHORTEST_NAME = 4


def language_tag(value: Any, report: Report = SILENT) -> str:
    """A tag in lower case (`fr`, `pt-br`, `fr-t-nl`), codes as short as they can be; "" when the value is none.

    What is no tag but names a language, or starts with a tag, becomes that tag.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        tag, sound = UNTAGGED, value in (None, "")
    else:
        tag, sound = _normalised(value)
    if not sound:
        kept = f"read as {tag!r}" if tag else "the text is kept without it"
        report("bad-language-tag", value, f"not a language tag (BCP 47); {kept}")
    return tag


def by_language(value: str) -> dict[str, str | None] | None:
    """The texts that a JSON object in a text holds by language (CKAN: `{"fr": "Eau", "nl": "Water"}`), else None."""
    try:
        found = json.loads(value[:_LONGEST_JSON])
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not found or not all(type(said) in (str, NoneType) for said in found.values()):
        return None
    return found if all(len(key) <= _LONGEST and all(_normalised(key)) for key in found) else None


def translated(tag: str) -> bool:
    """Whether the tag says that the text was translated by a machine: `fr-t-nl`, `fr-t-nl-t0-mtec`."""
    return "-t-" in tag.lower().partition("-x-")[0]


def preferred(texts: Mapping[str, str], language: str = "") -> str | None:
    """The one text to show: an original before any machine translation, then the language asked for.

    Where it is missing: a text without a tag, else English, else the first in the order of tags.
    """
    if len(texts) == 1:
        return next(iter(texts.values()))
    tag = min(texts, key=lambda each: (_rank(each, language), each), default=None)
    return None if tag is None else texts[tag]


def _rank(tag: str, language: str) -> tuple[bool, int]:
    if tag == language:
        return translated(tag), 0
    primary = tag.split("-", 1)[0]
    if language and primary == language.split("-", 1)[0]:
        return translated(tag), 1
    if tag in (UNTAGGED, UNKNOWN):
        return False, 2
    return translated(tag), 3 if tag == "en" else 4 if primary == "en" else 5


@lru_cache(maxsize=4_096)
def _normalised(raw: str) -> tuple[str, bool]:
    """The tag, and whether the text was one."""
    tag = raw.strip().replace("_", "-").lower()
    if not tag or tag in _NO_LANGUAGE:
        return UNTAGGED, True
    if _TAG.fullmatch(tag):
        return _shortest(tag), True
    if named := _named(raw.strip()):
        return named, False
    original, translation, _ = f"{tag}-".partition("-t-")
    if translation and _TAG.fullmatch(original):
        # A translation all the same, from we do not know what.
        return f"{_shortest(original)}-t-{UNKNOWN}", False
    start = _AFTER.sub("", tag).strip("- ")
    return (_shortest(start), False) if start != tag and _TAG.fullmatch(start) else (UNTAGGED, False)


def _shortest(tag: str) -> str:
    """With the two letters of a language that has them: `fra` and `fre-be` are `fr` and `fr-be` (RFC 5646, 2.2.1)."""
    primary, joint, rest = tag.partition("-")
    return (_letters(primary) or primary) + joint + rest if len(primary) == 3 else tag


def _named(name: str) -> str | None:
    return _letters(name) if len(name) >= _SHORTEST_NAME and name.isalpha() else None


def _letters(text: str) -> str | None:
    """The two letters of the language that a code or a name means."""
    # What one source was told that its words mean is no language tag of another's.
    with heeding(None):
        concept = VOCABULARIES["language"].resolve(text)
    return _two_letters().get(concept.code) if concept else None


@lru_cache(maxsize=1)
def _two_letters() -> dict[str, str]:
    pairs = ((row["code"], row["text"]) for row in rows("language.aliases.csv"))
    return {code: text.lower() for code, text in pairs if code and len(text) == 2 and text.isascii() and text.isalpha()}
