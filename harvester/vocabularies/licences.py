"""Licences: which single licence a title, sentence, HTML anchor or address names; not several, not a negation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from harvester.vocabularies import creative_commons
from harvester.vocabularies.creative_commons import Mention
from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.table import Concept, Table, rows
from harvester.vocabularies.text import fold, iri_key, is_iri, untagged

# What may stand between a name and its version: "Licence Ouverte / Open Licence (Etalab) version 2.0".
_VERSION_AFTER = Lazy(
    r"(?: (?:open|licen[cs]es?|ouverte|etalab|de|l|etat|du|la|le|d|ol|lo|data.gouv.fr|francaise|french|en|sa|the|by|par"
    r"|uk|odbl|iodl|nlod|dl|namensnennung|zero|attribution|data|for|government|in|its|deutschland|germany)){0,8}?"
    r" ?(?:v|version|versione|versjon|versie|ver)?\.? ?(?P<version>[123](?:[. ]\d)?)(?![\d.]*\d)(?! fois)"
)
# "une licence ouverte" is any open licence, "licence ouverte" is Etalab's.
_ANY_ONE = Lazy(r"\b(?:une|des|a|an|any|toute|quelle|autres?|other|propre|specific|speciale|d une|certaines?) $")
_NEGATION = Lazy(
    r"\b(?:not|no longer|isn t|aren t|never|n est|ne sont|n est plus|ne releven?t?|pas sous|pas soumis\w*|plus sous"
    r"|nicht|kein\w*|niet|geen|non e|non sono|no esta\w*|no es|nao|sauf|hors|hormis|except\w*|excepto|excluding"
    r"|excluant|autres? que|other than|instead of|rather than|au lieu de|plutot que|unlike|ausser|behalve|salvo|eccetto"
    r"|former\w*|previously|anciennement|before|until|avant|jusqu\w*|replac\w*|remplac\w*|bientot|soon|will be|sera)"
    r"(?: [\w.]+){0,4} ?$"
    r"|\b(?:pas|no|non)(?: (?:de|d|une?|la|le|en|licen[cs]e)){0,2} ?$"
)
_DENIED_AFTER = Lazy(
    r"^(?: [\w.]+){0,3} (?:does not apply|do not apply|ne s applique(?:nt)? pas|gilt nicht|is not|are not|n est pas"
    r"|non si applica|no se aplica|no aplica|niet van toepassing)\b"
)
# What a licence leaves out, or all it is for: "except logos", "for the photos".
_LIMITED_AFTER = Lazy(
    r"\b(?:sauf|hors|hormis|except\w*|excepto|excluding|excluant|ausser|ausgenommen|behalve|salvo|eccetto)\b"
    r"|^(?: [\w.]+){0,2} (?:for|pour|fur|voor|per|para)(?: (?:the|les?|la|die|das|de|het|gli|los|las|as|os|our|nos))?"
    r" (?:photos?|photographs?|photographies|images?|pictures?|illustrations?|logos?|icons?|icones|bilder|fotos?"
    r"|videos?|texts?|textes?|code|source code|code source|software|logiciels?)\b"
)
_PARTLY = Lazy(
    r"\b(?:some|certaine?s|parts? of|partly|partiellement|en partie|partie des|teilweise|gedeeltelijk|depending on"
    r"|selon les? jeux?|either|soit|au choix)\b"
)
# "Sauf mention contraire", "unless otherwise stated": what follows is the rule, not the exception.
_DEFAULTING = Lazy(
    r"(?:sauf|unless|except where|except as|soweit|sofern|tenzij|salvo)(?: \w+){0,2} (?:mention|indication|indique|avis"
    r"|otherwise|stated|noted|specified|indicated|anders|diversa|indicado)(?: \w+)?(?: (?:contraires?|stated|noted"
    r"|specified|indicated|angegeben|vermeld|indicazione|explicite|vermerkt))?"
)
_COMPATIBLE = Lazy(r"(?:in)?compatib(?:[^.;)\n]|\.(?=\d))*", re.IGNORECASE)
_AND = r"(?:and|et|or|ou|und|oder|en|of|y|o|e|as well as|ainsi que)(?: a| pour| for| zu)?"
_BOTH_USES = Lazy(
    rf"commercial\w* {_AND} non ?commercial\w*|non ?commercial\w* {_AND} commercial\w*"
    rf"|nicht ?kommerziell\w* {_AND} kommerziell\w*|kommerziell\w* {_AND} nicht ?kommerziell\w*"
)
_RESTRICTIONS = {
    "NC": Lazy(
        r"non ?commercial|(?:no|pas d|aucune?) (?:usage |utilisation |use )?commerciale?\b|nicht ?kommerziell"
        r"|commercial use (?:is |of \w+ )*(?:not|prohib|forbid|strict)|no comercial|nao comercial|niet commercieel"
        r"|(?:usage|utilisation) commerciale? (?:est )?(?:interdit|exclu)"
    ),
    "ND": Lazy(r"\bno ?deriv|pas de modification|keine bearbeitung|sans modification"),
    "SA": Lazy(r"share ?alike|partage (?:a l identique|dans les memes)|weitergabe unter gleichen"),
}
# Words before the name alone: a label of the field, or "licensed under".
_PREFIX = Lazy(
    r"^(?:licensed under|under|sous|licen[cs]e|lizenz|licentie|licencia|licenca|licenza|rights|droits)"
    r"(?: (?:is|est|licen[cs]e|type|applicable|the|la|l))* (?=.)"
)
_SHARING = ("SA", "ODC_BL", "GPL", "GNU")
_URL = Lazy(r"""(?:https?://|www\.)[^\s"'<>«»]+""", re.IGNORECASE)


class Family(NamedTuple):
    """One licence in its versions: how it is named (a pattern on folded text), and the code of each version.

    The version "" is the one meant when none is given.
    """

    name: str
    names: str
    codes: dict[str, str]


@cache
def _families() -> tuple[Family, ...]:
    return tuple(
        Family(
            row["family"], row["names"], dict(version.split("=") for version in row["versions"].split(" ") if version)
        )
        for row in rows("licence.names.csv")
    )


@cache
def _names() -> Lazy:
    return Lazy("|".join(f"(?P<f{number}>{family.names})" for number, family in enumerate(_families())))


def licence(table: Table, text: str) -> Concept | None:
    """The one licence a text names."""
    if is_iri(text):
        return _concept(table, _decide([found] if (found := creative_commons.address(iri_key(text))) else []))
    linked = [*_addresses(table, _URL.findall(text))]
    folded = fold(_COMPATIBLE.sub(" ", _URL.sub(" ", untagged(text))))
    known = None if linked else table.texts.get(_PREFIX.sub("", folded))
    if known:
        return known[0]
    named = [*_mentions(folded)]
    if _denied(folded, named):
        return None
    code = _decide([*linked, *named])
    return None if _restricted(folded, named, code) else _concept(table, code)


def licence_iri(table: Table, key: str) -> Concept | None:
    """Creative Commons licences by address, where each jurisdiction and translation has its own."""
    found = creative_commons.address(key)
    return _concept(table, _decide([found])) if found else None


def _concept(table: Table, code: str) -> Concept | None:
    return table.codes.get(code)


def _addresses(table: Table, urls: Iterable[str]) -> Iterator[Mention]:
    for url in urls:
        key = iri_key(url.rstrip(".,;:)]"))
        known = table.iris.get(key) or ((table.exact[key],) if key in table.exact else ())
        found = creative_commons.address(key)
        if found:
            yield found
        elif known:
            yield Mention(_family(known[0].code), known[0].code)


def _family(code: str) -> str:
    """The family of a code met as an address, so that it agrees with the same licence met as a name."""
    for family in _families():
        if code in family.codes.values():
            return family.name
    return re.sub(r"(?<=[A-Z])_\d.*", "", code)


def _mentions(folded: str) -> Iterator[Mention]:
    blank = list(folded)
    for found in creative_commons.mentions(folded):
        blank[found.start : found.end] = "\n" * (found.end - found.start)
        yield found
    rest = "".join(blank)
    for name in _names().finditer(rest):
        if named := _named(rest, name):
            yield named


def _named(text: str, name: re.Match[str]) -> Mention | None:
    family = _families()[int(str(name.lastgroup)[1:])]
    if family.name == "LO" and _ANY_ONE.search(text[max(0, name.start() - 20) : name.start()]):
        return None
    version = _VERSION_AFTER.match(text, name.end())
    number = version["version"].replace(" ", ".") if version else ""
    code = family.codes.get(number) or family.codes.get(number.removesuffix(".0"))
    return Mention(family.name, code or "", not number and bool(code), name.start(), name.end())


def _decide(found: Iterable[Mention]) -> str:
    """The code all mentions agree on; a mention without version agrees with any version of its family."""
    mentions = list(found)
    firm = {mention.code for mention in mentions if not mention.assumed}
    if len({mention.family for mention in mentions}) != 1 or len(firm) > 1:
        return ""
    return firm.pop() if firm else mentions[0].code


def _denied(folded: str, named: list[Mention]) -> bool:
    plain = _DEFAULTING.sub(lambda found: " " * len(found[0]), folded)
    if named and _PARTLY.search(plain):
        return True
    return any(
        _NEGATION.search(plain[max(0, found.start - 80) : found.start])
        or _DENIED_AFTER.search(plain[found.end :])
        or _LIMITED_AFTER.search(plain[found.end : found.end + 80])
        for found in named
    )


def _restricted(folded: str, named: list[Mention], code: str) -> bool:
    """Whether the text adds a restriction the licence does not have: then it is not simply that licence."""
    rest = list(folded)
    for found in named:
        rest[found.start : found.end] = " " * (found.end - found.start)
    plain = _BOTH_USES.sub(" ", "".join(rest))
    has = code + ("SA" if any(mark in code for mark in _SHARING) else "")
    return any(mark not in has and pattern.search(plain) for mark, pattern in _RESTRICTIONS.items())
