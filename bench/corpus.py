"""The main job on real input: every recorded payload is served by a fake portal of its kind and harvested for real.

    python -m bench.corpus FOLDER [--large FILE] [--keep DIR]

Prints, by kind, what came and what became of it, the reasons of what failed, how many of the accepted datasets have
each field, and the vocabulary values that stand for no known concept.  Exit code 1 on anything unexpected.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy import Engine, select

from bench.recorded import Recording, belgium, recordings
from harvester import sources, worker
from harvester.catalogue import queries
from harvester.catalogue.database import migrate, open_engine, writing
from harvester.catalogue.packing import load_dataset
from harvester.catalogue.tables import documents, problems, records
from harvester.harvest import Result
from harvester.samples.serving import serve
from harvester.schedule import utcnow
from harvester.settings import Settings

LARGE = "eval/large/belgium_datagovbe_17828.jsonl.gz"
FIELDS = (
    "title", "description", "keyword", "theme", "publisher", "contact_point", "landing_page", "issued", "modified",
    "accrual_periodicity", "language", "spatial", "temporal", "license", "access_rights", "distribution",
)  # fmt: skip
PARTS = ("format", "media_type", "license", "byte_size", "download_url")
out = Console(width=160, highlight=False)


@dataclass
class Kind:
    """What became of the payloads of one kind."""

    files: int = 0
    payloads: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    unmatched: Counter[tuple[str, str]] = field(default_factory=Counter)


def main() -> None:
    """Replay the folder and print the tables."""
    parser = argparse.ArgumentParser(description="Replay recorded payloads of real portals.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--large", type=Path, help="a catalogue of data.gov.be as JSON lines")
    parser.add_argument("--keep", type=Path, help="keep the catalogue in this directory")
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        sys.exit(f"there is no folder {asked.folder}; name one: make corpus CORPUS=DIR")
    large = asked.large or asked.folder.parent / LARGE
    with tempfile.TemporaryDirectory() as scratch:
        sys.exit(_replay(asked.folder, large, asked.keep or Path(scratch)))


def _replay(folder: Path, large: Path, data: Path) -> int:
    settings = Settings(data=data, private_hosts=("127.0.0.1",), retries=0)
    engine = open_engine(settings)
    migrate(engine)
    kinds: dict[str, Kind] = defaultdict(Kind)
    for recording in _everything(folder, large):
        name, result = _harvest(engine, settings, recording)
        _count(engine, kinds[recording.kind], recording, name, result)
    _print(kinds, skipped=[p.name for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in kinds])
    unexpected = sum(
        number for kind in kinds.values() for reason, number in kind.reasons.items() if "unexpected" in reason
    )
    if unexpected:
        out.print(f"[red]{unexpected} unexpected errors")
    return 1 if unexpected else 0


def _everything(folder: Path, large: Path) -> Iterator[Recording]:
    yield from recordings(folder)
    if large.is_file():
        yield belgium(large)


def _harvest(engine: Engine, settings: Settings, recording: Recording) -> tuple[str, Result]:
    """Run one recording as a source of its own, through the real connector, client and catalogue."""
    name = sources.slug(f"{recording.kind} {recording.name}")[:90]
    server = serve(recording.portal())
    try:
        with writing(engine) as connection:
            url = server.url + recording.path
            sources.add(connection, url=url, connector=recording.connector, name=name, now=utcnow())
            row = sources.named(connection, name)
            claim = worker.begin(connection, row, "full", utcnow())
        return name, worker.execute(engine, settings, row, claim, utcnow)
    finally:
        server.close()


def _count(engine: Engine, kind: Kind, recording: Recording, name: str, result: Result) -> None:
    kind.files += 1
    kind.payloads += recording.payloads
    kind.counts["seen"] += result.tally.fetched
    kind.counts["warnings"] += result.tally.warnings
    kind.counts[f"run {result.status}"] += 1
    for action in ("created", "failed", "repeated"):
        kind.counts[action] += result.tally.counts[action]
    if result.status == "failed":
        kind.reasons[f"run stopped: {result.code}: {result.message}"] += 1
    with engine.connect() as connection:
        row = sources.named(connection, name)
        failed = select(problems.c.code, problems.c.message, problems.c.guid).where(
            problems.c.severity == "error", problems.c.run_id.in_([_run_id(connection, row.id)])
        )
        for problem in connection.execute(failed):
            if problem.guid is not None or result.status != "failed":
                kind.reasons[f"record: {problem.code}: {problem.message}"] += 1
        for value in queries.unmatched_values(connection, row.id, limit=100_000):
            kind.unmatched[value.vocabulary, value.text] += value.number
        _count_fields(connection, kind, row.id)


def _run_id(connection: Any, source_id: int) -> int:
    return int(queries.run_list(connection, source_id, limit=1)[0].id)


def _count_fields(connection: Any, kind: Kind, source_id: int) -> None:
    joined = select(documents.c.dataset).join(records, records.c.id == documents.c.record_id)
    where = (records.c.source_id == source_id, records.c.status == "active")
    for (blob,) in connection.execute(joined.where(*where).execution_options(yield_per=500)):
        dataset = load_dataset(blob)
        kind.filled["datasets"] += 1
        kind.filled.update(name for name in FIELDS if getattr(dataset, name))
        for distribution in dataset.distribution:
            kind.filled["distributions"] += 1
            kind.filled.update(f"distribution.{name}" for name in PARTS if getattr(distribution, name))


def _print(kinds: dict[str, Kind], skipped: list[str]) -> None:
    out.print(_totals(kinds))
    out.print(_fill_rates(kinds))
    for name, kind in kinds.items():
        for reason, number in kind.reasons.most_common(12):
            out.print(f"{name}: {number} x {escape(reason[:220])}")
    for name, kind in kinds.items():
        shown = "; ".join(f"{v} {t!r} {n}" for (v, t), n in kind.unmatched.most_common(15))
        out.print(f"{name}: {sum(kind.unmatched.values())} unmatched values: {escape(shown)}", soft_wrap=True)
    if skipped:
        out.print(f"no connector reads: {', '.join(skipped)}")


def _totals(kinds: dict[str, Kind]) -> Table:
    columns = ("seen", "created", "failed", "repeated", "warnings", "run succeeded", "run partial", "run failed")
    table = Table("kind", "files", "payloads", *columns, title="What became of the payloads", title_justify="left")
    for name, kind in kinds.items():
        table.add_row(name, str(kind.files), str(kind.payloads), *(str(kind.counts[c]) for c in columns))
    return table


def _fill_rates(kinds: dict[str, Kind]) -> Table:
    shown = {name: kind for name, kind in kinds.items() if kind.filled["datasets"]}
    table = Table("field", *shown, title="Fields filled per hundred datasets (distributions)", title_justify="left")
    for name in FIELDS:
        table.add_row(name, *(_rate(kind.filled, name, "datasets") for kind in shown.values()))
    for name in PARTS:
        part = f"distribution.{name}"
        table.add_row(part, *(_rate(kind.filled, part, "distributions") for kind in shown.values()))
    return table


def _rate(filled: Counter[str], name: str, of: str) -> str:
    return f"{100 * filled[name] / filled[of]:.0f}" if filled[of] else ""


if __name__ == "__main__":
    main()
