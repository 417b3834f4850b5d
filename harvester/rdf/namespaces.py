"""The namespaces of DCAT-AP, and the spellings of them that feeds really use."""

from __future__ import annotations

import re
from functools import cache, lru_cache

PREFIXES: dict[str, str] = {
    "adms": "http://www.w3.org/ns/adms#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dqv": "http://www.w3.org/ns/dqv#",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geodcatap": "http://data.europa.eu/930/",
    "gsp": "http://www.opengis.net/ont/geosparql#",
    "ch": "https://w3id.org/catalogue-harvester/ns#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "locn": "http://www.w3.org/ns/locn#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "http://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "time": "http://www.w3.org/2006/time#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
OWN = PREFIXES["ch"]

# Prefixes of other profiles that stand unexpanded in IRIs and contexts (Opendatasoft writes `dctype:Dataset`).
_OTHER_PREFIXES = {
    "dcterms": PREFIXES["dct"],
    "dctype": "http://purl.org/dc/dcmitype/",
    "geosparql": PREFIXES["gsp"],
    "org": "http://www.w3.org/ns/org#",
    "sdo": PREFIXES["schema"],
}
KNOWN_PREFIXES = PREFIXES | _OTHER_PREFIXES

# What a document may use without a declaration and still be understood; our own prefix is nobody's habit.
DECLARABLE = {prefix: iri for prefix, iri in KNOWN_PREFIXES.items() if prefix != "ch"} | {
    "cc": "http://creativecommons.org/ns#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dcmitype": "http://purl.org/dc/dcmitype/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "mobilitydcatap": "https://w3id.org/mobilitydcat-ap#",
    "void": "http://rdfs.org/ns/void#",
}

# Namespaces met in feeds that mean one of ours.
_VARIANTS = {
    "https://schema.org/": PREFIXES["schema"],
    "http://www.w3.org/ns/dcat/": PREFIXES["dcat"],
    "http://purl.org/dc/terms#": PREFIXES["dct"],
    "http://purl.org/dc/terms/#": PREFIXES["dct"],
    "http://data.europa.eu/eli/ontology": PREFIXES["eli"],
    "https://data.europa.eu/r5r/": PREFIXES["dcatap"],
    "https://xmlns.com/foaf/0.1/": PREFIXES["foaf"],
    "https://purl.org/dc/terms/": PREFIXES["dct"],
    "https://purl.org/dc/elements/1.1/": PREFIXES["dc"],
    "https://spdx.org/rdf/terms#": PREFIXES["spdx"],
    "http://dcat-ap.de/def/dcatde/1_0/": DECLARABLE["dcatde"],
    "http://dcat-ap.de/def/dcatde/1.0.1/": DECLARABLE["dcatde"],
    "https://www.dcat-ap.de/def/dcatde/": DECLARABLE["dcatde"],
}
_NAME = re.compile(r"[A-Za-z][\w.-]*")


def expand(curie: str) -> str:
    """The IRI of a `prefix:name` of ours."""
    prefix, _, name = curie.partition(":")
    return (PREFIXES.get(prefix) or DECLARABLE[prefix]) + name


@cache
def shortened(iri: str) -> str:
    """The `prefix:name` of an IRI of the profile, where it is in one of our namespaces."""
    found = next((prefix for prefix, namespace in PREFIXES.items() if iri.startswith(namespace)), "")
    return f"{found}:{iri.removeprefix(PREFIXES[found])}" if found else iri


@lru_cache(maxsize=4096)
def canonical(iri: str) -> str:
    """The IRI of a property or class as we know it: https for http, other spellings, prefixes never declared."""
    prefix, mark, name = iri.partition(":")
    if mark and prefix in KNOWN_PREFIXES and not name.startswith("//"):
        return KNOWN_PREFIXES[prefix] + name
    for variant, namespace in _VARIANTS.items():
        rest = iri[len(variant) :]
        if iri.startswith(variant) and _NAME.fullmatch(rest):
            return namespace + rest
    if iri.startswith("https://www.w3.org/"):
        return "http" + iri[5:]
    return iri
