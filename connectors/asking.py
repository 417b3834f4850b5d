"""Asking a portal for single records: which of them are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from harvester.errors import RecordError, SourceError

# A portal that fails so often in a row is left alone.
_MOST_SILENT = 3


def told(guids: Iterable[str], gone: Callable[[str], bool]) -> dict[str, bool]:
    """guid -> whether it is gone; those that the portal gave no answer for are left out."""
    found: dict[str, bool] = {}
    silent = 0
    for guid in guids:
        try:
            found[guid], silent = gone(guid), 0
        except (SourceError, RecordError):
            silent += 1
        if silent >= _MOST_SILENT:
            return found
    return found
