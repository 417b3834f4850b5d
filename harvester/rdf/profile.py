"""The one table between the model and RDF: each field, the predicate it is written with, those it is also read from.

DCAT-AP 3.0.1 decides what is written; older DCAT-AP, GeoDCAT-AP, schema.org and plain mistakes are only read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from harvester.model import (
    Agent,
    Attribution,
    CatalogRecord,
    Catalogue,
    Checksum,
    ContactPoint,
    DataService,
    Dataset,
    Distribution,
    Identifier,
    Location,
    Part,
    PeriodOfTime,
    Relationship,
    Resource,
)
from harvester.rdf.namespaces import OWN, expand


class Kind(StrEnum):
    """How a value stands in RDF."""

    TEXTS = "texts"  # literals by language
    NAMES = "names"  # the same, for a node that several datasets describe
    WORDS = "words"  # several literals per language
    TEXT = "text"  # one literal
    LINES = "lines"  # several literals without a language
    DATE = "date"
    DURATION = "duration"
    DECIMAL = "decimal"
    INTEGER = "integer"
    HEX = "hex"
    IRI = "iri"  # one node
    IRIS = "iris"  # several nodes, in alphabetical order
    URLS = "urls"  # several nodes, in the order given
    MAIL = "mail"  # a node mailto:
    PHONE = "phone"  # a node tel:
    STATEMENT = "statement"  # texts, as labels of one node
    TERM = "term"  # one concept of a vocabulary
    TERMS = "terms"
    PART = "part"  # one node described by another class of the model
    PARTS = "parts"
    BBOX = "bbox"  # WKT
    CENTROID = "centroid"  # WKT
    GEOMETRY = "geometry"  # GeoJSON
    PLACE = "place"  # the concept a location stands for


# Kinds with several values whose order the model keeps.
ORDERED = frozenset((Kind.LINES, Kind.URLS, Kind.PARTS))


@dataclass(frozen=True, slots=True)
class Row:
    """One field: `range` is the class an object node is typed with, `part` the class of the model it is read as.

    `most` is how many values the shapes take where the model has more: the others stand under `own`.  So do all values,
    once more, of a row that is `marked`: its predicate says less than the field.
    """

    field: str
    predicate: str
    kind: Kind
    also: tuple[str, ...] = ()
    range: str = ""
    part: type[Part] | None = None
    own: str = ""
    most: int = 0
    marked: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How a class of the model stands in RDF."""

    types: tuple[str, ...]
    rows: tuple[Row, ...]
    by_field: Mapping[str, Row] = field(default_factory=dict)


def own(name: str) -> str:
    """The property of our own namespace for a field: `media_type` gives `ch:mediaType`."""
    head, *rest = name.split("_")
    return OWN + head + "".join(word.capitalize() for word in rest)


KIND = own("kind")  # "series", under profiles that have no class for it
DERIVED = own("derived")  # a field we filled in because the profile demands it
ORDER = own("order")  # "field 2 0 1": the places of the values among the values in alphabetical order
POSITION = own("position")  # the place of a node without a name among its like
REFERENCE = own("reference")  # a node that only stands for something described elsewhere
LAST_SEEN = own("last_seen")  # when we last saw a dataset in its source
NAME = own("uri")  # the IRI of a node that cannot bear it: it means something else in the document
CALLED = own("called")  # a resource (`ch:uri`) and what this node calls it, where its label is another's name for it
TEXT = own("text")  # what the source wrote ...
CONCEPT = own("concept")  # ... and the concept it means

# The names of nodes without one, where a profile wants them to have one.
NAMELESS = "urn:x-catalogue-harvester:"
PAGE = "foaf:Document"
LAW = "eli:LegalResource"


def row(
    name: str,
    predicate: str,
    kind: Kind,
    also: str = "",
    range: str = "",
    part: type[Part] | None = None,
    most: int = 0,
) -> Row:
    """A row of the table; predicates and classes are written `prefix:name`."""
    older = tuple(expand(curie) for curie in also.split())
    return Row(name, expand(predicate), kind, older, expand(range) if range else "", part, own(name), most)


def _shape(types: str, *rows: Row) -> Shape:
    classes = tuple(expand(curie) for curie in types.split())
    return Shape(classes, rows, {item.field: item for item in rows})


K = Kind
_ISSUED = row("issued", "dct:issued", K.DATE, "dct:created schema:datePublished dct:available dct:date dc:date")
_MODIFIED = row("modified", "dct:modified", K.DATE, "schema:dateModified dct:updated")
_TITLE = row("title", "dct:title", K.TEXTS, "dc:title schema:name rdfs:label skos:prefLabel foaf:name")
_DESCRIPTION = row(
    "description", "dct:description", K.TEXTS, "dc:description schema:description dct:abstract rdfs:comment"
)
_LICENSE = row(
    "license", "dct:license", K.TERM, "schema:license dct:licence dc:license dcat:license", "dct:LicenseDocument"
)
_RIGHTS = row("rights", "dct:rights", K.STATEMENT, "dc:rights dcatde:licenseAttributionByText", "dct:RightsStatement")
_ACCESS_RIGHTS = row("access_rights", "dct:accessRights", K.TERM, range="dct:RightsStatement")
_LANGUAGE = row("language", "dct:language", K.TERMS, "dc:language schema:inLanguage", "dct:LinguisticSystem")
_CONFORMS_TO = row("conforms_to", "dct:conformsTo", K.PARTS, "dct:ConformsTo", "dct:Standard", Resource)
_LAW = row("applicable_legislation", "dcatap:applicableLegislation", K.IRIS, range=LAW)
_HVD = row("hvd_category", "dcatap:hvdCategory", K.TERMS, range="skos:Concept")
_THEME = row("theme", "dcat:theme", K.TERMS, "schema:about dcat:themes dct:subject", "skos:Concept")
_KEYWORD = row("keyword", "dcat:keyword", K.WORDS, "dcat:keywords schema:keywords dc:subject dct:subject")
_PUBLISHER = row("publisher", "dct:publisher", K.PART, "dc:publisher schema:publisher schema:provider", "", Agent)
_CREATOR = row("creator", "dct:creator", K.PARTS, "dc:creator schema:creator schema:author", "", Agent)
_CONTACT = row("contact_point", "dcat:contactPoint", K.PARTS, "adms:contactPoint schema:contactPoint", "", ContactPoint)
_LANDING = row("landing_page", "dcat:landingPage", K.URLS, "dcat:landingpage foaf:landingPage schema:url", PAGE)
_PAGE = row("page", "foaf:page", K.URLS, "schema:documentation", PAGE)
_METRES = row("spatial_resolution_in_meters", "dcat:spatialResolutionInMeters", K.DECIMAL)
_TEMPORAL_RESOLUTION = row("temporal_resolution", "dcat:temporalResolution", K.DURATION)
_SPATIAL = row("spatial", "dct:spatial", K.PARTS, "dct:coverage schema:spatialCoverage dcat:spatial", part=Location)
_TEMPORAL = row("temporal", "dct:temporal", K.PARTS, "schema:temporalCoverage dcat:temporal", part=PeriodOfTime)
_IDENTIFIERS = row("identifier", "dct:identifier", K.LINES, "dc:identifier schema:identifier")

SHAPES: dict[type[Part], Shape] = {
    Dataset: _shape(
        "dcat:Dataset dcat:Resource",
        _TITLE,
        _DESCRIPTION,
        _IDENTIFIERS,
        row("other_identifier", "adms:identifier", K.PARTS, part=Identifier),
        _KEYWORD,
        _THEME,
        row("type", "dct:type", K.TERMS, "dc:type", "skos:Concept"),
        _PUBLISHER,
        _CREATOR,
        _CONTACT,
        _LANDING,
        _PAGE,
        _ISSUED,
        _MODIFIED,
        row("accrual_periodicity", "dct:accrualPeriodicity", K.TERM, "dct:accrualPeriodocity", "dct:Frequency"),
        _LANGUAGE,
        _SPATIAL,
        _TEMPORAL,
        _METRES,
        _TEMPORAL_RESOLUTION,
        _LICENSE,
        _ACCESS_RIGHTS,
        _RIGHTS,
        _CONFORMS_TO,
        row("provenance", "dct:provenance", K.STATEMENT, range="dct:ProvenanceStatement"),
        row("version", "dcat:version", K.TEXT, "owl:versionInfo schema:version"),
        row("version_notes", "adms:versionNotes", K.TEXTS),
        row("has_version", "dcat:hasVersion", K.PARTS, "dct:hasVersion", "dcat:Dataset", Resource),
        row("is_version_of", "dcat:isVersionOf", K.PARTS, "dct:isVersionOf", part=Resource),
        row("in_series", "dcat:inSeries", K.PARTS, "dct:isPartOf", "dcat:DatasetSeries", Resource),
        # The shapes want the object of dct:source to be a complete dataset; prov:wasDerivedFrom asks for nothing.
        row("source", "prov:wasDerivedFrom", K.PARTS, "dct:source", part=Resource),
        row(
            "relation",
            "dct:relation",
            K.PARTS,
            "dct:references dct:isPartOf dct:hasPart dct:replaces dct:isReplacedBy dct:requires dct:isRequiredBy"
            " dct:hasFormat dct:isFormatOf dcat:prev dcat:next dcat:previousVersion",
            part=Resource,
        ),
        row("is_referenced_by", "dct:isReferencedBy", K.IRIS),
        row("qualified_relation", "dcat:qualifiedRelation", K.PARTS, part=Relationship),
        row("qualified_attribution", "prov:qualifiedAttribution", K.PARTS, part=Attribution),
        row("was_generated_by", "prov:wasGeneratedBy", K.PARTS, range="prov:Activity", part=Resource),
        _LAW,
        _HVD,
        row("sample", "adms:sample", K.PARTS, part=Distribution),
        row(
            "distribution",
            "dcat:distribution",
            K.PARTS,
            "dcat:distributions schema:distribution dcat:Distribution",
            part=Distribution,
        ),
    ),
    Distribution: _shape(
        "dcat:Distribution",
        row("identifier", "dct:identifier", K.TEXT, "dc:identifier schema:identifier"),
        _TITLE,
        _DESCRIPTION,
        row("access_url", "dcat:accessURL", K.URLS, "dcat:accessUrl dcat:accessurl schema:url"),
        row("download_url", "dcat:downloadURL", K.URLS, "dcat:downloadUrl schema:contentUrl"),
        row(
            "format",
            "dct:format",
            K.TERM,
            "dc:format dcat:format schema:encodingFormat",
            "dct:MediaTypeOrExtent",
        ),
        row("media_type", "dcat:mediaType", K.TERM, "dc:mediaType dct:mediaType schema:fileFormat", "dct:MediaType"),
        row("compress_format", "dcat:compressFormat", K.TERM, range="dct:MediaType"),
        row("package_format", "dcat:packageFormat", K.TERM, range="dct:MediaType"),
        row("byte_size", "dcat:byteSize", K.INTEGER, "dct:extent schema:contentSize dcat:size"),
        row("checksum", "spdx:checksum", K.PART, part=Checksum),
        _LICENSE,
        _RIGHTS,
        _ACCESS_RIGHTS,
        row("availability", "dcatap:availability", K.TERM, "dcatde:plannedAvailability", "skos:Concept"),
        row("status", "adms:status", K.TERM, range="skos:Concept"),
        _ISSUED,
        _MODIFIED,
        _LANGUAGE,
        _CONFORMS_TO,
        _PAGE,
        row("policy", "odrl:hasPolicy", K.IRI, range="odrl:Policy"),
        row("access_service", "dcat:accessService", K.PARTS, part=DataService),
        _LAW,
        _METRES,
        _TEMPORAL_RESOLUTION,
    ),
    DataService: _shape(
        "dcat:DataService dcat:Resource",
        _IDENTIFIERS,
        _TITLE,
        _DESCRIPTION,
        _KEYWORD,
        _THEME,
        row("endpoint_url", "dcat:endpointURL", K.URLS, "dcat:endpointUrl dcat:accessURL schema:url"),
        row("endpoint_description", "dcat:endpointDescription", K.URLS),
        _LANDING,
        _PAGE,
        _PUBLISHER,
        _CREATOR,
        _CONTACT,
        _LICENSE,
        _ACCESS_RIGHTS,
        _RIGHTS,
        _CONFORMS_TO,
        row("format", "dct:format", K.TERMS, range="dct:MediaTypeOrExtent"),
        _LANGUAGE,
        _ISSUED,
        _MODIFIED,
        _LAW,
        _HVD,
        row("serves_dataset", "dcat:servesDataset", K.IRIS, range="dcat:Dataset"),
    ),
    Agent: _shape(
        "foaf:Agent",
        row(
            "name",
            "foaf:name",
            K.NAMES,
            "schema:name vcard:fn skos:prefLabel rdfs:label dct:title foaf:nick",
        ),
        row("type", "dct:type", K.TERM, range="skos:Concept"),
        row("identifier", "dct:identifier", K.LINES, "schema:identifier dc:identifier"),
        row("homepage", "foaf:homepage", K.IRI, "foaf:page schema:url foaf:workplaceHomepage vcard:hasURL", PAGE),
        row("email", "foaf:mbox", K.MAIL, "schema:email vcard:hasEmail foaf:email vcard:email"),
    ),
    ContactPoint: _shape(
        "vcard:Kind",
        row(
            "name",
            "vcard:fn",
            K.NAMES,
            "vcard:hasFN vcard:organization-name vcard:organisation-name vcard:hasOrganizationName"
            " vcard:organisationName foaf:name schema:name rdfs:label vcard:org",
        ),
        row("email", "vcard:hasEmail", K.MAIL, "vcard:email foaf:mbox schema:email vcard:hasEMail"),
        row("url", "vcard:hasURL", K.IRI, "vcard:hasUrl vcard:url foaf:homepage schema:url foaf:page"),
        row("telephone", "vcard:hasTelephone", K.PHONE, "vcard:tel vcard:telephone foaf:phone schema:telephone"),
        row("role", "vcard:role", K.TEXT, "vcard:hasRole vcard:title"),
    ),
    PeriodOfTime: _shape(
        "dct:PeriodOfTime",
        row("start", "dcat:startDate", K.DATE, "schema:startDate time:hasBeginning dct:start dct:startDate"),
        row("end", "dcat:endDate", K.DATE, "schema:endDate time:hasEnd dct:end dct:endDate"),
    ),
    Location: _shape(
        "dct:Location",
        row("place", "ch:place", K.PLACE, range="dct:Location"),
        row("name", "skos:prefLabel", K.TEXTS, "locn:geographicName rdfs:label schema:name dct:title foaf:name"),
        row("bbox", "dcat:bbox", K.BBOX, "schema:box locn:bbox"),
        row("centroid", "dcat:centroid", K.CENTROID),
        # For locn:geometry the official shapes contradict each other: a literal in one file, a node in the other.
        row("geometry", "gsp:asGeoJSON", K.GEOMETRY, "locn:geometry gsp:asWKT gsp:hasGeometry schema:polygon"),
    ),
    Resource: _shape(
        "", row("name", "rdfs:label", K.NAMES, "dct:title skos:prefLabel schema:name foaf:name dc:title vcard:fn")
    ),
    Identifier: _shape(
        "adms:Identifier",
        row("notation", "skos:notation", K.TEXT, "dct:identifier rdf:value rdfs:label"),
        row("agency", "adms:schemaAgency", K.TEXT, "adms:schemeAgency dct:creator"),
    ),
    Checksum: _shape(
        "spdx:Checksum",
        row("algorithm", "spdx:algorithm", K.TERM, range="spdx:ChecksumAlgorithm"),
        row("value", "spdx:checksumValue", K.HEX),
    ),
    Relationship: _shape(
        "dcat:Relationship",
        row("target", "dct:relation", K.PART, "dct:publisher", "dcat:Dataset", Resource),
        row("role", "dcat:hadRole", K.IRI, "prov:hadRole", "dcat:Role"),
    ),
    Attribution: _shape(
        "prov:Attribution",
        row("target", "prov:agent", K.PART, "dct:relation dct:publisher", part=Agent),
        row("role", "dcat:hadRole", K.IRI, "prov:hadRole", "dcat:Role"),
    ),
    CatalogRecord: _shape(
        "dcat:CatalogRecord",
        _TITLE,
        _DESCRIPTION,
        _ISSUED,
        _MODIFIED,
        _LANGUAGE,
        row("status", "adms:status", K.IRI, range="skos:Concept"),
        replace(_CONFORMS_TO, most=1),
        # As for datasets: the object of dct:source would have to be a complete record.
        row("source", "prov:wasDerivedFrom", K.PARTS, "dct:source", part=Resource),
    ),
    Catalogue: _shape(
        "dcat:Catalog",
        _IDENTIFIERS,
        _TITLE,
        _DESCRIPTION,
        _PUBLISHER,
        replace(_CREATOR, most=1),
        _CONTACT,
        row("homepage", "foaf:homepage", K.IRI, "foaf:page schema:url dcat:landingPage", PAGE),
        _LANGUAGE,
        _LICENSE,
        _RIGHTS,
        _ISSUED,
        _MODIFIED,
        _SPATIAL,
        _TEMPORAL,
        row("theme_taxonomy", "dcat:themeTaxonomy", K.IRIS, range="skos:ConceptScheme"),
        _LAW,
        row("has_part", "dct:hasPart", K.PARTS, "dcat:catalog", "dcat:Catalog", Resource),
        row("service", "dcat:service", K.PARTS, part=DataService),
    ),
}
SERVES = SHAPES[DataService].by_field["serves_dataset"].predicate


# The codelists in which the shapes take a foreign value for a violation (mdr-vocabularies.shape.ttl, HVD 3.0.0).
CLOSED = frozenset(
    ("availability", "checksum-algorithm", "file-type", "frequency", "hvd-category", "language", "media-type", "status")
)

_ROLE_NAMES = "custodian distributor originator pointOfContact principalInvestigator processor resourceProvider user"
_INSPIRE_ROLE = "http://inspire.ec.europa.eu/metadata-codelist/ResponsiblePartyRole/"
# The agents of GeoDCAT-AP 2 and 3 for whom the model has no field of their own, each with the role it has.
ROLES: dict[str, str] = {
    **{expand(f"geodcatap:{name}"): _INSPIRE_ROLE + name for name in _ROLE_NAMES.split()},
    expand("dct:rightsHolder"): f"{_INSPIRE_ROLE}owner",
    expand("dct:contributor"): "http://id.loc.gov/vocabulary/relators/ctb",
}
