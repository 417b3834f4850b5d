"""The history of records: every past state can be read, nothing is invented; runs are told by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from harvester import sources
from harvester.catalogue import clusters, leaving, past, queries, store
from harvester.catalogue.clusters import hands
from harvester.catalogue.database import writing
from harvester.catalogue.history import SECTIONS
from harvester.catalogue.packing import dataset_json
from harvester.catalogue.past import ABSENT, ACTIVE, RETIRED, UNKNOWN
from harvester.catalogue.tables import datasets, records, revisions, runs
from harvester.errors import UsageError
from harvester.history import chronicle
from harvester.history.diffs import Line
from harvester.identity.clusters import Hand, Name
from harvester.jsonio import loads
from harvester.model import Dataset
from tests.catalogues import NOW, Catalogue, catalogue

DAY = timedelta(days=1)


def plain(raw: dict[str, Any]) -> dict[str, Any]:
    """The stored form of a dataset."""
    stored: dict[str, Any] = loads(dataset_json(Dataset.of(raw)))
    return stored


pytestmark = pytest.mark.usefixtures("database")


def dataset(guid: str, title: str = "Un", **more: Any) -> dict[str, Any]:
    return {"identifier": guid, "title": title, **more}


@pytest.fixture
def made(tmp_path: Path) -> Catalogue:
    return catalogue(tmp_path / "data")


def at(made: Catalogue, when: datetime, key: str = "") -> past.Past:
    with made.engine.connect() as connection:
        found = past.dataset_at(connection, key or made.key("one", "a"), when)
    assert found is not None
    return found


def title(found: past.Past) -> str | None:
    return found.metadata["title"][""] if found.metadata else None


def lived(made: Catalogue) -> None:
    """Created, updated twice, retired, restored with another title: one a day."""
    for day, name in enumerate(("Un", "Deux", "Trois")):
        made.now = NOW + day * DAY
        made.add("one", [dataset("a", name, keyword=["eau"])])
    made.now = NOW + 3 * DAY
    made.retire("one", "a")
    made.now = NOW + 4 * DAY
    made.add("one", [dataset("a", "Quatre")])


def test_every_past_state_can_be_read(made: Catalogue) -> None:
    lived(made)
    states = [at(made, NOW + timedelta(hours=24 * day + hours)) for day in range(-1, 6) for hours in (0, 12)]
    assert [(state.status, title(state)) for state in states[::2]] == [
        (ABSENT, None),
        (ACTIVE, "Un"),
        (ACTIVE, "Deux"),
        (ACTIVE, "Trois"),
        (RETIRED, None),
        (ACTIVE, "Quatre"),
        (ACTIVE, "Quatre"),
    ]
    assert [(state.status, title(state)) for state in states[1::2]] == [
        (state.status, title(state)) for state in states[::2]
    ]
    found = states[4].metadata
    assert found == plain(dataset("a", "Deux", keyword=["eau"]))
    assert (states[4].source, states[4].guid) == ("one", "a")


def test_a_history_names_what_changed(made: Catalogue) -> None:
    lived(made)
    with made.engine.connect() as connection:
        lines = chronicle.history_page(connection, made.key("one", "a"))
        first = chronicle.history_page(connection, made.key("one", "a"), limit=2)
        rest = chronicle.history_page(connection, made.key("one", "a"), before=int(first[-1].cursor or 0))
        with pytest.raises(UsageError):
            chronicle.history_page(connection, "nothing")
    told = [(line.action, line.title, [field.words for field in line.fields]) for line in lines]
    assert told == [
        ("restored", "Quatre", ["keyword 'eau' removed", "title: Trois -> Quatre"]),
        ("retired", "Trois", []),
        ("updated", "Trois", ["title: Deux -> Trois"]),
        ("updated", "Deux", ["title: Un -> Deux"]),
        ("created", "Un", []),
    ]
    assert first + rest == lines
    assert {(line.source, line.run, line.dataset) for line in lines} == {("one", 1, made.key("one", "a"))}


def test_what_was_before_histories_were_kept_is_not_invented(made: Catalogue) -> None:
    made.add("one", [dataset("a"), dataset("b"), dataset("c")])
    with writing(made.engine) as connection:
        connection.execute(delete(revisions))
        old = {"first_seen_at": NOW - 10 * DAY, "changed_at": NOW - 5 * DAY}
        connection.execute(update(records).values(**old))
    made.now = NOW + DAY
    made.add("one", [dataset("a", "Deux")])
    made.retire("one", "b")
    for guid, now in (("a", "Deux"), ("b", None), ("c", "Un")):
        key = made.key("one", guid)
        assert title(at(made, NOW + DAY, key)) == now
        assert [(at(made, NOW + days * DAY, key).status) for days in (-11, -6, -5, 0)] == [
            ABSENT, UNKNOWN, ACTIVE, ACTIVE,
        ]  # fmt: skip
        assert title(at(made, NOW, key)) == "Un"
        assert at(made, NOW - 6 * DAY, key).known_since == NOW - 5 * DAY


def test_a_dataset_that_became_part_of_another_is_found_as_it_was(made: Catalogue) -> None:
    shared = "https://doi.org/10.5555/shared"
    made.add("one", [dataset("a", "Chez un", uri="https://one.example.org/a")], keyed=True)
    made.add("two", [dataset("b", "Chez deux", uri="https://two.example.org/b")], keyed=True)
    ended = made.key("two", "b")
    made.now = NOW + DAY
    names = ["https://one.example.org/a", "https://two.example.org/b"]
    other = [{"notation": name} for name in names]
    made.add("three", [dataset("c", "Chez trois", uri=shared, other_identifier=other)], keyed=True)
    kept = made.key("one", "a")
    with made.engine.connect() as connection:
        assert connection.execute(select(datasets.c.merged_into_id).where(datasets.c.key == ended)).scalar_one()
        assert {line.action for line in chronicle.history_page(connection, kept)} == {"created", "joined"}
    assert [title(at(made, NOW, key)) for key in (kept, ended)] == ["Chez un", "Chez deux"]
    assert [at(made, NOW + DAY, key).key for key in (kept, ended)] == [kept, kept]
    made.now = NOW + 2 * DAY
    made.retire("one", "a")
    assert [title(at(made, NOW + day * DAY, kept)) for day in range(3)] == ["Chez un", "Chez un", "Chez deux"]


def test_a_source_that_is_removed_leaves_its_past(made: Catalogue) -> None:
    lived(made)
    key = made.key("one", "a")
    with writing(made.engine) as connection:
        sources.remove(connection, "one", NOW + 6 * DAY)
    assert [title(at(made, NOW + day * DAY, key)) for day in range(7)] == [
        "Un", "Deux", "Trois", None, "Quatre", "Quatre", None,
    ]  # fmt: skip
    assert at(made, NOW + 7 * DAY, key).status == RETIRED
    with made.engine.connect() as connection:
        lines = chronicle.history_page(connection, key)
    assert (lines[0].action, lines[0].fields, lines[0].run, len(lines)) == ("retired", (), None, 6)


def test_a_run_is_told_by_name_in_pages(made: Catalogue) -> None:
    made.add("one", [dataset(f"g{n}") for n in range(7)])
    first = made.runs["one"]
    with writing(made.engine) as connection:
        made.runs["one"] = second = store.RunRef(_next_run(made, connection), first.source_id, "one")
    made.add("one", [dataset("g0", "Deux"), dataset("g1", "Deux"), dataset("new")])
    made.retire("one", "g2", "g3")
    made.report("one", store.Problem("normalise", "error", "bad", "cannot be read", "g4"))
    made.report("one", store.Problem("normalise", "warning", "odd", "left out", "g5"))
    with writing(made.engine) as connection:
        known = queries.known(connection, second.source_id, ["g4", "g5", "g6"])
        store.touch(connection, second, [stored.id for stored in known.values()])
    everything = _pages(made, second.id, SECTIONS)
    assert [(line.action, line.guid) for line in everything] == [
        ("created", "new"), ("updated", "g0"), ("updated", "g1"), ("retired", "g2"), ("retired", "g3"),
        ("failed", "g4"), ("unchanged", "g5"), ("unchanged", "g6"),
    ]  # fmt: skip
    assert [field.words for field in everything[1].fields] == ["title: Un -> Deux"]
    assert [line.guid for line in _pages(made, second.id, ("retired", "failed"))] == ["g2", "g3", "g4"]
    assert [line.guid for line in _pages(made, first.id, SECTIONS)] == [f"g{n}" for n in range(7)]
    with made.engine.connect() as connection:
        told = chronicle.counts(connection, chronicle.known_run(connection, second.id))
        assert told.unchanged_named
        assert not chronicle.counts(connection, chronicle.known_run(connection, first.id)).unchanged_named


def _next_run(made: Catalogue, connection: Any) -> int:
    values = {"status": "succeeded", "ended_at": made.now}
    connection.execute(update(runs).where(runs.c.source_id == made.runs["one"].source_id).values(**values))
    return store.add_run(connection, made.runs["one"].source_id, "full", "running", made.now)


def _pages(made: Catalogue, run_id: int, actions: tuple[str, ...]) -> list[Line]:
    """The diff in pages of three, which is the diff in one piece."""
    lines: list[Line] = []
    after: str | None = ""
    with made.engine.connect() as connection:
        run = chronicle.known_run(connection, run_id)
        while after is not None:
            page, after = chronicle.diff_page(connection, run, actions, after, 3)
            lines += page
    assert lines == list(chronicle.diff_lines(made.engine, run, actions))
    return lines


@pytest.mark.parametrize("cursor", ["x", "created", "created-", "created-99999999999999999999", "joined-1", "failed-1"])
def test_a_cursor_of_nobody_is_refused(made: Catalogue, cursor: str) -> None:
    made.add("one", [dataset("a")])
    with made.engine.connect() as connection:
        run = chronicle.known_run(connection, made.runs["one"].id)
        with pytest.raises(UsageError):
            chronicle.diff_page(connection, run, ("created", "updated"), cursor)


ONE = {"uri": "https://id.example/1"}


def joined_and_split(made: Catalogue) -> tuple[str, str]:
    """Two datasets, one the day after, the third day, and two again from the fourth day on; answers their keys."""
    made.add("one", [dataset("a", **ONE)], keyed=True)
    made.now = NOW + DAY
    made.add("two", [dataset("b", "Deux")], keyed=True)
    keys = made.key("one", "a"), made.key("two", "b")
    made.now = NOW + 2 * DAY
    made.add("two", [dataset("b", "Deux", **ONE)], keyed=True)
    made.now = NOW + 3 * DAY
    made.add("one", [dataset("a")], keyed=True)
    return keys


def test_what_others_say_of_a_record_is_told_under_its_own_source(made: Catalogue) -> None:
    first, second = joined_and_split(made)
    with made.engine.connect() as connection:
        lines = [line for key in (first, second) for line in chronicle.history_page(connection, key)]
        assert {(line.source, line.guid) for line in lines} == {("one", "a"), ("two", "b")}
        assert {line.action for line in lines} >= {"joined", "split"}


def test_a_retired_record_that_changed_its_dataset_keeps_its_past(made: Catalogue) -> None:
    made.add("one", [dataset("a")], keyed=True)
    made.add("two", [dataset("b", "Deux", **ONE)], keyed=True)
    key = made.key("one", "a")
    made.now = NOW + DAY
    made.retire("one", "a")
    made.now = NOW + 2 * DAY
    with writing(made.engine) as connection:
        mine = {Name("one", "a"), Name("two", "b")}
        hands.add(connection, Hand(0, "join", frozenset(mine)), "me", None, made.now)
        clusters.look_at(connection, made.runs["one"], [1], made.now)
    with writing(made.engine) as connection:
        assert leaving.forget(connection, made.now, made.now) == 1
    assert title(at(made, NOW, key)) == "Un"


def test_a_dataset_that_stands_for_itself_again_was_part_of_another_one_meanwhile(made: Catalogue) -> None:
    first, second = joined_and_split(made)
    when = [NOW + day * DAY + timedelta(hours=1) for day in range(4)]
    assert [title(at(made, each, first)) for each in when] == ["Un"] * 4
    assert [at(made, each, second).key for each in when] == [second, second, first, second]
    assert [title(at(made, each, second)) for each in when] == [None, "Deux", "Un", "Deux"]


def test_a_dataset_that_ended_twice_over_was_in_the_first_until_the_second(made: Catalogue) -> None:
    for day, (source, name) in enumerate((("one", "Un"), ("two", "Deux"), ("three", "Trois"))):
        made.now = NOW + day * DAY
        made.add(source, [dataset(source, name)], keyed=True)
    first, second, third = (made.key(source, source) for source in ("one", "two", "three"))
    for day, names in enumerate((("three", "two"), ("one",)), 3):
        made.now = NOW + day * DAY
        for name in names:
            made.add(name, [dataset(name, **ONE)], keyed=True)
    assert [at(made, NOW + day * DAY, third).key for day in (2, 3, 4)] == [third, second, first]
