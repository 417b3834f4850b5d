"""Field types that clean what portals send; each is total, idempotent, and reports what it dropped or repaired."""

from __future__ import annotations

from typing import Annotated

from harvester.fields import number, place, text, web, when
from harvester.fields.base import FieldProblem, Report, cleaned_by

Text = Annotated[str | None, cleaned_by(text.text)]
Prose = Annotated[dict[str, str], cleaned_by(text.proses)]
Texts = Annotated[dict[str, str], cleaned_by(text.texts)]
Words = Annotated[dict[str, tuple[str, ...]], cleaned_by(text.words)]
When = Annotated[str | None, cleaned_by(when.when)]
Lines = Annotated[tuple[str, ...], cleaned_by(text.lines)]
Iri = Annotated[str | None, cleaned_by(web.iri)]
Iris = Annotated[tuple[str, ...], cleaned_by(web.iris)]
Url = Annotated[str | None, cleaned_by(web.url)]
Urls = Annotated[tuple[str, ...], cleaned_by(web.urls)]
Email = Annotated[str | None, cleaned_by(web.email)]
Size = Annotated[int | None, cleaned_by(number.size)]
Metres = Annotated[float | None, cleaned_by(number.metres)]
Duration = Annotated[str | None, cleaned_by(number.duration)]
Flag = Annotated[bool | None, cleaned_by(number.flag)]
Geometry = Annotated[str | None, cleaned_by(place.geometry)]
Bbox = Annotated[tuple[float, float, float, float] | None, cleaned_by(place.bbox)]
Centroid = Annotated[tuple[float, float] | None, cleaned_by(place.centroid)]

__all__ = [
    "Bbox",
    "Centroid",
    "Duration",
    "Email",
    "FieldProblem",
    "Flag",
    "Geometry",
    "Iri",
    "Iris",
    "Lines",
    "Metres",
    "Prose",
    "Report",
    "Size",
    "Text",
    "Texts",
    "Url",
    "Urls",
    "When",
    "Words",
]
