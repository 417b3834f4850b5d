"""Which public identity each cluster of records goes on under: none changes hands while there is a choice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Known(NamedTuple):
    """A dataset: `alive` when it stands for itself, `founder` the record that founded it, if that one is here."""

    id: int
    alive: bool
    founder: int | None


class Homes(NamedTuple):
    """The dataset of each cluster, None for one that is to be founded; and which datasets end in which (`into`)."""

    kept: list[int | None]
    into: dict[int, int]


def homes(parts: Sequence[Sequence[int]], now: Mapping[int, int | None], known: Iterable[Known]) -> Homes:
    """Let every cluster go on as the oldest of its datasets.

    `now` says where each record is.  A dataset goes with the record that founded it, else with the first of those it
    has.  A cluster that is left without one takes back what one of its records founded earlier.
    """
    part_of = {record: number for number, part in enumerate(parts) for record in part}
    first: dict[int, int] = {}
    for record in sorted(part_of):
        if (home := now.get(record)) is not None:
            first.setdefault(home, record)
    claims: dict[int, list[Known]] = defaultdict(list)
    for dataset in known:
        owner = dataset.founder if dataset.founder in part_of else first.get(dataset.id) if dataset.alive else None
        if owner is not None:
            claims[part_of[owner]].append(dataset)
    kept: list[int | None] = []
    into: dict[int, int] = {}
    for number in range(len(parts)):
        best = min(claims[number], key=lambda d: (not d.alive, d.id not in first, d.id), default=None)
        kept.append(best.id if best else None)
        into |= {dataset.id: best.id for dataset in claims[number] if best and dataset is not best}
    return Homes(kept, into)
