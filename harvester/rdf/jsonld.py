"""JSON-LD made self-contained before it is parsed: contexts elsewhere are never fetched, ours stands in for them."""

from __future__ import annotations

import re
from typing import Any

from harvester.rdf.namespaces import KNOWN_PREFIXES

# The names JSON feeds use without saying where they come from: those of DCAT itself, and those of DCAT-AP's own
# context (SEMIC, 2.1.1 to 3.0.1) where they differ.
_CLASSES = """
    dcat:Catalog dcat:CatalogRecord dcat:Dataset dcat:DatasetSeries dcat:DataService dcat:Distribution dcat:Relationship
    foaf:Agent vcard:Kind skos:Concept adms:Identifier spdx:Checksum prov:Attribution dct:Location dct:PeriodOfTime
    dct:Standard dct:LicenseDocument dct:RightsStatement dct:ProvenanceStatement dct:LinguisticSystem
"""
_TERMS = """
    dct:accessRights dct:accrualPeriodicity dct:conformsTo dct:creator dct:description dct:format dct:identifier
    dct:isReferencedBy dct:issued dct:language dct:license dct:modified dct:provenance dct:publisher dct:relation
    dct:rights dct:source dct:spatial dct:temporal dct:title dct:type
    dcat:bbox dcat:byteSize dcat:centroid dcat:compressFormat dcat:contactPoint dcat:endDate dcat:hadRole
    dcat:hasVersion dcat:keyword dcat:mediaType dcat:packageFormat dcat:qualifiedRelation dcat:startDate
    dcat:spatialResolutionInMeters dcat:temporalResolution dcat:theme dcat:version
    adms:sample adms:status adms:versionNotes dcatap:applicableLegislation dcatap:availability dcatap:hvdCategory
    foaf:name locn:geometry odrl:hasPolicy prov:qualifiedAttribution prov:wasGeneratedBy skos:notation skos:prefLabel
    spdx:algorithm spdx:checksum spdx:checksumValue vcard:fn vcard:hasEmail vcard:hasTelephone vcard:hasURL
"""
# Whose values are addresses or other nodes of the same document, even when written as plain strings.
_NODES = """
    dcat:accessService dcat:accessURL dcat:dataset dcat:distribution dcat:downloadURL dcat:endpointDescription
    dcat:endpointURL dcat:inSeries dcat:landingPage dcat:record dcat:servesDataset dcat:service
    foaf:homepage foaf:page foaf:primaryTopic
"""
_OTHER_CLASSES = {
    "Catalogue": "dcat:Catalog",
    "CatalogueRecord": "dcat:CatalogRecord",
    "LicenceDocument": "dct:LicenseDocument",
}
_OTHER_TERMS = {
    "compressionFormat": "dcat:compressFormat",
    "frequency": "dct:accrualPeriodicity",
    "geographicalCoverage": "dct:spatial",
    "hasPolicy": "odrl:hasPolicy",
    "licence": "dct:license",
    "linkedSchemas": "dct:conformsTo",
    "modificationDate": "dct:modified",
    "otherIdentifier": "adms:identifier",
    "packagingFormat": "dcat:packageFormat",
    "preferredLabel": "skos:prefLabel",
    "relatedResource": "dct:relation",
    "releaseDate": "dct:issued",
    "spatialResolution": "dcat:spatialResolutionInMeters",
    "temporalCoverage": "dct:temporal",
}
_OTHER_NODES = {
    "accessUrl": "dcat:accessURL",
    "datasetDistribution": "dcat:distribution",
    "documentation": "foaf:page",
    "downloadUrl": "dcat:downloadURL",
    "endpointUrl": "dcat:endpointURL",
}


def _named(curies: str) -> dict[str, str]:
    return {curie.partition(":")[2]: curie for curie in curies.split()}


DEFAULT_CONTEXT: dict[str, Any] = {
    **KNOWN_PREFIXES,
    **_named(_CLASSES),
    **_OTHER_CLASSES,
    **_named(_TERMS),
    **_OTHER_TERMS,
    **{name: {"@id": curie, "@type": "@id"} for name, curie in (_named(_NODES) | _OTHER_NODES).items()},
}
# schema.org's own context: every name not above is one of its own.
SCHEMA_CONTEXT: dict[str, Any] = {"@vocab": KNOWN_PREFIXES["schema"]}
_SCHEMA_ORG = re.compile(r"https?://(www\.)?schema\.org(/.*)?", re.I)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(\s*[}\]])')


def localised(document: Any) -> tuple[Any, list[str]]:
    """The document with its remote contexts replaced by ours, and their addresses."""
    remote: list[str] = []
    _walk(document, remote)
    if isinstance(document, list):
        return {"@context": DEFAULT_CONTEXT, "@graph": document}, remote
    if isinstance(document, dict):
        given = document.get("@context")
        contexts = given if isinstance(given, list) else [given] if isinstance(given, dict) else []
        return {**document, "@context": [DEFAULT_CONTEXT, *contexts]}, remote
    return document, remote


def without_trailing_commas(text: str) -> str:
    """JSON as people write it by hand."""
    return _TRAILING_COMMA.sub(lambda found: found.group(1) or found.group(2), text)


def _walk(document: Any, remote: list[str]) -> None:
    """Every context of the document, in place; without recursion, for documents may be large."""
    stack = [document]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if "@context" in node:
                node["@context"] = _local(node["@context"], remote)
            stack.extend(value for value in node.values() if isinstance(value, dict | list))
        elif isinstance(node, list):
            stack.extend(value for value in node if isinstance(value, dict | list))


def _local(context: Any, remote: list[str]) -> Any:
    if isinstance(context, list):
        return [_local(item, remote) for item in context]
    if isinstance(context, str):
        remote.append(context)
        return SCHEMA_CONTEXT if _SCHEMA_ORG.fullmatch(context.strip()) else DEFAULT_CONTEXT
    if isinstance(context, dict) and "@import" in context:
        remote.append(str(context["@import"]))
        return {key: value for key, value in context.items() if key != "@import"}
    return context
