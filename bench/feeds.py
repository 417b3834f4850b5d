"""DCAT feeds of any size, the same in every run: shaped like those of ckanext-dcat and udata, in four syntaxes.

A dataset states 50 to 80 triples: parts without a name nested in it, publishers and licences it shares with others.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from typing import Any

PREFIXES = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "locn": "http://www.w3.org/ns/locn#",
    "gsp": "http://www.opengis.net/ont/geosparql#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
PORTAL = "https://data.bench.example"
_EU = "http://publications.europa.eu/resource/authority"
_THEMES = ("ENVI", "TRAN", "ECON", "GOVE", "HEAL", "EDUC", "AGRI", "REGI")
_FORMATS = (("CSV", "text/csv"), ("JSON", "application/json"), ("XLSX", "application/vnd.ms-excel"), ("SHP", None))
_LICENCES = ("https://www.etalab.gouv.fr/licence-ouverte-open-licence", "http://opendatacommons.org/licenses/odbl/")
_FREQUENCIES = ("ANNUAL", "MONTHLY", "DAILY", "IRREG")
_VOCABULARY = """arrêts réseau transport équipements communes population déchets qualité air eau logement budget écoles
    arbres voirie stationnement subventions élections marchés délibérations énergie sols risques forêt littoral culture
    bibliothèques musées sport santé emploi tourisme patrimoine cadastre adresses horaires mesures relevés annuel"""
_WORDS = _VOCABULARY.split()
# The root of a document that lists its datasets; the rest of it is written once.
CATALOGUE = f"{PORTAL}/catalog"

# A node is {"@id": IRI or None, "@type": class, predicate: [values]}; a value is a node, an ("iri",) or a literal.
Node = dict[str, Any]


def feed(path: Path, syntax: str, size: int) -> int:
    """Write a feed of about so many bytes; gives the number of its datasets."""
    write = _WRITERS[syntax]
    with path.open("w", encoding="utf-8") as file:
        head, tail = _FRAMES[syntax]
        written, number = file.write(head), 0
        while written < size:
            written += file.write(write(_dataset(number), number))
            number += 1
        file.write(tail)
    return number


def _dataset(number: int) -> Node:
    """The dataset of a number; of what it shares with others, the first to mention it gives the description."""
    chance = random.Random(number)
    name = f"{PORTAL}/dataset/{chance.getrandbits(64):016x}-{number}"
    issued = f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    return {
        "@id": name,
        "@type": "dcat:Dataset",
        "dct:identifier": [_text(name.rpartition("/")[2])],
        "dct:title": [_text(f"{_words(chance, 6).capitalize()} {number}", "fr")],
        "dct:description": [_text(f"{_words(chance, 60).capitalize()}.\n\n« {_words(chance, 20)} » & plus.", "fr")],
        "dcat:keyword": [_text(word, "fr") for word in chance.sample(_WORDS, 5)],
        "dcat:theme": [_iri(f"{_EU}/data-theme/{theme}") for theme in chance.sample(_THEMES, 2)],
        "dct:issued": [_typed(issued, "date")],
        "dct:modified": [
            _typed(f"2024-{chance.randint(1, 12):02}-11T09:{chance.randint(10, 59)}:13.412345", "dateTime")
        ],
        "dct:accrualPeriodicity": [_iri(f"{_EU}/frequency/{chance.choice(_FREQUENCIES)}")],
        "dct:language": [_iri(f"{_EU}/language/FRA")],
        "dcat:landingPage": [_iri(name + "/page")],
        "dct:publisher": [_publisher(number)],
        "dcat:contactPoint": [_contact(chance)],
        "dct:spatial": [_place(chance)],
        "dct:temporal": [_period(chance)],
        "dcat:distribution": [_distribution(chance, name, place) for place in range(chance.randint(2, 5))],
    }


def _publisher(number: int) -> Node:
    """Some four hundred of them, each described where it is first met."""
    place = number if number < 400 else random.Random(-number).randrange(400)
    name = f"{PORTAL}/organization/{place:04}"
    if place != number:
        return _iri(name)
    described = {"foaf:name": [_text(f"Organisation {place}")], "foaf:homepage": [_iri(f"https://org{place}.example/")]}
    return {"@id": name, "@type": "foaf:Agent", **described}


def _contact(chance: random.Random) -> Node:
    number = chance.randrange(900)
    mail = _iri(f"mailto:opendata{number}@org.example")
    return {"@id": None, "@type": "vcard:Kind", "vcard:fn": [_text(f"Service {number}")], "vcard:hasEmail": [mail]}


def _place(chance: random.Random) -> Node:
    west, south = round(chance.uniform(-4, 6), 3), round(chance.uniform(43, 50), 3)
    east, north = west + 1, south + 1
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    shape = json.dumps({"type": "Polygon", "coordinates": [ring]})
    literal = _text(shape, "", "https://www.iana.org/assignments/media-types/application/vnd.geo+json")
    return {"@id": None, "@type": "dct:Location", "locn:geometry": [literal]}


def _period(chance: random.Random) -> Node:
    year = chance.randint(2001, 2020)
    ends = {"dcat:startDate": [_typed(f"{year}-01-01", "date")], "dcat:endDate": [_typed(f"{year + 3}-12-31", "date")]}
    return {"@id": None, "@type": "dct:PeriodOfTime", **ends}


def _distribution(chance: random.Random, dataset: str, place: int) -> Node:
    label, kind = chance.choice(_FORMATS)
    name = f"{dataset}/resource/{chance.getrandbits(64):016x}"
    address = _iri(f"{PORTAL}/files/{chance.getrandbits(48):012x}/export-{place}.{label.lower()}")
    said: Node = {
        "@id": name,
        "@type": "dcat:Distribution",
        "dct:title": [_text(f"{_words(chance, 3)}.{label.lower()}")],
        "dct:description": [_text(_words(chance, 12), "fr")],
        "dcat:accessURL": [address],
        "dcat:downloadURL": [address],
        "dct:format": [_text(label)],
        "dcat:byteSize": [_typed(str(chance.randrange(10**7)), "decimal")],
        "dct:license": [_iri(chance.choice(_LICENCES))],
        "dct:modified": [_typed(f"2023-{chance.randint(1, 12):02}-02T10:00:00", "dateTime")],
    }
    return said | ({"dcat:mediaType": [_text(kind)]} if kind else {})


def _words(chance: random.Random, count: int) -> str:
    return " ".join(chance.choices(_WORDS, k=count))


def _iri(name: str) -> Node:
    return {"@id": name}


def _text(text: str, language: str = "", datatype: str = "") -> Node:
    return {"@value": text, "@language": language, "@type": datatype}


def _typed(text: str, datatype: str) -> Node:
    return _text(text, "", PREFIXES["xsd"] + datatype)


def _full(curie: str) -> str:
    prefix, _, name = curie.partition(":")
    return PREFIXES[prefix] + name


def _said(node: Node) -> Iterator[tuple[str, Node]]:
    """The statements of a node, its class apart."""
    for predicate, values in node.items():
        if predicate[0] != "@":
            yield from ((predicate, value) for value in values)


def _turtle(dataset: Node, _: int) -> str:
    """As rdflib writes it: what has a name in a block of its own, what has none nested."""
    named: list[Node] = []
    block = _turtle_block(dataset, named)
    listed = f"<{CATALOGUE}> dcat:dataset <{dataset['@id']}> .\n"
    return listed + block + "".join(_turtle_block(node, []) for node in named)


def _turtle_block(node: Node, named: list[Node]) -> str:
    return f"<{node['@id']}> {_turtle_inside(node, named)} .\n\n"


def _turtle_inside(node: Node, named: list[Node]) -> str:
    said = (f"{predicate} {_turtle_value(value, named)}" for predicate, value in _said(node))
    return " ;\n    ".join((f"a {node['@type']}", *said))


def _turtle_value(value: Node, named: list[Node]) -> str:
    if "@value" in value:
        return _literal(value)
    if "@type" not in value:
        return f"<{value['@id']}>"
    if value["@id"] is None:
        return f"[ {_turtle_inside(value, named)} ]"
    named.append(value)
    return f"<{value['@id']}>"


def _literal(value: Node) -> str:
    # What JSON escapes, Turtle and N-Triples escape likewise.
    text = json.dumps(value["@value"], ensure_ascii=False)
    return text + (
        f"@{value['@language']}" if value["@language"] else f"^^<{value['@type']}>" if value["@type"] else ""
    )


def _lines(dataset: Node, number: int) -> str:
    lines = [f"<{CATALOGUE}> <{_full('dcat:dataset')}> <{dataset['@id']}> .\n"]
    _lines_of(dataset, f"_:b{number}x", lines)
    return "".join(lines)


def _lines_of(node: Node, label: str, lines: list[str]) -> str:
    name = f"<{node['@id']}>" if node["@id"] else f"{label}n{len(lines)}"
    if "@type" in node:
        lines.append(f"{name} <{_full('rdf:type')}> <{_full(node['@type'])}> .\n")
        for predicate, value in _said(node):
            said = _literal(value) if "@value" in value else _lines_of(value, label, lines)
            lines.append(f"{name} <{_full(predicate)}> {said} .\n")
    return name


def _xml(dataset: Node, _: int) -> str:
    """As rdflib's pretty writer does it: everything nested in the catalogue."""
    return f"  <dcat:dataset>\n{_xml_node(dataset, '    ')}  </dcat:dataset>\n"


def _xml_node(node: Node, margin: str) -> str:
    about = f' rdf:about="{escape(node["@id"])}"' if node["@id"] else ""
    inside = "".join(_xml_value(predicate, value, margin + "  ") for predicate, value in _said(node))
    return f"{margin}<{node['@type']}{about}>\n{inside}{margin}</{node['@type']}>\n"


def _xml_value(predicate: str, value: Node, margin: str) -> str:
    if "@value" in value:
        language = f' xml:lang="{value["@language"]}"' if value["@language"] else ""
        datatype = f' rdf:datatype="{value["@type"]}"' if value["@type"] else ""
        return f"{margin}<{predicate}{language}{datatype}>{escape(value['@value'], quote=False)}</{predicate}>\n"
    if "@type" not in value:
        return f'{margin}<{predicate} rdf:resource="{escape(value["@id"])}"/>\n'
    return f"{margin}<{predicate}>\n{_xml_node(value, margin + '  ')}{margin}</{predicate}>\n"


def _json(dataset: Node, number: int) -> str:
    listed = {"@id": CATALOGUE, "dcat:dataset": [{"@id": dataset["@id"]}]}
    return ",\n".join(json.dumps(node, ensure_ascii=False) for node in (listed, _json_node(dataset))) + (",\n")


def _json_node(value: Node) -> Node:
    return {
        key: [_json_node(item) for item in inner] if isinstance(inner, list) else inner
        for key, inner in value.items()
        if inner
    }


_ABOUT = 'a dcat:Catalog ; dct:title "Portail" .'
_XMLNS = "".join(f' xmlns:{prefix}="{iri}"' for prefix, iri in PREFIXES.items())
_CATALOGUE_JSON = {"@id": CATALOGUE, "@type": "dcat:Catalog", "dct:title": "Portail"}
_FRAMES = {
    "turtle": ("".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items()) + f"<{CATALOGUE}> {_ABOUT}\n", ""),
    "ntriples": (
        f"<{CATALOGUE}> <{_full('rdf:type')}> <{_full('dcat:Catalog')}> .\n"
        f'<{CATALOGUE}> <{_full("dct:title")}> "Portail" .\n',
        "",
    ),
    "rdfxml": (
        f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF{_XMLNS}>\n<dcat:Catalog rdf:about="{CATALOGUE}">\n'
        "  <dct:title>Portail</dct:title>\n",
        "</dcat:Catalog>\n</rdf:RDF>\n",
    ),
    "jsonld": (f'{{"@context": {json.dumps(PREFIXES)}, "@graph": [\n', json.dumps(_CATALOGUE_JSON) + "\n]}\n"),
}
_WRITERS: dict[str, Callable[[Node, int], str]] = {
    "turtle": _turtle,
    "ntriples": _lines,
    "rdfxml": _xml,
    "jsonld": _json,
}
SYNTAXES = tuple(_WRITERS)
TYPES = {
    "turtle": "text/turtle",
    "ntriples": "application/n-triples",
    "rdfxml": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
