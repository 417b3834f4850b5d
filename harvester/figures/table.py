"""Every figure and every dimension, declared once: counting, the API, the command, the page and the docs read this."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from harvester.fields.languages import preferred
from harvester.fields.terms import Term
from harvester.model import Dataset
from harvester.vocabularies import VOCABULARIES

LONGEST = 200
# A number of a value is sixteen times its own plus the number of its dimension.
STEP = 16
_REMEMBERED = 20_000


class Counted(NamedTuple):
    """What the values of a dataset are read from: what it shows, who lists it, and which agent
    publishes it, where that is known."""

    dataset: Dataset
    sources: tuple[str, ...]
    language: str
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One key figure: what it says, and what a date means for it."""

    name: str
    title: str
    description: str
    dated: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something that datasets are counted by; a dataset counts once for each of its values, or as unknown."""

    code: int
    name: str
    title: str
    description: str
    values: Callable[[Counted], Iterable[str | None]]
    vocabulary: str | None = None
    # The filter of the search that finds the datasets of a value.
    filter: str | None = None

    def of(self, counted: Counted) -> dict[str, str]:
        """Value, whatever its case -> as it is written; of one dataset, `{"": ""}` when nothing is known."""
        found: dict[str, str] = {}
        for value in self.values(counted):
            folded, text = _written(value) if value else ("", "")
            if text:
                found.setdefault(folded, text)
        return found or {"": ""}

    def label(self, value: str, language: str) -> str:
        """How a value is shown in a language."""
        concept = VOCABULARIES[self.vocabulary].resolve(value) if self.vocabulary and value else None
        if concept is None:
            return value
        return concept.labels.get(language) or concept.labels.get("en") or next(iter(concept.labels.values()), value)


@lru_cache(maxsize=_REMEMBERED)
def _written(value: str) -> tuple[str, str]:
    """A value whatever its case and spaces, and as it is written."""
    text = " ".join(value.split())[:LONGEST].strip()
    return text.casefold()[:LONGEST], text


def codes(vocabulary: str, terms: Iterable[Term | None]) -> Iterator[str]:
    """The code of each term's concept, or the source's own words where it stands for none."""
    return (_code(vocabulary, term.text, term.uri) for term in terms if term is not None)


@lru_cache(maxsize=_REMEMBERED)
def _code(vocabulary: str, text: str, uri: str | None) -> str:
    concept = VOCABULARIES[vocabulary].concept(uri) if uri else None
    return concept.code if concept else text


def _organisations(counted: Counted) -> Iterator[str | None]:
    publisher = counted.dataset.publisher
    if publisher:
        yield counted.agent or preferred(publisher.name, counted.language)


def _producer_types(counted: Counted) -> Iterator[str | None]:
    publisher = counted.dataset.publisher
    yield from codes("publisher-type", [publisher.type if publisher else None])


def _licences(counted: Counted) -> Iterator[str | None]:
    dataset = counted.dataset
    yield from codes("licence", [dataset.license, *(d.license for d in dataset.distribution)])


def _territories(counted: Counted) -> Iterator[str | None]:
    for location in counted.dataset.spatial:
        if location.place:
            yield from codes("place", [location.place])
        else:
            yield preferred(location.name, counted.language)


DIMENSIONS: tuple[Dimension, ...] = (
    Dimension(2, "source", "Source", "Portal that lists the dataset; several may.", lambda c: c.sources,
              filter="source"),
    Dimension(3, "organisation", "Organisation", "Who publishes it, each once however portals write it.",
              _organisations, filter="publisher"),
    Dimension(4, "theme", "Theme", "EU data theme.", lambda c: codes("data-theme", c.dataset.theme), "data-theme",
              "theme"),
    Dimension(5, "licence", "Licence", "Licence of the dataset or of a distribution.", _licences, "licence",
              "licence"),
    Dimension(6, "format", "Format", "File type of a distribution.",
              lambda c: codes("file-type", (d.format for d in c.dataset.distribution)), "file-type", "format"),
    Dimension(7, "producer_type", "Producer type", "What its publisher is: national, regional or local authority, "
              "company, ..., as the publisher is typed (ADMS publisher types).", _producer_types, "publisher-type"),
    Dimension(8, "territory", "Territory", "Place that the data covers.", _territories, "place", "place"),
    Dimension(9, "frequency", "Frequency", "How often the data is said to be updated.",
              lambda c: codes("frequency", [c.dataset.accrual_periodicity]), "frequency", "frequency"),
)  # fmt: skip
BY_NAME: dict[str, Dimension] = {item.name: item for item in DIMENSIONS}
BY_CODE: dict[int, Dimension] = {item.code: item for item in DIMENSIONS}

MEASURE, FRESHNESS = 1, 15
DATASETS, DISTRIBUTIONS, ORIGINAL = (number * STEP + MEASURE for number in (1, 2, 3))

_AT = "as it stood at the end of that day (UTC)"
_SPAN = "the months from `since` to `until`, both included"
FIGURES: tuple[Figure, ...] = (
    Figure("datasets", "Datasets", "Visible datasets, each once however many sources list it.", f"`at`: {_AT}."),
    Figure("distributions", "Distributions", "Distributions of these datasets.", f"`at`: {_AT}."),
    Figure("organisations", "Organisations", "Different publishers of these datasets; datasets that name none are "
           "counted as unknown below.", f"`at`: {_AT}."),
    Figure("original_share", "Original share", "Of all datasets, or of a space: the share whose original record is "
           "harvested. Of a source: the share of its records that are the originals of their datasets.",
           f"`at`: {_AT}; unknown for a source."),
    Figure("by", "Datasets by value", "Datasets by each dimension. A dataset counts once for each of its values, so "
           "that a list may add up to more than all datasets; `unknown` are those without any.", f"`at`: {_AT}."),
    Figure("growth", "Growth by month", "Datasets that came for the first time, came back, were retired or became "
           "part of another one, and those visible at the end of the month (UTC).", f"{_SPAN}."),
    Figure("synchronisations", "Synchronisations", "Sources by how often they are scheduled, and runs by status and "
           "by the month in which they were queued.", f"Sources as they are scheduled now; runs of {_SPAN}."),
    Figure("freshness", "Freshness", "Of the datasets that say how often they are updated: whether they are.",
           f"`at`: {_AT}; the list of the worst is of now alone."),
)  # fmt: skip
