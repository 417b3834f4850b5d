"""Which member of a data.json object fills which field of the model, in order of preference.

Project Open Data 1.1 and 1.0 (Spanish profile of Argentina, ArcGIS Hub, Socrata, USMART included), DCAT-US 3.0.
"""

from __future__ import annotations

Keys = tuple[str, ...]

LONE: dict[str, Keys] = {
    "title": ("title",),
    "accrual_periodicity": ("accrualPeriodicity",),
    "access_rights": ("accessRights", "accessLevel"),
    "version": ("version", "hasCurrentVersion"),
    "version_notes": ("versionNotes",),
    "spatial_resolution_in_meters": ("spatialResolutionInMeters", "spatialResolution"),
    "temporal_resolution": ("temporalResolution",),
}
MANY: dict[str, Keys] = {
    "language": ("language",),
    "type": ("category",),
    "applicable_legislation": ("applicableLegislation",),
    "hvd_category": ("hvdCategory",),
    "is_referenced_by": ("isReferencedBy",),
}
POINTED: dict[str, Keys] = {
    "conforms_to": ("conformsTo", "spatialReferenceSystem"),
    "has_version": ("hasVersion",),
    "is_version_of": ("isVersionOf", "previousVersion"),
    "in_series": ("inSeries", "isPartOf"),
    "source": ("source",),
    "relation": ("relation", "systemOfRecords", "replaces"),
    "was_generated_by": ("wasGeneratedBy",),
}
# What the catalogue says its descriptions follow: the profile, and its schema.
STANDARDS: Keys = ("conformsTo", "describedBy")
CATALOGUE: dict[str, Keys] = {
    "uri": ("@id",),
    "identifier": ("identifier",),
    "title": ("title",),
    "description": ("description",),
    "homepage": ("homepage",),
    "language": ("language",),
    "license": ("license", "licence"),
    "issued": ("issued",),
    "modified": ("modified",),
}
# USMART adds notes to the description.
DESCRIPTION: Keys = ("description", "notes")
RIGHTS: Keys = ("rights", "accessLevelComment", "liabilityStatement")
RESTRICTIONS: Keys = ("accessRestriction", "useRestriction", "cuiRestriction")
PROVENANCE: Keys = ("provenance", "lineage")
# Agents DCAT has no field for, with the role each has (MARC relators, ORG).
ROLES: dict[str, str] = {
    "contributor": "http://id.loc.gov/vocabulary/relators/ctb",
    "rightsHolder": "http://id.loc.gov/vocabulary/relators/cph",
}
PARENT_ROLE = "http://www.w3.org/ns/org#hasSubOrganization"
PAGES: Keys = ("page", "references", "describedBy", "dataDictionary")
ISSUED: Keys = ("issued", "issueDate", "created", "createdAt")
MODIFIED: Keys = ("modified", "lastModificationDate")
LICENCE: Keys = ("license", "licence")
CREATORS: Keys = ("creator",)
PLACES: Keys = ("spatial", "coverageArea")
BOX_SIDES: Keys = ("boundingBoxWest", "boundingBoxSouth", "boundingBoxEast", "boundingBoxNorth")

AGENT: dict[str, Keys] = {
    "uri": ("@id",),
    "name": ("name", "prefLabel", "fn", "source", "title"),
    "identifier": ("identifier", "notation"),
    "homepage": ("homepage", "url"),
    "email": ("mbox", "email", "hasEmail"),
}
CONTACT: dict[str, Keys] = {
    "uri": ("@id",),
    "name": ("fn", "name", "organization-name", "organizationName"),
    "email": ("hasEmail", "email", "mbox"),
    "url": ("hasURL", "url"),
    "telephone": ("tel", "hasTelephone", "telephone"),
    "role": ("title", "role"),
}

FILE_LONE: dict[str, Keys] = {
    "uri": ("@id",),
    "title": ("title", "name"),
    "description": ("description",),
    "byte_size": ("byteSize", "size"),
    "access_rights": ("accessRights",),
    "availability": ("availability",),
    "status": ("status",),
    "issued": ("issued", "created"),
    "modified": ("modified",),
    "compress_format": ("compressFormat",),
    "package_format": ("packageFormat",),
    "spatial_resolution_in_meters": ("spatialResolutionInMeters",),
    "temporal_resolution": ("temporalResolution",),
}
SERVICE_LONE: dict[str, Keys] = {
    "uri": ("@id",),
    "title": ("title",),
    "description": ("description",),
    "access_rights": ("accessRights", "accessLevel"),
    "issued": ("issued",),
    "modified": ("modified",),
}
SERVICE_MANY: dict[str, Keys] = {
    "keyword": ("keyword",),
    "format": ("format",),
    "applicable_legislation": ("applicableLegislation",),
    "hvd_category": ("hvdCategory",),
}
