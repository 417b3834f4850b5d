"""DCAT feeds of 100 MB into cleaned datasets, against rdflib's parse and plain property reads in the same run.

The feed goes the whole way of the connector: from the bytes of the answer to `Dataset`, without a database.  rdflib
reads a part of the same feed (a tenth, for it holds all of it in memory) and is scaled by its bytes; `--whole-peer`
gives it all.  Each measurement is a process of its own, and counts its processor time: both use one core.

    python -m bench.dcat_read [--megabytes 100] [--syntax turtle] [--whole-peer]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import rdflib
from rich.console import Console
from rich.table import Table

from bench.feeds import SYNTAXES, TYPES, feed
from connectors import dcat
from harvester import garbage
from harvester.connector import Source, Walk
from harvester.http import Http
from harvester.settings import Settings

MEGABYTE = 1_000_000
PEER_SHARE = 10
_URL = "http://127.0.0.1/feed"
_PIECE = 1 << 16


def main() -> None:
    """Measure every syntax and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--syntax", action="append", choices=SYNTAXES)
    parser.add_argument("--whole-peer", action="store_true", help="rdflib reads all of the feed, not a tenth of it")
    parser.add_argument("--step", nargs=3, metavar=("STEP", "SYNTAX", "PATH"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        # As the command line has it; for rdflib too, which gains from it.
        garbage.seldom()
        step, syntax, path = asked.step
        sys.stdout.write(json.dumps(_STEPS[step](Path(path), syntax)))
        return
    share = 1 if asked.whole_peer else PEER_SHARE
    rows = [_measured(syntax, asked.megabytes * MEGABYTE, share) for syntax in asked.syntax or SYNTAXES]
    _print(rows, asked.megabytes, share)


def _measured(syntax: str, size: int, share: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        whole, part = Path(folder) / "whole", Path(folder) / "part"
        number = feed(whole, syntax, size)
        ours = _child("ours", syntax, whole)
        if ours["datasets"] != number:
            raise SystemExit(f"{syntax}: {ours['datasets']} datasets were read, {number} were written")
        feed(part, syntax, size // share)
        return {"syntax": syntax, "ours": ours, "peer": _child("peer", syntax, part)}


def _child(step: str, syntax: str, path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.dcat_read", "--step", step, syntax, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


class _Portal(httpx.BaseTransport):
    """Answers every request with the feed, a piece at a time."""

    def __init__(self, path: Path, content_type: str) -> None:
        self._path, self._type = path, content_type

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": self._type}, stream=_File(self._path), request=request)


class _File(httpx.SyncByteStream):
    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece


def _ours(path: Path, syntax: str) -> dict[str, float]:
    source = Source("bench", _URL)
    started, number = time.process_time(), 0
    settings = Settings(private_hosts=("127.0.0.1",))
    with Http(settings, transport=_Portal(path, TYPES[syntax])) as http:
        for page in dcat.fetch(source, http, Walk()):
            for record in page.records:
                number += bool(dcat.normalise(record, source))
    return _figures(path, number, started)


_DCAT, _DCT = rdflib.Namespace("http://www.w3.org/ns/dcat#"), rdflib.Namespace("http://purl.org/dc/terms/")
_FOAF, _VCARD = rdflib.Namespace("http://xmlns.com/foaf/0.1/"), rdflib.Namespace("http://www.w3.org/2006/vcard/ns#")
_LOCN, _ADMS = rdflib.Namespace("http://www.w3.org/ns/locn#"), rdflib.Namespace("http://www.w3.org/ns/adms#")
# What ckanext-dcat reads of a dataset, of the nodes it points to, and of each distribution.
_PROPERTIES = (
    *(_DCT.title, _DCT.description, _DCAT.keyword, _DCAT.theme, _DCT.issued, _DCT.modified, _DCT.identifier),
    *(_DCT.accrualPeriodicity, _DCT.language, _DCT.license, _DCT.accessRights, _DCAT.landingPage, _ADMS.identifier),
)
_NESTED = {
    _DCT.publisher: (_FOAF.name, _FOAF.mbox, _FOAF.homepage),
    _DCAT.contactPoint: (_VCARD.fn, _VCARD.hasEmail),
    _DCT.temporal: (_DCAT.startDate, _DCAT.endDate),
    _DCT.spatial: (_LOCN.geometry, _DCAT.bbox, _DCAT.centroid),
    _DCAT.distribution: (
        *(_DCT.title, _DCT.description, _DCAT.accessURL, _DCAT.downloadURL, _DCT.format, _DCAT.mediaType),
        *(_DCAT.byteSize, _DCT.license, _DCT.issued, _DCT.modified),
    ),
}


def _peer(path: Path, syntax: str) -> dict[str, float]:
    started, number = time.process_time(), 0
    graph = rdflib.Graph().parse(str(path), format=_RDFLIB[syntax])
    for dataset in graph.subjects(rdflib.RDF.type, _DCAT.Dataset):
        number += bool(_read(graph, dataset))
    return _figures(path, number, started)


def _read(graph: rdflib.Graph, dataset: Any) -> dict[Any, Any]:
    said = _values(graph, dataset, _PROPERTIES)
    nested = {
        predicate: [_values(graph, node, properties) for node in graph.objects(dataset, predicate)]
        for predicate, properties in _NESTED.items()
    }
    return said | nested


def _values(graph: rdflib.Graph, node: Any, properties: tuple[Any, ...]) -> dict[Any, Any]:
    return {predicate: [str(value) for value in graph.objects(node, predicate)] for predicate in properties}


_RDFLIB = {"rdfxml": "xml", "turtle": "turtle", "ntriples": "nt", "jsonld": "json-ld"}
_STEPS: dict[str, Callable[[Path, str], dict[str, float]]] = {"ours": _ours, "peer": _peer}


def _figures(path: Path, number: int, started: float) -> dict[str, float]:
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"datasets": number, "bytes": path.stat().st_size, "seconds": seconds, "peak": peak}


def _print(rows: list[dict[str, Any]], megabytes: int, share: int) -> None:
    scale = "of the same feed" if share == 1 else f"of the first 1/{share} of the same feed, scaled by its bytes"
    table = Table(title=f"DCAT feeds of {megabytes} MB to datasets; rdflib: {scale}")
    headings = ("syntax", "datasets", "datasets/s", "MB/s", "peak MB", "rdflib MB/s", "rdflib peak MB", "times as fast")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        ours, peer = row["ours"], row["peer"]
        speeds = [found["bytes"] / MEGABYTE / found["seconds"] for found in (ours, peer)]
        table.add_row(
            row["syntax"],
            f"{ours['datasets']:.0f}",
            f"{ours['datasets'] / ours['seconds']:.0f}",
            f"{speeds[0]:.1f}",
            f"{ours['peak']:.0f}",
            f"{speeds[1]:.2f}",
            f"{peer['peak']:.0f}",
            f"{speeds[0] / speeds[1]:.1f}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
