"""The JSON-LD context of the export: the official terms of DCAT-AP 3.0.1 (SEMIC), and prefixes for the rest.

As in the official file terms belong to classes.  On a node of several classes readers differ in whose terms they take
(rdflib the first, Oxigraph the last), so only the class that gives a node its terms is called by its term.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from harvester.rdf.namespaces import PREFIXES, expand, shortened

# name=class; below, name=class: term=predicate, `@` for IRIs, `^` before a datatype, `*` for sets.
_CLASSES = """
    Activity=prov:Activity Attribution=prov:Attribution CataloguedResource=dcat:Resource
    ChecksumAlgorithm=spdx:ChecksumAlgorithm Document=foaf:Document Frequency=dct:Frequency
    Geometry=locn:Geometry Kind=vcard:Kind LegalResource=eli:LegalResource LinguisticSystem=dct:LinguisticSystem
    MediaType=dct:MediaType MediaTypeOrExtent=dct:MediaTypeOrExtent Policy=odrl:Policy
    ProvenanceStatement=dct:ProvenanceStatement RightsStatement=dct:RightsStatement Role=dcat:Role
    Standard=dct:Standard TimeInstant=time:Instant
"""
_SCOPED = """
Agent=foaf:Agent: name=foaf:name* type=dct:type@
Catalogue=dcat:Catalog: applicableLegislation=dcatap:applicableLegislation@* catalogue=dcat:catalog@*
    creator=dct:creator@ dataset=dcat:dataset@* description=dct:description* geographicalCoverage=dct:spatial@*
    hasPart=dct:hasPart@* homepage=foaf:homepage@ language=dct:language@* licence=dct:license@
    modificationDate=dct:modified publisher=dct:publisher@ record=dcat:record@* releaseDate=dct:issued
    rights=dct:rights@* service=dcat:service@* temporalCoverage=dct:temporal@* themes=dcat:themeTaxonomy@*
    title=dct:title*
CatalogueRecord=dcat:CatalogRecord: applicationProfile=dct:conformsTo@* changeType=adms:status@
    description=dct:description* language=dct:language@* listingDate=dct:issued modificationDate=dct:modified
    primaryTopic=foaf:primaryTopic@ sourceMetadata=dct:source@ title=dct:title*
Checksum=spdx:Checksum: algorithm=spdx:algorithm@ checksumValue=spdx:checksumValue^xsd:hexBinary
Concept=skos:Concept: preferredLabel=skos:prefLabel*
ConceptScheme=skos:ConceptScheme: title=dct:title*
DataService=dcat:DataService: accessRights=dct:accessRights@ applicableLegislation=dcatap:applicableLegislation@*
    conformsTo=dct:conformsTo@* contactPoint=dcat:contactPoint@* description=dct:description*
    documentation=foaf:page@* endpointDescription=dcat:endpointDescription@* endpointUrl=dcat:endpointURL@*
    format=dct:format@* keyword=dcat:keyword* landingPage=dcat:landingPage@* licence=dct:license@
    publisher=dct:publisher@ servesDataset=dcat:servesDataset@* theme=dcat:theme@* title=dct:title*
Dataset=dcat:Dataset: accessRights=dct:accessRights@ applicableLegislation=dcatap:applicableLegislation@*
    conformsTo=dct:conformsTo@* contactPoint=dcat:contactPoint@* creator=dct:creator@*
    datasetDistribution=dcat:distribution@* description=dct:description* documentation=foaf:page@*
    frequency=dct:accrualPeriodicity@ geographicalCoverage=dct:spatial@* hasVersion=dcat:hasVersion@*
    identifier=dct:identifier* inSeries=dcat:inSeries@* isReferencedBy=dct:isReferencedBy@* keyword=dcat:keyword*
    landingPage=dcat:landingPage@* language=dct:language@* modificationDate=dct:modified
    otherIdentifier=adms:identifier@* provenance=dct:provenance@* publisher=dct:publisher@
    qualifiedAttribution=prov:qualifiedAttribution@* qualifiedRelation=dcat:qualifiedRelation@*
    relatedResource=dct:relation@* releaseDate=dct:issued sample=adms:sample@* source=dct:source@*
    spatialResolution=dcat:spatialResolutionInMeters^xsd:decimal* temporalCoverage=dct:temporal@*
    temporalResolution=dcat:temporalResolution^xsd:duration theme=dcat:theme@* title=dct:title* type=dct:type@*
    version=dcat:version versionNotes=adms:versionNotes* wasGeneratedBy=prov:wasGeneratedBy@*
DatasetSeries=dcat:DatasetSeries: applicableLegislation=dcatap:applicableLegislation@*
    contactPoint=dcat:contactPoint@* description=dct:description* frequency=dct:accrualPeriodicity@
    geographicalCoverage=dct:spatial@* modificationDate=dct:modified publisher=dct:publisher@ releaseDate=dct:issued
    temporalCoverage=dct:temporal@* title=dct:title*
Distribution=dcat:Distribution: accessService=dcat:accessService@* accessUrl=dcat:accessURL@*
    applicableLegislation=dcatap:applicableLegislation@* availability=dcatap:availability@
    byteSize=dcat:byteSize^xsd:nonNegativeInteger checksum=spdx:checksum@ compressionFormat=dcat:compressFormat@
    description=dct:description* documentation=foaf:page@* downloadUrl=dcat:downloadURL@* format=dct:format@
    hasPolicy=odrl:hasPolicy@ language=dct:language@* licence=dct:license@ linkedSchemas=dct:conformsTo@*
    mediaType=dcat:mediaType@ modificationDate=dct:modified packagingFormat=dcat:packageFormat@
    releaseDate=dct:issued rights=dct:rights@* spatialResolution=dcat:spatialResolutionInMeters^xsd:decimal
    status=adms:status@ temporalResolution=dcat:temporalResolution^xsd:duration title=dct:title*
Identifier=adms:Identifier: notation=skos:notation
LicenceDocument=dct:LicenseDocument: type=dct:type@*
Location=dct:Location: bbox=dcat:bbox centroid=dcat:centroid geometry=locn:geometry@
PeriodOfTime=dct:PeriodOfTime: beginning=time:hasBeginning@ end=time:hasEnd@ endDate=dcat:endDate
    startDate=dcat:startDate
Relationship=dcat:Relationship: hadRole=dcat:hadRole@* relation=dct:relation@*
"""

_TERM = re.compile(r"(\w+)=([\w:]+)(@?)(?:\^([\w:]+))?(\*?)")


def _scoped() -> dict[str, tuple[str, dict[str, Any]]]:
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for block in re.split(r"\n(?=\S)", _SCOPED.strip()):
        name, cls, terms = re.split("=|: ", block, maxsplit=2)
        found[expand(cls)] = name, {term[1]: _definition(*term.groups()[1:]) for term in _TERM.finditer(terms)}
    return found


def _definition(predicate: str, address: str, datatype: str | None, several: str) -> dict[str, str]:
    kind = "@id" if address else expand(datatype) if datatype else ""
    return {
        "@id": expand(predicate),
        **({"@type": kind} if kind else {}),
        **({"@container": "@set"} if several else {}),
    }


_BY_CLASS = _scoped()
_NAMES = {expand(cls): name for name, cls in (pair.split("=") for pair in _CLASSES.split())}
_TERMS = {cls: {definition["@id"]: term for term, definition in terms.items()} for cls, (_, terms) in _BY_CLASS.items()}


def context() -> dict[str, Any]:
    """The whole context, to be written into a document."""
    scoped = {name: {"@id": cls, "@context": terms} for cls, (name, terms) in _BY_CLASS.items()}
    return {"@version": 1.1, **PREFIXES, **{name: cls for cls, name in _NAMES.items()}, **scoped}


@cache
def term_of(cls: str, predicate: str) -> str:
    """What a predicate is called on a node of a class."""
    return _TERMS.get(cls, {}).get(predicate) or shortened(predicate)


@cache
def class_of(cls: str) -> str:
    """What a class is called."""
    return _BY_CLASS[cls][0] if cls in _BY_CLASS else _NAMES.get(cls) or shortened(cls)
