"""Whether datasets that a walk did not show are gone from a CKAN."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connectors.asking import told
from connectors.ckan.api import Api, result
from connectors.ckan.options import Options
from connectors.ckan.walk import SEARCH, locate
from connectors.common import mapping
from harvester.connector import Source
from harvester.errors import SourceError
from harvester.http import Http

# What CKAN says to the public of a dataset that is deleted, or private; anything else may pass.
_GONE = frozenset(("ckan-not-found-error", "ckan-authorization-error"))


def gone(source: Source, http: Http, guids: Iterable[str]) -> dict[str, bool]:
    """guid -> whether it is gone.  Of a part of a portal, one is gone that is there but in that part no more."""
    options = source.options if isinstance(source.options, Options) else Options()
    api = locate(http, source.url).api
    clauses = options.clauses(None)
    return told(guids, lambda guid: _unfound(api, clauses, guid) if clauses else _unshown(api, guid))


def _unshown(api: Api, guid: str) -> bool:
    try:
        shown = mapping(result(api.ask("package_show", {"id": guid})))
    except SourceError as error:
        if error.code in _GONE:
            return True
        raise
    return shown.get("state", "active") != "active" or shown.get("private") is True


def _unfound(api: Api, clauses: str, guid: str) -> bool:
    name = guid.replace("\\", "\\\\").replace('"', '\\"')
    found = result(api.ask(SEARCH, {"rows": 0, "fq": f'{clauses} +id:"{name}"'}))
    total = found.get("count") if isinstance(found, Mapping) else None
    if not isinstance(total, int) or isinstance(total, bool):
        raise SourceError("the search states no count", code="unexpected-answer", url=api.url(SEARCH))
    return total == 0
