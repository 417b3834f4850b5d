"""What DCAT-AP demands and a source does not say, taken from what it says elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harvester.fields.languages import preferred
from harvester.fields.place import bbox
from harvester.model import Agent, CatalogRecord, Catalogue, DataService, Dataset, Distribution, Location, Part

Facts = Mapping[str, Any]
UNNAMED = "—"
_UNKNOWN = "urn:x-catalogue-harvester:unknown"
_THEMES = "http://publications.europa.eu/resource/authority/data-theme"
# For records of which nothing tells a date.
_LONG_AGO = "1970-01-01"


@dataclass(frozen=True, slots=True)
class Context:
    """What a part may borrow from the dataset or catalogue it belongs to."""

    address: str = _UNKNOWN
    title: str = UNNAMED
    modified: str = ""
    dataset: Facts = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: Facts, iri: str | None) -> Context:
        """The page of the dataset, else one of its documents, else the dataset itself."""
        pages = dataset.get("landing_page") or dataset.get("page") or (iri,)
        title = preferred(dataset.get("title") or {}) or next(iter(dataset.get("identifier") or (iri,)), None)
        dates = (dataset.get("modified"), dataset.get("issued"))
        return cls(
            pages[0] or _UNKNOWN,
            title or UNNAMED,
            next(filter(None, dates), ""),
            dataset,
        )


def facts_of(part: Any) -> Facts:
    """The fields of a part, or of the JSON form it is stored in."""
    found: Facts = part if type(part) is dict else part.__dict__
    return found


def _named(facts: Facts, context: Context) -> dict[str, Any]:
    filled: dict[str, Any] = {}
    if not facts.get("title"):
        filled["title"] = {"": context.title}
    if not facts.get("description"):
        filled["description"] = facts.get("title") or filled["title"]
    return filled


def _catalogue(facts: Facts, context: Context) -> dict[str, Any]:
    filled = _named(facts, context)
    if not facts.get("publisher"):
        # Whoever runs a portal that does not say: the portal itself.
        filled["publisher"] = {"name": {"": preferred(facts.get("title", {})) or context.title}}
    if not facts.get("theme_taxonomy"):
        filled["theme_taxonomy"] = (_THEMES,)
    return filled


def _record(facts: Facts, context: Context) -> dict[str, Any]:
    return {} if facts.get("modified") else {"modified": facts.get("issued") or context.modified or _LONG_AGO}


def _distribution(facts: Facts, context: Context) -> dict[str, Any]:
    if facts.get("access_url"):
        return {}
    return {"access_url": (facts.get("download_url") or ())[:1] or (context.address,)}


def _service(facts: Facts, context: Context) -> dict[str, Any]:
    if facts.get("endpoint_url") and facts.get("title"):
        return {}
    filled: dict[str, Any] = {}
    if not facts.get("endpoint_url"):
        uri = facts.get("uri") or ""
        said = (facts.get(name) or () for name in ("endpoint_description", "landing_page", "page"))
        known = [*(address for addresses in said for address in addresses), *([uri] if uri.startswith("http") else ())]
        filled["endpoint_url"] = (*known, context.address)[:1]
    if not facts.get("title"):
        candidates = (*(facts.get("identifier") or ()), *(facts.get("endpoint_url") or filled["endpoint_url"]))
        filled["title"] = {"": candidates[0]}
    return filled


def _agent(facts: Facts, context: Context) -> dict[str, Any]:
    if facts.get("name"):
        return {}
    type_ = facts.get("type")
    said = (
        facts.get("email"),
        *(facts.get("identifier") or ()),
        facts.get("homepage"),
        facts.get("uri"),
        words_of(type_)[0] if type_ else None,
    )
    return {"name": {"": next((text for text in said if text), UNNAMED)}}


def words_of(item: Any) -> tuple[str, str | None]:
    """The text and concept of a term, or of the JSON form it is stored in."""
    return (item["text"], item.get("uri")) if type(item) is dict else (item.text, item.uri)


def _location(facts: Facts, context: Context) -> dict[str, Any]:
    """The frame of a geometry, for those who read no GeoJSON."""
    if not facts.get("geometry") or facts.get("bbox") or facts.get("centroid"):
        return {}
    box = bbox(facts["geometry"])
    if box is None:
        return {}
    point = box[0] == box[2] and box[1] == box[3]
    return {"centroid": box[:2]} if point else {"bbox": box}


# Class -> what makes field -> value for its mandatory fields that are empty.
RULES: dict[type[Part], Callable[[Facts, Context], dict[str, Any]]] = {
    Dataset: _named,
    Distribution: _distribution,
    DataService: _service,
    Agent: _agent,
    Catalogue: _catalogue,
    CatalogRecord: _record,
    Location: _location,
}
