"""Public numbers of organisations: what a text is one of, in one spelling, checked where there is a check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harvester.identity.hosts import canonical_url

_SPACES = re.compile(r"[\s.\-/\u00a0]")
_VAT = re.compile(r"(?:AT|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|SK)[0-9A-Z]{8,12}")
_ROR = re.compile(r"0[a-hj-km-np-tv-z0-9]{6}[0-9]{2}")
_WIKIDATA = re.compile(r"(?:www\.)?wikidata\.org/(?:entity|wiki)/(q[1-9][0-9]*)$", re.IGNORECASE)
_AUTHORITY = re.compile(r"publications\.europa\.eu/resource/authority/corporate-body/([A-Za-z0-9_]+)$")
_SIREN_IRI = re.compile(r"(?:siren|siret|sirene|etablissement|entreprise|unite-legale)[^0-9]{0,30}(\d{9}|\d{14})$")
_KBO_IRI = re.compile(r"(?:cbe|kbo|bce)[^0-9]{0,40}(\d{10})$")
# The post has many establishments whose SIRET does not pass (INSEE).
_POST = "356000000"
_LONGEST = 200

Number = tuple[str, str]


def numbers(texts: tuple[str, ...]) -> frozenset[Number]:
    """(scheme, number) of every registered identifier among the texts."""
    return frozenset(found for text in texts if len(text) <= _LONGEST for found in _read(text.strip()))


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _read(text: str) -> Iterator[Number]:
    if "://" in text or text.startswith("urn:"):
        yield from _addressed(text)
        return
    label, _, rest = text.rpartition(":")
    plain = _SPACES.sub("", rest or text).upper()
    if not plain.isascii():
        return
    if siren := _siren(plain):
        yield "SIREN", siren
    elif (found := _enterprise(plain, label)) is not None:
        yield found
    elif _VAT.fullmatch(plain) and any(map(str.isdigit, plain)):
        yield "VAT", plain
    elif len(plain) == 13 and plain.isdigit() and _gln(plain):
        yield "GLN", plain
    elif _ROR.fullmatch(plain.lower()) and not plain.isdigit():
        yield "ROR", plain.lower()


def _siren(plain: str) -> str | None:
    """The SIREN of a SIREN, a SIRET, or a French VAT number; zeros and the like pass the check and are none."""
    if plain.startswith("FR") and len(plain) == 13 and plain[4:].isdigit():
        plain = plain[4:]
    if not plain.isdigit() or len(plain) not in (9, 14) or len(set(plain[:9])) < 2:
        return None
    fits = luhn(plain[:9]) and (len(plain) == 9 or luhn(plain) or plain[:9] == _POST)
    return plain[:9] if fits else None


def _enterprise(plain: str, label: str) -> Number | None:
    """A Belgian enterprise number: the last two digits are 97 less the remainder of the others."""
    digits = plain.removeprefix("BE")
    if len(digits) != 10 or not digits.isdigit() or digits[0] not in "01":
        return None
    known = plain != digits or label.strip().upper() in ("KBO", "BCE", "CBE")
    return ("KBO", digits) if known and int(digits[8:]) == 97 - int(digits[:8]) % 97 else None


def _gln(plain: str) -> bool:
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(plain[:12]))
    return len(set(plain)) > 2 and (10 - total % 10) % 10 == int(plain[12])


def _addressed(text: str) -> Iterator[Number]:
    if match := _WIKIDATA.search(text):
        yield "Wikidata", match[1].upper()
    elif match := _AUTHORITY.search(text):
        yield "EU authority", match[1].upper()
    elif (match := _SIREN_IRI.search(text.lower().rstrip("/"))) and (siren := _siren(match[1])):
        yield "SIREN", siren
    elif (match := _KBO_IRI.search(text.lower().rstrip("/"))) and (found := _enterprise(match[1], "KBO")):
        yield found
    elif "ror.org/" in text and _ROR.fullmatch(tail := text.rstrip("/").rpartition("/")[2].lower()):
        yield "ROR", tail
    elif canonical_url(text).startswith("isni.org/"):
        yield "ISNI", canonical_url(text).rpartition("/")[2].upper()
