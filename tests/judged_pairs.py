"""Pairs of records with what a person says of them: written before the rules were run on them, to see where they fail.

Truths: `same`; `likely` (same or probable: who reads them would want to be asked at least); `apart` (anything but
joined); `related`; `different`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Raw = dict[str, Any]


class Pair(NamedTuple):
    """Two records of two sources, and the truth about them."""

    name: str
    a: Raw
    b: Raw
    truth: str


def r(title: Any, description: Any = "", owner: Any = None, **more: Any) -> Raw:
    """A record."""
    raw: Raw = {"title": title, "description": description, **more}
    return raw | ({"publisher": {"name": owner}} if owner else {})


TREES = (
    "Localisation des arbres d'alignement et des arbres remarquables de la commune, relevés par le service des espaces "
    "verts. Chaque arbre est décrit par son genre, son espèce, sa circonférence, sa hauteur, son année de plantation. "
    "Les données sont mises à jour chaque semaine à partir du logiciel de gestion du patrimoine arboré."
)
DELIB = (
    "Liste des délibérations adoptées par le conseil municipal, au format du schéma SCDL Délibérations. "
    "Chaque ligne indique la date, l'objet, le nombre de votants et le lien vers l'acte."
)
POLLING = (
    "A polling district is a geographical subdivision of an electoral area such as an electoral ward within which a "
    "polling place is designated. The Representation of the People Act 1983 places a duty on local authorities to "
    "divide their area into polling districts based on ward boundaries."
)
CONSERVATION = (
    "Under the Planning (Listed Buildings and Conservation Areas) Act a local authority must determine which parts of "
    "its area are of special architectural or historic interest and designate them as conservation areas."
)
AIR = (
    "Hourly mean concentrations of nitrogen dioxide, ozone and fine particles measured by the automatic stations of "
    "the network, validated by the laboratory. Stations, units and limits of detection are described in the readme."
)
PARKS = (
    "Standorte und Abgrenzungen der öffentlichen Grünanlagen und Spielplätze der Stadt mit Angaben zu Fläche, "
    "Ausstattung und Pflegezustand. Die Daten stammen aus dem Grünflächeninformationssystem des Gartenbauamtes."
)
ROADWORKS = (
    "Overzicht van de geplande en lopende wegwerkzaamheden op het gemeentelijke wegennet, met begin- en einddatum, "
    "uitvoerder en hinderklasse. De gegevens worden elke nacht ververst vanuit het coördinatiesysteem."
)
PARCELS = (
    "Tax parcel boundaries maintained by the County Auditor for assessment purposes. Each polygon carries the parcel "
    "number, owner name, mailing address, land use code and the appraised value of land and buildings."
)
CRIME = (
    "Reported incidents with offence category, block level location and date, as recorded in the case management "
    "system of the police department. Records are removed when a court orders them sealed."
)
WATER = (
    "Résultats des analyses réalisées dans le cadre du contrôle sanitaire de l'eau distribuée, commune par commune. "
    "Les prélèvements sont effectués par les laboratoires agréés par le ministère chargé de la santé."
)
STOPS = (
    "Theoretical timetables, stops, routes and calendars of the urban network in GTFS format, valid for the next sixty "
    "days, produced by the operator every Monday and published on the national access point."
)

HAND: list[Pair] = [
    # The same at a portal and its aggregator.
    Pair(
        "mirror",
        r("Arbres de la ville", TREES, "Ville de Grenoble"),
        r("Arbres de la ville", TREES, "Ville de Grenoble"),
        "same",
    ),
    Pair(
        "mirror, html",
        r("Arbres", TREES, "Ville de Nancy"),
        r("Arbres", f"<p>{TREES.replace('. ', '.</p><p>')}</p>", "Nancy"),
        "same",
    ),
    Pair("mirror, cut", r("Arbres", TREES, "Ville de Nancy"), r("Arbres", TREES[:180] + "…", "Ville de Nancy"), "same"),
    Pair(
        "mirror, footer",
        r("Arbres", TREES, "Ville de Nancy"),
        r("Arbres", TREES + " Jeu de données moissonné depuis la plateforme régionale.", "Ville de Nancy"),
        "same",
    ),
    Pair(
        "aggregator publishes",
        r("Déchèteries du Grand Angoulême", WATER, "GrandAngoulême"),
        r("Déchèteries du Grand Angoulême", WATER, "Région Nouvelle-Aquitaine"),
        "same",
    ),
    Pair(
        "aggregator names the town in keywords",
        r("Arbres remarquables et arbres d'alignement", TREES, "Ville de Gap"),
        r("Arbres remarquables et arbres d'alignement", TREES, "Région Sud", keyword=["Ville de Gap", "arbre"]),
        "same",
    ),
    Pair(
        "opendatasoft federated",
        r("Stationnement en ouvrage : disponibilité temps réel", STOPS, "Nantes Métropole"),
        r("Stationnement en ouvrage : disponibilité temps réel", STOPS, "Nantes Métropole", modified="2024-01-01"),
        "same",
    ),
    Pair(
        "owner by acronym",
        r("Red list of dragonflies in Flanders", AIR, "INBO"),
        r("Red list of dragonflies in Flanders", AIR, "Instituut voor Natuur- en Bosonderzoek (INBO)"),
        "same",
    ),
    Pair(
        "owner by siren",
        r("Budget primitif", DELIB, None, publisher={"name": "Mairie", "identifier": "21380185500015"}),
        r("Budget primitif", DELIB, None, publisher={"name": "Grenoble", "identifier": "213801855"}),
        "same",
    ),
    Pair(
        "owner by mail domain",
        r("Tree inventory of public streets", AIR, None, publisher={"name": "Parks", "email": "open@leeds.gov.uk"}),
        r("Tree inventory of public streets", AIR, None, publisher={"name": "Leeds", "email": "gis@leeds.gov.uk"}),
        "same",
    ),
    Pair(
        "same owner, no descriptions",
        r("Air quality monitoring stations", "", "Bristol City Council"),
        r("Air quality monitoring stations", "", "Bristol City Council"),
        "same",
    ),
    Pair(
        "no owner at all, telling title",
        r("Ecological typology of waterways, vegetation surveys in Flanders"),
        r("Ecological typology of waterways, vegetation surveys in Flanders"),
        "same",
    ),
    Pair("no owner at all, common title", r("Budget"), r("Budget"), "apart"),
    Pair("no owner, common title, equal telling text", r("Arbres", TREES), r("Arbres", TREES), "same"),
    Pair(
        "punctuation and case",
        r("Plan Local d'Urbanisme – Zonage", WATER, "Ville de Brest"),
        r("PLAN LOCAL D’URBANISME : zonage", WATER, "Brest"),
        "same",
    ),
    Pair("plural", r("Aire de jeux", TREES, "Ville de Lyon"), r("Aires de jeux", TREES, "Ville de Lyon"), "same"),
    Pair(
        "acronym in title",
        r("PLU", WATER, "Ville de Brest"),
        r("Plan local d'urbanisme", WATER, "Ville de Brest"),
        "same",
    ),
    Pair(
        "joined words",
        r("OpenStreetMap cycle network", AIR, "City of Ghent"),
        r("Open Street Map cycle network", AIR, "City of Ghent"),
        "same",
    ),
    Pair(
        "misspelt",
        r("Correctional facilities of Philadelphia", CRIME, "City of Philadelphia"),
        r("Correctional facilities of Philadephia", CRIME, "City of Philadelphia"),
        "same",
    ),
    Pair(
        "cataloguer's note",
        r("Parcels [Ohio--Cuyahoga County]", PARCELS, "Cuyahoga County"),
        r("Parcels", PARCELS, "Cuyahoga County"),
        "same",
    ),
    Pair(
        "subsampled note",
        r("Eurasian curlews breeding in Flanders [subsampled representation]", AIR, "INBO"),
        r("Eurasian curlews breeding in Flanders", AIR, "INBO"),
        "same",
    ),
    Pair(
        "owner in the title",
        r("Polling Districts - Highland", POLLING, "Spatial Hub", keyword=["Highland Council"]),
        r("Polling Districts", POLLING, "Highland Council GIS"),
        "likely",
    ),
    Pair(
        "owner and office in a title",
        r("Polling Districts - Angus", POLLING, "Spatial Hub"),
        r("Angus Council Polling Districts", "Current boundaries, kept by the elections team.", "Angus Council"),
        "same",
    ),
    Pair(
        "owner written as one word",
        r("Housing Land Supply - South Ayrshire", "Sites that are free for housing.", "Spatial Hub"),
        r("Housing Land Supply", "Every plot on which dwellings may be built.", "open.data@southayrshire"),
        "same",
    ),
    Pair("owner and one word", r("Libraries - Fife", "", "Spatial Hub"), r("Libraries", "", "Fife Council"), "same"),
    Pair(
        "office of another",
        r("Polling Districts - Moray", POLLING, "Spatial Hub"),
        r("Angus Council Polling Districts", POLLING, "Angus Council"),
        "apart",
    ),
    Pair(
        "north written as one word",
        r("Housing Land Supply - North Ayrshire", "", "Spatial Hub"),
        r("Housing Land Supply", "", "open.data@southayrshire"),
        "different",
    ),
    Pair(
        "town in the title",
        r("Arbres - Ville de Paris", TREES, "Ville de Paris"),
        r("Arbres", TREES, "Ville de Paris"),
        "same",
    ),
    Pair(
        "council in the title",
        r("Angus Council Community Council Boundaries", CONSERVATION, "Angus Council"),
        r("Angus Community Council boundaries", CONSERVATION, "Angus Council"),
        "same",
    ),
    Pair(
        "source says dataset",
        r("Jeu de données : aires de jeux", TREES, "Ville de Lyon"),
        r("Aires de jeux", TREES, "Ville de Lyon"),
        "same",
    ),
    Pair(
        "language tags differ",
        r({"en": "Red list of dragonflies in Flanders"}, {"en": AIR}, "INBO"),
        r({"nl": "Red list of dragonflies in Flanders"}, {"nl": AIR}, "INBO"),
        "same",
    ),
    Pair(
        "one language of two",
        r({"fr": "Boîtes aux lettres", "nl": "Brievenbussen"}, {"fr": WATER, "nl": ROADWORKS}, "bpost"),
        r({"nl": "Brievenbussen"}, {"nl": ROADWORKS}, "bpost"),
        "same",
    ),
    Pair(
        "translated copy",
        r({"nl": "Wegwerkzaamheden", "fr-t-nl": "Travaux routiers"}, {"nl": ROADWORKS}, "Gent"),
        r({"nl": "Wegwerkzaamheden"}, {"nl": ROADWORKS}, "Stad Gent"),
        "same",
    ),
    Pair(
        "rewritten descriptions",
        r(
            "Attribution des suppressions de trains",
            "Données mensuelles du nombre de trains supprimés sur le réseau, par responsable.",
            "Infrabel",
        ),
        r(
            "Attribution des suppressions de trains",
            "Attribution mensuelle des suppressions. Gestionnaire du réseau, nous veillons à la fluidité.",
            "Infrabel",
        ),
        "same",
    ),
    Pair(
        "quarter written out",
        r("Accidents 1er trimestre 2021", WATER, "Préfecture de police"),
        r("Accidents T1 2021", WATER, "Préfecture de police"),
        "same",
    ),
    Pair(
        "school year",
        r("Effectifs des écoles 2019/2020", WATER, "Ville de Rennes"),
        r("Effectifs des écoles 2019-20", WATER, "Ville de Rennes"),
        "same",
    ),
    Pair(
        "roman number", r("Natura 2000 phase II", AIR, "Umweltamt"), r("Natura 2000 phase 2", AIR, "Umweltamt"), "same"
    ),
    Pair(
        "month in two languages",
        r("Ponctualité mai 2020", WATER, "SNCF"),
        r("Ponctualité May 2020", WATER, "SNCF"),
        "same",
    ),
    Pair(
        "doi",
        r("Gull tracks", AIR, "INBO", identifier="https://doi.org/10.5281/zenodo.10055071"),
        r("Tracking of gulls", "", "Movebank", identifier="10.5281/zenodo.10055071"),
        "same",
    ),
    Pair(
        "uuid",
        r("Water bodies", AIR, "EA", identifier="73fb1b3d-d2ae-4f3f-9188-e3eff2e281c5"),
        r("Waterbodies of England", "", "Defra", identifier="urn:uuid:73fb1b3d-d2ae-4f3f-9188-e3eff2e281c5"),
        "same",
    ),
    Pair(
        "one file",
        r(
            "Lesser black-backed gulls [subset]",
            AIR,
            "INBO",
            distribution=[{"download_url": "https://ipt.example/archive.do?r=gulls"}],
        ),
        r(
            "Gulls, lesser black-backed",
            CRIME,
            "INBO",
            distribution=[{"download_url": "http://www.ipt.example/archive.do?r=gulls&utm_source=x"}],
        ),
        "likely",
    ),
    Pair(
        "one file, one title",
        r("Wagenpark", AIR, "FOD", distribution=[{"access_url": "https://m.example/a.xlsx"}]),
        r("Wagenpark", "", "Mobilit", distribution=[{"access_url": "http://m.example/a.xlsx"}]),
        "same",
    ),
    # The same under different titles: the description, the owner, the place carry it.
    Pair(
        "retitled",
        r("Car parks", CRIME, "Dundee City Council"),
        r("Where to leave a vehicle", CRIME, "Dundee City Council"),
        "same",
    ),
    Pair(
        "retitled, html",
        r("Playgrounds and lawns", PARKS, "Stadt Ulm"),
        r("Grünanlagen", f"<div><b>{PARKS}</b></div>", "Ulm"),
        "same",
    ),
    Pair(
        "retitled, cut",
        r("Contrôle sanitaire", WATER + TREES, "Ministère de la santé"),
        r("Eau potable : résultats", (WATER + TREES)[:420], "Ministère de la santé"),
        "same",
    ),
    Pair(
        "retitled by acronym and theme",
        r("DECP", DELIB + WATER, "Ville de Metz"),
        r("Marchés publics attribués", DELIB + WATER, "Ville de Metz"),
        "same",
    ),
    Pair(
        "retitled at the aggregator",
        r("Arbres", TREES, "Ville de Gap"),
        r("Patrimoine arboré gapençais", TREES, "Région Sud", keyword=["gap", "ville de gap"]),
        "likely",
    ),
    Pair(
        "version with another title",
        r("Node probabilities: Eastern brook trout, 2006", AIR, "USGS", temporal=[{"start": "2006", "end": "2006"}]),
        r("Trout: results of the classification tree", AIR, "USGS", temporal=[{"start": "2005", "end": "2005"}]),
        "related",
    ),
    Pair(
        "version, no owner",
        r(
            "Node probabilities: United States, 2006",
            AIR,
            None,
            spatial=["Pennsylvania"],
            temporal=[{"start": "2006", "end": "2006"}],
        ),
        r(
            "Node probabilities: Pennsylvania",
            AIR,
            None,
            spatial=["Pennsylvania"],
            temporal=[{"start": "2005", "end": "2005"}],
        ),
        "related",
    ),
    Pair(
        "series and member",
        r("Budget primitif", DELIB, "Ville de Lyon", kind="series"),
        r("Budget primitif", DELIB, "Ville de Lyon"),
        "related",
    ),
    Pair(
        "town and department",
        r("Déchèteries", TREES, "Ville de Rennes"),
        r("Déchèteries", WATER, "Département d'Ille-et-Vilaine"),
        "different",
    ),
    Pair(
        "hub names the council",
        r("Tree Preservation Orders - Fife", "", "Spatial Hub"),
        r("Tree Preservation Orders", "", "Fife Council"),
        "same",
    ),
    Pair(
        "agency about a council",
        r("Population - Fife", AIR, "National Records"),
        r("Population", CRIME, "Fife Council"),
        "apart",
    ),
    Pair(
        "hub names another council",
        r("Tree Preservation Orders - Moray", "", "Spatial Hub"),
        r("Tree Preservation Orders", "", "Fife Council"),
        "apart",
    ),
    # Two councils.
    Pair(
        "polling, two councils",
        r("Polling Districts", POLLING, "Angus Council"),
        r("Polling Districts", POLLING, "Moray Council"),
        "different",
    ),
    Pair(
        "polling, north and south",
        r("Polling Districts", POLLING, "South Ayrshire Council"),
        r("Polling Districts", POLLING, "North Ayrshire Council"),
        "different",
    ),
    Pair(
        "polling, short texts",
        r("Polling Districts", "Polling Districts in the Highland Council area.", "Highland Council GIS Organisation"),
        r("Polling Districts", "Polling Districts in the Fife Council area.", "Fife Council"),
        "different",
    ),
    Pair(
        "polling, city and shire",
        r("Polling Districts", POLLING, "Aberdeen City Council"),
        r("Polling Districts", POLLING, "Aberdeenshire Council"),
        "different",
    ),
    Pair(
        "conservation, place in title",
        r("Conservation Areas - Angus", CONSERVATION, "Improvement Service"),
        r("Conservation Areas - Moray", CONSERVATION, "Improvement Service"),
        "apart",
    ),
    Pair(
        "conservation, whole and part",
        r("Conservation Areas - Scotland", CONSERVATION, "Improvement Service"),
        r("Conservation Areas - Moray", CONSERVATION, "Moray Council"),
        "apart",
    ),
    Pair(
        "trees, two towns", r("Arbres", TREES, "Ville de Grenoble"), r("Arbres", TREES, "Ville de Nancy"), "different"
    ),
    Pair(
        "delibs, two communes",
        r("Délibérations du conseil municipal", DELIB, "Commune de Plougastel"),
        r("Délibérations du conseil municipal", DELIB, "Commune de Brest"),
        "different",
    ),
    Pair(
        "delibs, two mairies, SCDL",
        r("Délibérations", DELIB, "Mairie de Vannes"),
        r("Délibérations", DELIB, "Mairie de Rennes"),
        "different",
    ),
    Pair(
        "delibs, names in the text",
        r("Délibérations", DELIB + " Commune de Vannes.", None, spatial=["Vannes"]),
        r("Délibérations", DELIB + " Commune de Rennes.", None, spatial=["Rennes"]),
        "apart",
    ),
    Pair(
        "parks, two cities", r("Grünanlagen", PARKS, "Stadt Köln"), r("Grünanlagen", PARKS, "Stadt Bonn"), "different"
    ),
    Pair(
        "roadworks, two gemeenten",
        r("Wegwerkzaamheden", ROADWORKS, "Gemeente Utrecht"),
        r("Wegwerkzaamheden", ROADWORKS, "Gemeente Groningen"),
        "different",
    ),
    Pair(
        "parcels, two counties",
        r("Parcels", PARCELS, "Cuyahoga County"),
        r("Parcels", PARCELS, "Dane County"),
        "different",
    ),
    Pair(
        "parcels, boxes apart",
        r("Parcels", PARCELS, None, spatial=[{"bbox": [-82.0, 41.2, -81.3, 41.7]}]),
        r("Parcels", PARCELS, None, spatial=[{"bbox": [-89.9, 42.8, -89.0, 43.3]}]),
        "apart",
    ),
    Pair(
        "parcels, places in notes",
        r("Parcels [Ohio--Cuyahoga County]", PARCELS, "BTAA"),
        r("Parcels [Wisconsin--Dane County]", PARCELS, "BTAA"),
        "apart",
    ),
    Pair(
        "crime, two cities",
        r("Crime incidents", CRIME, "City of Chicago"),
        r("Crime incidents", CRIME, "City of Boston"),
        "different",
    ),
    Pair("gtfs, two networks", r("GTFS", STOPS, "Ville de Dijon"), r("GTFS", STOPS, "Ville de Brest"), "different"),
    Pair(
        "common title, portals as owners",
        r("Bibliothèques", "Liste des bibliothèques.", "Ville de Nantes"),
        r("Bibliothèques", "Liste des bibliothèques municipales ouvertes.", "Département de la Somme"),
        "different",
    ),
    Pair(
        "common title, owner unknown",
        r("Parking", "Car parks.", "Stirling Council"),
        r("Parking", "Parking places.", ""),
        "apart",
    ),
    Pair(
        "INSPIRE template",
        r("Adresses", "Adresses au sens d'INSPIRE.", "Communauté de communes du Pays de Gex"),
        r("Adresses", "Adresses au sens d'INSPIRE.", "Communauté de communes du Pays de Bitche"),
        "different",
    ),
    Pair(
        "communes by place code",
        r("Base adresse locale", WATER, None, spatial=[{"place": "fr:commune:38185"}]),
        r("Base adresse locale", WATER, None, spatial=[{"place": "fr:commune:54395"}]),
        "apart",
    ),
    Pair(
        "places of one kind",
        r("Parcels", PARCELS, "State of Wisconsin", spatial=["Dane County"]),
        r("Parcels", PARCELS, "State of Wisconsin", spatial=["Adams County"]),
        "apart",
    ),
    Pair(
        "places within each other",
        r("Red list of dragonflies", AIR, "INBO", spatial=["Flanders"]),
        r("Red list of dragonflies", AIR, "INBO", spatial=["Belgium"]),
        "same",
    ),
    Pair(
        "retitled, one line",
        r(
            "Municipal boundaries",
            "Polygon layer of the Lancaster municipal boundaries as mapped for taxation by the assessment office.",
            "Lancaster County",
        ),
        r(
            "Townships and boroughs",
            "Polygon layer of the Lancaster municipal boundaries as mapped for taxation by the assessment office.",
            "Lancaster County",
        ),
        "same",
    ),
    Pair(
        "Corsica",
        r("Routes de la Corse 2A", TREES, "Collectivité de Corse"),
        r("Routes de la Corse 2B", TREES, "Collectivité de Corse"),
        "apart",
    ),
    # Series.
    Pair(
        "years",
        r("Budget primitif 2019", DELIB, "Ville de Lyon"),
        r("Budget primitif 2020", DELIB, "Ville de Lyon"),
        "related",
    ),
    Pair(
        "years in the middle",
        r("Comptages 2019 par axe", WATER, "Ville de Lyon"),
        r("Comptages 2020 par axe", WATER, "Ville de Lyon"),
        "related",
    ),
    Pair(
        "spans of years",
        r("Élections 2014-2020", WATER, "Ville de Lyon"),
        r("Élections 2020-2026", WATER, "Ville de Lyon"),
        "related",
    ),
    Pair(
        "short spans",
        r("Financial reporting 2020/21", AIR, "London Fire Brigade"),
        r("Financial reporting 2021/22", AIR, "London Fire Brigade"),
        "related",
    ),
    Pair(
        "quarters",
        r("Spend over £500 Q1 2021", AIR, "Leeds City Council"),
        r("Spend over £500 Q2 2021", AIR, "Leeds City Council"),
        "related",
    ),
    Pair(
        "months",
        r("Payments January 2021", AIR, "Leeds City Council"),
        r("Payments February 2021", AIR, "Leeds City Council"),
        "related",
    ),
    Pair(
        "Monate",
        r("Verkehrszählung Januar 2021", PARKS, "Stadt Köln"),
        r("Verkehrszählung Februar 2021", PARKS, "Stadt Köln"),
        "related",
    ),
    Pair(
        "semesters", r("Qualité de l'air S1 2020", WATER, "Atmo"), r("Qualité de l'air S2 2020", WATER, "Atmo"), "apart"
    ),
    Pair("dates", r("Archive 2021-05-01", AIR, "DfT"), r("Archive 2021-05-02", AIR, "DfT"), "apart"),
    Pair(
        "arrondissements",
        r("Registre du 12e arrondissement", WATER, "Ville de Paris"),
        r("Registre du 13e arrondissement", WATER, "Ville de Paris"),
        "apart",
    ),
    Pair(
        "ordinals",
        r("1st ward boundaries", POLLING, "City of Boston"),
        r("2nd ward boundaries", POLLING, "City of Boston"),
        "apart",
    ),
    Pair(
        "levels",
        r("Geschossflächen Ebene 1", PARKS, "Stadt Köln"),
        r("Geschossflächen Ebene 2", PARKS, "Stadt Köln"),
        "apart",
    ),
    Pair(
        "zones",
        r("Calendrier scolaire Zone A", WATER, "Ministère"),
        r("Calendrier scolaire Zone B", WATER, "Ministère"),
        "apart",
    ),
    Pair("lines", r("Ligne A", STOPS, "TCL"), r("Ligne D", STOPS, "TCL"), "apart"),
    Pair("roman numbers", r("Tranche II", WATER, "Ville de Metz"), r("Tranche III", WATER, "Ville de Metz"), "apart"),
    Pair("versions", r("Corine Land Cover v18", AIR, "EEA"), r("Corine Land Cover v20", AIR, "EEA"), "apart"),
    Pair("scale", r("BD TOPO 1:25 000", AIR, "IGN"), r("BD TOPO 1:50 000", AIR, "IGN"), "apart"),
    Pair(
        "method",
        r("eDNA of fish communities from 30 sites -12S", AIR, "VLIZ"),
        r("eDNA of fish communities from 30 sites -COI", AIR, "VLIZ"),
        "apart",
    ),
    Pair(
        "species",
        r("Waarnemingen.be - Bird occurrences in Flanders", AIR, "Natuurpunt"),
        r("Waarnemingen.be - Fish occurrences in Flanders", AIR, "Natuurpunt"),
        "apart",
    ),
    Pair(
        "rivers",
        r("Fishes along the river Yser in Flanders", AIR, "INBO"),
        r("Fishes along the river Leie in Flanders", AIR, "INBO"),
        "apart",
    ),
    Pair(
        "direction",
        r("Entrées par la porte nord", WATER, "Ville de Metz"),
        r("Entrées par la porte sud", WATER, "Ville de Metz"),
        "apart",
    ),
    Pair(
        "sex",
        r("Espérance de vie des femmes", WATER, "Insee"),
        r("Espérance de vie des hommes", WATER, "Insee"),
        "apart",
    ),
    Pair(
        "one more word",
        r("VIS - Specific reference freshwater monitoring", AIR, "INBO"),
        r("VIS - Reference freshwater monitoring", AIR, "INBO"),
        "apart",
    ),
    Pair(
        "weighted",
        r("Ponctualité nationale pondérée par mois", WATER, "Infrabel"),
        r("Ponctualité nationale par mois", WATER, "Infrabel"),
        "apart",
    ),
    Pair(
        "by what",
        r("Passages à niveau par région", WATER, "Infrabel"),
        r("Passages à niveau par area", WATER, "Infrabel"),
        "apart",
    ),
    Pair(
        "non-native",
        r("Non-native plant occurrences in Flanders", AIR, "INBO"),
        r("Plant occurrences in Flanders", AIR, "INBO"),
        "apart",
    ),
    Pair(
        "inventory of",
        r("Inventory of alien macroinvertebrates in Flanders", AIR, "INBO"),
        r("Alien macroinvertebrates in Flanders", CRIME, "INBO"),
        "apart",
    ),
    Pair(
        "post 2018",
        r("American bullfrog in Flanders", AIR, "INBO"),
        r("American bullfrog in Flanders (post 2018)", AIR, "INBO"),
        "apart",
    ),
    Pair(
        "said twice",
        r("Cycle and pedestrian counters (cycles by month)", AIR, "Stirling Council"),
        r("Cycle and pedestrian counters (pedestrians by month)", AIR, "Stirling Council"),
        "apart",
    ),
    Pair(
        "to and from",
        r("Collection routes (to September 2021)", AIR, "Stirling Council"),
        r("Collection routes (from September 2021)", AIR, "Stirling Council"),
        "apart",
    ),
    Pair(
        "hub and council",
        r("Polling Places - Fife", "", "Spatial Hub"),
        r("Polling Places - Fife", "", "Fife Council"),
        "same",
    ),
    Pair(
        "address of the owner",
        r("Localities", "", "open.data@southayrshire"),
        r("Localities", "", "South Ayrshire Council"),
        "same",
    ),
    Pair(
        "council's own and the hub's",
        r(
            "Green Belt",
            "Areas that the local development plan keeps open around the city.",
            "City of Edinburgh Council",
        ),
        r(
            "Green Belt - City of Edinburgh",
            "Created by the improvement service out of what every planning authority publishes.",
            "City of Edinburgh Council",
        ),
        "same",
    ),
    Pair(
        "siblings under one text",
        r("Scottish Canals - Daily walking counts from automatic counters", AIR, "Cycling Scotland"),
        r("East Lothian Council - Daily walking counts from AI sensors", AIR, "Cycling Scotland"),
        "apart",
    ),
    Pair(
        "real time and theoretical",
        r("Horaires temps réel", STOPS, "TCL"),
        r("Horaires théoriques", STOPS, "TCL"),
        "apart",
    ),
    Pair(
        "points and polygons",
        r("Monuments (points)", TREES, "Ville de Nancy"),
        r("Monuments (polygones)", TREES, "Ville de Nancy"),
        "apart",
    ),
    Pair(
        "grid and image",
        r("WISCLAND Land Cover (Grid)", AIR, "Wisconsin DNR"),
        r("WISCLAND Land Cover (Image)", AIR, "Wisconsin DNR"),
        "apart",
    ),
    Pair(
        "detail and summary",
        r("Casualties detail", CRIME, "City of Boston"),
        r("Casualties summary", CRIME, "City of Boston"),
        "apart",
    ),
    Pair(
        "same title, disjoint times",
        r(
            "Recensement de la circulation",
            WATER,
            "Ville de Metz",
            temporal=[{"start": "2015-01-01", "end": "2015-12-31"}],
        ),
        r(
            "Recensement de la circulation",
            WATER,
            "Ville de Metz",
            temporal=[{"start": "2019-01-01", "end": "2019-12-31"}],
        ),
        "apart",
    ),
    Pair(
        "edition word",
        r("Listed Buildings", CONSERVATION, "City of Edinburgh Council"),
        r("Listed Buildings OLD", CONSERVATION, "City of Edinburgh Council"),
        "apart",
    ),
    Pair("archive", r("Zonage", WATER, "Ville de Metz"), r("Zonage (archive)", WATER, "Ville de Metz"), "apart"),
    Pair(
        "year of one",
        r("Polling Districts 2017", POLLING, "Fife Council"),
        r("Polling Districts", POLLING, "Fife Council"),
        "apart",
    ),
    Pair(
        "identifier given to a series",
        r("Comptes 2018", WATER, "DGFiP", uri="https://d.example/comptes"),
        r("Comptes 2019", DELIB + POLLING, "DGFiP", uri="https://d.example/comptes"),
        "likely",
    ),
    Pair(
        "identifier given to everything",
        r("Comptes", WATER, "DGFiP", uri="https://d.example/all"),
        r("Arbres de Lyon", TREES, "Ville de Lyon", uri="https://d.example/all"),
        "apart",
    ),
    Pair(
        "one portal page",
        r("Lijst Smileys", AIR, "FAVV", distribution=[{"access_url": "https://favv.example/open-data"}]),
        r("Codelijst activiteiten", CRIME, "FAVV", distribution=[{"access_url": "https://favv.example/open-data"}]),
        "apart",
    ),
    Pair(
        "one landing page",
        r("Lijst Smileys", AIR, "FAVV", landing_page="https://favv.example/open-data"),
        r("Lijst operatoren", CRIME, "FAVV", landing_page="https://favv.example/open-data"),
        "apart",
    ),
    Pair(
        "file of another year",
        r("Budget 2019", DELIB, "Ville de Lyon", distribution=[{"access_url": "https://l.example/b.csv"}]),
        r("Budget 2020", DELIB, "Ville de Lyon", distribution=[{"access_url": "https://l.example/b.csv"}]),
        "apart",
    ),
    Pair(
        "map service",
        r(
            "Zones inondables",
            WATER,
            "DREAL",
            distribution=[{"access_url": "https://m.example/wms?service=WMS&request=GetCapabilities"}],
        ),
        r(
            "Sites classés",
            CONSERVATION,
            "DREAL",
            distribution=[{"access_url": "https://m.example/wms?request=GetCapabilities&service=WMS&version=1.3.0"}],
        ),
        "apart",
    ),
    Pair(
        "machine-made titles",
        r({"nl": "Bedrijven", "fr-t-nl": "Entreprises"}, {"nl": ROADWORKS}, "Gent"),
        r({"de": "Betriebe", "fr-t-de": "Entreprises"}, {"de": PARKS}, "Stadt Köln"),
        "different",
    ),
    Pair(
        "nothing in common",
        r("Arbres", TREES, "Ville de Lyon"),
        r("Crime incidents", CRIME, "City of Boston"),
        "different",
    ),
    Pair(
        "one owner, nothing else", r("Arbres", TREES, "Ville de Lyon"), r("Budget", DELIB, "Ville de Lyon"), "different"
    ),
    Pair("nothing said", r("Untitled"), r("Test"), "different"),
    Pair("numbers alone", r("123"), r("124"), "different"),
    Pair(
        "boilerplate of a portal",
        r("Museums", "UK Open Government Licence (OGL)", "Spatial Hub"),
        r("Libraries", "UK Open Government Licence (OGL)", "Spatial Hub"),
        "different",
    ),
    Pair(
        "title of one word, same text of one line",
        r("Cimetières", "Données de la ville", "Ville de Lyon"),
        r("Écoles", "Données de la ville", "Ville de Lyon"),
        "different",
    ),
    Pair(
        "commune and its agglomeration",
        r("Déchets", DELIB, "Ville de Pau"),
        r("Déchets", WATER, "Communauté d'agglomération Pau Béarn Pyrénées"),
        "likely",
    ),
]

# Of each: what a person calls it, what it says, whose it is, and a look-alike of the same owner.
BASES = {
    "fr-arbres": ("Arbres d'alignement du domaine public", TREES, "Ville de Toulouse", "Mairie de Bordeaux"),
    "fr-eau": ("Contrôle sanitaire de l'eau du robinet", WATER, "Agence régionale de santé Bretagne", "ARS Occitanie"),
    "fr-delib": ("Délibérations du conseil communautaire", DELIB, "Brest métropole", "Orléans métropole"),
    "uk-polling": ("Polling districts and polling places", POLLING, "Clackmannanshire Council", "Renfrewshire Council"),
    "uk-areas": ("Conservation area boundaries", CONSERVATION, "Perth & Kinross Council", "Orkney Islands Council"),
    "uk-air": ("Air quality monitoring stations", AIR, "Bristol City Council", "Cardiff Council"),
    "de-parks": ("Grünanlagen und Spielplätze", PARKS, "Stadt Freiburg", "Landeshauptstadt Dresden"),
    "nl-road": ("Wegwerkzaamheden en hinder", ROADWORKS, "Gemeente Amersfoort", "Gemeente Zwolle"),
    "us-parcel": ("Tax parcel boundaries", PARCELS, "Milwaukee County", "Hennepin County"),
    "us-crime": ("Reported crime incidents", CRIME, "City of Minneapolis", "City of Madison"),
    "be-gtfs": ("Stops and timetables of the network", STOPS, "Stad Brugge", "Stad Leuven"),
}


def _varied() -> Iterator[Pair]:
    for name, (title, text, owner, other) in BASES.items():
        first = r(title, text, owner)
        yield Pair(f"{name}: capitals", first, r(title.upper(), text, owner.upper()), "same")
        yield Pair(f"{name}: html", first, r(title, f"<p><strong>{text}</strong></p><br/>", owner), "same")
        yield Pair(f"{name}: cut", first, r(title, text[: len(text) * 3 // 5], owner), "same")
        yield Pair(f"{name}: no description", first, r(title, "", owner), "same")
        yield Pair(f"{name}: aggregator", first, r(title, text, "National open data portal"), "same")
        yield Pair(f"{name}: other owner", first, r(title, text, other), "different")
        yield Pair(f"{name}: other owner, no text", r(title, "", owner), r(title, "", other), "different")
        yield Pair(f"{name}: year", r(f"{title} 2021", text, owner), r(f"{title} 2022", text, owner), "related")
        yield Pair(f"{name}: number", r(f"{title} 4", text, owner), r(f"{title} 5", text, owner), "apart")
        yield Pair(f"{name}: retitled", first, r("Xylograph quorum", text, owner), "same")


PAIRS = [*HAND, *_varied()]
