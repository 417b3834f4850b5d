"""Whether datasets that a walk did not show are gone from an Opendatasoft."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from connectors.asking import told
from connectors.opendatasoft.apis import filters_of, quoted, served, site_of, sliced
from harvester.connector import Source
from harvester.errors import SourceError
from harvester.http import Http


def gone(source: Source, http: Http, guids: Iterable[str], params: list[tuple[str, str]]) -> dict[str, bool] | None:
    """guid -> whether the list, filtered as the source is (`params`), shows it no more; None where it has no filter."""
    site = site_of(source.url)
    api, _ = served(http, site)
    if not api.filters:
        return None

    def unlisted(guid: str) -> bool:
        where = [("where", f"dataset_id = {quoted(guid)}"), (api.limit, "1")]
        answer: Any = http.try_get(site + api.path, [*filters_of(source.url), *params, *where])
        if trouble := answer.trouble():
            raise trouble
        total = sliced(answer.json(), api).total
        if total is None:
            raise SourceError("the list states no total", code="unexpected-answer", url=site)
        return total == 0

    return told(guids, unlisted)
