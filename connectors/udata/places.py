"""What the URL of a udata source points at: the portal, a filtered list, an organisation, or one dataset."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from harvester.errors import SourceError

DATASETS = "/datasets/"
# The portal may stand under a path; what follows is ours to read: a language, the API, the pages of the site.
_PATH = re.compile(
    r"(?P<base>.*?)(?:/[a-z]{2}(?:-[a-zA-Z]{2})?)?"
    r"(?:/api(?:/(?:[12](?:/.*)?)?)?)?"
    r"(?:/(?P<kind>organizations|datasets|search)(?:/(?P<key>[^/]+))?(?:/.*)?)?/?"
)
_API = re.compile(r"/api/[12](?=/|$)")
# The walk sets these itself; the site's own search page adds the others that mean nothing to the API.
_OURS = frozenset(("page", "page_size", "sort", "lang"))
OBJECT_ID = re.compile(r"[0-9a-f]{24}")


@dataclass(frozen=True, slots=True)
class Place:
    """The root of the portal, and what of it is meant."""

    root: str
    filters: tuple[tuple[str, str], ...] = ()
    organisation: str | None = None
    dataset: str | None = None

    @property
    def api(self) -> str:
        return f"{self.root}/api/1"

    @property
    def url(self) -> str:
        """The URL to keep for this place."""
        if self.dataset:
            return f"{self.api}{DATASETS}{self.dataset}/"
        asked = (*self.filters, *((("organization", self.organisation),) if self.organisation else ()))
        return f"{self.api}{DATASETS}?{urlencode(asked)}" if asked else f"{self.root}/"


@lru_cache(maxsize=256)
def place_of(url: str) -> Place:
    """Read a URL as people copy it: root, `/fr/`, `/api/1/`, a list with its filters, an organisation, a dataset."""
    try:
        parts = urlsplit(url.strip())
    except ValueError as error:
        raise SourceError(f"not a URL: {error}", code="bad-url", url=url) from error
    found = _PATH.fullmatch(_API.sub("", parts.path))
    base, kind, key = (found["base"], found["kind"], found["key"]) if found else ("", None, None)
    root = f"{parts.scheme}://{parts.netloc}{base.rstrip('/')}"
    filters = tuple(pair for pair in parse_qsl(parts.query) if pair[0] not in _OURS)
    named = unquote(key) if key else None
    return Place(
        root,
        filters,
        organisation=named if kind == "organizations" else None,
        dataset=named if kind == "datasets" and named not in (None, "search") else None,
    )
