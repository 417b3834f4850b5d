"""How much of what each source lists is original: counted from an index, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select

from harvester.catalogue.tables import datasets, records
from harvester.identity.originals import Role


@dataclass(frozen=True, slots=True)
class Share:
    """Active records by role; `unknown` has those that nobody has looked at yet as well."""

    original: int = 0
    republished: int = 0
    loop: int = 0
    unknown: int = 0

    @property
    def records(self) -> int:
        """All of them but those that repeat our own export."""
        return self.original + self.republished + self.unknown

    @property
    def share(self) -> float | None:
        """The part of the records that are the originals of their datasets; None where there are none."""
        return self.original / self.records if self.records else None


@dataclass(frozen=True, slots=True)
class Overall:
    """Visible datasets, and those of them whose original is harvested."""

    datasets: int
    original: int

    @property
    def share(self) -> float | None:
        """The part of the datasets whose original is harvested; None where there are none."""
        return self.original / self.datasets if self.datasets else None


def shares(connection: Connection, source_ids: Sequence[int] | None = None) -> dict[int, Share]:
    """source id -> its active records by role; of these sources, or of all that have any."""
    counted: Select[Any] = select(records.c.source_id, records.c.role, func.count())
    counted = counted.where(records.c.status == "active").group_by(records.c.source_id, records.c.role)
    if source_ids is not None:
        counted = counted.where(records.c.source_id.in_(source_ids))
    found: dict[int, dict[str, int]] = {}
    for source_id, role, number in connection.execute(counted):
        roles = found.setdefault(source_id, {})
        name = role or str(Role.UNKNOWN)
        roles[name] = roles.get(name, 0) + number
    return {source_id: Share(**roles) for source_id, roles in found.items()}


def overall(connection: Connection) -> Overall:
    """The share of original datasets of the whole catalogue: no dataset has more than one original."""
    here = (datasets.c.retired_at.is_(None), datasets.c.record_id.is_not(None), datasets.c.merged_into_id.is_(None))
    visible = int(connection.execute(select(func.count()).select_from(datasets).where(*here)).scalar_one())
    return Overall(visible, sum(share.original for share in shares(connection).values()))
