"""The same datasets under new identifiers keep their place; those of a series are never mixed up."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from harvester.carrying import Side, carried, traits
from harvester.model import Dataset

THEN = datetime(2026, 5, 1, tzinfo=UTC)
NOW = THEN + timedelta(days=1)


def side(number: int, guid: str, raw: dict[str, Any], at: datetime, home: int | None = None) -> Side:
    return Side(number, number if home is None else home, at, traits(Dataset.of(raw), guid))


def paired(old: Iterable[dict[str, Any]], new: Iterable[dict[str, Any]], *others: str) -> list[tuple[int, int]]:
    """Pairs of places; old records are numbered from 0, new ones from 1000."""
    before = [side(number, f"old-{number}", raw, THEN) for number, raw in enumerate(old)]
    after = [side(1000 + number, f"new-{number}", raw, NOW) for number, raw in enumerate(new)]
    return [(one, other - 1000) for one, other in carried(before, after, lambda: others)]


def raw(title: str, *urls: str, **more: Any) -> dict[str, Any]:
    return {"title": title, "distribution": [{"download_url": url} for url in urls], **more}


SAME = raw("Land Use", "https://gis.example/rest/LandUse/MapServer/0")
PROSE = "Every parcel of the county with the use that its owner declared in the survey."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SAME, SAME),
        (SAME, raw("LAND  use", "http://www.gis.example/rest/LandUse/MapServer/0/")),
        (SAME, {**SAME, "publisher": {"name": "County"}}),
        ({**SAME, "publisher": {"name": "City"}}, {**SAME, "publisher": {"name": "County"}}),
        (raw("Eau", "https://e.example/old-0/eau.csv"), raw("Eau", "https://e.example/new-0/eau.csv")),
        (raw("Eau", "https://e.example/r/123456789/eau.csv"), raw("Eau", "https://e.example/r/987654321/eau.csv")),
        (raw("Eau", "https://e.example/old-0.csv", "https://e.example/a"), raw("Eau", "https://e.example/old-0.csv")),
        (raw("Eau", description=PROSE), raw("Eau", description=PROSE.upper())),
        (
            raw("Eau", 'https://e.example/0.geojson?outSR={"wkid":1}'),
            raw("Eau", "https://e.example/0.geojson?outSR=%7B%22wkid%22%3A1%7D"),
        ),
    ],
)
def test_the_same_under_a_new_identifier(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert paired([old], [new]) == [(0, 0)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (raw("Budget 2019", "https://e.example/b"), raw("Budget 2020", "https://e.example/b")),
        (raw("Budget", "https://e.example/b-2019.csv"), raw("Budget", "https://e.example/b-2020.csv")),
        (
            raw("Budget", "https://e.example/api", temporal=[{"start": "2019-01-01", "end": "2019-12-31"}]),
            raw("Budget", "https://e.example/api", temporal=[{"start": "2020-01-01", "end": "2020-12-31"}]),
        ),
        (raw("Annexe", "https://e.example/1.pdf"), raw("Annexe", "https://e.example/2.pdf")),
        (raw("Eau"), raw("Eau")),
        (raw("Eau", description="none"), raw("Eau", description="none")),
        (raw("", "https://e.example/b", identifier="x"), raw("", "https://e.example/b", identifier="y")),
        (
            raw("Eau", "https://e.example/old-0.csv", publisher={"name": "Ville A"}),
            raw("Eau", "https://e.example/new-0.csv", publisher={"name": "Ville B"}),
        ),
        (
            raw("Budget", "https://e.example/r/123456789/2019.csv", "https://e.example/r/123456789/2020.csv"),
            raw("Budget", "https://e.example/r/987654321/2020.csv"),
        ),
        (
            raw("Tome", "https://e.example/1.pdf", description=PROSE),
            raw("Tome", "https://e.example/2.pdf", description=PROSE),
        ),
    ],
)
def test_what_may_be_another_dataset_is_left_alone(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert paired([old], [new]) == []


def test_ambiguous_ones_stay() -> None:
    alike = [raw("Eau", f"https://e.example/old-{n}/x.csv", keyword=[str(n)]) for n in range(2)]
    assert paired(alike, [raw("Eau", "https://e.example/new-0/x.csv")]) == []
    assert paired([SAME], [SAME, SAME]) == []
    assert paired([SAME, SAME], [SAME]) == []
    both = raw("Eau", "https://e.example/1.csv", "https://e.example/2.csv")
    each = [raw("Eau", f"https://e.example/{n}.csv") for n in (1, 2)]
    assert paired([both], each) == []
    assert paired(each, [both]) == []
    other = raw("Eau", "https://e.example/y.csv")
    assert paired([alike[0], other], [raw("Eau", "https://e.example/new-0/x.csv")]) == []


def test_short_identifiers_and_countless_links() -> None:
    found = traits(Dataset.of(raw("Eau", *(f"https://e.example/a/{n}.csv" for n in range(100)))), "a")
    assert len(found.links) == len(found.addresses) == 60
    assert found.links == found.addresses


def test_a_title_that_another_record_still_has_proves_little() -> None:
    old, new = raw("Eau", "https://e.example/old-0/x.csv"), raw("Eau", "https://e.example/new-0/x.csv")
    assert paired([old], [new], "Air") == [(0, 0)]
    assert paired([old], [new], "Air", "EAU") == []
    assert paired([SAME], [SAME], "Land use") == [(0, 0)]


def test_within_one_title_the_link_decides() -> None:
    old = [raw("Eau", f"https://e.example/{n}.csv") for n in range(5)]
    assert paired(old, [old[n] for n in (3, 1, 4, 0, 2)]) == [(0, 3), (1, 1), (2, 4), (3, 0), (4, 2)]


def test_records_that_nothing_tells_apart_are_paired_when_there_are_as_many() -> None:
    assert paired([SAME] * 3, [SAME] * 3) == [(0, 0), (1, 1), (2, 2)]


def test_a_record_that_was_there_beside_the_old_one_is_another() -> None:
    old = [side(1, "a", SAME, NOW)]
    assert not list(carried(old, [side(2, "b", SAME, THEN)], list))
    assert list(carried(old, [side(2, "b", SAME, NOW + timedelta(hours=1))], list)) == [(1, 2)]


def test_records_of_one_dataset_are_the_same() -> None:
    old, new = raw("Eau", "https://e.example/1"), raw("Air", "https://e.example/2")
    assert list(carried([side(1, "a", old, THEN, 7)], [side(2, "b", new, NOW, 7)], list)) == [(1, 2)]


def test_a_whole_source_in_any_order() -> None:
    old = [raw(f"Jeu {n % 50}", f"https://e.example/{n}.csv", f"https://e.example/{n}.json") for n in range(200)]
    order = list(range(200))
    random.Random(1).shuffle(order)
    expected = sorted((number, place) for place, number in enumerate(order))
    assert paired(old, [old[number] for number in order]) == expected
