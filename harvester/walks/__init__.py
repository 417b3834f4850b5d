"""The only paging code: walks that survive silent caps, lying totals, loops, choking portals, lists that move under
them and one bad record.

A walk yields `Page`s and returns when the source has shown everything; it raises `SourceError` when it cannot.
"""

from __future__ import annotations

from harvester.walks.changes import nothing, walk_changes
from harvester.walks.links import is_linked, walk_links
from harvester.walks.offsets import walk_offsets
from harvester.walks.seams import reached
from harvester.walks.slices import Make, Read, Slice, records

__all__ = [
    "Make",
    "Read",
    "Slice",
    "is_linked",
    "nothing",
    "reached",
    "records",
    "walk_changes",
    "walk_links",
    "walk_offsets",
]
