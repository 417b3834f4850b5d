"""Where the records of a source are elsewhere: one against all, all against one, and a portal before it is added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from sqlalchemy import Connection, Row

from harvester.catalogue import pairing, queries
from harvester.catalogue.packing import load_dataset
from harvester.reconcile import keeping
from harvester.reconcile.dates import later, span
from harvester.reconcile.judging import Judged, judged
from harvester.reconcile.judging import Side as Judgeable
from harvester.reconcile.lines import Named

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A source against a target: how many of its active records the target has, and how that is known.

    `counts` are those of the last reconciliation, None where the number is that of shared datasets.
    """

    source: str
    records: int
    arrived: int
    counts: dict[str, int] | None = None
    reconciliation: int | None = None

    @property
    def share(self) -> float | None:
        """The part that arrived, from 0 to 1; None for an empty source."""
        return round(self.arrived / self.records, 4) if self.records else None


def matrix(connection: Connection, target: Row[Any], after: str = "", limit: int = 100) -> list[Cell]:
    """Every other source against a target, by name from `after` (exclusive)."""
    rows = [row for row in queries.source_list(connection, after, limit + 1) if row.id != target.id][:limit]
    known, shared = keeping.latest(connection, target.id), pairing.shared_with(connection, target.id)
    active = queries.active_counts(connection, [row.id for row in rows])
    return [_cell(row, active.get(row.id, 0), known.get(row.id), shared.get(row.id, 0)) for row in rows]


def _cell(row: Row[Any], active: int, known: Row[Any] | None, shared: int) -> Cell:
    if known is None or not known.counts:
        return Cell(row.name, active, shared)
    counts = known.counts["verdicts"]
    arrived = sum(counts.get(name, 0) for name in ("matched", "stale", "divergent"))
    listed = known.counts["source"]["statuses"]
    return Cell(row.name, listed.get("active", 0) + listed.get("failed", 0), arrived, dict(counts), known.id)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A record at another source that stands for the same dataset, with the verdict on the two."""

    source: str
    record: Named
    verdict: Judged


def everywhere(
    connection: Connection, source_id: int, after: int = 0, limit: int = 100
) -> list[tuple[int, Named, list[Elsewhere]]]:
    """The records of a source from `after` (exclusive), each with where else its dataset is, and how it fares there."""
    page = pairing.elsewhere(connection, source_id, after, limit)
    ids = [row.id for mine, others in page if others for row in (mine, *others)]
    said = pairing.said(connection, ids)
    return [
        (mine.id, Named.of(mine), [_against(said[mine.id], said[other.id], other.source) for other in others])
        for mine, others in page
    ]


def _against(mine: Row[Any], theirs: Row[Any], source: str) -> Elsewhere:
    return Elsewhere(source, Named.of(theirs), judged(_judgeable(mine), _judgeable(theirs)))


def _judgeable(row: Row[Any]) -> Judgeable:
    return Judgeable(None if row.dataset is None else load_dataset(row.dataset))


@dataclass
class Overlap:
    """How much of a portal that is looked at is here already, through one source."""

    source: str
    title: str
    found: int = 0
    ages: list[float] = field(default_factory=list)

    def words(self, looked_at: int) -> str:
        """The same as advice."""
        share = 100 * self.found / looked_at if looked_at else 0.0
        told = f"{share:.0f} % of this portal is already here through {self.source}"
        return f"{told} ({self.found} of {looked_at} looked at){_aged(self.ages, self.source)}."

    def plain(self, looked_at: int) -> dict[str, Any]:
        """As JSON."""
        return {
            "source": self.source,
            "title": self.title,
            "found": self.found,
            "looked_at": looked_at,
            "share": round(self.found / looked_at, 4) if looked_at else None,
            "older_days": round(median(self.ages), 1) if self.ages else None,
            "words": self.words(looked_at),
        }


def _aged(ages: Sequence[float], source: str) -> str:
    if not ages:
        return ", whose dates do not tell which is older"
    middle = median(ages)
    if abs(middle) < 1:
        return f", and {source} is as fresh"
    return f", and {source} is {'older' if middle > 0 else 'newer'} by {abs(middle):.0f} days (median)"


def age(mine: str | None, theirs: str | None) -> float | None:
    """By how many days the record here is older than the one looked at; negative: newer; None: nobody can tell."""
    one, other = span(mine), span(theirs)
    if one is None or other is None:
        return None
    gap = later(one, other) or (-found if (found := later(other, one)) else None)
    return gap.total_seconds() / _DAY if gap else 0.0


def overlaps(found: Iterator[tuple[str | None, list[tuple[str, str, str | None]]]]) -> tuple[int, list[Overlap]]:
    """How many records were looked at, and the sources that have them, the fullest first.

    Each record comes with its date, and with (source, title of the source, date there) of where it is here.
    """
    looked, made, met = 0, dict[str, Overlap](), Counter[str]()
    for modified, homes in found:
        looked += 1
        for name, title, theirs in {home[0]: home for home in homes}.values():
            one = made.setdefault(name, Overlap(name, title))
            one.found += 1
            met[name] += 1
            if (days := age(modified, theirs)) is not None:
                one.ages.append(days)
    return looked, sorted(made.values(), key=lambda one: (-one.found, one.source))


def plain(cell: Cell) -> dict[str, Any]:
    """A cell as JSON."""
    return {
        "source": cell.source,
        "records": cell.records,
        "arrived": cell.arrived,
        "share": cell.share,
        "verdicts": cell.counts,
        "reconciliation": cell.reconciliation,
    }


def places(mine: Named, others: Sequence[Elsewhere]) -> dict[str, Any]:
    """A record with where else it is, as JSON."""
    return {
        "record": mine.plain(),
        "elsewhere": [
            {
                "source": one.source,
                "record": one.record.plain(),
                "verdict": str(one.verdict.verdict),
                "fields": [found.plain() for found in one.verdict.differing],
            }
            for one in others
        ],
    }
