"""Metadata quality: how fast datasets are scored and assessed, how fast figures of a million are told.

    python -m bench.quality [--datasets 1000000] [--sources 500]

Scoring is measured against a pass of the JSON parser over the same stored datasets, assessing against writing the
same number of bare rows, and requests against reading one row by its key, all in the same run.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, insert, select

from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import dataset_json, squeeze
from harvester.catalogue.store import add_source
from harvester.catalogue.tables import assessed, assessments, datasets, documents, records
from harvester.model import Dataset
from harvester.quality import assessing, reading, telling
from harvester.quality.mqa import pattern_of, score
from harvester.search import open_index
from harvester.settings import Settings
from harvester.views import view

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SEED = 7
BATCH = 10_000
KINDS = 4_000


def made(rng: random.Random, number: int) -> dict[str, Any]:
    """A dataset of a middling portal: most of it there, some of it missing."""
    optional = {
        "keyword": ["water", "tides"],
        "theme": ["ENVI"],
        "spatial": [{"place": "France"}],
        "temporal": [{"start": "2020"}],
        "access_rights": "PUBLIC",
        "contact_point": [{"name": "Desk", "email": "desk@harbour.example"}],
        "publisher": {"name": "The port"},
        "issued": "2020-01-01",
        "modified": "2024-01-01",
        "description": "High and low water at every harbour of the coast. " * 8,
    }
    part = {
        "download_url": [f"https://data.example/{number}.csv"],
        "format": rng.choice(["csv", "PDF", "json", "xlsx"]),
        "media_type": "text/csv",
        "license": rng.choice(["CC-BY-4.0", "House rules"]),
        "rights": "Name the port.",
        "byte_size": 12,
    }
    told = {name: value for name, value in optional.items() if rng.random() < 0.8}
    parts = [{n: v for n, v in part.items() if rng.random() < 0.8} for _ in range(rng.randrange(1, 5))]
    return {**told, "title": f"Tides {number}", "distribution": parts}


def say(line: str) -> None:
    """One line of the figures."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def timed(work: Callable[[], Any], times: int = 1) -> float:
    """Seconds for one time, the best of so many."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def scoring() -> list[tuple[int, bytes]]:
    """Print how fast stored datasets are scored; answers (pattern, patterns of distributions) of them."""
    rng = random.Random(SEED)
    stored = [orjson.dumps(Dataset.of(made(rng, number)).plain()) for number in range(KINDS)]
    floor = timed(lambda: [orjson.loads(blob) for blob in stored], 3)
    spent = timed(lambda: [score(orjson.loads(blob)) for blob in stored], 3)
    say(f"scored    {KINDS / spent:>12,.0f} datasets/s   {spent / floor:5.1f} x parsing them ({KINDS / floor:,.0f}/s)")
    scores = [score(orjson.loads(blob)) for blob in stored]
    return [(each.pattern, orjson.dumps([pattern_of(part) for part in each.parts])) for each in scores]


def filled(engine: Engine, known: list[tuple[int, bytes]], number: int, sources: int) -> float:
    """Assessments of so many datasets, counted as the follower does; the seconds of writing the bare rows."""
    rng, spent = random.Random(SEED), 0.0
    with writing(engine) as connection:
        for source in range(1, sources + 1):
            row = {"name": f"s{source}", "title": "S", "connector": "ckan", "url": "https://x.example", "options": {}}
            add_source(connection, {**row, "created_at": NOW})
    counts: dict[tuple[int, int, int], int] = {}
    ids = iter(range(1, number + 1))
    while part := list(islice(ids, BATCH)):
        rows = []
        for dataset_id in part:
            pattern, parts = rng.choice(known)
            for source_id in (0, 1 + int(sources * rng.random() ** 3)):
                rows.append({"source_id": source_id, "pattern": pattern, "dataset_id": dataset_id, "parts": parts})
                for key in ((source_id, 0, pattern), *((source_id, 1, p) for p in orjson.loads(parts))):
                    counts[key] = counts.get(key, 0) + 1
        start = time.perf_counter()
        with writing(engine) as connection:
            connection.execute(insert(assessments), rows)
        spent += time.perf_counter() - start
    named = ("source_id", "kind", "pattern")
    told = [dict(zip(named, key, strict=True)) | {"number": n} for key, n in counts.items()]
    if told:
        with writing(engine) as connection:
            connection.execute(insert(assessed), told)
    patterns = sum(1 for key in counts if key[0] == 0)
    if told:
        say(f"{number:,} datasets of {sources} sources; {patterns:,} patterns in all, {len(counts):,} counters")
    return spent


def requests(engine: Engine, settings: Settings) -> None:
    """Print how long figures take."""
    index = open_index(settings)

    def asked(source: str | None, use: Callable[[Any, Any], Any]) -> Callable[[], Any]:
        def run() -> Any:
            with engine.connect() as connection:
                return use(connection, view(connection, settings, source=source))

        return run

    def summary(connection: Any, part: Any) -> Any:
        return telling.summary(reading.counts(connection, index, part))

    def fixes(connection: Any, part: Any) -> Any:
        return telling.fixes_plain(reading.counts(connection, index, part))

    def listed(connection: Any, part: Any) -> Any:
        return reading.lacking_page(connection, index, part, "keyword", reading.Cursor(), 100)

    def one_row(connection: Any, part: Any) -> Any:
        return connection.execute(select(assessments).where(assessments.c.dataset_id == 5)).first()

    floor = timed(asked(None, one_row), 5)
    say(f"one row by its key {floor * 1000:8.2f} ms")
    for name, use in (("score", summary), ("fixes", fixes), ("datasets behind a fix", listed)):
        for source in (None, "s1"):
            spent = timed(asked(source, use), 5)
            of = "everything" if source is None else "one source"
            say(f"{name:<22}{of:<12}{spent * 1000:8.1f} ms   {spent / floor:8.1f} x one row")


def following(engine: Engine, number: int) -> None:
    """Print how fast the follower assesses datasets of a catalogue, against writing their documents."""
    rng = random.Random(SEED)
    start = time.perf_counter()
    for part in _batches(number):
        _catalogue(engine, [(n, squeeze(dataset_json(Dataset.of(made(rng, n))))) for n in part])
    written = time.perf_counter() - start
    start = time.perf_counter()
    for part in _batches(number):
        with writing(engine) as connection:
            assessing.assess(connection, list(part), NOW)
    spent = time.perf_counter() - start
    say(f"assessed  {number / spent:>12,.0f} datasets/s   {spent / written:5.2f} x making and writing them")


def _batches(number: int) -> Iterator[range]:
    return (range(n, min(n + 500, number + 1)) for n in range(1, number + 1, 500))


def _catalogue(engine: Engine, rows: list[tuple[int, bytes]]) -> None:
    with writing(engine) as connection:
        common = {"created_at": NOW, "changed_at": NOW}
        connection.execute(insert(datasets), [{"id": n, "key": f"k{n}", "record_id": n, **common} for n, _ in rows])
        seen = {"first_seen_at": NOW, "changed_at": NOW, "seen_run_id": 1, "status": "active", "payload_hash": b"x"}
        told = [{"id": n, "source_id": 1, "guid": str(n), "dataset_id": n, **seen} for n, _ in rows]
        connection.execute(insert(records), told)
        connection.execute(insert(documents), [{"record_id": n, "payload": b"{}", "dataset": blob} for n, blob in rows])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=500)
    parser.add_argument("--assessed", type=int, default=5_000)
    asked = parser.parse_args()
    known = scoring()
    for fill in (True, False):
        with tempfile.TemporaryDirectory() as directory:
            settings = Settings(data=Path(directory))
            engine = open_engine(settings)
            migrate(engine)
            if fill:
                spent = filled(engine, known, asked.datasets, asked.sources)
                say(f"their bare rows were written in {spent:.1f} s")
                requests(engine, settings)
            else:
                filled(engine, known, 0, 1)
                following(engine, asked.assessed)
            engine.dispose()


if __name__ == "__main__":
    main()
