"""Every filter of the search, declared once: the index, the API, its documentation and the pages read this table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

from harvester.catalogue.queries import DatasetView, RecordView
from harvester.errors import UsageError
from harvester.fields.languages import preferred
from harvester.fields.number import flag
from harvester.fields.terms import Term
from harvester.links.standings import WHOLES
from harvester.model import Dataset
from harvester.search.ranges import Box, Days, box, days, second
from harvester.vocabularies import VOCABULARIES
from harvester.vocabularies.table import Concept

Kind = Literal["facet", "bbox", "period", "since"]
# Commission Implementing Regulation (EU) 2023/138: a dataset that names it is a high-value dataset.
HVD_REGULATION = "eli/reg_impl/2023/138"
LONGEST_VALUE = 200
LINK_STATES = "; ".join(f"`{name}`: {meaning}" for name, meaning in WHOLES.items())

T = TypeVar("T")


class Facts(NamedTuple):
    """What the values of a dataset are read from; `language` is the one preferred for names."""

    view: DatasetView
    dataset: Dataset
    language: str
    links: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter; `values` says what a dataset has of it, `vocabulary` where codes and labels come from."""

    name: str
    kind: Kind
    title: str
    description: str
    example: str
    values: Callable[[Facts], Iterable[str | None]] = lambda facts: ()
    vocabulary: str | None = None
    # What a dataset is found under as well, and not counted under.
    also: Callable[[Facts], Iterable[str | None]] | None = None

    def of(self, facts: Facts) -> list[str]:
        """The values of one dataset, without repetition; texts are resolved exactly as those of a request."""
        return list(dict.fromkeys(self.wanted(value) for value in self.values(facts) if value))

    def wanted(self, value: str) -> str:
        """The value meant by a request: a code, label or IRI of the vocabulary becomes its code."""
        concept = self._concept(value)
        return (concept.code if concept else value)[:LONGEST_VALUE]

    def label(self, value: str, language: str) -> str:
        """How a value is shown in a language."""
        concept = self._concept(value)
        if concept is None:
            return value
        return concept.labels.get(language) or concept.labels.get("en") or next(iter(concept.labels.values()), value)

    def is_code(self, value: str) -> bool:
        """Whether a value is the code of a concept, not a text that means one."""
        concept = self._concept(value)
        return concept is not None and concept.code.casefold() == value.casefold()

    def _concept(self, value: str) -> Concept | None:
        return VOCABULARIES[self.vocabulary].resolve(value) if self.vocabulary else None


def codes(vocabulary: str, terms: Iterable[Term | None]) -> Iterator[str]:
    """The code of each term's concept, or the source's own words where it stands for none."""
    for term in terms:
        if term is not None:
            concept = VOCABULARIES[vocabulary].concept(term.uri) if term.uri else None
            yield concept.code if concept else term.text


def _publisher(facts: Facts) -> Iterable[str | None]:
    publisher = facts.dataset.publisher
    if facts.view.agent is not None:
        return [facts.view.agent.name]
    return [preferred(publisher.name, facts.language) if publisher else None]


def _publishers(facts: Facts) -> Iterable[str | None]:
    """As its portal writes it."""
    return facts.dataset.publisher.name.values() if facts.dataset.publisher else ()


def _is(record: RecordView, role: str) -> bool:
    return record.status == "active" and record.role == role


def _original(facts: Facts) -> Iterable[str | None]:
    roles = ("original", "republished")
    return [next((role for role in roles if any(_is(r, role) for r in facts.view.records)), "unknown")]


def _access(facts: Facts) -> Iterable[str | None]:
    own = (
        [facts.dataset.access_rights]
        if facts.dataset.access_rights
        else [d.access_rights for d in facts.dataset.distribution]
    )
    return codes("access-right", own)


def _licences(facts: Facts) -> Iterable[str | None]:
    return codes("licence", [facts.dataset.license, *(d.license for d in facts.dataset.distribution)])


def _hvd(facts: Facts) -> Iterable[str | None]:
    legislation = any(HVD_REGULATION in iri.lower() for iri in facts.dataset.applicable_legislation)
    return ["true" if legislation or facts.dataset.hvd_category else "false"]


def _places(facts: Facts) -> Iterator[str | None]:
    for location in facts.dataset.spatial:
        yield from codes("place", [location.place])
        yield from location.name.values()


FILTERS: tuple[Filter, ...] = (
    Filter(
        "source", "facet", "Source", "Portal that lists the dataset, by the name of the source.", "paris",
        lambda facts: (record.source for record in facts.view.records if record.status == "active"),
    ),
    Filter(
        "publisher", "facet", "Publisher", "Who publishes the dataset: one name, however portals call them.",
        "Ville de Paris", _publisher, also=_publishers,
    ),
    Filter(
        "theme", "facet", "Theme", "EU data theme: code, IRI or label.", "ENVI",
        lambda facts: codes("data-theme", facts.dataset.theme), "data-theme",
    ),
    Filter(
        "format", "facet", "Format", "File type of a distribution: code, IRI or label.", "CSV",
        lambda facts: codes("file-type", (d.format for d in facts.dataset.distribution)), "file-type",
    ),
    Filter(
        "licence", "facet", "Licence", "Licence of the dataset or of a distribution: code, IRI or name.",
        "CC_BY_4_0", _licences, "licence",
    ),
    Filter(
        "language", "facet", "Language", "Language of the data: ISO 639-3 code, IRI or name.", "FRA",
        lambda facts: codes("language", facts.dataset.language), "language",
    ),
    Filter(
        "access_rights", "facet", "Access", "Who may use it: PUBLIC, RESTRICTED, NON_PUBLIC ...", "PUBLIC",
        _access, "access-right",
    ),
    Filter("hvd", "facet", "High-value dataset", "Whether it is a high-value dataset (EU 2023/138).", "true", _hvd),
    Filter(
        "hvd_category", "facet", "High-value category", "Category of high-value datasets: code, IRI or label.",
        "c_a9135398", lambda facts: codes("hvd-category", facts.dataset.hvd_category), "hvd-category",
    ),
    Filter(
        "frequency", "facet", "Frequency", "How often the data is updated: code, IRI or label.", "MONTHLY",
        lambda facts: codes("frequency", [facts.dataset.accrual_periodicity]), "frequency",
    ),
    Filter("place", "facet", "Place", "Place the data covers: code or name.", "FRA", _places, "place"),
    Filter(
        "keyword", "facet", "Keyword", "Keyword, whatever its case and accents.", "transport",
        lambda facts: (word for found in facts.dataset.keyword.values() for word in found),
    ),
    Filter(
        "links", "facet", "Links", f"How its links are, once they are checked: {LINK_STATES}.", "broken",
        lambda facts: [facts.links],
    ),
    Filter(
        "original", "facet", "Original",
        "Whether a record of the dataset is the original: original, republished (only copies are harvested), unknown.",
        "original", _original,
    ),
    Filter(
        "original_source", "facet", "Original portal", "Portal that has the original, by the name of the source.",
        "paris", lambda facts: (record.source for record in facts.view.records if _is(record, "original")),
    ),
    Filter(
        "bbox", "bbox", "Area", "Area that the data touches: west,south,east,north in degrees (WGS 84).",
        "2.2,48.8,2.5,48.95",
    ),
    Filter(
        "period", "period", "Period", "Time that the data covers in part: START/END, START/.., ../END, or one date.",
        "2015/2020",
    ),
    Filter(
        "modified_since", "since", "Modified since", "Metadata or data modified on or after a date or instant.",
        "2024-01-01",
    ),
)  # fmt: skip
BY_NAME: dict[str, Filter] = {item.name: item for item in FILTERS}
FACETS: tuple[Filter, ...] = tuple(item for item in FILTERS if item.kind == "facet")


FLAGS = ("hvd",)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filters of a request, read: values by facet (any of them will do), and ranges."""

    values: dict[str, tuple[str, ...]]
    bbox: Box | None = None
    period: Days | None = None
    since: float | None = None


def read(given: Mapping[str, Sequence[str]]) -> Wanted:
    """What raw filter values ask for.  Raises `UsageError` for an unknown filter or a value that is no such range."""
    for name in given:
        if name not in BY_NAME:
            known = ", ".join(BY_NAME)
            raise UsageError(f"there is no filter {name!r}; there are {known}", code="unknown-filter", field=name)
    values = {
        item.name: tuple(dict.fromkeys(item.wanted(v) for raw in given[item.name] if raw for v in _listed(item, raw)))
        for item in FACETS
        if any(given.get(item.name, ()))
    }
    return Wanted(
        values,
        _range(given, "bbox", box),
        _range(given, "period", days),
        _range(given, "modified_since", second),
    )


def _listed(item: Filter, raw: str) -> list[str]:
    """`ENVI,TRAN` are two codes; any other text with a comma is one value.  Raises `UsageError` for no yes or no."""
    if item.name in FLAGS:
        answer = flag(raw)
        if answer is None:
            message = f"{item.name}: true or false is wanted"
            raise UsageError(message, code="bad-filter", field=item.name, value=raw[:LONGEST_VALUE])
        return [str(answer).lower()]
    parts = [part.strip() for part in raw.split(",")]
    return parts if len(parts) > 1 and all(item.is_code(part) for part in parts) else [raw]


def _range(given: Mapping[str, Sequence[str]], name: str, parse: Callable[[str], T]) -> T | None:
    raw = next((value for value in given.get(name, ()) if value.strip()), None)
    if raw is None:
        return None
    try:
        return parse(raw)
    except ValueError as error:
        message = f"{name}: {error}; an example is {BY_NAME[name].example}"
        raise UsageError(message, code="bad-filter", field=name, value=raw[:LONGEST_VALUE]) from error
