"""Walks broken off and resumed, over lists that change in between and in the middle, for every kind of list."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harvester import registry
from harvester.connector import Walk
from tests.kinds import KINDS, Kind, Turning, guids

# What comes again after a cursor: the datasets of its second, those without a date, the export.
OVERLAPPING = ("opendatasoft",)
STALE = (
    "250:3",
    "100",
    "2024-01-01T00:00:00+00:00",
    "http://portal.example/catalog.ttl?page=2",
    "x",
    "o9-",
    "sure:",
    "",
)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


def test_every_connector_has_a_kind() -> None:
    assert {kind.connector for kind in KINDS} == set(registry.names())


def test_a_walk_resumes_after_each_of_its_pages(kind: Kind) -> None:
    portal = kind.portal(range(kind.size))
    pages = list(kind.walk(portal))
    assert set(guids(pages)) == kind.guids(range(kind.size))
    assert len([page for page in pages if page.cursor]) > 1
    for number, page in enumerate(pages):
        if page.cursor is None:
            continue
        assert len(page.cursor) < 200
        before = guids(pages[: number + 1])
        after = guids(kind.walk(portal, Walk(cursor=page.cursor)))
        assert set(before) | set(after) == kind.guids(range(kind.size)), page.cursor
        if kind.name not in OVERLAPPING:
            assert set(before).isdisjoint(after), page.cursor


@pytest.mark.parametrize("cursor", STALE)
def test_a_cursor_that_cannot_be_read_begins_at_the_start(kind: Kind, cursor: str) -> None:
    found = guids(kind.walk(kind.portal(range(kind.size)), Walk(cursor=cursor)))
    assert set(found) == kind.guids(range(kind.size))


def test_a_cursor_of_another_kind_begins_at_the_start(kind: Kind) -> None:
    for other in KINDS:
        cursor = next(page.cursor for page in other.walk(other.portal(range(other.size))) if page.cursor)
        if other.name.partition("-")[0] != kind.name.partition("-")[0]:
            found = guids(kind.walk(kind.portal(range(kind.size)), Walk(cursor=cursor)))
            assert set(found) == kind.guids(range(kind.size)), other.name


@pytest.mark.parametrize("removed", [1, 3, 12])
@pytest.mark.parametrize("after", [1, 2])
def test_what_is_removed_before_a_cursor_costs_nothing_else(kind: Kind, removed: int, after: int) -> None:
    everything = range(kind.size)
    left = list(everything)[removed:]
    pages = list(islice(kind.walk(kind.portal(everything)), after))
    rest = list(kind.walk(kind.portal(left), Walk(cursor=pages[-1].cursor)))
    assert set(guids(pages)) | set(guids(rest)) >= kind.guids(left)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_changed_meanwhile_what_stays_is_not_lost(kind: Kind, data: st.DataObject) -> None:
    everything = range(0, 2 * kind.size, 2)
    gone = data.draw(st.sets(st.sampled_from(everything), max_size=15))
    new = data.draw(st.sets(st.integers(0, 2 * kind.size), max_size=5))
    pages = list(islice(kind.walk(kind.portal(everything)), data.draw(st.integers(1, 6))))
    rest = kind.walk(kind.portal(sorted((set(everything) - gone) | new)), Walk(cursor=pages[-1].cursor))
    assert set(guids(pages)) | set(guids(rest)) >= kind.guids(set(everything) - gone)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_changes_in_mid_walk_costs_nothing_that_stays_and_doubles_nothing(kind: Kind, data: st.DataObject) -> None:
    everything = range(0, 2 * kind.size, 2)
    gone = data.draw(st.sets(st.sampled_from(everything), max_size=15))
    # A feed that numbers its pages shows that something was removed by its total alone.
    new = set() if kind.name == "dcat" and gone else data.draw(st.sets(st.integers(0, 2 * kind.size), max_size=5))
    portal = Turning(kind, everything, sorted((set(everything) - gone) | new), data.draw(st.integers(1, 9)))
    found = guids(kind.walk(portal))
    assert len(found) == len(set(found))
    assert set(found) >= kind.guids(set(everything) - gone)


@pytest.mark.parametrize("at", [3, 4, 5])
def test_what_is_inserted_in_mid_walk_is_found(kind: Kind, at: int) -> None:
    everything = range(0, 2 * kind.size, 2)
    after = sorted({*everything, 1, 2 * kind.size + 1})
    portal = Turning(kind, everything, after, at)
    found = guids(kind.walk(portal))
    assert len(found) == len(set(found))
    assert set(found) >= kind.guids(everything)
    if portal.asked > at + 1:
        missing = kind.guids(after) - set(found)
        # Names are asked for once; a feed shows it by a record that comes twice.
        assert not missing or kind.name in ("ckan-names", "opendatasoft"), missing


def test_the_totals_are_those_of_the_portal(kind: Kind) -> None:
    stated = {page.advertised for page in kind.walk(kind.portal(range(kind.size)))}
    unstated = kind.name in ("ckan-current", "dcat-whole", "data-json")
    assert stated == ({None} if unstated else {kind.size})
