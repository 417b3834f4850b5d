"""A data.json feed as records, one dataset at a time: feeds of 200 MB with 40,000 datasets are read in flat memory."""

from __future__ import annotations

import codecs
import io
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, BinaryIO

import ijson

from connectors.common import blank, first, listed, mappings, mended, readable_date
from connectors.dcat_us.catalogue import described
from connectors.dcat_us.serving import Serving
from harvester.connector import Page, Record
from harvester.errors import RecordError, SourceError
from harvester.fields.when import instant, when
from harvester.jsonio import canonical, digest, dumps

RECORDS_A_PAGE = 100
MOST_LEVELS = 240
# Bytes read at a time: each level makes the names of the events in it longer, so that a hundred thousand brackets read
# in one go would take gigabytes.
_AT_ONCE = 2048

_PROFILE = r"project-open-data\.cio\.gov|resources\.data\.gov/[^\"]*dcat-us"
_POD = re.compile(_PROFILE.encode() + rb'|"(?:superThemeTaxonomy|themeTaxonomy)"\s*:')
_NAMES_PROFILE = re.compile(_PROFILE + r"|dcat-us[^/]*\.json", re.I)
# What a document says of itself that tells JSON-LD from data.json, be it alone or the first of a list.
_TELLING = re.compile(r"(?:item\.)?(@context|@graph|conformsTo)(?:\.item)?(?:\.(?:@id|title))?")
_EXPANDED = re.compile(rb'"http://www\.w3\.org/ns/dcat#[a-zA-Z]+"\s*:')
# No other vocabulary has these.
_OF_PROFILE = re.compile(rb'"(?:accessLevel|bureauCode|programCode)"\s*:')
_RDF = re.compile(rb'"@graph"|"dcat:[a-zA-Z]+"\s*:|"http://www\.w3\.org/ns/dcat#[a-zA-Z]+"\s*:|"@context"\s*:\s*[\[{]')
_MEMBERS = re.compile(rb'"(accessLevel|contactPoint|accessURL|downloadURL|landingPage|bureauCode|mbox|hasEmail)"\s*:')
_DATASETS = re.compile(rb'"dataset"\s*:\s*[\[{]')
_DATASET_TYPE = re.compile(rb'"@type"\s*:\s*"dcat:Dataset"')

_LISTS = re.compile(r"(?:item\.)?(?:catalog(?:\.item)?\.)*(?:dataset|datasetSeries)")
_ITEM = re.compile(r"(?:(?:item\.)?(?:catalog(?:\.item)?\.)*(?:dataset|datasetSeries)(?:\.item)?|item)")
_CATALOGUE = ("@id", "title", "publisher", "homepage", "language", "conformsTo", "describedBy")
_SERVICES = re.compile(r"(?:item\.)?(?:catalog(?:\.item)?\.)*service(?:\.item)?")
_AROUND = ("start_array", "end_array", "null", "map_key", "end_map")
# The catalogues in this one, and what they say of themselves: so many of them are told.
_PARTS = re.compile(r"catalog(?:\.item)?(?:\.(@id|identifier|title))?")
_MOST_PARTS = 1000
_ASIDE = ("record",)
_CONTAINERS = ("start_map", "start_array")


def looks_like_pod(first_bytes: bytes) -> bool:
    """Whether a document that starts so is a data.json feed, to be read as JSON rather than as JSON-LD."""
    head = _utf8(first_bytes).lstrip(b"\xef\xbb\xbf \t\r\n")
    if not head.startswith((b"{", b"[")):
        return False
    if _is_json_ld(head):
        return False
    if _POD.search(head):
        return True
    if _RDF.search(head):
        return False
    telling = _MEMBERS.search(head) is not None
    if head.startswith(b"["):
        return telling
    return _DATASETS.search(head) is not None or (telling and _DATASET_TYPE.search(head) is not None)


def _is_json_ld(head: bytes) -> bool:
    """Whether the document is JSON-LD in other words than those of data.json, which may name a context of its own."""
    told = _told(head)
    if "@graph" in told or _EXPANDED.search(head):
        return True
    if "@context" not in told or any(_NAMES_PROFILE.search(text) for texts in told.values() for text in texts):
        return False
    return not all(told["@context"]) or not _OF_PROFILE.search(head)


def _told(head: bytes) -> dict[str, list[str]]:
    """The texts of the members that tell what a document is; "" for what is no text."""
    told: dict[str, list[str]] = {}
    events = ijson.parse(io.BytesIO(head), buf_size=_AT_ONCE)
    while (found := _event(events)) and found[:2] != ("item", "end_map") and not _too_deep(found[0]):
        prefix, event, value = found
        if (member := _TELLING.fullmatch(prefix)) and event != "map_key" and not event.startswith("end_"):
            if event != "start_array":
                told.setdefault(member[1], []).append(value if isinstance(value, str) else "")
            else:
                told.setdefault(member[1], [])
    return told


def _too_deep(prefix: str) -> bool:
    return prefix.count(".") > MOST_LEVELS


def _event(events: Iterator[Any]) -> tuple[str, str, Any] | None:
    """The next event; None where the beginning of a document, which is all there is, breaks off."""
    try:
        return next(events, None)
    except (ijson.JSONError, ValueError):
        return None


def fetch_pages(stream: BinaryIO, url: str) -> Iterator[Page]:
    """The datasets of a feed in pages.

    Raises `SourceError`: `not-json` where the document breaks, after what was read; `not-pod` for other JSON.
    """
    once = _Once()
    try:
        yield from _pages(stream, url, once)
    except SourceError as error:
        document = mended(stream) if error.code == "not-json" else None
        if document is None:
            raise
        for page in _pages(io.BytesIO(dumps(document)), url, once):
            yield replace(page, notes=(*page.notes, _mending(error)))


def _pages(stream: BinaryIO, url: str, once: _Once) -> Iterator[Page]:
    source = _Utf8(stream)
    reader = _Reader()
    found: list[Any] = []
    told: dict[str, Any] | None = None
    try:
        for item in reader.datasets(source):
            found.append(item)
            if len(found) >= RECORDS_A_PAGE:
                page, found = once.page(found, reader), []
                told = page.catalogue
                yield page
    except (ijson.JSONError, ijson.IncompleteJSONError, ValueError) as error:
        if found:
            yield once.page(found, reader)
        raise _broken(error, url, source.read_so_far, reader.count) from error
    if not reader.is_feed:
        raise SourceError("the JSON holds no list of datasets: no data.json feed", code="not-pod", url=url)
    page = once.page(found, reader)
    notes = reader.serving.notes(url)
    if found or notes or page.catalogue != told:
        yield replace(page, notes=notes)


def _mending(error: SourceError) -> RecordError:
    return RecordError(f"the document was mended: {error.message}", code="mended-json", url=error.url)


def guid_of(pod: Mapping[str, Any]) -> str:
    """The source's own identifier of a dataset, else the best substitute that stays the same between runs."""
    for value in (pod.get("identifier"), pod.get("@id"), pod.get("landingPage"), *_urls(pod)):
        if found := plain_id(value):
            return found
    return f"blake2b:{digest(pod).hex()}"


def plain_id(value: Any) -> str | None:
    """An identifier as text: a string, a number, or an object of type Identifier (DCAT-US 3.0)."""
    value = next(iter(listed(value)), None)
    if isinstance(value, Mapping):
        value = first(value, "@id", "identifier", "notation", "skos:notation", "@value", "schemaAgency")
    if isinstance(value, bool) or not isinstance(value, str | int) or blank(value):
        return None
    return str(value).strip() or None


def _urls(pod: Mapping[str, Any]) -> Iterator[Any]:
    parts = [pod, *mappings(pod.get("distribution"))]
    return (part.get(key) for part in parts for key in ("downloadURL", "accessURL"))


class _Once:
    """Makes records, each identifier once: another dataset under it is reported once, the same again is passed over."""

    def __init__(self) -> None:
        # Hashes, not texts: a feed of a million datasets still fits.
        self._met: dict[int, int] = {}
        self._told: set[int] = set()

    def page(self, pods: list[Any], reader: _Reader) -> Page:
        records: list[Record] = []
        problems: list[RecordError] = []
        for pod in pods:
            try:
                records += self._records(pod, reader)
            except RecordError as error:
                problems.append(error)
        return Page(tuple(records), problems=tuple(problems), catalogue=reader.about())

    def _records(self, pod: Any, reader: _Reader) -> list[Record]:
        if not isinstance(pod, Mapping):
            raise RecordError("a dataset of data.json is a JSON object", code="not-an-object", value=str(pod)[:80])
        guid, mark = guid_of(pod), hash(canonical(pod))
        if (key := hash(guid)) in self._met:
            self._tell(pod, guid, self._met[key] == mark)
            return []
        self._met[key] = mark
        about = _about(reader.catalogue, pod)
        if services := reader.serving.of(pod):
            about["services"] = services
        return [Record(guid, {"pod": pod, "catalogue": about}, instant(when(_modified(pod))))]

    def _tell(self, pod: Mapping[str, Any], guid: str, same: bool) -> None:
        """Raise for a second dataset under an identifier, the first time."""
        if same or hash(guid) in self._told:
            return
        self._told.add(hash(guid))
        title = str(pod.get("title"))[:120]
        message = f"a second dataset has the identifier {guid!r}: {title!r}; the first one is kept"
        raise RecordError(message, guid=guid, code="repeated-identifier", field="identifier", value=title)


def _about(catalogue: Mapping[str, Any], pod: Mapping[str, Any]) -> dict[str, Any]:
    """What the catalogue says that a dataset needs: of its themes, only those the dataset has."""
    named = [theme for theme in listed(pod.get("theme")) if isinstance(theme, str)]
    labels = catalogue.get("themes", {})
    kept = {theme: labels[theme] for theme in named if theme in labels}
    return {key: value for key, value in catalogue.items() if key != "themes"} | ({"themes": kept} if kept else {})


def _modified(pod: Mapping[str, Any]) -> Any:
    return readable_date(first(pod, "modified"), first(pod, "issued"))


class _Reader:
    """Follows the events of a JSON document: keeps what the catalogue says of itself, hands out its datasets."""

    def __init__(self) -> None:
        self.catalogue: dict[str, Any] = {}
        self.is_feed = False
        self.count = 0
        self.serving = Serving()
        self._own: dict[str, Any] = {}
        self._within: dict[str, Any] = {}

    def datasets(self, source: Any) -> Iterator[Any]:
        """Every dataset, as soon as it was read; at the end a document that is itself one dataset."""
        events = iter(ijson.parse(source, buf_size=_AT_ONCE))
        for prefix, event, value in events:
            if _too_deep(prefix):
                raise ValueError(f"nested deeper than {MOST_LEVELS} levels")
            if _ITEM.fullmatch(prefix):
                yield from self._item(prefix, event, value, events)
            elif self._beside(prefix, event, value, events):
                continue
            elif "." not in prefix and prefix and event not in ("map_key", "end_map", "end_array"):
                self._member(prefix, event, value, events)
            elif prefix == "" and event == "start_array":
                self.is_feed = True
        if not self.is_feed and _is_dataset(self._own):
            self.is_feed = True
            yield self._own

    def about(self) -> dict[str, Any] | None:
        """What the document has said of itself so far; None where it is a list, or itself a dataset."""
        return None if _is_dataset(self._own) else described(self._own) or None

    def _item(self, prefix: str, event: str, value: Any, events: Iterator[Any]) -> Iterator[Any]:
        listing = _LISTS.fullmatch(prefix) is not None
        self.is_feed = self.is_feed or listing
        if event == "end_array" or (listing and event in ("start_array", "null")):
            return
        item = _built(event, value, events)
        if blank(item):
            # An empty object or null in the list is a slip of the generator, not a dataset.
            return
        self._serve(item if prefix == "item" else None)
        nested = item.get("dataset") if prefix == "item" and isinstance(item, dict) else None
        for each in nested if isinstance(nested, list) else [item]:
            self.count += 1
            yield each

    def _serve(self, catalogue: Any) -> None:
        """Keep the services of a catalogue that was read whole."""
        for service in listed(catalogue.get("service")) if _is_catalogue(catalogue) else ():
            self.serving.add(service)

    def _beside(self, prefix: str, event: str, value: Any, events: Iterator[Any]) -> bool:
        """Whether it is a service, or a catalogue in this one: what they say is kept."""
        part = _PARTS.fullmatch(prefix)
        if part is None and not _SERVICES.fullmatch(prefix):
            return False
        if event not in _AROUND:
            if part is not None:
                self._part(part[1], event, value, events)
            else:
                self.serving.add(_built(event, value, events))
        return True

    def _part(self, name: str | None, event: str, value: Any, events: Iterator[Any]) -> None:
        """A catalogue in this one, or a member of it; its datasets are handed out like all others."""
        if name is not None:
            self._within[name] = _built(event, value, events)
            return
        self._within = {} if event == "start_map" else {"@id": value}
        if len(parts := self._own.setdefault("catalog", [])) < _MOST_PARTS:
            parts.append(self._within)

    def _member(self, name: str, event: str, value: Any, events: Iterator[Any]) -> None:
        """A member of the document; lists of records are not kept."""
        if name in _ASIDE and event in _CONTAINERS:
            _skip(events)
            return
        self._own[name] = _built(event, value, events)
        self.catalogue = {key: self._own[key] for key in _CATALOGUE if not blank(self._own.get(key))}
        if labels := _labels(self._own.get("themeTaxonomy")):
            self.catalogue["themes"] = labels


def _is_catalogue(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("dataset"), list)


def _labels(taxonomy: Any) -> dict[str, str]:
    """The portal's own themes by id (the Argentine profile), as `theme` names them."""
    pairs = ((first(item, "id"), first(item, "label")) for item in mappings(taxonomy))
    return {key: label for key, label in pairs if isinstance(key, str) and isinstance(label, str)}


def _is_dataset(own: Mapping[str, Any]) -> bool:
    kind = str(own.get("@type"))
    return kind.endswith("Dataset") or ("title" in own and ("distribution" in own or "accessLevel" in own))


def _built(event: str, value: Any, events: Iterator[Any]) -> Any:
    """The value that starts with this event, read to its end."""
    if event not in _CONTAINERS:
        return _number(value)
    builder = ijson.ObjectBuilder()
    for kind, inner in _whole(event, events):
        builder.event(kind, _number(inner) if kind == "number" else inner)
    return builder.value


def _number(value: Any) -> Any:
    """Decimals become floats; one too large for a float says nothing that metadata could mean."""
    if not isinstance(value, Decimal):
        return value
    return number if math.isfinite(number := float(value)) else None


def _skip(events: Iterator[Any]) -> None:
    for _ in _whole("start_map", events):
        continue


def _whole(event: str, events: Iterator[Any]) -> Iterator[tuple[str, Any]]:
    """The events of one container, its own start and end included.  Raises ValueError when nested absurdly deep."""
    depth = 1
    yield event, None
    for _, kind, value in events:
        yield kind, value
        depth += (kind in _CONTAINERS) - (kind in ("end_map", "end_array"))
        if depth > MOST_LEVELS:
            raise ValueError(f"nested deeper than {MOST_LEVELS} levels")
        if not depth:
            return


class _Utf8:
    """A binary stream as clean UTF-8: no byte order mark, UTF-16 recoded, stray Latin-1 bytes made whole."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decoder: codecs.IncrementalDecoder | None = None
        self.read_so_far = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        if size == 0 or (not piece and self._decoder is None):
            return piece
        self.read_so_far += len(piece)
        decoder = self._decoder = self._decoder or _decoder(piece)
        text = decoder.decode(piece, final=not piece)
        # A piece may end inside a character: an empty answer would look like the end of the document.
        while not text and piece:
            piece = self._stream.read(size)
            self.read_so_far += len(piece)
            text = decoder.decode(piece, final=not piece)
        return text.removeprefix("\ufeff").encode("utf-8", "replace")


def _decoder(piece: bytes) -> codecs.IncrementalDecoder:
    wide = piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return codecs.getincrementaldecoder("utf-16" if wide else "utf-8")("replace" if wide else "harvester-mixed")


def _utf8(head: bytes) -> bytes:
    return head.decode("utf-16", "replace").encode() if head.startswith((b"\xff\xfe", b"\xfe\xff")) else head


def _broken(error: Exception, url: str, position: int, count: int) -> SourceError:
    said = " ".join(str(error).split())[:160]
    message = f"the feed breaks after {count} datasets, within its first {position} bytes: {said}"
    return SourceError(message, code="not-json", url=url, field="position", value=position)
