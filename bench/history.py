"""Whether lists stay fast as history grows: each query over many rows, against the same one over a thousandth of them.

    python -m bench.history [--rows 4000000]

The rows are split over revisions (half), problems (a quarter), runs and the change log (an eighth each), of ten
sources; a dataset has ten revisions, however many there are in all.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table as Printed
from sqlalchemy import Connection, Engine, Table, insert

from harvester.catalogue import past, queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import pack
from harvester.catalogue.tables import changes, datasets, documents, problems, records, revisions, runs, sources
from harvester.history import chronicle
from harvester.history.diffs import Line
from harvester.settings import Settings

SMALL = 1000
SOURCES = 10
PER_DATASET = 10
BATCH = 20_000
ROUNDS = 200
START = datetime(2020, 1, 1, tzinfo=UTC)
ACTIONS = ("updated", "updated", "updated", "retired", "restored", "created")
Query = Callable[[Connection, int], object]


def main() -> None:
    """Fill two catalogues and print how their queries compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Progress(console=Console(stderr=True)) as bars:
        found = [
            measured(Path(folder) / name, number, bars)
            for name, number in (("few", max(SMALL, asked.rows // SMALL)), ("many", asked.rows))
        ]
    _print(found[0], found[1], asked.rows)


def measured(folder: Path, rows: int, bars: Progress) -> dict[str, tuple[float, float]]:
    """query -> its median and 95th percentile in milliseconds, over a catalogue with so many rows of history."""
    engine = open_engine(Settings(data=folder))
    migrate(engine)
    task = bars.add_task(f"{rows:,} rows", total=rows)
    fill(engine, rows, lambda number: bars.advance(task, number))
    times = {name: _timed(engine, rows, query) for name, query in queries_of(rows).items()}
    engine.dispose()
    return times


def fill(engine: Engine, rows: int, told: Callable[[int], object] = lambda number: None) -> None:
    """Write so many rows of history, and the records and datasets they are about."""
    size = Sizes(rows)
    _insert(engine, sources, (_source(n) for n in range(1, SOURCES + 1)))
    _insert(engine, datasets, (_dataset(n) for n in range(1, size.datasets + 1)))
    _insert(engine, records, (_record(n, size) for n in range(1, size.datasets + 1)))
    blob = pack({"title": {"": "Jeu"}})
    _insert(
        engine, documents, ({"record_id": n, "payload": blob, "dataset": blob} for n in range(1, size.datasets + 1))
    )
    _insert(engine, runs, (_run(n) for n in range(1, size.runs + 1)), told)
    _insert(engine, problems, (_problem(n, size) for n in range(1, size.problems + 1)), told)
    _insert(engine, changes, (_change(n, size) for n in range(1, size.changes + 1)), told)
    delta = pack({"fields": ["{", {"title": ["{", {"": ["=", "Jeu d'avant", "Jeu"]}]}]})
    _insert(engine, revisions, (_revision(n, size, delta) for n in range(1, size.revisions + 1)), told)


class Sizes:
    """How many rows of what; one run has a tenth of all revisions and problems."""

    def __init__(self, rows: int) -> None:
        self.revisions, self.problems = rows // 2, rows // 4
        self.runs = self.changes = rows // 8
        self.datasets = max(1, self.revisions // PER_DATASET)
        self.large_run = self.runs

    def run_of(self, number: int) -> int:
        """The run that row `number` belongs to."""
        return self.large_run if number % 10 == 0 else number % self.runs + 1


def queries_of(rows: int) -> dict[str, Query]:
    """What is asked, by name; the number varies what is asked for."""
    size = Sizes(rows)
    return {
        "runs, latest": lambda c, n: queries.run_list(c),
        "runs, deep": lambda c, n: queries.run_list(c, before=size.runs // 2),
        "runs of a source": lambda c, n: queries.run_list(c, n % SOURCES + 1),
        "runs that failed": lambda c, n: queries.run_list(c, status="failed"),
        "diff of a large run": lambda c, n: _diff(c, size.large_run, ""),
        "diff of a large run, deep": lambda c, n: _diff(c, size.large_run, f"updated-{size.revisions // 2}"),
        "diff of any run": lambda c, n: _diff(c, n % (size.runs - 1) + 1, ""),
        "history of a dataset": lambda c, n: chronicle.history_page(c, f"k{n % size.datasets + 1}"),
        "dataset at an instant": lambda c, n: past.dataset_at(
            c, f"k{n % size.datasets + 1}", START + timedelta(days=9)
        ),
        "problems of a large run": lambda c, n: queries.problem_list(c, size.large_run, size.problems // 2),
        "problems of any run": lambda c, n: queries.problem_list(c, n % (size.runs - 1) + 1),
        "sources with their last run": _sources,
    }


def _diff(connection: Connection, run_id: int, after: str) -> list[Line]:
    return chronicle.diff_page(connection, chronicle.known_run(connection, run_id), after=after)[0]


def _sources(connection: Connection, number: int) -> object:
    rows = queries.source_list(connection, limit=100)
    return queries.latest_runs(connection, [row.id for row in rows])


def _timed(engine: Engine, rows: int, query: Query) -> tuple[float, float]:
    times = []
    for number in range(ROUNDS):
        started = time.perf_counter()
        with engine.connect() as connection:
            query(connection, number * 7919)
        times.append((time.perf_counter() - started) * 1000)
    cuts = quantiles(times, n=20)
    return cuts[9], cuts[18]


def _insert(
    engine: Engine, table: Table, rows: Iterable[dict[str, Any]], told: Callable[[int], object] = lambda number: None
) -> None:
    waiting: Iterator[dict[str, Any]] = iter(rows)
    while batch := list(islice(waiting, BATCH)):
        with writing(engine) as connection:
            connection.execute(insert(table), batch)
        told(len(batch))


def _source(number: int) -> dict[str, Any]:
    about = {"connector": "ckan", "url": f"https://p{number}.example", "options": {}, "created_at": START}
    return {"id": number, "name": f"source-{number:03}", "title": f"Portal {number}", **about}


def _dataset(number: int) -> dict[str, Any]:
    return {"id": number, "key": f"k{number}", "record_id": number, "created_at": START, "changed_at": START}


def _record(number: int, size: Sizes) -> dict[str, Any]:
    about = {"guid": f"g{number}", "status": "active", "payload_hash": b"0" * 16, "dataset_id": number}
    times = {"first_seen_at": START, "changed_at": START, "seen_run_id": size.runs}
    return {"id": number, "source_id": number % SOURCES + 1, "title": "Jeu", **about, **times}


def _run(number: int) -> dict[str, Any]:
    at = START + timedelta(minutes=number)
    status = "failed" if number % 10 == 0 else "succeeded"
    times = {"queued_at": at, "started_at": at, "ended_at": at, "heartbeat_at": at}
    return {"id": number, "source_id": number % SOURCES + 1, "mode": "full", "status": status, **times}


def _problem(number: int, size: Sizes) -> dict[str, Any]:
    severity = "error" if number % 4 == 0 else "warning"
    about = {"stage": "normalise", "severity": severity, "code": "bad-date", "message": "not a date"}
    return {"run_id": size.run_of(number), "guid": f"g{number}", **about}


def _change(number: int, size: Sizes) -> dict[str, Any]:
    dataset = number % size.datasets + 1
    return {
        "dataset_id": dataset,
        "record_id": dataset,
        "run_id": size.run_of(number),
        "action": "updated",
        "at": START,
    }


def _revision(number: int, size: Sizes, delta: bytes) -> dict[str, Any]:
    dataset = number % size.datasets + 1
    about = {"record_id": dataset, "dataset_id": dataset, "guid": f"g{dataset}", "title": "Jeu"}
    at = START + timedelta(days=1 + number // size.datasets)
    action = ACTIONS[number // 10 % len(ACTIONS)]
    changed = {"action": action, "at": at, "since_at": START, "delta": delta if action == "updated" else None}
    return {"run_id": size.run_of(number), "source_id": dataset % SOURCES + 1, **about, **changed}


def _print(few: dict[str, tuple[float, float]], many: dict[str, tuple[float, float]], rows: int) -> None:
    table = Printed(title=f"{rows:,} rows of history against {max(SMALL, rows // SMALL):,}; milliseconds")
    for name in ("query", "p50 few", "p50 many", "ratio", "p95 few", "p95 many", "ratio"):
        table.add_column(name, justify="left" if name == "query" else "right")
    for name, (middle, worst) in many.items():
        cells = ((few[name][0], middle), (few[name][1], worst))
        table.add_row(name, *(cell for old, new in cells for cell in (f"{old:.2f}", f"{new:.2f}", f"{new / old:.2f}")))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
