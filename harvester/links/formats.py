"""Which formats are files, and which found format keeps the promise of a declared one; codes of the EU file types."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SUFFIX = re.compile(r"\.([a-z0-9]{2,8})(?:\.(?:gz|zip|bz2|xz))?$")

# Files whose first bytes tell what they are, with the suffixes of their names.
_SUFFIXES = {
    "CSV": "csv", "TSV": "tsv tab", "TXT": "txt", "JSON": "json", "GEOJSON": "geojson json", "JSON_LD": "jsonld json",
    "XML": "xml", "GML": "gml xml", "KML": "kml", "KMZ": "kmz", "GPX": "gpx xml", "RSS": "rss xml", "ATOM": "atom xml",
    "RDF_XML": "rdf xml", "RDF_TURTLE": "ttl", "RDF_N_TRIPLES": "nt", "RDF_N_QUADS": "nq", "RDF_TRIG": "trig",
    "ZIP": "zip", "SHP": "shp zip", "GTFS": "zip", "DWCA": "zip", "GDB": "gdb zip", "GZIP": "gz", "TAR_GZ": "gz tgz",
    "TAR": "tar", "7Z": "7z", "RAR": "rar", "BZIP2": "bz2", "XZ": "xz",
    "XLS": "xls", "XLSX": "xlsx", "XLSM": "xlsm", "XLSB": "xlsb", "ODS": "ods", "DOC": "doc", "DOCX": "docx",
    "ODT": "odt", "PPT": "ppt", "PPTX": "pptx", "ODP": "odp", "MDB": "mdb accdb", "RTF": "rtf", "PDF": "pdf",
    "PARQUET": "parquet geoparquet", "ARROW_FILE": "arrow", "GPKG": "gpkg", "SQLITE": "sqlite db", "DBF": "dbf",
    "TIFF": "tif tiff", "GEOTIFF": "tif tiff", "PNG": "png", "JPEG": "jpg jpeg", "GIF": "gif", "WEBP": "webp",
    "JPEG2000": "jp2", "ECW": "ecw", "SVG": "svg", "NETCDF": "nc", "HDF": "h5 hdf", "LAS": "las", "LAZ": "laz",
    "DXF": "dxf", "DWG": "dwg", "MIF_MID": "mif", "TAB": "tab", "ICS": "ics", "GRID_ASCII": "asc", "XYZ": "xyz",
    "MP3": "mp3", "WAV": "wav", "MPEG4": "mp4", "SDMX": "xml", "EPUB": "epub", "YAML": "yaml yml", "SQL": "sql",
}  # fmt: skip
MEDIA_TYPES = {
    "text/csv": "CSV", "text/tab-separated-values": "TSV", "text/plain": "TXT", "application/json": "JSON",
    "application/geo+json": "GEOJSON", "application/vnd.geo+json": "GEOJSON", "application/ld+json": "JSON_LD",
    "application/xml": "XML", "text/xml": "XML", "application/gml+xml": "GML", "text/html": "HTML",
    "application/vnd.google-earth.kml+xml": "KML", "application/vnd.google-earth.kmz": "KMZ",
    "application/rss+xml": "RSS", "application/atom+xml": "ATOM", "application/rdf+xml": "RDF_XML",
    "text/turtle": "RDF_TURTLE", "application/n-triples": "RDF_N_TRIPLES", "application/n-quads": "RDF_N_QUADS",
    "application/trig": "RDF_TRIG", "application/zip": "ZIP", "application/gzip": "GZIP",
    "application/vnd.ms-excel": "XLS",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS", "application/pdf": "PDF",
    "application/vnd.apache.parquet": "PARQUET", "application/geopackage+sqlite3": "GPKG",
    "application/vnd.shp": "SHP", "image/tiff": "TIFF", "image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF",
    "application/msword": "DOC",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.oasis.opendocument.text": "ODT", "application/netcdf": "NETCDF",
}  # fmt: skip

_PACKINGS = frozenset(("ZIP", "GZIP", "TAR_GZ", "TAR", "7Z", "RAR", "BZIP2", "XZ"))
_TEXTUAL = frozenset(
    ("CSV", "TSV", "TXT", "JSON", "GEOJSON", "JSON_LD", "RDF_TURTLE", "RDF_N_TRIPLES", "RDF_N_QUADS", "RDF_TRIG",
     "YAML", "SQL", "ICS", "GRID_ASCII", "XYZ", "DXF", "MIF_MID")
)  # fmt: skip
_LOOSE = frozenset(("YAML", "SQL", "ICS", "GRID_ASCII", "XYZ", "DXF", "MIF_MID", "TAB", "TXT", "CSV", "TSV"))
_PLAIN = frozenset(("TXT", "CSV", "TSV"))
_XML = frozenset(("XML", "GML", "KML", "GPX", "RSS", "ATOM", "RDF_XML", "SVG", "SDMX", "CAPABILITIES"))
_JSON = frozenset(("JSON", "GEOJSON", "JSON_LD"))
_EXCEL = frozenset(("XLS", "XLSX", "XLSM", "XLSB"))
_OLD_OFFICE = frozenset(("XLS", "DOC", "PPT", "MDB"))
_ARCHIVES = frozenset(("SHP", "GTFS", "DWCA", "GDB", "KMZ", "GML", "MIF_MID", "TAB"))
# declared -> what else keeps the promise.  A general word is kept by any special one, not the other way round.
_KEEPS: dict[str, frozenset[str]] = {
    "XML": _XML,
    "JSON": _JSON | {"TXT"},
    "GEOJSON": _JSON,
    "JSON_LD": _JSON,
    "CSV": frozenset({"TSV", "TXT"}),
    "TSV": frozenset({"CSV", "TXT"}),
    "TXT": _TEXTUAL | _XML,
    "GML": frozenset({"XML", "CAPABILITIES"}),
    "SDMX": _XML,
    "RDF": frozenset({"RDF_XML", "XML", *_TEXTUAL}),
    "RDF_XML": frozenset({"XML"}),
    "SHP": frozenset({"DBF"}),
    "GEOTIFF": frozenset({"TIFF"}),
    "TIFF": frozenset({"GEOTIFF"}),
    "GPKG": frozenset({"SQLITE"}),
    "NETCDF": frozenset({"HDF"}),
    "TAR_GZ": frozenset({"GZIP"}),
    "GZIP": frozenset({"TAR_GZ"}),
    "ZIP": frozenset({"SHP", "GTFS", "KMZ", "XLSX", "ODS", "DOCX", "ODT", "PPTX", "ODP", "EPUB"}),
    "KML": frozenset({"KMZ", "XML"}),
    "LAZ": frozenset({"LAS"}),
} | {code: _EXCEL for code in _EXCEL}


def is_file(declared: str) -> bool:
    """Whether formats, codes separated by spaces, are files whatever of them is meant: no page, no service."""
    codes = declared.split()
    return bool(codes) and all(code in _SUFFIXES for code in codes)


def names_suffix(url: str, declared: str) -> bool:
    """Whether the end of an address names a file of one of these formats."""
    found = _SUFFIX.search(_path(url))
    return found is not None and any(found[1] in _SUFFIXES.get(code, "").split() for code in declared.split())


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return ""


def keeps(declared: str, found: str, held: frozenset[str] = frozenset()) -> bool:
    """Whether what was found keeps the promise of any of the formats declared; `held` is what an archive holds.

    What is not known to be judged keeps it: a mismatch is only told where both sides are certain.
    """
    codes = [code for code in declared.split() if code in _SUFFIXES]
    return not is_file(declared) or any(_keeps(code, found, held) for code in codes)


def _keeps(declared: str, found: str, held: frozenset[str]) -> bool:
    if found == declared or found in _KEEPS.get(declared, ()):
        return True
    if found in _PLAIN and declared in _LOOSE:
        return True
    if found == "OLE":
        return declared in _OLD_OFFICE
    if found not in _PACKINGS or declared in _PACKINGS:
        return False
    # A file may come packed; an archive whose first members show something else does not hold it.
    return not held or declared in held or declared in _ARCHIVES or bool(held & _KEEPS.get(declared, frozenset()))
