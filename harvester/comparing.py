"""What the rules of today would make of the catalogue, told before anything is written: joins and splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sqlalchemy import Connection, Engine, select

from harvester.catalogue.clusters import explaining, hands
from harvester.catalogue.clusters.explaining import Member
from harvester.catalogue.clusters.facts import home_of
from harvester.catalogue.clusters.pieces import pieces
from harvester.catalogue.clusters.whole import Row, Whole
from harvester.catalogue.tables import decisions, documents, records, sources
from harvester.identity.clusters import Hand

BATCH = 500


class Difference(NamedTuple):
    """Datasets that would be one (`join`), or a dataset whose records would be several (`split`)."""

    action: str
    datasets: tuple[str, ...]
    parts: tuple[tuple[Member, ...], ...]


def differences(engine: Engine, folder: Path | None = None) -> Iterator[Difference]:
    """What would change, in the order of records; everything is judged anew in a temporary folder."""
    with TemporaryDirectory(dir=folder) as place:
        whole = Whole(Path(place))
        try:
            whole.fill(_rows(engine))
            whole.pair()
            whole.judge()
            with engine.connect() as connection:
                yield from _compared(connection, whole.parts(_hands(connection)))
        finally:
            whole.close()


def _rows(engine: Engine) -> Iterator[Row]:
    columns = (records.c.id, sources.c.name, records.c.guid, sources.c.url, sources.c.options, documents.c.dataset)
    statement = select(*columns).join(sources, sources.c.id == records.c.source_id)
    statement = statement.join(documents, documents.c.record_id == records.c.id)
    mine = (documents.c.dataset.is_not(None), records.c.dataset_id.is_not(None))
    after = 0
    while True:
        with engine.connect() as connection:
            page = statement.where(*mine, records.c.id > after).order_by(records.c.id).limit(BATCH)
            rows = connection.execute(page).all()
        if not rows:
            return
        after = rows[-1].id
        yield from (Row(row.id, row.name, row.guid, home_of(row.url, row.options), row.dataset) for row in rows)


def _hands(connection: Connection) -> list[Hand]:
    held = select(decisions.c.id).where(decisions.c.undone_at.is_(None))
    return hands.read(connection, list(connection.execute(held).scalars()))


def _compared(connection: Connection, parts: Iterator[tuple[int, ...]]) -> Iterator[Difference]:
    """Joins as they are found; then the datasets whose records are not all in one part."""
    part_of: dict[int, int] = {}
    for number, part in enumerate(parts, 1):
        part_of |= dict.fromkeys(part, number)
        known = explaining.members(connection, part)
        keys = tuple(sorted({member.dataset for member in known.values() if member.dataset}))
        if len(keys) > 1:
            yield Difference("join", keys, (tuple(known[one] for one in sorted(known)),))
    for mates in _together(connection):
        groups: dict[int, list[int]] = defaultdict(list)
        for one in mates:
            groups[part_of.get(one, -one)].append(one)
        if len(groups) > 1:
            known = explaining.members(connection, mates)
            told = tuple(tuple(known[one] for one in group) for group in groups.values())
            yield Difference("split", (known[mates[0]].dataset or "",), told)


def _together(connection: Connection) -> Iterator[Sequence[int]]:
    """The records of each dataset that has several, of those that say something."""
    after = 0
    columns = (records.c.dataset_id, records.c.id)
    several = select(records.c.dataset_id).group_by(records.c.dataset_id)
    while True:
        page = several.where(records.c.dataset_id > after).order_by(records.c.dataset_id).limit(BATCH)
        homes = list(connection.execute(page).scalars())
        if not homes:
            return
        after = homes[-1]
        found: dict[int, list[int]] = defaultdict(list)
        for part in pieces(homes):
            mine = select(*columns).join(documents, documents.c.record_id == records.c.id)
            for home, record in connection.execute(mine.where(records.c.dataset_id.in_(part)).order_by(records.c.id)):
                found[home].append(record)
        yield from (mates for mates in found.values() if len(mates) > 1)
