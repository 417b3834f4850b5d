"""What udata's own words mean in DCAT-AP: badges, access types, contact roles, tags of high-value categories, zones.

Sources: opendatateam/udata `core/dataset/constants.py`, `core/badges`, `rdf.py`; DCAT-AP HVD 3.0.0 (SEMIC).
"""

from __future__ import annotations

from typing import Any

HVD_REGULATION = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
INSPIRE_DIRECTIVE = "http://data.europa.eu/eli/dir/2007/2/oj"

BADGE_LEGISLATION = {"hvd": HVD_REGULATION, "inspire": INSPIRE_DIRECTIVE}
# `sl` and `sr`: statistical series, certified or of general interest.
BADGE_TYPES = {"sl": "STATISTICAL", "sr": "STATISTICAL"}

_CATEGORIES = "http://data.europa.eu/bna/"
HVD_TAGS = {
    "meteorologiques": f"{_CATEGORIES}c_164e0bf5",
    "entreprises-et-propriete-d-entreprises": f"{_CATEGORIES}c_a9135398",
    # The same label after udata changed how it makes slugs.
    "entreprises-et-propriete-dentreprises": f"{_CATEGORIES}c_a9135398",
    "geospatiales": f"{_CATEGORIES}c_ac64a52d",
    "mobilite": f"{_CATEGORIES}c_b79e35eb",
    "observation-de-la-terre-et-environnement": f"{_CATEGORIES}c_dd313021",
    "statistiques": f"{_CATEGORIES}c_e1da4e07",
}

# An account is a condition that not everybody fulfils, hence RESTRICTED.
ACCESS = {"open": "PUBLIC", "open_with_account": "RESTRICTED", "restricted": "RESTRICTED"}
ORGANISATION_TYPES = {
    "local-authority": "LocalAuthority",
    "association": "NonProfitOrganisation",
    "company": "Company",
}
PERSON = "PrivateIndividual(s)"

_ROLES = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/"
PUBLISHER_ROLE = f"{_ROLES}publisher"
DISTRIBUTOR_ROLE = f"{_ROLES}distributor"
ATTRIBUTION_ROLES = {
    "custodian": f"{_ROLES}custodian",
    "distributor": DISTRIBUTOR_ROLE,
    "owner": f"{_ROLES}owner",
    "principalInvestigator": f"{_ROLES}principalInvestigator",
    "processor": f"{_ROLES}processor",
    "resourceProvider": f"{_ROLES}resourceProvider",
    "rightsHolder": f"{_ROLES}owner",
    "user": f"{_ROLES}user",
}

_INSEE = "http://id.insee.fr/geo/"
_ZONE_LEVELS = {
    "fr:commune": f"{_INSEE}commune/",
    "fr:departement": f"{_INSEE}departement/",
    "fr:region": f"{_INSEE}region/",
}


def zone_hints(zone: Any) -> list[Any]:
    """A zone of udata, the same without its date of validity (`…@1943-01-01`, before 2022), and Insee's IRI of it."""
    if isinstance(zone, dict):
        hints = zone_hints(zone.get("id"))
        return [zone["name"], *hints] if zone.get("name") else hints
    if not isinstance(zone, str):
        return []
    plain = zone.partition("@")[0]
    level, _, code = plain.rpartition(":")
    iri = [f"{_ZONE_LEVELS[level]}{code.upper()}"] if level in _ZONE_LEVELS and code.isalnum() else []
    return [plain, *iri]
