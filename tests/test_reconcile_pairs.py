"""Which record of the target stands for one of the source, and why others did not arrive."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import Engine

from bench.reconcile import reconciled
from harvester.history.diffs import safe
from harvester.reconcile.lines import Line, Named
from harvester.reconcile.reports import written
from harvester.reconcile.words import Verdict
from harvester.settings import Settings
from tests.test_reconcile import Pair, copy

WORDS = "Effectifs relevés par les services de la commune au premier janvier de chaque année, par quartier et par âge."


@pytest.fixture
def pair(engine: Engine, settings: Settings) -> Pair:
    return Pair(engine, settings)


def verdicts(pair: Pair) -> dict[str, tuple[str, str | None]]:
    _, lines = reconciled(pair.engine, pair.source, pair.target)
    return {(line.target or line.source).guid: (str(line.verdict), line.reason) for line in lines}  # type: ignore[union-attr]


def test_of_two_copies_the_one_that_kept_its_identifier_counts(pair: Pair) -> None:
    guid = "5f3a9c1e-7b24-4d60-8e11-2c9d0a7b6e54"
    pair.publish(guid)
    pair.hold(guid)
    pair.hold(guid, identifier=guid)
    assert verdicts(pair) == {guid: ("matched", None), f"n-{guid}": ("duplicate", "copy")}


def test_what_names_a_record_that_is_gone_is_no_copy_of_one_with_the_same_words(pair: Pair) -> None:
    same = {"title": "Effectifs par quartier et par âge", "description": WORDS, "publisher": {"name": "Brume"}}
    pair.publish("alpha", **same)
    pair.hold("alpha", "omega", **same, uri=None)
    assert verdicts(pair) == {"n-alpha": ("matched", None), "n-omega": ("orphan", "never-seen")}


def test_what_came_after_all_that_the_target_wrote_of_the_source_is_newer(pair: Pair) -> None:
    written = {"record": {"issued": "2026-01-10T04:00:00Z", "modified": "2026-02-01T04:00:00Z"}}
    old, new = {"record": {"issued": "2026-01-09T10:00:00Z"}}, {"record": {"issued": "2026-02-11T10:00:00Z"}}
    names = [f"jeu-{n}-arrive" for n in range(20)]
    pair.publish(*names, "perdu", **old)
    pair.publish("tardif-un", "tardif-deux", **new)
    pair.hold(*names, **written)
    found = verdicts(pair)
    assert {name: found[name] for name in ("perdu", "tardif-un", "tardif-deux")} == {
        "perdu": ("missing", "unknown"),
        "tardif-un": ("missing", "newer"),
        "tardif-deux": ("missing", "newer"),
    }


def test_what_is_missing_as_often_before_as_after_is_not_newer(pair: Pair) -> None:
    stamp = {"record": {"issued": "2026-01-10T04:00:00Z", "modified": "2026-02-01T04:00:00Z"}}
    pair.publish("un", "deux", **{"record": {"issued": "2026-01-09T10:00:00Z"}})
    pair.publish("trois", **{"record": {"issued": "2026-02-11T10:00:00Z"}})
    pair.catalogue.add("national", [copy("un", **stamp)], keyed=True)
    assert verdicts(pair)["trois"] == ("missing", "unknown")


@pytest.mark.parametrize("title", ["=1+1", "\ufeff=1+1", "\u200b=1+1", "\x01@SUM(1)", " \t+1+1", "\r\n-1+1"])
def test_no_mark_that_does_not_show_lets_a_formula_through(title: str) -> None:
    line = Line(Verdict.MISSING, Named("alpha", title), None, "unknown")
    told = "".join(written({}, [line], "csv"))
    (row,) = csv.DictReader(io.StringIO(told.lstrip("\ufeff")))
    assert row["source_title"].startswith("'")
    assert safe(title).startswith("'")
