"""A small catalogue of ours that fits DCAT-AP to the letter, and one-change variants of it that do not."""

from __future__ import annotations

PREFIXES = """
@prefix adms: <http://www.w3.org/ns/adms#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dcatap: <http://data.europa.eu/r5r/> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix eli: <http://data.europa.eu/eli/ontology#> .
@prefix eu: <http://publications.europa.eu/resource/authority/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix locn: <http://www.w3.org/ns/locn#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix spdx: <http://spdx.org/rdf/terms#> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@base <https://harbour.example/> .
"""
BODY = """
<cat> a dcat:Catalog ; dct:title "Harbour"@en ; dct:description "All about the harbour"@en ; dct:publisher <port> ;
  dcat:dataset <ds> ; dcat:record <rec> ; dcat:service <api> ; dcat:themeTaxonomy <theme-scheme> .
<theme-scheme> a skos:ConceptScheme ; dct:title "Themes"@en .
<port> a foaf:Agent ; foaf:name "The port"@en .
<rec> a dcat:CatalogRecord ; foaf:primaryTopic <ds> ; dct:modified "2024-05-01T10:00:00Z"^^xsd:dateTime ;
  dct:issued "2024-01-01"^^xsd:date .
<ds> a dcat:Dataset ;
  dct:title "Tides"@en ;
  dct:description "High and low water"@en ;
  dct:identifier "tides" ;
  dcat:keyword "water"@en ;
  dcat:theme <theme> ;
  dct:publisher <port> ;
  dcat:contactPoint <desk> ;
  dcat:landingPage <page> ;
  dct:issued "2024-01-01"^^xsd:date ;
  dct:modified "2024-05-01"^^xsd:date ;
  dct:accrualPeriodicity <daily> ;
  dct:language <english> ;
  dct:spatial <here> ;
  dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2024-01-01"^^xsd:date ; dcat:endDate "2024-12-31"^^xsd:date ] ;
  dct:accessRights <public> ;
  adms:identifier <doi> ;
  dcat:distribution <csv> .
<csv> a dcat:Distribution ;
  dct:title "Table"@en ;
  dct:description "A table"@en ;
  dcat:accessURL <tides.csv> ;
  dct:format <csv-format> ;
  dcat:mediaType <http://www.iana.org/assignments/media-types/text/csv> ;
  dct:license <licence> ;
  dcatap:availability <stable> ;
  adms:status <completed> ;
  dct:issued "2024-01-01"^^xsd:date ;
  dcat:byteSize "12"^^xsd:nonNegativeInteger ;
  dcat:accessService <api> ;
  spdx:checksum [ a spdx:Checksum ; spdx:algorithm <https://spdx.org/rdf/terms#checksumAlgorithm_sha256> ;
    spdx:checksumValue "ab12"^^xsd:hexBinary ] .
<api> a dcat:DataService ; dct:title "Interface"@en ; dcat:endpointURL <api> ; dcat:servesDataset <ds> .
<desk> a vcard:Kind ; vcard:fn "Desk" .
<page> a foaf:Document .
<doi> a adms:Identifier ; skos:notation "10.1/tides" .
<theme> a skos:Concept ; skos:prefLabel "Transport"@en ; skos:inScheme eu:data-theme .
<daily> a dct:Frequency , skos:Concept ; skos:prefLabel "daily"@en ; skos:inScheme eu:frequency .
<english> a dct:LinguisticSystem , skos:Concept ; skos:prefLabel "English"@en ; skos:inScheme eu:language .
<here> a dct:Location , skos:Concept ; skos:prefLabel "Here"@en ; skos:inScheme eu:country .
<public> a dct:RightsStatement , skos:Concept ; skos:prefLabel "public"@en ; skos:inScheme eu:access-right .
<csv-format> a dct:MediaTypeOrExtent , skos:Concept ; skos:prefLabel "CSV" ; skos:inScheme eu:file-type .
<http://www.iana.org/assignments/media-types/text/csv> a dct:MediaType .
<licence> a dct:LicenseDocument .
<stable> a skos:Concept ; skos:prefLabel "stable"@en ; skos:inScheme eu:planned-availability .
<completed> a skos:Concept ; skos:prefLabel "completed"@en ; skos:inScheme eu:distribution-status .
eu:distribution-status a skos:ConceptScheme ; dct:title "Statuses"@en .
<https://spdx.org/rdf/terms#checksumAlgorithm_sha256> a spdx:ChecksumAlgorithm .
"""

# name -> (what is there, what stands instead, the properties that violate the profile then)
VARIANTS: dict[str, tuple[str, str, str]] = {
    "nothing": ("", "", ""),
    "title without language tag": ('dct:title "Tides"@en', 'dct:title "Tides"', ""),
    "empty title": ('dct:title "Tides"@en', 'dct:title ""@en', ""),
    "no title": ('  dct:title "Tides"@en ;\n', "", "dct:title"),
    "title as an address": ('dct:title "Tides"@en', "dct:title <tides>", "dct:title"),
    "no description": ('  dct:description "High and low water"@en ;\n', "", "dct:description"),
    "description as an address": ('dct:description "High and low water"@en', "dct:description <d>", "dct:description"),
    "issued as plain text": ('dct:issued "2024-01-01"^^xsd:date ;\n  dct:m', 'dct:issued "2024" ; dct:m', ""),
    "issued as a year": ('dct:issued "2024-01-01"^^xsd:date ;\n  dct:m', 'dct:issued "2024"^^xsd:gYear ; dct:m', ""),
    "modified twice": ('"2024-05-01"^^xsd:date', '"2024-05-01"^^xsd:date , "2024-05-02"^^xsd:date', "dct:modified"),
    "distribution issued as plain text": (
        'dct:issued "2024-01-01"^^xsd:date ;\n  dcat:byteSize', 'dct:issued "2024" ;\n  dcat:byteSize', "dct:issued"
    ),
    "distribution issued on no day": (
        'dct:issued "2024-01-01"^^xsd:date ;\n  dcat:byteSize',
        'dct:issued "2024-02-31"^^xsd:date ;\n  dcat:byteSize',
        "dct:issued",
    ),
    "no access URL": ("  dcat:accessURL <tides.csv> ;\n", "", "dcat:accessURL"),
    "access URL as text": ("<tides.csv>", '"https://harbour.example/tides.csv"^^xsd:anyURI', "dcat:accessURL"),
    "two licences": ("dct:license <licence>", "dct:license <licence> , <other>", "dct:license"),
    "licence as text": ("dct:license <licence>", 'dct:license "CC BY"', "dct:license"),
    "licence without address": ("dct:license <licence>", "dct:license [ a dct:LicenseDocument ]", ""),
    "licence not described": ("dct:license <licence>", "dct:license <other>", "dct:license"),
    "two rights": (
        "dct:license <licence>",
        "dct:license <licence> ; dct:rights [ a dct:RightsStatement ] , [ a dct:RightsStatement ]",
        "dct:rights",
    ),
    "media type as text": ("dcat:mediaType <http://www.iana.org/assignments/media-types/text/csv>",
                           'dcat:mediaType "text/csv"', "dcat:mediaType"),
    "media type from elsewhere": ("dcat:mediaType <http://www.iana.org/assignments/media-types/text/csv>",
                                  "dcat:mediaType <mt> . <mt> a dct:MediaType . <csv> a dcat:Distribution",
                                  "dcat:mediaType"),
    "format as text": ("dct:format <csv-format>", 'dct:format "CSV"', "dct:format"),
    "format without address": ("dct:format <csv-format>", "dct:format [ a dct:MediaTypeOrExtent ]", "dct:format"),
    "language as text": ("dct:language <english>", 'dct:language "en"', "dct:language"),
    "language not in the table": ("skos:inScheme eu:language", "skos:inScheme <my>", "dct:language"),
    "frequency as text": ("dct:accrualPeriodicity <daily>", 'dct:accrualPeriodicity "daily"', "dct:accrualPeriodicity"),
    "frequency twice": (
        "dct:accrualPeriodicity <daily>",
        "dct:accrualPeriodicity <daily> , <weekly> . <weekly> a dct:Frequency , skos:Concept ; "
        'skos:prefLabel "weekly"@en ; skos:inScheme eu:frequency . <ds> a dcat:Dataset',
        "dct:accrualPeriodicity",
    ),
    "frequency not in the table": ("skos:inScheme eu:frequency", "skos:inScheme <my>", "dct:accrualPeriodicity"),
    "theme not in the table": ("skos:inScheme eu:data-theme", "skos:inScheme <my>", ""),
    "theme without label": ('skos:prefLabel "Transport"@en ; ', "", "skos:prefLabel"),
    "theme as text": ("dcat:theme <theme>", 'dcat:theme "Transport"', "dcat:theme"),
    "place without address": ("dct:spatial <here>", 'dct:spatial [ a dct:Location ; dcat:bbox "POINT(1 2)" ]', ""),
    "place not described": ("dct:spatial <here>", "dct:spatial <there>", "dct:spatial"),
    "two boxes": ("dct:spatial <here>", 'dct:spatial [ a dct:Location ; dcat:bbox "a" , "b" ]', "dcat:bbox"),
    "geometry as a node": (
        "dct:spatial <here>", "dct:spatial [ a dct:Location ; locn:geometry [ a locn:Geometry ] ]", "locn:geometry"
    ),
    "contact of another class": ("<desk> a vcard:Kind", "<desk> a vcard:Organization", "dcat:contactPoint"),
    "identifier as an address": ('dct:identifier "tides"', "dct:identifier <tides>", "dct:identifier"),
    "two identifiers": ('dct:identifier "tides"', 'dct:identifier "tides" , "t"', ""),
    "other identifier as text": ("adms:identifier <doi>", 'adms:identifier "10.1/tides"', "adms:identifier"),
    "other identifier without notation": ('; skos:notation "10.1/tides"', "", ""),
    "size as a decimal": ('"12"^^xsd:nonNegativeInteger', '"12"^^xsd:decimal', "dcat:byteSize"),
    "size as an integer": ('"12"^^xsd:nonNegativeInteger', "12", "dcat:byteSize"),
    "size below zero": ('"12"^^xsd:nonNegativeInteger', '"-12"^^xsd:nonNegativeInteger', "dcat:byteSize"),
    "algorithm as SPDX names it": ("https://spdx.org/rdf/terms#", "http://spdx.org/rdf/terms#", "spdx:algorithm"),
    "checksum as plain text": ('"ab12"^^xsd:hexBinary', '"ab12"', "spdx:checksumValue"),
    "status not in the table": ("skos:inScheme eu:distribution-status", "skos:inScheme <my>", "adms:status"),
    "status of a scheme without class": ("eu:distribution-status a skos:ConceptScheme ;", "eu:distribution-status",
                                         "adms:status"),
    "availability not in the table": ("skos:inScheme eu:planned-availability", "skos:inScheme <my>",
                                      "dcatap:availability"),
    "record without date": ('; dct:modified "2024-05-01T10:00:00Z"^^xsd:dateTime', "", "dct:modified"),
    "record without topic": ("foaf:primaryTopic <ds> ;", "", "foaf:primaryTopic"),
    "record about a page": ("foaf:primaryTopic <ds> ;", "foaf:primaryTopic <page> ;", "foaf:primaryTopic"),
    "record from a record not described": ("<rec> a dcat:CatalogRecord ;", "<rec> a dcat:CatalogRecord ; "
                                           "dct:source <before> ;", "dct:source"),
    "record from a record without topic": (
        "<rec> a dcat:CatalogRecord ;",
        "<before> a dcat:CatalogRecord . <rec> a dcat:CatalogRecord ; dct:source <before> ;",
        "dct:modified foaf:primaryTopic",
    ),
    "record of two profiles": (
        "<rec> a dcat:CatalogRecord ;",
        "<p> a dct:Standard . <q> a dct:Standard . <rec> a dcat:CatalogRecord ; dct:conformsTo <p> , <q> ;",
        "dct:conformsTo",
    ),
    "derived from anything": ("dct:publisher <port> ;\n  dcat:contact",
                              "dct:publisher <port> ; prov:wasDerivedFrom <x> ;\n  dcat:contact", ""),
    "source not described": ("dct:publisher <port> ;\n  dcat:contact",
                             "dct:publisher <port> ; dct:source <x> ;\n  dcat:contact", "dct:source"),
    "publisher without name": ('; foaf:name "The port"@en', "", "foaf:name"),
    "publisher of another class": ("<port> a foaf:Agent", "<port> a foaf:Organization", "dct:publisher"),
    "two publishers": ("dct:publisher <port> ;\n  dcat:contact",
                       'dct:publisher <port> , <two> . <two> a foaf:Agent ; foaf:name "Two" . <ds>\n  dcat:contact',
                       "dct:publisher"),
    "landing page not described": ("<page> a foaf:Document .", "", "dcat:landingPage"),
    "law as a node without address": ("dct:publisher <port> ;\n  dcat:contact",
                                      "dct:publisher <port> ; dcatap:applicableLegislation [ a eli:LegalResource ] ;"
                                      "\n  dcat:contact", "dcatap:applicableLegislation"),
    "service without endpoint": ("dcat:endpointURL <api> ; ", "", "dcat:endpointURL"),
    "service without title": ('dct:title "Interface"@en ; ', "", "dct:title"),
    "catalogue lists a page": ("dcat:dataset <ds>", "dcat:dataset <ds> , <page>", "dcat:dataset"),
    "catalogue without publisher": ("; dct:publisher <port> ;\n  dcat:dataset", ";\n  dcat:dataset", "dct:publisher"),
    "scheme without title": ('; dct:title "Themes"@en', "", "dct:title"),
    "a part of nothing": ("<page> a foaf:Document .", "<page> a foaf:Document . <lost> a dcat:Distribution .",
                          "dcat:accessURL"),
    "relation without role": (
        "dct:publisher <port> ;\n  dcat:contact",
        "dct:publisher <port> ; dcat:qualifiedRelation [ a dcat:Relationship ; dct:relation <ds> ] ;\n  dcat:contact",
        "dcat:hadRole",
    ),
}  # fmt: skip


def turtle(name: str) -> bytes:
    """The catalogue with one change."""
    before, after, _ = VARIANTS[name]
    assert before in BODY
    return (PREFIXES + (BODY.replace(before, after, 1) if before else BODY)).encode()


def expected(name: str) -> set[str]:
    """The properties that violate the profile after the change."""
    return set(VARIANTS[name][2].split())
