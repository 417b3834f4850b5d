"""Differences between two states of a dataset, and the history of records: nothing lost, nothing invented."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.catalogue.packing import dataset_json, pack
from harvester.history.difference import applied, before, difference, reversed_
from harvester.history.diffs import FORMS, Line, safe, written
from harvester.history.telling import fields
from harvester.jsonio import canonical, loads
from harvester.model import Dataset
from tests.rdf_datasets import DATASET

DAY = timedelta(days=1)
LICENCE = "http://publications.europa.eu/resource/authority/licence/"


def plain(raw: dict[str, Any]) -> dict[str, Any]:
    """The stored form of a dataset."""
    stored: dict[str, Any] = loads(dataset_json(Dataset.of(raw)))
    return stored


def words(old: Any, new: Any) -> list[str]:
    return [field.words for field in fields(difference(old, new))]


@given(DATASET, DATASET)
def test_either_state_is_rebuilt_from_the_other_to_the_byte(one: dict[str, Any], two: dict[str, Any]) -> None:
    old, new = plain(one), plain(two)
    delta = loads(canonical(difference(old, new)))
    assert canonical(applied(delta, old)) == canonical(new)
    assert canonical(before(delta, new)) == canonical(old)
    assert canonical(reversed_(reversed_(delta))) == canonical(delta)
    assert (delta is None) == (canonical(old) == canonical(new))


@given(DATASET, st.randoms(use_true_random=False))
def test_a_shuffled_and_edited_dataset_is_rebuilt(raw: dict[str, Any], chance: random.Random) -> None:
    old = plain(raw)
    new = _edited(loads(canonical(old)), chance)
    delta = loads(canonical(difference(old, new)))
    assert canonical(applied(delta, old)) == canonical(new)
    assert canonical(before(delta, new)) == canonical(old)
    list(fields(delta))


def _edited(value: Any, chance: random.Random) -> Any:
    """A value in which things are moved, doubled, dropped and changed."""
    if isinstance(value, dict):
        return {key: _edited(inner, chance) for key, inner in value.items() if chance.random() > 0.1}
    if isinstance(value, list):
        items = [_edited(item, chance) for item in value if chance.random() > 0.2]
        items += [item for item in value if chance.random() > 0.8]
        chance.shuffle(items)
        return items
    if isinstance(value, str):
        return value if chance.random() > 0.2 else value + "!"
    return value if chance.random() > 0.2 else 7.0


@pytest.mark.parametrize("pair", [(1, 1.0), (1, True), (0.0, -0.0), (None, 0), ("", None), ([1], [1.0]), ([], [1])])
def test_values_that_python_takes_for_equal_are_told_apart(pair: tuple[Any, Any]) -> None:
    old, new = {"a": pair[0], "b": [pair[0]]}, {"a": pair[1], "b": [pair[1]]}
    delta = difference(old, new)
    assert canonical(applied(delta, old)) == canonical(new)
    assert canonical(before(delta, new)) == canonical(old)
    assert difference(old, old) is None


def test_things_are_compared_by_name_not_by_place() -> None:
    files = [{"uri": f"http://x.example/{n}", "title": {"fr": f"f{n}.csv"}, "byte_size": n} for n in range(1, 5)]
    moved = [files[3], {**files[1], "byte_size": 20}, files[0]]
    assert words({"distribution": files}, {"distribution": moved}) == [
        "distribution 'f3.csv' removed",
        "distribution 'f2.csv', byte size: 2 -> 20",
        "distribution: in another order",
    ]


def test_a_changed_address_is_no_new_distribution() -> None:
    old = [{"identifier": "a", "download_url": ["http://x.example/a"]}, {"identifier": "b"}]
    new = [{"identifier": "a", "download_url": ["http://x.example/a?use_labels=true"]}, {"identifier": "b"}]
    assert words({"distribution": old}, {"distribution": new}) == [
        "distribution 'a', download url: http://x.example/a -> http://x.example/a?use_labels=true"
    ]


def test_distributions_of_one_name_are_told_apart() -> None:
    old = [{"title": {"": "CSV"}, "download_url": [f"http://x.example/{n}"]} for n in range(3)]
    new = [{**item, "byte_size": n + 1} for n, item in enumerate(old)]
    paths = [field.path for field in fields(difference({"distribution": old}, {"distribution": new}))]
    assert paths == [f"distribution[CSV ({n})].byte_size" for n in (1, 2, 3)]


def test_the_order_of_keywords_means_nothing() -> None:
    old = {"keyword": {"fr": ["air", "eau"]}, "service": [{"uri": "s", "keyword": {"": ["a", "b"]}}]}
    new = {"keyword": {"fr": ["eau", "air"]}, "service": [{"uri": "s", "keyword": {"": ["b", "a"]}}]}
    assert words(old, new) == []
    assert words(old, {**old, "keyword": {"fr": ["air", "terre"]}}) == [
        "keyword (fr) 'eau' removed",
        "keyword (fr) 'terre' added",
    ]


def test_changes_are_told_in_words() -> None:
    old = {
        "license": {"text": "cc-by", "uri": f"{LICENCE}CC_BY_4_0"},
        "title": {"fr": "Ancien"},
        "publisher": {"name": {"fr": "Ville"}},
        "description": {"fr": "x" * 500 + " un " + "y" * 500},
        "landing_page": ["http://x.example/1"],
    }
    new = {
        "license": {"text": "odc-by", "uri": f"{LICENCE}ODC_BY"},
        "title": {"fr": "Ancien", "en": "Old\none"},
        "description": {"fr": "x" * 500 + " deux " + "y" * 500},
        "landing_page": ["http://x.example/2"],
        "distribution": [{"title": {"": "x.csv"}}],
    }
    told = words(old, new)
    assert told[1:] == [
        "distribution 'x.csv' added",
        "landing page: http://x.example/1 -> http://x.example/2",
        "licence: Creative Commons Attribution 4.0 International -> Open Data Commons Attribution License v1.0",
        "publisher removed: Ville",
        "title (en) added: Old one",
    ]
    assert told[0].startswith("description (fr): …xx")
    assert {" un y" in told[0], " deux y" in told[0]} == {True}
    assert len(told[0]) < 400


def test_thousands_of_items_are_compared_in_linear_time_and_kept_small() -> None:
    keywords = [f"mot {n}" for n in range(34_866)]
    files = [{"title": {"": "CSV"}, "download_url": [f"http://x.example/{n}"]} for n in range(8_327)]
    old = {"keyword": {"": keywords}, "distribution": files}
    new = {"keyword": {"": keywords[1:]}, "distribution": [*files[:5], {**files[5], "byte_size": 1}, *files[6:]]}
    delta = difference(old, new)
    assert before(delta, new) == old
    assert len(pack(delta)) < 200


def test_cells_are_no_formulas_and_lines_stay_lines() -> None:
    assert [safe(cell) for cell in ("=1+1", "@x", " +x", "\t=x", "-x", "-1.5", "a=b", None, "＝x")] == [
        "'=1+1", "'@x", "' +x", "'\t=x", "'-x", "-1.5", "a=b", "", "'＝x",
    ]  # fmt: skip
    (field,) = fields(difference({"version": "=A1"}, {"version": "b"}))
    line = Line("updated", "=g\x1b[2J", 'T"\nx', (field,), source="s")
    assert "".join(written([line], "csv")).splitlines()[1:] == [
        'updated,s,\'=g\x1b[2J,"T""',
        "x\",,,version,changed,'=A1,b,,,",
    ]
    assert "".join(written([line], "text")) == 'updated   s  =g [2J  T" x\n    version: =A1 -> b\n'
    for name in ("json", "ndjson"):
        assert '"from":"=A1"' in "".join(written([line], name))
    assert loads("".join(written([], "json"))) == {"changes": []}
    assert set(FORMS) == {"text", "csv", "json", "ndjson"}
