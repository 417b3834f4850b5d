"""Areas between country and city outside France: NUTS regions of Eurostat, states and provinces of GeoNames.

A bare name is looked up where it is one place only (`by_name`); "Province of X" and "X, country" say which is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.table import Concept, Table, rows
from harvester.vocabularies.text import fold

NUTS = "http://data.europa.eu/nuts"
GEONAMES = "https://sws.geonames.org"

# The country of a code where Eurostat and ISO 3166 differ.
_COUNTRIES = {"EL": "GR", "UK": "GB"}
_NUTS = Lazy(r"^nuts(?: ?[123])?[ :_/-]*(?:20\d\d[ :_/-]*)?([a-z]{2}[a-z0-9]{1,3})$")
_NUTS_ADDRESS = Lazy(r"(?:nuts\.geovocab\.org/id/|/nuts/(?:code/|id/|\d{4}/)?|/nuts#)([a-z]{2}[a-z0-9]{1,3})$")
# What Eurostat adds to a name: "Prov. Liège", "Limburg (NL)", "Darmstadt, Kreisfreie Stadt".
_ADDED = Lazy(r"^(?:prov\.|arr\.) |\s*\(.*\)$|, (?:stadtkreis|landkreis|kreisfreie stadt|kreis)$")
# Words before a name that say of which country and level it is: how its code starts, and how long it is.
_LEVELS = {
    "kanton": {"CH": 5}, "canton": {"CH": 5}, "cantone": {"CH": 5},
    "land": {"DE": 3, "AT": 4}, "bundesland": {"DE": 3, "AT": 4}, "freistaat": {"DE": 3},
    "provincie": {"NL": 4, "BE": 4}, "regione": {"IT": 4}, "provincia": {"ES": 5, "IT": 5},
    "comunidad autonoma": {"ES": 4}, "comunidad": {"ES": 4}, "landkreis": {"DE": 5}, "regierungsbezirk": {"DE": 4},
    "state": {"US-": 5, "AU-": 6}, "estado": {"BR-": 5}, "province": {"CA-": 5},
}  # fmt: skip
# Districts of one city's name are not what a bare name is taken for; states, provinces and cantons are.
_DISTRICTS = ("landkreis", "regierungsbezirk")
# Berlin, Hamburg, Vienna, Ceuta, Melilla: city and state are one place.
_CITY_STATES = frozenset(("DE3", "DE6", "AT13", "ES63", "ES630", "ES64", "ES640"))
_LEVELLED = Lazy(
    rf"^({'|'.join(sorted(_LEVELS, key=len, reverse=True))}) (?:(?:of|de|do|da|di|del|du|d|l|la|van) )*(.+)$"
)


@cache
def _known() -> tuple[tuple[Concept, bool], ...]:
    """Every area, with whether its name alone names it."""
    nuts = (
        (Concept(f"{NUTS}/code/{row['code']}", f"NUTS_{row['code']}", {"": row["name"]}, NUTS), bool(row["by_name"]))
        for row in rows("nuts.csv")
    )
    others = (
        (Concept(f"{GEONAMES}/{row['id']}/", row["code"], {"en": row["name"]}, GEONAMES), bool(row["by_name"]))
        for row in rows("geonames-areas.csv")
    )
    return (*nuts, *others)


def learn(table: Table) -> None:
    """Add the areas to a table; what it knows keeps its meaning, but for the aliases."""
    for concept, by_name in _known():
        table.add(concept, in_use=True)
        if concept.scheme == GEONAMES:
            table.texts.setdefault(fold(concept.code), (concept,))
        if by_name:
            table.texts.setdefault(_name(concept), (concept,))
    for row in rows("area.aliases.csv"):
        table.learn(row["text"], row["code"])


def _name(concept: Concept) -> str:
    return fold(_ADDED.sub("", next(iter(concept.labels.values())).lower()))


@cache
def _named() -> dict[str, tuple[Concept, ...]]:
    """The areas of each name, the largest first."""
    found: dict[str, list[Concept]] = {}
    for concept, _ in _known():
        for name in {_name(concept), *(fold(part) for part in next(iter(concept.labels.values())).split("/"))}:
            found.setdefault(name, []).append(concept)
    return {name: tuple(sorted(areas, key=lambda area: len(area.code))) for name, areas in found.items()}


def coded(table: Table, key: str) -> Concept | None:
    """The area of "nuts fr10"."""
    found = _NUTS.match(key)
    return table.codes.get(f"NUTS_{found[1].upper()}") if found else None


def addressed(table: Table, key: str) -> Concept | None:
    """The area of an address that ends in its NUTS code."""
    found = _NUTS_ADDRESS.search(key)
    return table.codes.get(f"NUTS_{found[1].upper()}") if found else None


def levelled(key: str) -> Concept | None:
    """The one area of "provincie utrecht", "state of georgia"."""
    found = _LEVELLED.match(key)
    if not found:
        return None
    levels = _LEVELS[found[1]].items()
    fitting = [area for area in _named().get(found[2], ()) if _is_at(area.code.removeprefix("NUTS_"), levels)]
    return fitting[0] if len(fitting) == 1 else None


def _is_at(code: str, levels: Iterable[tuple[str, int]]) -> bool:
    return any(code.startswith(start) and len(code) == length for start, length in levels)


def named_like(table: Table, city: str, country: Concept) -> bool:
    """Whether a state, province or canton of the country bears the name of a city and is more than that city."""
    alike = (area for area in _named().get(city, ()) if area.code.removeprefix("NUTS_") not in _CITY_STATES)
    return any(_is_at(area.code.removeprefix("NUTS_"), _states()) and lies_in(table, area, country) for area in alike)


@cache
def _states() -> tuple[tuple[str, int], ...]:
    return tuple(level for word, levels in _LEVELS.items() if word not in _DISTRICTS for level in levels.items())


def postal() -> Iterator[str]:
    """The two letters that are written for each state of the USA and province of Canada."""
    yield from (concept.code[3:].lower() for concept, _ in _known() if concept.code[:3] in ("US-", "CA-"))


def country_of(table: Table, code: str) -> Concept | None:
    """The country of two letters, also where they alone could be a state."""
    known = table.contextual.get(f"country:{code}") or (table.texts.get(code) or (None,))[0]
    return known if known and known.scheme.endswith("/country") else None


def within(table: Table, name: str, country: Concept) -> Concept | None:
    """The one area of that name in a country, the largest of those that contain each other."""
    areas = [area for area in _named().get(fold(name), ()) if lies_in(table, area, country)]
    return areas[0] if areas and all(area.code.startswith(areas[0].code) for area in areas) else None


def lies_in(table: Table, area: Concept, country: Concept) -> bool:
    """Whether an area of this module lies in a country."""
    if area.scheme not in (NUTS, GEONAMES):
        return False
    two = area.code.removeprefix("NUTS_")[:2]
    return country_of(table, fold(_COUNTRIES.get(two, two))) == country


def all_areas() -> Iterator[Concept]:
    """Every area."""
    yield from (concept for concept, _ in _known())
