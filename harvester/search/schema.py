"""The fields of the Tantivy index, and an entry as its document."""

from __future__ import annotations

from hashlib import blake2b

import orjson
from tantivy import Document, Filter, Index, Schema, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from harvester.search import analysis
from harvester.search.base import Entry
from harvester.search.filters import FACETS

# Raise it whenever `analysis` or `entries` change what is written: indexes of another fingerprint are rebuilt.
VERSION = 1
# Field -> weight: one bag of words loses half of the ranking quality; chosen on labelled queries of real click logs.
WEIGHTS: dict[str, float] = {
    "title": 3.0,
    "keyword": 2.0,
    "description": 2.0,
    "publisher": 1.0,
    "place": 1.0,
    "distribution": 1.0,
}
SPELT = ("title", "keyword", "publisher", "place")
SECONDS = ("modified", "issued")
DAYS = ("start", "end")
DEGREES = ("west", "south", "east", "north")
# Tantivy refuses terms of 64 kB; no real name is near that.
LONGEST_TERM = 2_000
STEMS, FOLDED, RAW = "stems", "folded", "raw"

_FOLDER = TextAnalyzerBuilder(Tokenizer.raw()).filter(Filter.lowercase()).filter(Filter.ascii_fold()).build()


def folded(value: str) -> str:
    """A facet value as it is indexed: without case and accents."""
    return "".join(_FOLDER.analyze(value))


def facet_field(name: str) -> str:
    """The field that keeps the values of a facet."""
    return f"facet_{name}"


def also_field(name: str) -> str:
    """The field that keeps what datasets are found under and not counted under."""
    return f"also_{name}"


def fingerprint(language: str) -> str:
    """What an index must have been written with to be usable: this version, these fields, this language."""
    facets = [(item.name, item.also is not None) for item in FACETS]
    fields = [*WEIGHTS, *facets, *SECONDS, *DAYS, *DEGREES]
    return f"{VERSION}-{language}-{blake2b(repr(fields).encode(), digest_size=6).hexdigest()}"


def build() -> Schema:
    """The schema of the index."""
    builder = SchemaBuilder()
    builder.add_integer_field("id", stored=True, indexed=True, fast=True)
    for name in WEIGHTS:
        builder.add_text_field(name, tokenizer_name=STEMS)
    builder.add_text_field("spelling", tokenizer_name=STEMS, index_option="basic")
    for name in ("names", "titles", "acronyms"):
        builder.add_text_field(name, tokenizer_name=RAW, index_option="basic")
    for item in FACETS:
        builder.add_text_field(facet_field(item.name), tokenizer_name=FOLDED, index_option="basic", fast=True)
        if item.also:
            builder.add_text_field(also_field(item.name), tokenizer_name=FOLDED, index_option="basic")
    for name in (*SECONDS, *DAYS):
        builder.add_integer_field(name, fast=True)
    for name in DEGREES:
        builder.add_float_field(name, fast=True)
    builder.add_text_field("sort_title", tokenizer_name=RAW, index_option="basic", fast=True)
    builder.add_bytes_field("card", stored=True)
    return builder.build()


def prepare(index: Index) -> Index:
    """Register the analysers; analysis itself happened before, the index only splits at spaces."""
    index.register_tokenizer(STEMS, TextAnalyzerBuilder(Tokenizer.whitespace()).build())
    index.register_tokenizer(FOLDED, _FOLDER)
    # Facets are counted as they are written, and filtered whatever their case and accents.
    index.register_fast_field_tokenizer(FOLDED, TextAnalyzerBuilder(Tokenizer.raw()).build())
    index.config_reader("manual")
    return index


def document(entry: Entry) -> Document:
    """An entry as Tantivy stores it."""
    found = Document()
    found.add_integer("id", entry.id)
    for name, texts in entry.texts.items():
        for language, text in texts:
            found.add_text(name, analysis.stems(text, language))
    found.add_text("spelling", " ".join(_spelt(entry)))
    titles = [analysis.stems(text, language) for language, text in entry.texts["title"]]
    for name, values in (("names", entry.names), ("titles", titles), ("acronyms", entry.acronyms)):
        for value in values:
            found.add_text(name, value[:LONGEST_TERM])
    kept = [(facet_field(name), values) for name, values in entry.values.items()]
    for name, values in (*kept, *((also_field(name), values) for name, values in entry.also.items())):
        for value in values:
            found.add_text(name, value)
    for name, number in entry.numbers.items():
        if name in DEGREES:
            found.add_float(name, number)
        else:
            found.add_integer(name, int(number))
    found.add_text("sort_title", entry.title)
    found.add_bytes("card", orjson.dumps(entry.card))
    return found


def _spelt(entry: Entry) -> dict[str, None]:
    words = (word for name in SPELT for _, text in entry.texts[name] for word in analysis.words(text))
    return dict.fromkeys(word for word in words if word.isalpha() and len(word) > 2)
