"""The retention job: what is old goes, what is needed stays, and it can stop anywhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from harvester.catalogue import past, queries, store
from harvester.catalogue.database import writing
from harvester.catalogue.forgetting import CHUNK
from harvester.catalogue.past import ACTIVE, RETIRED, UNKNOWN
from harvester.catalogue.store import Problem, RunRef
from harvester.catalogue.tables import changes, documents, notices, problems, records, revisions, runs
from harvester.cli import main
from harvester.history import chronicle, retention
from harvester.settings import Settings
from tests.catalogues import NOW, Catalogue, catalogue

pytestmark = pytest.mark.usefixtures("database")
DAY = timedelta(days=1)
LATER = NOW + 1000 * DAY


@pytest.fixture
def made(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path / "data", history_days=300, runs_days=200, problems_days=100, grace_days=50)


def next_run(made: Catalogue, when: datetime, status: str = "succeeded", source: str = "one") -> int:
    """End the run of a source and begin another one at an instant."""
    ref = made.source(source)
    with writing(made.engine) as connection:
        ended = update(runs).where(runs.c.id == ref.id)
        connection.execute(ended.values(status=status, ended_at=made.now))
        run_id = store.add_run(connection, ref.source_id, "full", "running", when)
    made.runs[source] = RunRef(run_id, ref.source_id, source)
    made.now = when
    return run_id


def end(made: Catalogue, source: str = "one", status: str = "succeeded") -> None:
    with writing(made.engine) as connection:
        connection.execute(
            update(runs).where(runs.c.id == made.runs[source].id).values(status=status, ended_at=made.now)
        )


def ids(made: Catalogue, table: Any, *where: Any) -> list[int]:
    (key,) = table.primary_key.columns
    with made.engine.connect() as connection:
        return list(connection.execute(select(key).where(*where).order_by(key)).scalars())


def title(made: Catalogue, guid: str, when: datetime) -> str | None:
    with made.engine.connect() as connection:
        found = past.dataset_at(connection, made.key("one", guid), when)
    assert found is not None
    return found.metadata["title"][""] if found.metadata else found.status


def yearly(made: Catalogue) -> list[datetime]:
    """A dataset that says something else every hundred days, up to `LATER`; another one that never changes."""
    days = [NOW + n * 100 * DAY for n in range(10)]
    made.add("one", [{"identifier": "still", "title": "Immobile"}])
    for number, day in enumerate(days):
        if number:
            next_run(made, day)
        made.add("one", [{"identifier": "a", "title": f"Etat {number}"}])
        made.report("one", Problem("normalise", "warning", "odd", f"n {number}", "a"))
    end(made)
    return days


def test_past_states_within_the_retention_stay_readable(made: Catalogue) -> None:
    days = yearly(made)
    before = {day: title(made, "a", day) for day in days}
    assert list(before.values()) == [f"Etat {n}" for n in range(10)]
    swept = retention.sweep(made.engine, made.settings, LATER)
    assert swept["revisions"] == 8
    horizon = LATER - 300 * DAY
    assert {day: title(made, "a", day) for day in days if day >= horizon} == {
        day: name for day, name in before.items() if day >= horizon
    }
    assert title(made, "a", horizon) == "Etat 7"
    assert title(made, "a", horizon - 101 * DAY) == UNKNOWN
    assert title(made, "still", LATER) == title(made, "still", NOW) == "Immobile"


def test_runs_and_problems_go_but_the_last_run_and_held_ones_stay(made: Catalogue) -> None:
    days = yearly(made)
    old = ids(made, runs)
    made.now = NOW
    made.add("two", [{"identifier": "b", "title": "Seul"}])
    made.report("two", Problem("fetch", "error", "bad", "cannot be read", "x"))
    end(made, "two")
    made.source("three")
    end(made, "three", "held")
    made.report("three", Problem("fetch", "error", "bad", "cannot be read", "y"))
    last, held = made.runs["two"].id, made.runs["three"].id
    next_run(made, NOW, "held", "three")
    end(made, "three", "cancelled")
    retention.sweep(made.engine, made.settings, LATER)
    recent = [run_id for run_id, day in zip(old, days, strict=True) if day >= LATER - 200 * DAY]
    # The first run is the last one that saw the dataset that never changed.
    assert ids(made, runs) == [old[0], *recent, last, held, made.runs["three"].id]
    assert [len(ids(made, problems, problems.c.run_id == kept)) for kept in (last, held)] == [1, 1]
    told = set(ids(made, problems, problems.c.run_id.in_(old)))
    assert len(told) == sum(day >= LATER - 100 * DAY for day in days) == 1
    with made.engine.connect() as connection:
        lines = list(chronicle.diff_lines(made.engine, chronicle.known_run(connection, last)))
    assert [line.guid for line in lines] == ["b", "x"]


def test_the_last_change_of_each_dataset_stays(made: Catalogue) -> None:
    yearly(made)
    with made.engine.connect() as connection:
        everything = queries.changed_datasets(connection, 0, 1000)
    seq = {dataset_id: number for number, dataset_id in everything}
    retention.sweep(made.engine, made.settings, LATER)
    with made.engine.connect() as connection:
        left = queries.changed_datasets(connection, 0, 1000)
    assert len(left) < len(everything)
    assert {dataset_id: number for number, dataset_id in left} == seq
    # Whoever has read up to any place still hears of all that changed after it.
    for place, _ in everything:
        changed = {dataset_id for number, dataset_id in everything if number > place}
        assert {dataset_id for number, dataset_id in left if number > place} == changed


def test_a_retired_dataset_keeps_its_past_and_comes_back(made: Catalogue) -> None:
    made.add("one", [{"identifier": "a", "title": "Un"}])
    key = made.key("one", "a")
    made.now = NOW + DAY
    made.retire("one", "a")
    end(made)
    retention.sweep(made.engine, made.settings, NOW + 60 * DAY)
    assert ids(made, documents) == []
    assert [title(made, "a", NOW + days * DAY) for days in (0, 1, 60)] == ["Un", RETIRED, RETIRED]
    made.now = NOW + 70 * DAY
    made.add("one", [{"identifier": "a", "title": "De retour"}])
    assert made.key("one", "a") == key
    assert [title(made, "a", NOW + days * DAY) for days in (0, 1, 70)] == ["Un", RETIRED, "De retour"]
    with made.engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(documents)).scalar_one() == 1
        assert queries.visible_count(connection) == 1
        lines = chronicle.history_page(connection, key)
    assert [(line.action, line.fields) for line in lines] == [("restored", ()), ("retired", ()), ("created", ())]


def test_notices_go_with_time(made: Catalogue) -> None:
    run = made.source("one")
    about = {
        "source_id": run.source_id,
        "run_id": run.id,
        "event": "failure",
        "channel": "email",
        "target": "a@b.example",
    }
    with writing(made.engine) as connection:
        for days in (0, 950):
            at = NOW + days * DAY
            connection.execute(insert(notices).values(**about, queued_at=at, due_at=at, attempts=0))
    assert retention.sweep(made.engine, made.settings, LATER)["notices"] == 1
    assert len(ids(made, notices)) == 1


def test_it_stops_when_asked_and_goes_on_the_next_time(made: Catalogue) -> None:
    yearly(made)
    with writing(made.engine) as connection:
        row = connection.execute(select(revisions).limit(1)).one()._asdict()
        copies = [{**row, "id": None, "action": "vanished"} for _ in range(3 * CHUNK)]
        connection.execute(insert(revisions), [{k: v for k, v in copy.items() if k != "id"} for copy in copies])
    looks: list[tuple[str, int]] = []
    swept = retention.sweep(
        made.engine, made.settings, LATER, lambda: len(looks) == 2, lambda name, number: looks.append((name, number))
    )
    assert list(swept) == ["revisions"]
    assert 0 < swept["revisions"] <= 2 * CHUNK
    assert all(number <= CHUNK for _, number in looks)
    rest = retention.sweep(made.engine, made.settings, LATER)
    assert rest["revisions"] + swept["revisions"] == 3 * CHUNK + 8
    assert set(retention.sweep(made.engine, made.settings, LATER).values()) == {0}


def test_zero_days_mean_for_ever(tmp_path: Path) -> None:
    made = catalogue(tmp_path / "data", history_days=0, runs_days=0, problems_days=0)
    yearly(made)
    tables: Sequence[Any] = (changes, problems, records, revisions, runs)
    before = [ids(made, table) for table in tables]
    retention.sweep(made.engine, made.settings, LATER)
    assert [ids(made, table) for table in tables] == before
    assert title(made, "a", NOW) == "Etat 0"
    with made.engine.connect() as connection:
        found = past.dataset_at(connection, made.key("one", "a"), NOW)
    assert found is not None
    assert found.status == ACTIVE


def test_the_service_sweeps_and_ends_when_told(made: Catalogue) -> None:
    yearly(made)
    before = len(ids(made, revisions))
    sweeper = retention.Sweeper(made.engine, made.settings, lambda: LATER, first=0.0)
    sweeper.start()
    until = time.monotonic() + 60
    while len(ids(made, revisions)) == before and time.monotonic() < until:
        time.sleep(0.05)
    sweeper.stop()
    assert len(ids(made, revisions)) < before


def test_the_command_says_what_it_deleted(
    made: Catalogue, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    yearly(made)
    monkeypatch.setenv("HARVESTER_DATA", str(made.settings.data))
    monkeypatch.setenv("HARVESTER_DATABASE_URL", made.settings.database_url)
    monkeypatch.setenv("HARVESTER_HISTORY_DAYS", "1")
    monkeypatch.setattr(sys, "argv", ["harvester", "clean"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "revisions" in told
    assert "deleted" in told
    assert Settings().history_days == 1
