"""Identifiers that come to stand for other datasets are told, and a person is asked where they changed places."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from harvester.harvest import Change, Result
from harvester.settings import Settings
from tests.one_source import OneSource
from tests.programmable import Programmable

SUBJECTS = ["eau", "air", "bois", "rue", "parc", "port", "gare", "pont", "lac", "mer", "ciel", "sol", "feu", "vent"]


def raw(subject: str, **more: Any) -> dict[str, Any]:
    return {
        "title": f"Carte {subject}",
        "description": f"Tout ce que la ville sait de son {subject}, relevé par ses agents chaque semaine.",
        "distribution": [{"download_url": f"https://e.example/files/{subject}.csv"}],
        **more,
    }


def listed() -> dict[str, dict[str, Any]]:
    return {f"g{number}": raw(subject) for number, subject in enumerate(SUBJECTS)}


@pytest.fixture
def bench(engine: Engine, settings: Settings) -> OneSource:
    return OneSource(engine, settings)


def after(bench: OneSource, changed: dict[str, dict[str, Any]], dry: bool) -> tuple[Result, list[tuple[str, Any]]]:
    """How the next walk ends that shows this, and what it warns of."""
    connector = Programmable(listed(), 5)
    assert bench.run(connector).status == "succeeded"
    bench.now += timedelta(days=1)
    connector.packages = changed
    heard: list[Change] = []
    result = bench.run(connector, dry=dry, on_change=heard.append)
    return result, [(found.code, found.guid) for found in result.tally.findings]


@pytest.mark.parametrize("dry", [False, True])
def test_identifiers_that_changed_places_are_held(bench: OneSource, dry: bool) -> None:
    packages = listed()
    packages["g1"], packages["g4"] = packages["g4"], packages["g1"]
    result, told = after(bench, packages, dry)
    assert (result.status, result.code) == ("held", "identifiers-swapped")
    assert told == [("identifier-reused", "g1"), ("identifier-reused", "g4"), ("identifiers-swapped", None)]
    now = f"stood for 'Carte {SUBJECTS[1]}', which is 'g4' now, and stands for 'Carte {SUBJECTS[4]}'"
    assert result.tally.findings[0].message == f"the identifier {now}"
    if not dry:
        bench.now += timedelta(days=1)
        again = bench.run(Programmable(packages, 5))
        assert (again.status, again.code) == ("succeeded", None)


@pytest.mark.parametrize("dry", [False, True])
def test_identifiers_that_moved_up_by_one_are_held(bench: OneSource, dry: bool) -> None:
    packages = {"g0": raw("tout neuf")} | {f"g{n + 1}": raw(subject) for n, subject in enumerate(SUBJECTS)}
    result, told = after(bench, packages, dry)
    assert (result.status, result.code) == ("held", "identifiers-swapped")
    assert told.count(("identifier-reused", "g7")) == 1
    assert "14 of them stand under other ones now" in str(result.message)


@pytest.mark.parametrize("dry", [False, True])
def test_one_that_stands_for_something_else_is_told_with_both_titles(bench: OneSource, dry: bool) -> None:
    packages = listed() | {"g3": raw("tout neuf")}
    result, told = after(bench, packages, dry)
    assert (result.status, told) == ("succeeded", [("identifier-reused", "g3")])
    assert "'Carte rue'" in result.tally.findings[0].message
    assert "'Carte tout neuf'" in result.tally.findings[0].message


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Autre titre"},
        {"distribution": [{"download_url": "https://new.example/1.csv"}]},
        {"title": "Autre titre", "distribution": [{"download_url": "https://new.example/1.csv"}]},
        {"title": "Autre titre", "description": "Un autre texte, assez long pour dire quelque chose de ses données."},
    ],
)
def test_what_changed_in_part_is_the_same(bench: OneSource, change: dict[str, Any]) -> None:
    packages = {guid: one | change for guid, one in listed().items()}
    result, told = after(bench, packages, dry=False)
    assert (result.status, told) == ("succeeded", [])


def test_too_many_at_once_are_held_wherever_the_old_ones_are(bench: OneSource) -> None:
    packages = {guid: raw(f"{number} neuf") for number, guid in enumerate(listed())}
    result, told = after(bench, packages, dry=False)
    assert (result.status, result.code, len(told)) == ("held", "identifiers-swapped", 15)
