"""What the first bytes of a file are, whatever its headers say: a code of the EU file types, or one of our own.

Our own are OLE (the old formats of Office look alike), CAPABILITIES (a service describes itself), SQLITE.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from harvester.jsonio import decode

# So much of a file is looked at.
MOST = 4096


class Found(NamedTuple):
    """A format, or None; `held` are the formats of the members that the beginning of an archive shows."""

    format: str | None = None
    held: frozenset[str] = frozenset()


NOTHING = Found()

_MAGIC: tuple[tuple[bytes, int, str], ...] = (
    (b"%PDF-", 0, "PDF"),
    (b"PAR1", 0, "PARQUET"),
    (b"ARROW1\x00\x00", 0, "ARROW_FILE"),
    (b"\x89PNG\r\n\x1a\n", 0, "PNG"),
    (b"\xff\xd8\xff", 0, "JPEG"),
    (b"GIF8", 0, "GIF"),
    (b"II*\x00", 0, "TIFF"),
    (b"MM\x00*", 0, "TIFF"),
    (b"II+\x00", 0, "TIFF"),
    (b"MM\x00+", 0, "TIFF"),
    (b"\x00\x00\x00\x0cjP  ", 0, "JPEG2000"),
    (b"WEBP", 8, "WEBP"),
    (b"WAVE", 8, "WAV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "OLE"),
    (b"Standard Jet DB", 4, "MDB"),
    (b"Standard ACE DB", 4, "MDB"),
    (b"\x1f\x8b", 0, "GZIP"),
    (b"BZh", 0, "BZIP2"),
    (b"\xfd7zXZ\x00", 0, "XZ"),
    (b"7z\xbc\xaf\x27\x1c", 0, "7Z"),
    (b"Rar!\x1a\x07", 0, "RAR"),
    (b"ustar", 257, "TAR"),
    (b"CDF\x01", 0, "NETCDF"),
    (b"CDF\x02", 0, "NETCDF"),
    (b"CDF\x05", 0, "NETCDF"),
    (b"\x89HDF\r\n\x1a\n", 0, "HDF"),
    (b"LASF", 0, "LAS"),
    (b"\x00\x00\x27\x0a", 0, "SHP"),
    (b"{\\rtf", 0, "RTF"),
    (b"ID3", 0, "MP3"),
    (b"ftyp", 4, "MPEG4"),
)
_SQLITE = b"SQLite format 3\x00"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_MIMETYPES = {
    b"application/vnd.oasis.opendocument.spreadsheet": "ODS",
    b"application/vnd.oasis.opendocument.text": "ODT",
    b"application/vnd.oasis.opendocument.presentation": "ODP",
    b"application/epub+zip": "EPUB",
}
_OFFICE = {"xl/": "XLSX", "word/": "DOCX", "ppt/": "PPTX"}
_MEMBERS = {
    "shp": "SHP", "shx": "SHP", "dbf": "SHP", "prj": "SHP", "cpg": "SHP", "csv": "CSV", "tsv": "TSV", "json": "JSON",
    "geojson": "GEOJSON", "xml": "XML", "gml": "GML", "xsd": "GML", "kml": "KML", "xls": "XLS", "xlsx": "XLSX",
    "ods": "ODS", "pdf": "PDF", "gpkg": "GPKG", "tif": "TIFF", "tiff": "TIFF", "jpg": "JPEG", "png": "PNG",
    "mif": "MIF_MID", "mid": "MIF_MID", "tab": "TAB", "parquet": "PARQUET", "nc": "NETCDF", "txt": "TXT", "ttl":
    "RDF_TURTLE", "rdf": "RDF_XML", "nt": "RDF_N_TRIPLES", "gdbtable": "GDB", "dxf": "DXF", "dwg": "DWG", "doc": "DOC",
    "docx": "DOCX", "asc": "GRID_ASCII", "ecw": "ECW", "las": "LAS", "laz": "LAZ", "jp2": "JPEG2000", "sql": "SQL",
}  # fmt: skip
_FEED = frozenset(("stops.txt", "stop_times.txt", "routes.txt", "trips.txt", "agency.txt"))
_MOST_MEMBERS = 50

# What may stand before the root element, and the element; possessive, for hostile documents (see harvester.rdf.sniff).
_ROOT = re.compile(
    r"(?:\s++|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE(?>[^\[>]*+(?:\[[^\]]*+\]\s*+)?>))*+"
    r"<([A-Za-z_][\w.-]*+:)?([A-Za-z_][\w.-]*+)(?=[\s/>]|$)",
    re.S | re.I,
)
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--(?>.*?-->)\s*)*+<(?:!DOCTYPE\s+html|html|head|body|script|meta)\b", re.S | re.I
)
# Root elements by local name; the second is looked for in the beginning where the name alone is not enough.
_ROOTS = {
    "rdf": "RDF_XML", "rss": "RSS", "feed": "ATOM", "kml": "KML", "gpx": "GPX", "svg": "SVG",
    "featurecollection": "GML", "wfs_capabilities": "CAPABILITIES", "wms_capabilities": "CAPABILITIES",
    "wmt_ms_capabilities": "CAPABILITIES", "capabilities": "CAPABILITIES", "serviceexceptionreport": "CAPABILITIES",
    "exceptionreport": "CAPABILITIES", "html": "HTML", "genericdata": "SDMX", "structurespecificdata": "SDMX",
}  # fmt: skip
_GML = re.compile(r"opengis\.net/gml")
_GEOJSON = re.compile(r'"type"\s*:\s*"(?:FeatureCollection|Feature|GeometryCollection)"')
_JSON_LD = re.compile(r'"@(?:context|graph|id)"\s*:')
_JSON = re.compile(r'\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:[\[{"\]0-9-]|true|false|null|$))')
_TURTLE = re.compile(r"\s*(?:#[^\n]*\n\s*)*@?(?:prefix|base)\s+[^\n]{0,200}<[^>\n]*>", re.I)
_TRIPLE = re.compile(r"(?:<[^>\n]*>|_:\S+)[ \t]+<[^>\n]*>[ \t]+[^\n]+\.[ \t]*(?:\r?\n|$)")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_DELIMITERS = ("\t", ";", ",", "|")
_ENOUGH_LINES = 2


def sniff(content: bytes, charset: str | None = None) -> Found:
    """What begins with these bytes; they may be cut anywhere."""
    if not content:
        return NOTHING
    return _binary(content) or Found(_text_format(_text(content, charset)))


def html_of(content: bytes, charset: str | None = None) -> str:
    """The text of an HTML page, or "" for anything else."""
    text = _text(content, charset)
    return text if _HTML.match(text) else ""


def _binary(content: bytes) -> Found | None:
    if content.startswith(_SQLITE):
        return Found("GPKG" if content[68:72] in (b"GPKG", b"GP10", b"GP11") else "SQLITE")
    if content.startswith(_ZIP):
        return _zip(content)
    if content.startswith(_EMPTY_ZIP):
        return Found("ZIP")
    return next((Found(code) for magic, place, code in _MAGIC if content.startswith(magic, place)), None)


def _zip(content: bytes) -> Found:
    """By the names of the first members (APPNOTE 4.3.7); Office and OpenDocument say at once what they are."""
    names = list(_members(content))
    if names and names[0] == "mimetype":
        said = content[38:100]
        for media_type, code in _MIMETYPES.items():
            if said.startswith(media_type):
                return Found(code)
    if "[Content_Types].xml" in names or "_rels/.rels" in names:
        return Found(next((code for name in names for part, code in _OFFICE.items() if name.startswith(part)), "ZIP"))
    plain = [name.rpartition("/")[2].lower() for name in names if not name.endswith("/")]
    if "doc.kml" in plain:
        return Found("KMZ")
    if _FEED & set(plain):
        return Found("GTFS", frozenset({"TXT", "CSV", "GTFS"}))
    held = frozenset(_MEMBERS.get(name.rpartition(".")[2], "?") for name in plain) - {"?"}
    return Found("SHP" if held == {"SHP"} else "ZIP", held)


def _members(content: bytes) -> Iterator[str]:
    place = 0
    for _ in range(_MOST_MEMBERS):
        place = content.find(_ZIP, place)
        if place < 0 or place + 30 > len(content):
            return
        length = int.from_bytes(content[place + 26 : place + 28], "little")
        name = content[place + 30 : place + 30 + length]
        if len(name) == length:
            yield name.decode("utf-8", "replace")
        place += 30


def _text(content: bytes, charset: str | None) -> str:
    # A cut in the middle of a character would make the rest look like another encoding.
    whole = content[: len(content) - _cut(content)]
    return decode(whole, charset).lstrip("\ufeff")


def _cut(content: bytes) -> int:
    """How many bytes at the end belong to a character of UTF-8 that is not whole."""
    for back in range(1, min(4, len(content)) + 1):
        byte = content[-back]
        if byte & 0xC0 == 0xC0:
            wanted = 2 + (byte >= 0xE0) + (byte >= 0xF0)
            return back if back < wanted else 0
        if byte & 0xC0 != 0x80:
            return 0
    return 0


def _text_format(text: str) -> str | None:
    if _CONTROL.search(text[:1024]):
        return None
    if _HTML.match(text):
        return "HTML"
    if root := _ROOT.match(text):
        return _xml(root[2].lower(), text)
    if _JSON.match(text):
        return _json(text)
    if _TURTLE.match(text):
        return "RDF_TURTLE"
    if _TRIPLE.match(text):
        return "RDF_N_TRIPLES"
    return _table(text) if text.strip() else None


def _xml(name: str, text: str) -> str:
    if name in _ROOTS and not (name == "feed" and "Atom" not in text):
        return _ROOTS[name]
    return "GML" if _GML.search(text[:1024]) else "XML"


def _json(text: str) -> str:
    if _GEOJSON.search(text):
        return "GEOJSON"
    return "JSON_LD" if _JSON_LD.search(text[:1024]) else "JSON"


def _table(text: str) -> str:
    """CSV or TSV when the same sign divides every line into as many cells; plain text otherwise."""
    lines = text.splitlines()
    # The last line may be cut.
    lines = [line for line in (lines[:-1] if len(lines) > _ENOUGH_LINES else lines) if line.strip()][:50]
    if len(lines) < _ENOUGH_LINES:
        return "CSV" if len(lines) == 1 and any(lines[0].count(sign) >= _ENOUGH_LINES for sign in ";\t") else "TXT"
    best = next((sign for sign in _DELIMITERS if _divides(lines, sign)), None)
    return "TXT" if best is None else "TSV" if best == "\t" else "CSV"


def _divides(lines: list[str], sign: str) -> bool:
    """Whether most lines have as many cells as the header, and at least two."""
    try:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign) if row)
    except csv.Error:
        return False
    width, number = widths.most_common(1)[0] if widths else (0, 0)
    return width > 1 and number * 5 >= sum(widths.values()) * 4
