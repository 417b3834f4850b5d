"""What a portal says of itself on its home page: the API names its datasets, not the portal."""

from __future__ import annotations

import re
from typing import Any

from harvester.errors import SourceError
from harvester.http import Http

_HEAD = 20_000
# What of the head of the page fills which field, and how it is found.
HEAD: dict[str, tuple[str, re.Pattern[str]]] = {
    "title": ("<title>", re.compile(r"<title[^>]*>([^<]{1,300})</title>", re.IGNORECASE)),
    "language": (
        "<html lang>",
        re.compile(r"<html[^>]{0,500}?\slang=[\"']?([A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*)", re.IGNORECASE),
    ),
    "description": (
        '<meta name="description">',
        re.compile(
            r"<meta(?=[^>]{0,2000}?\s(?:name|property)=[\"']?(?:og:)?description\b)[^>]{0,2000}?\scontent="
            r"(?:\"([^\"]*)\"|'([^']*)')",
            re.IGNORECASE,
        ),
    ),
}


def about(http: Http, site: str) -> dict[str, Any]:
    """The fields of the catalogue that the home page fills.  Raises `SourceError`."""
    home = f"{site}/"
    answer = http.try_get(home)
    if trouble := answer.trouble():
        raise trouble
    said = portal(answer.text)
    if not said["title"]:
        raise SourceError("the home page has no title", code="no-title", url=home)
    return said


def portal(page: str) -> dict[str, Any]:
    """The fields that the head of a page fills, in the language of the page."""
    head = page[:_HEAD]
    met = {field: pattern.search(head) for field, (_, pattern) in HEAD.items()}
    said = {field: next(filter(None, found.groups()), None) if found else None for field, found in met.items()}
    tag = said["language"] or ""
    texts = {field: {tag: text} if (text := said[field]) else None for field in ("title", "description")}
    return {**texts, "language": said["language"]}
