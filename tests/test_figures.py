"""Key figures against brute force: every dataset read anew and counted by hand, whatever happened before and when."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from typer.testing import CliRunner

from harvester import sources, spaces
from harvester.catalogue import agents, forms, originals, queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.catalogue.queries import DatasetView
from harvester.catalogue.tables import figure_numbers, figure_promises, runs
from harvester.cli import app
from harvester.errors import UsageError
from harvester.figures import counting, reading, synchronising
from harvester.figures.report import Asked, Report, Value
from harvester.figures.table import DIMENSIONS
from harvester.search import open_index, refresh
from tests.catalogues import Catalogue, application, catalogue

pytestmark = pytest.mark.usefixtures("database")

SOURCES = ("lyon", "paris", "region")
BEGIN = datetime(2025, 11, 20, 12, tzinfo=UTC)
PUBLISHERS = (None, "Ville de Lyon", "VILLE DE  LYON", "Région", {"name": "INSEE", "type": "national"}, "Été\x00")
FREQUENCIES = (None, "daily", "monthly", "annual", "irregular", "when we feel like it")
ALLOWED = ("DAILY", "MONTHLY", "ANNUAL")
PLACES: tuple[list[Any], ...] = ([], ["France"], [{"name": "Lyon 3e"}], ["France", {"name": "Lyon 3e"}])

raws = st.fixed_dictionaries(
    {
        "title": st.sampled_from(["Budget", "Arbres", "Comptages"]),
        "publisher": st.sampled_from(PUBLISHERS),
        "theme": st.sampled_from([[], ["TRAN"], ["TRAN", "ENVI"], ["Sundries"]]),
        "license": st.sampled_from([None, "cc-by-4.0", "lov2", "Our own"]),
        "accrual_periodicity": st.sampled_from(FREQUENCIES),
        "spatial": st.sampled_from(PLACES),
        "modified": st.sampled_from([None, "2024", "2025-11", "2025-12-20", "2026-01-15T10:00:00Z", "2030-01-01"]),
        "distribution": st.lists(
            st.fixed_dictionaries(
                {
                    "access_url": st.sampled_from(["https://x.example.org/1", "https://x.example.org/2"]),
                    "format": st.sampled_from([None, "CSV", "csv", "GeoJSON", "xyz"]),
                }
            ),
            max_size=2,
        ),
    }
)
steps = st.lists(
    st.tuples(
        st.sampled_from(SOURCES),
        st.lists(st.tuples(st.integers(0, 4), raws), max_size=3),
        st.sets(st.integers(0, 4), max_size=2),
        st.integers(0, 40),
        st.booleans(),
    ),
    max_size=5,
)


class Watched:
    """A catalogue that lives, with what was visible at the end of each day, by source and in all."""

    def __init__(self, directory: Path) -> None:
        self.catalogue: Catalogue = catalogue(directory)
        self.engine = self.catalogue.engine
        self.catalogue.now = BEGIN
        self.ends: dict[date, dict[str | None, set[int]]] = {}
        for name in SOURCES:
            self.catalogue.source(name)

    def live(self, source: str, added: Iterable[tuple[int, dict[str, Any]]], gone: Iterable[int]) -> None:
        """Let a source say something, and withdraw something."""
        told = {f"g{number}": {**raw, "identifier": f"g{number}"} for number, raw in added}
        self.catalogue.add(source, told.values(), keyed=True)
        self.catalogue.retire(source, *(f"g{number}" for number in gone if f"g{number}" not in told))
        self._look()

    def wait(self, days: int) -> None:
        """Let days go by."""
        self.catalogue.now += timedelta(days=days)

    def count(self) -> None:
        """What is done after each run."""
        follow(self.engine, counting.FOLLOWER, lambda: self.catalogue.now, batch=3)

    def views(self) -> list[DatasetView]:
        with self.engine.connect() as connection:
            return queries.visible_page(connection, limit=1000)

    def report(self, **asked: Any) -> Report:
        index = open_index(self.catalogue.settings)
        refresh(self.engine, index)
        with self.engine.connect() as connection:
            return reading.report(connection, index, Asked(**{"top": 1000, **asked}), self.catalogue.now)

    def _look(self) -> None:
        found: dict[str | None, set[int]] = {name: set() for name in (None, *SOURCES)}
        for view in self.views():
            found[None].add(view.id)
            for record in view.records:
                if record.status == "active":
                    found[record.source].add(view.id)
        self.ends[self.catalogue.now.date()] = found

    def visible(self, scope: str | None, day: date) -> int:
        """How many there were at the end of a day."""
        known = [found for found in self.ends if found <= day]
        return len(self.ends[max(known)][scope]) if known else 0


def listed_by(views: Iterable[DatasetView], source: str | None) -> list[DatasetView]:
    return [v for v in views if source is None or any(r.source == source and r.status == "active" for r in v.records)]


def brute(views: Iterable[DatasetView]) -> dict[str, Any]:
    """The numbers, by hand."""
    by: dict[str, Counter[str]] = {item.name: Counter() for item in DIMENSIONS}
    totals: Counter[str] = Counter(datasets=0, distributions=0)
    for view in views:
        assert view.dataset is not None
        totals["datasets"] += 1
        totals["distributions"] += len(view.dataset.distribution)
        for name, found in by_hand(view).items():
            by[name].update({" ".join(text.split()).casefold() for text in found if text and text.strip()} or {""})
    return {"totals": totals, "by": by}


def code(term: Any) -> str | None:
    return None if term is None else term.uri.rsplit("/", 1)[-1] if term.uri else term.text


def by_hand(view: DatasetView) -> dict[str, list[str | None]]:
    dataset: Any = view.dataset
    publisher = dataset.publisher
    places = [code(s.place) if s.place else next(iter(s.name.values()), None) for s in dataset.spatial]
    return {
        "source": [r.source for r in view.records if r.status == "active"],
        "organisation": [next(iter(publisher.name.values()), None)] if publisher else [],
        "theme": [code(term) for term in dataset.theme],
        "licence": [code(dataset.license), *(code(d.license) for d in dataset.distribution)],
        "format": [code(d.format) for d in dataset.distribution],
        "producer_type": [code(publisher.type)] if publisher else [],
        "territory": places,
        "frequency": [code(dataset.accrual_periodicity)],
    }


def told(found: Report) -> dict[str, Any]:
    """The same of a report."""
    assert found.by is not None
    by = {
        name: Counter({value.value.casefold(): value.datasets for value in each.values} | {"": each.unknown})
        for name, each in found.by.items()
    }
    return {"totals": Counter(datasets=found.datasets, distributions=found.distributions or 0), "by": by}


def lived(directory: Path, life: Any, every: bool = False) -> Watched:
    watched = Watched(directory)
    for source, added, gone, days, counted in life:
        watched.live(source, added, gone)
        if counted or every:
            watched.count()
        watched.wait(days)
    watched.count()
    return watched


@settings(max_examples=12)
@given(life=steps)
def test_the_numbers_are_those_of_brute_force(tmp_path_factory: pytest.TempPathFactory, life: Any) -> None:
    watched = lived(tmp_path_factory.mktemp("figures"), life)
    for source in (None, *SOURCES):
        views = listed_by(watched.views(), source)
        found, expected = watched.report(source=source), brute(views)
        assert told(found)["totals"] == expected["totals"]
        for name, numbers in expected["by"].items():
            assert +told(found)["by"][name] == +numbers, name
        assert found.organisations == len(expected["by"]["organisation"].keys() - {""})
        assert found.behind == 0
        fresh = found.freshness
        assert fresh is not None
        promising = [v for v in views if v.dataset and code(v.dataset.accrual_periodicity) in ALLOWED]
        assert fresh.datasets == len(promising) == fresh.kept + fresh.late + fresh.untold


@settings(max_examples=6)
@given(life=steps)
def test_growth_and_past_days_are_as_they_were(tmp_path_factory: pytest.TempPathFactory, life: Any) -> None:
    # Between which datasets records went, the log tells no more once it is over: it is counted as it happens.
    watched = lived(tmp_path_factory.mktemp("growth"), life, every=True)
    today = watched.catalogue.now.date()
    for source in (None, *SOURCES):
        found = watched.report(source=source, since=(2025, 11))
        for month in found.growth:
            end = last_day(month.month)
            assert month.visible == watched.visible(source, min(end, today)), month
        for day in {then + timedelta(days=late) for then in watched.ends for late in (0, 1)}:
            if day < today:
                assert watched.report(source=source, at=day).datasets == watched.visible(source, day)


@settings(max_examples=6)
@given(life=steps)
def test_the_numbers_of_a_past_day_are_those_of_that_day(tmp_path_factory: pytest.TempPathFactory, life: Any) -> None:
    watched = Watched(tmp_path_factory.mktemp("past"))
    watched.count()
    kept: dict[date, dict[str | None, dict[str, Any]]] = {}
    for source, added, gone, days, _ in life:
        watched.live(source, added, gone)
        watched.count()
        now = {each: brute(listed_by(watched.views(), each)) for each in (None, *SOURCES)}
        kept[watched.catalogue.now.date()] = now
        watched.wait(days)
    watched.wait(1)
    for day, now in kept.items():
        for source, expected in now.items():
            found = watched.report(source=source, at=day)
            if found.by is None:
                # Nothing had ever been counted.
                assert found.counted_from is None or found.counted_from.date() > day
                continue
            assert told(found)["totals"] == expected["totals"]
            assert {name: +n for name, n in told(found)["by"].items()} == {n: +c for n, c in expected["by"].items()}


def last_day(month: str) -> date:
    year, number = (int(part) for part in month.split("-"))
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


@settings(max_examples=6)
@given(life=steps)
def test_a_space_adds_up_to_what_it_finds(tmp_path_factory: pytest.TempPathFactory, life: Any) -> None:
    watched = lived(tmp_path_factory.mktemp("space"), life)
    with writing(watched.engine) as connection:
        spaces.add(connection, "traffic", BEGIN, given={"theme": ["TRAN"]})
    for source in (None, *SOURCES):
        views = [
            view
            for view in listed_by(watched.views(), source)
            if view.dataset and any(code(term) == "TRAN" for term in view.dataset.theme)
        ]
        found, expected = watched.report(space="traffic", source=source), brute(views)
        assert told(found)["totals"] == expected["totals"]
        assert {name: +n for name, n in told(found)["by"].items()} == {n: +c for n, c in expected["by"].items()}
        assert found.growth[-1].visible == len(views)
        came = Counter(f"{view.created_at:%Y-%m}" for view in views)
        assert {month.month: month.created for month in found.growth if month.created} == came


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


RAW = {"title": "Arbres", "accrual_periodicity": "monthly"}


def fresh(watched: Watched, **asked: Any) -> tuple[int, int, int]:
    found = watched.report(**asked).freshness
    assert found is not None
    return found.kept, found.late, found.untold


def test_a_promise_is_kept_until_it_is_late_whatever_changes(watched: Watched) -> None:
    watched.live("lyon", [(1, {**RAW, "modified": "2025-11-20"}), (2, {**RAW, "modified": "2025-01"}), (3, RAW)], [])
    watched.count()
    assert fresh(watched) == (1, 1, 1)
    assert fresh(watched, source="lyon") == (1, 1, 1)
    assert fresh(watched, source="paris") == (0, 0, 0)
    watched.wait(48)
    assert fresh(watched) == (1, 1, 1)
    watched.wait(1)
    assert fresh(watched) == (0, 2, 1)
    assert fresh(watched, at=BEGIN.date() + timedelta(days=48)) == (1, 1, 1)


def test_what_is_seen_to_change_counts_as_an_update_and_a_date_to_come_does_not(watched: Watched) -> None:
    watched.live("lyon", [(1, {**RAW, "modified": "2031-01-01"}), (2, {**RAW, "modified": "2024-01-01"})], [])
    watched.count()
    assert fresh(watched) == (0, 1, 1)
    watched.wait(3)
    files = [{"access_url": "https://x.example.org/new.csv"}]
    watched.live("lyon", [(1, {**RAW, "title": "Arbres!"}), (2, {**RAW, "distribution": files})], [])
    watched.count()
    assert fresh(watched) == (1, 0, 1)


def test_the_worst_are_those_that_missed_the_most_updates(watched: Watched) -> None:
    daily = {**RAW, "accrual_periodicity": "daily"}
    watched.live("lyon", [(1, {**RAW, "modified": "2025-01-20"}), (2, {**daily, "modified": "2025-10-20"})], [])
    watched.live("paris", [(3, {**daily, "modified": "2025-11-19"})], [])
    watched.count()
    found = watched.report().freshness
    assert found is not None
    assert found.worst is not None
    assert [late.dataset for late in found.worst] == [watched.catalogue.key("lyon", g) for g in ("g2", "g1")]
    assert [round(late.missed) for late in found.worst] == [30, 9]
    assert watched.report(source="paris").freshness.worst == []  # type: ignore[union-attr]


def test_a_batch_that_breaks_off_leaves_nothing_and_is_done_again(watched: Watched) -> None:
    watched.live("lyon", [(number, RAW) for number in range(4)], [])

    def broken(connection: Any, ids: Any, now: Any) -> None:
        counting.apply(connection, ids, now)
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        follow(watched.engine, counting.FOLLOWER._replace(apply=broken), lambda: watched.catalogue.now)
    assert watched.report().datasets == 0
    watched.count()
    assert watched.report().datasets == 4


def test_going_over_everything_again_changes_nothing_and_rebuilding_repairs(watched: Watched) -> None:
    watched.live("lyon", [(number, RAW) for number in range(4)], [])
    watched.count()
    before = numbers_of(watched)
    with writing(watched.engine) as connection:
        connection.execute(figure_numbers.update().values(number=99))
    counting.rebuild(watched.engine, lambda: watched.catalogue.now)
    assert numbers_of(watched) == before
    assert [month.visible for month in watched.report().growth][-1] == 4


def test_nothing_is_left_of_what_is_gone(watched: Watched) -> None:
    watched.live("lyon", [(1, RAW), (2, RAW)], [])
    watched.count()
    watched.live("lyon", [], [1, 2])
    watched.count()
    with watched.engine.connect() as connection:
        for table in (figure_numbers, figure_promises):
            assert connection.execute(select(func.count()).select_from(table)).scalar_one() == 0
    month = watched.report().growth[-1]
    assert (month.created, month.restored, month.retired, month.joined, month.visible) == (2, 0, 2, 0, 0)
    watched.live("lyon", [(1, RAW)], [])
    watched.count()
    assert watched.report().growth[-1].restored == 1


def numbers_of(watched: Watched) -> set[tuple[Any, ...]]:
    with watched.engine.connect() as connection:
        return {tuple(row) for row in connection.execute(select(figure_numbers))}


def test_the_original_share_is_that_of_the_catalogue(watched: Watched) -> None:
    watched.live("lyon", [(1, {**RAW, "landing_page": "https://lyon.example.org/1"}), (2, RAW)], [])
    watched.count()
    with watched.engine.connect() as connection:
        assert watched.report().original_share == originals.overall(connection).share


def test_runs_are_counted_by_month_also_after_they_are_forgotten(watched: Watched) -> None:
    watched.report()
    with writing(watched.engine) as connection:
        source = watched.catalogue.source("lyon").source_id
        first = store.add_run(connection, source, "full", "failed", BEGIN)
    span = {"since": (2025, 11), "until": (2026, 3)}
    before = watched.report(**span).synchronisations
    assert before.runs.by_status == {"failed": 1, "running": 3}
    with writing(watched.engine) as connection:
        synchronising.keep(connection, [first])
        connection.execute(runs.delete().where(runs.c.id == first))
    assert watched.report(**span).synchronisations == before
    assert watched.report(**span, source="paris").synchronisations.runs.total == 1


@pytest.mark.parametrize(
    ("schedule", "kind"),
    [
        (None, "when asked"), ("hourly", "hourly or more often"), ("every 15 min", "hourly or more often"),
        ("every 6h", "several times a day"), ("daily", "daily"), ("0 3 * * 1,4", "several times a week"),
        ("weekly", "weekly"), ("monthly", "monthly"), ("0 3 1 1 *", "more rarely"), ("nonsense", "not readable"),
    ],
)  # fmt: skip
def test_schedules_are_told_by_how_often_they_are_due(schedule: str | None, kind: str) -> None:
    assert synchronising.kind(schedule) == kind


@pytest.mark.parametrize(
    "wrong", [{"source": "nowhere"}, {"space": "nowhere"}, {"at": date(2099, 1, 1)}, {"since": (2099, 1)}]
)
def test_what_cannot_be_is_refused(watched: Watched, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        watched.report(**wrong)


def test_the_api_tells_figures_as_json_and_csv_and_as_a_page(watched: Watched) -> None:
    watched.live(
        "lyon",
        [
            (1, {**RAW, "publisher": "=cmd|calc", "theme": ["TRAN"]}),
            (2, {**RAW, "title": "Bus & tram", "modified": "2020-01-01"}),
        ],
        [],
    )
    watched.count()
    with TestClient(application(watched.catalogue.settings)) as client:
        found = client.get("/api/figures", params={"lang": "en"}).json()
        assert (found["datasets"], found["organisations"], found["behind"]) == (2, 1, 0)
        assert found["by"]["theme"]["values"][0] == {"value": "TRAN", "label": "Transport", "datasets": 1, "share": 0.5}
        rows = list(csv.reader(io.StringIO(client.get("/api/figures.csv").text)))
        assert ["by", "organisation", "'=cmd|calc", "'=cmd|calc", "1"] in rows
        assert client.get("/api/figures", headers={"accept": "text/csv"}).text.startswith("figure,group,value")
        assert "=cmd|calc" in client.get("/api/figures/organisation.csv").text
        assert client.get("/api/figures", params={"source": "nowhere"}).status_code == 404
        for wrong in ({"at": "yesterday"}, {"since": "2026-13"}, {"top": "0"}, {"at": "2099-01-01"}):
            answer = client.get("/api/figures", params=wrong)
            assert answer.status_code in (400, 422), wrong
            assert answer.headers["content-type"] == "application/problem+json"
        page = client.get("/figures").text
        assert "Key figures" in page
        assert "=cmd|calc" in page
        assert "Bus &amp; tram" in page
        assert client.get("/figures", params={"at": "2020-01-01"}).status_code == 200


def test_the_command_prints_text_json_and_csv(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    watched.live("lyon", [(1, RAW)], [])
    monkeypatch.setenv("HARVESTER_DATA", str(watched.catalogue.settings.data))
    monkeypatch.setenv("HARVESTER_DATABASE_URL", watched.catalogue.settings.database_url or "")
    runner = CliRunner()
    text = runner.invoke(app, ["figures"])
    assert text.exit_code == 0, text.output
    assert "Key figures of the whole catalogue" in text.stdout
    assert json.loads(runner.invoke(app, ["figures", "--format", "json", "--source", "lyon"]).stdout)["datasets"] == 1
    assert runner.invoke(app, ["figures", "--format", "csv"]).stdout.startswith("figure,group,value,label,number")
    assert "MONTHLY" in runner.invoke(app, ["figures", "--by", "frequency", "--rebuild"]).stdout


def test_a_source_that_is_removed_takes_its_numbers_with_it_and_leaves_those_of_the_past(watched: Watched) -> None:
    watched.live("lyon", [(1, {**RAW, "title": "Arbres remarquables"}), (2, RAW)], [])
    watched.live("paris", [(3, RAW)], [])
    watched.count()
    day = watched.catalogue.now.date()
    watched.wait(40)
    with writing(watched.engine) as connection:
        sources.remove(connection, "lyon", watched.catalogue.now)
    watched.count()
    assert told(watched.report()) == told_by_hand(watched)
    assert [each.value for each in by(watched.report(), "source")] == ["paris"]
    watched.wait(1)
    past = watched.report(at=day)
    assert past.datasets == 3
    assert {each.value: each.datasets for each in by(past, "source")} == {"lyon": 2, "paris": 1}
    last = watched.report(since=(2025, 11), until=(2025, 12)).growth
    assert [(month.created, month.retired, month.visible) for month in last] == [(3, 0, 3), (0, 2, 1)]


def test_organisations_are_agents_and_places_are_named_in_the_language_of_the_catalogue(watched: Watched) -> None:
    names = ("Institut national de la statistique (INSEE)", "Institut national de la statistique", "Ville de Lyon")
    told_ = [(number, {**RAW, "title": f"Jeu {number}", "publisher": name}) for number, name in enumerate(names)]
    watched.live("lyon", told_, [])
    place = {"name": {"fr": "Bruxelles", "nl": "Brussel"}}
    watched.live("paris", [(9, {"title": "Bomen", "spatial": [place]})], [])
    for follower in (agents.FOLLOWER, counting.follower("nl")):
        follow(watched.engine, follower, lambda: watched.catalogue.now)
    with watched.engine.connect() as connection:
        published = {ref.name for ref in forms.agents_of(connection, [view.id for view in watched.views()]).values()}
    found = watched.report()
    assert {each.value for each in by(found, "organisation")} == published
    assert found.organisations == len(published) == 2
    assert [each.value for each in by(found, "territory")] == ["Brussel"]


def by(found: Report, name: str) -> list[Value]:
    assert found.by is not None
    return found.by[name].values


def told_by_hand(watched: Watched) -> dict[str, Any]:
    """As `told`, by brute force."""
    expected = brute(watched.views())
    return {
        "totals": expected["totals"],
        "by": {name: Counter({"": 0}) | found for name, found in expected["by"].items()},
    }


def test_a_past_day_is_told_from_what_changed_since_also_among_the_most_frequent(watched: Watched) -> None:
    publishers = ("A", "A", "A", "B", "B", "C")
    first = [(number, {**RAW, "title": f"T{number}", "publisher": name}) for number, name in enumerate(publishers)]
    watched.live("lyon", first, [])
    watched.count()
    day = watched.catalogue.now.date()
    watched.wait(35)
    new = [(number, {**RAW, "title": f"T{number}", "publisher": name}) for number, name in ((8, "E"), (9, "D"))]
    watched.live("lyon", [*new, (5, {**RAW, "publisher": "B"})], [0, 1])
    watched.count()
    watched.wait(1)
    then, now = watched.report(at=day, top=2), watched.report(top=2)
    assert [(each.value, each.datasets) for each in by(then, "organisation")] == [("A", 3), ("B", 2)]
    assert then.organisations == 3
    assert [(each.value, each.datasets) for each in by(now, "organisation")] == [("B", 3), ("E", 1)]
    assert now.organisations == 4
