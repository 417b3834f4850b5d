"""Links to further pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import URL


def link(path: str, **parameters: Any) -> str:
    """A path with the parameters that have a value."""
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def with_parameters(url: URL, **parameters: Any) -> str:
    """Path and query of a URL, some parameters changed; host and scheme are the client's business."""
    changed = url.include_query_params(**parameters)
    return f"{changed.path}?{changed.query}"
