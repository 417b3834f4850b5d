"""Languages: BCP 47 tags and the addresses of ISO 639 codes, down to one EU language."""

from __future__ import annotations

import re

from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.table import Concept, Table
from harvester.vocabularies.text import fold, iri_key, is_iri

_TAG = Lazy(r"([a-z]{2,3})(?:[-_][a-z0-9]{1,8})+$", re.IGNORECASE)
# As Canada writes it (eng; CAN), or with the country in brackets.
_WITH_COUNTRY = Lazy(r"([^\W\d_]{2,20})\s*(?:[;,/|(]\s*[^\W\d_]{2,20}\)?|\([^\W\d_]+(?:[ -][^\W\d_]+){1,3}\))$")
# "en_US.UTF-8": a locale of POSIX.
_LOCALE = Lazy(r"\.[\w-]{3,12}$")
# "Brazilian Portuguese", "Modern Greek".
_OF_A_NATION = Lazy(
    r"^(?:american|us|british|uk|canadian|australian|irish|brazilian|european|iberian|mexican|swiss|austrian|belgian"
    r"|modern|standard|simplified|traditional) ([a-z]+)$"
)
_CODE_ADDRESS = Lazy(
    r"(?:id\.loc\.gov/vocabulary/(?:iso639-[1-5]|languages)|lexvo\.org/(?:id|page)/iso639-[1-5]|iso639-[135]"
    r"|inspire\.ec\.europa\.eu/"
    r"metadata-codelist/languagecode|publications\.europa\.eu/(?:mdr/)?(?:resource/)?authority/language"
    r"|loc\.gov/standards/iso639-2/php/"
    r"langcodes|languagecode|resources\.data\.gov/vocab/language/todo|w3id\.org/lexvo/id/iso639-3"
    r"|glottolog\.org/iso)[/#:]([a-z_-]{2,20})$"
)
_SHORTEST_NAME = 4
_WORDS = Lazy(r"\b(?:langue|language|sprache|taal|idioma|lingua|lang)\b")


def language(table: Table, text: str) -> Concept | None:
    """The language of a tag or of a code's address."""
    if is_iri(text):
        found = _CODE_ADDRESS.search(iri_key(text))
        return _known(table, found[1]) or _tagged(table, found[1]) if found else None
    return _tagged(table, text.strip()) or _with_country(table, text.strip()) or _spoken(table, text)


def _known(table: Table, text: str) -> Concept | None:
    known = table.texts.get(fold(text))
    return known[0] if known else None


def _tagged(table: Table, text: str) -> Concept | None:
    tag = _TAG.match(_LOCALE.sub("", text))
    return _known(table, tag[1]) if tag else None


def _with_country(table: Table, text: str) -> Concept | None:
    """A language followed by a country, not by a second language."""
    found = _WITH_COUNTRY.match(text)
    if not found:
        return None
    first, rest = _known(table, found[1]), text[found.end(1) :].strip(" ;,/|()")
    second = next((known for word in (rest, *re.split("[ -]", rest)) if (known := _known(table, word))), None)
    return first if second in (None, first) or (len(rest) == 3 and rest.isupper() and ";" in text) else None


def _spoken(table: Table, text: str) -> Concept | None:
    """ "Langue : français" """
    key = fold(text)
    if len(text) > 60:
        return None
    nation = _OF_A_NATION.match(key)
    shorter = nation[1] if nation else " ".join(_WORDS.sub(" ", key).split())
    if shorter == key or (len(shorter) < _SHORTEST_NAME and ":" not in text):
        # "no language" is not Norwegian, "sin idioma" not Sinhala.
        return None
    return _known(table, shorter)
