"""Places: countries, continents and cities of the EU tables; French areas and communes of Insee; GeoNames.

A name that could be two places is no place: only what is sure is resolved.  "Utrecht" is a city and its province, "GA"
Gabon and Georgia in the USA; "Gemeente Utrecht", "Utrecht, Nederland" and `country:ga` say which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from harvester.vocabularies import areas
from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.table import Concept, Table, read_concepts, rows
from harvester.vocabularies.text import fold, iri_key, is_iri

EU = "http://publications.europa.eu/resource/authority/"
INSEE = "http://id.insee.fr/geo/"
GEONAMES = f"{areas.GEONAMES}/"

_GEONAMES = Lazy(r"(?:sws\.|api\.)?geonames\.org/(\d{1,9})(?:/.*)?$")
# udata zones, old (`fr/commune/36063/chatillon`) and new (`fr:commune:36063@1943-01-01`).
_ZONE = Lazy(
    r"^(?:geozone:|zone:)?fr[:/](region|departement|commune|arrondissement-municipal|collectivite"
    r"|town)[:/]([0-9][0-9ab]?[0-9]{0,3})(?:[@/].*)?$"
)
_COUNTRY_ZONE = Lazy(r"^(?:country|pays)[:/]([a-z]{2,3})(?:[@/].*)?$")
_NUMBERED = Lazy(
    r"^(?:(?:code )?(?:insee|cog)|(?P<level>commune|com|departement|dep|dept|dpt|region"
    r"|reg))[ :_-]*(?P<code>\d[0-9ab](?:\d{1,3})?)$"
)
# A name with its code in brackets, as German registries write it.
_NAME_AND_CODE = Lazy(r"^([^()]{2,80}?)\s*\([^()]*\d[^()]*\)$")
# Its level may stand there too: "Bretagne (région)".
_NAME_AND_LEVEL = Lazy(r"^([^()]{2,80}?)\s*\(([^()\d]{3,30})\)$")
_LEVELS = {
    "region": "REG",
    "reg": "REG",
    "departement": "DEP",
    "dep": "DEP",
    "dept": "DEP",
    "dpt": "DEP",
    "commune": "COM",
    "com": "COM",
}
_QUALIFIED = Lazy(
    r"^(?P<level>region|departement|conseil departemental|conseil regional|commune|ville|mairie|city"
    r"|municipality|municipalite|stadt|landeshauptstadt|hansestadt|gemeinde|stad|gemeente|ciudad|ayuntamiento|municipio"
    r"|cidade|camara municipal|comune|citta)"
    r" (?:(?:administrative|francaise) )?"
    r"(?:(?:of|de la|de l|de|des|du|dos|do|da|di|del|d|l|la|le|les|van) )*(?P<name>.+)$"
)
# "29 - Finistère", "Finistère (29)" says its number too.
_NUMBER_AND_NAME = Lazy(
    r"^(?:(?P<before>\d[\dab]\d?)[ -]+(?P<name>[^\d]{3,40})|(?P<named>[^\d]{3,40}?)[ -]+(?P<after>\d[\dab]\d?))$"
)
# A French commune is one only where the word before it is French.
_COMMUNES = frozenset(("commune", "ville", "mairie", "municipalite", "city", "municipality"))
# Members of the European Union whose two letters are a state's too (Delaware, Newfoundland, Montana, Saskatchewan).
_OWN_CODES = frozenset(("de", "nl", "mt", "sk"))
_SAINTS = {"st": "saint", "ste": "sainte"}
_AREAS = {"region": "REG", "conseil regional": "REG", "departement": "DEP", "conseil departemental": "DEP"}
_ARTICLES = Lazy(r"^(?:the|la|le|les|l|el|los|las|il|lo|de|den|die|der|das|republic of|republique de|kingdom of) ")


def read_places(name: str, scheme: str) -> Table:
    """All tables but the communes, the surest names first: a later name never takes an earlier one's place."""
    parts = [
        (read_concepts("country.csv", f"{EU}country"), _aliases("country")),
        (read_concepts("continent.csv", f"{EU}continent"), _aliases("continent")),
        (read_concepts("insee-areas.csv", INSEE.rstrip("/")), []),
        (read_concepts("place.csv", f"{EU}place"), []),
    ]
    whole = Table(())
    for concepts, aliases in parts:
        part = Table(concepts, aliases)
        whole.texts = part.texts | whole.texts
        whole.codes |= part.codes
        whole.exact |= part.exact
        whole.current += part.current
    areas.learn(whole)
    _unlearn_shared(whole)
    for row in rows("place.aliases.csv"):
        whole.learn(row["text"], row["code"])
        if row["context"]:
            whole.contextual[fold(row["text"])] = whole.codes[row["context"]]
    for concept, _ in read_concepts("atu.csv", f"{EU}atu"):
        whole.exact[iri_key(concept.uri)] = concept
        whole.current.append(concept)
    return whole


def _unlearn_shared(whole: Table) -> None:
    """Make nothing of names of two cities, of a city and its province, and of a country and a state's two letters."""
    owners: dict[str, set[str]] = {}
    for city in filter(_is_city, whole.current):
        names = {fold(label) for label in city.labels.values()}
        for name in names:
            owners.setdefault(name, set()).add(city.code)
        country = whole.codes.get(city.code.partition("_")[0])
        if country and any(areas.named_like(whole, name, country) for name in names):
            own = {name for name in names if whole.texts.get(name) == (city,)}
            whole.contextual |= dict.fromkeys(own, city)
            whole.texts |= dict.fromkeys(own, ())
    for name in (name for name, cities in owners.items() if len(cities) > 1):
        whole.texts.setdefault(name, ())
    for code in areas.postal():
        known = whole.texts.get(code)
        if known and known[0].scheme == f"{EU}country" and code not in _OWN_CODES:
            whole.contextual[f"country:{code}"] = known[0]
            whole.texts[code] = ()


def _aliases(name: str) -> list[tuple[str, str]]:
    return [(row["text"], row["code"]) for row in rows(f"{name}.aliases.csv")]


def _is_city(concept: Concept) -> bool:
    return concept.scheme == f"{EU}place"


@cache
def _communes() -> dict[str, tuple[str, str]]:
    """Communes by code."""
    return {row["code"].lower(): (row["code"], row["name"]) for row in rows("insee-communes.csv")}


@cache
def _commune_names() -> dict[str, str]:
    """The code of each name that one present commune alone bears and that is no common word."""
    return {_name(row["name"]): row["code"] for row in rows("insee-communes.csv") if row["by_name"]}


def _name(text: str) -> str:
    """The key of a commune's name: `st` is `saint`."""
    key = fold(text)
    return " ".join(_SAINTS.get(word, word) for word in key.split()) if "st" in key else key


def _commune(code: str) -> Concept | None:
    known = _communes().get(code.lower())
    if known is None:
        return None
    return Concept(f"{INSEE}commune/{known[0]}", f"COM{known[0]}", {"fr": known[1]}, INSEE.rstrip("/"))


def communes() -> Iterator[Concept]:
    """Every commune, present and former."""
    for code in _communes():
        if commune := _commune(code):
            yield commune


def place_iri(table: Table, key: str) -> Concept | None:
    """Communes and GeoNames features, by address."""
    if found := _GEONAMES.match(key):
        return Concept(f"{GEONAMES}{found[1]}/", found[1], {}, GEONAMES.rstrip("/"))
    if key.startswith("id.insee.fr/geo/commune/"):
        return _commune(key.rsplit("/", 1)[1])
    return None


def place(table: Table, text: str) -> Concept | None:
    """Zone codes, qualified names ("département de la Somme"), "city, country", and commune names."""
    if is_iri(text):
        return areas.addressed(table, iri_key(text))
    raw = text.strip().lower()
    if zone := _ZONE.match(raw):
        return _numbered(table, zone[1], zone[2])
    if country := _COUNTRY_ZONE.match(raw):
        return areas.country_of(table, country[1])
    if geonames := re.fullmatch(r"geonames:(\d{1,9})", raw):
        return place_iri(table, f"sws.geonames.org/{geonames[1]}")
    if len(text) > 120:
        return None
    return _by_name(table, text)


def _numbered(table: Table, level: str, code: str) -> Concept | None:
    if level == "collectivite":
        known = table.texts.get(f"fr collectivite {code}")
        return known[0] if known else None
    prefix = _LEVELS.get(level, "COM")
    return _commune(code) if prefix == "COM" else table.codes.get(f"{prefix}{code.upper()}")


def _by_name(table: Table, text: str) -> Concept | None:
    key = fold(text)
    if numbered := _NUMBERED.match(key):
        return _numbered(table, numbered["level"] or "commune", numbered["code"])
    if found := areas.coded(table, key) or _of_number_and_name(table, key):
        return found
    parts = [part for part in (piece.strip() for piece in text.split(",")) if part]
    if len(parts) > 1:
        return _listed(table, parts)
    if (qualified := _QUALIFIED.match(key)) and (found := _qualified(table, qualified["level"], qualified["name"])):
        return found
    if (levelled := areas.levelled(key)) or qualified:
        return levelled
    if numbered_name := _NAME_AND_CODE.match(text):
        return _one(table, numbered_name[1])
    if (levelled_name := _NAME_AND_LEVEL.match(text)) and (found := _at_level(table, *levelled_name.groups())):
        return found
    bare = _ARTICLES.sub("", key)
    known = table.texts.get(bare) if bare != key else None
    if known:
        return known[0] if known[0].scheme == f"{EU}country" else None
    spelt_out = table.texts.get(_name(key))
    if spelt_out is not None:
        return spelt_out[0] if spelt_out else None
    return _commune_named(key)


def _at_level(table: Table, name: str, level: str) -> Concept | None:
    """A name with its level after it, read as one with its level before it."""
    key = fold(f"{level} {name}")
    qualified = _QUALIFIED.match(key)
    return (_qualified(table, qualified["level"], qualified["name"]) if qualified else None) or areas.levelled(key)


def _of_number_and_name(table: Table, key: str) -> Concept | None:
    """A département by number and name, where they agree."""
    if not (found := _NUMBER_AND_NAME.match(key)):
        return None
    named = table.codes.get(f"DEP{(found['before'] or found['after']).upper()}")
    return named if named and fold(named.labels["fr"]) == (found["name"] or found["named"]) else None


def _qualified(table: Table, level: str, name: str) -> Concept | None:
    prefix = _AREAS.get(level)
    if prefix is None:
        known = table.texts.get(name) or (table.contextual.get(name),)
        if known[0] and _is_city(known[0]):
            return known[0]
        return _commune_named(name) if level in _COMMUNES else None
    for code, concept in table.codes.items():
        if code.startswith(prefix) and name in (full := fold(concept.labels.get("fr", "")), _ARTICLES.sub("", full)):
            return concept
    return None


def _listed(table: Table, parts: list[str]) -> Concept | None:
    """ "Lyon, France": the city if it lies in that country; the same place said twice; else no single place."""
    found = [_one(table, part) for part in parts]
    first, last = found[0], found[-1]
    if first and all(other == first for other in found):
        return first
    if first and last and last.scheme == f"{EU}country" and lies_in(table, first, last):
        # "Anjou, Pays de la Loire, France" is no commune: the part between would have to agree.
        return first if len(parts) == 2 or (len(parts) == 3 and not first.code.startswith("COM")) else None
    if len(parts) == 2 and last and last.scheme == f"{EU}country":
        return areas.within(table, parts[0], last)
    return None


def _one(table: Table, text: str) -> Concept | None:
    key = fold(text)
    if key in table.contextual:
        return table.contextual[key]
    known = table.texts.get(key)
    return known[0] if known else (None if known is not None else _by_name(table, text))


def lies_in(table: Table, place: Concept, country: Concept) -> bool:
    """Whether a place is known to lie in a country."""
    if areas.lies_in(table, place, country):
        return True
    return place.code.startswith(f"{country.code}_") or (place.uri.startswith(INSEE) and country.code == "FRA")


def _commune_named(key: str) -> Concept | None:
    code = _commune_names().get(_name(key))
    return _commune(code) if code else None
