"""A dataset of the catalogue -> the entry of the index: pure, the same for every engine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harvester.catalogue.queries import DatasetView
from harvester.fields.languages import preferred
from harvester.model import Dataset
from harvester.search import analysis
from harvester.search.base import Entry
from harvester.search.filters import FACETS, LONGEST_VALUE, Facts, codes
from harvester.search.ranges import covered_box, covered_days, seconds

EXCERPT = 280
# BM25 gains nothing from more of a long text, and some portals put whole reports there.
LONGEST_TEXT = 20_000
MOST_DISTRIBUTIONS = 200
MOST_NAMES = 200
LONGEST_NAME = 2_000
# "Registre parcellaire graphique (RPG)": what people type for it.
_ACRONYM = re.compile(r"\(([A-Z][A-Z0-9]{1,9})\)|^([A-Z][A-Z0-9]{1,9})(?= ?[-:–—] ?\w)")
# "https://doi.org/10.5281/zenodo.1234" is typed as "10.5281/zenodo.1234"; so is the number of a portal.
_TAIL = re.compile(r"://\S+?/(10\.\d{4,9}/\S+|(?=[^/]*\d)[\w.-]{6,})/?$")
_CAPITALS = re.compile(r"[A-Z][A-Z0-9]{1,9}")

Texts = list[tuple[str, str]]


def entry(view: DatasetView, dataset: Dataset, language: str, links: str = "") -> Entry:
    """What the index keeps of a visible dataset; `language` is the catalogue's own, `links` how its links are."""
    title = preferred(dataset.title, language) or next(iter(dataset.identifier), view.key)
    facts = Facts(view, dataset, language, links)
    return Entry(
        id=view.id,
        texts=_texts(dataset, language),
        names=list(dict.fromkeys(analysis.phrase(name) for name in _names(view, dataset) if name))[:MOST_NAMES],
        acronyms=_acronyms(dataset),
        values={item.name: item.of(facts) for item in FACETS},
        numbers=_numbers(dataset),
        title=analysis.phrase(title)[:100],
        card=card(view, dataset),
        also={item.name: [name[:LONGEST_VALUE] for name in item.also(facts) if name] for item in FACETS if item.also},
    )


def card(view: DatasetView, dataset: Dataset) -> dict[str, Any]:
    """What a list of results shows of a dataset, without asking the database."""
    shown = [record for record in view.records if record.status == "active"]
    licence = dataset.license or next((d.license for d in dataset.distribution if d.license), None)
    return {
        "id": view.key,
        "title": _cut(dataset.title),
        "description": {tag: excerpt(text) for tag, text in dataset.description.items()},
        "publisher": _cut(dataset.publisher.name) if dataset.publisher else {},
        "sources": [{"name": r.source, "title": r.source_title} for r in {r.source: r for r in shown}.values()],
        "formats": _formats(dataset),
        "themes": list(dict.fromkeys(codes("data-theme", dataset.theme))),
        "licence": next(codes("licence", [licence]), None),
        "issued": dataset.issued,
        "modified": dataset.modified,
        "landing_page": next(iter(dataset.landing_page), None),
        "iri": view.iri,
    }


def excerpt(text: str) -> str:
    """The beginning of a description, cut between words."""
    line = " ".join(text[: 2 * EXCERPT].split())
    if len(line) <= EXCERPT:
        return line
    return line[:EXCERPT].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _cut(texts: Mapping[str, str]) -> dict[str, str]:
    return {tag: text[:LONGEST_NAME] for tag, text in texts.items()}


def _formats(dataset: Dataset) -> list[str]:
    return list(dict.fromkeys(codes("file-type", (d.format for d in dataset.distribution))))[:20]


def _texts(dataset: Dataset, language: str) -> dict[str, Texts]:
    described = [*dataset.title.items(), *dataset.description.items()]
    default = analysis.guess((text for tag, text in described if not tag), language)
    parts = dataset.distribution[:MOST_DISTRIBUTIONS]
    found: dict[str, Iterable[tuple[str, str]]] = {
        "title": dataset.title.items(),
        "keyword": ((tag, word) for tag, words in dataset.keyword.items() for word in words),
        "description": dataset.description.items(),
        "publisher": _agents(dataset),
        "distribution": (item for part in parts for item in part.title.items()),
        "place": _places(dataset),
    }
    return {name: [(_language(tag, default), text[:LONGEST_TEXT]) for tag, text in t] for name, t in found.items()}


def _language(tag: str, default: str) -> str:
    return (analysis.primary(tag) or tag) if tag else default


def _agents(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for agent in (dataset.publisher, *dataset.creator):
        if agent is not None:
            yield from agent.name.items()


def _places(dataset: Dataset) -> Iterator[tuple[str, str]]:
    for location in dataset.spatial:
        yield from location.name.items()
        if location.place is not None and "://" not in location.place.text:
            yield "", location.place.text


def _names(view: DatasetView, dataset: Dataset) -> Iterator[str | None]:
    """Whatever names exactly this dataset, its titles aside; of addresses also the DOI or number they end with."""
    for name in _identifiers(view, dataset):
        yield name
        if name and (tail := _TAIL.search(name[:LONGEST_NAME])):
            yield tail[1]


def _identifiers(view: DatasetView, dataset: Dataset) -> Iterator[str | None]:
    yield from (view.key, view.iri, dataset.uri)
    yield from dataset.identifier
    yield from (other.notation for other in dataset.other_identifier)
    for record in view.records:
        yield from (record.guid, record.url)
    yield from dataset.landing_page
    yield from (part.identifier for part in dataset.distribution[:MOST_DISTRIBUTIONS])


def _acronyms(dataset: Dataset) -> list[str]:
    """In a title, or as a keyword in capitals (udata's acronym is kept there) among others that are not."""
    found = {(match[1] or match[2]) for title in dataset.title.values() for match in _ACRONYM.finditer(title)}
    keywords = [word for words in dataset.keyword.values() for word in words]
    if any(word != word.upper() for word in keywords):
        found |= {word for word in keywords if _CAPITALS.fullmatch(word)}
    return sorted(word.lower() for word in found)


def _numbers(dataset: Dataset) -> dict[str, float]:
    found: dict[str, float | None] = {"modified": seconds(dataset.modified), "issued": seconds(dataset.issued)}
    if area := covered_box(dataset):
        found |= area._asdict()
    if period := covered_days(dataset):
        found |= period._asdict()
    return {name: number for name, number in found.items() if number is not None}
