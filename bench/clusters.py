"""One dataset once: how long a rebuilt catalogue takes, against reading its records, and what is found of what is true.

    python -m bench.clusters [--records 1000000] [--workers 2] [--folder FOLDER]

Of the records, two in five have a partner on another portal, in other words; a tenth are yearly series, a tenth have
one title; pages and files are shared.  Preparing is timed after every tenth of them.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from typing import TypeVar

import orjson
from rich.console import Console

from harvester.catalogue.clusters.whole import BATCH, Row, Whole
from harvester.catalogue.packing import load_dataset, squeeze

THINGS = (
    "Comptages",
    "Arbres",
    "Budget",
    "Stations",
    "Permis",
    "Accidents",
    "Marchés",
    "Horaires",
    "Parcelles",
    "Délais",
)
QUALITIES = ("remarquables", "annuels", "de quartier", "scolaires", "publics", "cyclables", "protégés", "numériques")
SYLLABLES = (
    "ba",
    "lo",
    "mer",
    "vil",
    "ton",
    "sau",
    "gre",
    "pin",
    "dor",
    "cla",
    "fon",
    "rey",
    "mon",
    "char",
    "bel",
    "ric",
)
console = Console()
T = TypeVar("T")


def main() -> None:
    """Make records, cluster them, compare with what is true."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        measure(asked.records, asked.workers, Path(folder))


def measure(number: int, workers: int, folder: Path) -> None:
    """Print what each step costs."""
    sample = min(number, 20_000)
    making = busy(lambda: sum(1 for _ in islice(rows(number), sample))) / sample
    reading = busy(lambda: sum(1 for row in islice(rows(number), sample) if load_dataset(row.said))) / sample
    floor = (reading - making) * number
    started, marks = time.perf_counter(), [time.perf_counter()]
    whole = Whole(folder)
    with ProcessPoolExecutor(workers) as pool:
        whole.fill(_marked(rows(number), number, marks), pool)
        prepared = time.perf_counter() - started - making * number
        pairs, pairing = timed(whole.pair)
        same, judging = timed(partial(whole.judge, pool))
    parts, parting = timed(lambda: list(whole.parts()))
    total = prepared + pairing + judging + parting
    steps = [round(after - before, 1) for before, after in pairwise(marks)]
    console.print(f"{number:,} records, {workers} processes: {total:,.0f} s, {number / total:,.0f} records/s")
    told = (("prepare", prepared), ("pair", pairing), ("judge", judging), ("cluster", parting))
    console.print("  " + ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in told))
    console.print(f"  seconds of each tenth: {steps}")
    console.print(f"  {pairs:,} pairs judged, {same:,} the same; {len(parts):,} datasets of several records")
    mine, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    spent = mine.ru_utime + mine.ru_stime + others.ru_utime + others.ru_stime - making * number
    console.print(
        f"  processor time: {spent:,.0f} s; reading the records alone {floor:,.0f} s, ratio {spent / floor:.1f}"
    )
    memory = (mine.ru_maxrss // 1024, others.ru_maxrss // 1024)
    console.print("  memory: {:,} MB, and {:,} MB the largest process beside it".format(*memory))
    compare(number, parts)
    whole.close()


def compare(number: int, parts: list[tuple[int, ...]]) -> None:
    """Print how many of the pairs that were found are true, and of the true ones were found."""
    found = {(a, b) for part in parts for a in sorted(part) for b in part if a < b}
    true = {(record - 1, record) for record in range(1, number + 1) if kind(record) == "copy"}
    right = len(found & true)
    console.print(
        f"  precision {right / max(1, len(found)):.4f}, recall {right / max(1, len(true)):.4f} of {len(true):,}"
    )
    for a, b in sorted(found - true)[:5]:
        console.print(f"  wrong: {title(a)} | {title(b)}", soft_wrap=True)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What comes of it, and the seconds it took."""
    before = time.perf_counter()
    return work(), time.perf_counter() - before


def busy(work: Callable[[], object]) -> float:
    """The processor time it took, whoever else uses the machine."""
    before = time.process_time()
    work()
    return time.process_time() - before


def kind(record: int) -> str:
    """What a record is, by its number: of ten, two pairs, one of a series, one with a title of thousands."""
    return ("lone", "lone", "source", "copy", "source", "copy", "series", "junk", "lone", "lone")[record % 10]


def rows(number: int) -> Iterator[Row]:
    """The records, as a catalogue keeps them."""
    for record in range(1, number + 1):
        portal = f"portal-{record % 10 * 50 + record // 10 % 50}"
        home = f"https://{portal}.example"
        yield Row(record, portal, f"g{record}", home, squeeze(orjson.dumps(said(record, home))))


def said(record: int, home: str) -> dict[str, object]:
    """What a record says; a copy says it in fewer words, and under an address of its own."""
    of = record - 1 if kind(record) == "copy" else record
    chance = Random(of)
    text = " ".join(word(chance) for _ in range(chance.randrange(20, 60)))
    file = f"https://files.example/{of if chance.random() < 0.6 else record}.csv"
    found: dict[str, object] = {
        "identifier": [f"g{record}"],
        "title": {"fr": title(of)},
        "publisher": {"name": {"fr": owner(of)}},
        "landing_page": [f"{home}/dataset/{record}"],
        "distribution": [{"title": {"fr": "CSV"}, "download_url": [file]}],
        "keyword": {"fr": [word(chance) for _ in range(4)]},
    }
    if kind(record) != "junk":
        found["description"] = {"fr": text if of == record else text[: len(text) * 9 // 10]}
    if kind(record) in ("source", "copy") and chance.random() < 0.2:
        found["uri"] = f"https://id.example/{of}"
    return found


def title(record: int) -> str:
    """Its title."""
    chance = Random(record // 500 if kind(record) == "series" else record)
    if kind(record) == "junk":
        return "Données ouvertes"
    plain = f"{chance.choice(THINGS)} {chance.choice(QUALITIES)} de {word(chance).title()} et {word(chance).title()}"
    return f"{plain} {1980 + record // 10 % 50}" if kind(record) == "series" else plain


def owner(record: int) -> str:
    """Whose it is."""
    return f"Commune de {word(Random(record // 500 + 10**9)).title()}"


def word(chance: Random) -> str:
    """A word that no language has."""
    return "".join(chance.choice(SYLLABLES) for _ in range(3))


def _marked(found: Iterator[Row], number: int, marks: list[float]) -> Iterator[Row]:
    step = max(BATCH, number // 10)
    for place, row in enumerate(found, 1):
        yield row
        if place % step == 0:
            marks.append(time.perf_counter())


if __name__ == "__main__":
    main()
