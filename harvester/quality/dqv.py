"""The MQA of datasets as measurements in an export: the metrics that data.europa.eu publishes, in its vocabulary.

Of a distribution what is decided on it, of a dataset the rest and its points.  What was never checked is not measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from harvester.links import LinkFacts, statuses
from harvester.quality.indicators import BY_NAME, CHECKED, INDICATORS, Dimension, Level
from harvester.quality.mqa import Part, Score, score
from harvester.rdf.derived import facts_of
from harvester.rdf.entries import Entry, Tombstone
from harvester.rdf.measures import MEASURES

VOCABULARY = "https://piveau.eu/ns/voc#"
Item = Entry | Tombstone
Measured = tuple[tuple[str, bool | int], ...]


def measuring(connection: Connection, ids: Sequence[int]) -> Callable[[Item], Item]:
    """What adds measurements to the entries of these datasets."""
    links = statuses(connection, ids)

    def measured(item: Item) -> Item:
        if isinstance(item, Tombstone) or item.number is None:
            return item
        known = links.get(item.number, LinkFacts())
        return replace(item, dataset=with_measures(facts_of(item.dataset), known, item.iri))

    return measured


def with_measures(facts: Any, links: LinkFacts, iri: str | None = None) -> dict[str, Any]:
    """The dataset with measurements beside its fields, and so its distributions."""
    found = score(facts, links.accessible, iri)
    parts = [
        {**facts_of(item), MEASURES: tuple(_of_part(part, facts_of(item), links))}
        for item, part in zip(facts.get("distribution") or (), found.parts, strict=True)
    ]
    return {**facts, **({"distribution": tuple(parts)} if parts else {}), MEASURES: tuple(_of_dataset(found, facts))}


def _of_dataset(found: Score, facts: Any) -> Iterator[tuple[str, bool | int]]:
    for item in INDICATORS:
        if item.level is Level.DATASET:
            yield VOCABULARY + item.metric, bool(found.now & item.bit)
    for name, field in _DATES:
        yield VOCABULARY + BY_NAME[name].metric, bool(facts.get(field))
    for dimension in Dimension:
        yield f"{VOCABULARY}{dimension.value}Scoring", found.dimensions()[dimension]
    yield f"{VOCABULARY}scoring", found.points()


def _of_part(part: Part, facts: Any, links: LinkFacts) -> Iterator[tuple[str, bool | int]]:
    for item in INDICATORS:
        if item.level is Level.DISTRIBUTION and item.name not in CHECKED:
            yield VOCABULARY + item.metric, bool(part.met & item.bit)
    for name, field in _DATES:
        yield VOCABULARY + BY_NAME[name].metric, bool(facts.get(field))
    for name, field in _ADDRESSES:
        status = _status(facts.get(field) or (), links)
        if status is not None:
            yield VOCABULARY + BY_NAME[name].metric, status


def _status(addresses: Sequence[str], links: LinkFacts) -> int | None:
    """The status of the address that answers best; None when none was checked, or none answered."""
    known = [found.status for address in addresses if (found := links.of(address)) is not None]
    answered = [status for status in known if status is not None]
    return min(answered, default=None)


_DATES = (("date_issued", "issued"), ("date_modified", "modified"))
_ADDRESSES = (("access_url_status", "access_url"), ("download_url_status", "download_url"))
