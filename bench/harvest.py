"""Datasets per second and peak memory of a harvest, per kind of portal, against a floor in the same run.

The floor downloads the same pages, parses their JSON or RDF and inserts the raw rows in bulk: what no harvester can
do without.  Each measurement is a process of its own; the portal runs in another one.

    python -m bench.harvest [--datasets 20000] [--kind ckan]
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyoxigraph
from rich.console import Console
from rich.table import Table

from bench.portals import FEED_PAGE, KINDS, PATHS, portal
from harvester import sources, worker
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.settings import Settings

STEPS = ("floor", "first", "unchanged")


def main() -> None:
    """Measure every kind and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--datasets", type=int, default=20_000)
    parser.add_argument("--kind", action="append", choices=KINDS)
    parser.add_argument("--step", nargs=3, metavar=("STEP", "URL", "DATA"), help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    kinds = asked.kind or list(KINDS)
    if asked.serve:
        _serve(kinds[0], asked.datasets)
    elif asked.step:
        step, url, data = asked.step
        sys.stdout.write(json.dumps(_STEPS[step](kinds[0], url, Path(data), asked.datasets)))
    else:
        _table([_measure(kind, asked.datasets) for kind in kinds], asked.datasets)


def _measure(kind: str, number: int) -> dict[str, Any]:
    serving = subprocess.Popen([*_self(kind, number), "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        url = (serving.stdout.readline() if serving.stdout else "").strip() + PATHS[kind]
        with tempfile.TemporaryDirectory() as data:
            # Once beforehand, so that the portal answers from memory when the clock runs.
            _child(kind, number, "floor", url, data)
            return {"kind": kind} | {step: _child(kind, number, step, url, data) for step in STEPS}
    finally:
        serving.kill()
        serving.wait()


def _self(kind: str, number: int) -> list[str]:
    return [sys.executable, "-m", "bench.harvest", "--kind", kind, "--datasets", str(number)]


def _child(kind: str, number: int, step: str, url: str, data: str) -> dict[str, float]:
    done = subprocess.run(
        [*_self(kind, number), "--step", step, url, data], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _serve(kind: str, number: int) -> None:
    server = serve(portal(kind, number))
    sys.stdout.write(server.url + "\n")
    sys.stdout.flush()
    time.sleep(3600)
    server.close()


def _floor(kind: str, url: str, data: Path, number: int) -> dict[str, float]:
    database = data / "floor.sqlite"
    database.unlink(missing_ok=True)
    started = time.perf_counter()
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("CREATE TABLE rows (body BLOB)")
    count = 0
    with httpx.Client(timeout=60) as client:
        for target in _targets(kind, url, number):
            rows = _PARSERS[kind](client.get(target).content)
            count += len(rows)
            with connection:
                connection.executemany("INSERT INTO rows VALUES (?)", [(row,) for row in rows])
    return _figures(count, started)


def _targets(kind: str, url: str, number: int) -> Iterator[str]:
    size = {"ckan": 500, "udata": 100, "opendatasoft": 100, "dcat": FEED_PAGE}[kind]
    for start in range(0, number, size):
        page = start // size + 1
        yield {
            "ckan": f"{url}/api/3/action/package_search?sort=id+asc&rows={size}&start={start}",
            "udata": f"{url}/api/1/datasets/?sort=created&page_size={size}&page={page}",
            # Beyond the window the same pages again: the floor stays the cost of as many bytes.
            "opendatasoft": f"{url}/api/explore/v2.1/catalog/datasets?limit={size}&offset={start % 9900}",
            "dcat": f"{url}?page={page}",
        }[kind]


def _json_rows(*path: str) -> Callable[[bytes], list[bytes]]:
    def rows(body: bytes) -> list[bytes]:
        found = orjson.loads(body)
        for key in path:
            found = found[key]
        return [orjson.dumps(row) for row in found]

    return rows


def _rdf_rows(body: bytes) -> list[bytes]:
    return [b""] * (len(list(pyoxigraph.parse(body, format=pyoxigraph.RdfFormat.TURTLE))) and FEED_PAGE)


_PARSERS: dict[str, Callable[[bytes], list[bytes]]] = {
    "ckan": _json_rows("result", "results"),
    "udata": _json_rows("data"),
    "opendatasoft": _json_rows("results"),
    "dcat": _rdf_rows,
}


def _harvest(kind: str, url: str, data: Path, number: int) -> dict[str, float]:
    settings = Settings(data=data / "harvest", private_hosts=("127.0.0.1",))
    engine = open_engine(settings)
    migrate(engine)
    with writing(engine) as connection:
        if (data / "added").exists():
            row = sources.named(connection, "bench")
        else:
            sources.add(connection, url=url, connector=kind, name="bench", now=utcnow())
            (data / "added").touch()
            row = sources.named(connection, "bench")
        claim = worker.begin(connection, row, "full", utcnow())
    started = time.perf_counter()
    result = worker.execute(engine, settings, row, claim, utcnow)
    figures = _figures(result.tally.fetched, started)
    if result.status != "succeeded":
        sys.stderr.write(f"{kind}: {result.status} {result.message} {result.tally}\n")
    return figures


_STEPS: dict[str, Callable[[str, str, Path, int], dict[str, float]]] = {
    "floor": _floor,
    "first": _harvest,
    "unchanged": _harvest,
}


def _figures(count: int, started: float) -> dict[str, float]:
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"count": count, "rate": count / seconds, "megabytes": peak}


def _table(rows: list[dict[str, Any]], number: int) -> None:
    table = Table(title=f"{number} datasets a portal; rates per second, peak memory in MB", title_justify="left")
    for column in ("kind", "floor", "first run", "x floor", "unchanged", "x floor", "memory first", "unchanged"):
        table.add_column(column, justify="right")
    for row in rows:
        floor, first, again = (row[step] for step in STEPS)
        table.add_row(
            row["kind"],
            f"{floor['rate']:,.0f}",
            f"{first['rate']:,.0f}",
            f"{first['rate'] / floor['rate']:.3f}",
            f"{again['rate']:,.0f}",
            f"{again['rate'] / floor['rate']:.3f}",
            f"{first['megabytes']:.0f}",
            f"{again['megabytes']:.0f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
