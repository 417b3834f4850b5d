"""The grammar of Creative Commons licence names and addresses, in the languages portals write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from harvester.vocabularies.lazy import Lazy

# What follows "Creative Commons" or "CC", one word or phrase at a time, on folded text.
_WORDS = {
    "BY": r"by|attributions?|paternite|namensnennung|naamsvermelding|reconocimiento|atribucion|atribuicao"
    r"|attribuzione"
    r"|reconeixement|erkannande|navngivelse|nimea",
    "NC": r"nc|non ?commercial(?:e|es)?(?: use)?(?: only)?|noncomm|pas d utilisations? commerciales?|no ?comercial"
    r"|nicht ?kommerzi?ell\w*|keine kommerzielle nutzung|niet ?commercieel|nao ?comercial|utilisation non commerciale"
    r"|sin uso comercial|uso nao comercial|sense us comercial|usage non commercial",
    "ND": r"nd|no ?deriv(?:s|atives?)?(?: works?)?|pas de modifications?|pas d oeuvres? derivees?"
    r"|keine bearbeitung(?:en)?"
    r"|geen ?afgeleide ?werken|sin ?obras? ?derivadas?|sin ?derivadas?|sem ?derivac(?:oes|ao)|sem ?derivados"
    r"|non opere derivate|sense obres? derivad\w*",
    "SA": r"sa|share ?alike|partages? dans les memes conditions|partages? a l identique|partage identique"
    r"|weitergabe unter gleichen bedingungen|gelijk ?delen|compartir ?igual|compartilha ?igual"
    r"|partilha nos mesmos termos"
    r"|condividi allo stesso modo|compartir igual",
    "ZERO": r"zero|czero|ccz|publicdomain zero|public domain dedication(?: cc ?0)?|0(?: 1\.0| 1 0)?(?!\.?\d)",
    "PDM": r"public domain mark",
    "VERSION": r"(?:v|versions?|versie|versao|versione|ver)? ?(?P<major>\d)(?:[. ]?(?P<minor>\d))?(?!\.?\d)",
    "PORT": r"igo|oig|intergovernmental organisations?|fr|france|francia|frankreich|au|australia|australie|nl"
    r"|nederland"
    r"|netherlands|pays bas|at|austria|osterreich|autriche|de|deutschland|germany|allemagne|be|belgium|belgique"
    r"|belgie"
    r"|es|espana|spain|espagne|it|italia|italy|italie|pt|portugal|ch|suisse|switzerland|schweiz|lu|luxembourg"
    r"|luxemburg"
    r"|uk|england and wales|england wales|us|united states|usa|br|brasil|brazil|nz|new zealand|ca|canada|ie"
    r"|ireland|no|norge"
    r"|norway|pl|poland|polska",
    "FILLER": r"licen[cs]es?|licentie|lizenz|licencia|licenca|licenza|licence?s|international\w*|internacional"
    r"|internazionale"
    r"|internationaal|unported|generic|generique|generico|universal|universel|universell|non transposee?|public|deed"
    r"|the|la|le|l|un|une|version|versie|obligatoire|obligatorio|y|e|et|and|und|en|de",
}
_ANY_WORD = "|".join(f"(?P<{name}>{words})" for name, words in _WORDS.items())
_WORD = Lazy(rf" *(?:{_ANY_WORD})(?=\b|[\d_]|(?:nc|nd|sa)+\b)")
_START = Lazy(
    r"\bcreative ?commons?\b(?: cc(?= ?(?:by|0|zero)))?|\bcc(?= ?(?:by|0|zero|nc|pdm?|attribution|publicdomain))"
    r"|^(?=attribution (?:non|no|share|pas|partage|[1-4]\.\d (?:international|unported|generic|austria|netherlands)))"
    r"|^(?=by (?:nc|nd|sa)\b|by [1-4]\.[05]\b)|\blicen[cs]e (?=by (?:nc|nd|sa)\b)"
)
_VERSION_NEXT = Lazy(rf" (?:{_WORDS['VERSION']})(?=\b)")
_PORTS = {
    "oig": "igo", "intergovernmental": "igo", "france": "fr", "francia": "fr", "frankreich": "fr", "australia": "au",
    "australie": "au", "nederland": "nl", "netherlands": "nl", "pays": "nl", "austria": "at", "osterreich": "at",
    "autriche": "at", "deutschland": "de", "germany": "de", "allemagne": "de", "belgium": "be", "belgique": "be",
    "belgie": "be", "espana": "es", "spain": "es", "espagne": "es", "italia": "it", "italy": "it", "italie": "it",
    "portugal": "pt", "suisse": "ch", "switzerland": "ch", "schweiz": "ch", "luxembourg": "lu", "luxemburg": "lu",
    "england": "uk", "united": "us", "usa": "us", "brasil": "br", "brazil": "br", "new": "nz", "canada": "ca",
    "ireland": "ie", "norge": "no", "norway": "no", "poland": "pl", "polska": "pl",
}  # fmt: skip
# The host, of a country too, or kept by an archive: not a host or path that only ends in the name.
_HOST = r"^(?:web\.archive\.org/web/\w+/(?:https?:/+)?(?:www\.)?)?(?:[a-z]{1,3}\.)?creativecommons\.org/"
_ADDRESS = Lazy(
    rf"{_HOST}(?:licen[cs]es?|l)/(?P<elements>[a-z]+(?:[-+][a-z]+)*)(?:/(?P<version>\d\.\d))?"
    r"(?:/(?P<port>[a-z]{2}|igo|scotland)(?=/|$))?"
)
_DEDICATION = Lazy(rf"{_HOST}(?:publicdomain|p|licenses)/(zero|mark)\b")
_KINDS = {"BY", "BYNC", "BYNCND", "BYNCSA", "BYND", "BYSA"}


@dataclass(frozen=True, slots=True)
class Mention:
    """A licence named in a text: its family, its code ("" for one we have none for), whether its version is only
    `assumed`, and where it stands."""

    family: str
    code: str
    assumed: bool = False
    start: int = 0
    end: int = 0


def address(key: str) -> Mention | None:
    """The licence at this creativecommons.org address (an IRI key)."""
    if dedication := _DEDICATION.search(key):
        code = "CC0" if dedication[1] == "zero" else "CC_PDM_1_0"
        return Mention(code, code)
    found = _ADDRESS.search(key)
    return (
        _licence(_kind(re.split("[-+]", found["elements"].upper())), found["version"], found["port"]) if found else None
    )


def mentions(folded: str) -> Iterator[Mention]:
    """Every Creative Commons licence a folded text names."""
    position = 0
    while start := _START.search(folded, position):
        elements, version, port, position = _read(folded, start.end())
        found = _licence(_kind(elements), version, port)
        if found:
            yield replace(found, start=start.start(), end=position)


def _read(folded: str, position: int) -> tuple[list[str], str | None, str | None, int]:
    elements: list[str] = []
    version = port = None
    end = position
    while word := _WORD.match(folded, position):
        after = word.end() if word.end() > position else position + 1
        kind = str(word.lastgroup)
        named = _port(word[0].strip(), folded[after:]) if kind == "PORT" else None
        if kind == "PORT" and named is None and not _WORD.match(folded, after):
            # "no commercial use", "es solo para": a word of the sentence, no jurisdiction.
            break
        position = after
        if kind == "VERSION":
            version = version or f"{word['major']}.{word['minor'] or '0'}"
        elif kind == "PORT":
            port = port or (named if version or named == "igo" or _VERSION_NEXT.match(folded, position) else None)
        elif kind != "FILLER":
            elements.append(kind)
        end = position if kind != "FILLER" else end
    return elements, version, port, max(end, position if not elements else end)


def _port(word: str, rest: str) -> str | None:
    """The jurisdiction; two letters ("es", "de", "it") are one only where the name ends or its version follows."""
    if len(word) == 2 and rest and not rest.startswith((" licen", " cc ", " by ")) and not _VERSION_NEXT.match(rest):
        return None
    return _PORTS.get(word.split()[0], word)


def _kind(elements: list[str]) -> str:
    """`BYNCSA` for [BY, SA, NC]; "" for what is no Creative Commons licence."""
    named = set(elements)
    if named & {"ZERO", "PDM"}:
        return "" if named & {"NC", "ND", "SA"} else ("CC0" if "ZERO" in named else "CC_PDM_1_0")
    if named == {"NC"}:
        named.add("BY")
    kind = "".join(part for part in ("BY", "NC", "ND", "SA") if part in named)
    return kind if kind in _KINDS else ""


def _licence(kind: str, version: str | None, port: str | None) -> Mention | None:
    if not kind or kind.startswith("CC"):
        return Mention(kind, kind) if kind else None
    if port == "igo":
        # The licence of intergovernmental organisations has one version, often left out or written after it.
        version = version or "3.0"
    if version is None:
        return Mention(f"CC_{kind}", f"CC_{kind}_ANY", assumed=True)
    suffix = f"_{port.upper()}" if port and version != "4.0" else ""
    return Mention(f"CC_{kind}", f"CC_{kind}_{version.replace('.', '_')}{suffix}")
