"""Validators of answers and whether a client has them already (RFC 9110, sections 8.8 and 13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b

from fastapi import Request

from harvester import __version__
from harvester.settings import Settings


def etag(settings: Settings, *told: object) -> str:
    """A weak tag of whatever an answer is made of, and of what every export says of the catalogue.

    Weak: that a record was seen once more is no change of it.
    """
    always = (__version__, settings.address, settings.title, settings.publisher, settings.language)
    return f'W/"{blake2b(repr((always, told)).encode("utf-8", "replace"), digest_size=12).hexdigest()}"'


def unchanged(request: Request, headers: Mapping[str, str]) -> bool:
    """RFC 9110, section 13.2.2: the ETag decides where there is one, the date only without."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        bare = headers["etag"].removeprefix("W/")
        return tags.strip() == "*" or bare in {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    since = _moment(request.headers.get("if-modified-since"))
    changed = _moment(headers.get("last-modified"))
    return since is not None and changed is not None and changed <= since


def fresh(request: Request, headers: Mapping[str, str]) -> bool:
    """Whether a range may be answered: without `If-Range`, or when it names what there is now (strong comparison)."""
    wanted = request.headers.get("if-range")
    if wanted is None:
        return True
    if wanted.startswith(('"', "W/")):
        return wanted == headers["etag"] and not wanted.startswith("W/")
    return _moment(wanted) is not None and _moment(wanted) == _moment(headers.get("last-modified"))


def _moment(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
