"""What a run showed of its source, and what it did not: by its marks in the catalogue, or by the stage of a dry run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Engine, Row

from harvester.catalogue import missing
from harvester.catalogue.missing import Stated
from harvester.catalogue.packing import load_dataset
from harvester.catalogue.store import RunRef
from harvester.stage import Stage

PAGE = 5000
# No run has a higher number: for a dry run, whose walk left no marks.
ENDLESS = 2**62


class Named(NamedTuple):
    """A record, as a person knows it."""

    id: int
    guid: str | None
    title: str | None


class Shown(Protocol):
    """What the guard has to know of a walk; each read is a short transaction, or one that goes on in pages."""

    def since(self) -> datetime | None:
        """When the first of the missing was seen for the last time, if anything was shown that came after; or None."""

    def vanished(self) -> Iterator[Stated]:
        """What was not shown, with when it was seen last."""

    def arrived(self, since: datetime) -> Iterator[Stated]:
        """What was shown and first seen after an instant."""

    def other_titles(self, since: datetime) -> Iterator[str]:
        """The titles of what was shown and had been there before."""

    def witness(self) -> str | None:
        """The guid of something that was shown."""

    def active(self, ids: Sequence[int]) -> list[Named]:
        """Those of the records that are active by now."""

    def pages(self, before: int) -> Iterator[list[Row[Any]]]:
        """Pages of what was not shown, and last seen before a run (`missing.page`)."""


class Marked(NamedTuple):
    """A run that writes marks what it shows."""

    engine: Engine
    ref: RunRef

    def since(self) -> datetime | None:
        """See `Shown`."""
        with self.engine.connect() as connection:
            since = missing.oldest(connection, self.ref)
            return since if since and missing.any_arrived(connection, self.ref, since) else None

    def vanished(self) -> Iterator[Stated]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            yield from missing.vanished(connection, self.ref)

    def arrived(self, since: datetime) -> Iterator[Stated]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            yield from missing.arrived(connection, self.ref, since)

    def other_titles(self, since: datetime) -> Iterator[str]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            yield from missing.other_titles(connection, self.ref, since)

    def witness(self) -> str | None:
        """See `Shown`."""
        with self.engine.connect() as connection:
            return missing.witness(connection, self.ref)

    def active(self, ids: Sequence[int]) -> list[Named]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            return [Named(row.id, row.guid, row.title) for row in missing.active(connection, ids)]

    def pages(self, before: int) -> Iterator[list[Row[Any]]]:
        """See `Shown`."""
        return _pages(self.engine, self.ref.source_id, before)


class Staged(NamedTuple):
    """A dry run keeps what it met on its stage."""

    engine: Engine
    ref: RunRef
    stage: Stage

    def since(self) -> datetime | None:
        """See `Shown`."""
        with self.engine.connect() as connection:
            for rows in missing.last_seen(connection, self.ref.source_id):
                known = self.stage.by_id([row.id for row in rows])
                self.stage.miss((row.id, row.at) for row in rows if row.id not in known)
        since = self.stage.oldest_missed()
        return since if since and next(self.arrived(since), None) else None

    def vanished(self) -> Iterator[Stated]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            for ids in self.stage.missed():
                yield from missing.stated(connection, ids)

    def arrived(self, since: datetime) -> Iterator[Stated]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            for rows in missing.first_seen(connection, self.ref.source_id, after=since):
                met = self.stage.by_id([row.id for row in rows])
                for row in rows:
                    one = met.get(row.id)
                    blob = one and (one.body or row.dataset)
                    if one and one.status == "active" and blob:
                        # One that could not be used before is given its dataset now.
                        home = one.dataset_id if row.dataset_id is None else row.dataset_id
                        yield Stated(row.id, home or -row.id, row.guid, row.at, load_dataset(blob))
        for new in self.stage.fresh():
            if new.body and new.guid and new.at:
                yield Stated(new.id, new.dataset_id or new.id, new.guid, new.at, load_dataset(new.body))

    def other_titles(self, since: datetime) -> Iterator[str]:
        """See `Shown`."""
        with self.engine.connect() as connection:
            for rows in missing.first_seen(connection, self.ref.source_id, until=since):
                met = self.stage.by_id([row.id for row in rows])
                active = (row for row in rows if row.id in met and met[row.id].status == "active")
                yield from filter(None, (met[row.id].title if met[row.id].body else row.title for row in active))

    def witness(self) -> str | None:
        """See `Shown`."""
        return self.stage.witness()

    def active(self, ids: Sequence[int]) -> list[Named]:
        """See `Shown`."""
        met = self.stage.by_id(ids)
        with self.engine.connect() as connection:
            stored = missing.active(connection, ids)
        came = {row.id: Named(row.id, row.guid, row.title) for row in met.values() if row.status == "active"}
        # What came as it was is kept without its title.
        same = [row for row in stored if row.id not in met or (row.id in came and met[row.id].body is None)]
        return list((came | {row.id: Named(row.id, row.guid, row.title) for row in same}).values())

    def pages(self, before: int) -> Iterator[list[Row[Any]]]:
        """See `Shown`."""
        for rows in _pages(self.engine, self.ref.source_id, before):
            yield self.unmet(rows)

    def unmet(self, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
        """Those of the rows that the dry run has not met."""
        known = self.stage.by_id([row.id for row in rows])
        return [row for row in rows if row.id not in known]


def _pages(engine: Engine, source_id: int, before: int) -> Iterator[list[Row[Any]]]:
    after = 0
    while True:
        with engine.connect() as connection:
            rows = missing.page(connection, source_id, before, after, PAGE)
        if not rows:
            return
        after = rows[-1].id
        yield rows
