"""Templates and what they may call: no script, everything escaped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from api.secrets import hidden_url
from harvester.fields.languages import preferred
from harvester.fields.terms import Term
from harvester.search.filters import BY_NAME
from harvester.settings import Settings

STATIC = Path(__file__).parent / "static"


def spoken(texts: Mapping[str, str] | None, language: str) -> str:
    """The one text of several languages to show."""
    return preferred(texts or {}, language) or ""


def safe(url: str | None) -> str | None:
    """The URL if a browser may follow it: http or https, nothing that runs."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def render(name: str, settings: Settings, language: str, **context: Any) -> Response:
    """A page."""
    body = _PAGES.get_template(name).render(settings=settings, language=language, **context)
    return HTMLResponse(body)


def _labelled(value: str | None, name: str, language: str) -> str:
    return BY_NAME[name].label(value, language) if value else ""


def _meant(term: Term) -> str:
    """What a term is looked up by: its concept, else its own words."""
    return term.uri or term.text


def _sized(number: int) -> str:
    """A number of bytes for people."""
    size, unit = float(number), "bytes"
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"


def _lasting(seconds: float) -> str:
    """A length of time for people."""
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else "under a minute"
    )


def _filled(parameters: Mapping[str, str]) -> str:
    """A query of those that have a value."""
    return urlencode({name: value for name, value in parameters.items() if value})


_PAGES = Environment(
    loader=PackageLoader("api.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_PAGES.filters |= {
    "meant": _meant,
    "spoken": spoken,
    "safe_url": safe,
    "public_url": hidden_url,
    "labelled": _labelled,
    "sized": _sized,
    "lasting": _lasting,
    "filled": _filled,
}
