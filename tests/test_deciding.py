"""What people decide of datasets wins for ever, and can be undone; rules that changed are caught up with."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, delete, select, update
from typer.testing import CliRunner

from harvester import comparing, deciding, reclustering, sources
from harvester.catalogue import leaving, past, queries
from harvester.catalogue.database import writing
from harvester.catalogue.following import follow
from harvester.catalogue.tables import blocks, crowded, links, records, signs
from harvester.cli import app
from harvester.errors import UsageError
from harvester.identity.clusters import Name
from harvester.settings import Settings
from tests.catalogues import NOW, Catalogue, application
from tests.test_clustering import keys_of, partition, raw, sound

ME = "somebody"
A, B, C = ("one", "a"), ("two", "b"), ("three", "c")


@pytest.fixture
def made(engine: Engine, settings: Settings) -> Catalogue:
    """Two records with one identifier, and one with nothing in common with them."""
    found = Catalogue(settings, engine)
    for (source, guid), kind in ((A, 1), (B, 1), (C, 0)):
        found.add(source, [raw(guid, kind)], keyed=True)
    return found


def again(made: Catalogue) -> None:
    """The portals say the same in other words, one goes and comes again."""
    made.add("one", [raw("a", 1) | {"description": "Dit autrement, et plus longuement."}], keyed=True)
    with writing(made.engine) as connection:
        sources.remove(connection, "two", NOW)
    made.runs.pop("two")
    made.add("two", [raw("b", 1)], keyed=True)


def test_a_split_outlives_every_harvest(made: Catalogue) -> None:
    first, second, _ = keys_of(made, (A, B, C))
    assert first == second
    kept, gone = deciding.split(made.engine, first, [Name(*B)], ME, "two councils", NOW)
    assert (kept, [kept, gone]) == (first, keys_of(made, (A, B)))
    again(made)
    assert keys_of(made, (A, B)) == [kept, gone]
    deciding.undo(made.engine, kept, "split", ME, NOW)
    assert keys_of(made, (A, B)) == [first, first]
    sound(made.engine)


def test_a_join_outlives_every_harvest(made: Catalogue) -> None:
    first, _, third = keys_of(made, (A, B, C))
    assert deciding.join(made.engine, [third, first], ME, None, NOW) == first
    again(made)
    assert keys_of(made, (A, B, C)) == [first, first, first]
    with made.engine.connect() as connection:
        ended = queries.dataset_by_key(connection, third)
        assert ended is not None
        assert ended.key == first
    deciding.undo(made.engine, first, "join", ME, NOW)
    assert keys_of(made, (A, B, C)) == [first, first, third]


def test_a_pinned_dataset_stays_as_it_is(made: Catalogue) -> None:
    first, _, third = keys_of(made, (A, B, C))
    deciding.pin(made.engine, first, ME, None, NOW)
    made.add("three", [raw("c", 1)], keyed=True)
    made.add("one", [raw("a", 0)], keyed=True)
    assert keys_of(made, (A, B, C)) == [first, first, third]
    deciding.undo(made.engine, first, "pin", ME, NOW)
    assert partition(made.engine) == {frozenset({A}), frozenset({B, C})}


def test_the_latest_decision_wins(made: Catalogue) -> None:
    first, _, third = keys_of(made, (A, B, C))
    deciding.split(made.engine, first, [Name(*B)], ME, None, NOW)
    deciding.join(made.engine, keys_of(made, (A, B)), ME, None, NOW)
    assert keys_of(made, (A, B, C)) == [first, first, third]


def test_a_decision_follows_a_record_that_is_renamed(made: Catalogue) -> None:
    first, *_ = keys_of(made, (A, B))
    deciding.split(made.engine, first, [Name(*B)], ME, None, NOW)
    run = made.source("two")
    made.add("two", [raw("z", 1)], keyed=True)
    with writing(made.engine) as connection:
        known = queries.known(connection, run.source_id, ["b", "z"])
        leaving.rename(connection, run, [(known["b"].id, known["z"].id)], NOW)
    assert made.key("two", "z") != first
    sound(made.engine)


def test_what_cannot_be_decided_is_refused(made: Catalogue) -> None:
    first, *_ = keys_of(made, (A, B))
    for code, call in (
        ("same-dataset", lambda: deciding.join(made.engine, [first, first], ME, None, NOW)),
        ("unknown-dataset", lambda: deciding.pin(made.engine, "nothing", ME, None, NOW)),
        ("unknown-record", lambda: deciding.split(made.engine, first, [Name("x", "y")], ME, None, NOW)),
        ("nothing-left", lambda: deciding.split(made.engine, first, [Name(*A), Name(*B)], ME, None, NOW)),
        ("unknown-decision", lambda: deciding.undo(made.engine, first, "pin", ME, NOW)),
    ):
        with pytest.raises(UsageError) as refused:
            call()
        assert refused.value.code == code


def test_every_link_is_told_with_rule_version_and_evidence(made: Catalogue) -> None:
    first, *_ = keys_of(made, (A, B))
    deciding.pin(made.engine, first, ME, "checked", NOW)
    client = TestClient(application(made.settings))
    body: dict[str, Any] = client.get(f"/api/datasets/{first}/identity").json()
    (tie,) = body["within"]
    assert [record["source"] for record in body["records"]] == ["one", "two"]
    assert (tie["decision"], tie["rule"], tie["current"]) == ("same", "identifier", True)
    assert tie["evidence"]
    assert [(word["kind"], word["who"], word["why"]) for word in body["decisions"]] == [("pin", ME, "checked")]
    assert client.get("/api/datasets/nothing/identity").status_code == 404
    assert client.post(f"/api/datasets/{first}/pin", json={}).status_code in (401, 403)
    assert set(client.get("/api/identity/probable").json()) == {"pairs", "next"}


def forgotten(made: Catalogue) -> None:
    """As records are that are older than the signs."""
    with writing(made.engine) as connection:
        for table in (links, signs, blocks, crowded):
            connection.execute(delete(table))


def test_records_from_before_there_were_signs_are_judged(made: Catalogue) -> None:
    before = keys_of(made, (A, B, C))
    forgotten(made)
    made.add("four", [raw("d", 1)], keyed=True)
    assert made.key("four", "d") != before[0]
    follow(made.engine, reclustering.FOLLOWER, lambda: NOW)
    sound(made.engine)
    assert keys_of(made, (A, B, C, ("four", "d"))) == [*before, before[0]]
    with made.engine.connect() as connection:
        assert (reclustering.standing(connection).current, reclustering.standing(connection).unsigned) == (4, 0)


def test_older_judgements_are_renewed_and_can_be_stopped(made: Catalogue) -> None:
    with writing(made.engine) as connection:
        connection.execute(update(signs).values(rules=0))
        connection.execute(delete(links))
    assert reclustering.renew(made.engine, lambda: NOW, stop=lambda: True) == 0
    assert reclustering.renew(made.engine, lambda: NOW) == 3
    assert reclustering.renew(made.engine, lambda: NOW) == 0
    with made.engine.connect() as connection:
        assert len(connection.execute(select(links)).all()) >= 1
    assert partition(made.engine) == {frozenset({A, B}), frozenset({C})}


def test_what_a_change_of_the_rules_would_do_is_told_before(made: Catalogue) -> None:
    assert list(comparing.differences(made.engine)) == []
    first, _, third = keys_of(made, (A, B, C))
    with writing(made.engine) as connection:
        homes = {row.guid: row.dataset_id for row in connection.execute(select(records.c.guid, records.c.dataset_id))}
        connection.execute(update(records).where(records.c.guid == "b").values(dataset_id=homes["c"]))
    found = {one.action: one for one in comparing.differences(made.engine)}
    assert found["join"].datasets == tuple(sorted((first, third)))
    assert [[(m.source, m.guid) for m in part] for part in found["split"].parts] == [[B], [C]]


def test_all_at_once_is_what_comes_one_by_one(made: Catalogue, tmp_path: Path) -> None:
    for number in range(12):
        made.add(f"s{number}", [raw("g", number % 7, number % 2, number % 3)], keyed=True)
    deciding.join(made.engine, keys_of(made, (A, C)), ME, None, NOW)
    assert list(comparing.differences(made.engine, tmp_path)) == []


def test_on_the_command_line(made: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARVESTER_DATA", str(made.settings.data))
    if made.settings.database_url:
        monkeypatch.setenv("HARVESTER_DATABASE_URL", str(made.settings.database_url))
    first, _, third = keys_of(made, (A, B, C))

    def said(*words: str) -> str:
        found = CliRunner().invoke(app, words)
        assert found.exit_code == 0, found.output
        return found.output

    assert "identifier" in said("dataset", "explain", first)
    assert json.loads(said("dataset", "explain", first, "--json"))["key"] == first
    assert "is pinned" in said("dataset", "pin", first)
    said("dataset", "pin", first, "--undo")
    said("dataset", "join", first, third, "--why", "one survey")
    assert made.key("three", "c") == first
    said("dataset", "split", first, "--record", "three/c")
    assert made.key("three", "c") == third
    assert "3 records judged" in said("identity", "status")
    said("identity", "review")
    for form in ("text", "csv", "json"):
        assert "differences" not in said("identity", "diff", "--format", form)
    said("identity", "update")


def test_a_past_before_a_split_is_the_past_of_the_whole(made: Catalogue) -> None:
    first, *_ = keys_of(made, (A, B))
    made.now += timedelta(days=2)
    deciding.split(made.engine, first, [Name(*A)], ME, None, made.now)
    kept, gone = keys_of(made, (A, B))
    assert kept == first != gone
    with made.engine.connect() as connection:
        before = past.dataset_at(connection, first, NOW + timedelta(days=1))
    assert before is not None
    assert (before.status, before.source) == ("active", "one")
