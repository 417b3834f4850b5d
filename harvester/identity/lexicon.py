"""Words of titles and of names of organisations that tell no dataset from another, in the languages of Europe."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Articles, prepositions, and what every title of a portal may have.
STOP = _words(
    """
    a al an and ante as at au auf aux bei by c con d da dal dalla dans das data dataset datasets de dei del della
    delle den der des di die do dos du e ed ein eine el en et etc for fur fuer gli het i il im in its jeu jeux donnee
    donnees dato datos dati daten gegevens l la las le les lo los m n na nei nel of op o ou par per por pour qu s sul
    sur t te the their um un una und une van vom von voor x y zu zum zur open opendata ouverte ouvertes offene
    """
)

# A title that has one of these beside another's words is another edition of it.
EDITION = _words(
    """
    version v release edition ed rev revision old new archive archived ancien ancienne obsolete deprecated beta draft
    final provisional definitif definitive provisoire latest update updated actualise current historic historical
    historique actuel actuelle courant versie ausgabe aktuell maj copy copie
    """
)

# Words of names of organisations that say at which level it administers: towns, unions of towns, counties, regions.
LOCAL = _words(
    """
    city council town borough district parish municipality municipal ville mairie commune communale arrondissement
    gemeente stad stadt gemeinde landeshauptstadt hansestadt ayuntamiento municipio concello concejo comune citta
    camara prefeitura kommune kommun
    """
)
JOINT = _words(
    "communaute agglomeration agglo metropole eurometropole metropolitan cc ca cu intercommunale mancomunidad unione"
)
COUNTY = _words("county departement departementale departemental landkreis kreis diputacion amt")
REGIONAL = _words(
    """
    region regionale regional land bundesland provincie province provincia regione landesamt comunidad xunta
    generalitat junta
    """
)
WIDE = _words(
    """
    state government gouvernement ministere ministry minister ministerium federal national nationale nationaal
    bundesamt overheid geoportal portal portail plateforme platform hub datastore aggregator republique country pays
    """
)

# Words of names of organisations that many of them have.
ORGANISATION = (
    LOCAL
    | JOINT
    | COUNTY
    | REGIONAL
    | WIDE
    | _words(
        """
        open data opendata gis sig public publique department service services agency agence office bureau institut
        institute instituut association organisation organization org authority direction directorate mapping maps team
        group groupe amt
        statistics statistical conseil canton the of and de la le les des du d l et en van het der die das und fur for
        villes a au aux in on sur com gov gouv fr uk www info contact arcgis online admin system systems spatial
        insights by location societe sa
        """
    )
)

# Mail of everybody.
MAILS = _words(
    "gmail.com hotmail.com hotmail.fr outlook.com yahoo.com yahoo.fr orange.fr wanadoo.fr free.fr laposte.net"
)

MONTHS = {
    name: f"month{number}"
    for number, names in enumerate(
        (
            "january janvier januar januari enero gennaio janeiro",
            "february fevrier februar februari febrero febbraio fevereiro",
            "march mars marz maerz maart marzo marco",
            "april avril abril aprile",
            "may mai mei mayo maggio maio",
            "june juin juni junio giugno junho",
            "july juillet juli julio luglio julho",
            "august aout augustus agosto",
            "september septembre septiembre settembre setembro",
            "october octobre oktober octubre ottobre outubro",
            "november novembre noviembre novembro",
            "december decembre dezember diciembre dicembre dezembro",
        ),
        1,
    )
    for name in names.split()
}
