"""High-value datasets (DCAT-AP HVD 3.0.0): which they are, and what their parts have from them.

The flag is a legal act: it is copied from the source and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harvester.model import DataService, Dataset, Distribution, Part
from harvester.rdf.derived import Context, Facts, facts_of, words_of
from harvester.vocabularies import VOCABULARIES

# The implementing regulation on high-value datasets, and what its IRIs have in all languages and versions.
LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
_LAWS = "data.europa.eu/eli/reg_impl/2023/138"


def is_hvd(facts: Facts) -> bool:
    """Whether a source calls a dataset high-value."""
    laws = facts.get("applicable_legislation") or ()
    return bool(facts.get("hvd_category")) or any(_LAWS in law for law in laws)


def reason(facts: Facts) -> str | None:
    """Why a dataset cannot be in an export of high-value datasets; None when it can."""
    if not is_hvd(facts):
        return "its source does not call it a high-value dataset"
    if not _categorised(facts):
        return "its source does not say which HVD category it belongs to"
    distributions = facts.get("distribution") or ()
    if not distributions:
        return "it has no distribution"
    inner = (service for item in distributions for service in facts_of(item).get("access_service") or ())
    services = (*(facts.get("service") or ()), *inner)
    if not services:
        return "it has no data service"
    samples = facts.get("sample") or ()
    if not _conditions(facts) and not all(
        _conditions(facts_of(part)) for part in (*distributions, *samples, *services)
    ):
        return "neither it nor all of its distributions and services have a licence"
    return None


def _categorised(facts: Facts) -> bool:
    concept = VOCABULARIES["hvd-category"].concept
    uris = (words_of(item)[1] for item in facts.get("hvd_category") or ())
    return any(uri and concept(uri) for uri in uris)


def _conditions(facts: Facts) -> dict[str, Any]:
    """What tells under which conditions something may be used."""
    return {name: facts[name] for name in ("license", "rights") if facts.get(name)}


def _legal(facts: Facts, context: Context) -> dict[str, Any]:
    laws = facts.get("applicable_legislation") or ()
    return {} if LAW in laws else {"applicable_legislation": (*laws, LAW)}


def _distribution(facts: Facts, context: Context) -> dict[str, Any]:
    return _legal(facts, context) | ({} if _conditions(facts) else _conditions(context.dataset))


def _service(facts: Facts, context: Context) -> dict[str, Any]:
    dataset, filled = context.dataset, _distribution(facts, context)
    if not _categorised(facts):
        filled["hvd_category"] = (*(facts.get("hvd_category") or ()), *(dataset.get("hvd_category") or ()))
    if not facts.get("contact_point"):
        filled["contact_point"] = dataset.get("contact_point") or (_contact(dataset, context),)
    if not facts.get("page"):
        said = (*(facts.get(name) or () for name in ("endpoint_description", "landing_page")), dataset.get("page"))
        filled["page"] = next((pages for pages in said if pages), None) or (context.address,)
    return filled


def _contact(dataset: Facts, context: Context) -> dict[str, Any]:
    """The publisher; without one the dataset's page, where a contact may be found."""
    publisher = facts_of(dataset["publisher"]) if dataset.get("publisher") else {}
    return {
        "name": publisher.get("name") or {"": context.title},
        "email": publisher.get("email"),
        "url": publisher.get("homepage") or context.address,
    }


# Class -> what makes field -> value, for what the profile wants of a part and the dataset has.
RULES: dict[type[Part], Callable[[Facts, Context], dict[str, Any]]] = {
    Dataset: _legal,
    Distribution: _distribution,
    DataService: _service,
}
