"""A part of the model of which a feed gives one text only, where a node belongs."""

from __future__ import annotations

from typing import Any

from harvester.model import Agent, ContactPoint, Location, Part, PeriodOfTime, Resource


def from_literal(literal: Any, cls: type[Part]) -> dict[str, Any]:
    """A part of which the feed gives one text only."""
    text = literal["@value"] if isinstance(literal, dict) else literal
    if cls in (Agent, ContactPoint, Resource):
        web = isinstance(text, str) and text.startswith(("http://", "https://"))
        return {"uri": text} if web else {"email": text} if _is_mail(text) else {"name": [literal]}
    if cls is Location:
        return {"place": text} if not _is_shape(text) else {"bbox": text, "geometry": text}
    if cls is PeriodOfTime and isinstance(text, str):
        # schema.org writes ISO 8601 intervals.
        start, interval, end = text.partition("/")
        return {"start": start.strip("."), "end": end.strip(".") if interval else start}
    name = _TEXT_FIELDS.get(cls.__name__)
    return {name: text} if name else {}


_TEXT_FIELDS = {
    "Identifier": "notation",
    "Distribution": "access_url",
    "DataService": "endpoint_url",
    "Checksum": "value",
}


def _is_mail(text: Any) -> bool:
    return isinstance(text, str) and (text.lower().startswith("mailto:") or ("@" in text and " " not in text))


def _is_shape(text: Any) -> bool:
    return isinstance(text, str) and (text.lstrip().startswith("{") or "(" in text or text.count(",") == 3)
