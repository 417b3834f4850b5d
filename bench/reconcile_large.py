"""What a large reconciliation costs: time against reading both sides once, and peak memory, in a catalogue made for it.

    python -m bench.reconcile_large [--source 20000] [--target 200000]

The records are written into the tables as a harvest leaves them, so that no portal is needed.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, insert

from bench.arrivals import sample_item
from bench.reconcile import reconciled
from bench.shapes import HOSTS, NATION, Item, harvested
from bench.shapes import ckan as written
from connectors import ckan, udata
from harvester.catalogue import pairing
from harvester.catalogue.clusters.prepared import packed_keys, prepare
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import dataset_json, load_dataset, pack, squeeze
from harvester.catalogue.tables import documents, records, signs, sources
from harvester.connector import NoOptions, Record, Source
from harvester.fields.languages import preferred
from harvester.identity.judge import RULES_VERSION
from harvester.schedule import utcnow
from harvester.settings import Settings

BATCH = 1_000
# Of the source's records, those that did not arrive.
_MISSING = 20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--source", type=int, default=20_000)
    parser.add_argument("--target", type=int, default=200_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(Settings(data=Path(folder)))
        migrate(engine)
        _fill(engine, asked.source, asked.target)
        floor = _timed(lambda: _read(engine))
        before = _peak()
        took = _timed(lambda: _show(reconciled(engine, 1, 2)[0]))
        engine.dispose()
    table = Table("source", "target", "reading both", "reconciling", "ratio", "peak before", "peak after")
    sizes = (f"{asked.source:,}", f"{asked.target:,}", f"{floor:.1f} s", f"{took:.1f} s", f"{took / floor:.1f}")
    table.add_row(*sizes, f"{before} MB", f"{_peak()} MB")
    Console().print(table)


def _show(counts: dict[str, Any]) -> None:
    Console().print(counts["verdicts"], counts["reasons"])


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _read(engine: Engine) -> None:
    """What no reconciliation can do without: every record of both sides, read and unpacked."""
    with engine.connect() as connection:
        for source in (1, 2):
            for page in pairing.scan(connection, source, utcnow() - timedelta(days=90), payloads=False):
                for row in page:
                    load_dataset(row.dataset)


def _fill(engine: Engine, mine: int, theirs: int) -> None:
    homes = (f"https://{HOSTS['ckan']}", f"https://{NATION}")
    with writing(engine) as connection:
        for name, connector, home in (("brume", "ckan", homes[0]), ("national", "udata", homes[1])):
            row = {
                "name": name,
                "title": name,
                "connector": connector,
                "url": home,
                "options": {},
                "created_at": utcnow(),
            }
            connection.execute(insert(sources).values(**row))
    _write(engine, 1, ckan, homes[0], ((item.uuid, written(item, HOSTS["ckan"])) for item in _items(mine)))
    there = ((row["id"], row) for row in _target(mine, theirs))
    _write(engine, 2, udata, homes[1], there)


def _items(number: int, first: int = 0) -> Iterator[Item]:
    random = Random(first)
    return (sample_item(first + n, random) for n in range(number))


def _target(mine: int, theirs: int) -> Iterator[dict[str, Any]]:
    """What arrived of the source, then records of other producers that look very much like it."""
    arrived = [item for n, item in enumerate(_items(mine)) if n % _MISSING]
    yield from (harvested("ckan", item) for item in arrived)
    for item in _items(theirs - len(arrived), first=10_000_000):
        yield harvested("ckan", item, salt="foreign", domain="data.ailleurs.example", own="data.ailleurs.example")


def _write(engine: Engine, source_id: int, connector: Any, home: str, rows: Iterable[tuple[str, Any]]) -> None:
    source = Source("s", home, NoOptions())
    number, waiting = source_id * 100_000_000, iter(rows)
    while batch := list(islice(waiting, BATCH)):
        with writing(engine) as connection:
            _batch(connection, source_id, source, connector, number, batch)
        number += len(batch)


def _batch(
    connection: Connection, source_id: int, source: Source, connector: Any, first: int, batch: list[tuple[str, Any]]
) -> None:
    now, made = utcnow(), ([], [], [])  # type: tuple[Any, tuple[list[Any], list[Any], list[Any]]]
    for number, (guid, payload) in enumerate(batch, first):
        dataset = connector.normalise(Record(guid, payload), source)
        told = prepare(dataset, guid, source.home)
        row = {"id": number, "source_id": source_id, "guid": guid, "status": "active", "payload_hash": b""}
        row |= {"title": preferred(dataset.title), "url": next(iter(dataset.landing_page), None)}
        made[0].append(row | {"first_seen_at": now, "changed_at": now, "seen_run_id": 0, "modified": dataset.modified})
        made[1].append({"record_id": number, "payload": pack(payload), "dataset": squeeze(dataset_json(dataset))})
        keyed = packed_keys(told.keys)
        made[2].append({"record_id": number, "rules": RULES_VERSION, "keyed": keyed, "body": told.body})
    for table, values in zip((records, documents, signs), made, strict=True):
        connection.execute(insert(table), values)


if __name__ == "__main__":
    main()
