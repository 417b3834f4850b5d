"""Text as portals send it, made safe: control characters, surrogates, HTML, white space, language tags."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from html.parser import HTMLParser
from typing import Any

from harvester.fields.base import SILENT, Report
from harvester.fields.languages import UNKNOWN, UNTAGGED, by_language, language_tag, preferred, translated

# XML 1.0 (section 2.2) forbids these even as references; lone surrogates cannot be encoded at all.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SPACE = re.compile(r"\s+")
_INLINE_SPACE = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_MARKUP = re.compile(
    r"</?[a-zA-Z][^<>]*>|<!--|<![a-zA-Z]|&(?:[a-zA-Z][a-zA-Z0-9]{1,31}|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});"
)
# "water, air; soil" is a list: two marks at least, and nothing between them as long as a clause.
_LIST_MARKS = re.compile("[,;]")
_FEWEST_LISTED = 3
_LONGEST_LISTED = 40
_LONGEST_JOINED = 20_000
_SCALARS = (str, int, float)
_PLAIN = frozenset((str,))
_LISTS = (list, tuple)


def text(value: Any, report: Report = SILENT) -> str | None:
    """One line of text, or None when nothing is left."""
    if type(value) is str and _is_plain(value):
        return value.strip() or None
    raw = _scalar(value, report)
    return None if raw is None else _SPACE.sub(" ", _plain(raw)).strip() or None


def prose(value: Any, report: Report = SILENT) -> str | None:
    """Text that keeps its paragraphs; HTML becomes plain text, links keep their address."""
    if type(value) is str and _is_plain(value):
        return value.strip() or None
    raw = _scalar(value, report)
    if raw is None:
        return None
    clean = _is_clean(raw)
    lines = raw if clean else _plain(raw)
    if "\r" in lines:
        lines = lines.replace("\r\n", "\n").replace("\r", "\n")
    # Clean text has no other white space than blanks and line feeds.
    if not clean or "  " in lines:
        lines = _INLINE_SPACE.sub(" ", lines)
    stripped = "\n".join([line.strip() for line in lines.split("\n")])
    return _BLANK_LINES.sub("\n\n", stripped).strip() or None


def own(texts: Mapping[str, str]) -> dict[str, str]:
    """Texts by language that nobody sent us as markup: whole, without what no document can hold."""
    told = ((language_tag(tag), _FORBIDDEN.sub("", raw).strip()) for tag, raw in texts.items())
    return {tag: raw for tag, raw in told if raw}


def lines(value: Any, report: Report = SILENT) -> tuple[str, ...]:
    """Every line of text in a string or list, without repetition, in the order given."""
    if type(value) is str:
        return (alone,) if (alone := text(value)) else ()
    return tuple(dict.fromkeys(found for _, raw in tagged(value, report) if (found := text(raw, report))))


def texts(value: Any, report: Report = SILENT) -> dict[str, str]:
    """One line of text per language: language tag -> text, "" for text without a language."""
    return _by_language(value, text, report)


def proses(value: Any, report: Report = SILENT) -> dict[str, str]:
    """Paragraphs per language: language tag -> text, "" for text without a language."""
    return _by_language(value, prose, report)


def words(value: Any, report: Report = SILENT) -> dict[str, tuple[str, ...]]:
    """Keywords per language, without repetition, in alphabetical order (a portal's own order means nothing)."""
    found: dict[str, set[str]] = {}
    if type(value) is list and _PLAIN.issuperset(map(type, value)):
        plain = sorted(_separate({word for raw in value if (word := text(raw))}))
        return {UNTAGGED: tuple(plain)} if plain else {}
    for tag, raw in tagged(value, report):
        if word := text(raw, report):
            found.setdefault(tag, set()).add(word)
    return {tag: tuple(sorted(_separate(found[tag]))) for tag in sorted(found)}


def _separate(found: set[str]) -> set[str]:
    """A lone keyword that is plainly a list of several, taken apart."""
    if len(found) != 1 or len(parts := _LIST_MARKS.split(next(iter(found)))) < _FEWEST_LISTED:
        return found
    words = {word for part in parts if (word := part.strip())}
    return words if words and all(len(word) <= _LONGEST_LISTED for word in words) else found


def tagged(value: Any, report: Report = SILENT, tag: str = UNTAGGED) -> Iterator[tuple[str, Any]]:
    """Every (language tag, scalar) in a string, a list, a dict by language or a JSON-LD value, however nested."""
    if type(value) is list:
        # What RDF and most portals send: texts and JSON-LD values side by side.
        for inner in value:
            if type(inner) is dict and "@value" in inner:
                yield language_tag(inner.get("@language"), report), inner["@value"]
            else:
                yield from tagged(inner, report, tag)
    elif isinstance(value, Mapping):
        if "@value" in value:
            yield language_tag(value.get("@language"), report), value["@value"]
            return
        for key, inner in value.items():
            yield from tagged(inner, report, language_tag(key, report))
    elif isinstance(value, (tuple, set, frozenset)):
        for inner in value:
            yield from tagged(inner, report, tag)
    elif value is not None:
        yield tag, value


def _by_language(value: Any, clean: Any, report: Report) -> dict[str, str]:
    if type(value) is str:
        if not value.startswith("{") or (spelt := by_language(value)) is None:
            alone = clean(value, report)
            return {} if alone is None else {UNTAGGED: alone}
        value = spelt
    if type(value) is list or not isinstance(value, Mapping) or "@value" in value:
        return _collected(tagged(value, report), clean, report)
    found: dict[str, str] = {}
    for key, inner in value.items():
        for tag, said in _collected(tagged(inner, report, language_tag(key, report)), clean, report).items():
            # Two keys may mean one language ("fr", "French"), or none: the second text stays without a tag.
            # A translation without its tag would pass for an original.
            places = (tag,) if translated(tag) else (tag, UNTAGGED, UNKNOWN)
            free = next((each for each in places if found.get(each, said) == said), None)
            if free is None:
                _left_out(said, tag, report)
            else:
                found[free] = said
    return {tag: found[tag] for tag in sorted(found)}


def _collected(pairs: Iterable[tuple[str, Any]], clean: Any, report: Report) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag, raw in pairs:
        cleaned = clean(raw, report)
        if cleaned is None or found.setdefault(tag, cleaned) == cleaned:
            continue
        if clean is prose and cleaned not in found[tag] and len(found[tag]) < _LONGEST_JOINED:
            # Feeds state a description in parts.
            found[tag] += f"\n\n{cleaned}"
        elif clean is not prose or cleaned not in found[tag]:
            _left_out(cleaned, tag, report)
    return {tag: found[tag] for tag in sorted(found)} if len(found) > 1 else found


def _left_out(said: str, tag: str, report: Report) -> None:
    report("repeated-text", said, f"a second text in the same language ({tag or 'none'}) was left out")


def _scalar(value: Any, report: Report) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) or value is None or isinstance(value, bool):
        if value:
            report("not-text", value, "text was expected")
        return next((v for v in _preferred(value) if isinstance(v, str)), None) if isinstance(value, Mapping) else None
    if isinstance(value, (list, tuple)):
        return next((v for v in value if isinstance(v, str) and v), None)
    return str(value) if isinstance(value, _SCALARS) else None


def _preferred(value: Mapping[Any, Any]) -> Iterator[Any]:
    yield value.get("@value")
    yield preferred({language_tag(key): said for key, said in value.items() if isinstance(said, str) and said})


def _is_plain(raw: str) -> bool:
    """Whether cleaning would only strip the ends: most values are, and this is several times faster to see."""
    return (
        raw.isprintable()
        and "<" not in raw
        and "&" not in raw
        and "  " not in raw
        and (raw.isascii() or unicodedata.is_normalized("NFC", raw))
    )


def _is_clean(raw: str) -> bool:
    """Whether lines of text hold nothing that `_plain` takes out; to see it costs a tenth of doing it."""
    return (
        raw.replace("\n", "").replace("\r", "").isprintable()
        and not (("<" in raw or "&" in raw) and _MARKUP.search(raw))
        and (raw.isascii() or unicodedata.is_normalized("NFC", raw))
    )


def _plain(raw: str) -> str:
    """Without forbidden characters and without markup, in Unicode form C; applying it again changes nothing."""
    clean = _FORBIDDEN.sub("", raw)
    # Some portals escape their HTML twice: what unescaping uncovers is stripped in turn.
    while _MARKUP.search(clean):
        stripped = _FORBIDDEN.sub("", _strip_markup(clean))
        if stripped == clean:
            break
        clean = stripped
    return clean if clean.isascii() else unicodedata.normalize("NFC", clean)


def _strip_markup(raw: str) -> str:
    reader = _Stripper()
    reader.feed(raw)
    reader.close()
    return reader.result()


class _Stripper(HTMLParser):
    """Turns HTML into text: blocks become lines, list items bullets, links `text (address)`."""

    _BLOCKS = frozenset(
        [
            "p",
            "div",
            "br",
            "tr",
            "table",
            "ul",
            "ol",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "section",
            "article",
            "blockquote",
            "pre",
            "hr",
            "dl",
            "dt",
            "dd",
        ]
    )
    _ROWS = frozenset(("tr", "table"))
    _CELLS = frozenset(("td", "th"))
    _HIDDEN = frozenset(("script", "style", "head", "template", "noscript"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._hidden = 0
        self._later_cell = False
        self._between_cells = False
        self._links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._hidden += 1
        elif tag == "li":
            self._out.append("\n- ")
        elif tag in self._BLOCKS:
            self._start_block(tag)
        elif tag in self._CELLS:
            self._start_cell()
        elif tag == "a":
            self._links.append((dict(attrs).get("href") or "", len(self._out)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._BLOCKS:
            self._out.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in self._BLOCKS:
            self._out.append("\n")
            self._between_cells = self._between_cells and tag != "table"
        elif tag in self._CELLS:
            self._between_cells = True
        elif tag == "a" and self._links:
            self._close_link(*self._links.pop())

    def handle_data(self, data: str) -> None:
        # The line breaks of the source between two cells of a row are no lines of the text.
        if not self._hidden and not (self._between_cells and data.isspace()):
            self._out.append(data)

    def _start_block(self, tag: str) -> None:
        self._out.append("\n")
        if tag in self._ROWS:
            self._later_cell, self._between_cells = False, True

    def _start_cell(self) -> None:
        """Cells are parted from each other; the rows around them are lines."""
        if self._later_cell:
            self._out.append(" | ")
        self._later_cell, self._between_cells = True, False

    def _close_link(self, address: str, start: int) -> None:
        shown = "".join(self._out[start:])
        if address.startswith(("http://", "https://")) and address not in shown:
            self._out.append(f" ({html.escape(address, quote=False) if '<' in address else address})")

    def result(self) -> str:
        return "".join(self._out)
