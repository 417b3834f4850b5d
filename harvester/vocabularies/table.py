"""Concepts, and the table of one vocabulary as read from `data/`: facts of authority tables and real portals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from harvester.vocabularies.text import fold, iri_key, is_iri


@dataclass(frozen=True, slots=True)
class Concept:
    """One term of a controlled vocabulary; `scheme` is "" for a term that belongs to none."""

    uri: str
    code: str
    labels: Mapping[str, str] = field(compare=False, repr=False)
    scheme: str


def rows(name: str) -> Iterator[dict[str, str]]:
    """The rows of one data file."""
    with files(__package__).joinpath("data", name).open(encoding="utf-8") as lines:
        cells = csv.reader(lines)
        header = next(cells)
        # `csv.DictReader` takes three times as long, for files whose every row has every cell.
        yield from (dict(zip(header, row, strict=True)) for row in cells)


def read_concepts(name: str, scheme: str) -> Iterator[tuple[Concept, bool]]:
    """The concepts of a data file, each with whether it is still in use."""
    for row in rows(name):
        labels = {key[6:]: text for key, text in row.items() if key.startswith("label_") and text}
        yield Concept(row["uri"], row["code"], labels, row.get("scheme", scheme)), not row.get("deprecated")


class Table:
    """What a vocabulary knows by heart: concepts by code and exact IRI, and what each other IRI or text means."""

    def __init__(self, concepts: Iterable[tuple[Concept, bool]], aliases: Iterable[tuple[str, str]] = ()) -> None:
        self.codes: dict[str, Concept] = {}
        self.exact: dict[str, Concept] = {}
        self.iris: dict[str, tuple[Concept, ...]] = {}
        self.texts: dict[str, tuple[Concept, ...]] = {}
        # Names that mean something beside others only: "Nord, France".
        self.contextual: dict[str, Concept] = {}
        self.current: list[Concept] = []
        for concept, in_use in concepts:
            self.add(concept, in_use=in_use)
        self._learn_labels()
        for text, codes in aliases:
            self.learn(text, codes)

    def add(self, concept: Concept, *, in_use: bool) -> None:
        """A concept by its code and address; not by its labels."""
        self.codes[concept.code] = concept
        self.exact[iri_key(concept.uri)] = concept
        if in_use:
            self.current.append(concept)

    def _learn_labels(self) -> None:
        """Codes win over labels; a label two concepts share means neither."""
        labels: dict[str, tuple[Concept, ...]] = {}
        for concept in self.current:
            for key in {fold(text) for text in concept.labels.values()}:
                labels[key] = () if key in labels else (concept,)
        self.texts = {key: found for key, found in labels.items() if found and key}
        self.texts |= {fold(concept.code): (concept,) for concept in self.current}

    def learn(self, text: str, codes: str) -> None:
        """An alias: one code, several joined by `+`, or none for a text known to mean nothing."""
        several = [codes] if codes in self.codes else codes.split("+")
        meant = tuple(self.codes[code] for code in several if code)
        if is_iri(text):
            self.iris[iri_key(text)] = meant
        else:
            self.texts[fold(text)] = meant


def read_table(name: str, scheme: str) -> Table:
    """The table of `data/NAME.csv` and `data/NAME.aliases.csv`."""
    aliases = ((row["text"], row["code"]) for row in rows(f"{name}.aliases.csv"))
    return Table(read_concepts(f"{name}.csv", scheme), aliases)
