"""CKAN: its action API, version 3, and whatever answers like it (DKAN, IDGO)."""

from __future__ import annotations

from connectors.ckan.asked import gone
from connectors.ckan.dataset import normalise
from connectors.ckan.options import Options
from connectors.ckan.walk import NAME, fetch, recognise

INCREMENTAL = True

__all__ = ["INCREMENTAL", "NAME", "Options", "fetch", "gone", "normalise", "recognise"]
