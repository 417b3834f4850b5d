"""A dry run tells what the run after it does, also of what goes, what is held, and what goes by another name."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from harvester.connector import Page, Record, Source, Walk
from harvester.decide import Action
from harvester.errors import RecordError
from harvester.http import Http
from harvester.samples import CKAN_ROOT, FEED_PAGE_SIZE, SAMPLES, Sample, feed_blocks, load
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal
from harvester.settings import Settings
from tests.programmable import Programmable, packages
from tests.test_run_diffs import Bench as Plain
from tests.test_run_diffs import told


@dataclass
class Listed(Programmable):
    """Lists what is said, page by page, and can be asked what is gone."""

    pages: list[list[Record]] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)
    bad: set[str] = field(default_factory=set)
    there: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        for number, page in enumerate(self.pages):
            lost = tuple(RecordError("cannot be read", guid=r.guid) for r in page if r.guid in self.bad)
            good = tuple(record for record in page if record.guid not in self.bad)
            yield Page(good, self.totals[number] if self.totals else None, str(number), lost)

    def gone(self, source: Source, http: Http, guids: list[str]) -> dict[str, bool] | None:
        self.asked += guids
        shown = {record.guid for page in self.pages for record in page if not record.deleted}
        return {g: g not in shown and g not in self.there for g in guids if g not in self.silent}


class Bench(Plain):
    """Compares a dry run with the run after it."""

    def same(self, portal: Portal | Programmable) -> dict[str, set[str | None]]:
        """What both told, by action."""
        found, first = self.rehearsed(portal), self._outcome(portal)
        done, second = self.done(portal), self._outcome(portal)
        assert told(found) == told(done)
        assert first == second
        return {action: {line.guid for line in found if line.action == action} for action in {x.action for x in found}}

    def _outcome(self, portal: Portal | Programmable) -> list[Any]:
        result, asked = self.result, getattr(portal, "asked", [])
        tally = result.tally
        found = [result.status, result.code, dict(tally.counts), tally.distinct, tally.carried, tally.sound, [*asked]]
        asked.clear()
        return found


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> Bench:
    made = Bench(engine, settings)
    made.add("ckan", "http://portal.example")
    return made


def listed(raws: dict[str, dict[str, Any]], size: int = 7, **more: Any) -> Listed:
    rows = [Record(guid, raw) for guid, raw in raws.items()]
    return Listed(pages=[rows[n : n + size] for n in range(0, len(rows), size)], **more)


def files(numbers: range, prefix: str = "g", **more: Any) -> dict[str, dict[str, Any]]:
    """Datasets with a file each, whose address does not depend on the identifier."""
    return {
        f"{prefix}{n}": {"title": f"Jeu {n}", "distribution": [{"download_url": f"https://files.example/{n}.csv"}]}
        | more
        for n in numbers
    }


def shifted(name: str) -> Portal:
    """The sample portal with every identifier minted anew, and one dataset that says something else."""
    rows = [] if name == "dcat" else load(name)
    for number, row in enumerate(rows):
        row |= {"dataset_id": f"neuf-{number}"} if name == "opendatasoft" else {"id": f"{number:024x}"}
        row |= {} if name == "opendatasoft" else {"slug" if name == "udata" else "name": f"neuf-{number}"}
        row |= {"dataset_uid": f"da_{number:06d}"} if name == "opendatasoft" else {}
    if name == "ckan":
        rows[0]["notes"] = "Autre chose"
        return ckan_portal(rows, title="x", root=CKAN_ROOT, site_url="https://donnees.val-auree.example")
    if name == "udata":
        rows[0]["description"] = "Autre chose"
        return udata_portal(rows, title="x")
    if name == "opendatasoft":
        rows[0]["metas"]["default"]["description"] = "Autre chose"
        return opendatasoft_portal(rows, title="x")
    blocks = [
        re.sub(r"/id/dataset/([^>]+> a dcat:Dataset)", r"/id/dataset/neuf-\1", block).replace('"AEAL-', '"NEUF-')
        for block in feed_blocks()
    ]
    return dcat_portal(blocks, title="x", iri="https://geo.eau-auree-lys.example/", page_size=FEED_PAGE_SIZE)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_source_that_names_everything_anew(engine: Engine, settings: Settings, sample: Sample) -> None:
    bench = Bench(engine, settings)
    bench.add(sample.connector, f"http://portal.example{sample.path}")
    assert set(bench.same(sample.portal())) == {"created"}
    found = bench.same(shifted(sample.name))
    assert len(found["renamed"]) > sample.count / 2
    bench.same(sample.portal())


def test_what_goes_on_under_another_identifier_is_told_field_by_field(bench: Bench) -> None:
    bench.same(listed(files(range(30))))
    later = files(range(30), "new")
    later["new3"]["description"] = "Autre"
    lines = bench.rehearsed(listed(later))
    assert [line.action for line in lines] == ["renamed"] * 30
    assert [(line.guid, line.was) for line in lines][:2] == [("new0", "g0"), ("new1", "g1")]
    assert [f.words for line in lines for f in line.fields if f.path == "description"] == ["description added: Autre"]
    assert bench.same(listed(later)) == {"renamed": set(later)}
    # Back again: the identifiers lead to the datasets they founded, whatever these say now.
    assert bench.same(listed({f"g{n}": {"title": f"Tout autre {n}"} for n in range(30)})).keys() == {"renamed"}


def test_a_shift_that_began_earlier(bench: Bench) -> None:
    bench.same(listed(files(range(30))))
    # Too few to be taken for all there is: nothing is carried over yet.
    assert set(bench.same(listed(files(range(30), "new"), totals=[99] * 5))) == {"created", "vanished"}
    later = files(range(30), "new")
    later["new1"]["description"] = "Entretemps"
    assert set(bench.same(listed(later))) == {"renamed", "updated"}


def test_ambiguous_ones_are_held_and_named_once(bench: Bench) -> None:
    alike = {f"g{n}": {"title": "Eau"} for n in range(20)}
    bench.same(listed(alike | files(range(20, 40))))
    later = listed({f"h{n}": {"title": "Eau"} for n in range(20)} | files(range(20, 40), "h"))
    assert {name: len(guids) for name, guids in bench.same(later).items()} == {
        "created": 20, "renamed": 20, "vanished": 20
    }  # fmt: skip
    assert bench.result.code == "identifiers-changed"
    assert bench.same(later) == {}
    bench.same(listed(dict(list(alike.items())[:5]) | files(range(20, 40), "h")))


def test_what_walks_agree_on_goes_and_the_rest_is_held(bench: Bench) -> None:
    everything = packages(60)
    bench.same(listed(everything))
    for _ in range(2):
        bench.same(listed({guid: everything[guid] for guid in list(everything)[20:]}))
    found = bench.same(listed({guid: everything[guid] for guid in list(everything)[40:]}))
    assert {name: len(guids) for name, guids in found.items()} == {"retired": 20, "vanished": 20}


def test_a_total_that_changed_on_the_way(bench: Bench) -> None:
    everything = packages(40)
    bench.same(listed(everything))
    fewer = {guid: everything[guid] for guid in list(everything)[3:]}
    assert bench.same(listed(fewer, totals=[36, 37, 37, 37, 37, 37])) == {}
    assert bench.result.code == "total-changed"
    assert bench.same(listed(fewer, totals=[36, 37, 37, 37, 37, 37])) == {"retired": {"g0", "g1", "g2"}}


def test_the_portal_is_asked_for_the_same(bench: Bench) -> None:
    everything = files(range(40))
    bench.same(listed(everything))
    fewer = {guid: everything[guid] for guid in list(everything)[4:]}
    assert bench.same(listed(fewer, there={"g1"}, silent={"g2"})) == {"retired": {"g0", "g3"}}
    assert bench.result.code == "still-there"
    # The first of what was shown is known by its new identifier alone.
    connector = listed(files(range(6, 40), "new"))
    bench.rehearsed(connector)
    assert connector.asked == ["new6", "g1", "g2", "g4", "g5"]
    connector.asked.clear()
    assert bench.same(connector)["retired"] == {"g1", "g2", "g4", "g5"}


def test_what_comes_more_than_once_in_one_walk(bench: Bench) -> None:
    raws = packages(30)
    bench.same(listed(raws))
    rows = [Record(guid, raw) for guid, raw in raws.items()]
    changed = Record("g1", {"title": "Autre"})
    new, broken = Record("new", {"title": "Neuf"}), Record("broken", {"title": "BOOM"})
    gone = [Record(guid, {}, deleted=True) for guid in ("g0", "g1", "new", "broken", "unknown")]
    pages = [[rows[0], changed, new, broken], gone, gone, [*rows[2:], new, broken]]
    connector = Listed(pages=pages, totals=[30] * 4)
    found = bench.same(connector)
    assert found == {"updated": {"g1"}, "created": {"new"}, "retired": {"g0", "g1", "new"}, "failed": {"broken"}}
    assert bench.same(Listed(pages=[rows])) == {"restored": {"g0", "g1"}}


def test_what_the_source_withdraws_and_what_it_does_not_show(bench: Bench) -> None:
    raws = packages(60)
    rows = [Record(guid, raw) for guid, raw in raws.items()]
    bench.same(Listed(pages=[rows]))
    gone = [Record(row.guid, {}, deleted=True) for row in rows]
    # Of sixty so many may go as ten; what is more is held, and what came all the same is there.
    assert bench.same(Listed(pages=[rows[15:], gone[:15]])) == {"vanished": {f"g{number}" for number in range(15)}}
    assert bench.same(Listed(pages=[rows, gone[:15]])) == {}
    found = bench.same(Listed(pages=[rows[14:], gone[:7]]))
    assert found == {
        "retired": {f"g{number}" for number in range(7)},
        "vanished": {f"g{number}" for number in range(7, 14)},
    }
    assert bench.same(Listed(pages=[rows[10:], gone[:7]])) == {"retired": {"g7", "g8", "g9"}}
    assert bench.same(Listed(pages=[gone]))["vanished"] == {f"g{number}" for number in range(10, 60)}


def test_what_could_not_be_used_and_now_can(bench: Bench) -> None:
    raws = files(range(4))
    bench.same(listed({**raws, "odd": {"title": "BOOM"}}))
    bench.same(listed({**raws, "odd": {"title": "Eau"}}))
    kept = {guid: raws[guid] for guid in raws if guid != "g0"}
    # The total says that something is missing: nothing goes yet.
    found = bench.same(listed({**kept, "new": {"title": "BOOM"}}, totals=[99] * 5))
    assert found == {"failed": {"new"}, "vanished": {"g0", "odd"}}
    assert bench.same(listed({**kept, "new": raws["g0"]})) == {"renamed": {"new"}, "retired": {"odd"}}


def test_a_walk_that_breaks_off_tells_what_came_before(bench: Bench) -> None:
    bench.same(Programmable(packages(6)))
    connector = Programmable({**packages(6), **packages_of("h", 6)})
    connector.fail_after = 9
    assert bench.same(connector)["created"] == {"h0", "h1", "h2"}


def packages_of(prefix: str, number: int) -> dict[str, dict[str, Any]]:
    return {f"{prefix}{n}": {"title": f"{prefix} {n}"} for n in range(number)}


def scripted(chance: random.Random, numbers: int) -> Listed:
    """A portal in one of many states, the same datasets under one set of identifiers or another."""
    rows = []
    for number in range(numbers):
        prefix = "ab"[chance.random() < 0.3] if chance.random() < 0.9 else "c"
        raw: dict[str, Any] = {"title": f"Jeu {number // 2 if number < 10 else number}"}
        if chance.random() < 0.8:
            raw["distribution"] = [{"download_url": f"https://files.example/{number}.csv"}]
        if chance.random() < 0.2:
            raw["description"] = f"Dit {chance.randrange(3)}"
        raw = {"title": "BOOM"} if chance.random() < 0.04 else raw
        rows += [Record(f"{prefix}{number}", raw, deleted=chance.random() < 0.05)] * (2 if chance.random() < 0.1 else 1)
    rows = [row for row in rows if chance.random() < 0.95][chance.choice((0, 0, 0, 3, 12)) :]
    if chance.random() < 0.3:
        chance.shuffle(rows)
    guids = sorted({row.guid for row in rows})
    bad = set(chance.sample(guids, 2)) if chance.random() < 0.2 else set()
    pages = [rows[n : n + 6] for n in range(0, len(rows), 6)]
    total = len(guids) if chance.random() < 0.5 else len(guids) - 4
    totals = [total + (chance.random() < 0.2) * (number % 2) for number in range(len(pages))]
    there = {f"a{number}" for number in range(numbers) if chance.random() < 0.2}
    return Listed(pages=pages, totals=totals, bad=bad, there=there if chance.random() < 0.5 else set())


@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    actions: set[str] = set()
    for _ in range(9):
        connector = scripted(chance, 30)
        actions |= bench.same(connector).keys()
        bench.now += timedelta(hours=chance.randrange(40))
    assert actions >= {"created", "updated", "renamed", str(Action.FAILED)}
