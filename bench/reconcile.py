"""How many verdicts of a reconciliation are right, on two portals whose records were planted.

    python -m bench.reconcile [--records 2000] [--seeds 3] [--kind ckan]

`bench.reconcile_large` measures what one costs, `bench.paris` shows every verdict on a real pair.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from bench.arrivals import BY_TEXT, EXPECTED, World, world
from bench.shapes import HOSTS, KINDS, NATION
from harvester import sources, worker
from harvester.catalogue import queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.reconcile import keeping, running
from harvester.reconcile.lines import Line
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, Reply, Request, serve
from harvester.schedule import utcnow
from harvester.settings import Settings

TRUTH = {"duplicate": "duplicate", "orphan-retired": "orphan", "orphan-never": "orphan", "outside": "outside"}


@dataclass
class Score:
    """How many verdicts were right where facts decide and where text alone does; the wrong ones by name."""

    right: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def count(self, plan: str, truth: Any, found: Any, name: str) -> None:
        """Note one verdict."""
        self.total[plan] += 1
        self.right[plan] += truth == found
        if truth != found:
            self.wrong.append(f"{plan}: {name}: expected {truth}, found {found}")

    def share(self, by_text: bool) -> tuple[int, int]:
        """Right and total, of the plans that text alone decides or of the others."""
        plans = [plan for plan in self.total if (plan in BY_TEXT) == by_text]
        return sum(self.right[plan] for plan in plans), sum(self.total[plan] for plan in plans)


class Changing:
    """A portal that holds other rows later."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    def __call__(self, request: Request) -> Reply:
        return self.portal(request)


def producer(kind: str, rows: list[dict[str, Any]]) -> Portal:
    """The producer's portal with these records."""
    if kind == "ckan":
        return ckan_portal(rows, title="Brume", site_url=f"https://{HOSTS[kind]}")
    return opendatasoft_portal(rows, title="Brume")


def planted(engine: Engine, settings: Settings, made: World) -> tuple[int, int]:
    """Harvest both portals of a world as they were first and as they are now; answers source and target."""
    mine, theirs = (
        Changing(producer(made.kind, made.first_source)),
        Changing(udata_portal(made.first_target, title="N")),
    )
    with _served(mine) as here, _served(theirs) as there:
        ids = (
            _add(engine, "brume", made.kind, here, f"https://{HOSTS[made.kind]}"),
            _add(engine, "national", "udata", there, f"https://{NATION}"),
        )
        for source in ids:
            _harvest(engine, settings, source)
        mine.portal = producer(made.kind, made.source)
        theirs.portal = udata_portal(made.target, title="N")
        for source in ids:
            _harvest(engine, settings, source)
    return ids


def harvested_here(
    engine: Engine, settings: Settings, portals: Iterable[tuple[str, str, Portal, str]]
) -> tuple[int, ...]:
    """The ids of sources of these names, connectors, portals and addresses, each harvested once."""
    found = []
    for name, connector, portal, home in portals:
        with _served(portal) as url:
            found.append(_add(engine, name, connector, url, home))
            _harvest(engine, settings, found[-1])
    return tuple(found)


@contextmanager
def _served(portal: Portal) -> Iterator[str]:
    server = serve(portal)
    try:
        yield server.url
    finally:
        server.close()


def _add(engine: Engine, name: str, connector: str, url: str, home: str) -> int:
    with writing(engine) as connection:
        sources.add(connection, url=url, connector=connector, name=name, now=utcnow(), options={"public_url": home})
        return int(sources.named(connection, name).id)


def _harvest(engine: Engine, settings: Settings, source: int) -> None:
    with writing(engine) as connection:
        row = queries.source_by_id(connection, source)
        claim = worker.begin(connection, row, "full", utcnow())
    result = worker.execute(engine, settings, row, claim, utcnow)
    if result.status not in ("succeeded", "partial"):
        raise SystemExit(f"{row.name}: {result.status}: {result.message}")


def reconciled(engine: Engine, source: int, target: int) -> tuple[dict[str, Any], list[Line]]:
    """The counts and lines of a reconciliation, worked out now."""
    with writing(engine) as connection:
        number = keeping.ask(connection, source, target, utcnow(), None)
        ref = keeping.claim(connection, utcnow(), number)
    if ref is None:
        raise SystemExit("somebody else has it")
    running.perform(engine, ref, utcnow)
    with engine.connect() as connection:
        row = keeping.one(connection, number)
        if row is None:
            raise SystemExit("it is gone")
        return row.counts, keeping.lines(connection, row, limit=1_000_000)


def scored(made: World, lines: list[Line]) -> Score:
    """What was found against what was planted."""
    score = Score()
    mine = {
        line.source.guid: line for line in lines if line.source and str(line.verdict) not in ("duplicate", "orphan")
    }
    theirs = {line.target.guid: line for line in lines if line.target}
    for name, plan in made.plans.items():
        truth = EXPECTED[plan]
        line = mine.get(name)
        named = {one["field"] for one in line.fields} if line else set()
        found = line and (str(line.verdict), line.reason, truth[2] if truth[2] in named else None)
        score.count(plan, truth, found, f"{name} {line.source.title if line and line.source else ''}")
    for name, plan in made.theirs.items():
        other = theirs.get(name)
        score.count(plan, TRUTH[plan], str(other.verdict) if other else "outside", name)
    return score


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kind", choices=KINDS, action="append")
    asked = parser.parse_args()
    console, table = Console(), Table("producer", "seed", "source", "target", "by facts", "by text alone", "wrong")
    for kind in asked.kind or KINDS:
        for seed in range(1, asked.seeds + 1):
            score, counts = measured(kind, asked.records, seed)
            facts, texts = (f"{right} of {total}" for right, total in (score.share(False), score.share(True)))
            sides = (str(counts[side]["records"]) for side in ("source", "target"))
            table.add_row(kind, str(seed), *sides, facts, texts, str(len(score.wrong)))
            for told in score.wrong[:20]:
                console.print(told, markup=False)
    console.print(table)


def measured(kind: str, number: int, seed: int) -> tuple[Score, dict[str, Any]]:
    """One world, harvested and reconciled in a catalogue of its own."""
    made = world(kind, number, seed)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), private_hosts=("127.0.0.1",))
        engine = open_engine(settings)
        migrate(engine)
        counts, lines = reconciled(engine, *planted(engine, settings, made))
        engine.dispose()
    return scored(made, lines), counts


if __name__ == "__main__":
    main()
