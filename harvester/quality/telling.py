"""How quality is told: the same figures as plain values for programs, as text for people, as CSV for producers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harvester.history.diffs import one_line, safe
from harvester.quality.aggregating import Fix, Result, Rule, Tally, fixes, mended, result, results
from harvester.quality.indicators import ALL, BY_NAME, FILLED_IN, INDICATORS, MOST, MOST_OF, Indicator, band, points_of
from harvester.quality.mqa import FILLED, Part, Reading, Score, lacking, masks
from harvester.quality.reading import Lacking

COLUMNS = ("source", "guid", "title", "url", "dataset", "points", "lacks", "fix", "all_gaps")
SUMMARY = ("indicator", "dimension", "points", "mean_met", "mean_of", "mean_points", "share_met", "share_of",
           "share_points")  # fmt: skip
FIXES = ("indicator", "dimension", "points", "datasets", "unchecked", "to_win", "after_mean", "after_share", "fix")


def indicator_plain(item: Indicator) -> dict[str, Any]:
    """One row of the table of indicators."""
    return {
        "name": item.name,
        "title": item.title,
        "dimension": item.dimension.value,
        "points": item.points,
        "level": item.level.value,
        "property": item.path,
        "decided": item.decided,
        "fix": item.fix,
        "metric": f"https://piveau.eu/ns/voc#{item.metric}" if item.metric else None,
    }


def summary(tally: Tally) -> dict[str, Any]:
    """The scores of a part by both rules and in both readings, and each indicator."""
    found = results(tally)
    now = {rule: found[rule, Reading.NOW] for rule in Rule}
    return {
        "datasets": tally.size,
        "distributions": sum(tally.distributions.values()),
        "most": MOST,
        "scores": [_score(each) for each in found.values()],
        "indicators": [
            {"name": item.name, "title": item.title, "dimension": item.dimension.value, "points": item.points}
            | {rule.value: _share(now[rule], place) for rule in Rule}
            for place, item in enumerate(INDICATORS)
        ],
        "filled_in": sum(number for pattern, number in tally.datasets.items() if pattern & FILLED),
    }


def fixes_plain(tally: Tally) -> list[dict[str, Any]]:
    """What can be won, most first."""
    return [fix_plain(fix) for fix in fixes(tally)]


def fix_plain(fix: Fix) -> dict[str, Any]:
    """One fix."""
    item = fix.indicator
    return {
        "indicator": item.name,
        "title": item.title,
        "dimension": item.dimension.value,
        "points": item.points,
        "datasets": fix.datasets,
        "unchecked": fix.unchecked,
        "to_win": round(fix.to_win, 2),
        "after": {rule.value: round(points, 2) for rule, points in fix.after.items()},
        "band_after": band(fix.after[Rule.MEAN]),
        "words": fix.words,
        "fix": item.fix,
    }


def what_if(tally: Tally, names: Iterable[str]) -> dict[str, Any]:
    """What a part would score if all of these were mended."""
    wanted = list(dict.fromkeys(names))
    then = mended(tally, wanted)
    return {"mended": wanted, "scores": [_score(result(then, rule)) for rule in Rule]}


def dataset_plain(found: Score) -> dict[str, Any]:
    """What a dataset is worth: every indicator, every distribution, what would be won."""
    return {
        "most": MOST,
        "scores": [
            {
                "reading": reading.value,
                "points": found.points(reading),
                "band": found.band(reading),
                "dimensions": {name.value: points for name, points in found.dimensions(reading).items()},
            }
            for reading in Reading
        ],
        "indicators": [
            {
                "name": item.name,
                "title": item.title,
                "dimension": item.dimension.value,
                "points": item.points,
                "met": None if item.name in found.unknown else bool(found.now & item.bit),
                "fix": item.fix if lacking(found.pattern, item.name) else None,
            }
            for item in INDICATORS
        ],
        "distributions": [_part(part) for part in found.parts],
        "filled_in": list(found.filled),
    }


def gaps(pattern: int) -> list[str]:
    """The indicators that a pattern lacks, those worth most first."""
    found = [item for item in INDICATORS if lacking(pattern, item.name)]
    return [item.name for item in sorted(found, key=lambda item: -item.points)]


def lacking_plain(row: Lacking) -> dict[str, Any]:
    """A dataset in the list behind a fix."""
    told = {"dataset": row.key, "title": row.title, "source": row.source, "guid": row.guid, "url": row.url}
    return {**told, "points": points_of(masks(row.pattern)[0]), "gaps": gaps(row.pattern)}


def lacking_csv(rows: Iterable[Lacking], item: Indicator) -> Iterator[str]:
    """The list to send to a producer; no cell is a formula for a spreadsheet."""
    yield _line(COLUMNS)
    for row in rows:
        told = lacking_plain(row)
        gap = {"lacks": item.title, "fix": item.fix, "all_gaps": " ".join(told["gaps"])}
        yield _line((told | gap)[name] for name in COLUMNS)


def summary_csv(tally: Tally) -> Iterator[str]:
    """One line an indicator."""
    yield _line(SUMMARY)
    for item in summary(tally)["indicators"]:
        cells = [item["name"], item["dimension"], item["points"]]
        yield _line([*cells, *(item[rule.value][name] for rule in Rule for name in ("met", "of", "won"))])


def fixes_csv(tally: Tally) -> Iterator[str]:
    """One line a fix."""
    yield _line(FIXES)
    for fix in fixes_plain(tally):
        told = fix | {f"after_{name}": points for name, points in fix["after"].items()}
        yield _line(told[name] for name in FIXES)


def summary_text(title: str, told: Mapping[str, Any]) -> Iterator[str]:
    """For people: the scores, then each dimension with its indicators."""
    yield f"{one_line(title)}: {told['datasets']:,} datasets, {told['distributions']:,} distributions\n"
    for each in told["scores"]:
        then = " if every unchecked link works" if each["reading"] == Reading.CHECKED else ""
        yield f"  {_BY_RULE[Rule(each['rule'])]:<28}{each['points']:6.1f} of {MOST}, {each['band']}{then}\n"
    for dimension, most in MOST_OF.items():
        points = told["scores"][0]["dimensions"][dimension.value]
        yield f"\n{dimension.value:<43}{points:6.1f} of {most}\n"
        for item in told["indicators"]:
            if item["dimension"] == dimension.value:
                mean = item[Rule.MEAN.value]
                yield f"  {item['title']:<41}{mean['won']:6.1f} of {item['points']:<4}{mean['met']:>9,} datasets\n"
    if told["filled_in"]:
        yield f"\n{told['filled_in']:,} datasets {FILLED_IN.lacks}.\n"


def fixes_text(title: str, tally: Tally) -> Iterator[str]:
    """For people: what can be won, most first."""
    before = result(tally, Rule.MEAN)
    yield f"{one_line(title)}: {before.points:.1f} of {MOST} ({before.band}), the mean of {tally.size:,} datasets\n"
    for fix in fixes(tally):
        if fix.datasets:
            yield f"\n+{fix.to_win:.1f}  {fix.words}\n"
            yield f"       {fix.indicator.fix}; {fix.after[Rule.MEAN]:.1f} after ({band(fix.after[Rule.MEAN])})\n"
        if fix.unchecked:
            yield f"\n    ?  {fix.unchecked:,} datasets have links that were never checked: {fix.indicator.title}\n"


def dataset_text(title: str, told: Mapping[str, Any]) -> Iterator[str]:
    """For people: the score of a dataset and what it lacks."""
    now, checked = told["scores"]
    yield f"{one_line(title)}: {now['points']} of {MOST}, {now['band']}\n"
    if checked["points"] != now["points"]:
        yield f"  {checked['points']} ({checked['band']}) if every unchecked link works\n"
    for item in told["indicators"]:
        mark = {True: "+", False: "-", None: "?"}[item["met"]]
        yield f"  {mark} {item['title']:<41}{item['points']:>3}{'  ' + item['fix'] if item['fix'] else ''}\n"
    if told["filled_in"]:
        yield f"  filled in by us: {', '.join(told['filled_in'])}\n"


_BY_RULE = {Rule.MEAN: "mean of the datasets", Rule.SHARE: "share of what meets it"}


def _score(found: Result) -> dict[str, Any]:
    return {
        "rule": found.rule.value,
        "reading": found.reading.value,
        "points": round(found.points, 2),
        "band": found.band,
        "dimensions": {name.value: round(points, 2) for name, points in found.dimensions.items()},
    }


def _share(found: Result, place: int) -> dict[str, Any]:
    share = found.shares[place]
    return {"met": share.met, "of": share.of, "won": round(share.points, 2)}


def _part(part: Part) -> dict[str, Any]:
    met, unknown = part.met & ALL, part.unknown
    return {
        "points": points_of(met),
        "met": [name for name, item in BY_NAME.items() if met & item.bit],
        "unknown": [name for name, item in BY_NAME.items() if unknown & item.bit],
    }


def _line(cells: Iterable[Any]) -> str:
    made = io.StringIO()
    csv.writer(made).writerow([safe(cell) for cell in cells])
    return made.getvalue()
