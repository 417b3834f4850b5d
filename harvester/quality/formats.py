"""The file types that data.europa.eu counts as machine-readable and as non-proprietary.

https://gitlab.com/european-data-portal/edp-vocabularies: edp-machine-readable-format.rdf and
edp-non-proprietary-format.rdf, which list IRIs of the EU table of file types.
"""

from __future__ import annotations

from functools import lru_cache

from harvester.vocabularies import VOCABULARIES

FILE_TYPE = "http://publications.europa.eu/resource/authority/file-type/"
_BOTH = """
CSV GEOJSON ICS JSON JSON_LD KML KMZ NETCDF ODS RDF_N_QUADS RDF_N_TRIPLES RDF_TRIG RDF_TURTLE RDF_XML RSS XML
"""
_READABLE_ALONE = "RDFA SHP XLS XLSX"
_OPEN_ALONE = "BMP DBF GZIP HTML JPEG2000 PNG RTF TAR TIFF TSV TXT WMS_SRVC ZIP"
MACHINE_READABLE = frozenset(FILE_TYPE + code for code in (_BOTH + _READABLE_ALONE).split())
NON_PROPRIETARY = frozenset(FILE_TYPE + code for code in (_BOTH + _OPEN_ALONE).split())


@lru_cache(maxsize=8192)
def file_types(format_iri: str | None, media_type_iri: str | None) -> frozenset[str]:
    """The file types that a format and a media type are of; a media type is of those it is the registered one of."""
    found = set()
    if format_iri and (concept := VOCABULARIES["file-type"].concept(format_iri)):
        found.add(concept.uri)
    if media_type_iri and (concept := VOCABULARIES["media-type"].concept(media_type_iri)):
        meant = VOCABULARIES["file-type"].resolve(concept.code)
        found |= {meant.uri} if meant else set()
    return frozenset(found)
