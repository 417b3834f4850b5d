"""Scores of many datasets, by both rules, what is lost for what, and what a fix would win: pure, from counted patterns.

The number of distinct patterns is small however many datasets there are, so that every figure is exact and quick.

- `mean`: the mean of the scores of the datasets, each with its best distribution.
- `share`: one dataset that stands for all: each indicator gives its points times the share of what meets it, of the
  datasets for what is decided on datasets, of all distributions for the others; of link checks, of what was checked.
  data.europa.eu shows a catalogue so, with each share rounded to whole per cents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from harvester.quality.indicators import (
    BY_NAME,
    CHECKED,
    FILLED_IN,
    INDICATORS,
    Dimension,
    Indicator,
    Level,
    band,
    mask,
    points_of,
    with_needs,
)
from harvester.quality.mqa import FILLED, Part, Reading, lacking, masks, part_of, pattern_of

_ON_PARTS = mask(item.name for item in INDICATORS if item.level is not Level.DATASET)


class Rule(StrEnum):
    """How the scores of many datasets become one."""

    MEAN = "mean"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many datasets and distributions have each pattern."""

    datasets: Mapping[int, int] = field(default_factory=dict)
    distributions: Mapping[int, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many datasets."""
        return sum(self.datasets.values())


@dataclass(frozen=True, slots=True)
class Share:
    """How many meet an indicator, of how many that it was decided for, and its points."""

    indicator: Indicator
    met: int
    of: int
    points: float


@dataclass(frozen=True, slots=True)
class Result:
    """The score of many datasets by one rule."""

    rule: Rule
    reading: Reading
    shares: tuple[Share, ...]

    @property
    def points(self) -> float:
        """Of 405."""
        return sum(share.points for share in self.shares)

    @property
    def dimensions(self) -> dict[Dimension, float]:
        """Points by dimension."""
        return {
            each: sum(share.points for share in self.shares if share.indicator.dimension is each) for each in Dimension
        }

    @property
    def band(self) -> str:
        """The rating."""
        return band(self.points)


@dataclass(frozen=True, slots=True)
class Fix:
    """What would be won by mending one thing in all datasets that lack it.

    `datasets` lack it and `unchecked` may; `to_win` are the points the mean rises by, `after` what both rules give
    then.  `along` are the points of all of them for what they lack as well and comes with it.
    """

    indicator: Indicator
    datasets: int
    unchecked: int
    to_win: float
    after: Mapping[Rule, float]
    along: int = 0

    @property
    def words(self) -> str:
        """In one sentence; what is won is the mean of the points that it names."""
        more = f", and {self.along:,} more for what comes with it" if self.along else ""
        if self.datasets == 1:
            return f"one dataset does not have this: {self.indicator.title}: {self.indicator.points} points{more}"
        return f"these {self.datasets:,} datasets {self.indicator.lacks}: {self.indicator.points} points each{more}"


def result(tally: Tally, rule: Rule, reading: Reading = Reading.NOW) -> Result:
    """The score by one rule; without datasets there are no points."""
    mean = _mean(tally, reading)
    return Result(rule, reading, mean if rule is Rule.MEAN else _shared(tally, reading, mean))


def results(tally: Tally) -> dict[tuple[Rule, Reading], Result]:
    """The scores by every rule in every reading."""
    found: dict[tuple[Rule, Reading], Result] = {}
    for reading in Reading:
        mean = _mean(tally, reading)
        shares = {Rule.MEAN: mean, Rule.SHARE: _shared(tally, reading, mean)}
        found |= {(rule, reading): Result(rule, reading, shares[rule]) for rule in Rule}
    return {(rule, reading): found[rule, reading] for rule in Rule for reading in Reading}


def fixes(tally: Tally) -> list[Fix]:
    """What can be won, most first; what is nowhere lacking is left out."""
    mending = _Mending(tally)
    found = [mending.fix(item) for item in (*INDICATORS, FILLED_IN)]
    return sorted((fix for fix in found if fix.datasets or fix.unchecked), key=lambda fix: (-fix.to_win, fix.datasets))


def mended(tally: Tally, names: Iterable[str]) -> Tally:
    """What would be counted after these were mended, in the best distribution of each dataset that lacks one.

    For the shares: in every distribution.
    """
    mended_all, on_parts = Counter[int](), Counter[int]()
    known = [name for name in names if name in BY_NAME]
    for pattern, number in tally.datasets.items():
        missing = with_needs(name for name in known if lacking(pattern, name))
        mended_all[pattern | missing | missing << len(INDICATORS)] += number
    wanted = with_needs(known) & _ON_PARTS
    for pattern, number in tally.distributions.items():
        part = part_of(pattern)
        on_parts[pattern_of(Part(part.met | wanted & ~part.unknown, part.unknown))] += number
    return Tally(mended_all, on_parts)


class _Mending:
    """What each fix would win: only what it changes is computed anew."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._size = tally, tally.size
        self._datasets = [(pattern, *masks(pattern), number) for pattern, number in tally.datasets.items()]
        self._parts = [(part_of(pattern), number) for pattern, number in tally.distributions.items()]
        self._mean = result(tally, Rule.MEAN).points
        self._shares = {share.indicator.name: share for share in result(tally, Rule.SHARE).shares}
        self._share = sum(share.points for share in self._shares.values())

    def fix(self, item: Indicator) -> Fix:
        """One of them."""
        if item is FILLED_IN:
            number = sum(number for pattern, _, _, number in self._datasets if pattern & FILLED)
            return Fix(item, number, 0, 0.0, {Rule.MEAN: self._mean, Rule.SHARE: self._share})
        wanted, gained, unchecked = with_needs((item.name,)), Counter[int](), 0
        for _, now, checked, number in self._datasets:
            if now & item.bit:
                continue
            if item.name in CHECKED and checked & item.bit:
                unchecked += number
            else:
                gained[wanted & ~now] += number
        won = sum(points_of(bits) * number for bits, number in gained.items())
        to_win = won / self._size if self._size else 0.0
        after = {Rule.MEAN: self._mean + to_win, Rule.SHARE: self._shared(wanted, gained)}
        return Fix(item, gained.total(), unchecked, to_win, after, won - item.points * gained.total())

    def _shared(self, wanted: int, gained: Counter[int]) -> float:
        """The score by shares, with these in every distribution and in the datasets that gain them."""
        points = self._share
        for name, share in self._shares.items():
            bit = share.indicator.bit
            on_parts = share.indicator.level is Level.DISTRIBUTION
            if wanted & bit:
                of = sum(number for part, number in self._parts if not part.unknown & bit) if on_parts else share.of
                met = of if on_parts else share.met + sum(number for bits, number in gained.items() if bits & bit)
            elif name == "download_url_status" and wanted & BY_NAME["download_url"].bit:
                of = sum(number for part, number in self._parts if not part.unknown & bit)
                met = share.met
            else:
                continue
            points += _share(share.indicator, met, of).points - share.points
        return points


def _share(indicator: Indicator, met: int, of: int) -> Share:
    return Share(indicator, met, of, indicator.points * met / of if of else 0.0)


def _mean(tally: Tally, reading: Reading) -> tuple[Share, ...]:
    met, of = _counted([(_mask(pattern, reading), number) for pattern, number in tally.datasets.items()]), tally.size
    return tuple(_share(item, met[item.bit], of) for item in INDICATORS)


def _shared(tally: Tally, reading: Reading, mean: tuple[Share, ...]) -> tuple[Share, ...]:
    parts = [(part_of(pattern), number) for pattern, number in tally.distributions.items()]
    met = _counted([(part.met | _hoped(part, reading), number) for part, number in parts])
    every = sum(number for _, number in parts)
    asked = {name: sum(number for part, number in parts if _asked(part, BY_NAME[name], reading)) for name in CHECKED}
    return tuple(
        _share(share.indicator, met[share.indicator.bit], asked.get(share.indicator.name, every))
        if share.indicator.level is Level.DISTRIBUTION
        else share
        for share in mean
    )


def _counted(rows: list[tuple[int, int]]) -> dict[int, int]:
    """How many have each bit."""
    return {item.bit: sum([number for bits, number in rows if bits & item.bit]) for item in INDICATORS}


def _asked(part: Part, indicator: Indicator, reading: Reading) -> bool:
    """Whether a distribution counts for a link check: it has such a link, and it was checked."""
    has_link = indicator.name != "download_url_status" or bool(part.met & BY_NAME["download_url"].bit)
    return has_link and not (part.unknown & ~_hoped(part, reading) & indicator.bit)


def _hoped(part: Part, reading: Reading) -> int:
    return part.unknown if reading is Reading.CHECKED else 0


def _mask(pattern: int, reading: Reading) -> int:
    now, checked = masks(pattern)
    return now if reading is Reading.NOW else checked
