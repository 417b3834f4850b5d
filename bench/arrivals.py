"""Two portals whose records are planted one by one, so that the verdict on each is known beforehand.

A producer's portal (CKAN or Opendatasoft) and the national one (udata), in the shapes that their software gives.
What is planted lives here alone: nothing of it is told to the code that is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bench.shapes import HOSTS, LOOKED, REGION, WRITTEN, Item, guid, harvested, mark

# How many of a thousand records get each plan; the rest arrives as it is.
PLANS: dict[str, int] = {
    "stale-words": 40,
    "stale-file": 15,
    "stale-date": 15,
    "title": 12,
    "swapped": 8,
    "description": 12,
    "licence": 12,
    "publisher": 10,
    "files": 15,
    "keyword": 12,
    "period": 8,
    "newer": 20,
    "undescribed": 12,
    "filtered": 40,
    "laden": 8,
    "hidden": 8,
    "withdrawn": 10,
    "lost": 15,
    "otherwise": 8,
    "retired": 20,
    "invented": 15,
    "twice": 15,
    "through-region": 20,
    "region-alone": 15,
    "namesake": 12,
    "namesake-lost": 10,
    "typed-in": 20,
    "typed-in-retitled": 15,
}
# What each plan comes to at the source: verdict, reason, a field that must be among those that differ.
EXPECTED: dict[str, tuple[str, str | None, str | None]] = {
    "plain": ("matched", None, None),
    "stale-words": ("stale", None, "description"),
    "stale-file": ("stale", None, "distribution"),
    "stale-date": ("stale", None, "modified"),
    "title": ("divergent", None, "title"),
    "swapped": ("divergent", None, "title"),
    "description": ("divergent", None, "description"),
    "licence": ("divergent", None, "license"),
    "publisher": ("divergent", None, "publisher"),
    "files": ("divergent", None, "distribution"),
    "keyword": ("divergent", None, "keyword"),
    "period": ("divergent", None, "temporal"),
    "newer": ("missing", "newer", None),
    "undescribed": ("missing", "lacks-field", None),
    "filtered": ("missing", "filtered", None),
    "laden": ("missing", "too-many-distributions", None),
    "hidden": ("missing", "private", None),
    "withdrawn": ("missing", "withdrawn", None),
    "lost": ("missing", "unknown", None),
    "otherwise": ("missing", "elsewhere", None),
    "twice": ("matched", None, None),
    "through-region": ("matched", None, None),
    "region-alone": ("matched", None, None),
    "namesake": ("matched", None, None),
    # The title is there, under another council: that is all that can be said.
    "namesake-lost": ("missing", "elsewhere", None),
    "typed-in": ("divergent", None, "distribution"),
    "typed-in-retitled": ("divergent", None, "title"),
}
BY_TEXT = frozenset(("typed-in", "typed-in-retitled", "otherwise", "namesake-lost"))
# Absences for which nothing can be told are chance: any reason but a wrong sure one would be luck.
ABSENT = frozenset(("newer", "undescribed", "filtered", "laden", "hidden", "lost", "otherwise"))

_SUBJECTS = (
    "Arbres remarquables", "Budget primitif", "Comptages de vélos", "Délibérations du conseil", "Écoles maternelles",
    "Fréquentation des piscines", "Gisement solaire des toitures", "Horaires des bibliothèques", "Îlots de fraîcheur",
    "Jardins partagés", "Lignes de bus", "Marchés publics attribués", "Naissances déclarées", "Ouvrages d'art",
    "Points d'apport volontaire", "Qualité de l'air intérieur", "Résultats des élections", "Stations de vélos",
    "Subventions aux associations", "Tarifs de l'eau", "Urbanisme : permis accordés", "Voirie : chantiers", "Zones 30",
    "Accidents de la circulation", "Bornes de recharge", "Consommation d'énergie", "Défibrillateurs",
    "Équipements sportifs",
    "Fontaines à boire", "Menus des cantines", "Parkings relais", "Plan de sauvegarde", "Population légale",
    "Toilettes publiques",
)  # fmt: skip
_COMMUNES = (
    "Aubrive", "Belcastel", "Corvigny", "Dampierre", "Estrac", "Fontbrune", "Grandval", "Hautecombe", "Issarles",
    "Jonvelle",
    "Kerlouan", "Larmont", "Montsault", "Neuvic", "Orbeval", "Pranzac", "Quincy", "Rochebelle", "Savigneux", "Tréguec",
)  # fmt: skip
_ASPECTS = (
    "relevé de terrain", "vue d'ensemble", "suivi mensuel", "inventaire", "référentiel", "historique complet",
    "données brutes", "indicateurs", "périmètres", "calendrier",
)  # fmt: skip
_BODIES = (
    "Brume Métropole", "Ville de Brume", "Régie des eaux de Brume", "Transports de Brume",
    "Agence d'urbanisme du Brumois",
    "Office du tourisme du Brumois", "Service départemental d'incendie de Brume",
)  # fmt: skip
_LEADS = (
    "Ce jeu de données présente {what}.",
    "Liste complète : {what}.",
    "{what}, tel que transmis par les services.",
    "Données relatives au thème suivant : {what}.",
)
_TAILS = (
    "Mise à jour selon les remontées des services. Contact : opendata@brume.example.",
    "Les champs sont décrits dans la notice jointe. Toute réutilisation doit mentionner la source.",
    "Les valeurs manquantes sont laissées vides. Ce jeu est produit pour les besoins du service public.",
)
_THEMES = ("Environnement", "Transports", "Administration", "Culture", "Économie", "Éducation")
_KEYWORDS = ("métropole", "open data", "service public", "territoire", "cadre de vie", "statistiques", "cartographie")


@dataclass
class World:
    """Both portals, each as it was first and as it is now, and what is true of every record now."""

    kind: str
    first_source: list[dict[str, Any]] = field(default_factory=list)
    source: list[dict[str, Any]] = field(default_factory=list)
    first_target: list[dict[str, Any]] = field(default_factory=list)
    target: list[dict[str, Any]] = field(default_factory=list)
    # By identifier at the source, and at the target for what only the target has.
    plans: dict[str, str] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)
    totals: dict[str, dict[str, int]] = field(default_factory=dict)


def world(kind: str, number: int, seed: int) -> World:
    """A producer's portal of about `number` records and the national one."""
    random = Random(seed)
    items = [_item(n, words, random) for n, words in enumerate(_serial(number, random))]
    made = World(kind)
    for item, plan in zip(items, _plans(number, random), strict=True):
        _PLANTED[plan](made, _fitting(replace(item, plan=plan), random), random)
    _swap(made)
    for n in range(number // 3):
        _foreign(made, number + n, random)
    random.shuffle(made.target)
    return made


def _plans(number: int, random: Random) -> list[str]:
    made = [plan for plan, share in PLANS.items() for _ in range(max(2, number * share // 1000))]
    made += ["plain"] * (number - len(made))
    random.shuffle(made)
    return made[:number]


def _serial(number: int, random: Random) -> Iterator[tuple[str, str, str | None]]:
    """Title, what it is about in a sentence, and its year: series of years, districts and councils, and lone ones."""
    made: list[tuple[str, str, str | None]] = []
    for subject in _SUBJECTS:
        low = subject[0].lower() + subject[1:]
        made += [(f"{subject} {year}", f"{low} pour l'année {year}", str(year)) for year in range(2004, 2026)]
        made += [(f"{subject} du {n}e arrondissement", f"{low} du {n}e arrondissement", None) for n in range(2, 21)]
        made += [(f"{subject} – {place}", f"{low} de la commune de {place}", None) for place in _COMMUNES]
        made += [(f"{subject} : {aspect}", f"{low} ({aspect})", None) for aspect in _ASPECTS]
    random.shuffle(made)
    copies = -(-number // len(made))
    for turn in range(copies):
        for title, what, year in made[: number - turn * len(made)]:
            yield (title, what, year) if not turn else (f"{title} (secteur {turn})", f"{what}, secteur {turn}", year)


def sample_item(n: int, random: Random) -> Item:
    """One more item of the same kind, of any number: its place makes it unlike the others."""
    subject, place = random.choice(_SUBJECTS), f"{random.choice(_COMMUNES)}-{mark(n, 3)}"
    return _item(n, (f"{subject} – {place}", f"{subject.lower()} de la commune de {place}", None), random)


def _item(n: int, words: tuple[str, str, str | None], random: Random) -> Item:
    title, what, year = words
    created = datetime(2018, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(3_500_000))
    modified = created + (LOOKED - timedelta(days=2) - created) * random.random()
    lead = random.choice(_LEADS).format(what=what)
    return Item(
        n=n,
        plan="plain",
        title=title,
        description=f"{lead[0].upper()}{lead[1:]} {random.choice(_TAILS)}",
        keywords=tuple(sorted(random.sample(_KEYWORDS, random.randrange(2, 5)))),
        licence=random.choice(("lov2", "lov2", "odc-odbl")),
        publisher=random.choice(_BODIES),
        theme=random.choice(_THEMES),
        created=created.replace(microsecond=0),
        modified=modified.replace(microsecond=0),
        files=tuple(
            (f"fichier-{n}-{i}.{kind}", kind) for i, kind in enumerate(random.sample(("csv", "json", "pdf"), 2))
        ),
        period=(f"{year}-01-01", f"{year}-12-31") if year else None,
    )


def _fitting(item: Item, random: Random) -> Item:
    """The item as its plan wants it to be at the source."""
    late = LOOKED + timedelta(days=random.randrange(2, 60), seconds=random.randrange(80_000))
    late = late.replace(microsecond=0)
    changes: dict[str, dict[str, Any]] = {
        "newer": {"created": late, "modified": late},
        "undescribed": {"description": ""},
        "filtered": {"licence": "cc-by"},
        "laden": {"files": tuple((f"lot-{item.n}-{i}.csv", "csv") for i in range(random.randrange(60, 200)))},
        "hidden": {"hidden": True},
        "stale-words": {"modified": late},
        "stale-file": {"modified": late},
        "stale-date": {"modified": late},
        "period": {"period": ("2019-01-01", "2019-12-31")},
    }
    return replace(item, **changes.get(item.plan, {}))


Planting = Callable[[World, Item, Random], None]


def _arrive(world: World, item: Item, seen: Item | None = None, **how: Any) -> dict[str, Any]:
    """The item at the source, and as the target saw it."""
    _publish(world, item)
    row = harvested(world.kind, seen or item, **how)
    world.target.append(row)
    world.first_target.append(row)
    return row


def _publish(world: World, item: Item) -> None:
    row = WRITTEN[world.kind](item, HOSTS[world.kind])
    world.source.append(row)
    world.first_source.append(row)
    world.plans[guid(world.kind, item)] = item.plan


def _plain(world: World, item: Item, random: Random) -> None:
    _arrive(world, item, zone=random.choice(("Z", "naive", "day")))


def _absent(world: World, item: Item, random: Random) -> None:
    _publish(world, item)


def _stale(change: Callable[[Item], dict[str, Any]]) -> Planting:
    def plant(world: World, item: Item, random: Random) -> None:
        before = LOOKED - timedelta(days=random.randrange(3, 400), seconds=random.randrange(80_000))
        _arrive(world, item, replace(item, modified=before.replace(microsecond=0), **change(item)))

    return plant


def _changed(change: Callable[[Item], dict[str, Any]]) -> Planting:
    def plant(world: World, item: Item, random: Random) -> None:
        _arrive(world, item, replace(item, **change(item)))

    return plant


def _twice(world: World, item: Item, random: Random) -> None:
    _arrive(world, item)
    copy = harvested(world.kind, item, salt="again", looked=LOOKED - timedelta(days=40))
    _add(world, copy, "duplicate")


def _through_region(world: World, item: Item, random: Random) -> None:
    _arrive(world, item)
    _add(world, harvested(world.kind, item, salt="region", domain=REGION), "duplicate")


def _region_alone(world: World, item: Item, random: Random) -> None:
    """It came by way of the region, which gives it names of its own."""
    _arrive(world, item, salt="region", domain=REGION)


def _namesake(world: World, item: Item, random: Random) -> None:
    """Another council has something of the same title, described by the same template."""
    place = f"Saint-{random.choice(_COMMUNES)}-{mark(item.n, 2)}"
    other = replace(
        item,
        n=item.n + 4_000_000,
        publisher=f"Commune de {place}",
        description=item.description.replace("opendata@brume", f"mairie@{place.lower()}"),
        files=tuple((f"autre-{name}", kind) for name, kind in item.files),
    )
    domain = random.choice((None, f"data.{place.lower()}.example"))
    _add(
        world, harvested("ckan", other, salt="namesake", domain=domain, own=f"data.{place.lower()}.example"), "outside"
    )
    _PLANTED["plain" if item.plan == "namesake" else "lost"](world, item, random)


def _typed_in(world: World, item: Item, random: Random) -> None:
    """Somebody typed the record in at the target and uploaded the files: nothing but words links the two."""
    _publish(world, item)
    seen = item
    if item.plan == "typed-in-retitled":
        seen = replace(item, title=f"{item.publisher} - {item.title} (données ouvertes)")
    row = harvested(world.kind, seen, salt="typed", domain=None)
    world.target.append(row)
    world.first_target.append(row)


def _withdrawn(world: World, item: Item, random: Random) -> None:
    _publish(world, item)
    world.first_target.append(harvested(world.kind, item))


def _otherwise(world: World, item: Item, random: Random) -> None:
    """Another producer has something of this very title there."""
    lone = replace(item, title=f"{item.title} – inventaire {mark(item.n, 2)}")
    _publish(world, lone)
    other = replace(
        lone,
        n=lone.n + 3_000_000,
        description=f"Recensement d'une association depuis {2000 + item.n % 20}. Saisie bénévole, sans garantie.",
        publisher="Association des amis du Brumois",
        keywords=("association", "bénévolat"),
        period=None,
        licence="odc-odbl",
    )
    _add(world, harvested(world.kind, other, salt="other", domain="asso.amis-du-brumois.example"), "outside")


def _retired(world: World, item: Item, random: Random) -> None:
    row = WRITTEN[world.kind](item, HOSTS[world.kind])
    world.first_source.append(row)
    _add(world, harvested(world.kind, item), "orphan-retired")


def _invented(world: World, item: Item, random: Random) -> None:
    _add(world, harvested(world.kind, replace(item, n=item.n + 1_000_000)), "orphan-never")


def _foreign(world: World, n: int, random: Random) -> None:
    """A record of another producer, very much like one of the source's: another council of the same template."""
    subject = random.choice(_SUBJECTS)
    place = f"Saint-{random.choice(_COMMUNES)}-{mark(n, 2)}"
    words = (f"{subject} – {place}", f"{subject.lower()} de la commune de {place}", None)
    item = replace(_item(n + 2_000_000, words, random), publisher=f"Commune de {place}")
    domain = random.choice((None, "data.ailleurs.example", REGION))
    _add(world, harvested("ckan", item, salt="foreign", domain=domain, own=f"data.{n}.example"), "outside")


def _add(world: World, row: dict[str, Any], truth: str) -> None:
    world.target.append(row)
    world.first_target.append(row)
    world.theirs[row["id"]] = truth


def _swap(world: World) -> None:
    """Pairs of records whose titles the target has the wrong way round."""
    mine = [name for name, plan in world.plans.items() if plan == "swapped"]
    rows = [row for row in world.target if (row["harvest"] or {}).get("remote_id") in set(mine)]
    for one, other in zip(rows[::2], rows[1::2], strict=False):
        one["title"], other["title"] = other["title"], one["title"]
    if len(rows) % 2:
        rows[-1]["title"] = f"{rows[-1]['title']} (ancien titre)"


_PLANTED: dict[str, Planting] = {
    **dict.fromkeys(ABSENT, _absent),
    "plain": _plain,
    "stale-words": _stale(lambda item: {"description": f"{item.description} Version provisoire."}),
    "stale-file": _stale(lambda item: {"files": item.files[:1]}),
    "stale-date": _stale(lambda item: {}),
    "title": _changed(lambda item: {"title": f"{item.title} (titre du portail national)"}),
    "swapped": _plain,
    "description": _changed(lambda item: {"description": f"{item.description} Relu par le portail national."}),
    "licence": _changed(lambda item: {"licence": "odc-odbl" if item.licence == "lov2" else "lov2"}),
    "publisher": _changed(lambda item: {"publisher": "Préfecture du Brumois"}),
    "files": _changed(lambda item: {"files": item.files[:1]}),
    "keyword": _changed(lambda item: {"keywords": (*item.keywords[1:], "mot du portail")}),
    "period": _changed(lambda item: {"period": ("2012-01-01", "2012-12-31")}),
    "withdrawn": _withdrawn,
    "otherwise": _otherwise,
    "retired": _retired,
    "invented": _invented,
    "twice": _twice,
    "through-region": _through_region,
    "region-alone": _region_alone,
    "namesake": _namesake,
    "namesake-lost": _namesake,
    "typed-in": _typed_in,
    "typed-in-retitled": _typed_in,
}
