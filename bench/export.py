"""Datasets per second and peak memory of an export from the database, per format, against rdflib in the same run.

The catalogue holds the sample datasets again and again, each time under another identity.  rdflib gets the statements
we write of a part of it (`--subset`), once as a graph that is already built, once as terms that are added to a graph
first: what an exporter on top of rdflib has to do, after it has made the terms.  Each measurement is a process of its
own, in one thread, and the best of its rounds; rates are per second of processor time, which other work on the machine
disturbs less.

    python -m bench.export [--datasets 100000] [--subset 2000] [--format ttl]
"""

from __future__ import annotations

import argparse
import json
import logging
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyoxigraph as ox
import rdflib
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, Engine, func, insert, select

from bench.portals import KINDS, PATHS, portal
from harvester import export, garbage, sources, worker
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import expand, squeeze
from harvester.catalogue.tables import datasets, documents, identifiers, records
from harvester.rdf.entries import Entry
from harvester.rdf.export import Document
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.search import open_index
from harvester.settings import Settings
from harvester.streams import stream
from harvester.views import view

FORMATS = {"nt": "nt", "ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}
SAMPLE = 500
BATCH = 1000
ROUNDS = 3


def main() -> None:
    """Fill a catalogue, measure every format, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--datasets", type=int, default=100_000)
    parser.add_argument("--subset", type=int, default=2_000)
    parser.add_argument("--format", action="append", choices=list(FORMATS))
    parser.add_argument("--step", nargs=3, metavar=("STEP", "FORMAT", "DATA"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        # As the command line has it; for rdflib too, which gains from it.
        garbage.seldom()
        step, name, data = asked.step
        sys.stdout.write(json.dumps(_STEPS[step](_settings(Path(data)), name, asked.subset)))
        return
    with tempfile.TemporaryDirectory() as data:
        number = _fill(_settings(Path(data)), asked.datasets)
        formats = asked.format or list(FORMATS)
        rows = [{step: _child(step, name, data, asked.subset) for step in _STEPS} | {"name": name} for name in formats]
    _table(rows, number, asked.subset)


def _settings(data: Path) -> Settings:
    return Settings(data=data, private_hosts=("127.0.0.1",), address="https://data.example.org")


def _child(step: str, name: str, data: str, subset: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.export", "--subset", str(subset), "--step", step, name, data]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return found


def _fill(settings: Settings, number: int) -> int:
    """Harvest a sample of every kind of portal, and repeat its rows until there are enough."""
    engine = open_engine(settings)
    migrate(engine)
    for kind in KINDS:
        served = serve(portal(kind, SAMPLE))
        with writing(engine) as connection:
            sources.add(connection, url=served.url + PATHS[kind], connector=kind, name=kind, now=utcnow())
            row = sources.named(connection, kind)
            claim = worker.begin(connection, row, "full", utcnow())
        worker.execute(engine, settings, row, claim, utcnow)
        served.close()
    with engine.connect() as connection:
        sample = _sample(connection)
    for start in range(len(sample), number, BATCH):
        with writing(engine) as connection:
            _repeat(connection, sample, range(start, min(start + BATCH, number)))
    return max(number, len(sample))


def _sample(connection: Connection) -> list[tuple[Any, Any, Any, list[Any]]]:
    """(dataset, record, document, identifiers) of every dataset that is there."""
    known: dict[int, list[Any]] = {}
    for name in connection.execute(select(identifiers)).mappings():
        known.setdefault(name["dataset_id"], []).append(name)
    inner = datasets.join(records, datasets.c.record_id == records.c.id)
    found = []
    for row in connection.execute(select(datasets, records).select_from(inner)).all():
        parts = {table: {c.name: row._mapping[c] for c in table.c} for table in (datasets, records)}
        record = parts[records]
        document = connection.execute(select(documents).where(documents.c.record_id == record["id"])).mappings().one()
        found.append((parts[datasets], record, document, known.get(parts[datasets]["id"], [])))
    return found


def _repeat(connection: Connection, sample: list[tuple[Any, Any, Any, list[Any]]], numbers: range) -> None:
    rows: dict[Any, list[dict[str, Any]]] = {datasets: [], records: [], documents: [], identifiers: []}
    for n in numbers:
        dataset, record, document, known = sample[n % len(sample)]
        ids = {"id": 1_000_000 + n}
        iri = f"{dataset['iri']}-{n}" if dataset["iri"] else None
        rows[datasets].append({**dataset, **ids, "key": f"{n:032x}", "iri": iri, "record_id": ids["id"]})
        rows[records].append({**record, **ids, "guid": f"{record['guid']}-{n}", "dataset_id": ids["id"]})
        rows[documents].append({**document, "record_id": ids["id"], "dataset": _renamed(document["dataset"], n)})
        rows[identifiers] += [{**row, "dataset_id": ids["id"], "notation": f"{row['notation']}-{n}"} for row in known]
    for table, values in rows.items():
        connection.execute(insert(table), values)


def _renamed(blob: bytes, n: int) -> bytes:
    """The dataset and its distributions under IRIs of their own."""
    found = orjson.loads(expand(blob))
    for part in (found, *found.get("distribution", ())):
        if "uri" in part:
            part["uri"] = f"{part['uri']}-{n}"
    return squeeze(orjson.dumps(found))


def _streamed(settings: Settings, name: str, subset: int) -> dict[str, float]:
    """From the database to bytes, the whole catalogue."""
    engine = open_engine(settings)
    with engine.connect() as connection:
        part = view(connection, settings)
        count = connection.execute(select(func.count()).select_from(datasets)).scalar_one()
    index = open_index(settings)
    started = time.process_time()
    size = sum(map(len, stream(engine, index, settings, part, name)))
    return {"rate": count / (time.process_time() - started), "megabytes": _peak(), "size": size / count}


def _written(settings: Settings, name: str, subset: int) -> dict[str, float]:
    """From entries that are already read to bytes."""
    found = list(_entries(open_engine(settings), settings, subset))
    return {"rate": _best(subset, lambda: _document(settings, name, found))}


def _document(settings: Settings, name: str, found: list[Entry]) -> bytes:
    document = Document(export.info(settings), name)
    return b"".join((document.head(), document.block(found), document.foot()))


def _entries(engine: Engine, settings: Settings, number: int) -> Iterator[Entry]:
    with engine.connect() as connection:
        ids = list(connection.execute(select(datasets.c.id).order_by(datasets.c.id).limit(number)).scalars())
        for start in range(0, len(ids), BATCH):
            yield from export.entries(connection, settings, ids[start : start + BATCH])


def _theirs(settings: Settings, name: str, subset: int) -> dict[str, float]:
    """rdflib on what we write of the subset: serialising a graph, and building it first."""
    logging.getLogger("rdflib.term").setLevel(logging.CRITICAL)
    warnings.simplefilter("ignore")
    data = _document(settings, "nt", list(_entries(open_engine(settings), settings, subset)))
    triples = [_terms(quad.triple) for quad in ox.parse(data, format=ox.RdfFormat.N_TRIPLES)]

    def build() -> rdflib.Graph:
        graph = rdflib.Graph()
        for triple in triples:
            graph.add(triple)
        return graph

    graph = build()
    return {
        "serialise": _best(subset, lambda: graph.serialize(format=FORMATS[name], encoding="utf-8")),
        "build": _best(subset, lambda: build().serialize(format=FORMATS[name], encoding="utf-8")),
        "triples": len(triples) / subset,
    }


def _terms(triple: Any) -> tuple[Any, Any, Any]:
    return _term(triple.subject), rdflib.URIRef(triple.predicate.value), _term(triple.object)


def _term(term: Any) -> Any:
    if isinstance(term, ox.NamedNode):
        return rdflib.URIRef(term.value)
    if isinstance(term, ox.BlankNode):
        return rdflib.BNode(term.value)
    plain = term.language or term.datatype.value == "http://www.w3.org/2001/XMLSchema#string"
    return rdflib.Literal(term.value, lang=term.language, datatype=None if plain else term.datatype.value)


def _best(number: int, run: Callable[[], Any]) -> float:
    rates = []
    for _ in range(ROUNDS):
        started = time.process_time()
        run()
        rates.append(number / (time.process_time() - started))
    return max(rates)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


_STEPS: dict[str, Callable[[Settings, str, int], dict[str, float]]] = {
    "streamed": _streamed,
    "written": _written,
    "rdflib": _theirs,
}


def _table(rows: list[dict[str, Any]], number: int, subset: int) -> None:
    triples = rows[0]["rdflib"]["triples"]
    title = (
        f"{number:,} datasets from the database; rdflib and `written` on {subset:,} of them, {triples:.0f} triples each"
    )
    table = Table(title=title, title_justify="left")
    columns = ("format", "bytes", "export/s", "peak MB", "written/s", "rdflib serialise/s", "build+serialise/s")
    for column in (*columns, "export x serialise", "x build", "written x serialise", "x build"):
        table.add_column(column, justify="right")
    for row in rows:
        ours, written, theirs = row["streamed"], row["written"], row["rdflib"]
        rates = (ours["rate"], written["rate"])
        ratios = (rate / theirs[what] for rate in rates for what in ("serialise", "build"))
        figures = (ours["size"], ours["rate"], ours["megabytes"], written["rate"], theirs["serialise"], theirs["build"])
        table.add_row(row["name"], *(f"{figure:,.0f}" for figure in figures), *(f"{ratio:.1f}" for ratio in ratios))
    Console(width=150).print(table)


if __name__ == "__main__":
    main()
