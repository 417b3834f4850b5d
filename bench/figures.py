"""Key figures of a large catalogue: how long each request takes, against reading every dataset; what counting costs.

    python -m bench.figures [--datasets 1000000] [--sources 500] [--keep FOLDER]

A fifth of the datasets is listed by two sources, and sources differ in size by a factor of a hundred.  Spaces find
the datasets of a theme.  `--keep` uses the catalogue of an earlier run again.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from harvester import spaces
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.following import follow
from harvester.catalogue.forms import FORM, SHOWN
from harvester.catalogue.packing import expand, squeeze
from harvester.catalogue.queries import last_change
from harvester.catalogue.tables import changes, counters, datasets, documents, records, runs, sources
from harvester.figures import counting, reading
from harvester.figures.report import Asked
from harvester.search import open_index
from harvester.search.base import Entry, Index, Position
from harvester.search.filters import FACETS
from harvester.search.schema import WEIGHTS
from harvester.settings import Settings

BATCH = 20_000
ROUNDS = 20
RUNS_EACH = 365
DAYS = 60
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
START = datetime(2023, 1, 1, tzinfo=UTC)
THEMES = ("AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "JUST", "REGI", "SOCI", "TECH", "TRAN")
FORMATS = ("CSV", "JSON", "XLSX", "PDF", "GEOJSON", "SHP", "XML", "ZIP", "HTML", "WMS_SRVC", "WFS_SRVC", "GPKG")
LICENCES = ("CC_BY_4_0", "CC0", "ETALAB_2_0", "ODC_BL", "CC_BYSA_4_0")
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL", "IRREG", "UNKNOWN", None, None, None)
console = Console()


def main() -> None:
    """Fill a catalogue, count it, ask."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--datasets", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=asked.keep or Path(folder))
        engine = open_engine(settings)
        migrate(engine)
        with engine.connect() as connection:
            fresh = last_change(connection) == 0
        if fresh:
            fill(engine, asked.datasets, asked.sources)
            _count(engine, asked.datasets)
            _change(engine, asked.datasets)
        index = open_index(settings)
        if fresh:
            _index(engine, index, asked.datasets, asked.sources)
        _ask(engine, index)
        engine.dispose()


def fill(engine: Engine, number: int, portals: int) -> None:
    """A catalogue of that many datasets."""
    started = time.perf_counter()
    _insert(engine, sources, (_source(n) for n in range(1, portals + 1)))
    _insert(engine, runs, (_run(n, day) for day in range(RUNS_EACH) for n in range(1, portals + 1)))
    for first in range(1, number + 1, BATCH):
        last = min(first + BATCH, number + 1)
        _insert(engine, datasets, (_dataset(n) for n in range(first, last)))
        _insert(engine, records, (row for n in range(first, last) for row in _records(n, number, portals)))
        _insert(engine, documents, (_document(n) for n in range(first, last)))
        _insert(engine, changes, (_change_row(n, "created") for n in range(first, last)))
    rows = [{"name": name, "next": 3 * number} for name in ("datasets", "records")]
    with writing(engine) as connection:
        connection.execute(insert(counters), rows)
        spaces.add(connection, "traffic", NOW, given={"theme": ["TRAN"]})
        spaces.add(connection, "rare", NOW, given={"theme": ["INTR"]})
    console.print(f"filled with {number:,} datasets in {time.perf_counter() - started:.0f} s; {_memory()}")


def _count(engine: Engine, number: int) -> None:
    started, cpu = time.perf_counter(), time.process_time()
    follow(engine, counting.FOLLOWER, lambda: NOW)
    _told(f"counted all {number:,}", number, started, cpu)


def _change(engine: Engine, number: int) -> None:
    """What harvests that update and retire datasets all over the catalogue pay, some each day."""
    random, ids = Random(7), range(1, number + 1)
    each = min(20_000, number // 2) // DAYS
    started = cpu = 0.0
    for day in range(1, DAYS + 1):
        at = NOW + timedelta(days=day)
        with writing(engine) as connection:
            for n in random.sample(ids, each):
                _move(connection, n, at, retired=n % 3 == 0)
        before, spent = time.perf_counter(), time.process_time()
        follow(engine, counting.FOLLOWER, lambda at=at: at)  # type: ignore[misc]
        started, cpu = started + time.perf_counter() - before, cpu + time.process_time() - spent
    done = each * DAYS
    _told(f"{done:,} changes counted", done, time.perf_counter() - started, time.process_time() - cpu)


def _move(connection: Connection, n: int, at: datetime, retired: bool) -> None:
    connection.execute(
        update(datasets).where(datasets.c.id == n).values(changed_at=at, retired_at=at if retired else None)
    )
    if retired:
        gone = update(records).where(records.c.dataset_id == n, records.c.status == "active")
        connection.execute(gone.values(status="retired", retired_at=at))
    action = "retired" if retired else "updated"
    connection.execute(insert(changes).values({**_change_row(n, action), "at": at}))


def _told(what: str, number: int, started: float, cpu: float) -> None:
    wall, spent = time.perf_counter() - started, time.process_time() - cpu
    each = f"{spent / number * 1e6:.0f} microseconds each, {wall / number * 1e6:.0f} by the clock"
    console.print(f"{what} in {wall:.0f} s: {each}; {_memory()}")


def _index(engine: Engine, index: Index, number: int, portals: int) -> None:
    """Only what the space is found by: the rest of an entry has no part in this."""
    with engine.connect() as connection:
        position = Position(last_change(connection))
    with index.writing(fresh=True) as batch:
        batch.put(_entry(n, number, portals) for n in range(1, number + 1))
        batch.commit(position)
    console.print(f"indexed; {_memory()}")


def _entry(n: int, number: int, portals: int) -> Entry:
    values: dict[str, list[str]] = {item.name: [] for item in FACETS}
    values["theme"] = [_theme(n)]
    values["source"] = [f"portal-{record['source_id']:03}" for record in _records(n, number, portals)]
    texts: dict[str, list[tuple[str, str]]] = {name: [] for name in WEIGHTS}
    return Entry(n, texts, [], [], values, {}, "", {})


def _ask(engine: Engine, index: Index) -> None:
    largest, smallest = _ends(engine)
    last_month = (NOW + timedelta(days=DAYS // 2)).date()
    requests: dict[str, Asked] = {
        "all": Asked(),
        "the largest source": Asked(source=largest),
        "the smallest source": Asked(source=smallest),
        f"all, {DAYS // 2} days ago": Asked(at=last_month),
        f"the largest source, {DAYS // 2} days ago": Asked(source=largest, at=last_month),
        "all, before counting began": Asked(at=date(2025, 6, 1)),
        "ten years of months": Asked(since=(2016, 12), until=(2026, 11)),
        "a space of a hundredth": Asked(space="rare"),
        "a space of a thirteenth": Asked(space="traffic"),
        "that space of a source": Asked(space="traffic", source=largest),
    }
    floor = _timed(lambda: _brute(engine), 1)[0]
    table = Printed("request", "p50 ms", "p95 ms", "CPU ms", "brute force / p50", "datasets")
    for name, asked in requests.items():
        found = reading_of(engine, index, asked)
        cpu = time.process_time()
        p50, p95 = _timed(lambda asked=asked: reading_of(engine, index, asked), ROUNDS)  # type: ignore[misc]
        cpu = (time.process_time() - cpu) / ROUNDS * 1000
        table.add_row(name, f"{p50:.0f}", f"{p95:.0f}", f"{cpu:.0f}", f"{floor / p50:,.0f}", f"{found.datasets:,}")
    console.print(table)
    console.print(f"brute force, every dataset read and counted once: {floor / 1000:.1f} s; {_memory()}")


def _ends(engine: Engine) -> tuple[str, str]:
    """The sources with the most and the fewest active records, of those that have any."""
    number = func.count().label("number")
    counted = select(sources.c.name, number).join(records, records.c.source_id == sources.c.id)
    counted = counted.where(records.c.status == "active").group_by(sources.c.name).order_by(number)
    with engine.connect() as connection:
        names = [row.name for row in connection.execute(counted)]
    return names[-1], names[0]


def reading_of(engine: Engine, index: Index, asked: Asked) -> Any:
    """One request, in a transaction of its own."""
    with engine.connect() as connection:
        return reading.report(connection, index, asked, NOW + timedelta(days=DAYS + 1))


def _brute(engine: Engine) -> Counter[Any]:
    """Every dataset as it is stored, its fields counted: the least that any scan must do."""
    found: Counter[Any] = Counter()
    with engine.connect() as connection:
        forms = select(FORM).select_from(SHOWN).execution_options(yield_per=BATCH)
        for row in connection.execute(forms):
            raw = orjson.loads(expand(row.dataset))
            found[None] += 1
            found["distributions"] += len(raw["distribution"])
            for name in ("publisher", "theme", "license", "spatial", "accrual_periodicity"):
                found[name, orjson.dumps(raw.get(name))] += 1
            found.update(("format", orjson.dumps(part.get("format"))) for part in raw["distribution"])
    return found


def _timed(ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        times.append((time.perf_counter() - started) * 1000)
    return (times[0], times[0]) if rounds == 1 else (quantiles(times)[1], quantiles(times, n=20)[18])


def _memory() -> str:
    return f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"


def _source(n: int) -> dict[str, Any]:
    name = f"portal-{n:03}"
    row = {"id": n, "name": name, "title": name, "connector": "ckan", "url": f"https://{name}.example.org"}
    schedule = ("daily", "weekly", f"{n % 60} {n % 24} * * *", None)[n % 4]
    return {**row, "options": {}, "created_at": START, "schedule": schedule}


def _run(n: int, day: int) -> dict[str, Any]:
    at = NOW - timedelta(days=day)
    status = "failed" if (n + day) % 17 == 0 else "succeeded"
    return {"source_id": n, "mode": "full", "status": status, "queued_at": at, "started_at": at, "ended_at": at}


def _dataset(n: int) -> dict[str, Any]:
    at = _at(n)
    return {"id": n, "key": f"k{n:015}", "record_id": 2 * n, "created_at": at, "changed_at": at}


def _records(n: int, number: int, portals: int) -> Iterator[dict[str, Any]]:
    # The first portals have a hundred times as many as the last ones; ids of a portal lie together, as after a walk.
    share = n / (number + 1)
    first = min(portals, int((100**share - 1) / 99 * portals) + 1)
    for k in range(2 if n % 5 == 0 else 1):
        at = _at(n)
        row = {"id": 2 * n + k, "source_id": (first - 1 + k * 7) % portals + 1, "guid": f"g{n}", "status": "active"}
        blank = {"payload_hash": b"", "dataset_id": n, "role": "republished" if k else "original"}
        yield {**row, **blank, "first_seen_at": at, "changed_at": at, "seen_run_id": 1}


def _document(n: int) -> dict[str, Any]:
    return {"record_id": 2 * n, "payload": b"", "dataset": squeeze(orjson.dumps(_form(n)))}


def _form(n: int) -> dict[str, Any]:
    """The stored form of a dataset."""
    random = Random(n)
    publisher = int(30_000 * random.random() ** 3)
    frequency = random.choice(FREQUENCIES)
    form = {
        "title": {"": f"Dataset {n}"},
        "description": {"": "What was counted, where and when, by whom. " * 5},
        "publisher": {"name": {"": f"Municipality {publisher}"}} | ({"type": _LOCAL} if publisher % 2 else {}),
        "theme": [_term("data-theme", _theme(n))],
        "license": _term("licence", random.choice(LICENCES)),
        "spatial": [{"name": {"": f"Place {int(36_000 * random.random() ** 2)}"}}],
        "accrual_periodicity": frequency and _term("frequency", frequency),
        "modified": f"{2010 + n % 16}-{n % 12 + 1:02}-{n % 28 + 1:02}",
        "distribution": [
            {"access_url": [f"https://example.org/{n}/{k}"], "format": _term("file-type", random.choice(FORMATS))}
            for k in range(1 + n % 4)
        ],
    }
    return {name: value for name, value in form.items() if value}


_LOCAL = {"text": "local", "uri": "http://purl.org/adms/publishertype/LocalAuthority"}


def _term(vocabulary: str, code: str) -> dict[str, str]:
    return {"text": code, "uri": f"http://publications.europa.eu/resource/authority/{vocabulary}/{code}"}


def _theme(n: int) -> str:
    return "INTR" if n % 100 == 7 else THEMES[n * 7919 % 1009 % len(THEMES)]


def _change_row(n: int, action: str) -> dict[str, Any]:
    at = _at(n) if action == "created" else NOW
    return {"dataset_id": n, "record_id": 2 * n, "run_id": 1, "action": action, "at": at}


def _at(n: int) -> datetime:
    # Ids are given out as time goes by.
    return START + timedelta(minutes=2 * n % 2_000_000)


def _insert(engine: Engine, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    found = iter(rows)
    while batch := list(islice(found, BATCH)):
        with writing(engine) as connection:
            _write(connection, table, batch)


def _write(connection: Connection, table: Table, batch: list[dict[str, Any]]) -> None:
    connection.execute(insert(table), batch)


if __name__ == "__main__":
    main()
