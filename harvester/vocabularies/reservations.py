"""Signs that a text does not simply grant the licence it names: denied, restricted, postponed, doubted, compared."""

from __future__ import annotations

import re

from harvester.vocabularies.lazy import Lazy

# Whole legal texts forbid and except many things; what is said beside the name of a licence is about that licence.
SHORT = 300

_DATA = r"(?:data|datasets?|donnees|daten|gegevens|datos|dados|dati)"
_METADATA = r"(?:meta ?data\w*|meta ?daten\w*|meta ?donnees?|metagegevens|meta ?datos?|meta ?dados|meta ?dati)"
_PERMISSION = (
    r"(?:permissions?|consent|authori[sz]ations?|autorisations?|genehmigung|zustimmung|erlaubnis|toestemming"
    r"|autorizacion|permiso|autorizacao|permissao|autorizzazione|permesso)"
)
_FEES = (
    r"(?:fees?|royalt(?:y|ies)|charges?|costs?|redevances?|gebuhr\w*|kosten|vergoeding\w*|tasas?|taxas?|frais"
    r"|payment)"
)
_NO = (
    r"(?:no|not|without|free (?:of|from)|sans|aucune?s?|pas de|ohne|kein\w*|zonder|geen|sin|ningun\w*|sem|nenhuma?"
    r"|senza|nessuna?)"
)
# What is said with a negation and takes nothing away.
_HARMLESS = Lazy(
    rf"\b{_NO}(?: (?!for\b|a des\b)\w+){{0,2}}? (?:{_FEES}|restric\w+|limit\w+|einschr\w+|beschrank\w+"
    rf"|beperk\w+|conditions?"
    r"|warrant\w+|guarantee\w*|garant\w+|gewahr\w*|liabilit\w+|haftung|copyright|known|registration|login|obligations?"
    r"|rights? reserved)\b(?! (?:for|pour|fur)\b)"
    rf"|\b(?:no|aucune|keine|geen|ninguna|nenhuma)(?: \w+)? {_PERMISSION}"
    r"(?: (?:is|are|n est))?(?: (?:required|needed|necessary|requise|necessaire|erforderlich|notig|nodig))?\b"
    r"|\b(?:royalty|cost|license fee) free\b"
    r"|\bnon (?:transpos\w+|adapte\w*|port\w+|exclusi\w+)|\bpas de calais\b"
    r"|\b(?:version|versie)(?: \w+)? (?:not|non|nicht|niet|no) \w+"
    rf"|\b{_DATA}(?: (?:and|et|und|en|y|e|as well as|ainsi que))?(?: (?:the|les?|die|de|los|os|i|their|leurs|ihre))?"
    rf" {_METADATA}"
    rf"|\b{_METADATA}(?: (?:and|et|und|en|y|e))(?: \w+)? {_DATA}\b"
)
_YEAR = r"(?:\w+ ){0,3}?(?:19|20)\d\d\b"
_SIGNS = {
    "metadata only": rf"{_METADATA}\b",
    "negation": r"(?:not?|nor|without|never|cannot|ne|pas|ni|non|sans|aucune?s?|nicht|kein\w*|ohne|weder|niet"
    r"|geen|zonder|noch"
    r"|sin|ningun\w*|ikke|inte|uten|utan|uden|nao|sem|nenhum\w*|senza|nessun\w*|bez|exclu\w+|refus\w+|reject\w+|denied|abgelehnt|geweigerd"
    r"|rechazad\w+|recusad\w+|rifiutat\w+|(?:anything|everything|all|tout|alles) but)\b",
    "restriction": r"(?:only|solely|exclusively|uniquement|seulement|exclusivement|nur|lediglich"
    r"|ausschliesslich|alleen|uitsluitend"
    r"|enkel|slechts|solo|solamente|unicamente|exclusivamente|somente|apenas|soltanto|esclusivamente"
    r"|restrict\w+|restrein\w+|restring\w+|eingeschrankt\w*|beschrankt\w*|beperkt\w*|limited to|limitee? a|limitad\w+"
    r"|confiden\w+|proprietary|vertraulich|vertrouwelijk|prohib\w+|forbid\w+|interdi\w+|verboten|untersagt"
    r"|verboden|proibi\w+"
    r"|vietat\w+|rights? reserved|droits? reserves?|rechten? (?:vorbehalten|voorbehouden)|derechos reservados"
    r"|direitos reservados|diritti riservati|reservee? a\w*"
    rf"|{_PERMISSION}|(?:{_FEES.removeprefix('(?:').removesuffix(')')}) (?:apply|applies|required|appl\w+)"
    r"|redevances?|gebuhrenpflichtig|kostenpflichtig|payante?s?|payment|suspend\w*|(?<!available )on request"
    r"|sur demande|auf anfrage|op aanvraag|approval|aprobacion|aprovacao"
    r"|tegen betaling|de pago|a pagamento|subscription"
    r"|(?:additional|supplementary|further|special|zusatzlich\w*|besonder\w*|aanvullend\w*|bijkomend\w*|extra)"
    r" (?:terms|conditions|restrictions|bedingungen|einschrankungen|voorwaarden)"
    r"|conditions (?:supplementaires|particulieres|additionnelles)|condicoes adicionais|condiciones adicionales"
    r"|(?:internal|personal|private|academic|research|scientific|educational|teaching)(?: and \w+)?"
    r" (?:use|usage|users?|purposes?)|(?:usage|utilisation|fins|but)(?: \w+)?"
    r" (?:interne|personnell?e?s?|privee?s?|recherche|academiques?|scientifiques?|pedagogiques?)"
    r"|(?:forschungs|studien|lehr)zwecke?\w*|(?:interne|private|personliche|wissenschaftliche)\w* (?:nutzung"
    r"|gebrauch|zwecke?\w*)"
    r"|(?:onderzoeks|studie)doeleinden|(?:intern|persoonlijk|eigen|prive) gebruik"
    r"|(?:uso|fines|fins|fini)(?: de| di)? (?:personale?|privad?t?o|interno|academicos?|investigacion|pesquisa"
    r"|pessoal|ricerca))\b",
    "future": rf"(?:(?:from|as of|starting|effective|des|ab|vanaf|a partir d[eou]?|a partire da\w*|desde) {_YEAR}"
    r"|will|shall|soon|shortly|upcoming|future|futur\w*|planned|plans? to|intend\w*|propos(?:ed|es?|ees?|al|to|ta)"
    r"|pending|awaiting|draft|consider(?:ing|ed)|under (?:review|consideration|discussion)"
    r"|prochain\w*|a venir|a terme|bientot|en cours d\w*|en attente|envisag\w+|prevue?s?|brouillon"
    r"|demnachst|bald|kunftig\w*|zukunft\w*|geplant\w*|vorgesehen\w*|beabsichtigt\w*|entwurf|ausstehend"
    r"|binnenkort|toekomst\w*|gepland\w*|voorgesteld\w*|proximamente|pronto|previst[oa]s?|borrador|pendiente"
    r"|em breve|brevemente|pendente|rascunho|prossimamente|bozza|in attesa)\b",
    "past": rf"(?:(?:until|till|jusqu\w*|bis|tot|hasta|ate|fino a\w*) {_YEAR}"
    r"|revoked|withdrawn|retired|expired|cancell?ed|discontinued|superseded|obsolete|formerly|previously|no longer"
    r"|retiree?s?|revoquee?s?|abrogee?s?|expiree?s?|anciennement|ancienne?s? licen[cs]es?|ehemal\w+|fruher\w*"
    r"|zuruckgezogen"
    r"|widerrufen|abgelaufen|vroeger\w*|voorheen|ingetrokken|vervallen|antigua\w*|anteriormente|revocad\w+|retirad\w+"
    r"|caducad\w+|revogad\w+|expirad\w+|revocat\w+|ritirat\w+|scadut\w+|precedentemente)\b",
    "doubt": r"(?:maybe|perhaps|possibly|probably|presumably|unclear|uncertain|unsure|whether|to be \w+|tb[adc]"
    r"|peut etre"
    r"|probablement|sans doute|incertaine?s?|a (?:definir|determiner|confirmer|preciser|verifier)|vielleicht"
    r"|evtl|eventuell\w*"
    r"|ggf|vermutlich|wahrscheinlich|unklar|zu klaren|misschien|mogelijk|waarschijnlijk|onduidelijk|wellicht"
    r"|eventueel"
    r"|te bepalen|quizas?|tal vez|posiblemente|probablemente|por (?:definir|determinar|confirmar)|talvez"
    r"|possivelmente"
    r"|provavelmente|forse|probabilmente|da definire)\b",
    "likeness": r"(?:similar\w*|equivalent\w*|analog(?:ous|ue|o|a)?|akin|comparable|inspired by"
    r"|inspiree?s? (?:de|par)|ahnlich\w*"
    r"|vergleichbar\w*|vergelijkbaar|soortgelijk\w*|gelijkwaardig\w*|semelhante|parecid[oa]|simile)\b",
    "alternative": r"(?:otherwise|elsewhere|sonst|andernfalls|ansonsten|sinon|ailleurs|autrement|elders"
    r"|de lo contrario"
    r"|caso contrario|altrimenti|altrove|else)\b",
}
_SIGN = Lazy(rf"\b(?:{'|'.join(_SIGNS.values())})")
_RESERVED = Lazy(
    r"\b(?:all rights reserved|tous (?:les )?droits (?:sont )?reserves|alle rechten? (?:vorbehalten|voorbehouden)"
    r"|todos (?:los derechos|os direitos) reservados|tutti i diritti (?:sono )?riservati)\b"
)
_DOUBTED = Lazy(r"\?\s*[)\]]?\s*$")


def doubted(text: str) -> bool:
    """Whether a text asks rather than says: "yearly?"."""
    return "?" in text and _DOUBTED.search(text) is not None


def reserved(plain: str) -> bool:
    """Whether a folded text, without the names of its licences, holds a sign; long texts are not searched."""
    said = " ".join(plain.split())
    return 0 < len(said) < SHORT and _SIGN.search(_HARMLESS.sub(_apart, said)) is not None


def all_reserved(folded: str) -> bool:
    """Whether a short folded text reserves all rights."""
    return len(folded) < SHORT and _RESERVED.search(folded) is not None


def _apart(found: re.Match[str]) -> str:
    return " . "
