"""Licences: which single licence a title, sentence, HTML anchor or address names; not several, not a negation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from harvester.vocabularies import creative_commons
from harvester.vocabularies.creative_commons import Mention
from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.reservations import SHORT, all_reserved, doubted, reserved
from harvester.vocabularies.table import Concept, Table, rows
from harvester.vocabularies.text import fold, iri_key, is_iri, tidy, untagged

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
    r"|cannot|can t|may not|must not|ne peu(?:t|vent)|darf nicht|durfen nicht|mag niet|mogen niet|no se puede\w*"
    r"|no puede\w*|nao pode\w*|non puo|non possono|etait|etaient"
    r"|former\w*|previously|anciennement|before|until|avant|jusqu\w*|replac\w*|remplac\w*|bientot|soon|will be|sera)"
    r"(?: [\w.]+){0,4} ?$"
    r"|\b(?:pas|no|non)(?: (?:de|d|une?|la|le|en|licen[cs]e)){0,2} ?$"
)
_DENIED_AFTER = Lazy(
    r"^(?: [\w.]+){0,3} (?:does not apply|do not apply|ne s applique(?:nt)? pas|gilt nicht|gelten nicht|is not|are not"
    r"|n est pas|ne sont pas|ist nicht|sind nicht|is niet|zijn niet|no es|no esta|no se permite|nao e|nao esta|nao se"
    r"|non e|non sono|non si applica|no se aplica|no aplica|nao se aplica|niet van toepassing)\b"
    r"|\b(?:but|mais|aber|maar|pero|mas|ma) (?:not|pas|non|nicht|niet|no|nao)\b"
)
# What a licence leaves out, or all it is for: "except logos", "for the photos".
_LIMITED_AFTER = Lazy(
    r"\b(?:sauf|hors|hormis|except\w*|excepto|excluding|excluant|ausser|ausgenommen|behalve|salvo|eccetto)\b"
    r"|^(?: [\w.]+){0,2} (?:until|till|jusqu|bis|tot|hasta|ate|fino)\b"
    r"|^(?: [\w.]+){0,2} (?:for|pour|fur|voor|per|para)(?: (?:the|les?|la|die|das|de|het|gli|los|las|as|os|our|nos))?"
    r" (?:photos?|photographs?|photographies|images?|pictures?|illustrations?|logos?|icons?|icones|bilder|fotos?"
    r"|videos?|texts?|textes?|code|source code|code source|software|logiciels?)\b"
)
_EXCEPTING = Lazy(
    r"\b(?:sauf|hormis|a l exception|a l exclusion|except|excepting|excluding|with the exception|ausser|ausgenommen"
    r"|mit ausnahme|behalve|met uitzondering|uitgezonderd|salvo|excepto|con excepcion|com excecao|exceto|tranne"
    r"|eccetto)\b"
)
_PARTLY = Lazy(
    r"\b(?:selon (?:la|le|les|l)|je nach|afhankelijk van|segun (?:el|la|los|las)|a seconda del\w*)"
    r" (?!termes|conditions|modalites|dispositions|regles|clauses|licen|terminos|condiciones|lizenz)\w+"
    r"|\b(?:some|certaine?s|parts? of|partly|partiellement|en partie|partie des|teilweise|gedeeltelijk|depending on"
    r"|selon les? jeux?|either|soit|au choix)\b"
)
# "Sauf mention contraire", "unless otherwise stated": what follows is the rule, not the exception.
_DEFAULTING = Lazy(
    r"(?:sauf|unless|except where|except as|soweit|sofern|tenzij|salvo)(?: \w+){0,2} (?:mention|indication|indique|avis"
    r"|otherwise|stated|noted|specified|indicated|anders|diversa|indicado|indicacao)(?: \w+)?"
    r"(?: (?:contraires?|stated|noted|specified|indicated"
    r"|em contrario|angegeben|vermeld|indicazione|explicite|vermerkt))?"
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
        r"|\b(?:not|never|ne|nicht|niet|geen|keine|nao|non|sauf|hors|hormis|except|ausser|behalve|salvo)"
        r" (?:\w+ ){0,6}?(?:commerc|kommerz|comerc)"
        r"|(?:commerc|kommerz|comerc)\w+ (?:\w+ ){0,4}?(?:(?:not|pas|nicht|niet|no|non|nao) (?:\w+ )?"
        r"(?:allow|permi|authori|autori|gestattet|erlaubt|zulassig|toegestaan|consentit|possib)"
        r"|interdit|exclu|prohib|forbid|verboten|untersagt|ausgeschlossen|verboden|uitgesloten|proibid|vietat)"
    ),
    "ND": Lazy(r"\bno ?deriv|pas de modification|keine bearbeitung|sans modification"),
    "SA": Lazy(r"share ?alike|partage (?:a l identique|dans les memes)|weitergabe unter gleichen"),
}
# Words before the name alone: a label of the field, or "licensed under".
_PREFIX = Lazy(
    r"^(?:licensed under|under|sous|licen[cs]e|lizenz|licentie|licencia|licenca|licenza|rights|droits)"
    r"(?: (?:is|est|licen[cs]e|type|applicable|the|la|l))* (?=.)"
)
# What no standard licence asks for.
_ON_CONDITION = Lazy(
    r"\b(?:without|sans|ohne|zonder|sin|sem|senza) (?:\w+ ){0,3}?(?:permission|consent|agreement|authori[sz]ation"
    r"|autorisation|accord|genehmigung|zustimmung|erlaubnis|toestemming|autorizacion|permiso|autorizacao|permissao"
    r"|autorizzazione)\b"
    r"|\b(?:sous reserve|subject to|vorbehaltlich|sujet[oa] a|sujeit[oa] a|previa|previo|mediante|onder voorbehoud"
    r"|salvo) (?:\w+ ){0,4}?(?:permission|consent|agreement|approval|authori[sz]ation|autorisation|accord|genehmigung"
    r"|zustimmung|toestemming|autorizacion|permiso|autorizacao|permissao|autorizzazione)\b"
)
# "Niet-commercieel gebruik, CC BY-NC": what the licence says itself is no negation of it.
_NOT_FOR_MONEY = Lazy(
    r"\b(?:non|not|no|pas d|nicht|keine|niet|geen|nao|uso nao|sin uso) ?"
    r"(?:commerc\w+|kommerz\w+|comerc\w+|utilisations? commerc\w+|usages? commerc\w+)"
    r"|\b(?:commerc|kommerz|comerc)\w+ (?:\w+ ){0,4}?(?:not|pas|nicht|niet|no|non|nao)\b"
)
_ONLY_NOT_FOR_MONEY = Lazy(rf"(?:{_NOT_FOR_MONEY.source})(?: (?:use|usage|purposes?|gebruik|nutzung))?(?: only)?")
# "Version 1.1" is "1.1" in most labels.
_VERSION_MARK = Lazy(r"\b(?:v|ver|version|versione|versie|versao)\.? ?(?=\d)")
_SHARING = ("SA", "ODC_BL", "GPL", "GNU")
# Addresses are kept apart as characters of private use, which stand for nothing else and fold to nothing.
_MARK = 0xE000
_MOST_LINKS = 1_000
_MARKED = Lazy("([\ue000-\uf8ff])")
_HREF = Lazy(r"""<a\b[^<>]{0,500}?href\s*=\s*["']?((?:https?://|www\.)[^\s"'<>]{1,1000})""", re.IGNORECASE)
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
    linked, folded = _read(table, text)
    bare = _PREFIX.sub("", folded)
    known = None if linked else table.texts.get(bare) or table.texts.get(_VERSION_MARK.sub("", bare))
    if known:
        return known[0]
    mentions = [*linked, *_mentions(folded)]
    return None if _withheld(folded, mentions) else _concept(table, _decide(mentions))


def refuses(table: Table, text: str) -> bool:
    """Whether a text denies, restricts or doubts a licence that it names, or reserves all rights."""
    text = tidy(text)
    if is_iri(text):
        return False
    linked, folded = _read(table, text)
    mentions = [*linked, *_mentions(folded)]
    return all_reserved(folded) or (bool(mentions) and (doubted(text) or _withheld(folded, mentions)))


def licence_iri(table: Table, key: str) -> Concept | None:
    """Creative Commons licences by address, where each jurisdiction and translation has its own."""
    found = creative_commons.address(key)
    return _concept(table, _decide([found])) if found else None


def _concept(table: Table, code: str) -> Concept | None:
    return table.codes.get(code)


def _read(table: Table, text: str) -> tuple[list[Mention], str]:
    """The licences at the addresses of a text, each where it stands in the folded text without addresses."""
    urls = _URL.findall(text)[:_MOST_LINKS]
    marks = iter(range(_MARK, _MARK + len(urls)))
    marked = _URL.sub(lambda _: chr(next(marks, _MARK - 1)), _HREF.sub(r" \1 <", text))
    linked: list[Mention] = []
    folded = ""
    for piece in _MARKED.split(_COMPATIBLE.sub(" ", untagged(marked))):
        place = ord(piece) - _MARK if len(piece) == 1 else -1
        if 0 <= place < len(urls):
            found = _address(table, urls[place])
            linked += [replace(found, start=len(folded), end=len(folded))] if found else []
        elif said := fold(piece):
            folded = f"{folded} {said}" if folded else said
    return linked, folded


def _address(table: Table, url: str) -> Mention | None:
    key = iri_key(url.rstrip(".,;:)]"))
    if found := creative_commons.address(key):
        return found
    known = table.iris.get(key) or ((table.exact[key],) if key in table.exact else ())
    if not known:
        return None
    code = known[0].code
    return Mention(_family(code), code, assumed=code.endswith("_ANY"))


def _family(code: str) -> str:
    """The family of a code met as an address, so that it agrees with the same licence met as a name."""
    for family in _families():
        if code in family.codes.values():
            return family.name
    return re.sub(r"(?<=[A-Z])_(?:\d.*|ANY$)", "", code)


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
    return Mention(family.name, code or "", not number, name.start(), name.end())


def _decide(found: Iterable[Mention]) -> str:
    """The code all mentions agree on; a mention without version agrees with any version of its family."""
    mentions = list(found)
    firm = {mention.code for mention in mentions if not mention.assumed}
    if len({mention.family for mention in mentions}) != 1 or len(firm) > 1:
        return ""
    return firm.pop() if firm else mentions[0].code


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _without(folded: str, named: list[Mention]) -> str:
    """The text with the names of licences blanked, every other word where it stood."""
    rest = list(folded)
    for found in named:
        rest[found.start : found.end] = " " * (found.end - found.start)
    return "".join(rest)


def _withheld(folded: str, found: list[Mention]) -> bool:
    """Whether a text takes back, in whole or in part, the licence it names."""
    return _denied(folded, found) or _restricted(folded, found, _decide(found))


def _denied(folded: str, named: list[Mention]) -> bool:
    plain = _DEFAULTING.sub(_blank, _without(folded, named))
    if named and (_PARTLY.search(plain) or (len(plain) < SHORT and _EXCEPTING.search(plain))):
        return True
    if any("NC" in found.code for found in named):
        plain = _NOT_FOR_MONEY.sub(_blank, plain)
    return any(
        _NEGATION.search(plain[max(0, found.start - 80) : found.start])
        or _DENIED_AFTER.search(plain[found.end : found.end + SHORT])
        or _LIMITED_AFTER.search(plain[found.end : found.end + 80])
        for found in named
    )


def _restricted(folded: str, named: list[Mention], code: str) -> bool:
    """Whether the text adds a restriction the licence does not have: then it is not simply that licence."""
    plain = _BOTH_USES.sub(" ", _without(folded, named))
    money = _ONLY_NOT_FOR_MONEY.sub(_blank, plain) if "NC" in code else plain
    if named and (_ON_CONDITION.search(plain) or reserved(_DEFAULTING.sub(_blank, money))):
        return True
    has = code + ("SA" if any(mark in code for mark in _SHARING) else "")
    return any(mark not in has and pattern.search(plain) for mark, pattern in _RESTRICTIONS.items())
