"""Search over the unified catalogue: a derived, disposable index, fed from the change log."""

from harvester.search.base import FacetValue, Hit, Index, Scope, SearchRequest, SearchResult
from harvester.search.syncing import open_index, rebuild, refresh

__all__ = [
    "FacetValue",
    "Hit",
    "Index",
    "Scope",
    "SearchRequest",
    "SearchResult",
    "open_index",
    "rebuild",
    "refresh",
]
