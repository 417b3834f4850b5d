"""A dry run tells what the run after it does, by name and by field; the diff on the command line."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, select

from harvester import registry, sources, worker
from harvester.catalogue import claims, queries
from harvester.catalogue.database import writing
from harvester.catalogue.history import SECTIONS
from harvester.catalogue.tables import metadata
from harvester.cli import main
from harvester.connector import Connector, Page, Source, Walk
from harvester.harvest import Change, Harvest, Result
from harvester.history import chronicle
from harvester.history.diffs import Line
from harvester.http import Http
from harvester.run import run
from harvester.samples import CKAN_ROOT, FEED_PAGE_SIZE, SAMPLES, Sample, feed_blocks, load
from harvester.samples.portals.ckan import ckan_portal
from harvester.samples.portals.dcat import dcat_portal
from harvester.samples.portals.opendatasoft import opendatasoft_portal
from harvester.samples.portals.udata import udata_portal
from harvester.samples.serving import Portal, as_transport
from harvester.settings import Settings
from tests.programmable import Programmable, packages

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
Tell = Callable[[Change], None]


class Bench:
    """A catalogue, and runs over it on successive days."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.settings, self.now = engine, settings, NOW

    def add(self, connector: str, url: str) -> None:
        with writing(self.engine) as connection:
            sources.add(connection, url=url, connector=connector, name="one", now=self.now)

    def go(self, portal: Portal | Programmable, dry: bool, mode: str = "full", tell: Tell | None = None) -> Result:
        self.now += timedelta(days=1)
        with writing(self.engine) as connection:
            row = sources.named(connection, "one")
            terms = claims.Terms.of(self.settings)
            claim = claims.unrecorded(row, mode, self.now)
            claim = claim if dry else worker.begin(connection, row, mode, self.now, terms)
        self.run_id = claim.ref.id
        client, connectors = self._asking(portal)
        with client as http:
            harvest = Harvest(self.engine, self.settings, http, lambda: self.now, dry, connectors)
            return run(replace(harvest, on_change=tell or (lambda change: None)), row, claim)

    def _asking(self, portal: Portal | Programmable) -> tuple[Http, Callable[[str], Connector]]:
        if isinstance(portal, Programmable):
            programmed: Connector = portal
            return Http(self.settings), lambda _: programmed
        return Http(self.settings, transport=as_transport(portal)), registry.connector

    def rehearsed(self, portal: Portal | Programmable, mode: str = "full") -> list[Line]:
        """What a dry run tells; it writes nothing."""
        before = self.dump()
        told: list[Change] = []
        self.result = self.go(portal, True, mode, told.append)
        assert self.dump() == before
        return [Line(c.action, c.guid, c.title, c.fields, c.code, c.message, c.was) for c in told]

    def done(self, portal: Portal | Programmable, mode: str = "full") -> list[Line]:
        """What a run did, as its diff tells it."""
        self.result = self.go(portal, False, mode)
        usual = tuple(name for name in SECTIONS if name != "unchanged")
        with self.engine.connect() as connection:
            row = chronicle.known_run(connection, self.run_id)
        return list(chronicle.diff_lines(self.engine, row, usual))

    def dump(self) -> dict[str, list[str]]:
        """All that the catalogue holds."""
        with self.engine.connect() as connection:
            return {
                name: sorted(map(repr, connection.execute(select(table)))) for name, table in metadata.tables.items()
            }


def told(lines: list[Line]) -> list[tuple[Any, ...]]:
    """Lines by name and field, whatever their order."""
    return sorted(
        (
            line.action,
            line.guid or "",
            line.title or "",
            repr([field.plain() for field in line.fields]),
            line.code or "",
            line.message or "",
            line.was or "",
        )
        for line in lines
    )


def changed(name: str) -> Portal:
    """The sample portal a week later: one dataset is gone, one is new, some say something else."""
    rows = [] if name == "dcat" else load(name)
    if name == "ckan":
        rows[0]["title"] = "Un autre titre"
        rows[1]["resources"] = rows[1]["resources"][1:]
        rows[2]["tags"] = [{"name": "nouveau"}]
        rows[3] |= {"id": "0f0f0f0f-0000-4000-8000-000000000001", "name": "tout-nouveau", "title": "Tout nouveau"}
        return ckan_portal(rows, title="x", root=CKAN_ROOT, site_url="https://donnees.val-auree.example")
    if name == "udata":
        rows[0]["title"] = "Un autre titre"
        rows[1]["resources"] = rows[1]["resources"][1:]
        return udata_portal(rows[:5] + rows[6:], title="x")
    if name == "opendatasoft":
        rows[0]["metas"]["default"]["title"] = "Un autre titre"
        return opendatasoft_portal(rows[:5] + rows[6:], title="x")
    blocks = feed_blocks()
    found = next(n for n, block in enumerate(blocks) if "dct:title" in block or "dcterms:title" in block)
    blocks[found] = blocks[found].replace('title "', 'title "Autrement : ', 1)
    return dcat_portal(
        blocks[:5] + blocks[6:], title="x", iri="https://geo.eau-auree-lys.example/", page_size=FEED_PAGE_SIZE
    )


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> Bench:
    return Bench(engine, settings)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_dry_run_tells_what_the_next_run_does(bench: Bench, sample: Sample) -> None:
    bench.add(sample.connector, f"http://portal.example{sample.path}")
    first = bench.rehearsed(sample.portal())
    assert {line.action for line in first} == {"created"}
    assert len(first) == sample.count
    assert told(first) == told(bench.done(sample.portal()))
    later = changed(sample.name)
    second = bench.rehearsed(later)
    assert {"updated", "retired"} <= {line.action for line in second}
    assert all(line.fields for line in second if line.action == "updated")
    assert told(second) == told(bench.done(later))


def test_a_dry_run_tells_failures_comebacks_and_repetitions_as_a_run_does(bench: Bench) -> None:
    bench.add("ckan", "http://portal.example")
    connector = Programmable(packages(12), size=2)
    assert told(bench.rehearsed(connector)) == told(bench.done(connector))
    gone = {guid: connector.packages.pop(guid) for guid in ("g3", "g4")}
    assert told(bench.rehearsed(connector)) == told(bench.done(connector))
    connector.packages |= gone | {"g3": {"title": "De retour", "keyword": ["eau"]}}
    connector.packages["g0"]["title"] = "BOOM"
    connector.packages["new"] = {"title": "Neuf"}
    connector.unreadable = ("g5",)
    found = bench.rehearsed(connector)
    assert told(found) == told(bench.done(connector))
    assert {(line.action, line.guid) for line in found} == {
        ("restored", "g3"), ("restored", "g4"), ("failed", "g0"), ("failed", "g5"), ("created", "new"),
    }  # fmt: skip
    assert [[f.words for f in line.fields] for line in found if line.guid == "g3"] == [["title: Jeu 3 -> De retour"]]
    assert [line.code for line in found if line.guid == "g0"] == ["unexpected"]


class Twice(Programmable):
    """Lists everything, and then everything again."""

    def fetch(self, source: Source, http: Http, walk: Walk) -> Iterator[Page]:
        yield from super().fetch(source, http, walk)
        yield from super().fetch(source, http, walk)


def test_what_comes_twice_is_told_once(bench: Bench) -> None:
    bench.add("ckan", "http://portal.example")
    connector = Twice(packages(4), size=2)
    first = bench.rehearsed(connector)
    assert [line.guid for line in first] == ["g0", "g1", "g2", "g3"]
    assert told(first) == told(bench.done(connector))
    connector.packages["g1"]["title"] = "Autre"
    connector.packages["g2"]["title"] = "BOOM"
    second = bench.rehearsed(connector)
    assert told(second) == told(bench.done(connector))
    assert [(line.action, line.guid) for line in second if line.action == "updated"] == [("updated", "g1")]


def test_a_dry_run_that_would_be_held_names_what_would_go(bench: Bench) -> None:
    bench.add("ckan", "http://portal.example")
    connector = Programmable(packages(40))
    bench.done(connector)
    connector.packages = dict(list(connector.packages.items())[:5])
    found = bench.rehearsed(connector)
    assert [line.action for line in found] == ["vanished"] * 35
    assert told(found) == told(bench.done(connector))


def test_a_walk_that_breaks_off_says_so(bench: Bench) -> None:
    bench.add("ckan", "http://portal.example")
    connector = Programmable(packages(9))
    connector.fail_after = 6
    found = bench.rehearsed(connector)
    assert told(found) == told(bench.done(connector))
    assert [(line.code, line.guid) for line in found if line.action == "failed"] == [("unavailable", None)]


def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    """The exit code and what stands on standard output."""
    monkeypatch.setattr(sys, "argv", ["harvester", *words])
    try:
        main()
        code = 0
    except SystemExit as error:
        code = int(error.code or 0)
    return code, capsys.readouterr().out


@pytest.fixture
def harvested(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Two runs: three created; one updated, one retired, one unchanged, one failed."""
    monkeypatch.setenv("HARVESTER_DATA", str(bench.settings.data))
    monkeypatch.setenv("HARVESTER_DATABASE_URL", bench.settings.database_url)
    bench.add("ckan", "http://portal.example")
    connector = Programmable({**packages(2), "=g": {"title": "Part"}})
    bench.done(connector)
    del connector.packages["=g"]
    connector.packages["g0"] = {"title": "=Nouveau", "keyword": ["eau"]}
    connector.packages["bad"] = {"title": "BOOM"}
    bench.done(connector)
    return bench


def test_the_diff_is_printed_in_every_form(harvested: Bench, capsys: Any, monkeypatch: Any) -> None:
    diff = ("run", "diff", str(harvested.run_id))
    code, text = cli(capsys, monkeypatch, *diff)
    lines = text.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines] == ["updated", "title:", "retired", "failed", "unexpected:"]
    assert lines[0].endswith("one  g0  =Nouveau")
    assert lines[1] == "    title: Jeu 0 -> =Nouveau"
    assert lines[2].endswith("one  =g  Part")
    rows = list(csv.DictReader(io.StringIO(cli(capsys, monkeypatch, *diff, "--format", "csv")[1])))
    assert [(row["action"], row["guid"], row["path"], row["to"]) for row in rows] == [
        ("updated", "g0", "title", "'=Nouveau"),
        ("retired", "'=g", "", ""),
        ("failed", "bad", "", ""),
    ]
    objects = [orjson.loads(line) for line in cli(capsys, monkeypatch, *diff, "--format", "ndjson")[1].splitlines()]
    assert objects == orjson.loads(cli(capsys, monkeypatch, *diff, "--format", "json")[1])["changes"]
    assert objects[0]["changes"] == [{"path": "title", "change": "changed", "from": "Jeu 0", "to": "=Nouveau"}]
    only = cli(capsys, monkeypatch, *diff, "--action", "unchanged", "--action", "retired")[1]
    assert [line.split()[0] for line in only.splitlines()] == ["retired", "unchanged"]
    for wrong in (("--action", "stolen"), ("--format", "pdf")):
        assert cli(capsys, monkeypatch, *diff, *wrong)[0] == 2
    assert cli(capsys, monkeypatch, "run", "diff", "999")[0] == 2


def test_a_dataset_tells_its_history_and_its_past(harvested: Bench, capsys: Any, monkeypatch: Any) -> None:
    with harvested.engine.connect() as connection:
        known = queries.known(connection, 1, ["g0", "=g"])
        keys = [queries.dataset_views(connection, [known[g].dataset_id or 0])[0].key for g in ("g0", "=g")]
    told_ = cli(capsys, monkeypatch, "dataset", "history", keys[0])[1].splitlines()
    assert [line.split()[0] for line in told_] == ["updated", "title:", "created"]
    day = (NOW + timedelta(days=2)).strftime("%Y-%m-%d")
    past = orjson.loads(cli(capsys, monkeypatch, "dataset", "history", keys[0], "--at", f"{day}T13:00:00Z")[1])
    assert past["title"] == {"": "=Nouveau"}
    past = orjson.loads(cli(capsys, monkeypatch, "dataset", "history", keys[0], "--at", day)[1])
    assert past["title"] == {"": "Jeu 0"}
    for words in ((keys[0], "--at", "2020"), (keys[1], "--at", "2030-01-01"), ("nothing",), ("nothing", "--at", day)):
        assert cli(capsys, monkeypatch, "dataset", "history", *words)[0] == 2
    assert cli(capsys, monkeypatch, "dataset", "history", keys[0], "--at", "gestern")[0] == 2
