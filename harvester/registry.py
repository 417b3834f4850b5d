"""Connectors by name, found through the entry-point group `harvester.connectors`; ours are declared there too."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from harvester.connector import Connector, Recognised
from harvester.errors import SourceError, UsageError
from harvester.http import Http

GROUP = "harvester.connectors"
_NAMES = ("NAME", "Options", "fetch", "normalise")


@cache
def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def names() -> list[str]:
    """The names of all installed connectors."""
    return sorted(_entries())


def connector(name: str) -> Connector:
    """The connector of that name.  Raises `UsageError` when none is installed, or it is no connector."""
    entry = _entries().get(name)
    if entry is None:
        raise UsageError(f"there is no connector {name!r}; installed: {', '.join(names())}", code="unknown-connector")
    module = entry.load()
    missing = [needed for needed in _NAMES if not hasattr(module, needed)]
    if missing:
        raise UsageError(f"{entry.value} is no connector: it lacks {', '.join(missing)}", code="bad-connector")
    return cast(Connector, module)


def options(name: str, raw: dict[str, Any]) -> BaseModel:
    """The options of a source, validated.  Raises `UsageError` that names each wrong option."""
    try:
        return connector(name).Options.model_validate(raw)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'options'}: {e['msg']}" for e in error.errors())
        raise UsageError(f"options of connector {name}: {wrong}", code="bad-options") from error


def recognise(http: Http, url: str) -> tuple[list[Recognised], list[str]]:
    """The first connector that knows the URL, and the reasons of those that failed while looking.

    Raises `SourceError` when the host cannot be reached at all.
    """
    _require_host(http, url)
    found: list[Recognised] = []
    reasons: list[str] = []
    for name in _probing_order():
        module = connector(name)
        if not hasattr(module, "recognise"):
            continue
        try:
            answer = module.recognise(http, url)
        except SourceError as error:
            reasons.append(f"{name}: {error.message}")
            continue
        if answer is not None:
            found.append(answer)
            break
    return found, reasons


def _require_host(http: Http, url: str) -> None:
    try:
        http.try_get(url)
    except SourceError as error:
        if error.code in _HOPELESS:
            raise


# What no other address of the same host would change.
_HOPELESS = ("private-address", "bad-url", "network", "certificate", "timeout")
# An API says more than an export: the portals' own APIs are asked first, a DCAT feed is the common denominator.
_FIRST = ("udata", "opendatasoft", "ckan")


def _probing_order() -> list[str]:
    others = [name for name in names() if name not in (*_FIRST, "dcat")]
    return [name for name in (*_FIRST, *others, "dcat") if name in _entries()]
