"""What link checks tell others about the addresses of datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select

from harvester.catalogue.tables import addresses, link_uses
from harvester.links.addresses import address_of

_CHUNK = 500


class Known(NamedTuple):
    """An address that was checked: `status` of the last answer, `head_status` what HEAD alone was answered."""

    state: str
    status: int | None
    head_status: int | None
    fault: str | None
    checked_at: datetime


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What is known of the addresses of one dataset; those that were never checked are not in it."""

    known: Mapping[int, Known] = field(default_factory=dict)

    def of(self, url: str) -> Known | None:
        """What is known of a URL, however it is spelt; None when it was never checked."""
        return self.known.get(address_of(url).id)

    def accessible(self, url: str) -> bool | None:
        """Whether the last answer had a status from 200 to 399; None when that is not known.

        A host that refuses this client alone (`unknown`) says nothing of what others are answered.
        """
        found = self.of(url)
        if found is None or found.state == "unknown":
            return None
        return found.status is not None and 200 <= found.status < 400


def statuses(connection: Connection, dataset_ids: Sequence[int]) -> dict[int, LinkFacts]:
    """dataset id -> what is known of its addresses, for each of these datasets."""
    found: dict[int, dict[int, Known]] = {dataset_id: {} for dataset_id in dataset_ids}
    columns = (
        addresses.c.state,
        addresses.c.status,
        addresses.c.head_status,
        addresses.c.fault,
        addresses.c.checked_at,
    )
    statement = select(link_uses.c.dataset_id, addresses.c.id, *columns)
    statement = statement.join(addresses, addresses.c.id == link_uses.c.link_id)
    for part in _pieces(dataset_ids):
        wanted = statement.where(link_uses.c.dataset_id.in_(part), addresses.c.checked_at.is_not(None))
        for dataset_id, link_id, *known in connection.execute(wanted):
            found[dataset_id][link_id] = Known(*known)
    return {dataset_id: LinkFacts(known) for dataset_id, known in found.items()}


def _pieces(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
