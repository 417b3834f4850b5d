"""DCAT-US as plain JSON: Project Open Data 1.0 and 1.1, DCAT-US 3.0, and the feeds shaped like them.

Read by its fixed shape, never as JSON-LD: its remote @context is dead.  Not a connector of its own: `connectors.dcat`
hands such feeds over.
"""

from __future__ import annotations

from connectors.dcat_us.dataset import normalise
from connectors.dcat_us.feed import fetch_pages, looks_like_pod

__all__ = ["fetch_pages", "looks_like_pod", "normalise"]
