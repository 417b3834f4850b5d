"""What DCAT-AP 3.0.1 demands and a source does not say, taken from what it says elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harvester.model import Agent, DataService, Dataset, Distribution, Part

UNNAMED = "—"


@dataclass(frozen=True, slots=True)
class Context:
    """What a part may borrow from the dataset it belongs to."""

    address: str = "urn:x-catalogue-harvester:unknown"
    title: str = UNNAMED

    @classmethod
    def of(cls, dataset: Dataset, iri: str | None) -> Context:
        """The page of the dataset, else one of its documents, else the dataset itself."""
        pages = (*dataset.landing_page, *dataset.page)
        title = next(iter((*dataset.title.values(), *dataset.identifier)), iri or UNNAMED)
        return cls(next(iter(pages), iri or cls().address), title)


def derived(part: Part, context: Context) -> dict[str, Any]:
    """field -> value, for the mandatory fields that are empty."""
    fill = _RULES.get(type(part))
    return fill(part, context) if fill else {}


def _dataset(part: Any, context: Context) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    if not part.title:
        filled["title"] = {"": context.title}
    if not part.description:
        filled["description"] = part.title or filled["title"]
    return filled


def _distribution(part: Any, context: Context) -> dict[str, Any]:
    if part.access_url:
        return {}
    return {"access_url": part.download_url[:1] or (context.address,)}


def _service(part: Any, context: Context) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    if not part.endpoint_url:
        named = (part.uri,) if part.uri and part.uri.startswith("http") else ()
        candidates = (*part.endpoint_description, *part.landing_page, *part.page, *named, context.address)
        filled["endpoint_url"] = candidates[:1]
    if not part.title:
        candidates = (*part.identifier, *part.endpoint_url, *filled.get("endpoint_url", ()))
        filled["title"] = {"": candidates[0]}
    return filled


def _agent(part: Any, context: Context) -> dict[str, Any]:
    if part.name:
        return {}
    said = (part.email, *part.identifier, part.homepage, part.uri, part.type.text if part.type else None)
    return {"name": {"": next((text for text in said if text), UNNAMED)}}


_RULES: dict[type[Part], Callable[[Any, Context], dict[str, Any]]] = {
    Dataset: _dataset,
    Distribution: _distribution,
    DataService: _service,
    Agent: _agent,
}
