"""File formats: what a format text, media type and URL say of a file, of its packing, or that it is a service."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple
from urllib.parse import urlsplit

from harvester.vocabularies.lazy import Lazy
from harvester.vocabularies.overrides import remembered, told
from harvester.vocabularies.table import Concept, Table, read_table, rows
from harvester.vocabularies.text import fold, iri_key, is_iri, tidy, untagged

IANA = "https://www.iana.org/assignments/media-types"


class FormatFacts(NamedTuple):
    """`package` holds several files (zip), `compress` shrinks one (gzip); a service or a page is not a file."""

    format: Concept | None = None
    media_type: Concept | None = None
    package: Concept | None = None
    compress: Concept | None = None
    service: bool = False
    page: bool = False


NOTHING = FormatFacts()
# No format text or media type is longer; a longer one is something else in the wrong field.
_LONGEST = 200

_PACKING = {
    "ZIP": ("package", "application/zip"),
    "TAR_GZ": ("package", "application/gzip"),
    "RAR": ("package", "application/vnd.rar"),
    "7Z": ("package", ""),
    "TAR": ("package", ""),
    "GZIP": ("compress", "application/gzip"),
    "BZIP2": ("compress", ""),
    "XZ": ("compress", ""),
}
_OGC = Lazy(r"ogc[: ]*(wms|wfs|wcs|wmts)(?![a-z])", re.IGNORECASE)
_SERVICE = Lazy(r"ogc[: ]*(?:csw|sos|wps|sta|api|ogcapi|sensorthings)", re.IGNORECASE)
_MEDIA_TYPE = Lazy(r"([a-z]+(?:-[a-z]+)?)/([\w.+-]+(?: xml)?)(?:\s*[;,].*)?$", re.IGNORECASE | re.ASCII)
_PACKED = Lazy(
    r"(?P<a>.+?)[\s.+_/-]*\(?\b(?:compress\w* |archive |en |in )?(?P<b>zip|gz|gzip|bz2|7z|rar|tar\.gz|tgz|tar|xz)"
    r"(?:pe|ped|pé|p)?(?!\w)\)?\s*$"
    r"|^(?P<d>zip|gzip|gz|tar\.gz|zipped|gzipped)[\s.+_/:(-]+(?P<c>[^()]+?)\)?\s*$"
    r"|^(?P<e>csv|jsonl?|ndjson|tsv|xml|geojson)(?P<f>gz|zip)$",
    re.IGNORECASE,
)
_NOTE = Lazy(r"^([^()\[\]]+?)\s*[(\[]([^()\[\]]*)[)\]]\s*$")
_NOISE = Lazy(
    r"\b(?:files?|fichiers?|ficheiros?|ficheros?|archivos?|arquivos?|format|formato|formatos|datei(?:en"
    r"|format)?|bestand(?:en)?|data ?set|data"
    r"|images?|imagen|imagenes|imagem|imagens|bild|bilder|immagin[ei]|afbeelding(?:en)?"
    r"|documentos?|dokumente?|documenten|documenti|compress[oa]|comprimid[oa]s?|komprimierte?s?|gecomprimeerde?"
    r"|archive|extension|type|au|aux|en|un|une|le|la|in|as|document|download|telechargement|donnees"
    r"|compresse\w*|compressed|export|exports?|version|feed|ogc|inspire)\b"
)
# Parameters of a media type, after a mere name: "CSV; charset=utf-8".
_PARAMETERS = Lazy(r"\s*;\s*[\w-]{1,20}\s*=.*$")
_TRAILING_VERSION = Lazy(r"[ ._-]*v?\d+(?:[. ]\d+)*$")
_PROJECTION = Lazy(
    r"\b(?:wgs ?84|lambert ?\w*|l ?93|l93|rgf ?93|cc ?\d\d|epsg ?\d*|utf ?8|iso 8859 ?\d*|latin1|utf"
    r"|separateur.*|lb72|etrs ?89|utm ?\w*)\b.*"
)
_SUFFIX = Lazy(r"\.([a-z0-9]{2,8}(?:\.(?:gz|zip|bz2|xz|7z))?)$", re.IGNORECASE)
# A suffix of the software behind the URL says nothing of the file it sends.
_SOFTWARE = frozenset(
    {"php", "aspx", "asp", "jsp", "cgi", "do", "cfm", "dll", "exe", "com", "org", "net", "html", "htm"}
)
_OPAQUE = frozenset({"OCTET", "BIN"})
# Format names that a note in brackets makes exact: "Excel (.xls)", "Image (PNG)".
_LOOSE = frozenset(
    ("excel", "microsoft excel", "ms excel", "tableur excel", "rdf", "word", "microsoft word", "text", "texte", "ascii",
     "xml", "json", "image", "tiff", "html", "mapinfo", "mpeg", "access", "autocad", "powerpoint", "google earth")
)  # fmt: skip
# The media type may say more exactly what a general format text means.
_REFINED = {
    "JSON": {"GEOJSON", "JSON_LD"},
    "XML": {"GML", "KML", "RDF_XML", "ATOM", "RSS", "GPX"},
    "TXT": {"CSV", "TSV"},
}


class Kind(NamedTuple):
    """What a format text means, before its packing is known."""

    code: str
    media_type: str
    kind: str


@cache
def registered() -> dict[str, Concept]:
    """The media types IANA has registered, by lower-case name."""
    names = files(__package__).joinpath("data", "media-types.txt").read_text(encoding="utf-8").split()
    return {name.lower(): Concept(f"{IANA}/{name}", name, {"en": name}, IANA) for name in names}


def read_media_types(name: str, scheme: str) -> Table:
    """The IANA registry as a table, with the unregistered names portals use."""
    aliases = ((row["text"], row["code"]) for row in rows(f"{name}.aliases.csv"))
    return Table(((concept, True) for concept in registered().values()), aliases)


@cache
def _kinds() -> tuple[dict[str, Kind], dict[str, Kind]]:
    """By code, and by key of a text that means something else than its code alone."""
    codes = {row["code"]: Kind(row["code"], row["media_type"], row["kind"]) for row in rows("file-type.csv")}
    texts: dict[str, Kind] = {}
    for row in rows("file-type.aliases.csv"):
        known = codes.get(row["code"], Kind("", "", ""))
        texts[_key(row["text"])] = Kind(known.code, row["media_type"] or known.media_type, row["kind"] or known.kind)
    return codes, texts


@cache
def _table() -> Table:
    return read_table("file-type", "http://publications.europa.eu/resource/authority/file-type")


@cache
def _media_table() -> Table:
    return read_media_types("media-type", IANA)


def _key(text: str) -> str:
    return iri_key(text) if is_iri(text) else fold(text)


def format_facts(text: str | None, mime: str | None = None, url: str | None = None) -> FormatFacts:
    """What the format text says; completed by the media type; the URL's suffix only when both say nothing."""
    said = _said((text or "")[: _LONGEST + 1], (mime or "")[: _LONGEST + 1])
    return _facts_of_url(url) if url and said == NOTHING and not (text and told("file-type", text)) else said


@remembered(16_384)
def _said(text: str, mime: str) -> FormatFacts:
    said, typed = _facts_of_text(text), _facts_of_mime(mime)
    if text and told("file-type", text):
        # The source's own decision: the media type may agree with it, not refine it.
        same = said.format is not None and typed.format == said.format
        return said._replace(media_type=typed.media_type) if same or said == NOTHING else said
    if said.format and said.format.code in _PACKING and typed.format and typed.format.code not in _PACKING:
        return _packed(typed, said.format.code)
    return typed if said == NOTHING else _completed(said, typed)


def file_type(table: Table, text: str) -> Concept | None:
    """The EU file type of a format text or media type."""
    return _facts_of_text(text).format


def media_type(table: Table, text: str) -> Concept | None:
    """The registered media type of a media type as written, or of a format text."""
    name = _media_name(text)
    if name is not None:
        return _registered(name)
    return _facts_of_text(text).media_type


def _registered(name: str) -> Concept | None:
    known = _media_table().texts.get(fold(name))
    return known[0] if known else None


def _media_name(text: str) -> str | None:
    """`text/csv` for "text/csv; charset=utf-8" and for the IANA address; None for what is no media type."""
    if is_iri(text):
        path = iri_key(text).split("#")[0]
        found = re.search(r"media-types/([a-z]+/[\w.+-]+)$", path)
        return found[1] if found else None
    found = _MEDIA_TYPE.match(text.strip())
    tops = (
        "application",
        "text",
        "image",
        "audio",
        "video",
        "model",
        "font",
        "multipart",
        "message",
        "binary",
        "x-gis",
        "unknown",
    )
    return f"{found[1]}/{found[2]}".lower() if found and found[1].lower() in tops else None


def _facts_of_mime(mime: str) -> FormatFacts:
    mime = tidy(mime)
    decided = told("media-type", mime)
    name = _media_name(mime) if decided is None else decided[0] and decided[0].code
    if decided and name is None:
        return NOTHING
    return _facts_of_media_name(name) if name else _facts_of_text(mime)


def _facts_of_media_name(name: str) -> FormatFacts:
    kind = _kinds()[1].get(fold(name))
    if kind is not None:
        return _facts(kind)
    media = _registered(name)
    if media is None:
        return NOTHING
    code = _codes_of_media().get(media.code.lower())
    return _facts(_kinds()[0][code])._replace(media_type=media) if code else FormatFacts(media_type=media)


@cache
def _codes_of_media() -> dict[str, str]:
    """The EU file type of a media type; where several share one, the plainest."""
    codes: dict[str, str] = {
        "text/xml": "XML",
        "text/javascript": "JS",
        "application/rtf": "RTF",
        "application/zip": "ZIP",
    }
    plain = ("TIFF", "PDF", "HTML", "XML", "RDF_XML", "GZIP", "PPT", "PS", "CSV", "OCTET")
    for code, kind in sorted(_kinds()[0].items(), key=lambda item: item[0] not in plain):
        if kind.media_type:
            codes.setdefault(kind.media_type.lower(), code)
    return {name: code for name, code in codes.items() if code not in _OPAQUE}


def _facts(kind: Kind) -> FormatFacts:
    media = registered().get(kind.media_type.lower()) if kind.media_type else None
    return FormatFacts(_table().codes.get(kind.code), media, None, None, kind.kind == "service", kind.kind == "page")


def _facts_of_text(text: str) -> FormatFacts:
    text = untagged(tidy(text))
    if not text or len(text) > _LONGEST:
        return NOTHING
    if decided := told("file-type", text):
        return _facts(_kinds()[0][decided[0].code]) if decided[0] else NOTHING
    return _facts_of_iri(text) if is_iri(text) else _facts_of_words(text, depth=0)


def _facts_of_iri(text: str) -> FormatFacts:
    key = iri_key(text)
    kind = _kinds()[1].get(key)
    if kind is not None:
        return _facts(kind)
    exact = _table().exact.get(key)
    if exact is not None:
        return _facts(_kinds()[0][exact.code])
    if name := _media_name(text):
        return _facts_of_media_name(name)
    found = re.search(
        r"(?:/file-type/(?:todo/)?|inspire\.ec\.europa\.eu/media-types/|/genid/fmt/"
        r"|dcat-ap\.de/def/formats/)(.+)$",
        key,
    )
    return _facts_of_text(found[1]) if found else NOTHING


def _facts_of_words(text: str, depth: int) -> FormatFacts:
    text = text if "/" in text else _PARAMETERS.sub("", text)
    key = fold(text)
    kind = _known(key)
    if kind is not None:
        packing = _PACKED.match(text) if kind.code == "SHP" and "zip" in key else None
        return _packed(_facts(kind), "ZIP") if packing or key in ("shz", "geojson zip") else _facts(kind)
    if found := _OGC.match(text):
        return _facts(_kinds()[0][f"{found[1].upper()}_SRVC"])
    if _SERVICE.match(text):
        return FormatFacts(service=True)
    if name := _media_name(text):
        return _facts_of_media_name(name)
    return _facts_of_phrase(text, key, depth) if depth < 4 else NOTHING


def _known(key: str) -> Kind | None:
    codes, texts = _kinds()
    if key in texts:
        return texts[key]
    known = _table().texts.get(key)
    return codes[known[0].code] if known else None


def _facts_of_phrase(text: str, key: str, depth: int) -> FormatFacts:
    """Packing, notes in brackets, filler words and versions, peeled off one at a time."""
    if packed := _PACKED.match(text):
        inner = _facts_of_words((packed["a"] or packed["c"] or packed["e"]).strip(" .,;:+-_/("), depth + 1)
        if inner.format and inner.format.code not in _PACKING:
            return _packed(inner, _packing_code(packed["b"] or packed["d"] or packed["f"]))
    if note := _NOTE.match(text):
        return _with_note(_facts_of_words(note[1], depth + 1), _facts_of_words(note[2], depth + 1), note[1], note[2])
    for shorter in (_PROJECTION.sub("", key), _NOISE.sub(" ", key), _TRAILING_VERSION.sub("", key)):
        shorter = " ".join(shorter.split())
        if shorter and shorter != key:
            return _facts_of_words(shorter, depth + 1)
    return NOTHING


def _with_note(head: FormatFacts, note: FormatFacts, name: str, said: str) -> FormatFacts:
    """What a name and the note in brackets after it say together: of "Excel (.xls)" the note, of "KMZ (Google Earth)"
    the name, of "zip (shp)" both, of "CSV (JSON)" nothing.
    """
    if head.format is None and not head.service:
        return note if head == NOTHING and _known(fold(name)) is None else NOTHING
    if note.format is None or note.format == head.format or (fold(said) in _LOOSE and fold(name) not in _LOOSE):
        return head
    if head.format and head.format.code in _PACKING:
        return _packed(note, head.format.code)
    if note.format.code in _PACKING:
        return _packed(head, note.format.code)
    return note if fold(name) in _LOOSE else NOTHING


def _packing_code(word: str) -> str:
    codes = {"gz": "GZIP", "gzip": "GZIP", "gzipped": "GZIP", "bz2": "BZIP2", "7z": "7Z", "rar": "RAR", "xz": "XZ"}
    codes |= {"tar": "TAR", "tar.gz": "TAR_GZ", "tgz": "TAR_GZ"}
    return codes.get(word.lower(), "ZIP")


def _packed(facts: FormatFacts, packing: str) -> FormatFacts:
    field, name = _PACKING[packing]
    media = registered().get(name) if name else None
    return facts._replace(package=media) if field == "package" else facts._replace(compress=media)


def _completed(said: FormatFacts, typed: FormatFacts) -> FormatFacts:
    """The text decides; the media type adds the packing, or the exact type where the text's format has none."""
    if said.service or said.page:
        return said
    typed_code = typed.format.code if typed.format else ""
    if (
        said.format
        and typed_code in _PACKING
        and said.format.code not in _PACKING
        and said.format.code not in ("GTFS", "KMZ")
    ):
        return said if said.package or said.compress else _packed(said, typed_code)
    if said.format and typed_code in _REFINED.get(said.format.code, ()):
        return typed._replace(package=said.package, compress=said.compress)
    if said.media_type is None and typed.media_type and (said.format is None or typed.format in (None, said.format)):
        return said._replace(media_type=typed.media_type)
    return said


def _facts_of_url(url: str) -> FormatFacts:
    try:
        path = urlsplit(url.strip()).path
    except ValueError:
        return NOTHING
    found = _SUFFIX.search(path.rstrip("/").rsplit("/", 1)[-1])
    if not found or found[1].lower() in _SOFTWARE or not path.strip("/"):
        return NOTHING
    facts = _facts_of_words(found[1], depth=0)
    return NOTHING if facts.page or facts.service else facts
