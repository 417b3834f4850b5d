"""Which keys of a CKAN package and resource fill which field of the model, in order of preference.

CKAN core, ckanext-dcat (docs/mapping.md), ckanext-spatial, ckanext-harvest, ckanext-fluent, and the custom schemas
met on Australian, Brazilian, French and Swiss portals.  Keys are folded: see `reading.folded`.
"""

from __future__ import annotations

Keys = tuple[str, ...]

# The first key that says something fills the field.
LONE: dict[str, Keys] = {
    "uri": ("uri",),
    "version": ("version",),
    "version_notes": ("version_notes",),
    "access_rights": ("access_rights", "access_level", "accesslevel"),
    "temporal_resolution": ("temporal_resolution",),
}

SPATIAL_RESOLUTION: Keys = ("spatial_resolution_in_meters", "spatial_resolution")
# Names of units, and the EPSG codes that end their URNs (urn:ogc:def:uom:EPSG::9001).
UNITS: dict[str, str] = {
    "9001": "m",
    "9036": "km",
    "metre": "m",
    "metres": "m",
    "meter": "m",
    "meters": "m",
    "kilometre": "km",
    "kilometres": "km",
    "kilometer": "km",
    "kilometers": "km",
    "centimetre": "cm",
    "centimetres": "cm",
}
LINEAGE: Keys = ("provenance", "lineage", "linhagem", "linaje")
QUALITY: Keys = ("accuracy", "data_quality")

# What `status_show` says of the portal.
SITE: dict[str, Keys] = {
    "title": ("site_title",),
    "description": ("site_description",),
    "homepage": ("site_url",),
    "language": ("locale_default",),
}
# What the portal, or the one it harvested, says of the description itself.
RECORD_ISSUED: Keys = ("metadata_created",)
RECORD_MODIFIED: Keys = ("metadata_modified", "metadata_date")
RECORD_LANGUAGE: Keys = ("metadata_language",)
HARVESTED_URL: Keys = ("harvest_url", "harvest_dataset_url", "harvest_source_url", "source_url")
HARVESTED_TITLE: Keys = ("harvest_source_title", "source_title", "harvest_catalogue_name")
RECORD_STANDARD: Keys = ("metadata_standard", "metadata_standard_name")

# Everything these keys say fills the field.
MANY: dict[str, Keys] = {
    "applicable_legislation": ("applicable_legislation",),
    "hvd_category": ("hvd_category",),
    "is_referenced_by": ("is_referenced_by",),
}

# Everything these keys say, as resources pointed at.
POINTED: dict[str, Keys] = {
    "conforms_to": ("conforms_to", "spatial_reference_system"),
    "has_version": ("has_version",),
    "is_version_of": ("is_version_of",),
    "in_series": ("in_series",),
    "source": ("source", "harvest_dataset_url"),
}

PAGES: Keys = (
    "documentation",
    "documentation_url",
    "page",
    "full_metadata_url",
    "metadata_url",
    "inspire_url",
    "agency_program_url",
    "data_dictionary_url",
    "ferramenta_de_visualizacao",
)
RELATIONS: Keys = (
    "related_resource",
    "relation",
    "relations",
    "related",
    "related_datasets",
    "see_alsos",
    "remote_url",
)
QUALIFIED_RELATIONS: Keys = ("qualified_relation", "qualified_relations")
FREQUENCY: Keys = (
    "frequency",
    "accrual_periodicity",
    "accrualperiodicity",
    "update_frequency",
    "update_freq",
    "frequency_of_update",
    "updatefrequency",
    "periodicity",
    "periodicidade",
    "periodicidad",
    "periodicite",
    "frequencia_de_atualizacao",
    "frequencia_de_atualizacao_dos_dados",
    "frecuencia_de_actualizacion",
    "frequence_de_mise_a_jour",
    "atualidade",
)
ISSUED: Keys = (
    "issued",
    "dataset_publication_date",
    "publication_date",
    "date_published",
    "release_date",
    "date_released",
    "dataset_creation_date",
)
MODIFIED: Keys = ("modified", "dataset_modification_date", "date_updated", "last_modified", "last_updated")
THEMES: Keys = (
    "theme",
    "themes",
    "theme_primary",
    "category",
    "categories",
    "categorias_no_vcge",
    "vcge",
    "topic",
    "topics",
    "topic_category",
    "geospatial_topic",
    "super_theme",
    "groups",
)
TYPES: Keys = ("dcat_type", "dctype", "resource_type", "dataset_type", "datatype", "kinds")
LANGUAGES: Keys = ("language", "languages", "idioma")
LICENCE: Keys = ("license_title", "license_id", "license_url", "license", "licence_title", "licence", "licence_url")
RIGHTS: Keys = ("rights", "access_constraints", "use_constraints", "copyright_notice", "citation", "liability")
KEYWORDS: Keys = ("tags_translated", "keywords", "keyword", "tags", "tag_string", "keyword_fluent")
KEYWORDS_BY_LANGUAGE: Keys = ("tags", "keywords", "keyword")
PLACES: Keys = (
    "spatial_coverage",
    "geo_coverage",
    "geographic_coverage",
    "geocover",
    "cobertura_geografica",
    "bbox",
)
# What portals choose from a list to say how large an area is, not which one.
GRANULARITIES: frozenset[str] = frozenset(
    (
        "jurisdiction",
        "local",
        "locale",
        "municipal",
        "municipale",
        "communal",
        "communale",
        "intercommunale",
        "departmental",
        "departementale",
        "départementale",
        "estadual",
        "provincial",
        "regional",
        "regionale",
        "régionale",
        "national",
        "nationale",
        "nacional",
        "nazionale",
        "european",
        "europeenne",
        "européenne",
        "international",
        "internationale",
        "internacional",
        "global",
        "mondiale",
        "indefinie",
    )
)
PERIODS: Keys = ("temporal_coverage", "temporals", "temporal", "cobertura_temporal", "ano", "anno", "year", "annee")
PERIOD_ENDS: tuple[tuple[Keys, Keys], ...] = (
    (("temporal_start",), ("temporal_end",)),
    (
        ("temporal_coverage_from", "temporal_coverage_start", "temporal_extent_begin", "period_start"),
        ("temporal_coverage_to", "temporal_coverage_end", "temporal_extent_end", "period_end"),
    ),
)
BOX_SIDES: Keys = ("bbox_west_long", "bbox_south_lat", "bbox_east_long", "bbox_north_lat")

# Identifiers other systems gave; harvesters write them beside the title of the source they came from.
OTHER_IDENTIFIERS: Keys = (
    "alternate_identifier",
    "source_identifier",
    "source_datajson_identifier",
    "external_id",
    "remote_id",
    "gbif_uuid",
    "doi",
)
AGENCIES: Keys = ("harvest_source_title", "source_title", "harvest_catalogue_name", "source_url", "remote_url")

AGENT: dict[str, Keys] = {
    "uri": ("uri",),
    "name": ("name", "title"),
    "type": ("type",),
    "identifier": ("identifier", "siret", "siren"),
    "homepage": ("url", "homepage", "website"),
    "email": ("email", "mbox"),
}
CONTACT: dict[str, Keys] = {
    "uri": ("uri",),
    "name": ("name", "fn", "title"),
    "email": ("email", "mail", "hasemail"),
    "url": ("url", "page", "hasurl"),
    "telephone": ("phone", "telephone", "tel"),
    "role": ("role",),
}
METADATA_CONTACT: dict[str, Keys] = {
    field: tuple(f"metadata_contact_{name}" for name in names) for field, names in CONTACT.items()
}
# Contacts of the Belgian biodiversity portal, which prints all that is known of one into a text as well.
ADMINISTRATIVE_CONTACT: dict[str, Keys] = {
    field: tuple(f"administrative_contact_{name}" for name in names) for field, names in CONTACT.items()
}

RESOURCE_URL: Keys = ("url", "dwca_url")
RESOURCE_PROTOCOL: Keys = ("resource_locator_protocol", "protocol")
RESOURCE_LONE: dict[str, Keys] = {
    "uri": ("uri",),
    "identifier": ("id", "identifier"),
    "byte_size": ("size", "filesize", "byte_size", "file_size"),
    "rights": ("rights", "attribution"),
    "access_rights": ("access_rights", "access_level"),
    "availability": ("availability",),
    "status": ("status",),
    "policy": ("policy", "has_policy"),
    "temporal_resolution": ("temporal_resolution",),
    "spatial_resolution_in_meters": ("spatial_resolution_in_meters",),
}
SERVICE_LONE: dict[str, Keys] = {
    "uri": ("uri",),
    "access_rights": ("access_rights",),
    "rights": ("rights",),
    "issued": ("issued",),
    "modified": ("modified",),
}
SERVICE_MANY: dict[str, Keys] = {
    "identifier": ("identifier",),
    "endpoint_url": ("endpoint_url",),
    "endpoint_description": ("endpoint_description",),
    "serves_dataset": ("serves_dataset",),
    "landing_page": ("landing_page",),
    "page": ("documentation", "page"),
    "format": ("format",),
    "applicable_legislation": ("applicable_legislation",),
    "hvd_category": ("hvd_category",),
}
RESOURCE_ISSUED: Keys = ("issued", "issued_date", "release_date")
RESOURCE_MODIFIED: Keys = ("modified", "modified_date")
RESOURCE_PAGES: Keys = ("documentation", "data_dictionary", "describedby", "page")
RESOURCE_LICENCE: Keys = ("license", "license_title", "license_id", "license_url", "licence", "licence_url")
RESOURCE_SERVICES: Keys = ("wms_url", "wms_api_url", "wfs_url", "wfs_api_url")

# Package types that are no datasets: ckanext-harvest, -showcase, -dataservice, -pages and other extensions.
NOT_DATASETS: frozenset[str] = frozenset(
    (
        "harvest",
        "showcase",
        "dataservice",
        "data-service",
        "application",
        "apps",
        "event",
        "news",
        "page",
        "reuse",
        "datarequest",
        "visualization",
        "dashboard",
        "story",
    )
)
SERIES_TYPES: frozenset[str] = frozenset(("dataset_series", "dataset-series", "datasetseries", "series"))
# "resource-type: dataset" says nothing that dcat:Dataset does not say.
PLAIN_TYPES: frozenset[str] = frozenset(("dataset", "datasets", "http://purl.org/dc/dcmitype/dataset"))
