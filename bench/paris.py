"""The catalogue of Paris as Paris gave it in 2015 against what data.gouv.fr says came from there: every verdict.

python -m bench.paris [../shared/corpus]
"""

from __future__ import annotations

import csv
import gzip
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.reconcile import harvested_here, reconciled
from harvester import jsonio
from harvester.catalogue.database import migrate, open_engine
from harvester.reconcile.lines import Line
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.settings import Settings

CATALOGUE = "opendatasoft/fr-paris-public-ods-catalog-2015.csv"
_LONGEST = 10**8


def paris(folder: Path) -> list[dict[str, Any]]:
    """The rows of the export as the API lists them."""
    csv.field_size_limit(_LONGEST)
    with (folder / CATALOGUE).open(encoding="utf-8", newline="") as file:
        return [_row(row) for row in csv.DictReader(file)]


def _row(row: dict[str, str]) -> dict[str, Any]:
    default: dict[str, Any] = {name: value or None for name, value in row.items() if name and "." not in name}
    default |= {"keyword": [word.strip() for word in row["keyword"].split(",") if word.strip()]}
    default |= {"theme": [row["theme"]], "records_count": int(row["records_count"] or 0), "metadata_languages": ["fr"]}
    dcat = {name[5:]: value or None for name, value in row.items() if name and name.startswith("dcat.")}
    item = {"dataset_id": row["datasetid"], "visibility": "domain", "data_visible": True, "has_records": True}
    return item | {"features": [], "fields": [], "attachments": [], "metas": {"default": default, "dcat": dcat}}


def national(folder: Path, pattern: str = "fr-datagouv-*-20*-datasets-*.jsonl.gz") -> list[dict[str, Any]]:
    """Datasets of data.gouv.fr as they were saved over the years, the latest state of each."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((folder / "udata").glob(pattern)):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            row = jsonio.loads(line)
            found[row["id"]] = row | {"private": False, "archived": None, "deleted": None}
    return list(found.values())


def verdicts(folder: Path, data: Path) -> tuple[dict[str, Any], list[Line]]:
    """Both harvested into a catalogue of their own, and reconciled."""
    settings = Settings(data=data, private_hosts=("127.0.0.1",))
    engine = open_engine(settings)
    migrate(engine)
    try:
        portals = (
            ("paris", "opendatasoft", opendatasoft_portal(paris(folder), title="Paris"), "https://opendata.paris.fr"),
            ("national", "udata", udata_portal(national(folder), title="data.gouv.fr"), "https://www.data.gouv.fr"),
        )
        return reconciled(engine, *harvested_here(engine, settings, portals))
    finally:
        engine.dispose()


def _told(line: Line) -> Iterator[str]:
    for name, side in (("source", line.source), ("target", line.target)):
        if side:
            yield f"    {name}: {side.guid} {side.title!r} {side.modified or ''}"
    yield from (f"    {told}" for told in (line.why, *(one["words"] for one in line.fields), *line.evidence) if told)


def main() -> None:
    """Print every verdict."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/corpus")
    with tempfile.TemporaryDirectory() as data:
        counts, lines = verdicts(folder, Path(data))
    for line in lines:
        sys.stdout.write("\n".join([f"{line.verdict} {line.reason or ''}", *_told(line)]) + "\n")
    sys.stdout.write(f"{counts['source']}\n{counts['target']}\n{counts['reasons']}\n")


if __name__ == "__main__":
    main()
