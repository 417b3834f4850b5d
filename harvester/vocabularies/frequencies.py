"""Frequencies that no table lists: ISO 8601 durations, "every N units", and phrases around one known word."""

from __future__ import annotations

import re
from functools import cache

from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.reservations import reserved
from harvester.vocabularies.table import Concept, Table, rows
from harvester.vocabularies.text import fold, iri_key, is_iri, untagged

# Days, weeks and hours count in hours, months and years in months, which have no fixed number of hours.
_BY_HOURS = {
    1 / 60: "1MIN",
    5 / 60: "5MIN",
    10 / 60: "10MIN",
    15 / 60: "15MIN",
    0.5: "30MIN",
    1: "HOURLY",
    2: "BIHOURLY",
    3: "TRIHOURLY",
    12: "12HRS",
    24: "DAILY",
    56: "WEEKLY_3",
    84: "WEEKLY_2",
    168: "WEEKLY",
    240: "MONTHLY_3",
    336: "BIWEEKLY",
    360: "BIWEEKLY",
    720: "MONTHLY",
    8760: "ANNUAL",
}
_BY_MONTHS = {
    0.33: "MONTHLY_3",
    0.5: "MONTHLY_2",
    1: "MONTHLY",
    2: "BIMONTHLY",
    3: "QUARTERLY",
    4: "ANNUAL_3",
    6: "ANNUAL_2",
    12: "ANNUAL",
    24: "BIENNIAL",
    36: "TRIENNIAL",
    48: "QUADRENNIAL",
    60: "QUINQUENNIAL",
    72: "SEXENNIAL",
    120: "DECENNIAL",
    240: "BIDECENNIAL",
    360: "TRIDECENNIAL",
}
_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0}
_MONTHS = {"month": 1.0, "quarter": 3.0, "year": 12.0}
_TIMES = {
    "day": {1: "DAILY", 2: "DAILY_2", 3: "DAILY_3", 24: "HOURLY"},
    "week": {1: "WEEKLY", 2: "WEEKLY_2", 3: "WEEKLY_3", 5: "WEEKLY_5", 7: "DAILY"},
    "month": {1: "MONTHLY", 2: "MONTHLY_2", 3: "MONTHLY_3"},
    "year": {1: "ANNUAL", 2: "ANNUAL_2", 3: "ANNUAL_3", 4: "QUARTERLY", 6: "BIMONTHLY", 12: "MONTHLY", 52: "WEEKLY"},
}
# Above it stands a year, not how many times.
_MOST_TIMES = 1_000
_ISO = Lazy(
    r"(?:R\d*/)?P(?:(?P<year>[\d.,]+)Y)?(?:(?P<month>[\d.,]+)M)?(?:(?P<week>[\d.,]+)W)?(?:(?P<day>[\d.,]+)D)?"
    r"(?:T(?:(?P<hour>[\d.,]+)H)?(?:(?P<minute>[\d.,]+)M)?(?:(?P<second>[\d.,]+)S)?)?$",
    re.IGNORECASE,
)
_NUMBER = Lazy(r"\d{1,6}(?:[.,]\d{1,6})?$")
_EVERY = Lazy(
    r"\b(?:every|each|once every|tous les|toutes les|chaque|alle|jede\w*|elke|iedere|om de|cada|a cada|todos os"
    r"|todas as|todos los"
    r"|todas las|ogni|de|tutti i|tutte le) (?:(?P<number>\d+|[a-z]+) )?(?P<unit>[a-z]+)\b"
)
_N_TIMES = Lazy(
    r"\b(?P<number>\d+|[a-z]+) ?(?:(?:times?|x|fois|mal|keer|maal|veces|vez|vezes|volte|volta) )?"
    r"(?:a|an|per|each|every|par|pro|im|in der|in|al|a la|a l|all|alla|l|por|ao|a|op een|die|de) (?P<unit>[a-z]+)\b"
)
_TIMES_SLASH = Lazy(
    r"^(?P<number>\d+|[a-z]+) (?:times?|x|fois|mal|keer|maal|veces|vez|vezes|volte|volta) (?P<unit>[a-z]+)$"
)
# "6-monthly", "5 jährlich", "driejaarlijks".
_N_ADVERBS = Lazy(
    r"^(?P<number>\d{1,3}|[a-z]{3,6}?)[ -]?(?P<unit>hourly|daily|weekly|monthly|yearly|stundlich|taglich|wochentlich"
    r"|monatlich|jahrlich|dagelijks|wekelijks|maandelijks|jaarlijks)$"
)
_UNITS = {
    "hour": ("hourly", "stundlich"),
    "day": ("daily", "taglich", "dagelijks"),
    "week": ("weekly", "wochentlich", "wekelijks"),
    "month": ("monthly", "monatlich", "maandelijks"),
    "year": ("yearly", "jahrlich", "jaarlijks"),
}
_NOT_A_PROMISE = Lazy(
    r"\b(?:not|no|pas|plus|aucune?|kein\w*|nicht|niet|geen|sin|sem|non|nao|jusqu\w*|until|before|avant|moins"
    r"|less|more|at least|au moins"
    r"|ou|or|oder|of|o|puis|then|depend\w*|depuis|since|environ|variable"
    # What is over.
    r"|ceased|suspend\w*|stopped|ended|was|last|arret\w*|interr\w+|abandon\w*|terminee?s?|derniere?s?|eingestellt|beendet"
    r"|zuletzt|gestopt|stopgezet|beeindigd|laatst\w*|tot|bis|hasta|ate|antes|discontin\w+|descontin\w+|suspens\w*|sospes\w*"
    r"|finalizad\w+|encerrad\w+|cessat\w*|cesad\w*"
    # Bounds, and what is only nearly so.
    r"|up to|at most|max\w*|min(?:imum|imal|destens|stens)|hochstens|hoogstens|ten minste|ten hoogste"
    r"|au plus|al menos|a lo sumo|pelo menos|almeno|al massimo|approx\w*|about|roughly|around|circa|ca"
    r"|ungefahr|etwa|ongeveer|aproximad\w+"
    r"|several|multiple|many|plusieurs|quelques|mehrmals|mehrere\w*|meermaals|meerdere|verschillende|vari[oa]s|diversas"
    r"|alcune|diverse|rarely|rarement|selten|zelden"
    r"|\d{1,2} (?:(?:a|to|bis|tot|hasta|ate|e|y|et|und|en) )?\d{1,2})\b"
)
# Before the word, joined or not, it changes what the word means: "infra-annuel", "multi-annual".
_PREFIX = Lazy(
    r"(?:anti|bi|demi|half|halb|hemi|infra|inter|intra|meta|mi|mono|multi|non|para|pluri|poly|post|pre|quadri|quasi|quinqui"
    r"|semi|sesqui|sub|super|supra|tri|ultra)$"
)
_JOINED = Lazy(r"[^\W\d_]-([^\W\d_]+)")
# What the field is called, before what it says: "Mise à jour : mensuelle", "Update frequency: as needed".
_HEADING = Lazy(
    r"^(?:(?:mises? a jour|maj|frequence|periodicite|rythme|updates?|updated|update frequency|frequency"
    r"|aktualisierung\w*|actualisatie\w*|bijwerk\w*|frequentie|actualizacion|frecuencia|atualizacao|frequencia|periodicidade|periodicidad"
    r"|aggiornamento|frequenza)\b(?: (?:de|d|des|du|la|of|de la|der|da|di|del))* ?)+"
)
# Words that name a frequency only when they stand alone.
_ALONE_ONLY = {"OTHER", "UNKNOWN", "AS_NEEDED", "NEVER", "NOT_PLANNED", "IRREG"}


def frequency(table: Table, text: str) -> Concept | None:
    """The frequency of a duration or phrase."""
    found = _ISO.match(text.strip())
    if found:
        return table.codes.get(_iso_period(found))
    tail = re.search(r"[#/]([A-Za-z_]+\w*)$", iri_key(text)) if is_iri(text) and _of_a_codelist(text) else None
    if is_iri(text):
        return _by_words(table, tail[1]) if tail else None
    folded = fold(untagged(text))
    if len(folded) > 120:
        return None
    known = table.texts.get(_HEADING.sub("", folded))
    if known or _NOT_A_PROMISE.search(folded) or reserved(folded):
        return known[0] if known else None
    return _by_words(table, folded, frozenset(map(fold, _JOINED.findall(text))))


def _of_a_codelist(text: str) -> bool:
    key = iri_key(text)
    return "frequency" in key or "codelists" in key or "/freq" in key or key.startswith("purl.org/cld/")


def _iso_period(found: re.Match[str]) -> str:
    parts = {unit: _decimal(value) for unit, value in found.groupdict().items() if value}
    return _period({unit: value for unit, value in parts.items() if value})


def _decimal(value: str) -> float:
    return float(value.replace(",", ".")) if _NUMBER.match(value) else 0.0


def _period(parts: dict[str, float]) -> str:
    """The code of a period, or "" for one that has none; months and hours do not mix."""
    if parts.keys() <= _MONTHS.keys():
        return _nearest(_BY_MONTHS, sum(count * _MONTHS[unit] for unit, count in parts.items()))
    if parts.keys() <= _HOURS.keys():
        return _nearest(_BY_HOURS, sum(count * _HOURS[unit] for unit, count in parts.items()))
    return ""


def _nearest(sizes: dict[float, str], size: float) -> str:
    """Portals round: `P0.33W` is three times a week."""
    return next((code for known, code in sizes.items() if abs(known - size) <= 0.02 * known), "")


def _by_words(table: Table, folded: str, joined: frozenset[str] = frozenset()) -> Concept | None:
    """The one frequency the words say; `joined` are those that a hyphen joins to the word before."""
    known = table.texts.get(folded)
    if known:
        return known[0]
    codes = {code for code in (_n_adverbs(folded), _times(folded), _every(folded)) if code}
    codes = codes or _named(table, folded, joined)
    return table.codes.get(codes.pop()) if len(codes) == 1 else None


@cache
def _words(kind: str) -> dict[str, str]:
    """Number and unit words in seven languages."""
    listed = (row for row in rows("frequency.words.csv") if row["kind"] == kind)
    return {word: row["value"] for row in listed for word in row["words"].split()}


def _number(word: str | None) -> int:
    """A number in digits or letters, 1 when none is given, 0 when it is another word."""
    if word is None:
        return 1
    digits = word if word.isdecimal() and word.isascii() and len(word) < 5 else _words("number").get(word, "0")
    return int(digits)


def _n_adverbs(folded: str) -> str | None:
    """The code of "6-monthly"; "?" for a period that has none."""
    found = _N_ADVERBS.match(folded)
    number = _number(found["number"]) if found else 0
    if not found or not number:
        return None
    unit = next(unit for unit, words in _UNITS.items() if found["unit"] in words)
    return _period({unit: number}) or "?"


def _times(folded: str) -> str | None:
    """The code of "N times a unit"; "?" for one that has none."""
    found = _N_TIMES.search(folded) or _TIMES_SLASH.match(folded)
    if not found:
        return None
    unit, number = _words("unit").get(found["unit"], ""), _number(found["number"])
    if not unit or not number or number >= _MOST_TIMES:
        return None
    return _TIMES.get(unit, {}).get(number) or (_period({unit: 1.0}) if number == 1 else "") or "?"


def _every(folded: str) -> str | None:
    """The code of "every N units"; "?" for a period that has none, so that no other word decides."""
    for found in _EVERY.finditer(folded):
        unit = _words("unit").get(found["unit"])
        number = _number(found["number"])
        if unit is None:
            unit, number = _words("unit").get(found["number"] or ""), 1
        if unit and number:
            return _period({unit: number}) or "?"
    return None


def _named(table: Table, folded: str, joined: frozenset[str]) -> set[str]:
    """The frequencies named by the words of a short phrase; longer names first, each word used once.

    "?" for one whose meaning the word before it changes.
    """
    words = folded.split()
    codes: set[str] = set()
    position = 0
    while position < len(words) and len(words) <= 14:
        for length in range(min(5, len(words) - position), 0, -1):
            phrase = " ".join(words[position : position + length])
            known = table.texts.get(phrase) or table.texts.get(phrase.rstrip("s"))
            if known and _names(known[0].code, words[position : position + length]):
                changed = position > 0 and bool(_PREFIX.match(words[position - 1]) or words[position] in joined)
                codes.add("?" if changed else known[0].code)
                position += length - 1
                break
        position += 1
    return codes


def _names(code: str, words: list[str]) -> bool:
    return code not in _ALONE_ONLY and len(" ".join(words)) > 4 and (len(words) > 1 or words[0] not in _words("unit"))
