"""Why records did not arrive, told by contrast: what all of them share, and what none of those that arrived has.

A trait explains an absence when chance would hardly have taken just these records (the hypergeometric probability that
all of them are among the missing), however many traits are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, lgamma
from typing import Any

from harvester.fields.languages import preferred
from harvester.fields.terms import Term
from harvester.model import Dataset
from harvester.reconcile.folding import body_name, slug

# One false explanation in a thousand reconciliations, whatever the number of traits.
SURE = 1e-3
LEAST = 3
# What every record that arrived shares is a filter only where many arrived, and many others did not.
LEAST_ARRIVED = 20
LACKING = ("title", "description", "licence", "publisher", "contact", "keyword", "distribution", "modified")
FILTERED = ("organisation", "type", "theme", "licence", "access", "language", "format", "keyword")
COUNTED = {"distributions": "too-many-distributions", "size": "too-large"}
_MOST_WORDS = 12
_LONGEST = 120
_MANDATORY_CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that can be told of a record: `lacks` a field, or has a value of one."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Of the records of the source with a trait, how many arrived and how many are missing without another reason."""

    arrived: int
    missing: int


def traits(dataset: Dataset) -> Iterator[Trait]:
    """What can be told of a record, each once."""
    for field, there in _filled(dataset).items():
        if not there:
            yield Trait("lacks", field)
    for kind, values in _values(dataset).items():
        # A value that is not there is a trait as well: a filter on it leaves those records out too.
        yield from (Trait(kind, value[:_LONGEST]) for value in dict.fromkeys(values or ("",)))


def measures(dataset: Dataset, size: int) -> dict[str, int]:
    """What can be counted of a record; `size` is that of its payload."""
    return {"distributions": len(dataset.distribution), "size": size}


def _filled(dataset: Dataset) -> dict[str, bool]:
    return {
        "title": bool(dataset.title),
        "description": bool(dataset.description),
        "licence": bool(dataset.license or any(one.license for one in dataset.distribution)),
        "publisher": bool(dataset.publisher and dataset.publisher.name),
        "contact": bool(dataset.contact_point),
        "keyword": bool(dataset.keyword),
        "distribution": bool(dataset.distribution),
        "modified": bool(dataset.modified),
    }


def _values(dataset: Dataset) -> dict[str, list[str]]:
    words = [slug(word) for said in dataset.keyword.values() for word in said]
    licences = [dataset.license] if dataset.license else [one.license for one in dataset.distribution if one.license]
    return {
        "organisation": [preferred(dataset.publisher.name) or ""] if dataset.publisher else [],
        "type": [dataset.kind, *map(_named, dataset.type)],
        "theme": [_named(term) for term in dataset.theme],
        "licence": [_named(term) for term in licences if term],
        "access": [_named(dataset.access_rights)] if dataset.access_rights else [],
        "language": [_named(term) for term in dataset.language],
        "format": [_named(one.format) for one in dataset.distribution if one.format],
        "keyword": words[:_MOST_WORDS],
    }


def _named(term: Term) -> str:
    return term.text or term.uri or ""


def folded(trait: Trait) -> Trait:
    """The trait as two spellings of it are one."""
    fold = body_name if trait.kind == "organisation" else slug
    return Trait(trait.kind, fold(trait.value) if trait.value else "")


def chance(with_trait: int, missing: int, total: int) -> float:
    """How likely all records with a trait are missing when `missing` of `total` are, taken blindly."""
    if with_trait > missing or total <= 0:
        return 1.0
    if missing >= total:
        return 1.0
    return exp(_log_choose(missing, with_trait) - _log_choose(total, with_trait))


def explains(tally: Tally, missing: int, total: int, looked_at: int) -> bool:
    """Whether a trait tells why: none with it arrived, and that is no chance among `looked_at` traits."""
    return tally.arrived == 0 and tally.missing >= LEAST and chance(tally.missing, missing, total) * looked_at <= SURE


def refused(tally: Tally, missing: int, total: int) -> bool:
    """Whether a field that is missing tells why: few fields are looked at, so that a single record may be enough."""
    return tally.arrived == 0 and tally.missing >= 1 and chance(tally.missing, missing, total) <= _MANDATORY_CHANCE


def told(kind: str, value: str, tally: Tally, arrived: int) -> str:
    """The numbers behind an explanation."""
    shown = f"{kind} {value!r}" if value else f"no {kind}"
    return f"none of the {tally.missing} records with {shown} arrived, {arrived} others did"


def told_lacking(field: str, tally: Tally, arrived: int) -> str:
    """The numbers behind a refusal."""
    return f"none of the {tally.missing} records without {field} arrived; all {arrived} that arrived have one"


def told_beyond(what: str, value: int, most: int, beyond: int) -> str:
    """The numbers behind a limit."""
    return f"{what}: {value}; none of the {beyond} records with more than {most} arrived"


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def plain(trait: Trait) -> dict[str, Any]:
    """As JSON."""
    return {"kind": trait.kind, "value": trait.value}
