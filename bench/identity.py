"""How well records are judged: `python -m bench.identity PAIRS.jsonl RECORDS.jsonl.gz [--hide-urls] [--all]`.

Pairs: lines with two ids (or two records) and a label (1 or 0) or a relation; records: lines in any of the shapes that
`shapes` reads.  What is measured is what a harvest does: dataset, signs, blocks, then the rules.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from bench.identity_records import Known, labelled, named, record_ids, signs_from
from harvester.identity.blocks import LIMITS, Block, blocks
from harvester.identity.judge import Decision, Judgement, Shared, judge
from harvester.identity.signs import Signs

_SHOWN = 20
_TIMED = 2_000
out = Console(width=200, markup=False, highlight=False, soft_wrap=True)
_LOOKED_AT = (Decision.SAME, Decision.RELATED)


@dataclass
class Held:
    """Every record by each of its ids, and how many records hold each block."""

    signs: dict[str, Known] = field(default_factory=dict)
    holders: Counter[Block] = field(default_factory=Counter)
    blocks: dict[int, frozenset[Block]] = field(default_factory=dict)

    def add(self, raw: Mapping[str, Any], hide: bool) -> Known:
        """Read one record."""
        known = signs_from(raw, hide)
        mine = frozenset(blocks(known.signs))
        self.blocks[id(known)] = mine
        self.holders.update(mine)
        for name in record_ids(raw):
            self.signs.setdefault(name, known)
        return known

    def shared(self, a: Known, b: Known) -> Shared:
        """The live blocks that both have."""
        both = self.blocks[id(a)] & self.blocks[id(b)]
        return Shared(frozenset(block for block in both if self.holders[block] <= LIMITS[block[0]]))


@dataclass(frozen=True)
class Judged:
    """One labelled pair and what became of it."""

    a: Signs
    b: Signs
    relation: str
    found: Judgement
    met: bool

    @property
    def same(self) -> bool:
        """Whether both are labelled one dataset."""
        return self.relation == "same"


def main(argv: Sequence[str] | None = None) -> None:
    """Judge the labelled pairs and print how many are right."""
    asked = _asked(argv)
    held = Held()
    started = time.perf_counter()
    for raw in lines(asked.records) if asked.records else ():
        held.add(raw, asked.hide_urls)
    read = time.perf_counter() - started
    judged = list(_judged(held, lines(asked.pairs), asked))
    if not judged:
        sys.exit("no pair of these records is labelled")
    out.print(f"{len(held.blocks)} records read in {read:.1f} s; {len(judged)} labelled pairs found")
    _report(judged, asked.all)
    _speed(judged)


def _asked(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("records", type=Path, nargs="?")
    parser.add_argument(
        "--hide-urls", action="store_true", help="without addresses, and identifiers that are addresses"
    )
    parser.add_argument("--only", default="", help="pairs of which one id holds this text")
    parser.add_argument("--without", default="", help="pairs of which no id holds this text")
    parser.add_argument("--all", action="store_true", help="list every wrong pair")
    return parser.parse_args(argv)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, or of one list; packed or not."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode("utf-8-sig")
    if text.lstrip().startswith("["):
        yield from json.loads(text)
        return
    yield from (json.loads(line) for line in text.split("\n") if line.strip())


def _judged(held: Held, pairs: Iterable[Mapping[str, Any]], asked: argparse.Namespace) -> Iterator[Judged]:
    missing = 0
    for pair in pairs:
        relation, sides = labelled(pair), named(pair)
        text = json.dumps(sides)
        if asked.only not in text or (asked.without and asked.without in text):
            continue
        a, b = (held.add(side, asked.hide_urls) if isinstance(side, dict) else held.signs.get(side) for side in sides)
        if relation is None or a is None or b is None:
            missing += 1
            continue
        shared = held.shared(a, b)
        same_source = bool(a.source) and a.source == b.source
        yield Judged(
            a.signs,
            b.signs,
            relation,
            judge(a.signs, b.signs, shared=shared, same_source=same_source),
            bool(shared.blocks),
        )
    if missing:
        out.print(f"{missing} pairs left out: no label, or a record that is not there")


def _report(judged: list[Judged], everything: bool) -> None:
    _figures("same", [(pair.same, pair.found.decision is Decision.SAME and pair.met) for pair in judged])
    near = ("same", "related")
    _figures(
        "same or related", [(pair.relation in near, pair.found.decision in _LOOKED_AT and pair.met) for pair in judged]
    )
    likely = (Decision.SAME, Decision.PROBABLE)
    _figures("same or probable", [(pair.same, pair.found.decision in likely and pair.met) for pair in judged])
    met = sum(pair.met for pair in judged if pair.same)
    out.print(f"recall of the blocks: {met}/{sum(pair.same for pair in judged)}")
    out.print("\nrule                     decision    pairs   of them the same")
    rules = Counter((pair.found.rule, pair.found.decision, pair.same) for pair in judged)
    for rule, decision in sorted({(rule, decision) for rule, decision, _ in rules}):
        right, wrong = rules[rule, decision, True], rules[rule, decision, False]
        out.print(f"{rule:24} {decision:10} {right + wrong:6} {right:8}")
    _list(
        "joined and not the same", [p for p in judged if p.found.decision is Decision.SAME and not p.same], everything
    )
    _list(
        "the same and not joined", [p for p in judged if p.found.decision is not Decision.SAME and p.same], everything
    )


def _speed(judged: list[Judged]) -> None:
    """The cost of judging, beside that of reading the signs back from where they are kept."""
    stored = [(pair.a.packed(), pair.b.packed()) for pair in judged[:_TIMED]]
    started = time.process_time()
    pairs = [(Signs.unpacked(a), Signs.unpacked(b)) for a, b in stored]
    between = time.process_time()
    for a, b in pairs:
        judge(a, b, shared=Shared(), same_source=False)
    reading, judging = between - started, time.process_time() - between
    size = sum(len(a) + len(b) for a, b in stored) / 2 / len(stored)
    per_pair = 1e6 * judging / len(pairs)
    out.print(
        f"judging: {per_pair:.0f} us a pair, {judging / (reading or 1):.1f} times reading it; signs: {size:.0f} bytes"
    )


def _figures(name: str, told: list[tuple[bool, bool]]) -> None:
    hits = sum(truth and found for truth, found in told)
    precision = hits / (sum(found for _, found in told) or 1)
    recall = hits / (sum(truth for truth, _ in told) or 1)
    f1 = 2 * precision * recall / ((precision + recall) or 1)
    out.print(f"{name:18} precision {precision:.4f}  recall {recall:.4f}  F1 {f1:.4f}")


def _list(heading: str, pairs: list[Judged], everything: bool) -> None:
    out.print(f"\n{heading}: {len(pairs)}")
    for pair in pairs if everything else pairs[:_SHOWN]:
        out.print(
            f"- {_shown(pair.a)}\n  {_shown(pair.b)}\n  {pair.found.decision}, {pair.found.rule}"
            + ("" if pair.met else ", never met")
        )
        out.print(f"    {'; '.join(pair.found.evidence)}")


def _shown(signs: Signs) -> str:
    titles = " | ".join(" ".join((*title.main, *title.aside)) for title in signs.titles[:2])
    return f"{titles or '(no title)'} ({', '.join(signs.owners[:1])})"


if __name__ == "__main__":
    main()
