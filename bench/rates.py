"""How much of what portals write stands for a concept, by vocabulary: every recorded payload, through the connectors.

    python -m bench.rates [FOLDER] [--large FILE] [--most N]

What is counted: the values that are not empty and belong to a vocabulary, once for each dataset that has them.  Ten
files of one dataset that say "csv" are one value; a dataset recorded several times under one kind of portal is one
dataset, its values those of all its recordings; recorded under two kinds it is one of each, in the totals too.  What
says that nothing is known ("not specified", "unknown") counts like any other value: it is resolved where the vocabulary
has a concept for it, and unresolved where it has none, also when the mapping leaves it out.  What the mapping adds by
itself (the format of a file by its suffix) is no value of the source and is not counted.  A location counts for its
place where it has a name, a code or an address; a bare shape names nothing.  The folder `edge-fixtures` was written by
developers, not by portals: it has a column, and no part in the totals.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.recorded import Recording, belgium, recordings
from connectors.filing import names_no_licence
from harvester import registry
from harvester.connector import Record, Source, Walk
from harvester.errors import HarvesterError
from harvester.fields.terms import matched
from harvester.http import Http
from harvester.model import Dataset, Location
from harvester.model.legal import PROSE
from harvester.samples.serving import as_transport
from harvester.settings import Settings
from harvester.vocabularies import VOCABULARIES

FOLDER = Path("../shared/corpus")
HOST = "portal.example"
APART = "edge-fixtures"
TARGETS = {
    "licences": 97, "frequencies": 98, "formats and media types": 97, "themes": 90, "languages": 99, "places": 85,
}  # fmt: skip
GROUPS = {
    "licence": "licences", "frequency": "frequencies", "file-type": "formats and media types",
    "media-type": "formats and media types", "data-theme": "themes", "language": "languages", "place": "places",
}  # fmt: skip
out = Console(width=180, highlight=False)


class Value(NamedTuple):
    """One value of one dataset: its vocabulary, its text, and whether it names no value."""

    vocabulary: str
    text: str
    absent: bool = False


@dataclass
class Seen:
    """The values of one kind of portal, each with the datasets that have it and whether it resolved."""

    datasets: int = 0
    failed: int = 0
    values: Counter[tuple[Value, bool]] = field(default_factory=Counter)


def main() -> None:
    """Replay the folder and print the tables; exit code 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--large", type=Path, help="a catalogue of data.gov.be as JSON lines")
    parser.add_argument("--most", type=int, default=12, help="how many unresolved texts to print for each vocabulary")
    asked = parser.parse_args()
    if not asked.folder.is_dir():
        sys.exit(f"there is no folder {asked.folder}; name one: python -m bench.rates FOLDER")
    kinds = seen_in([*recordings(asked.folder), *([belgium(asked.large)] if asked.large else [])])
    sys.exit(_print(kinds, asked.most))


def seen_in(played: Iterable[Recording]) -> dict[str, Seen]:
    """The values of every recording, by kind of portal."""
    found: dict[str, dict[tuple[str, str], set[tuple[Value, bool]]]] = defaultdict(lambda: defaultdict(set))
    kinds: dict[str, Seen] = defaultdict(Seen)
    for recording in played:
        if recording.broken:
            continue
        for record, source in _records(recording):
            try:
                dataset = registry.connector(recording.connector).normalise(record, source)
            except HarvesterError:
                kinds[recording.kind].failed += 1
                continue
            found[recording.kind][recording.connector, record.guid] |= set(_values(dataset, record.payload))
    for kind, datasets in found.items():
        kinds[kind].datasets = len(datasets)
        kinds[kind].values.update(value for values in datasets.values() for value in values)
    return kinds


def _records(recording: Recording) -> Iterator[tuple[Record, Source]]:
    """The records of a recording, fetched by the real connector from a portal that plays it."""
    module = registry.connector(recording.connector)
    source = Source("recorded", f"http://{HOST}{recording.path}", module.Options())
    settings = Settings(private_hosts=(HOST,), retries=0)
    with Http(settings, transport=as_transport(recording.portal()), sleep=lambda _: None) as http:
        try:
            for page in module.fetch(source, http, Walk()):
                yield from ((record, source) for record in page.records)
        except HarvesterError as error:
            out.print(f"{recording.kind} {recording.name}: {escape(str(error))[:150]}")


def _values(dataset: Dataset, payload: Any) -> Iterator[tuple[Value, bool]]:
    """Every value of the dataset and whether it stands for a concept."""
    leaves = {text.strip().casefold() for text in _texts(payload)}
    written = "\n".join(leaves)
    for vocabulary, term in dataset.terms():
        resolved = matched(vocabulary, term)
        concept = VOCABULARIES[vocabulary].concept(term.uri) if resolved and term.uri else None
        own = concept is not None and term.text in (concept.uri, concept.code)
        if own and concept and concept.code.casefold() not in leaves and term.text.casefold() not in written:
            # The mapping's own words, where a suffix or a badge tells what no text does.
            continue
        yield Value(vocabulary, term.text, vocabulary == "licence" and names_no_licence(term.text)), resolved
    for location in _locations(dataset):
        if location.place is None and (name := next(iter(location.name.values()), None)):
            yield Value("place", name), False
    licensed = any(vocabulary == "licence" for vocabulary, _ in dataset.terms())
    if not licensed and (text := next(_left_out(payload), None)):
        yield Value("licence", text, True), False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _locations(dataset: Dataset) -> Iterator[Location]:
    for part in (dataset, *dataset.distribution, *dataset.service):
        yield from (found for found in getattr(part, "spatial", ()))


def _left_out(value: Any, key: str = "") -> Iterator[str]:
    """The texts under a licence's key that name none: the mapping drops them, or keeps a paragraph as rights."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _left_out(inner, f"{key} {name}" if "licen" in key else str(name).lower())
    elif isinstance(value, list):
        for inner in value:
            yield from _left_out(inner, key)
    elif isinstance(value, str) and "licen" in key and (names_no_licence(value) or len(value) > PROSE):
        yield value


def _print(kinds: dict[str, Seen], most: int) -> int:
    total = of_portals(kinds)
    out.print(", ".join(f"{name}: {seen.datasets} datasets ({seen.failed} failed)" for name, seen in kinds.items()))
    out.print(_rates("Values, once for each dataset that has them", total))
    out.print(_rates("Distinct strings", Counter(dict.fromkeys(total, 1))))
    out.print(_by_kind(kinds))
    for vocabulary in GROUPS:
        _print_unresolved(vocabulary, total, most)
    return int(any(rate < TARGETS[name] for name, rate in group_rates(total).items()))


def of_portals(kinds: dict[str, Seen]) -> Counter[tuple[Value, bool]]:
    """The values of all kinds that portals wrote."""
    total: Counter[tuple[Value, bool]] = Counter()
    for name, seen in kinds.items():
        if name != APART:
            total.update(seen.values)
    return total


def group_rates(values: Counter[tuple[Value, bool]]) -> dict[str, float]:
    """The share of the values that resolve, in per cent, for each group that has a target."""
    groups = {name: _share(values, lambda v, name=name: GROUPS.get(v.vocabulary) == name) for name in TARGETS}
    return {name: 100 * resolved / number for name, (number, resolved) in groups.items() if number}


def _share(values: Counter[tuple[Value, bool]], fits: Any) -> tuple[int, int]:
    chosen = [(resolved, number) for (value, resolved), number in values.items() if fits(value)]
    return sum(number for _, number in chosen), sum(number for resolved, number in chosen if resolved)


def _rates(title: str, values: Counter[tuple[Value, bool]]) -> Table:
    """The last two columns leave out what names no value ("not specified", a paragraph of conditions)."""
    columns = ("values", "resolved", "rate", "target", "name none", "rate of the others")
    table = Table("vocabulary", *columns, title=title, title_justify="left")
    names = [*TARGETS, *sorted({value.vocabulary for value, _ in values} - GROUPS.keys())]
    for name in names:
        number, resolved = _share(values, lambda v, name=name: GROUPS.get(v.vocabulary, v.vocabulary) == name)
        said, _ = _share(values, lambda v, name=name: GROUPS.get(v.vocabulary, v.vocabulary) == name and not v.absent)
        if number:
            target = f"{TARGETS[name]} %" if name in TARGETS else ""
            others = f"{100 * resolved / said:.1f} %" if said else ""
            rate = f"{100 * resolved / number:.1f} %"
            table.add_row(name, str(number), str(resolved), rate, target, str(number - said), others)
    return table


def _by_kind(kinds: dict[str, Seen]) -> Table:
    table = Table("vocabulary", *kinds, title="Rate by kind of portal (resolved/values)", title_justify="left")
    for name in TARGETS:
        shares = [_share(seen.values, lambda v, n=name: GROUPS.get(v.vocabulary) == n) for seen in kinds.values()]
        table.add_row(name, *(f"{100 * r / n:.0f} % ({r}/{n})" if n else "" for n, r in shares))
    named = [_share(seen.values, lambda v: v.vocabulary == "licence" and not v.absent) for seen in kinds.values()]
    table.add_row("licences that name one", *(f"{100 * r / n:.0f} % ({r}/{n})" if n else "" for n, r in named))
    return table


def _print_unresolved(vocabulary: str, values: Counter[tuple[Value, bool]], most: int) -> None:
    left: Counter[str] = Counter()
    for (value, resolved), number in values.items():
        if value.vocabulary == vocabulary and not resolved:
            left[value.text] += number
    shown = "; ".join(f"{text[:70]!r} {number}" for text, number in left.most_common(most))
    out.print(f"{vocabulary}: {len(left)} texts unresolved: {escape(shown)}", soft_wrap=True)


if __name__ == "__main__":
    main()
