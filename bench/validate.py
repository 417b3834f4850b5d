"""Zero violations on real input: recorded payloads are harvested, exported, checked by the official shapes.

python -m bench.validate [--corpus ../shared/corpus] [--large FILE] [--every K]

Exports of each source follow DCAT-AP 3.0.1, 2.1.1 and HVD 3.0.0 (its high-value datasets); each is read back as one
document and checked by the files of its profile.  Exit code 1 when anything violates them.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine

from bench.recorded import Recording, belgium, recordings
from harvester import export as dcat
from harvester import sources, worker
from harvester.catalogue import walking
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.rdf.entries import Entry
from harvester.rdf.export import export
from harvester.rdf.profiles import PROFILES
from harvester.samples import SAMPLES, start
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.settings import Settings
from harvester.streams import knower
from harvester.validate.feeds import Feed
from harvester.validate.findings import Finding, Severity, Totals
from harvester.validate.running import Asked, checked, parts_of, quieten

CORPUS = Path("../shared/corpus")
LARGE = "eval/large/belgium_datagovbe_17828.jsonl.gz"
_V3 = tuple(f"dcat-ap-3.0.1/{name}.ttl" for name in ("shapes", "range", "mdr-vocabularies.shape"))
_V2 = "dcat-ap-2.1.1/dcat-ap_2.1.1_shacl_"
# profile -> the official files.
SHAPES: dict[str, tuple[str, ...]] = {
    "dcat-ap-3.0.1": _V3,
    "dcat-ap-hvd-3.0.0": (*_V3, "dcat-ap-hvd-3.0.0/hvd-SHACL-full.ttl"),
    "dcat-ap-2.1.1": tuple(f"{_V2}{name}.ttl" for name in ("shapes", "range", "mdr-vocabularies.shape")),
}
PAGE = 200
MANY = 2000
out = Console(width=160, highlight=False)


@dataclass
class Kind:
    """What the exports of one kind of source came to, by profile."""

    files: int = 0
    datasets: int = 0
    totals: dict[str, Totals] = field(default_factory=lambda: {name: Totals() for name in SHAPES})
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SHAPES, 0.0))


@dataclass
class Bench:
    """One run: where the catalogue is, which shapes, every how many datasets, and what is wrong so far."""

    engine: Engine
    settings: Settings
    asked: dict[str, Asked]
    every: int
    failed: int = 0
    kinds: dict[str, Kind] = field(default_factory=lambda: defaultdict(Kind))
    examples: dict[tuple[str, str, str], Finding] = field(default_factory=dict)


def main() -> None:
    """Harvest, export, check, print."""
    parser = argparse.ArgumentParser(description="Validate what is exported of recorded portals.")
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--shapes", type=Path, help="folder of the official shapes; beside the corpus by default")
    parser.add_argument("--large", type=Path, help="a catalogue of data.gov.be as JSON lines")
    parser.add_argument("--no-large", action="store_true", help="leave the large catalogue out")
    parser.add_argument("--kind", action="append", help="only this kind; may be repeated")
    parser.add_argument("--every", type=int, default=1, help="of a large source only every k-th dataset")
    given = parser.parse_args()
    shapes = given.shapes or given.corpus.parent / "dcat-ap" / "shapes"
    if not given.corpus.is_dir() or not shapes.is_dir():
        sys.exit(f"{given.corpus} and {shapes} have to be there; name them: --corpus DIR --shapes DIR")
    quieten()
    large = None if given.no_large else given.large or given.corpus.parent / LARGE
    asked = {name: Asked(name, tuple(shapes / file for file in files), closed=True) for name, files in SHAPES.items()}
    with tempfile.TemporaryDirectory() as scratch:
        settings = Settings(data=Path(scratch), private_hosts=("127.0.0.1",), retries=0)
        engine = open_engine(settings)
        migrate(engine)
        bench = Bench(engine, settings, asked, given.every)
        _everything(bench, given.corpus, large, given.kind)
        sys.exit(_print(bench))


def _everything(bench: Bench, corpus: Path, large: Path | None, kinds: list[str] | None) -> None:
    for recording in _recordings(corpus, large):
        if not recording.broken and (not kinds or recording.kind in kinds):
            server = serve(recording.portal())
            try:
                name = f"{recording.kind} {recording.name}"
                _source(bench, recording.kind, name, server.url + recording.path, recording.connector)
            finally:
                server.close()
    if not kinds or "samples" in kinds:
        for running in start(SAMPLES):
            _source(bench, "samples", running.sample.name, running.url, running.sample.connector)
            running.close()


def _recordings(corpus: Path, large: Path | None) -> Iterator[Recording]:
    yield from recordings(corpus)
    if large is not None and large.is_file():
        yield belgium(large)


def _source(bench: Bench, kind: str, name: str, url: str, connector: str) -> None:
    """Harvest one source and check every export of it."""
    slug = sources.slug(name)[:90]
    with writing(bench.engine) as connection:
        sources.add(connection, url=url, connector=connector, name=slug, now=utcnow())
        row = sources.named(connection, slug)
        claim = worker.begin(connection, row, "full", utcnow())
    result = worker.execute(bench.engine, bench.settings, row, claim, utcnow)
    if result.status == "failed":
        # What is not harvested cannot be wrong either; some fixtures are no RDF, and are told so.
        bench.failed += result.code == "unexpected"
        out.print(escape(f"{name}: the run failed: {result.code}: {result.message}"), soft_wrap=True)
    found = bench.kinds[kind]
    found.files += 1
    with bench.engine.connect() as connection:
        size = walking.size(connection, walking.Stretch(row.id))
    before = _violations(found)
    for profile in SHAPES:
        started = time.monotonic()
        _check(bench, found, profile, row.id, size)
        found.seconds[profile] += time.monotonic() - started
    number = len(range(0, size, _step(bench, size)))
    found.datasets += number
    out.print(escape(f"{name}: {number} datasets, {_violations(found) - before} violations"), soft_wrap=True)


def _violations(kind: Kind) -> int:
    return sum(totals.of(Severity.VIOLATION) for totals in kind.totals.values())


def _step(bench: Bench, size: int) -> int:
    return bench.every if size > MANY else 1


def _check(bench: Bench, kind: Kind, profile: str, source_id: int, size: int) -> None:
    asked, totals = bench.asked[profile], kind.totals[profile]
    processes = 2 if size > MANY // 2 and (os.cpu_count() or 1) > 1 else 1
    with tempfile.TemporaryDirectory() as scratch:
        feed = Feed(Path(scratch) if size > MANY else None)
        about = dcat.info(bench.settings)
        entries = _entries(bench, source_id, _step(bench, size))
        for chunk in export(about, entries, "nt", PROFILES[profile], knower(bench.engine)):
            if chunk:
                feed.parse(chunk, about.iri)
        for problem in feed.problems:
            totals.counts[Severity.VIOLATION, "", "the document", problem] += 1
        for group, findings in checked(parts_of(feed, asked, asked.graph()), asked, processes):
            totals.datasets += sum(part.is_dataset for part in group)
            for finding in findings:
                if totals.new(finding) and finding.severity is Severity.VIOLATION:
                    bench.examples.setdefault((profile, finding.path, finding.problem), finding)


def _entries(bench: Bench, source_id: int, every: int) -> Iterator[Entry]:
    after = 0
    while True:
        with bench.engine.connect() as connection:
            ids = walking.ids(connection, walking.Stretch(source_id), after=after, limit=PAGE * every)
            entries = dcat.entries(connection, bench.settings, ids[::every])
        if not ids:
            return
        after = ids[-1]
        yield from entries


def _print(bench: Bench) -> int:
    table = Table(title="Violations of the official shapes, of so many datasets", title_justify="left")
    table.add_column("kind")
    for column in ("files", "datasets", *(column for name in SHAPES for column in (name, "ms each"))):
        table.add_column(column, justify="right")
    for name, kind in bench.kinds.items():
        table.add_row(name, str(kind.files), str(kind.datasets), *_cells(kind))
    out.print(table)
    violations = sum(_violations(kind) for kind in bench.kinds.values())
    for name, kind in bench.kinds.items():
        for profile, totals in kind.totals.items():
            _messages(bench, name, profile, totals)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    out.print(f"{violations} violations; {bench.failed} unexpected errors; peak memory {memory} MB")
    return 1 if violations or bench.failed else 0


def _cells(kind: Kind) -> Iterator[str]:
    for profile, totals in kind.totals.items():
        yield f"{totals.of(Severity.VIOLATION)} of {totals.datasets}"
        yield f"{1000 * kind.seconds[profile] / totals.datasets:.1f}" if totals.datasets else ""


def _messages(bench: Bench, kind: str, profile: str, totals: Totals) -> None:
    for (severity, path, label, problem), number in totals.counts.most_common():
        if severity is not Severity.VIOLATION:
            continue
        out.print(escape(f"{kind}, {profile}: {number} x {label} ({path}) {problem}"), soft_wrap=True)
        if (example := bench.examples.get((profile, path, problem))) is not None:
            place = f"{example.where or 'itself'} of {example.resource}"
            out.print(escape(f"    {place}, node {example.node}: {example.value}"), soft_wrap=True)


if __name__ == "__main__":
    main()
